"""What the tables of the numerics contract share: how a row is run, and how error is measured."""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np

import tinygraph as tg

INF, NAN = np.inf, np.nan
DTYPES = [np.float32, np.float64]


def value_and_gradient(f, *points, dtype):
    leaves = [tg.tensor(np.array(p, dtype), requires_grad=True) for p in points]
    y = f(*leaves)
    gradients = tg.grad(y, leaves, np.ones(y.shape, dtype), allow_unused=True)
    assert y.dtype == dtype and all(g is None or g.dtype == dtype for g in gradients)
    return y.data, *[None if g is None else g.data for g in gradients]


def check_row(row, dtype):
    """Run a row ``(function, points, value, gradients)``; warnings are errors."""
    f, points, value, gradients = row
    got, *got_gradients = value_and_gradient(f, *points, dtype=dtype)
    np.testing.assert_allclose(got, np.array(value, dtype), rtol=1e-6)
    for g, wanted in zip(got_gradients, gradients or [], strict=False):
        np.testing.assert_allclose(g, np.array(wanted, dtype), rtol=1e-6)


def check_accuracy(f, exact, span, ulps, dtype):
    """Compare ``f`` over an interval with ``exact``, a function of Decimals or one of floats."""
    x = np.linspace(*span, 641).astype(dtype)
    got = f(tg.tensor(x)).numpy().astype(np.float64)
    with localcontext(prec=100):  # 1 + e⁻⁸⁰ has 35 zeros
        wanted = np.array([float(exact(Decimal(float(v)))) for v in x])
    error = np.abs(got - wanted) / np.maximum(np.abs(wanted), np.finfo(dtype).tiny)
    error[x == 0] = np.abs(got - wanted)[x == 0]
    assert error.max() < ulps * np.finfo(dtype).eps, x[error.argmax()]
