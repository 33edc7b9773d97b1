"""Work on large arrays in pieces that stay in the second-level cache.

A kernel of several passes then goes through memory once. Pieces depend on shapes alone and the
kernels work number by number or row by row, so the results do not depend on how they are cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..core.storage import Array

PIECE = 2**16
"""Numbers of a piece: an array of 256 kB that a kernel fills in place."""


def by_elements(kernel: Callable[[Array, Array], Any], x: Array, out: Array | None = None) -> Array:
    """Let ``kernel(x, y)`` fill y, element by element from x, piece by piece.

    Parameters
    ----------
    kernel : callable
        Writes all of its second argument.
    x : ndarray of floats
    out : ndarray, optional
        Where to write; new memory in the order of ``x`` by default.

    Returns
    -------
    ndarray
        ``out``, or an array like ``x``.
    """
    if out is not None and out.dtype != x.dtype:
        np.copyto(out, by_elements(kernel, x))
        return out
    y: Array = np.empty_like(x) if out is None else out
    if x.size <= PIECE or not _lie_alike(x, y):
        kernel(x, y)
        return y
    given, made = x.ravel(order="K"), y.ravel(order="K")  # views: there are no gaps
    for i in range(0, x.size, PIECE):
        kernel(given[i : i + PIECE], made[i : i + PIECE])
    return y


def _lie_alike(x: Array, y: Array) -> bool:
    """Tell whether two arrays fill their memory, in one order."""
    if x.shape != y.shape or x.strides != y.strides:
        return False
    order = sorted(range(x.ndim), key=lambda a: -x.strides[a])
    return bool(x.transpose(order).flags.c_contiguous)


def row_slices(rows: int, width: int) -> Iterator[slice]:
    """Yield slices of about a piece each of ``rows`` rows."""
    step = max(1, PIECE // max(width, 1))
    for i in range(0, rows, step):
        yield slice(i, min(i + step, rows))
