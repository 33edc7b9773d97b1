"""Selecting and placing elements: getitem and its adjoint place_add, and what they make.

``t[...]`` splits an index into a template, which is an attribute, and its integer arrays,
which are inputs; boolean masks become integer arrays at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import (
    DtypeError,
    IndexRangeError,
    ShapeError,
    UsageError,
    compose_message,
    describe,
    describe_all,
)
from ..core.modes import module_path
from ..core.op import Op, composite, op
from ..core.storage import Array
from ..core.tensor import Tensor
from .axes import one_axis

Index = tuple[Any, ...]


class _Slot:
    """Stands in an index template for one array input; there is only one, ARRAY."""

    def __repr__(self) -> str:
        return "array"

    def __copy__(self) -> _Slot:
        return self

    def __deepcopy__(self, memo: Any) -> _Slot:
        return self


ARRAY = _Slot()


def _fill(index: Index, arrays: tuple[Any, ...]) -> Index:
    remaining = iter(arrays)
    return tuple(next(remaining) if part is ARRAY else part for part in index)


def _getitem(x: Any, *arrays: Any, index: Index) -> Any:
    return np.asarray(x)[_fill(index, arrays)]


def _place_add(g: Any, *arrays: Any, index: Index, shape: tuple[int, ...]) -> Any:
    g = np.asarray(g)
    result = np.zeros(shape, g.dtype)
    if arrays:
        np.add.at(result, _fill(index, arrays), g)
    else:
        result[index] = g
    return result


def _nothing(count: int) -> tuple[None, ...]:
    return (None,) * count


getitem = op(
    "getitem", _getitem,
    vjps=lambda g, y, x, *arrays, needs, index: (
        place_add(g, *arrays, index=index, shape=x.shape), *_nothing(len(arrays))
    ),
    kind="index", saves="arrays", label="[ ]", formula="x[index]",
    local=["0 but for the selected elements"],
    doc="Select elements by NumPy's indexing rules: t[1:, None], t[rows, cols], t[mask].",
)  # fmt: skip

place_add: Op = op(
    "place_add", _place_add,
    vjps=lambda g, y, x, *arrays, needs, index, shape: (
        getitem(g, *arrays, index=index), *_nothing(len(arrays))
    ),
    kind="index", saves="arrays", label="[+]", formula="zeros; zeros[index] += x",
    local=["the selected elements"],
    doc="Place elements into zeros, adding where an index repeats: the adjoint of getitem.",
)  # fmt: skip


def select(x: Tensor, index: Any) -> Tensor:
    """Return ``x[index]`` with NumPy's meaning: what ``t[...]`` calls.

    Parameters
    ----------
    x : Tensor
    index : int, slice, ..., None, integer or boolean array, or a tuple of them
        Index arrays may be tensors.

    Raises
    ------
    IndexRangeError
        If an index is out of range.
    DtypeError
        If an index array is neither integer nor boolean.
    """
    parts = index if isinstance(index, tuple) else (index,)
    template: list[Any] = []
    arrays: list[Any] = []
    for part in parts:
        if part is None or part is ... or isinstance(part, slice):
            template.append(_plain_slice(part))
        elif isinstance(part, int | np.integer) and not isinstance(part, bool):
            template.append(int(part))
        else:
            _add_array(part, template, arrays, x)
    return getitem(x, *arrays, index=tuple(template))


def _plain_slice(part: Any) -> Any:
    """Let integer tensors be the ends of a slice."""
    if not isinstance(part, slice):
        return part
    ends = (part.start, part.stop, part.step)
    if any(isinstance(e, float) or (isinstance(e, Tensor) and e.dtype.kind == "f") for e in ends):
        raise DtypeError(f"getitem: the ends of a slice are integers, received {part}.")
    return slice(*(e.__index__() if isinstance(e, Tensor) else e for e in ends))


def _add_array(part: Any, template: list[Any], arrays: list[Any], x: Tensor) -> None:
    array = part if isinstance(part, Tensor) else _as_index_array("getitem", part)
    if isinstance(part, list | tuple) and array.size == 0:
        array = array.astype(np.int64)
    if array.dtype == np.bool_:
        mask = np.asarray(array.data if isinstance(array, Tensor) else array)
        if mask.ndim == 0:
            raise UsageError("getitem: a mask needs at least one axis. Fix: tg.where(mask, a, b).")
        places = np.nonzero(mask)
        start = sum(1 if p is not None and p is not ... else 0 for p in template)
        if ... not in template and x.shape[start : start + mask.ndim] != mask.shape:
            raise IndexRangeError(
                compose_message(
                    f"getitem: a boolean mask must match the axes it selects from, {mask.shape}",
                    describe(x),
                    "compare the same tensor: t[t > 0]",
                )
            )
        template.extend([ARRAY] * mask.ndim)
        arrays.extend(places)
    elif array.dtype.kind in "iu":
        template.append(ARRAY)
        arrays.append(array)
    else:
        raise DtypeError(
            compose_message(
                "getitem: an index is an integer, a slice, None, ... or an array of integers "
                "or booleans",
                describe(part),
                "t.astype(np.int64)",
            )
        )


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
    x = x if hasattr(x, "ndim") else np.asarray(x)
    places = _integers("take", indices)
    if axis is None:
        return getitem(x.reshape(-1), places, index=(ARRAY,))
    before = one_axis("take", axis, x.ndim)
    return getitem(x, places, index=(slice(None),) * before + (ARRAY,))


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
    x = x if hasattr(x, "ndim") else np.asarray(x)
    values = values if hasattr(values, "ndim") else np.asarray(values)
    axis = one_axis("scatter_add", axis, x.ndim)
    places = _integers("scatter_add", index)
    lengths = places.shape
    fits = places.ndim == x.ndim == values.ndim and all(
        n <= v and (i == axis or n <= m)
        for i, (n, v, m) in enumerate(zip(lengths, values.shape, x.shape, strict=True))
    )
    if not fits:
        raise ShapeError(
            compose_message(
                "scatter_add: index must fit into values, and into x but for the axis",
                describe_all([x, places, values]),
                "",
                module_path(),
            )
        )
    used = values[tuple(slice(n) for n in lengths)]
    grid: list[Any] = list(np.indices(lengths, sparse=True))
    grid[axis] = places
    total: Tensor = x + place_add(used, *grid, index=(ARRAY,) * x.ndim, shape=x.shape)
    return total


def _as_index_array(who: str, value: Any) -> Array:
    try:
        return np.asarray(value)
    except ValueError as error:
        raise DtypeError(
            compose_message(f"{who}: {error}", describe(value), "give rows of equal length")
        ) from error


def _integers(who: str, value: Any) -> Tensor | Array:
    array = value if isinstance(value, Tensor) else _as_index_array(who, value)
    if array.size == 0 and not isinstance(value, Tensor | np.ndarray):
        array = array.astype(np.int64)
    if array.dtype.kind not in "iu":
        raise DtypeError(
            compose_message(f"{who}: indices are integers", describe(value), "astype(np.int64)")
        )
    return array
