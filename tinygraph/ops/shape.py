"""The same elements in another shape: reshape, transpose, and functions made of the two."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.errors import ShapeError, UsageError, compose_message, describe
from ..core.layout import is_channels_last, rows_of_elements
from ..core.modes import module_path
from ..core.op import Op, composite, op
from ..core.storage import Array
from ..core.tensor import Tensor
from .axes import all_axes, as_shape, one_axis, permutation
from .operands import operand


def _check_reshape(x: Any, *, shape: Any) -> dict[str, Any]:
    if type(shape) is tuple and math.prod(shape) == x.size and -1 not in shape:
        return {"shape": shape}
    target = list(as_shape("reshape", shape))
    size = math.prod(x.shape)
    if target.count(-1) == 1:
        known = -math.prod(target)
        if known > 0 and size % known == 0:
            target[target.index(-1)] = size // known
    if any(n < 0 for n in target) or math.prod(target) != size:
        raise ShapeError(
            compose_message(
                f"reshape: {size} elements do not fit the shape {as_shape('reshape', shape)}",
                describe(x),
                "the product of the lengths must stay the same; one of them may be -1",
                module_path(),
            )
        )
    return {"shape": tuple(target)}


def _reshape(x: Any, *, shape: tuple[int, ...], out: Array | None = None) -> Array:
    if type(x) is np.ndarray and x.ndim > 2 and not x.flags.c_contiguous and x.size:
        joins_channels = x.shape[:1] == shape[:1] and x.shape[1:2] != shape[1:2]
        if joins_channels and len(shape) < x.ndim and is_channels_last(x):
            # NumPy's own copy takes five times as long
            if out is not None and out.flags.c_contiguous and out.dtype == x.dtype:
                rows_of_elements(x, out.reshape(x.shape))
                return out
            x = rows_of_elements(x)
    if out is None:  # the method takes a fifth of the time of NumPy's function
        return x.reshape(shape) if type(x) is np.ndarray else np.reshape(x, shape)
    if out.flags.c_contiguous:
        np.copyto(out.reshape(np.shape(x)), x)  # one copy, whatever the order of x in memory
    else:
        np.copyto(out, np.reshape(x, shape))
    return out


reshape: Op = op(
    "reshape", _reshape, kind="view", star=True,
    formula="x in another shape", local=["reshape back"], prepare=_check_reshape,
    vjps=[lambda g, y, x, *, shape: reshape(g, shape=x.shape)], numpy=[np.reshape],
    doc="Arrange the elements, in row-major order, in another shape; one length may be −1.",
)  # fmt: skip


def _inverse(axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(axes.index(i) for i in range(len(axes)))


transpose: Op = op(
    "transpose", lambda x, *, axes=None: x.transpose(axes), kind="view", label="ᵀ", star=True,
    formula="x with its axes in the order of axes", local=["transpose back"],
    vjps=[lambda g, y, x, *, axes: transpose(g, axes=_inverse(axes))],
    prepare=lambda x, *, axes: {"axes": permutation("transpose", axes, x.ndim)},
    numpy=[np.transpose, np.permute_dims],
    doc="Permute the axes; by default reverse them.",
)  # fmt: skip


def _check_swap(x: Any, *, axis1: Any, axis2: Any) -> dict[str, Any]:
    return {
        "axis1": one_axis("swapaxes", axis1, x.ndim),
        "axis2": one_axis("swapaxes", axis2, x.ndim),
    }


swapaxes: Op = op(
    "swapaxes", lambda x, *, axis1, axis2: x.swapaxes(axis1, axis2), kind="view", label="ᵀ",
    formula="x with two axes exchanged", local=["exchange back"], prepare=_check_swap,
    vjps=[lambda g, y, x, *, axis1, axis2: swapaxes(g, axis1=axis1, axis2=axis2)],
    numpy=[np.swapaxes],
    doc="Exchange two axes.",
)  # fmt: skip


def _matrix_transpose(x: Any) -> Any:
    return np.asarray(x).swapaxes(-1, -2)


def _check_matrix(x: Any) -> dict[str, Any]:
    if x.ndim < 2:
        raise ShapeError(
            compose_message(
                "mT: a matrix has at least two axes", describe(x), "t.T or t.reshape(…)"
            )
        )
    return {}


matrix_transpose: Op = op(
    "matrix_transpose", _matrix_transpose, kind="view", label="ᵀ",
    formula="x with its last two axes exchanged", local=["exchange back"], prepare=_check_matrix,
    vjps=[lambda g, y, x: matrix_transpose(g)], numpy=[np.matrix_transpose],
    doc="Transpose the matrices in the last two axes.",
)  # fmt: skip


def _check_squeeze(x: Any, *, axis: Any) -> dict[str, Any]:
    if axis is None:
        return {"axis": tuple(i for i, n in enumerate(x.shape) if n == 1)}
    axes = all_axes("squeeze", axis, x.ndim)
    if any(x.shape[a] != 1 for a in axes):
        raise ShapeError(
            compose_message(f"squeeze: only axes of length 1 can go, not axis={axis}", describe(x))
        )
    return {"axis": axes}


squeeze = op(
    "squeeze", lambda x, *, axis=None: x.squeeze(axis), kind="view",
    formula="x without axes of length 1", local=["reshape back"], prepare=_check_squeeze,
    vjps=[lambda g, y, x, *, axis: reshape(g, shape=x.shape)], numpy=[np.squeeze],
    doc="Remove axes of length 1: all of them, or those named.",
)  # fmt: skip


def _check_expand(x: Any, *, axis: Any) -> dict[str, Any]:
    count = len(axis) if isinstance(axis, tuple | list) else 1
    if axis is None:
        raise UsageError("expand_dims: say where the new axis goes, as in axis=0 or axis=-1.")
    return {"axis": all_axes("expand_dims", axis, x.ndim + count)}


def _expand_dims(x: Any, *, axis: tuple[int, ...]) -> Any:
    shape = list(x.shape)
    for place in axis:
        shape.insert(place, 1)
    return x.reshape(shape)


expand_dims = op(
    "expand_dims", _expand_dims, kind="view",
    formula="x with new axes of length 1", local=["reshape back"], prepare=_check_expand,
    vjps=[lambda g, y, x, *, axis: reshape(g, shape=x.shape)], numpy=[np.expand_dims],
    doc="Insert axes of length 1 at the places they have in the result.",
)  # fmt: skip

# ---- compositions ------------------------------------------------------------------------

permute = transpose
"""PyTorch's name of transpose with axes."""


@composite("x with axes start … end joined")
def flatten(x: Any, start_axis: int = 0, end_axis: int = -1) -> Tensor:
    """Join adjacent axes to one, by default all of them.

    Parameters
    ----------
    x : Tensor or ndarray
    start_axis, end_axis : int
        The first and the last of the axes to join.

    Returns
    -------
    Tensor
        Of one axis if ``x`` has none.

    Raises
    ------
    ShapeError
        If an axis does not exist, or the end comes before the start.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.flatten(tg.zeros(2, 3, 4), start_axis=1).shape
    (2, 12)
    """
    x = operand("flatten", x)
    start, end = (one_axis("flatten", a, max(x.ndim, 1)) for a in (start_axis, end_axis))
    if end < start:
        raise ShapeError(
            compose_message(
                f"flatten: end_axis={end_axis} comes before start_axis={start_axis}",
                describe(x),
                "the axes joined are those from start_axis to end_axis",
                module_path(),
            )
        )
    joined = math.prod(x.shape[start : end + 1])
    return reshape(x, shape=x.shape[:start] + (joined,) + x.shape[end + 1 :])


@composite("x with an axis split into several")
def unflatten(x: Any, axis: int, sizes: Sequence[int]) -> Tensor:
    """Split an axis into several: the inverse of flatten.

    Parameters
    ----------
    x : Tensor or ndarray
    axis : int
        The axis to split.
    sizes : sequence of int
        The lengths of the new axes; one may be −1.

    Raises
    ------
    ShapeError
        If the product of the lengths is not that of the axis.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.unflatten(tg.zeros(2, 12), 1, (3, -1)).shape
    (2, 3, 4)
    """
    x = operand("unflatten", x)
    axis = one_axis("unflatten", axis, x.ndim)
    wanted, length = list(as_shape("unflatten", sizes)), x.shape[axis]
    known = -math.prod(wanted)
    if wanted.count(-1) == 1 and known > 0:
        wanted[wanted.index(-1)] = length // known
    if any(n < 0 for n in wanted) or math.prod(wanted) != length:
        raise ShapeError(
            compose_message(
                f"unflatten: axis {axis} of length {length} does not split into {tuple(sizes)}",
                describe(x),
                f"lengths whose product is {length}; one of them may be -1",
                module_path(),
            )
        )
    return reshape(x, shape=x.shape[:axis] + tuple(wanted) + x.shape[axis + 1 :])


@composite("x with axes moved from source to destination", numpy=[np.moveaxis])
def moveaxis(x: Any, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """Move axes to other places; the others keep their order.

    Parameters
    ----------
    x : Tensor or ndarray
    source, destination : int or sequence of int
        Where the axes are, and where they come to be.

    Raises
    ------
    ShapeError
        If an axis does not exist or stands twice, or the numbers of axes differ.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.moveaxis(tg.zeros(2, 3, 4), 0, -1).shape
    (3, 4, 2)
    """
    x = operand("moveaxis", x)
    given = [a if isinstance(a, tuple | list) else (a,) for a in (source, destination)]
    starts, ends = ([one_axis("moveaxis", a, x.ndim) for a in axes] for axes in given)
    if len(starts) != len(ends) or len(set(starts)) < len(starts) or len(set(ends)) < len(ends):
        raise ShapeError(
            compose_message(
                "moveaxis: source and destination name equally many axes, each once",
                f"source={source}, destination={destination} for {describe(x)}",
                "",
                module_path(),
            )
        )
    order = [a for a in range(x.ndim) if a not in starts]
    for end, start in sorted(zip(ends, starts, strict=True)):
        order.insert(end, start)
    return transpose(x, axes=tuple(order))
