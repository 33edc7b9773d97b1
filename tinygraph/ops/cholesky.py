"""The Cholesky factor of positive definite matrices, and of batches of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.op import op
from ..core.storage import Array
from .elementwise import where
from .inverse import check_square, explain_failure, in_lapack, solve
from .linalg import matmul


def _cholesky(x: Any, *, upper: bool = False) -> Array:
    x = (x + x.mT) * np.asarray(0.5, x.dtype if x.dtype.kind == "f" else None)
    try:
        factor: Array = in_lapack(np.linalg.cholesky, x, upper=upper)
    except np.linalg.LinAlgError as error:
        fix = "a covariance is a @ a.mT + 1e-6 * tg.eye(n)"
        what = "not positive definite"
        raise explain_failure("cholesky", what, fix, np.linalg.cholesky, x) from error
    return factor


def _lower(x: Any) -> Any:
    return where(np.tri(x.shape[-1], dtype=np.bool_), x, 0.0)


def _cholesky_vjp(g: Any, y: Any, x: Any, *, upper: bool) -> Any:
    """y⁻ᵀ Φ(yᵀ G) y⁻¹ made symmetric; Φ keeps the lower triangle, with half the diagonal."""
    if upper:
        g, y = g.mT, y.mT
    product = matmul(y.mT, _lower(g))
    half = _lower(product) - where(np.eye(x.shape[-1], dtype=np.bool_), product, 0.0) * 0.5
    grad = solve(y.mT, solve(y.mT, half).mT)
    return (grad + grad.mT) * 0.5


cholesky = op(
    "cholesky", _cholesky, kind="matmul", formula="y @ yᵀ = x, y lower triangular",
    local=["y⁻ᵀ Φ(yᵀ G) y⁻¹, made symmetric"], saves="y", vjps=[_cholesky_vjp],
    prepare=check_square("cholesky"), numpy=[np.linalg.cholesky], quiet=True,
    doc="Factor positive definite matrices into a lower triangle times its transpose.\n\n"
    "The matrix is made symmetric first, (x + xᵀ) / 2, and so is the gradient. With ``upper``\n"
    "the result is the upper triangle. A matrix that is not positive definite raises\n"
    "LinAlgError, which names it.",
)  # fmt: skip
