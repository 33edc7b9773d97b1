"""Softmax of rows that lie in memory one after the other, in two passes instead of five.

Subtracting the maximum of each row keeps exp from overflowing, and costs more than exp itself
where rows are short. Few scores need it: a piece whose sums of exp are neither huge nor tiny
has lost nothing without it. The others are computed anew, with it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.choices import note
from ..core.storage import Array
from ..core.sums import IN_PIECES, LONGEST_ROW, VECTORS_OF_ONES, sum_axes
from .pieces import row_slices

PLAIN = "plain"
LEAST, MOST = 1e-6, 1e30
"""Bounds of the sums: what is lost to underflow then weighs less than 1e-32."""


def softmax_of_rows(x: Array, *, masked: bool, out: Array | None = None) -> Array:
    """Return exp(x) / Σ exp(x) along the last axis.

    Parameters
    ----------
    x : ndarray of floats
    masked : bool
        A row of nothing but −inf gives zeros; else nan.
    out : ndarray, optional
        Where to write.
    """
    y: Array = np.empty(x.shape, x.dtype) if out is None else out
    in_pieces = _can_be_cut(x, y)
    note("softmax", x, (x.ndim - 1,), IN_PIECES if in_pieces else PLAIN)
    if not in_pieces:
        weights = _shifted(x, np.empty(x.shape, x.dtype), masked)
        return np.divide(weights, _sums(weights, masked), out=y)
    width = x.shape[-1]
    given, made = x.reshape(-1, width), y.reshape(-1, width)
    ones = VECTORS_OF_ONES[x.dtype][:width]
    for rows in row_slices(len(given), width):
        piece = np.exp(given[rows], made[rows])
        total = piece.dot(ones)
        if not (total.min() >= LEAST and total.max() <= MOST):
            total = _sums(_shifted(given[rows], piece, masked), masked)[:, 0]
        np.divide(piece, total[:, None], piece)
    return y


def slope_of_rows(g: Array, y: Array, out: Array | None = None) -> Array:
    """Return (g − Σ g · y) · y along the last axis: softmax's gradient.

    Parameters
    ----------
    g, y : ndarray of floats
        The gradient of the result, and the result.
    out : ndarray, optional
        Where to write.
    """
    z: Array = np.empty(y.shape, y.dtype) if out is None else out
    in_pieces = _can_be_cut(y, z) and g.flags.c_contiguous
    note("softmax_slope", y, (y.ndim - 1,), IN_PIECES if in_pieces else PLAIN)
    if not in_pieces:
        along = sum_axes(np.asarray(g * y), (y.ndim - 1,), keepdims=True)
        return np.multiply(g - along, y, out=z)  # type: ignore[no-any-return]
    width = y.shape[-1]
    ones = VECTORS_OF_ONES[y.dtype][:width]
    given, weights, made = (a.reshape(-1, width) for a in (g, y, z))
    for rows in row_slices(len(weights), width):
        h, p, piece = given[rows], weights[rows], made[rows]
        along = np.multiply(h, p, piece).dot(ones)
        np.subtract(h, along[:, None], piece)
        np.multiply(piece, p, piece)
    return z


def _can_be_cut(x: Array, y: Array) -> bool:
    in_rows = x.flags.c_contiguous and y.flags.c_contiguous and x.dtype == y.dtype
    return in_rows and x.ndim > 0 and x.dtype in VECTORS_OF_ONES and 0 < x.shape[-1] <= LONGEST_ROW


def _shifted(x: Array, y: Any, masked: bool) -> Array:
    """Fill y with exp(x − the maximum of the row)."""
    top = np.max(x, axis=-1, keepdims=True, initial=-np.inf)
    if masked:
        top[top == -np.inf] = 0
    np.subtract(x, top, y)
    return np.exp(y, y)  # type: ignore[no-any-return]


def _sums(weights: Array, masked: bool) -> Array:
    total: Array = np.add.reduce(weights, axis=-1, keepdims=True)
    if masked:
        total[total == 0] = 1
    return total
