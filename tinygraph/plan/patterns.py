"""How arrays lie in memory: shape, dtype and strides, without the numbers."""

from __future__ import annotations

import mmap
from typing import Any

import numpy as np

from ..core.storage import Array

ALIGNMENT = 64
"""Bytes of a cache line."""


def same_layout(a: Array, b: Array) -> bool:
    """Tell whether elements of equal index lie at equal places."""
    return a.shape == b.shape and a.dtype == b.dtype and a.strides == b.strides


def memory_of(array: Any) -> Any:
    """Return the array (or buffer) that owns the memory of ``array``."""
    while getattr(array, "base", None) is not None:
        array = array.base
    return array


def lay_out(pattern: Array, memory: Array | None = None) -> Array:
    """Return an array with the shape, dtype and strides of ``pattern``, in ``memory`` (bytes)."""
    low, high = _extent(pattern)
    if memory is None:
        memory = aligned(high - low)
    return np.ndarray(pattern.shape, pattern.dtype, memory, -low, pattern.strides)


def _extent(pattern: Array) -> tuple[int, int]:
    """Return the range of byte offsets, from the first element, that an array covers."""
    if pattern.size == 0:
        return 0, 0
    steps = [(n - 1) * s for n, s in zip(pattern.shape, pattern.strides, strict=True)]
    low = sum(s for s in steps if s < 0)
    return low, sum(s for s in steps if s > 0) + pattern.itemsize


def size_of(pattern: Array) -> int:
    """Return the bytes that an array covers."""
    low, high = _extent(pattern)
    return high - low


def aligned(size: int) -> Array:
    """Return ``size`` bytes that begin at a cache line."""
    memory = np.empty(size + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + size]


def distinct(array: Array) -> Array:
    """Return the elements of an array that lie at places of their own (broadcast axes once)."""
    if array.size == 0:
        return array
    index = [slice(0, 1) if s == 0 else slice(None) for s in array.strides]
    return array[(..., *index)]  # the dots keep a 0-d array one


def frozen(array: Array) -> Array:
    """Return a copy with the same strides."""
    copy = lay_out(array)
    np.copyto(distinct(copy), distinct(array))
    return copy


class Patterns:
    """Makes arrays that only show how other arrays lie in memory.

    They all look at the same pages, which nobody writes: they take up no memory, however large
    they are, and read as zeros.
    """

    def __init__(self) -> None:
        self._pages = np.empty(0, np.uint8)

    def of(self, array: Array) -> Array:
        """Return an array with the shape, dtype and strides of ``array``, but not its numbers."""
        size = size_of(array)
        if size > len(self._pages):
            self._pages = np.frombuffer(mmap.mmap(-1, 2 * size), np.uint8)
        return lay_out(array, self._pages[:size])
