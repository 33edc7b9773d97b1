"""Work on large arrays in pieces that stay in the second-level cache.

A kernel of several passes then goes through memory once. Pieces depend on shapes alone and the
kernels work number by number or row by row, so the results do not depend on how they are cut.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..core.storage import Array
from ..core.sums import PIECE
from .threads import share, threads_now

FEWEST = 4096
"""Numbers from which on an array for :func:`constant` is worth its while."""

SHARED = 2**18
"""Numbers from which on threads share what is slow: half a millisecond of work or more."""


def constant(value: float, x: Array) -> Any:
    """Return a number as an array of the shape and dtype of a piece ``x``, if that is faster.

    NumPy's `maximum` and `minimum` of two arrays take a third of the time that they take with a
    number.
    """
    if not FEWEST <= x.size <= PIECE or not x.flags.c_contiguous:
        return value
    return filled(value, x.dtype)[: x.size].reshape(x.shape)


@functools.cache
def filled(value: float, dtype: Any) -> Array:
    """Return an array of as many numbers as a piece has at most, all the same."""
    array = np.full(PIECE, value, dtype)
    array.flags.writeable = False
    return array


def by_elements(
    kernel: Callable[[Array, Array], Any], x: Array, out: Array | None = None, slow: bool = True
) -> Array:
    """Let ``kernel(x, y)`` fill y, element by element from x, piece by piece.

    Parameters
    ----------
    kernel : callable
        Writes all of its second argument.
    x : ndarray of floats
    out : ndarray, optional
        Where to write; new memory in the order of ``x`` by default.
    slow : bool
        Whether a number takes a nanosecond or more: then threads share large arrays.

    Returns
    -------
    ndarray
        ``out``, or an array like ``x``.
    """
    if out is not None and out.dtype != x.dtype:
        np.copyto(out, by_elements(kernel, x, None, slow))
        return out
    y: Array = np.empty_like(x) if out is None else out
    if x.size <= PIECE or not _lie_alike(x, y):
        kernel(x, y)
        return y
    given, made = x.ravel(order="K"), y.ravel(order="K")  # views: there are no gaps

    def fill(_: int, number: int) -> None:
        piece = slice(number * PIECE, (number + 1) * PIECE)
        kernel(given[piece], made[piece])

    share(fill, math.ceil(x.size / PIECE), threads_now() if slow and x.size >= SHARED else 1)
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
