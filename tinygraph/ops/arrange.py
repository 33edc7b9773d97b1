"""Elements turned, shifted and repeated: flip, roll, rot90, repeat, tile, meshgrid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.errors import ShapeError, UsageError, compose_message, describe, describe_all
from ..core.modes import module_path
from ..core.op import Op, composite, op
from ..core.recording import values_of
from ..core.structure import broadcast_to
from ..core.tensor import Tensor
from .axes import all_axes, as_shape, one_axis
from .index import ARRAY, along, getitem
from .operands import operand, whole
from .shape import expand_dims, reshape, swapaxes

flip: Op = op(
    "flip", lambda x, *, axis=None: np.flip(x, axis), kind="view",
    formula="x backwards along axis", local=["turn back"],
    vjps=[lambda g, y, x, *, axis: flip(g, axis=axis)],
    prepare=lambda x, *, axis: {"axis": all_axes("flip", axis, x.ndim)}, numpy=[np.flip],
    doc="Reverse the order of the elements along axes (default: all).",
)  # fmt: skip


def _check_roll(x: Any, *, shift: Any, axis: Any) -> dict[str, Any]:
    shifts = shift if isinstance(shift, tuple | list) else (shift,)
    if any(isinstance(s, bool) or not isinstance(s, int | np.integer) for s in shifts):
        raise UsageError(f"roll: shift is an integer, or one for each axis, received {shift!r}.")
    if axis is None:
        return {"shift": sum(int(s) for s in shifts), "axis": None}
    axes = axis if isinstance(axis, tuple | list) else (axis,)
    axes = tuple(one_axis("roll", a, x.ndim) for a in axes)
    count = max(len(shifts), len(axes))
    if count > 1 and {len(shifts), len(axes)} - {1, count}:
        raise ShapeError(
            compose_message("roll: there is one shift for each axis", f"shift={shift}, axis={axis}")
        )
    widened = (*shifts, *shifts[:1] * (count - len(shifts)))
    return {
        "shift": tuple(int(s) for s in widened),
        "axis": (*axes, *axes[:1] * (count - len(axes))),
    }


def _opposite(shift: Any) -> Any:
    return tuple(-s for s in shift) if isinstance(shift, tuple) else -shift


roll: Op = op(
    "roll", lambda x, *, shift, axis=None: np.roll(x, shift, axis), kind="index",
    formula="x shifted along axis, what leaves comes in again", local=["shift back"],
    vjps=[lambda g, y, x, *, shift, axis: roll(g, shift=_opposite(shift), axis=axis)],
    prepare=_check_roll, numpy=[np.roll],
    doc="Shift elements along an axis; what leaves at one end comes in at the other.\n"
    "Without an axis the flattened tensor is shifted.",
)  # fmt: skip


@composite("x turned k times by 90°", numpy=[np.rot90])
def rot90(x: Any, k: int = 1, axes: Sequence[int] = (0, 1)) -> Tensor:
    """Turn by 90° in the plane of two axes, from the first towards the second.

    Parameters
    ----------
    x : Tensor or ndarray
    k : int
        How often; negative turns go the other way.
    axes : pair of int
        The plane.

    Raises
    ------
    ShapeError
        If the axes are not two different ones.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.rot90(tg.tensor([[1, 2], [3, 4]]))
    tensor([[2, 4],
            [1, 3]])
    """
    x = operand("rot90", x)
    first, second = (one_axis("rot90", a, x.ndim) for a in _pair(axes, x))
    if isinstance(k, bool) or not isinstance(k, int | np.integer):
        raise UsageError(f"rot90: k is an integer, received {k!r}.")
    if first == second:
        raise ShapeError(f"rot90: the two axes must differ, received axes={axes}.")
    turns = int(k) % 4
    if turns == 2:
        return flip(x, axis=(first, second))
    if turns == 1:
        x = flip(x, axis=second)
    if turns:
        x = swapaxes(x, axis1=first, axis2=second)
    return flip(x, axis=second) if turns == 3 else x


def _pair(axes: Any, x: Any) -> Any:
    if not isinstance(axes, tuple | list) or len(axes) != 2:
        raise ShapeError(
            compose_message("rot90: axes are a pair, such as (0, 1)", f"{axes!r} for {describe(x)}")
        )
    return axes


@composite("every element of x repeats times", numpy=[np.repeat])
def repeat(x: Any, repeats: int | Sequence[int], axis: int | None = None) -> Tensor:
    """Repeat each element, as NumPy does: ``[1, 2]`` becomes ``[1, 1, 2, 2]``.

    PyTorch's ``repeat`` is :func:`tile`, its ``repeat_interleave`` is this.

    Parameters
    ----------
    x : Tensor or ndarray
    repeats : int or sequence of int
        How often, or how often for each place along the axis.
    axis : int or None
        The axis to repeat along; None for the flattened tensor.

    Raises
    ------
    ShapeError
        If there is not one number for each place.
    UsageError
        If a number is negative or not whole.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.repeat(tg.tensor([1.0, 2.0]), 2)
    tensor([1., 1., 2., 2.])
    >>> tg.repeat(tg.tensor([1.0, 2.0]), [3, 1])
    tensor([1., 1., 1., 2.])
    """
    x = operand("repeat", x)
    if axis is None:
        x, axis = reshape(x, shape=(-1,)), 0
    axis = one_axis("repeat", axis, x.ndim)
    length = x.shape[axis]
    given = values_of(repeats, "repeats from a tensor")
    counts = [whole("repeat", "repeats", n) for n in np.ravel(np.asarray(given, object))]
    if np.ndim(given) > 1 or len(counts) not in (1, length):
        raise ShapeError(
            compose_message(
                f"repeat: repeats is a number, or one for each of the {length} places along "
                f"axis {axis}",
                f"{given} for {describe(x)}",
                "",
                module_path(),
            )
        )
    if len(counts) == 1:
        shape = x.shape[: axis + 1] + tuple(counts) + x.shape[axis + 1 :]
        spread = broadcast_to(expand_dims(x, axis=axis + 1), shape=shape)
        return reshape(spread, shape=x.shape[:axis] + (length * counts[0],) + x.shape[axis + 1 :])
    return getitem(x, np.repeat(np.arange(length), counts), index=along(axis, ARRAY))


@composite("x beside itself, reps times along each axis", numpy=[np.tile])
def tile(x: Any, reps: int | Sequence[int]) -> Tensor:
    """Put copies of a tensor side by side: ``[1, 2]`` becomes ``[1, 2, 1, 2]``.

    Parameters
    ----------
    x : Tensor or ndarray
    reps : int or sequence of int
        How often along each axis, aligned at the last; more numbers than axes make new axes.

    Raises
    ------
    UsageError
        If a number is negative or not whole.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.tile(tg.tensor([1.0, 2.0]), (2, 2))
    tensor([[1., 2., 1., 2.],
            [1., 2., 1., 2.]])
    """
    x = operand("tile", x)
    counts = [whole("tile", "reps", n) for n in as_shape("tile", reps)]
    ndim = max(x.ndim, len(counts))
    counts = [1] * (ndim - len(counts)) + counts
    lengths = (1,) * (ndim - x.ndim) + x.shape
    pairs = list(zip(counts, lengths, strict=True))
    apart = reshape(x, shape=tuple(n for length in lengths for n in (1, length)))
    spread = broadcast_to(apart, shape=tuple(n for pair in pairs for n in pair))
    return reshape(spread, shape=tuple(count * n for count, n in pairs))


@composite("coordinates of a grid", numpy=[np.meshgrid])
def meshgrid(*tensors: Any, indexing: str = "xy", sparse: bool = False) -> tuple[Tensor, ...]:
    """Spread the coordinates along each axis over a whole grid.

    Parameters
    ----------
    *tensors : Tensor or ndarray
        The coordinates along each axis; 0-d or one axis.
    indexing : {"xy", "ij"}
        Whether the first tensor runs along axis 1 (``"xy"``, NumPy's default: columns of a
        picture) or along axis 0 (``"ij"``: the rows of a matrix).
    sparse : bool
        Leave the other axes at length 1, to be broadcast later.

    Returns
    -------
    tuple of Tensor
        One for each argument.

    Raises
    ------
    ShapeError
        If a tensor has more than one axis.

    Examples
    --------
    >>> import tinygraph as tg
    >>> x, y = tg.meshgrid(tg.arange(3), tg.arange(2))
    >>> x
    tensor([[0, 1, 2],
            [0, 1, 2]])
    """
    parts = [operand("meshgrid", x) for x in tensors]
    if any(p.ndim > 1 for p in parts):
        raise ShapeError(
            compose_message(
                "meshgrid: coordinates have one axis",
                describe_all(parts),
                "x.flatten()",
                module_path(),
            )
        )
    if indexing not in ("xy", "ij"):
        raise UsageError(f"meshgrid: indexing is 'xy' or 'ij', received {indexing!r}.")
    order = list(range(len(parts)))
    if indexing == "xy" and len(parts) > 1:
        order[:2] = 1, 0
    grids = []
    for axis, part in zip(order, parts, strict=True):
        shape = [1] * len(parts)
        shape[axis] = part.size
        grids.append(reshape(part, shape=tuple(shape)))
    if sparse:
        return tuple(grids)
    whole = np.broadcast_shapes(*[g.shape for g in grids])
    return tuple(broadcast_to(g, shape=whole) for g in grids)
