"""The same elements in another arrangement, and tensors joined together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.calls import checked_call
from ..core.dtypes import as_array
from ..core.errors import ShapeError, UsageError, compose_message, describe, describe_all
from ..core.modes import module_path
from ..core.op import Op, composite, op
from ..core.tensor import Tensor
from .axes import all_axes, as_shape, one_axis, permutation
from .index import getitem


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


reshape: Op = op(
    "reshape", lambda x, *, shape: np.reshape(x, shape), kind="view", star=True,
    formula="x in another shape", local=["reshape back"], prepare=_check_reshape,
    vjps=[lambda g, y, x, *, shape: reshape(g, shape=x.shape)], numpy=[np.reshape],
    doc="Arrange the elements, in row-major order, in another shape; one length may be −1.",
)  # fmt: skip


def _inverse(axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(axes.index(i) for i in range(len(axes)))


transpose: Op = op(
    "transpose", lambda x, *, axes=None: np.transpose(x, axes), kind="view", label="ᵀ", star=True,
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
    "swapaxes", lambda x, *, axis1, axis2: np.swapaxes(x, axis1, axis2), kind="view", label="ᵀ",
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
    "squeeze", lambda x, *, axis=None: np.squeeze(x, axis), kind="view",
    formula="x without axes of length 1", local=["reshape back"], prepare=_check_squeeze,
    vjps=[lambda g, y, x, *, axis: reshape(g, shape=x.shape)], numpy=[np.squeeze],
    doc="Remove axes of length 1: all of them, or those named.",
)  # fmt: skip


def _check_expand(x: Any, *, axis: Any) -> dict[str, Any]:
    count = len(axis) if isinstance(axis, tuple | list) else 1
    if axis is None:
        raise UsageError("expand_dims: say where the new axis goes, as in axis=0 or axis=-1.")
    return {"axis": all_axes("expand_dims", axis, x.ndim + count)}


expand_dims = op(
    "expand_dims", lambda x, *, axis: np.expand_dims(x, axis), kind="view",
    formula="x with new axes of length 1", local=["reshape back"], prepare=_check_expand,
    vjps=[lambda g, y, x, *, axis: reshape(g, shape=x.shape)], numpy=[np.expand_dims],
    doc="Insert axes of length 1 at the places they have in the result.",
)  # fmt: skip

# ---- joining ---------------------------------------------------------------------------


def _check_concatenate(*arrays: Any, axis: Any) -> dict[str, Any]:
    if not arrays:
        raise UsageError("concatenate needs at least one tensor.")
    ndim = np.ndim(arrays[0]) if not hasattr(arrays[0], "ndim") else arrays[0].ndim
    if any(not hasattr(a, "ndim") or a.ndim == 0 for a in arrays):
        raise ShapeError(
            compose_message(
                "concatenate: a 0-d tensor has no axis to join along",
                describe_all(arrays),
                "tg.stack joins along a new axis",
            )
        )
    axis = one_axis("concatenate", axis, ndim)
    rests = [a.shape[:axis] + a.shape[axis + 1 :] for a in arrays]
    if any(a.ndim != ndim for a in arrays) or any(r != rests[0] for r in rests):
        raise ShapeError(
            compose_message(
                f"concatenate: all lengths but that of axis {axis} must agree",
                describe_all(arrays),
                "reshape or pad the odd one",
                module_path(),
            )
        )
    return {"axis": axis}


def _concatenate_vjp(
    g: Any, y: Any, *arrays: Any, needs: tuple[bool, ...], axis: int
) -> tuple[Any, ...]:
    parts = []
    start = 0
    for a, needed in zip(arrays, needs, strict=True):
        stop = start + a.shape[axis]
        parts.append(getitem(g, index=_along(axis, slice(start, stop))) if needed else None)
        start = stop
    return tuple(parts)


def _along(axis: int, part: slice) -> tuple[slice, ...]:
    return (slice(None),) * axis + (part,)


concatenate_op = op(
    "concatenate", lambda *arrays, axis=0, out=None: np.concatenate(arrays, axis=axis, out=out),
    vjps=_concatenate_vjp, kind="join", label="⧺", formula="[x₁, x₂, …] along axis",
    local=["its part of the gradient"], prepare=_check_concatenate,
    doc="Join tensors along an axis that they have.",
)  # fmt: skip


@checked_call
def concatenate(tensors: Sequence[Any], axis: int | None = 0) -> Tensor:
    """Join tensors along an axis that they have.

    Parameters
    ----------
    tensors : sequence of Tensor or ndarray
        Of equal shapes but for ``axis``.
    axis : int or None
        The axis to join along; None flattens first.

    Raises
    ------
    ShapeError
        If the other lengths differ.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.concatenate([tg.zeros(1, 2), tg.ones(1, 2)])
    tensor([[0., 0.],
            [1., 1.]])
    """
    parts = _sequence("concatenate", tensors)
    if axis is None:
        parts, axis = [reshape(p, shape=(-1,)) for p in parts], 0
    return concatenate_op(*parts, axis=axis)


@composite("[x₁, x₂, …] along a new axis", numpy=[np.stack])
def stack(tensors: Sequence[Any], axis: int = 0) -> Tensor:
    """Join tensors of one shape along a new axis.

    Parameters
    ----------
    tensors : sequence of Tensor or ndarray
        All of the same shape.
    axis : int
        Where the new axis is in the result.

    Raises
    ------
    ShapeError
        If the shapes differ.

    Examples
    --------
    >>> import tinygraph as tg
    >>> x, y = tg.variables(x=1, y=2)
    >>> tg.stack([x, y]).shape
    (2,)
    """
    parts = [p if hasattr(p, "ndim") else as_array(p) for p in _sequence("stack", tensors)]
    if any(p.shape != parts[0].shape for p in parts):
        raise ShapeError(
            compose_message("stack: all shapes must be equal", describe_all(parts), "tg.pad")
        )
    return concatenate_op(*[expand_dims(p, axis=axis) for p in parts], axis=axis)


def _sequence(who: str, tensors: Any) -> list[Any]:
    if getattr(tensors, "ndim", 1) == 0 or not hasattr(tensors, "__iter__"):
        raise UsageError(f"{who} takes a sequence of tensors: tg.{who}([a, b]).")
    parts = list(tensors)
    if not parts:
        raise UsageError(f"{who} needs at least one tensor.")
    return parts


# ---- padding: its adjoint is a slice ---------------------------------------------------------


def _check_pad(x: Any, *, pad_width: Any, constant: Any) -> dict[str, Any]:
    try:
        widths = np.broadcast_to(np.asarray(pad_width), (x.ndim, 2))
    except ValueError as error:
        raise ShapeError(
            compose_message(
                "pad: pad_width is a number, (before, after), or one pair for each axis",
                f"{pad_width} for {describe(x)}",
            )
        ) from error
    if widths.dtype.kind not in "iu" or (widths < 0).any():
        raise ShapeError(f"pad: widths are whole numbers from 0 on. Received {pad_width}.")
    return {"pad_width": tuple((int(a), int(b)) for a, b in widths), "constant": float(constant)}


pad_op = op(
    "pad", lambda x, *, pad_width, constant=0.0: np.pad(x, pad_width, constant_values=constant),
    vjps=[
        lambda g, y, x, *, pad_width, constant: getitem(
            g, index=tuple(slice(a, a + n) for (a, _), n in zip(pad_width, x.shape, strict=True))
        )
    ],
    kind="index", formula="x with a border of constant", local=["the middle of the gradient"],
    prepare=_check_pad,
    doc="Surround with a constant.",
)  # fmt: skip


@checked_call
def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: float = 0.0) -> Tensor:
    """Surround a tensor with a constant border.

    Parameters
    ----------
    x : Tensor or ndarray
    pad_width : int, pair, or one pair for each axis
        Elements before and after, as in ``np.pad``.
    mode : {"constant"}
        How the border is filled.
    constant_values : float
        The value of the border.

    Raises
    ------
    ShapeError
        If the widths do not fit the axes, or are negative.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.pad(tg.ones(2), (1, 2))
    tensor([0., 1., 1., 0., 0.])
    """
    if mode != "constant":
        raise UsageError(f"pad: mode is 'constant', received {mode!r}.")
    return pad_op(x, pad_width=pad_width, constant=constant_values)
