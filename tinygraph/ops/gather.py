"""Elements taken from the places that an array names: take, gather, masked_select."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import (
    DtypeError,
    IndexRangeError,
    ShapeError,
    compose_message,
    describe,
    describe_all,
)
from ..core.modes import module_path
from ..core.op import composite
from ..core.recording import run_check, values_of
from ..core.structure import broadcast_to
from ..core.tensor import Tensor
from .axes import one_axis
from .index import ARRAY, along, getitem
from .operands import index_array, integers, operand
from .shape import reshape


def raw(value: Any) -> Any:
    """Return the array of a tensor, and anything else as it is."""
    return value._data if isinstance(value, Tensor) else value


def check_range(who: str, places: Any, x: Any, axis: int) -> None:
    """Raise if an index is outside its axis."""
    n = x.shape[axis]

    def check(data: Any) -> None:
        low, high = (data.min(), data.max()) if data.size else (0, -1)
        if low < -n or high >= n:
            wrong = high if high >= n else low
            raise IndexRangeError(
                compose_message(
                    f"{who}: index {wrong} is out of bounds for axis {axis} with size {n}",
                    f"{describe(places)} for {describe(x)}",
                    f"indices from {-n} to {n - 1}" if n else "",
                    module_path(),
                )
            )

    run_check(check, places)


@composite("x[…, indices, …]", numpy=[np.take])
def take(x: Any, indices: Any, axis: int | None = None) -> Tensor:
    """Select elements along an axis by an array of indices.

    Parameters
    ----------
    x : Tensor or ndarray
    indices : Tensor or ndarray of integers
        Any shape; negative indices count from the end.
    axis : int or None
        The axis to select from; None for the flattened tensor.

    Returns
    -------
    Tensor
        Shape ``x.shape[:axis] + indices.shape + x.shape[axis+1:]``.

    Raises
    ------
    IndexRangeError
        If an index is out of range.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.take(tg.tensor([1.0, 2.0, 3.0]), [2, 0])
    tensor([3., 1.])
    """
    x = operand("take", x)
    places = integers("take", indices)
    if axis is None:
        x, axis = reshape(x, shape=(-1,)), 0
    axis = one_axis("take", axis, x.ndim)
    check_range("take", places, x, axis)
    return getitem(x, places, index=along(axis, ARRAY))


# ---- one index for each element ------------------------------------------------------------


def grid_of(who: str, x: Any, index: Any, axis: int, others: tuple[Any, ...] = ()) -> list[Any]:
    """Return, for each axis of x, where the elements of ``index`` are: PyTorch's rules."""
    places = integers(who, index)
    fits = places.ndim == x.ndim and all(o.ndim == x.ndim for o in others)
    fits = fits and all(
        (i == axis or n <= x.shape[i]) and all(n <= o.shape[i] for o in others)
        for i, n in enumerate(places.shape)
    )
    if not fits:
        names = "x but for the axis" + (", and into values" if others else "")
        raise ShapeError(
            compose_message(
                f"{who}: index has as many axes as x, and fits into {names} ({axis})",
                describe_all([x, places, *others]),
                f"tg.{who}(x, index, {'values, ' if others else ''}axis=…), index.expand_dims(…)",
                module_path(),
            )
        )
    check_range(who, places, x, axis)
    grid: list[Any] = list(np.indices(places.shape, sparse=True))
    grid[axis] = places
    return grid


@composite("y[i, j] = x[index[i, j], j]")
def gather(x: Any, index: Any, axis: int = 0) -> Tensor:
    """Take one element along an axis for each element of ``index``, as PyTorch's gather.

    For two axes and ``axis=0``: ``out[i, j] = x[index[i, j], j]``.

    Parameters
    ----------
    x : Tensor or ndarray
    index : Tensor or ndarray of integers
        As many axes as ``x``, and along the other axes not longer; negative indices count
        from the end.
    axis : int
        The axis that ``index`` counts along.

    Returns
    -------
    Tensor
        Of the shape of ``index``.

    Raises
    ------
    ShapeError, IndexRangeError
        If the shapes do not fit, or an index is out of range.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.gather(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), [[1], [0]], axis=1)
    tensor([[2.],
            [3.]])
    """
    x = operand("gather", x)
    axis = one_axis("gather", axis, x.ndim)
    return getitem(x, *grid_of("gather", x, index, axis), index=(ARRAY,) * x.ndim)


@composite("y[i, j] = x[indices[i, j], j]", numpy=[np.take_along_axis])
def take_along_axis(x: Any, indices: Any, axis: int | None = -1) -> Tensor:
    """Take elements along an axis by an array that broadcasts with ``x``, as NumPy does.

    Parameters
    ----------
    x : Tensor or ndarray
    indices : Tensor or ndarray of integers
        As many axes as ``x``; the other axes broadcast. What ``argmax`` and ``argsort`` with
        ``keepdims`` return fits.
    axis : int or None
        The axis that ``indices`` count along; None flattens ``x``.

    Raises
    ------
    ShapeError, IndexRangeError
        If the shapes do not broadcast, or an index is out of range.

    Examples
    --------
    >>> import tinygraph as tg
    >>> x = tg.tensor([[1.0, 5.0], [4.0, 3.0]])
    >>> tg.take_along_axis(x, tg.argmax(x, axis=1, keepdims=True), axis=1)
    tensor([[5.],
            [4.]])
    """
    x = operand("take_along_axis", x)
    places = integers("take_along_axis", indices)
    if axis is None:
        x, axis = reshape(x, shape=(-1,)), 0
    axis = one_axis("take_along_axis", axis, x.ndim)
    lengths = [
        (n, m) for i, (n, m) in enumerate(zip(x.shape, places.shape, strict=False)) if i != axis
    ]
    if places.ndim != x.ndim or any(n != m and 1 not in (n, m) for n, m in lengths):
        raise ShapeError(
            compose_message(
                "take_along_axis: indices have as many axes as x, and broadcast with it but for "
                f"axis {axis}",
                describe_all([x, places]),
                "indices.expand_dims(axis), or tg.take for the same indices everywhere",
                module_path(),
            )
        )
    check_range("take_along_axis", places, x, axis)
    grid: list[Any] = [
        np.zeros(1, np.intp) if n == 1 else g
        for n, g in zip(x.shape, np.indices(x.shape, sparse=True), strict=True)
    ]
    grid[axis] = places
    return getitem(x, *grid, index=(ARRAY,) * x.ndim)


@composite("x[mask], broadcast against each other")
def masked_select(x: Any, mask: Any) -> Tensor:
    """Return the elements where the mask holds, on one axis, as PyTorch's masked_select.

    Parameters
    ----------
    x : Tensor or ndarray
    mask : Tensor or ndarray of bool
        ``x`` and ``mask`` broadcast against each other.

    Raises
    ------
    DtypeError
        If the mask is not boolean.
    ShapeError
        If the shapes do not broadcast.

    Examples
    --------
    >>> import tinygraph as tg
    >>> x = tg.tensor([1.0, -2.0, 3.0])
    >>> tg.masked_select(x, x > 0)
    tensor([1., 3.])
    """
    x = operand("masked_select", x)
    what = "tg.masked_select (its count decides a shape)"
    mask = values_of(index_array("masked_select", mask), what)
    if mask.dtype != np.bool_:
        raise DtypeError(
            compose_message(
                "masked_select: a mask is boolean", describe(mask), "compare: x > 0", module_path()
            )
        )
    try:
        shape = np.broadcast_shapes(x.shape, mask.shape, (1,))
    except ValueError as error:
        raise ShapeError(
            compose_message(
                "masked_select: x and mask must broadcast against each other",
                describe_all([x, mask]),
                "x[mask] for a mask of the first axes",
                module_path(),
            )
        ) from error
    places = np.nonzero(np.broadcast_to(mask, shape))
    return getitem(broadcast_to(x, shape=shape), *places, index=(ARRAY,) * len(shape))
