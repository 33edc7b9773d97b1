"""Sums over axes that keep float32 accuracy over millions of rows, as products with ones.

NumPy adds pairwise along the axis with the smallest stride but row by row along the others,
which loses 4 % over 4.2 million float32 rows. Here rows are added 128 at a time, by a product
of a vector of ones with a matrix of 128 long rows; so is what that gives, or in float64 if that is
more. A product with ones also adds up short rows: BLAS does both two to five times as fast as
NumPy's sum.
All numbers of a large array are added in pieces, so that a plan can add each one where it is made.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .choices import log, note
from .storage import Array

Axes = tuple[int, ...]

BLOCK_ROWS = 128
LONGEST_ROW = 1024
"""Numbers of a row that BLAS adds, in eight or more sums side by side: 128 each."""
PIECE = 2**16
"""Numbers that NumPy adds at a time where all of an array are added; in float32, 256 kB."""
AT_ONCE, IN_PIECES = "at once", "in pieces"
ROWS_EACH, ALL_ROWS, AXIS_BY_AXIS = "each row", "all rows", "axis by axis"
FEW = 4096
"""Numbers that NumPy adds as fast."""
ONES: Array = np.ones(LONGEST_ROW, np.float32)
VECTORS_OF_ONES = {ONES.dtype: ONES, np.dtype(np.float64): np.ones(LONGEST_ROW)}
"""For kernels that add up rows."""


def sum_axes(x: Array, axis: Axes, keepdims: bool = False) -> Array:
    """Sum over axes, in the dtype of ``x``."""
    way, order = _way(x.shape, x.strides, x.dtype, axis)
    if log.get() is not None:
        note("sum", x, axis, way)
    if way == AT_ONCE:
        return np.add.reduce(x, axis=axis, keepdims=keepdims)  # type: ignore[call-overload,no-any-return]
    kept = [n for a, n in enumerate(x.shape) if a not in axis]
    if way == IN_PIECES:
        flat = x.ravel(order="K")  # a view: there are no gaps
        pieces = [np.add.reduce(flat[i : i + PIECE]) for i in range(0, flat.size, PIECE)]
        total = total_of_pieces(np.array(pieces))
    elif way == ROWS_EACH:
        total = _row_sums(x.reshape(math.prod(kept), -1)).reshape(kept)
    elif way == ALL_ROWS:
        total = _sum_rows(x.transpose(order).reshape(-1, math.prod(kept))).reshape(kept)
    else:
        total = x
        for a in sorted(axis, reverse=True):
            total = _sum_blocks(total, a)
    if keepdims:
        total = total.reshape([1 if a in axis else n for a, n in enumerate(x.shape)])
    return total.astype(x.dtype, copy=False)


def adds_at_once(x: Array, axis: Axes) -> bool:
    """Tell whether NumPy's own sum over ``axis`` is accurate enough, and fast."""
    return _way(x.shape, x.strides, x.dtype, axis)[0] == AT_ONCE


def adds_in_pieces(x: Array, axis: Axes) -> bool:
    """Tell whether the sum over ``axis`` is that of the sums of ``PIECE`` neighbours in memory."""
    return _way(x.shape, x.strides, x.dtype, axis)[0] == IN_PIECES


def rows_to_add(x: Array, axis: Axes) -> Array | None:
    """Return ``x`` as a matrix (a view) whose rows are added by products, if they are."""
    way, order = _way(x.shape, x.strides, x.dtype, axis)
    if way != ALL_ROWS:
        return None
    return x.transpose(order).reshape(-1, math.prod(x.shape[a] for a in order[len(axis) :]))


def total_of_pieces(sums: Array) -> Array:
    """Add the sums of pieces, in float64."""
    return np.add.reduce(sums, dtype=np.float64)  # type: ignore[no-any-return]


@functools.lru_cache(1024)
def _way(shape: Axes, strides: Axes, dtype: Any, axis: Axes) -> tuple[str, Axes]:
    """Return how to add up, and the order in which the axes lie in memory."""
    count, size = math.prod([shape[a] for a in axis]), math.prod(shape)
    order = tuple(sorted(range(len(shape)), key=lambda a: -strides[a]))
    short = count <= BLOCK_ROWS or dtype.kind != "f" or dtype.itemsize > 4
    dense = size > 0 and _is_dense([shape[a] for a in order], [strides[a] for a in order], dtype)
    if dense and len(axis) == len(shape) and size > PIECE and dtype.char in "fd":
        return IN_PIECES, order
    if dtype == np.float32 and dense:
        in_order = order == tuple(range(len(shape)))
        last = in_order and set(axis) == set(order[-len(axis) :])
        if last and size > FEW and 1 < count <= LONGEST_ROW:
            return ROWS_EACH, order
        kept = order[len(axis) :]
        if not short and kept and set(kept).isdisjoint(axis) and kept == tuple(sorted(kept)):
            return ALL_ROWS, order
    return (AT_ONCE if short or _adds_pairwise(shape, strides, axis) else AXIS_BY_AXIS), order


def _is_dense(shape: Sequence[int], strides: Sequence[int], dtype: Any) -> bool:
    """Tell whether an array fills its memory, its axes given from the slowest to the fastest."""
    step = dtype.itemsize
    for n, stride in zip(reversed(shape), reversed(strides), strict=True):
        if n != 1 and stride != step:
            return False
        step *= n
    return True


def _adds_pairwise(shape: Axes, strides: Axes, axis: Axes) -> bool:
    """Tell whether only the axis along which neighbours are nearest in memory is long."""
    steps = [abs(s) if s and n > 1 else math.inf for n, s in zip(shape, strides, strict=True)]
    long_axes = [a for a in axis if shape[a] > BLOCK_ROWS]
    return not long_axes or long_axes == [steps.index(min(steps))]


def _sum_rows(x: Array) -> Array:
    """Add the rows of a matrix: 128 that lie far apart by one product, so do 128 of the results.

    More results than that are added in float64.
    """
    total: Array = np.empty(x.shape[1], x.dtype)
    with np.errstate(invalid="ignore"):  # BLAS may raise that flag for an infinity
        for function, arguments in calls_to_add(x, total):
            function(*arguments)
    return total


def calls_to_add(x: Array, total: Array) -> list[tuple[Callable[..., Any], tuple[Any, ...]]]:
    """Return the calls that add the rows of a matrix into a vector, with memory of their own."""
    length, width = x.shape
    beside = length // BLOCK_ROWS
    whole = beside * BLOCK_ROWS
    sums: Array = np.empty((beside, width), x.dtype)
    blocks = x[:whole].reshape(BLOCK_ROWS, -1)
    calls: list[Any] = [(np.dot, (ONES[:BLOCK_ROWS], blocks, sums.reshape(-1)))]
    if beside <= BLOCK_ROWS:
        calls.append((np.dot, (ONES[:beside], sums, total)))
    else:
        calls.append((np.add.reduce, (sums, 0, np.float64, total)))
    if whole < length:
        rest = np.empty_like(total)
        calls.append((np.dot, (ONES[: length - whole], x[whole:], rest)))
        calls.append((np.add, (total, rest, total)))
    return calls


def _row_sums(rows: Array) -> Array:
    with np.errstate(invalid="ignore"):
        return rows.dot(ONES[: rows.shape[1]])  # type: ignore[no-any-return]


def _sum_blocks(x: Array, axis: int) -> Array:
    """Sum over one axis: blocks in the dtype of ``x``, their sums in float64."""
    length = x.shape[axis]
    if length <= BLOCK_ROWS or x.dtype.itemsize > 4:
        return np.add.reduce(x, axis=axis)  # type: ignore[no-any-return]
    blocks = length // BLOCK_ROWS
    head, tail = np.split(x, [blocks * BLOCK_ROWS], axis=axis)
    split = head.reshape(x.shape[:axis] + (blocks, BLOCK_ROWS) + x.shape[axis + 1 :])
    block_sums = np.add.reduce(split, axis=axis + 1)
    total = np.add.reduce(block_sums, axis=axis, dtype=np.float64)
    return total + np.add.reduce(tail, axis=axis)  # type: ignore[no-any-return]
