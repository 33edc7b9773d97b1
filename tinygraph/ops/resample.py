"""Resampling: each of the last axes goes through a constant matrix, (n new) × (n old).

Adaptive means and interpolations are such matrices; the derivative is the transposed one.
"""

from __future__ import annotations

from typing import Any

from ..core.storage import Array
from .linalg import matmul
from .shape import reshape


def resample(x: Any, *matrices: Array) -> Any:
    """Multiply each of the last axes with its matrix: ``A x Bᵀ`` for two of them."""
    *others, last = [matrix.astype(x.dtype) for matrix in matrices]
    rows = reshape(x, shape=(-1, x.shape[-1])) if x.size else x  # one product, not one a channel
    x = reshape(matmul(rows, last.T), shape=(*x.shape[:-1], len(last)))
    for matrix in others:
        x = matmul(matrix, x)
    return x
