"""Copies with elements replaced, or added to, at the places that an array names."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import (
    DtypeError,
    IndexRangeError,
    ShapeError,
    compose_message,
    describe_all,
)
from ..core.modes import module_path
from ..core.op import composite
from ..core.structure import broadcast_to
from ..core.tensor import Tensor
from .axes import one_axis
from .gather import check_range, grid_of, raw
from .index import ARRAY, along, getitem, place_add, split_index
from .operands import integers, operand
from .put import put
from .shape import reshape


@composite("x; x[index] = values along axis", kinks="where an index repeats, the last value stays")
def scatter(x: Any, index: Any, values: Any, axis: int = 0) -> Tensor:
    """Replace elements of a copy of ``x``, at places along an axis, as PyTorch's scatter.

    For two axes and ``axis=0``: ``out[index[i, j], j] = values[i, j]``. Where an index
    repeats, the last value stays, and it alone gets the gradient.

    Parameters
    ----------
    x : Tensor or ndarray
    index : Tensor or ndarray of integers
        As many axes as ``x``; not longer than ``values`` along any axis, nor than ``x``
        along the other axes.
    values : Tensor, ndarray or number
        What to put there; a number goes to all places.
    axis : int
        The axis that ``index`` counts along.

    Raises
    ------
    ShapeError, IndexRangeError
        If the shapes do not fit, or an index is out of range.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.scatter(tg.zeros(3), [2, 0], tg.tensor([1.0, 5.0]))
    tensor([5., 0., 1.])
    """
    x = operand("scatter", x)
    axis = one_axis("scatter", axis, x.ndim)
    if not isinstance(values, int | float):
        values = operand("scatter", values)
    values = _fitting("scatter", values, x)
    single = np.ndim(raw(values)) == 0
    grid = grid_of("scatter", x, index, axis, () if single else (values,))
    if not single:
        values = _corner(values, grid[axis].shape)
    return put(x, values, *grid, index=(ARRAY,) * x.ndim)


@composite("x; x[index] += values along axis")
def scatter_add(x: Any, index: Any, values: Any, axis: int = 0) -> Tensor:
    """Add values to a copy of ``x``, at places along an axis given by ``index``.

    For two axes and ``axis=0``: ``out[index[i, j], j] += values[i, j]``, as in PyTorch.

    Parameters
    ----------
    x : Tensor or ndarray
        Where to add.
    index : Tensor or ndarray of integers
        Of the number of axes of ``x``; not longer than ``values`` along any axis, nor than
        ``x`` along the other axes.
    values : Tensor or ndarray
        What to add; repeated places add up.
    axis : int
        The axis that ``index`` counts along.

    Raises
    ------
    ShapeError, IndexRangeError
        If the shapes do not fit, or an index is out of range.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.scatter_add(tg.zeros(3), [0, 2, 2], tg.ones(3))
    tensor([1., 0., 2.])
    """
    x, values = operand("scatter_add", x), operand("scatter_add", values)
    axis = one_axis("scatter_add", axis, x.ndim)
    grid = grid_of("scatter_add", x, index, axis, (values,))
    used = _corner(values, grid[axis].shape)
    total: Tensor = x + place_add(used, *grid, index=(ARRAY,) * x.ndim, shape=x.shape)
    return total


def _corner(values: Any, shape: tuple[int, ...]) -> Any:
    """Return the first elements along each axis."""
    if values.shape == shape:
        return values
    return getitem(values, index=tuple(slice(n) for n in shape))


def _fitting(who: str, values: Any, x: Any) -> Any:
    """Return values; raise if they are floating and ``x`` is not."""
    floating = isinstance(values, float) or getattr(values, "dtype", x.dtype).kind == "f"
    if floating and x.dtype.kind != "f":
        raise DtypeError(
            compose_message(
                f"{who}: floating values do not fit into an integer or boolean tensor",
                describe_all([values, x]),
                "x.astype(np.float32) first",
                module_path(),
            )
        )
    return values


# ---- one index for each slice, or any index -------------------------------------------------


@composite("x; x[…, index, …] += values")
def index_add(x: Any, index: Any, values: Any, axis: int = 0) -> Tensor:
    """Add slices to a copy of ``x``, at the places along an axis that ``index`` lists.

    Parameters
    ----------
    x : Tensor or ndarray
    index : Tensor or ndarray of integers
        One axis; repeated places add up.
    values : Tensor or ndarray
        The shape of ``x``, but for the length of ``index`` along the axis.
    axis : int
        The axis that ``index`` counts along.

    Raises
    ------
    ShapeError, IndexRangeError
        If the shapes do not fit, or an index is out of range.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.index_add(tg.zeros(2, 2), [1, 1], tg.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[0., 0.],
            [4., 6.]])
    """
    x, values = operand("index_add", x), operand("index_add", values)
    axis = one_axis("index_add", axis, x.ndim)
    places = integers("index_add", index)
    wanted = x.shape[:axis] + places.shape + x.shape[axis + 1 :]
    if places.ndim != 1 or values.shape != wanted:
        raise ShapeError(
            compose_message(
                f"index_add: index has one axis, and values the shape {wanted} of what it selects",
                describe_all([x, places, values]),
                "values.broadcast_to(…)",
                module_path(),
            )
        )
    check_range("index_add", places, x, axis)
    total: Tensor = x + place_add(values, places, index=along(axis, ARRAY), shape=x.shape)
    return total


@composite(
    "copy of x; copy[indices] = values", kinks="where an index repeats, the last value stays"
)
def index_put(x: Any, indices: Any, values: Any, accumulate: bool = False) -> Tensor:
    """Return ``x`` with ``x[indices] = values`` done, and differentiable by both.

    Parameters
    ----------
    x : Tensor or ndarray
    indices : int, slice, ..., None, integer or boolean array, or a tuple of them
        Anything that ``t[indices]`` takes.
    values : Tensor, ndarray or number
        Broadcast to the selection.
    accumulate : bool
        Add instead of replacing, ``x[indices] += values``; repeated places add up.

    Raises
    ------
    ShapeError, IndexRangeError
        If the values do not broadcast to the selection, or an index is out of range.

    Examples
    --------
    >>> import tinygraph as tg
    >>> x = tg.tensor([1.0, -2.0, 3.0])
    >>> tg.index_put(x, x < 0, 0.0)
    tensor([1., 0., 3.])
    """
    x = operand("index_put", x)
    if not isinstance(values, int | float):
        values = operand("index_put", values)
    values = _fitting("index_put", values, x)
    template, arrays = split_index("index_put", x, indices)
    selected = _selected_shape("index_put", x, template, arrays)
    shape = np.shape(raw(values))
    surplus = shape[: max(0, len(shape) - len(selected))]
    if any(n != 1 for n in surplus) or not _broadcasts(shape[len(surplus) :], selected):
        raise ShapeError(
            compose_message(
                f"index_put: values must broadcast to the selection, {selected}",
                describe_all([values, x]),
                "values of that shape, or one number",
                module_path(),
            )
        )
    if not accumulate:
        return put(x, values, *arrays, index=template)
    given = operand("index_put", values)
    given = reshape(given, shape=shape[len(surplus) :]) if surplus else given
    added = place_add(broadcast_to(given, shape=selected), *arrays, index=template, shape=x.shape)
    total: Tensor = x + added
    return total


def _selected_shape(who: str, x: Any, template: Any, arrays: list[Any]) -> tuple[int, ...]:
    """Return the shape of ``x[index]``; raise if the index does not fit."""
    try:
        found = getitem(np.broadcast_to(False, x.shape), *map(raw, arrays), index=template)
    except IndexRangeError as error:
        raise IndexRangeError(str(error).replace("getitem", who, 1)) from error
    return found.shape


def _broadcasts(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    return all(n in (1, m) for n, m in zip(shape[::-1], target[::-1], strict=False))
