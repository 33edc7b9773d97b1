"""The numerics contract: a row each, in float32 and float64, without a warning."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest
from contract import DTYPES, INF, NAN, check_accuracy, check_row, value_and_gradient

import tinygraph as tg

CONTRACT = {
    # name: (function, points, value, gradients)
    "relu'(0) = 0": (tg.relu, [0.0], 0, [0]),
    "abs'(0) = 0": (tg.abs, [0.0], 0, [0]),
    "sign'(0) = 0": (tg.sign, [0.0], 0, [0]),
    "maximum shares a tie": (tg.maximum, [2.0, 2.0], 2, [0.5, 0.5]),
    "minimum shares a tie": (tg.minimum, [2.0, 2.0], 2, [0.5, 0.5]),
    "max shares ties evenly": (tg.max, [[1, 4, 4, 4, 4]], 4, [[0, 0.25, 0.25, 0.25, 0.25]]),
    "min shares ties evenly": (tg.min, [[1, 1, 4]], 1, [[0.5, 0.5, 0]]),
    "max over an axis shares ties": (
        lambda x: tg.max(x, axis=0),
        [[[1, 2], [1, 3]]],
        [1, 3],
        [[[0.5, 0], [0.5, 1]]],
    ),
    "clip passes at the edges": (
        lambda x: tg.clip(x, min=-1, max=1),
        [[-2, -1, 0, 1, 2]],
        [-1, -1, 0, 1, 1],
        [[0, 1, 1, 1, 0]],
    ),
    "sqrt'(0) = inf": (tg.sqrt, [0.0], 0, [INF]),
    "log'(0) = inf": (tg.log, [0.0], -INF, [INF]),
    "log of negatives": (tg.log, [-1.0], NAN, [-1]),
    "sqrt of negatives": (tg.sqrt, [-1.0], NAN, [NAN]),
    "var'(constant) = 0": (tg.var, [[3, 3, 3]], 0, [[0, 0, 0]]),
    "x**0 at 0": (lambda x: x**0, [0.0], 1, [0]),
    "x**1 at 0": (lambda x: x**1, [0.0], 0, [1]),
    "x**2 at 0": (lambda x: x**2, [0.0], 0, [0]),
    "x**b at 0, b = 0": (tg.pow, [0.0, 0.0], 1, [0, 0]),
    "0**y for y > 0": (lambda y: 0.0**y, [[0.5, 2]], [0, 0], [[0, 0]]),
    "1/0": (lambda x: 1 / x, [0.0], INF, [-INF]),
    "0/0": (lambda x: 0 / x, [0.0], NAN, [NAN]),
    "sum with inf": (tg.sum, [[INF, 1]], INF, [[1, 1]]),
    "sum of rows with inf": (
        lambda x: tg.sum(x, axis=0),
        [[[INF, 1], [0, 1]]],
        [INF, 2],
        [[[1, 1], [1, 1]]],
    ),
    "matmul with inf": (tg.matmul, [[[INF, 1]], [[1], [0]]], [[INF]], None),
    "mean of nothing": (tg.mean, [[]], NAN, [[]]),
    "sum of nothing": (tg.sum, [[]], 0, [[]]),
    "var of nothing": (tg.var, [[]], NAN, [[]]),
    "var of one with ddof=1": (lambda x: tg.var(x, ddof=1), [[2]], NAN, [[NAN]]),
    "logsumexp of -inf": (tg.logsumexp, [[-INF, -INF]], -INF, [[NAN, NAN]]),
    "logsumexp with one -inf": (tg.logsumexp, [[-INF, 0]], 0, [[0, 1]]),
    "logsumexp of large": (tg.logsumexp, [[1000, 1000]], 1000 + math.log(2), None),
    "logsumexp of inf": (tg.logsumexp, [[INF, 0]], INF, None),
    "softmax of -inf": (tg.softmax, [[-INF, -INF]], [NAN, NAN], None),
    "softmax with one -inf": (tg.softmax, [[-INF, 0]], [0, 1], [[0, 0]]),
    "softmax of large": (tg.softmax, [[1000, 0]], [1, 0], [[0, 0]]),
    "softmax of large negatives": (tg.softmax, [[-1000, -1000]], [0.5, 0.5], [[0, 0]]),
    "log_softmax of large": (tg.log_softmax, [[1000, 0]], [0, -1000], [[-1, 1]]),
    "sigmoid at ±1000": (tg.sigmoid, [[-1000, 1000]], [0, 1], [[0, 0]]),
    "sigmoid at ±inf": (tg.sigmoid, [[-INF, INF]], [0, 1], [[0, 0]]),
    "softplus at ±1000": (tg.softplus, [[-1000, 1000]], [0, 1000], [[0, 1]]),
    "softplus at ±inf": (tg.softplus, [[-INF, INF]], [0, INF], [[0, 1]]),
    "tanh at ±1000": (tg.tanh, [[-1000, 1000]], [-1, 1], [[0, 0]]),
    "gelu at ±1000": (tg.gelu, [[-1000, 1000]], [0, 1000], [[0, 1]]),
    "erf at ±1000": (tg.erf, [[-1000, 1000]], [-1, 1], [[0, 0]]),
    "erfc at ±1000": (tg.erfc, [[-1000, 1000]], [2, 0], [[0, 0]]),
    "exp of -1000": (tg.exp, [-1000.0], 0, [0]),
    "exp of 1000": (tg.exp, [1000.0], INF, [INF]),
    "nan wins in max": (tg.max, [[1, NAN]], NAN, None),
    "nan wins in maximum": (tg.maximum, [1.0, NAN], NAN, None),
}


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: d.__name__)
@pytest.mark.parametrize("row", CONTRACT.values(), ids=CONTRACT)
def test_contract(row, dtype):
    check_row(row, dtype)


# ---- accuracy over the whole range -------------------------------------------------------------


def tanh(x: Decimal) -> Decimal:
    e = (-2 * abs(x)).exp()
    return ((1 - e) / (1 + e)).copy_sign(x)


EXACT = {  # in 50 decimals; erf by the C library, which is right to the last place or two
    "sigmoid": (tg.sigmoid, lambda x: 1 / (1 + (-x).exp()), (-80, 80), 4),
    "softplus": (tg.softplus, lambda x: (1 + x.exp()).ln(), (-80, 80), 4),
    "tanh": (tg.tanh, tanh, (-80, 80), 4),
    "log_softmax": (
        lambda x: tg.log_softmax(tg.stack([x, x * 0.0]), axis=0)[0],
        lambda x: -(1 + (-x).exp()).ln(),
        (-80, 0),
        4,
    ),
    "gelu": (  # exp(−x²/2) makes 2x² of one unit in the last place, 288 at −12
        tg.gelu,
        lambda x: float(x) * math.erfc(-float(x / Decimal(2).sqrt())) / 2,
        (-12, 80),
        300,
    ),
    "normal_cdf": (
        tg.REGISTRY["normal_cdf"],
        lambda x: math.erfc(-float(x / Decimal(2).sqrt())) / 2,
        (-12, 12),
        300,
    ),
    "erf": (tg.erf, lambda x: math.erf(x), (-6, 6), 6),
    "erfc": (tg.erfc, lambda x: math.erfc(x), (-6, 9), 40),
}


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: d.__name__)
@pytest.mark.parametrize(("f", "exact", "span", "ulps"), EXACT.values(), ids=EXACT)
def test_relative_error(f, exact, span, ulps, dtype):
    check_accuracy(f, exact, span, ulps, dtype)


def test_the_minimum_of_gelu():
    x = tg.tensor(np.linspace(-2, 0, 200_001))
    y = tg.gelu(x).numpy()
    assert y.min() == pytest.approx(-0.1700, abs=5e-5)
    assert x.numpy()[y.argmin()] == pytest.approx(-0.7518, abs=5e-5)


# ---- long sums ---------------------------------------------------------------------------------

ROWS = 4_200_000
LAYOUTS = {
    "leading axis": ((ROWS, 3), 0, lambda a: a),
    "transposed": ((ROWS, 3), 1, lambda a: a.T),
    "last axis": ((3, ROWS), 1, lambda a: a),
    "middle axis": ((1, ROWS, 3), 1, lambda a: a),
    "everything": ((ROWS, 3), None, lambda a: a),
    "everything, transposed": ((ROWS, 3), None, lambda a: a.T),
    "a column": ((ROWS, 3), None, lambda a: a[:, 1]),
    "broadcast rows": ((1, 3), 0, lambda a: np.broadcast_to(a, (ROWS, 3))),
}


@pytest.mark.parametrize(("shape", "axis", "view"), LAYOUTS.values(), ids=LAYOUTS)
def test_long_float32_sums_stay_accurate(shape, axis, view):
    a = view(np.random.default_rng(0).random(shape, dtype=np.float32))
    exact = a.sum(axis=axis, dtype=np.float64)
    got = tg.sum(tg.from_numpy(a), axis=axis).numpy()
    assert got.dtype == np.float32
    equal_values = a.strides[0] == 0  # all round the same way
    np.testing.assert_allclose(got, exact, rtol=4e-6 if equal_values else 1e-6)


def test_the_gradient_of_a_large_logsumexp_is_as_accurate_as_its_value():
    for dtype in DTYPES:
        y, g = value_and_gradient(tg.logsumexp, [1000, 1000], dtype=dtype)
        np.testing.assert_allclose(g, 0.5, rtol=np.finfo(dtype).eps * float(y))


def test_the_gradient_of_a_broadcast_bias_stays_accurate():
    g = np.random.default_rng(0).random((ROWS, 2), dtype=np.float32)
    bias = tg.zeros(2, requires_grad=True)
    (tg.from_numpy(np.zeros_like(g)) + bias).backward(g)
    np.testing.assert_allclose(bias.grad, g.sum(axis=0, dtype=np.float64), rtol=1e-6)


def test_variance_takes_two_passes():
    x = np.array([1.0, 2.0, 3.0], np.float64) + 1e9
    assert tg.var(tg.tensor(x)).item() == pytest.approx(2 / 3, rel=1e-12)
