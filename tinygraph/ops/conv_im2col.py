"""Convolution as products of matrices, in blocks that stay in the cache.

Images are (H, W, N, C) in memory. The patches of a block of pixels become the rows (or, of few
channels, the columns) of a matrix; a product with the kernels gives the block's result. Strides,
dilation and groups change only which elements are copied.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ..core.storage import Array
from .sliding import REMEMBERED, Sliding
from .window import Sizes

BLOCK = 2**18
"""Numbers of patches that are made at a time."""
FEW = 9
"""With fewer channels in a group patches are columns: their runs in memory would be too short."""

Block = tuple[slice, slice]


def _padded(x: Array, window: Sliding) -> Array:
    """Return (H, W, N, C) with a border of zeros."""
    if not any(map(any, window.padding)):
        return x
    (top, _), (left, _) = window.padding
    result: Array = np.zeros((*window.padded(x.shape[:2]), *x.shape[2:]), x.dtype)
    result[top : top + x.shape[0], left : left + x.shape[1]] = x
    return result


def _blocks(height: int, width: int, numbers: int, limit: int) -> Iterator[Block]:
    """Cut a map of pixels, with so many numbers to make for each, into blocks."""
    columns = min(width, max(1, limit // max(numbers, 1)))
    rows = max(1, limit // max(numbers * width, 1)) if columns == width else 1
    for top in range(0, height, rows):
        for left in range(0, width, columns):
            yield slice(top, min(top + rows, height)), slice(left, min(left + columns, width))


class _Plan(NamedTuple):
    """How patches lie in the memory of an image, and how they are cut."""

    shape: Sizes
    strides: Sizes
    as_columns: bool
    size: int
    blocks: list[Block]
    largest: int


@functools.lru_cache(REMEMBERED)
def _plan(image: Sizes, kernel: Sizes, window: Sliding, itemsize: int, limit: int) -> _Plan:
    batch, channels = image[2], image[3] // window.groups
    n = image[3] * itemsize
    w = batch * n
    h = image[1] * w
    (down, across), (far_down, far_across) = window.stride, window.dilation
    height, width = window._replace(padding=((0, 0), (0, 0))).positions(image[:2], kernel)
    shape: Sizes = (window.groups, height, width, batch, *kernel, channels)
    strides: Sizes = (
        channels * itemsize,
        down * h,
        across * w,
        n,
        far_down * h,
        far_across * w,
        itemsize,
    )
    as_columns = channels < FEW
    if as_columns:
        order = (0, 4, 5, 6, 1, 2, 3)
        shape, strides = tuple(shape[i] for i in order), tuple(strides[i] for i in order)
    size = math.prod(kernel) * channels
    numbers = batch * size * window.groups
    blocks = list(_blocks(height, width, numbers, limit))
    rows, columns = blocks[0]
    return _Plan(shape, strides, as_columns, size, blocks, numbers * rows.stop * columns.stop)


class _Patches:
    """The patches of an image, block by block: matrices (groups, pixels, kernel · channels)."""

    def __init__(self, x: Array, kernel: Sizes, window: Sliding) -> None:
        x = _padded(x, window)
        plan = _plan(x.shape, kernel, window, x.itemsize, BLOCK)
        self.view: Array = np.ndarray(plan.shape, x.dtype, x, 0, plan.strides)
        self.as_columns, self.size, self.blocks = plan.as_columns, plan.size, plan.blocks
        self.memory: Array = np.empty(plan.largest, x.dtype)

    def of(self, block: Block) -> Array:
        """Return the patches of a block as matrices."""
        part = self.view[(..., *block, slice(None)) if self.as_columns else (slice(None), *block)]
        copied: Array = self.memory[: part.size].reshape(part.shape)
        np.copyto(copied, part)
        if self.as_columns:
            pixels = math.prod(part.shape[4:])
            return copied.reshape(len(part), self.size, pixels).transpose(0, 2, 1)
        return copied.reshape(len(part), math.prod(part.shape[1:4]), self.size)


def _rows(image: Array, block: Block, groups: int) -> Array:
    """Return the pixels of a block as matrices (groups, pixels, channels of a group)."""
    part = image[block]
    pixels = part.shape[0] * part.shape[1] * part.shape[2]
    return part.reshape(pixels, groups, part.shape[3] // groups).transpose(1, 0, 2)


def conv(x: Array, weight: Array, window: Sliding, y: Array, bias: Array | None = None) -> None:
    """Write the convolution of ``x`` (H, W, N, C) into ``y`` (H', W', N, C')."""
    outputs, inner, *kernel = weight.shape
    patches = _Patches(x, tuple(kernel), window)
    by_group = weight.reshape(window.groups, outputs // window.groups, inner, math.prod(kernel))
    matrices = by_group.transpose(0, 3, 2, 1).reshape(window.groups, patches.size, -1)
    if bias is not None:  # repeated for all images: NumPy adds long rows faster
        pixels, wide = y.reshape(*y.shape[:2], -1), np.tile(bias, y.shape[2])
    for block in patches.blocks:
        np.matmul(patches.of(block), matrices, out=_rows(y, block, window.groups))
        if bias is not None:
            pixels[block] += wide


def conv_weight(x: Array, g: Array, kernel: Sizes, window: Sliding) -> Array:
    """Return the gradient by the weight (C', C/groups, h, w)."""
    inner, outer = x.shape[3] // window.groups, g.shape[3] // window.groups
    patches = _Patches(x, kernel, window)
    total: Array = np.zeros((window.groups, patches.size, outer), x.dtype)
    for block in patches.blocks:
        rows = _rows(g, block, window.groups)
        total += np.matmul(patches.of(block).transpose(0, 2, 1), rows)
    turned = total.reshape(window.groups, *kernel, inner, outer).transpose(0, 4, 3, 1, 2)
    return turned.reshape(window.groups * outer, inner, *kernel)


def conv_transpose(g: Array, weight: Array, window: Sliding, y: Array) -> None:
    """Write the gradient by the image into ``y`` (H, W, N, C), from ``g`` (H', W', N, C').

    Each element of the kernel sends a product of ``g`` to its place in ``y``.
    """
    groups, (outputs, inner, *kernel) = window.groups, weight.shape
    by_group = weight.reshape(groups, outputs // groups, inner, *kernel)
    matrices: Array = np.ascontiguousarray(by_group.transpose(3, 4, 0, 1, 2))
    y.fill(0)
    height, width, batch, _ = g.shape
    for rows, columns in _blocks(height, width, 2 * batch * max(outputs, inner * groups), BLOCK):
        part = _rows(g, (rows, columns), groups)
        shape = (rows.stop - rows.start, columns.stop - columns.start, batch, groups * inner)
        product: Array = np.empty(shape, g.dtype)
        into = _rows(product, (slice(None), slice(None)), groups)
        for k, m in itertools.product(*map(range, kernel)):
            down, up = overlap(rows, k, 0, window, y.shape[0])
            left, right = overlap(columns, m, 1, window, y.shape[1])
            if down is not None and left is not None:
                np.matmul(part, matrices[k, m], out=into)
                y[up, right] += product[down, left]


def overlap(
    block: slice, offset: int, axis: int, window: Sliding, length: int
) -> tuple[slice | None, slice]:
    """Return which positions of a block meet the image under one element of the kernel, and where.

    Position i lies at i · stride + offset · dilation − padding.
    """
    stride = window.stride[axis]
    shift = offset * window.dilation[axis] - window.padding[axis][0]
    first = max(block.start, -(shift // stride))
    last = min(block.stop, (length - 1 - shift) // stride + 1)
    if first >= last:
        return None, slice(0)
    places = slice(first * stride + shift, (last - 1) * stride + shift + 1, stride)
    return slice(first - block.start, last - block.start), places
