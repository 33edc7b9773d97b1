"""Determinants of matrices and batches of them, differentiated without a division."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..core.op import Op, composite, op
from ..core.storage import Array
from ..core.tensor import Tensor
from .inverse import check_square, in_lapack, inv
from .linalg import matmul
from .operands import operand
from .products import trace
from .shape import expand_dims

# ---- cofactors: the first and second derivative of det -----------------------------------------


def _split(x: Any) -> tuple[Any, ...]:
    """Return x = u diag(s) vt, and det(u) · det(vt) = ±1, or nan where x is not finite."""
    x = np.asarray(x, np.result_type(x, np.float32))
    finite = np.isfinite(x).all((-2, -1), keepdims=True)
    u, s, vt = np.linalg.svd(np.where(finite, x, 0))
    sign = np.sign(np.linalg.det(u) * np.linalg.det(vt))[..., None, None]
    return u, s, vt, np.where(finite, sign, np.nan).astype(x.dtype)


def _around(s: Array) -> tuple[Array, Array]:
    """Return the products of all values before, and of all values after each one."""
    ones = np.ones_like(s[..., :1])
    before = np.cumprod(np.concatenate([ones, s], -1), -1)[..., :-1]
    after = np.cumprod(np.concatenate([ones, s[..., ::-1]], -1), -1)[..., -2::-1]
    return before, after


def _floating(result: Array, x: Array) -> Array:
    return result.astype(x.dtype if x.dtype.kind == "f" else np.float64)


def _cofactor(x: Any) -> Array:
    """u diag(products of the other singular values) vt: nothing is divided."""
    u, s, vt, sign = _split(x)
    before, after = _around(s)
    return _floating((u * (before * after)[..., None, :]) @ vt * sign, x)


def _cofactor_slope(g: Any, x: Any) -> Array:
    """Differentiate det twice in the basis of the singular vectors.

    Of the product of all s but two, p[i, j], a change f of the singular values' matrix makes
    diag(p · diag f) − p ∘ fᵀ.
    """
    u, s, vt, sign = _split(x)
    before, after = _around(s)
    n = s.shape[-1]
    later = np.triu(np.ones((n, n), bool), 1)
    between = np.cumprod(np.where(later, s[..., None, :], 1), -1)  # of s[i+1] … s[j]
    pairs = np.zeros_like(between)
    pairs[..., 1:] = before[..., None] * between[..., :-1] * after[..., None, 1:]
    pairs = np.where(later, pairs, 0)
    pairs = pairs + pairs.mT
    f = u.mT @ g @ vt.mT
    k = -pairs * f.mT
    rows = np.arange(n)
    k[..., rows, rows] = (pairs @ f[..., rows, rows][..., None])[..., 0]
    return _floating(u @ k @ vt * sign, x)


def _trace(m: Any) -> Any:
    return expand_dims(trace(m, axis1=-2, axis2=-1), axis=(-2, -1))


def _slope_vjp(w: Any, y: Any, g: Any, x: Any) -> Any:
    """Differentiate det · (tr p · tr q − tr pq), where p = x⁻¹g and q = x⁻¹w."""
    inverse = inv(x)
    p, q = matmul(inverse, g), matmul(inverse, w)
    pq = matmul(p, q)
    of_p, of_q = _trace(p), _trace(q)
    inner = pq + matmul(q, p) - p * of_q - q * of_p
    total = (of_p * of_q - _trace(pq)) * inverse + matmul(inner, inverse)
    return expand_dims(det(x), axis=(-2, -1)) * total.mT


cofactor_slope: Op = op(
    "cofactor_slope", _cofactor_slope, kind="matmul", saves="g x",
    formula="det(x) · (tr(x⁻¹g) x⁻ᵀ − x⁻ᵀ gᵀ x⁻ᵀ)",
    local=["the same with G for g", "the third derivative of det, from the inverse"],
    vjps=[lambda w, y, g, x: cofactor_slope(w, x), _slope_vjp],
    prepare=lambda g, x: check_square("cofactor_slope")(x), quiet=True,
    doc="The derivative of cofactor in the direction g: the second derivative of det.\n\n"
    "Singular matrices have it too; its own derivative by x needs the inverse.",
)  # fmt: skip

cofactor: Op = op(
    "cofactor", _cofactor, kind="matmul", formula="det(x) · x⁻ᵀ",
    local=["det(x) · (tr(x⁻¹G) x⁻ᵀ − x⁻ᵀ Gᵀ x⁻ᵀ)"], saves="x",
    vjps=[lambda g, y, x: cofactor_slope(g, x)], prepare=check_square("cofactor"), quiet=True,
    doc="The matrix of cofactors, the derivative of det; singular matrices have it too.",
)  # fmt: skip

det: Op = op(
    "det", lambda x: in_lapack(np.linalg.det, x), kind="matmul", formula="det(x)",
    local=["the cofactors, det(x) · x⁻ᵀ"], saves="x",
    vjps=[lambda g, y, x: expand_dims(g, axis=(-2, -1)) * cofactor(x)],
    prepare=check_square("det"), numpy=[np.linalg.det], quiet=True,
    doc="Take the determinants of the matrices in the last two axes.",
)  # fmt: skip

# ---- sign and logarithm ------------------------------------------------------------------------

logabsdet = op(
    "logabsdet", lambda x: in_lapack(lambda a: np.linalg.slogdet(a).logabsdet, x),
    kind="matmul", formula="log(abs(det(x)))", local=["x⁻ᵀ"], saves="x",
    vjps=[lambda g, y, x: expand_dims(g, axis=(-2, -1)) * inv(x).mT],
    prepare=check_square("slogdet"), quiet=True,
    doc="Take the logarithms of the sizes of determinants, which neither over- nor underflow.",
)  # fmt: skip

signdet = op(
    "signdet", lambda x: in_lapack(lambda a: np.linalg.slogdet(a).sign, x),
    kind="matmul", formula="sign(det(x))", prepare=check_square("slogdet"), quiet=True,
    doc="Take the signs of determinants.",
)  # fmt: skip


class SlogDet(NamedTuple):
    """What :func:`slogdet` returns."""

    sign: Tensor
    logabsdet: Tensor


@composite("sign(det(x)), log(abs(det(x)))", numpy=[np.linalg.slogdet])
def slogdet(x: Any) -> SlogDet:
    """Sign of the determinant (no gradient) and logarithm of its size.

    Parameters
    ----------
    x : Tensor or ndarray
        Square matrices in the last two axes.

    Returns
    -------
    SlogDet
        ``sign`` and ``logabsdet``; of a singular matrix 0 and −inf, without a derivative.

    Raises
    ------
    ShapeError
        If the last two axes differ.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.slogdet(tg.eye(3))
    SlogDet(sign=tensor(1.), logabsdet=tensor(0.))
    """
    x = operand("slogdet", x)
    return SlogDet(signdet(x), logabsdet(x))
