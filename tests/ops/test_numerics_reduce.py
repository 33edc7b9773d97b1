"""The numerics contract for reductions, scans, sorting and linear algebra."""

from __future__ import annotations

import math

import numpy as np
import pytest
from contract import DTYPES, INF, NAN, check_row, value_and_gradient

import tinygraph as tg


def by(axis, f, **more):
    return lambda x: f(x, axis=axis, **more)


def order(p, **more):
    return lambda x: tg.norm(x, p, **more)


CONTRACT = {
    # name: (function, points, value, gradients)
    "prod with a zero": (tg.prod, [[0, 2, 3]], 0, [[6, 0, 0]]),
    "prod with two zeros": (tg.prod, [[0, 2, 0]], 0, [[0, 0, 0]]),
    "prod of nothing": (tg.prod, [[]], 1, [[]]),
    "prod of huge and tiny": (tg.prod, [[1e30, 1e-30, 2]], 2, [[2e-30, 2e30, 1]]),
    "prod with inf": (tg.prod, [[INF, 2]], INF, [[2, INF]]),
    "cumprod with a zero": (tg.cumprod, [[2, 0, 3]], [2, 0, 0], [[1, 8, 0]]),
    "cumprod with two zeros": (tg.cumprod, [[0, 0, 3]], [0, 0, 0], [[1, 0, 0]]),
    "cumprod of nothing": (tg.cumprod, [[]], [], [[]]),
    "cumsum of nothing": (tg.cumsum, [[]], [], [[]]),
    "cumsum with inf": (tg.cumsum, [[INF, -INF, 1]], [INF, NAN, NAN], [[3, 2, 1]]),
    "std of a constant": (tg.std, [[2, 2, 2]], 0, [[0, 0, 0]]),
    "std of constant rows": (by(1, tg.std), [[[3, 3], [1, 3]]], [0, 1], [[[0, 0], [-0.5, 0.5]]]),
    "var of a constant": (tg.var, [[2, 2, 2]], 0, [[0, 0, 0]]),
    "std of one": (tg.std, [[2]], 0, [[0]]),
    "std of one with ddof=1": (lambda x: tg.std(x, ddof=1), [[2]], NAN, [[NAN]]),
    "var of one with ddof=1": (lambda x: tg.var(x, ddof=1), [[2]], NAN, [[NAN]]),
    "std of nothing": (tg.std, [[]], NAN, [[]]),
    "norm of 0": (tg.norm, [[0, 0]], 0, [[0, 0]]),
    "norm 1 of 0": (order(1), [[0, 0]], 0, [[0, 0]]),
    "norm 3 of 0": (order(3), [[0, 0]], 0, [[0, 0]]),
    "norm ½ with a zero": (order(0.5), [[0, 4]], 4, [[0, 1]]),
    "norm -1 with a zero": (order(-1), [[0, 4]], 0, [[0, 0]]),
    "norm inf of 0": (order(INF), [[0, 0]], 0, [[0, 0]]),
    "norm inf with a tie": (order(INF), [[3, -3]], 3, [[0.5, -0.5]]),
    "Frobenius norm of 0": (order("fro"), [[[0, 0], [0, 0]]], 0, [[[0, 0], [0, 0]]]),
    "norm of nothing": (tg.norm, [[]], 0, [[]]),
    "norm inf of nothing": (order(INF), [[]], 0, [[]]),
    "norm of a scalar": (tg.norm, [-2.0], 2, [-1]),
    "norm does not overflow": (tg.norm, [[3e30, 4e30]], 5e30, [[0.6, 0.8]]),
    "norm does not underflow": (tg.norm, [[3e-30, 4e-30]], 5e-30, [[0.6, 0.8]]),
    "norm 8 does not overflow": (order(8), [[1e30, 0]], 1e30, [[1, 0]]),
    "norm with inf": (tg.norm, [[INF, 1]], INF, None),
    "norm with nan": (tg.norm, [[NAN, 1]], NAN, None),
    "max shares ties of three": (tg.max, [[3, 3, 3, 1]], 3, [[1 / 3, 1 / 3, 1 / 3, 0]]),
    "amin shares ties": (by(0, np.amin), [[1, 1, 4]], 1, [[0.5, 0.5, 0]]),
    "median of an even count": (tg.median, [[4, 1, 3, 9]], 3.5, [[0.5, 0, 0.5, 0]]),
    "median takes the first": (tg.median, [[2, 1, 2, 3, 2]], 2, [[1, 0, 0, 0, 0]]),
    "median of even equals": (tg.median, [[2, 2, 2, 2]], 2, [[0.5, 0.5, 0, 0]]),
    "median with nan": (tg.median, [[1, NAN, 0]], NAN, [[0, 1, 0]]),
    "median of nothing": (tg.median, [[]], NAN, [[]]),
    "cummax takes the first": (tg.cummax, [[1, 3, 3, 2]], [1, 3, 3, 3], [[1, 3, 0, 0]]),
    "cummax with nan": (tg.cummax, [[1, NAN, 3]], [1, NAN, NAN], [[1, 2, 0]]),
    "cummax from -inf": (tg.cummax, [[-INF, -INF, 1]], [-INF, -INF, 1], [[2, 0, 1]]),
    "sort puts nan last": (tg.sort, [[NAN, 1, 0]], [0, 1, NAN], [[1, 1, 1]]),
    "topk takes the first": (lambda x: tg.topk(x, 1).values, [[2, 5, 5]], [5], [[0, 1, 0]]),
    "topk counts nan as largest": (lambda x: tg.topk(x, 1)[0], [[2, NAN]], [NAN], [[0, 1]]),
    "mean of nothing": (tg.mean, [[]], NAN, [[]]),
    "mean along nothing": (by(1, tg.mean), [[[], []]], [NAN, NAN], [[[], []]]),
    "nanmean of nothing": (tg.nanmean, [[]], NAN, [[]]),
    "nanmean of nan": (tg.nanmean, [[NAN, NAN]], NAN, [[0, 0]]),
    "nanmean without nan": (tg.nanmean, [[1, NAN, 3]], 2, [[0.5, 0, 0.5]]),
    "nanmean of an all-nan row": (by(1, tg.nanmean), [[[NAN], [2]]], [NAN, 2], [[[0], [1]]]),
    "nansum of nan": (tg.nansum, [[NAN, NAN]], 0, [[0, 0]]),
    "nansum of nothing": (tg.nansum, [[]], 0, [[]]),
    "nansum keeps inf": (tg.nansum, [[INF, NAN]], INF, [[1, 0]]),
    "logcumsumexp of large": (
        tg.logcumsumexp,
        [[1000, 1000]],
        [1000, 1000 + math.log(2)],
        None,  # in float32 as accurate as the value
    ),
    "logcumsumexp far apart": (tg.logcumsumexp, [[0, -1000, 1000]], [0, 0, 1000], [[2, 0, 1]]),
    "logcumsumexp with -inf": (tg.logcumsumexp, [[0, -INF, 0]], [0, 0, math.log(2)], None),
    "logcumsumexp of -inf": (tg.logcumsumexp, [[-INF, -INF]], [-INF, -INF], None),
    "diff of one": (tg.diff, [[3]], [], [[0]]),
    "det of a singular matrix": (tg.det, [[[1, 2], [2, 4]]], 0, [[[4, -2], [-2, 1]]]),
    "det of zeros": (tg.det, [[[0, 0], [0, 0]]], 0, [[[0, 0], [0, 0]]]),
    "det of nan": (tg.det, [[[NAN, 0], [0, 1]]], NAN, None),
    "det of nothing": (tg.det, [np.zeros((0, 0))], 1, None),
    "logdet does not overflow": (
        lambda x: tg.slogdet(x).logabsdet,
        [1e30 * np.eye(2)],
        60 * math.log(10),
        [1e-30 * np.eye(2)],
    ),
    "inv of a scaled identity": (tg.inv, [2 * np.eye(2)], np.eye(2) / 2, [np.full((2, 2), -0.25)]),
    "cholesky of the identity": (tg.cholesky, [np.eye(2)], np.eye(2), [[[0.5, 0.5], [0.5, 0.5]]]),
    "einsum of nothing": (lambda x: tg.einsum("i->", x), [[]], 0, [[]]),
    "trace outside": (lambda x: tg.trace(x, 5), [[[1, 2], [3, 4]]], 0, [[[0, 0], [0, 0]]]),
}


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: d.__name__)
@pytest.mark.parametrize("row", CONTRACT.values(), ids=CONTRACT)
def test_contract(row, dtype):
    check_row(row, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_deviation_of_a_constant_that_is_no_binary_fraction(dtype):
    y, g = value_and_gradient(tg.std, np.full(7, 0.7), dtype=dtype)
    assert y <= 2 * np.finfo(dtype).eps
    np.testing.assert_allclose(g, 0, atol=2 * np.finfo(dtype).eps)


def test_logarithm_of_the_determinant_of_a_singular_matrix():
    sign, size = tg.slogdet(tg.ones(2, 2))
    assert float(sign) == 0 and float(size) == -INF


# ---- accuracy over long axes -------------------------------------------------------------------

ROWS = 1_000_000
LONG = {
    "nansum": (tg.nansum, lambda a: a.sum(0)),
    "nanmean": (tg.nanmean, lambda a: a.mean(0)),
    "std": (tg.std, lambda a: a.std(0)),
    "norm": (tg.norm, lambda a: np.sqrt((a * a).sum(0))),
    "norm 1": (lambda x, axis: tg.norm(x, 1, axis), lambda a: np.abs(a).sum(0)),
    "norm 3": (lambda x, axis: tg.norm(x, 3, axis), lambda a: (np.abs(a) ** 3).sum(0) ** (1 / 3)),
}


@pytest.mark.parametrize(("f", "exact"), LONG.values(), ids=LONG)
def test_float32_stays_accurate_over_long_axes(f, exact):
    a = np.random.default_rng(0).random((ROWS, 2), dtype=np.float32)
    got = f(tg.from_numpy(a), axis=0)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got.numpy(), exact(a.astype(np.float64)), rtol=1e-6)


# ---- the recurrence, in blocks beyond 64 steps -----------------------------------------------


@pytest.mark.parametrize("length", [63, 64, 65, 100, 101, 1000])
@pytest.mark.parametrize("reverse", [False, True])
def test_long_scans_agree_with_a_loop(length, reverse):
    rng = np.random.default_rng(length)
    x, g = rng.uniform(-1.1, 1.1, (2, length)), rng.normal(size=(2, length))
    x[0, length // 2] = 0.0
    leaf = tg.tensor(x, requires_grad=True)
    (found,) = tg.grad(tg.cumprod(leaf, axis=1, reverse=reverse), [leaf], g)
    wanted = np.zeros_like(x)
    order = range(length)[:: -1 if reverse else 1]
    for row in range(2):
        carried = 0.0
        before = np.cumprod(np.append(1.0, x[row, order]))
        for step in range(length)[::-1]:
            after = x[row, order[step + 1]] if step + 1 < length else 0.0
            carried = g[row, order[step]] + after * carried
            wanted[row, order[step]] = carried * before[step]
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-9, atol=1e-12)


def test_a_scan_of_a_million_steps_is_quick():
    x = tg.tensor(np.linspace(-3, 3, 1_000_000), requires_grad=True)
    tg.logcumsumexp(x)[-1].backward()
    np.testing.assert_allclose(x.grad, tg.softmax(x).numpy(), rtol=1e-8)
