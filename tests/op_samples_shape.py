"""Samples and references of the ops on shapes, joins, indices, diagonals and windows.

See `op_samples`. The references number the elements, move the numbers about in plain Python or
by other functions of NumPy, and look the values up again.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from op_samples import ARRANGE, COLUMNS, ROWS, SHAPES, WIDE, samples, values

from tinygraph.check import Sample
from tinygraph.ops.index import ARRAY

Array = np.ndarray
BLOCK = values("block", (2, 3, 2))
VECTOR, MATRIX, EMPTY, POINT = (ARRANGE[k] for k in ("vector", "matrix", "empty", "0-d"))


def everywhere(**attrs: Any) -> list[Sample]:
    """Return a sample for each family of shapes."""
    return [Sample(k, (ARRANGE[k],), attrs) for k in SHAPES]


def by_place(source: Callable[..., Any], shape: Callable[..., Any]) -> Callable[..., Array]:
    """Return a reference that computes, for each place of the result, the place it comes from."""

    def reference(x: Array, **attrs: Any) -> Array:
        result = np.zeros(shape(x, **attrs))
        for place in np.ndindex(*result.shape):
            origin = source(x, place, **attrs)
            result[place] = 0 if origin is None else x[origin]
        return result

    return reference


def axes_of(x: Array, axis: Any) -> list[int]:
    given = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return [a % x.ndim for a in given]


# ---- shape -------------------------------------------------------------------------------------


def _flattened(x: Array, start_axis: int = 0, end_axis: int = -1) -> Array:
    lengths = list(x.shape) or [1]
    start, end = start_axis % len(lengths), end_axis % len(lengths)
    lengths[start : end + 1] = [math.prod(lengths[start : end + 1])]
    return np.array(x.ravel().tolist()).reshape(lengths)


samples(
    "flatten",
    _flattened,
    *everywhere(),
    Sample("the first two", (BLOCK,), {"end_axis": 1}),
    Sample("the last two", (BLOCK,), {"start_axis": -2}),
    Sample("one", (BLOCK,), {"start_axis": 1, "end_axis": 1}),
)
samples(
    "unflatten",
    lambda x, axis, sizes: np.stack(np.split(x, 2, axis), axis % x.ndim),
    Sample("vector", (values("u", (6,)),), {"axis": 0, "sizes": (2, 3)}),
    Sample("guess", (WIDE,), {"axis": -1, "sizes": (2, -1)}),
    Sample("list", (values("v", (4, 3)),), {"axis": 0, "sizes": [2, 2]}),
    Sample("empty", (EMPTY,), {"axis": 0, "sizes": (2, 0)}),
)
samples(
    "moveaxis",
    lambda x, source, destination: np.einsum(
        x, list(range(x.ndim)), _moved(x.ndim, source, destination)
    ),
    Sample("to the end", (BLOCK,), {"source": 0, "destination": -1}),
    Sample("to the front", (BLOCK,), {"source": -1, "destination": 0}),
    Sample("two", (BLOCK,), {"source": (0, 1), "destination": (-1, 0)}),
    Sample("empty", (EMPTY,), {"source": 0, "destination": 1}),
    Sample("none", (POINT,), {"source": (), "destination": ()}),
)


def _moved(ndim: int, source: Any, destination: Any) -> list[int]:
    starts, ends = (np.atleast_1d(a).astype(int) % max(ndim, 1) for a in (source, destination))
    order = [-1] * ndim
    for start, end in zip(starts, ends, strict=True):
        order[end] = int(start)
    rest = iter(a for a in range(ndim) if a not in starts)
    return [next(rest) if a < 0 else a for a in order]


# ---- turned, shifted, repeated -----------------------------------------------------------------

samples(
    "flip",
    by_place(
        lambda x, place, axis=None: tuple(
            n - 1 - p if a in axes_of(x, axis) else p
            for a, (n, p) in enumerate(zip(x.shape, place, strict=True))
        ),
        lambda x, **_: x.shape,
    ),
    *everywhere(),
    Sample("axis", (MATRIX,), {"axis": 0}),
    Sample("negative", (BLOCK,), {"axis": -1}),
    Sample("tuple", (BLOCK,), {"axis": (0, -1)}),
)


def _rolled(x: Array, shift: Any, axis: Any = None) -> Array:
    if axis is None:
        return np.array([*x.ravel()[-k:], *x.ravel()[:-k]] if (k := shift % max(x.size, 1)) else x
                        ).reshape(x.shape)  # fmt: skip
    shifts, axes = np.broadcast_arrays(shift, axis)
    for s, a in zip(shifts.ravel(), axes.ravel(), strict=True):
        x = np.take(x, (np.arange(x.shape[a]) - s) % x.shape[a], a) if x.shape[a] else x
    return x


samples(
    "roll",
    _rolled,
    *everywhere(shift=1),
    Sample("axis", (MATRIX,), {"shift": 2, "axis": 1}),
    Sample("negative", (WIDE,), {"shift": -1, "axis": -1}),
    Sample("more than around", (WIDE,), {"shift": 7, "axis": 1}),
    Sample("two axes", (WIDE,), {"shift": (1, -1), "axis": (0, 1)}),
    Sample("one shift for two axes", (WIDE,), {"shift": 1, "axis": (0, 1)}),
    Sample("twice along one axis", (WIDE,), {"shift": (1, 2), "axis": 1}),
)
samples(
    "rot90",
    lambda x, k=1, axes=(0, 1): _turned(x, k % 4, *axes),
    *[Sample(f"k = {k}", (MATRIX,), {"k": k}) for k in (0, 1, 2, 3, -1)],
    Sample("other axes", (BLOCK,), {"axes": (-1, 0)}),
    Sample("empty", (EMPTY,)),
)


def _turned(x: Array, k: int, first: int, second: int) -> Array:
    for _ in range(k):
        rows = np.moveaxis(x, (first, second), (0, 1))
        turned = np.array([rows[:, -1 - j] for j in range(rows.shape[1])])
        x = np.moveaxis(turned.reshape(rows.shape[1], rows.shape[0], *rows.shape[2:]), (0, 1),
                        (first, second))  # fmt: skip
    return x


def _repeated(x: Array, repeats: Any, axis: int | None = None) -> Array:
    rows = list(x.ravel() if axis is None else np.moveaxis(x, axis, 0))
    counts = np.broadcast_to(repeats, (len(rows),))
    found = [row for row, n in zip(rows, counts, strict=True) for _ in range(n)]
    if axis is None:
        return np.array(found)
    rest = np.moveaxis(x, axis, 0).shape[1:]
    return np.moveaxis(np.array(found).reshape(len(found), *rest), 0, axis)


samples(
    "repeat",
    _repeated,
    *everywhere(repeats=2),
    Sample("axis", (MATRIX,), {"repeats": 3, "axis": 0}),
    Sample("negative axis", (BLOCK,), {"repeats": 2, "axis": -2}),
    Sample("each its own", (MATRIX,), {"repeats": [2, 0, 1], "axis": 1}),
    Sample("an array", (VECTOR,), {"repeats": np.array([0, 3, 1])}),
    Sample("never", (MATRIX,), {"repeats": 0, "axis": 1}),
)
samples(
    "tile",
    by_place(
        lambda x, place, reps: tuple(
            p % n for p, n in zip(place[len(place) - x.ndim :], x.shape, strict=True)
        ),
        lambda x, reps: _tiled_shape(x.shape, reps),
    ),
    *everywhere(reps=2),
    Sample("both axes", (MATRIX,), {"reps": (2, 3)}),
    Sample("new axis", (VECTOR,), {"reps": (2, 2)}),
    Sample("fewer", (BLOCK,), {"reps": (2, 1)}),
    Sample("never", (MATRIX,), {"reps": (0, 1)}),
    Sample("no numbers", (MATRIX,), {"reps": ()}),
)


def _tiled_shape(shape: tuple[int, ...], reps: Any) -> list[int]:
    counts = [reps] if isinstance(reps, int) else list(reps)
    ndim = max(len(shape), len(counts))
    counts = [1] * (ndim - len(counts)) + counts
    return [n * r for n, r in zip([1] * (ndim - len(shape)) + [*shape], counts, strict=True)]


# ---- joined and split --------------------------------------------------------------------------


def _one_or_all(results: list[Array]) -> Any:
    return results[0] if len(results) == 1 else results


samples(
    "atleast_1d",
    lambda *xs: _one_or_all([x if x.ndim else np.array([x.item()]) for x in xs]),
    *everywhere(),
    Sample("two", (POINT, MATRIX)),
)
samples(
    "atleast_2d",
    lambda *xs: _one_or_all([np.array(x, ndmin=2) for x in xs]),
    *everywhere(),
    Sample("two", (VECTOR, MATRIX)),
)
samples(
    "hstack",
    lambda xs: np.concatenate(
        [x.reshape(-1) if x.ndim < 2 else x for x in xs], 1 if xs[0].ndim > 1 else 0
    ),
    Sample("points", (POINT, values("h0", ())), listed=True),
    Sample("vectors", (VECTOR, values("h1", (2,))), listed=True),
    Sample("matrices", (MATRIX, values("h2", (2, 1))), listed=True),
    Sample("empty", (EMPTY, np.zeros((0, 1))), listed=True),
)
samples(
    "vstack",
    lambda xs: np.concatenate([np.array(x, ndmin=2) for x in xs]),
    Sample("points", (POINT, values("v0", ())), listed=True),
    Sample("vectors", (VECTOR, values("v1", (3,))), listed=True),
    Sample("vector and matrix", (VECTOR, MATRIX), listed=True),
    Sample("empty", (EMPTY, MATRIX), listed=True),
)


def _grids(*xs: Array, indexing: str = "xy", sparse: bool = False) -> list[Array]:
    order = [1, 0, *range(2, len(xs))] if indexing == "xy" and len(xs) > 1 else range(len(xs))
    lengths = [0] * len(xs)
    for axis, x in zip(order, xs, strict=True):
        lengths[axis] = x.size
    found = []
    for axis, x in zip(order, xs, strict=True):
        shape = [x.size if a == axis else 1 for a in range(len(xs))] if sparse else lengths
        found.append(np.array([x.ravel()[p[axis]] for p in np.ndindex(*shape)]).reshape(shape))
    return found


THREE = (VECTOR, values("m1", (2,)), values("m2", (2,)))
samples(
    "meshgrid",
    _grids,
    Sample("one", (VECTOR,)),
    Sample("two", THREE[:2]),
    Sample("ij", THREE[:2], {"indexing": "ij"}),
    Sample("three", THREE),
    Sample("sparse", THREE, {"sparse": True, "indexing": "ij"}),
    Sample("0-d", (POINT, VECTOR)),
    Sample("empty", (np.zeros(0), VECTOR)),
)


def _parts(longer_first: bool) -> Callable[..., list[Array]]:
    def reference(x: Array, count: Any = None, axis: int = 0, **named: Any) -> list[Array]:
        count = named.get("indices_or_sections", named.get("chunks", count))
        rows = np.moveaxis(x, axis, 0)
        if isinstance(count, list):
            ends = [e if e >= 0 else len(rows) + e for e in count]
        elif longer_first:
            ends = [math.ceil(len(rows) * k / count) for k in range(1, count)]
            lengths = [len(rows) // count + (k < len(rows) % count) for k in range(count)]
            ends = list(itertools.accumulate(lengths))[:-1]
        else:
            size = math.ceil(len(rows) / count)
            ends = [size * k for k in range(1, math.ceil(len(rows) / max(size, 1)))]
        edges = [0, *ends, len(rows)]
        return [np.moveaxis(rows[a:b], 0, axis) for a, b in itertools.pairwise(edges)]

    return reference


LONG = values("long", (7, 2))
samples(
    "split",
    _parts(True),
    Sample("equal", (values("sp", (6,)),), {"indices_or_sections": 3}),
    Sample("columns", (WIDE,), {"indices_or_sections": 2, "axis": -1}),
    Sample("places", (LONG,), {"indices_or_sections": [1, 4]}),
    Sample("negative place", (LONG,), {"indices_or_sections": [-2]}),
    Sample("an empty part", (VECTOR,), {"indices_or_sections": [0]}),
    Sample("empty", (EMPTY,), {"indices_or_sections": 2}),
)
for _name in ("array_split", "tensor_split"):
    samples(
        _name,
        _parts(True),
        Sample("unequal", (LONG,), {"indices_or_sections": 3}),
        Sample("columns", (WIDE,), {"indices_or_sections": 3, "axis": 1}),
        Sample("more than there are", (VECTOR,), {"indices_or_sections": 5}),
        Sample("places", (LONG,), {"indices_or_sections": [2, 5]}),
    )
samples(
    "chunk",
    _parts(False),
    Sample("unequal", (LONG,), {"chunks": 3}),
    Sample("fewer", (values("ch", (6,)),), {"chunks": 4}),
    Sample("columns", (WIDE,), {"chunks": 2, "axis": -1}),
)
samples(
    "unbind",
    lambda x, axis=0: [np.moveaxis(x, axis, 0)[k] for k in range(x.shape[axis])],
    Sample("vector", (VECTOR,)),
    Sample("matrix", (MATRIX,)),
    Sample("last", (BLOCK,), {"axis": -1}),
    Sample("empty", (EMPTY,), {"axis": 1}),
)

# ---- padding -----------------------------------------------------------------------------------


def _source(mode: str, p: int, n: int) -> int:
    """Return which of n elements in a row stands at place p, which may be outside."""
    if mode == "edge":
        return min(max(p, 0), n - 1)
    if mode == "wrap":
        return p % n
    period = 2 * n - 2 if mode == "reflect" else 2 * n
    p %= max(period, 1)
    return p if p < n else period - p - (mode == "symmetric")


def _bordered(
    x: Array, pad_width: Any, mode: str = "constant", constant_values: Any = 0.0
) -> Array:
    widths = np.broadcast_to(pad_width, (x.ndim, 2))
    fills = np.broadcast_to(constant_values, (x.ndim, 2))
    result = np.zeros([n + a + b for n, (a, b) in zip(x.shape, widths, strict=True)])
    for place in np.ndindex(*result.shape):
        origin = [p - a for p, (a, _) in zip(place, widths, strict=True)]
        outside = [a for a, p in enumerate(origin) if not 0 <= p < x.shape[a]]
        if mode != "constant":
            spans = zip(origin, x.shape, strict=True)
            result[place] = x[tuple(_source(mode, p, n) for p, n in spans)]
        elif outside:
            axis = outside[-1]
            result[place] = fills[axis][int(origin[axis] >= 0)]
        else:
            result[place] = x[tuple(origin)]
    return result


PAIRED = ((1, 0), (2, 1))
CONSTANT = [
    Sample("both sides", (MATRIX,), {"pad_width": 1}),
    Sample("nothing", (VECTOR,), {"pad_width": 0}),
    Sample("0-d", (POINT,), {"pad_width": 0}),
    Sample("empty", (EMPTY,), {"pad_width": ((1, 1), (0, 0))}),
]
samples(
    "pad_constant",
    lambda x, pad_width, constant=0.0: _bordered(x, pad_width, "constant", constant),
    *CONSTANT,
    Sample("pairs", (MATRIX,), {"pad_width": ((1, 0), (0, 2)), "constant": 0.5}),
    Sample("a constant a side", (VECTOR,), {"pad_width": (2, 1), "constant": (0.5, 2)}),
)
samples(
    "pad",
    _bordered,
    *CONSTANT,
    Sample("constants", (MATRIX,), {"pad_width": PAIRED, "constant_values": ((1, 2), (3, 4.5))}),
    *[
        sample
        for mode in ("edge", "reflect", "symmetric", "wrap")
        for sample in (
            Sample(mode, (MATRIX,), {"pad_width": PAIRED, "mode": mode}),
            Sample(f"{mode}, wide", (VECTOR,), {"pad_width": (7, 5), "mode": mode}),
            Sample(f"{mode} of one", (values("one", (1, 2)),), {"pad_width": 1, "mode": mode}),
            Sample(f"{mode} of nothing", (EMPTY,), {"pad_width": ((0, 0), (1, 2)), "mode": mode}),
        )
    ],
)

# ---- replaced, gathered, scattered ---------------------------------------------------------------


def _filled(index: tuple[Any, ...], arrays: tuple[Array, ...]) -> tuple[Any, ...]:
    parts = iter(arrays)
    return tuple(next(parts) if p is ARRAY else p for p in index)


def _assigned(x: Array, values: Any, index: Any) -> Array:
    """Assign element by element, in the order of the selection."""
    places = np.asarray(np.arange(x.size).reshape(x.shape)[index])
    given = np.array(places, float)
    given[...] = values
    flat = x.ravel().tolist()
    for place, value in zip(places.ravel(), given.ravel(), strict=True):
        flat[place] = value
    return np.array(flat).reshape(x.shape)


samples(
    "put",
    lambda x, values, *arrays, index: _assigned(x, values, _filled(index, arrays)),
    Sample("slice", (WIDE, values("pu1", (2,))), {"index": (slice(None), slice(0, 4, 3))}),
    Sample("everything", (POINT, values("pu2", ())), {"index": ()}),
    Sample("broadcast", (WIDE, values("pu3", (2, 1))), {"index": (slice(None), slice(1, 3))}),
    Sample("an axis in front", (WIDE, values("pu4", (1, 1, 4))), {"index": (0,)}),
    Sample("repeats", (WIDE, values("pu5", (3,)), ROWS, COLUMNS), {"index": (ARRAY, ARRAY)}),
    Sample("rows", (WIDE, values("pu6", (4,)), ROWS), {"index": (ARRAY,)}),
    Sample("a number", (WIDE, 0.5, COLUMNS), {"index": (slice(None), ARRAY)}),
    Sample("empty", (VECTOR, np.zeros(0), ROWS[:0]), {"index": (ARRAY,)}),
)


def _selected_last(x: Array, *arrays: Array, index: tuple[Any, ...]) -> Array:
    places = np.arange(x.size).reshape(x.shape)[_filled(index, arrays)]
    flat = places.ravel().tolist()
    kept = [x.ravel()[p] * (p not in flat[k + 1 :]) for k, p in enumerate(flat)]
    return np.array(kept, float).reshape(places.shape)


samples(
    "getitem_last",
    _selected_last,
    Sample("repeats", (WIDE, ROWS, COLUMNS), {"index": (ARRAY, ARRAY)}),
    Sample("columns", (WIDE, COLUMNS), {"index": (slice(None), ARRAY)}),
    Sample("once each", (VECTOR, ROWS[:2]), {"index": (ARRAY,)}),
    Sample("empty", (VECTOR, ROWS[:0]), {"index": (ARRAY,)}),
)
REPLACED = values("replaced", (2, 2))
samples(
    "index_put",
    lambda x, indices, values, accumulate=False: (
        x + _added(x, values, indices) if accumulate else _assigned(x, values, indices)
    ),
    Sample("pick", (WIDE, (ROWS, COLUMNS), values("ip", (3,)))),
    Sample("slice", (WIDE, (slice(None), slice(2)), REPLACED)),
    Sample("mask", (WIDE, WIDE > 0, 3)),
    Sample("number", (WIDE, 1, 2)),
    Sample("add", (WIDE, (ROWS, COLUMNS), values("ia", (3,))), {"accumulate": True}),
    Sample("add a row", (WIDE, (ROWS,), values("ir", (1, 4))), {"accumulate": True}),
    Sample("add to a slice", (WIDE, (..., slice(2)), REPLACED), {"accumulate": True}),
    Sample("add, axes in front", (VECTOR, 1, values("if", (1, 1))), {"accumulate": True}),
)


def _added(x: Array, values: Any, index: Any) -> Array:
    places = np.arange(x.size).reshape(x.shape)[index]
    values = np.asarray(values, float)
    values = values.reshape(values.shape[max(0, values.ndim - np.ndim(places)) :])
    given = np.broadcast_to(values, np.shape(places))
    return np.bincount(np.ravel(places), given.ravel(), x.size).reshape(x.shape)


def _at(place: tuple[int, ...], axis: int, where: Any) -> tuple[Any, ...]:
    return (*place[:axis], where, *place[axis + 1 :])


def _gathered(x: Array, index: Array, axis: int = 0) -> Array:
    axis %= x.ndim
    found = [x[_at(p, axis, index[p])] for p in np.ndindex(index.shape)]
    return np.array(found).reshape(index.shape)


def _scattered(x: Array, index: Array, values: Any, axis: int = 0) -> Array:
    result, axis = x.copy(), axis % x.ndim
    for place in np.ndindex(index.shape):
        given = values[place] if np.ndim(values) else values
        result[_at(place, axis, index[place])] = given
    return result


COLUMN_INDEX = np.array([[3, 1, 1], [0, -1, 0]])
samples(
    "gather",
    _gathered,
    Sample("vector", (VECTOR, np.array([2, 0, 2, 2]))),
    Sample("columns", (WIDE, COLUMN_INDEX), {"axis": 1}),
    Sample("index is shorter", (WIDE, np.array([[1, 0]])), {"axis": -2}),
    Sample("empty", (WIDE, np.zeros((0, 4), int))),
)
samples(
    "take_along_axis",
    lambda x, indices, axis=-1: (
        _gathered(x.ravel(), indices)
        if axis is None
        else _gathered(*_spread(x, indices, axis % x.ndim), axis)
    ),
    Sample("columns", (WIDE, COLUMN_INDEX), {"axis": 1}),
    Sample("flat", (WIDE, np.array([7, 0, 0])), {"axis": None}),
    Sample("index broadcasts", (WIDE, np.array([[1, 1, 3]]))),
    Sample("x broadcasts", (VECTOR[None], np.array([[0], [2]]))),
    Sample("rows", (WIDE, np.array([[1, 0, 0, 1]])), {"axis": 0}),
)


def _spread(x: Array, index: Array, axis: int) -> tuple[Array, Array]:
    shape = np.broadcast_shapes(_at(x.shape, axis, 1), _at(index.shape, axis, 1))
    return (
        np.broadcast_to(x, _at(shape, axis, x.shape[axis])),
        np.broadcast_to(index, _at(shape, axis, index.shape[axis])),
    )


samples(
    "scatter",
    _scattered,
    Sample("vector", (VECTOR, np.array([0, 2, 2]), values("sv", (3,)))),
    Sample("columns", (WIDE, COLUMN_INDEX, values("sc", (2, 3))), {"axis": 1}),
    Sample("index is shorter", (WIDE, np.array([[0, 1]]), values("ss", (2, 4))), {"axis": -2}),
    Sample("number", (WIDE, COLUMN_INDEX, 2), {"axis": -1}),
)
samples(
    "index_add",
    lambda x, index, values, axis=0: np.moveaxis(
        [
            row + sum((v for i, v in zip(index, np.moveaxis(values, axis, 0), strict=True)
                       if i % x.shape[axis] == k), np.zeros_like(row))
            for k, row in enumerate(np.moveaxis(x, axis, 0))
        ],
        0,
        axis,
    ),
    Sample("vector", (VECTOR, np.array([0, 2, 2]), values("a1", (3,)))),
    Sample("rows", (WIDE, ROWS, values("a2", (3, 4)))),
    Sample("columns", (WIDE, np.array([-1, 0, 3]), values("a3", (2, 3))), {"axis": -1}),
    Sample("middle", (BLOCK, np.array([1, 1]), values("a4", (2, 2, 2))), {"axis": 1}),
    Sample("nothing", (VECTOR, ROWS[:0], np.zeros(0))),
)  # fmt: skip
samples(
    "masked_select",
    lambda x, mask: np.array(
        [v for v, m in zip(*map(np.ravel, np.broadcast_arrays(x, mask)), strict=True) if m]
    ),
    Sample("matrix", (MATRIX, MATRIX > 0)),
    Sample("mask broadcasts", (MATRIX, np.array([True, False, True]))),
    Sample("x broadcasts", (VECTOR, np.array([[True], [True]]))),
    Sample("none", (MATRIX, MATRIX > 9)),
    Sample("0-d", (POINT, np.array(True))),
)

# ---- diagonals -----------------------------------------------------------------------------------

SQUARE = values("square", (3, 3))


def _diagonal(x: Array, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    planes = np.moveaxis(x, (axis1, axis2), (-2, -1))
    rows, columns = planes.shape[-2:]
    cells = [(i, i + offset) for i in range(rows) if 0 <= i + offset < columns]
    parts = [planes[..., i, j] for i, j in cells]
    return np.stack(parts, -1) if parts else np.zeros((*planes.shape[:-2], 0))


samples(
    "diagonal",
    _diagonal,
    Sample("square", (SQUARE,)),
    Sample("wide", (WIDE,), {"offset": 1}),
    Sample("below", (SQUARE,), {"offset": -1}),
    Sample("outside", (SQUARE,), {"offset": 5}),
    Sample("batch", (BLOCK,), {"axis1": 1, "axis2": -1}),
    Sample("backwards", (BLOCK,), {"axis1": -1, "axis2": 0, "offset": 1}),
    Sample("empty", (EMPTY,)),
)


def _embedded(
    x: Array, offset: int = 0, axis1: int = -2, axis2: int = -1, shape: Any = None
) -> Array:
    rows, columns = (x.shape[-1] + abs(offset),) * 2
    first, second = axis1 % (x.ndim + 1), axis2 % (x.ndim + 1)
    if shape is not None:
        rows, columns = shape[first], shape[second]
    planes = np.zeros((*x.shape[:-1], rows, columns))
    for i in range(x.shape[-1]):
        planes[..., i + max(-offset, 0), i + max(offset, 0)] = x[..., i]
    return np.moveaxis(planes, (-2, -1), (first, second))


samples(
    "diag_embed",
    _embedded,
    Sample("vector", (VECTOR,)),
    Sample("above", (VECTOR,), {"offset": 2}),
    Sample("batch below", (MATRIX,), {"offset": -1}),
    Sample("other axes", (MATRIX,), {"axis1": 0, "axis2": -1}),
    Sample("turned", (MATRIX,), {"axis1": 2, "axis2": 0, "offset": 1}),
    Sample("not square", (VECTOR,), {"shape": (3, 5), "offset": 2}),
    Sample("room below", (VECTOR,), {"shape": (6, 3)}),
    Sample("empty", (np.zeros(0),)),
)
samples(
    "diag",
    lambda x, k=0: _embedded(x, k) if x.ndim == 1 else _diagonal(x, k),
    Sample("vector", (VECTOR,)),
    Sample("vector above", (VECTOR,), {"k": 1}),
    Sample("matrix", (WIDE,)),
    Sample("matrix below", (SQUARE,), {"k": -2}),
)
TRIANGLES = [
    Sample("square", (SQUARE,)),
    Sample("wide", (WIDE,), {"k": 1}),
    Sample("batch", (BLOCK,), {"k": -1}),
    Sample("empty", (EMPTY,)),
    Sample("vector", (VECTOR,)),
    Sample("nothing left", (SQUARE,), {"k": 7}),
]


def _triangle(kept: Callable[[int, int, int], bool]) -> Callable[..., Array]:
    def reference(x: Array, k: int = 0) -> Array:
        result = np.array(np.broadcast_to(x, (len(x), len(x)) if x.ndim == 1 else x.shape))
        for place in np.ndindex(result.shape):
            result[place] *= kept(*place[-2:], k)
        return result

    return reference


samples("tril", _triangle(lambda i, j, k: j - i <= k), *TRIANGLES)
samples("triu", _triangle(lambda i, j, k: j - i >= k), *TRIANGLES)

# ---- windows -------------------------------------------------------------------------------------


def _each(count: int, value: Any) -> list[int]:
    return list(value) if isinstance(value, tuple) else [value] * count


def _windows(lengths: list[int], kernel: list[int], stride: Any, dilation: Any) -> Any:
    """Yield each position and offset of a window with the place that it shows."""
    strides, dilations = _each(len(kernel), stride), _each(len(kernel), dilation)
    starts = [
        range(len(range(0, n - d * (k - 1), s)))
        for n, k, s, d in zip(lengths, kernel, strides, dilations, strict=True)
    ]
    for position in itertools.product(*starts):
        for offset in itertools.product(*map(range, kernel)):
            spans = zip(position, strides, offset, dilations, strict=True)
            yield position, offset, tuple(p * s + o * d for p, s, o, d in spans)


def _unfolded(x: Array, kernel_size: Any, stride: Any = 1, dilation: Any = 1) -> Array:
    kernel = _each(1, kernel_size)
    lengths = list(x.shape[x.ndim - len(kernel) :])
    found = list(_windows(lengths, kernel, stride, dilation))
    outer = [1 + max(p[a] for p, _, _ in found) for a in range(len(kernel))]
    result = np.zeros((*x.shape[: x.ndim - len(kernel)], *outer, *kernel))
    for position, offset, place in found:
        result[..., *position, *offset] = x[..., *place]
    return result


def _folded(x: Array, size: Any, stride: Any = 1, dilation: Any = 1) -> Array:
    lengths = _each(1, size)
    kernel = list(x.shape[x.ndim - len(lengths) :])
    result = np.zeros((*x.shape[: x.ndim - 2 * len(lengths)], *lengths))
    for position, offset, place in _windows(lengths, kernel, stride, dilation):
        result[..., *place] += x[..., *position, *offset]
    return result


IMAGE = values("image", (2, 4, 4))
samples(
    "unfold",
    _unfolded,
    Sample("vector", (values("uv", (5,)),), {"kernel_size": 2}),
    Sample("stride", (values("us", (2, 7)),), {"kernel_size": 3, "stride": 2}),
    Sample("dilation", (values("ud", (7,)),), {"kernel_size": (2,), "dilation": 3}),
    Sample("gaps", (values("ug", (8,)),), {"kernel_size": 2, "stride": 3}),
    Sample("two axes", (IMAGE,), {"kernel_size": (2, 3)}),
    Sample("all", (IMAGE,), {"kernel_size": (3, 2), "stride": (1, 2), "dilation": (1, 2)}),
    Sample("whole", (MATRIX,), {"kernel_size": (2, 3)}),
    Sample("empty batch", (np.zeros((0, 3)),), {"kernel_size": 2}),
)
samples(
    "fold",
    _folded,
    Sample("vector", (values("fv", (4, 2)),), {"size": 5}),
    Sample("stride", (values("fs", (2, 3, 3)),), {"size": 7, "stride": 2}),
    Sample("rest", (values("fr", (3, 2)),), {"size": (8,), "stride": 2, "dilation": 2}),
    Sample("two axes", (values("ft", (3, 2, 2, 3)),), {"size": (4, 4)}),
    Sample("all", (values("fa", (2, 1, 2, 2, 2)),), {"size": (2, 5), "dilation": (1, 3)}),
    Sample("empty batch", (np.zeros((0, 2, 2)),), {"size": 3}),
)
