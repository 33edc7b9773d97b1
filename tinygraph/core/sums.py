"""Sums over axes that keep float32 accuracy over millions of rows.

NumPy adds pairwise along the axis with the smallest stride but row by row along the others,
which loses 4 % over 4.2 million float32 rows. Here rows are added in blocks of 128, and the
block sums in float64.
"""

from __future__ import annotations

import math

import numpy as np

from .storage import Array

BLOCK_ROWS = 128
LONG_ROW = 512
"""Shorter rows are added several side by side: a row costs NumPy as much as a hundred numbers."""


def sum_axes(x: Array, axis: tuple[int, ...], keepdims: bool = False) -> Array:
    """Sum over axes, in the dtype of ``x``."""
    if _is_short(x, axis):
        return np.add.reduce(x, axis=axis, keepdims=keepdims)  # type: ignore[call-overload,no-any-return]
    rows = _as_rows(x, axis)
    if rows is not None:
        total = _sum_rows(rows).reshape([n for a, n in enumerate(x.shape) if a not in axis])
    elif _adds_pairwise(x, axis):
        return np.add.reduce(x, axis=axis, keepdims=keepdims)  # type: ignore[call-overload,no-any-return]
    else:
        total = x
        for a in sorted(axis, reverse=True):
            total = _sum_blocks(total, a)
    if keepdims:
        total = total.reshape([1 if a in axis else n for a, n in enumerate(x.shape)])
    return total.astype(x.dtype, copy=False)


def adds_at_once(x: Array, axis: tuple[int, ...]) -> bool:
    """Tell whether NumPy's own sum over ``axis`` is accurate enough, and fast."""
    return _is_short(x, axis) or (_as_rows(x, axis) is None and _adds_pairwise(x, axis))


def _is_short(x: Array, axis: tuple[int, ...]) -> bool:
    count = math.prod([x.shape[a] for a in axis])
    return count <= BLOCK_ROWS or x.dtype.kind != "f" or x.dtype.itemsize > 4


def _adds_pairwise(x: Array, axis: tuple[int, ...]) -> bool:
    long_axes = [a for a in axis if x.shape[a] > BLOCK_ROWS]
    return not long_axes or long_axes == [_fastest_axis(x)]


def _as_rows(x: Array, axis: tuple[int, ...]) -> Array | None:
    """Return ``x`` as a matrix whose rows are to be added, if its memory lies so."""
    order = sorted(range(x.ndim), key=lambda a: -x.strides[a])
    kept = order[len(axis) :]
    if not kept or not x.size or not set(kept).isdisjoint(axis) or kept != sorted(kept):
        return None
    turned = x.transpose(order)
    width = math.prod([x.shape[a] for a in kept])
    return turned.reshape(-1, width) if turned.flags.c_contiguous else None


def _sum_rows(x: Array) -> Array:
    """Add the rows of a matrix: several side by side, in blocks, and the blocks in float64."""
    length, width = x.shape
    beside = max(1, min(LONG_ROW // width, length // BLOCK_ROWS))
    longer = x[: length // beside * beside].reshape(-1, beside * width)
    whole = len(longer) // BLOCK_ROWS * BLOCK_ROWS
    blocks = longer[:whole].reshape(-1, BLOCK_ROWS, beside * width)
    block_sums = np.add.reduce(blocks, axis=1)
    total = np.add.reduce(block_sums, axis=0, dtype=np.float64)
    total = total + np.add.reduce(longer[whole:], axis=0)
    total = np.add.reduce(total.reshape(beside, width), axis=0)
    return total + np.add.reduce(x[len(longer) * beside :], axis=0)  # type: ignore[no-any-return]


def _fastest_axis(x: Array) -> int:
    """Return the axis along which neighbours are nearest in memory."""
    steps = [abs(s) if s and n > 1 else math.inf for n, s in zip(x.shape, x.strides, strict=True)]
    return steps.index(min(steps))


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
