"""Convolution along one axis, of a batch: one product of matrices for each position.

With the batch last in memory, (L, C, N), what a kernel sees at a position is one slab of it: the
matrix (k · C, N), whose rows lie one after the other. So nothing is copied for each position, as
patches are; the line alone is turned, piece by piece, so that it stays in the cache.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ..core.storage import Array
from ..core.sums import BLOCK_ROWS, VECTORS_OF_ONES

BLOCK = 2**17
"""Numbers of a line, or of results to be added up, that are worked on at a time."""


def _blocks(positions: int, numbers: int) -> Iterator[tuple[int, int]]:
    """Cut positions, with so many numbers for each, into blocks: 128 at most."""
    step = min(BLOCK_ROWS, max(1, BLOCK // max(numbers, 1)))
    for start in range(0, positions, step):
        yield start, min(start + step, positions)


class _Line:
    """A line (L, N, C), parts of which are turned in one piece of memory after the other."""

    def __init__(self, x: Array) -> None:
        self._x = x
        self._memory: Array = np.empty(0, x.dtype)

    def turned(self, first: int, length: int) -> Array:
        """Return ``length`` elements from ``first`` on as (length, C, N).

        There are zeros before the line and behind it. The next call writes to the same memory.
        """
        x = self._x
        shape = (length, x.shape[2], x.shape[1])
        size = math.prod(shape)
        if size > self._memory.size:
            self._memory = np.empty(size, x.dtype)
        part: Array = self._memory[:size].reshape(shape)
        start, stop = (min(max(i - first, 0), length) for i in (0, len(x)))
        part[:start] = 0
        part[stop:] = 0
        if start < stop:
            np.copyto(part[start:stop], x[first + start : first + stop].mT)
        return part


def _slabs(part: Array, first: int, positions: int, length: int, stride: int) -> Array:
    """Return what kernels of a length see, (positions, length · C, N): a view.

    The kernel stands at ``first`` first, and ``stride`` further each time.
    """
    step, row, number = part.strides
    shape = (positions, length * part.shape[1], part.shape[2])
    return np.ndarray(shape, part.dtype, part, first * step, (stride * step, row, number))


def conv(
    x: Array, weight: Array, stride: int, before: int, y: Array, bias: Array | None = None
) -> None:
    """Write the convolution of ``x`` (L, N, C) into ``y`` (L', N, C')."""
    outputs, _, length = weight.shape
    matrix = weight.transpose(2, 1, 0).reshape(-1, outputs)
    if bias is not None:  # repeated for all elements: NumPy adds long rows faster
        wide: Array = np.empty(y.shape[1:], y.dtype)
        wide[...] = bias
    line = _Line(x)
    for start, stop in _blocks(len(y), stride * x[0].size):
        part = line.turned(start * stride - before, (stop - start - 1) * stride + length)
        slabs = _slabs(part, 0, stop - start, length, stride)
        np.matmul(slabs.mT, matrix, out=y[start:stop])
        if bias is not None:
            y[start:stop] += wide


def conv_weight(x: Array, g: Array, length: int, stride: int, before: int) -> Array:
    """Return the gradient by the weight (C', C, k) from ``x`` (L, N, C) and ``g`` (L', N, C')."""
    channels, outputs = x.shape[2], g.shape[2]
    numbers = length * channels * outputs
    total: Array = np.zeros(numbers, x.dtype)
    ones = VECTORS_OF_ONES[x.dtype]
    line = _Line(x)
    for start, stop in _blocks(len(g), max(stride * x[0].size, numbers)):
        part = line.turned(start * stride - before, (stop - start - 1) * stride + length)
        slabs = _slabs(part, 0, stop - start, length, stride)
        parts = np.matmul(slabs, g[start:stop]).reshape(stop - start, numbers)
        total += ones[: stop - start].dot(parts)
    return total.reshape(length, channels, outputs).transpose(2, 1, 0)


class _Part(NamedTuple):
    """The elements of a kernel that leave one rest, divided by the stride; turned round."""

    matrix: Array
    length: int

    @staticmethod
    def of(weight: Array, rest: int, stride: int) -> _Part:
        elements = weight[:, :, rest::stride][:, :, ::-1]
        return _Part(elements.transpose(2, 0, 1).reshape(-1, weight.shape[1]), elements.shape[2])


def conv_transpose(g: Array, weight: Array, stride: int, before: int, y: Array) -> None:
    """Write the gradient by the line into ``y`` (L, N, C), from ``g`` (L', N, C').

    Of the places that leave the same rest when divided by the stride, each meets the same
    elements of the kernel: together they are a convolution of ``g`` with those, turned round.
    """
    length = weight.shape[2]
    kernels = [_Part.of(weight, rest, stride) for rest in range(min(stride, length))]
    if stride > length:
        y.fill(0)  # the kernel leaves gaps
    line, most = _Line(g), kernels[0].length
    for start, stop in _blocks((before + len(y) - 1) // stride + 1, g[0].size):
        turned = line.turned(start - most + 1, stop - start + most - 1)
        for rest, kernel in enumerate(kernels):
            first = max(start, -((rest - before) // stride))
            last = min(stop, (len(y) - 1 + before - rest) // stride + 1)
            if first < last:
                slabs = _slabs(
                    turned, first - start + most - kernel.length, last - first, kernel.length, 1
                )
                place = first * stride + rest - before
                np.matmul(slabs.mT, kernel.matrix, out=y[place::stride][: last - first])
