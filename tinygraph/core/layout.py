"""Memory with the channels last: (H, W, N, C) behind an array of shape (N, C, H, W).

Convolutions work on images laid out so: every pixel is a row of N · C neighbouring numbers, so
products of small matrices and sums over pixels run along memory. Results keep that order,
elementwise ops pass it on, and the gradient of a tensor lies in memory as the tensor does;
nobody else needs to know.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .storage import Array

BLOCK = 2**15
"""Bytes that are transposed together: what was read stays in the first cache until it is used."""
FEW_PIXELS = 8
"""Pixels that are transposed together on the way back: as many lines stay in the first cache."""
LARGE = 4096
"""Smaller arrays are as fast in any order."""
ROWS = 16
"""At least so many rows together: they fill the lines that they are written to."""


def pixels_first(ndim: int) -> tuple[int, ...]:
    """Return the order of axes that brings (N, C, …) into (…, N, C)."""
    return (*range(2, ndim), 0, 1)


def channels_first(ndim: int) -> tuple[int, ...]:
    """Return the order of axes that brings (…, N, C) into (N, C, …)."""
    return (ndim - 2, ndim - 1, *range(ndim - 2))


def is_channels_last(x: Array) -> bool:
    """Tell whether ``x`` (N, C, …) lies in memory as (…, N, C), and not as it is."""
    if x.ndim < 3 or x.flags.c_contiguous:
        return False
    return bool(x.transpose(pixels_first(x.ndim)).flags.c_contiguous)


def mixed(a: Array, b: Array) -> bool:
    """Tell whether only one of two large arrays of one shape has the channels last in memory.

    NumPy reads and writes such a pair five times as slowly, and returns what it likes.
    """
    return (
        a.strides != b.strides
        and a.shape == b.shape
        and a.size > LARGE
        and is_channels_last(a) != is_channels_last(b)
    )


def empty_channels_last(shape: tuple[int, ...], dtype: Any) -> Array:
    """Return an array of shape (N, C, …) in memory of the order (…, N, C)."""
    memory: Array = np.empty((*shape[2:], *shape[:2]), dtype)
    return memory.transpose(channels_first(len(shape)))


def empty_beside(model: Array, shape: tuple[int, ...], dtype: Any = None) -> Array:
    """Return an array whose memory has the order of ``model``'s."""
    make = empty_channels_last if is_channels_last(model) else np.empty
    return make(shape, model.dtype if dtype is None else dtype)


def beside(model: Array, x: Array) -> Array:
    """Return ``x`` in memory of the order of ``model``'s: as it is, or a copy."""
    if not is_channels_last(model) or is_channels_last(x):
        return x
    return channels_last(x).transpose(channels_first(x.ndim))


def channels_last(x: Array, out: Array | None = None) -> Array:
    """Return ``x`` (N, C, …) as a contiguous (…, N, C): a view if its memory is so, else a copy.

    The copy goes to ``out``, if given.
    """
    turned = x.transpose(pixels_first(x.ndim))
    if turned.flags.c_contiguous and out is None:
        return turned
    result: Array = np.empty(turned.shape, x.dtype) if out is None else out
    if x.flags.c_contiguous and x.size:
        rows = x.reshape(x.shape[0] * x.shape[1], -1)
        columns = result.reshape(rows.shape[::-1])
        count = max(ROWS, BLOCK // rows[0].nbytes)
        for i in range(0, len(rows), count):
            columns[:, i : i + count] = rows[i : i + count].T
    else:
        np.copyto(result, turned)
    return result


def rows_of_elements(x: Array, out: Array | None = None) -> Array:
    """Return ``x`` (N, C, …), whose memory has the channels last, as a contiguous array."""
    turned = x.transpose(pixels_first(x.ndim))
    result: Array = np.empty(x.shape, x.dtype) if out is None else out
    count = x.shape[0] * x.shape[1]
    pixels, rows = turned.reshape(-1, count), result.reshape(count, -1)
    for i in range(0, len(pixels), FEW_PIXELS):
        rows[:, i : i + FEW_PIXELS] = pixels[i : i + FEW_PIXELS].T
    return result
