"""A kernel: ``result[index] += values`` with repeated places adding up, fast.

``np.add.at`` is slow for rows and fast for single elements of a flat array; so rows become
elements, in blocks whose positions stay in cache. Elements are added in the order of the
index, as ``np.add.at`` itself does.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.storage import Array

BLOCK = 32_768
"""Elements added at once: their positions take 256 KB."""


def add_at(result: Array, index: tuple[Any, ...], values: Array) -> None:
    """Add ``values`` to ``result`` at an index with integer arrays.

    float32 and float16 are added in float64 where values outnumber places, that is where
    many meet in one place.
    """
    if result.size == 0 or values.size == 0:
        result[index]  # a place out of range raises
        return
    narrow = result.dtype.kind == "f" and result.dtype.itemsize < 8
    wide = narrow and (values.size > result.size or result.dtype.itemsize < 4)
    total = np.asarray(result, np.float64 if wide else None, order="C")
    block = _adjacent_axes(index, result.ndim)
    if block is None:
        places = np.arange(result.size).reshape(result.shape)[index]
        first, count = 0, result.ndim
    else:
        first, arrays = block
        count = len(arrays)
        places = _flat_places(arrays, result.shape[first : first + count], first)
    lead, rest = result.shape[:first], result.shape[first + count :]
    sizes = (math.prod(lead), math.prod(rest))
    _add_rows(
        total.reshape(sizes[0], -1, sizes[1]),
        places.reshape(-1),
        values.reshape(sizes[0], -1, sizes[1]),
    )
    if total is not result:
        result[...] = total


def _adjacent_axes(index: tuple[Any, ...], ndim: int) -> tuple[int, list[Any]] | None:
    """Return the first axis and the arrays of an index such as ``[:, rows, columns, :]``.

    None for any other kind: with None, partial slices, or arrays that are apart.
    """
    if any(part is None for part in index):
        return None
    if any(part is ... for part in index):
        place = next(i for i, part in enumerate(index) if part is ...)
        filled = (slice(None),) * (ndim - len(index) + 1)
        index = (*index[:place], *filled, *index[place + 1 :])
    selected = [i for i, part in enumerate(index) if not isinstance(part, slice)]
    first, last = selected[0], selected[-1]
    whole = all(part == slice(None) for part in index if isinstance(part, slice))
    if not whole or last - first + 1 != len(selected):
        return None
    return first, [np.asarray(part) for part in index[first : last + 1]]


def _flat_places(arrays: list[Any], lengths: tuple[int, ...], first: int) -> Array:
    """Return places in the row-major block of some axes; raise for those out of range."""
    flat: Any = 0
    for axis, (places, n) in enumerate(zip(arrays, lengths, strict=True), first):
        low, high = places.min(), places.max()
        if low < -n or high >= n:
            raise IndexError(
                f"index {high if high >= n else low} is out of bounds for axis {axis} with size {n}"
            )
        places = places.astype(np.intp, copy=False)
        flat = flat * n + (np.where(places < 0, places + n, places) if low < 0 else places)
    return np.asarray(flat)


def _add_rows(result: Array, places: Array, values: Array) -> None:
    """``result[:, places[k], :] += values[:, k, :]`` for every k, in order."""
    leads, length, width = result.shape
    rows = max(1, BLOCK // width)
    columns = np.arange(width)
    for k in range(0, len(places), rows):
        row = (places[k : k + rows, None] * width + columns).reshape(-1)
        step = max(1, BLOCK // row.size)
        for i in range(0, leads, step):
            target = result[i : i + step].reshape(-1)
            offsets = np.arange(0, target.size, length * width)[:, None]
            given = values[i : i + step, k : k + rows].astype(result.dtype, copy=False)
            np.add.at(target, (offsets + row).reshape(-1), given.reshape(-1))
