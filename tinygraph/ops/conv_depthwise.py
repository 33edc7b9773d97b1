"""Depthwise convolution: each channel has a kernel of its own, and there is nothing to sum over.

A product of matrices would have one column. Instead every element of the kernel multiplies a whole
block of the image, (rows, W', N · C), and adds it to the result.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from ..core.storage import Array
from ..core.sums import sum_axes
from .conv_im2col import overlap
from .sliding import Sliding
from .window import Sizes

BLOCK = 2**16
"""Numbers of a block: it stays in the second cache while all elements of the kernel go by."""

Part = tuple[Sizes, tuple[slice, slice], tuple[slice, slice]]


def _parts(
    rows: slice, places: Sizes, size: Sizes, kernel: Sizes, window: Sliding
) -> Iterator[Part]:
    """Yield each element of the kernel, which positions of the rows it has, and where they lie."""
    for k, m in itertools.product(*map(range, kernel)):
        down, up = overlap(rows, k, 0, window, size[0])
        left, right = overlap(slice(0, places[1]), m, 1, window, size[1])
        if down is not None and left is not None:
            yield (k, m), (down, left), (up, right)


def _blocks(y: Array) -> Iterator[slice]:
    count = max(1, BLOCK // max(y[0].size, 1))
    for top in range(0, len(y), count):
        yield slice(top, min(top + count, len(y)))


def _flat(x: Array) -> Array:
    """Return (H, W, N, C) as (H, W, N · C)."""
    return x.reshape(*x.shape[:2], x.shape[2] * x.shape[3])


def _repeated(weight: Array, batch: int) -> Array:
    """Return the kernels as rows for a pixel of the whole batch, (h, w, N · C)."""
    return np.tile(weight[:, 0].transpose(1, 2, 0), batch)


def conv(x: Array, weight: Array, window: Sliding, y: Array, bias: Array | None = None) -> None:
    """Write the convolution of ``x`` (H, W, N, C) into ``y`` (H', W', N, C)."""
    image, result, rows_of = _flat(x), _flat(y), _repeated(weight, x.shape[2])
    start = 0 if bias is None else np.tile(bias, x.shape[2])
    for rows in _blocks(result):
        total = result[rows]
        total[...] = start
        for tap, at, source in _parts(rows, y.shape, x.shape, weight.shape[2:], window):
            total[at] += image[source] * rows_of[tap]


def conv_transpose(g: Array, weight: Array, window: Sliding, y: Array) -> None:
    """Write the gradient by the image into ``y`` (H, W, N, C), from ``g`` (H', W', N, C)."""
    grad, result, rows_of = _flat(g), _flat(y), _repeated(weight, g.shape[2])
    result.fill(0)
    for rows in _blocks(grad):
        part = grad[rows]
        for tap, at, target in _parts(rows, g.shape, y.shape, weight.shape[2:], window):
            result[target] += part[at] * rows_of[tap]


def conv_weight(x: Array, g: Array, kernel: Sizes, window: Sliding) -> Array:
    """Return the gradient by the weight (C, 1, h, w)."""
    image, grad = _flat(x), _flat(g)
    total: Array = np.zeros((*kernel, *x.shape[2:]))
    for rows in _blocks(grad):
        part = grad[rows]
        for tap, at, source in _parts(rows, g.shape, x.shape, kernel, window):
            products = part[at] * image[source]
            total[tap] += sum_axes(products, (0, 1)).reshape(x.shape[2:])
    by_tap = np.add.reduce(total, axis=2).astype(x.dtype)
    return by_tap.transpose(2, 0, 1)[:, None]  # type: ignore[no-any-return]
