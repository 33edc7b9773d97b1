"""The numerics contract of the further elementwise ops and of the activations."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest
from contract import DTYPES, INF, NAN, check_accuracy, check_row, value_and_gradient

import tinygraph as tg

SLOPE = 1.0507009873554805 * 1.6732632423543772

CONTRACT = {
    # name: (function, points, value, gradients)
    "leaky_relu'(0) is its slope": (
        lambda x: tg.leaky_relu(x, negative_slope=0.25),
        [[-2, 0, 2]],
        [-0.5, 0, 2],
        [[0.25, 0.25, 1]],
    ),
    "leaky_relu at ±inf": (tg.leaky_relu, [[-INF, INF, NAN]], [-INF, INF, NAN], [[0.01, 1, 0.01]]),
    "prelu'(0) is its slope": (tg.prelu, [[-2, 0, 2], 0.25], [-0.5, 0, 2], [[0.25, 0.25, 1], -2]),
    "prelu at inf": (tg.prelu, [[INF, -1], 0.25], [INF, -0.25], [[1, 0.25], -1]),
    "relu6'(0) = relu6'(6) = 0": (tg.relu6, [[0, 3, 6]], [0, 3, 6], [[0, 1, 0]]),
    "hardtanh at its edges": (tg.hardtanh, [[-1, 0, 1]], [-1, 0, 1], [[0, 1, 0]]),
    "hardtanh at ±inf": (tg.hardtanh, [[-INF, INF, NAN]], [-1, 1, NAN], [[0, 0, 0]]),
    "hardswish at its edges": (tg.hardswish, [[-3, 0, 3]], [0, 0, 3], [[0, 0.5, 1]]),
    "hardswish at ±1000": (tg.hardswish, [[-1000, 1000]], [0, 1000], [[0, 1]]),
    "elu'(0) = alpha": (lambda x: tg.elu(x, alpha=0.5), [0.0], 0, [0.5]),
    "elu at ±1000": (tg.elu, [[-1000, 1000]], [-1, 1000], [[0, 1]]),
    "elu at ±inf": (tg.elu, [[-INF, INF]], [-1, INF], [[0, 1]]),
    "selu'(0) = scale · alpha": (tg.selu, [0.0], 0, [SLOPE]),
    "selu at ±1000": (tg.selu, [[-1000, 1000]], [-SLOPE, 1050.7009873554805], None),
    "silu at ±1000": (tg.silu, [[-1000, 1000]], [0, 1000], [[0, 1]]),
    "mish at ±1000": (tg.mish, [[-1000, 1000]], [0, 1000], [[0, 1]]),
    "log_sigmoid at ±1000": (tg.log_sigmoid, [[-1000, 1000]], [-1000, 0], [[1, 0]]),
    "log_sigmoid at ±inf": (tg.log_sigmoid, [[-INF, INF]], [-INF, 0], [[1, 0]]),
    "softsign at ±1000": (tg.softsign, [[-1000, 0]], [-1000 / 1001, 0], [[1 / 1001**2, 1]]),
    "glu at ±1000": (tg.glu, [[2, 2, -1000, 1000]], [0, 2], [[0, 1, 0, 0]]),
    "xlogy(0, 0) = 0": (tg.xlogy, [0, 0], 0, [0, 0]),
    "xlogy(0, b) = 0": (tg.xlogy, [[0, 0, 0], [-1, 2, INF]], [0, 0, 0], [[0, math.log(2), INF]]),
    "xlogy of nan": (tg.xlogy, [[0, NAN], [NAN, 0]], [NAN, NAN], None),
    "xlogy(1, 0)": (tg.xlogy, [1, 0], -INF, [-INF, INF]),
    "logaddexp with −inf": (tg.logaddexp, [[-INF, 1], [1, -INF]], [1, 1], [[0, 1], [1, 0]]),
    "logaddexp of two −inf": (tg.logaddexp, [-INF, -INF], -INF, [0.5, 0.5]),
    "logaddexp of two inf": (tg.logaddexp, [INF, INF], INF, [0.5, 0.5]),
    "logaddexp of large": (tg.logaddexp, [1000, 1000], 1000 + math.log(2), [0.5, 0.5]),
    "logaddexp far apart": (tg.logaddexp, [[-1000, 1000], [1000, 0]], [1000, 1000], [[0, 1]]),
    "hypot(0, 0) has derivative 0": (tg.hypot, [0, 0], 0, [0, 0]),
    "hypot of large and tiny": (
        tg.hypot,
        [[3e30, 3e-30], [4e30, 4e-30]],
        [5e30, 5e-30],
        [[0.6, 0.6], [0.8, 0.8]],
    ),
    "arctan2(0, 0) has derivative 0": (tg.arctan2, [0, 0], 0, [0, 0]),
    "arctan2 of tiny": (tg.arctan2, [1e-30, 1e-30], math.pi / 4, [5e29, -5e29]),
    "arcsin at ±1": (tg.arcsin, [[-1, 1]], [-math.pi / 2, math.pi / 2], [[INF, INF]]),
    "arccos at ±1": (tg.arccos, [[-1, 1]], [math.pi, 0], [[-INF, -INF]]),
    "arcsin outside": (tg.arcsin, [2.0], NAN, [NAN]),
    "arccosh at 1": (tg.arccosh, [1.0], 0, [INF]),
    "arccosh below 1": (tg.arccosh, [[0.5, -2]], [NAN, NAN], [[NAN, NAN]]),
    "arctanh at ±1": (tg.arctanh, [[-1, 1]], [-INF, INF], [[INF, INF]]),
    "arcsinh of large": (tg.arcsinh, [3e30], math.log(6e30), [1 / 3e30]),
    "arctan at ±inf": (tg.arctan, [[-INF, INF]], [-math.pi / 2, math.pi / 2], [[0, 0]]),
    "tan at inf": (tg.tan, [INF], NAN, [NAN]),
    "sinh at ±1000": (tg.sinh, [[-1000, 1000]], [-INF, INF], [[INF, INF]]),
    "cosh at ±1000": (tg.cosh, [[-1000, 1000]], [INF, INF], [[-INF, INF]]),
    "log1p at −1": (tg.log1p, [-1.0], -INF, [INF]),
    "log1p below −1": (tg.log1p, [-2.0], NAN, [-1]),
    "log2'(0) = log10'(0) = inf": (
        lambda x: tg.stack([tg.log2(x), tg.log10(x)]),
        [0.0],
        [-INF, -INF],
        [INF],
    ),
    "expm1 at ±1000": (tg.expm1, [[-1000, 1000]], [-1, INF], [[0, INF]]),
    "exp2 at ±2000": (tg.exp2, [[-2000, 2000]], [0, INF], [[0, INF]]),
    "rsqrt at 0": (tg.rsqrt, [0.0], INF, [-INF]),
    "rsqrt of negatives": (tg.rsqrt, [-1.0], NAN, [NAN]),
    "rsqrt at inf": (tg.rsqrt, [INF], 0, [0]),
    "reciprocal at 0": (tg.reciprocal, [0.0], INF, [-INF]),
    "logit at 0 and 1": (tg.logit, [[0, 1]], [-INF, INF], [[INF, INF]]),
    "logit outside": (tg.logit, [[-1, 2]], [NAN, NAN], None),
    "steps have derivative 0": (
        lambda x: tg.floor(x) + tg.ceil(x) + tg.trunc(x) + tg.round(x),
        [[-1.5, 0, 2.5]],
        [-6, 0, 9],
        [[0, 0, 0]],
    ),
    "round gives halves to the even": (tg.round, [[0.5, 1.5, 2.5]], [0, 2, 2], [[0, 0, 0]]),
    "floor_divide has derivative 0": (tg.floor_divide, [7, 2], 3, [0, 0]),
    "floor_divide by 0": (tg.floor_divide, [[1, 0], [0, 0]], [INF, NAN], None),
    "remainder has the sign of b": (tg.remainder, [[-7, 7], [2, -2]], [1, -1], [[1, 1], [4, 4]]),
    "remainder where a / b rounds up": (tg.remainder, [1.0, 0.1], None, [1, -9]),
    "fmod has the sign of a": (tg.fmod, [[-7, 7], [2, -2]], [-1, 1], [[1, 1], [3, 3]]),
    "fmod where a / b rounds up": (tg.fmod, [1.0, 0.1], None, [1, -9]),
    "remainder and fmod by 0": (
        lambda a, b: tg.remainder(a, b) + tg.fmod(a, b),
        [1, 0],
        NAN,
        None,
    ),
    "nan_to_num passes what is finite": (
        lambda x: tg.nan_to_num(x, nan=7, posinf=1, neginf=-1),
        [[NAN, INF, -INF, 3]],
        [7, 1, -1, 3],
        [[0, 0, 0, 1]],
    ),
    "fmax shares a tie": (tg.fmax, [2, 2], 2, [0.5, 0.5]),
    "fmin shares a tie": (tg.fmin, [2, 2], 2, [0.5, 0.5]),
    "fmax ignores nan": (tg.fmax, [[NAN, 1], [2, NAN]], [2, 1], [[0, 1], [1, 0]]),
    "fmax of two nan": (tg.fmax, [NAN, NAN], NAN, [0, 0]),
    "copysign'(0) = 0": (tg.copysign, [[0, 3], [-1, -0.0]], [0, -3], [[0, -1], [0, 0]]),
    "copysign of −0.0": (lambda a: 1 / tg.copysign(a, -1.0), [0.0], -INF, None),
    "lerp at its ends": (tg.lerp, [[3, 3], [5, 5], [0, 1]], [3, 5], [[1, 0], [0, 1], [2, 2]]),
    "masked_fill before softmax": (
        lambda x: tg.softmax(tg.masked_fill(x, np.array([True, False]), -INF)),
        [[5, 1]],
        [0, 1],
        [[0, 0]],
    ),
    "masked_fill hides inf and nan": (
        lambda x: tg.masked_fill(x, ~tg.isfinite(x), 0),
        [[INF, NAN, 2]],
        [0, 0, 2],
        [[0, 0, 1]],
    ),
    "dropout of everything": (lambda x: tg.dropout(x, p=1), [[1, 2]], [0, 0], [[0, 0]]),
}


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: d.__name__)
@pytest.mark.parametrize("row", CONTRACT.values(), ids=CONTRACT)
def test_contract(row, dtype):
    f, points, value, gradients = row
    if value is None:  # as NumPy has it in this dtype
        value = f(*(np.array(p, dtype) for p in points))
    check_row((f, points, value, gradients), dtype)


# ---- accuracy over the whole range -------------------------------------------------------------


def sigmoid(x: Decimal) -> Decimal:
    return 1 / (1 + (-x).exp())


def tanh(x: Decimal) -> Decimal:
    e = (-2 * abs(x)).exp()
    return ((1 - e) / (1 + e)).copy_sign(x)


def logit(x: Decimal) -> Decimal:
    return (x / (1 - x)).ln()


def derivative(f):
    """Return the derivative of an elementwise function as one."""

    def slope(x):
        leaf = tg.tensor(x.data, requires_grad=True)
        return tg.grad(f(leaf).sum(), leaf)

    return slope


def log1p_exp(x: Decimal) -> Decimal:
    return (1 + x.exp()).ln()


EXACT = {
    "silu": (tg.silu, lambda x: x * sigmoid(x), (-80, 80), 5),
    "log_sigmoid": (tg.log_sigmoid, lambda x: -log1p_exp(-x), (-80, 80), 4),
    "mish": (tg.mish, lambda x: x * tanh(log1p_exp(x)), (-80, 80), 6),
    "softsign": (tg.softsign, lambda x: x / (1 + abs(x)), (-80, 80), 3),
    "elu": (tg.elu, lambda x: max(x, Decimal(0)) + min(x, Decimal(0)).exp() - 1, (-80, 80), 4),
    "glu": (
        lambda x: tg.glu(tg.stack([x, x]), axis=0)[0],
        lambda x: x * sigmoid(x),
        (-80, 80),
        5,
    ),
    "logit": (tg.logit, logit, (1e-6, 1 - 1e-6), 4),
    "logaddexp": (lambda x: tg.logaddexp(x, 0.0), log1p_exp, (-80, 80), 4),
    "expm1": (tg.expm1, lambda x: x.exp() - 1, (-1, 80), 4),
    "log1p": (tg.log1p, lambda x: (1 + x).ln(), (-0.99, 80), 4),
    "rsqrt": (tg.rsqrt, lambda x: 1 / x.sqrt(), (1e-3, 80), 4),
    "sigmoid'": (derivative(tg.softplus), sigmoid, (-80, 80), 5),
    "log_sigmoid'": (derivative(tg.log_sigmoid), lambda x: sigmoid(-x), (-80, 80), 5),
    "softsign'": (derivative(tg.softsign), lambda x: 1 / (1 + abs(x)) ** 2, (-80, 80), 5),
    "expm1'": (derivative(tg.expm1), lambda x: x.exp(), (-80, 80), 5),
    "elu'": (derivative(tg.elu), lambda x: min(x, Decimal(0)).exp(), (-80, 80), 5),
    "silu'": (
        derivative(tg.silu),
        lambda x: sigmoid(x) * (1 + x * (1 - sigmoid(x))),
        (-80, -2),
        16,
    ),
    "mish'": (
        derivative(tg.mish),
        lambda x: tanh(log1p_exp(x)) + x * (1 - tanh(log1p_exp(x)) ** 2) * sigmoid(x),
        (-80, -2),
        16,
    ),
    "arcsin'": (derivative(tg.arcsin), lambda x: 1 / (1 - x * x).sqrt(), (-0.9999, 0.9999), 6),
    "arctanh'": (derivative(tg.arctanh), lambda x: 1 / (1 - x * x), (-0.9999, 0.9999), 6),
    "arccosh'": (derivative(tg.arccosh), lambda x: 1 / (x * x - 1).sqrt(), (1.0001, 80), 6),
    "logaddexp'": (
        derivative(lambda x: tg.logaddexp(x, 0.0)),
        sigmoid,
        (-80, 80),
        5,
    ),
}


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: d.__name__)
@pytest.mark.parametrize(("f", "exact", "span", "ulps"), EXACT.values(), ids=EXACT)
def test_relative_error(f, exact, span, ulps, dtype):
    check_accuracy(f, exact, span, ulps, dtype)


@pytest.mark.parametrize(
    ("f", "place", "least"),
    [(tg.silu, -1.2785, -0.2785), (tg.mish, -1.1924, -0.3088)],
    ids=["silu", "mish"],
)
def test_the_minima_that_the_docstrings_claim(f, place, least):
    x = np.linspace(-2, 0, 200_001)
    y = f(x)
    assert y.min() == pytest.approx(least, abs=5e-5)
    assert x[y.argmin()] == pytest.approx(place, abs=1e-4)


def test_selu_keeps_mean_0_and_variance_1():
    x = tg.randn(1_000_000, dtype=np.float64, generator=tg.Generator(0))
    y = tg.selu(x).numpy()
    assert abs(y.mean()) < 0.005 and abs(y.var() - 1) < 0.005


# ---- dropout -------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float16, *DTYPES], ids=lambda d: d.__name__)
def test_dropout_keeps_the_mean_and_the_dtype(dtype):
    x = tg.ones(200_000, dtype=dtype)
    y = tg.dropout(x, p=0.25, generator=tg.Generator(0)).numpy()
    assert y.dtype == dtype
    assert (y == 0).mean() == pytest.approx(0.25, abs=0.01)
    np.testing.assert_allclose(y[y != 0], 4 / 3, rtol=np.finfo(dtype).eps)


def test_equal_seeds_drop_the_same_elements_in_every_dtype():
    draws = [
        tg.dropout(tg.ones(1000, dtype=d), generator=tg.Generator(3)).numpy() != 0 for d in DTYPES
    ]
    np.testing.assert_array_equal(*draws)


def test_dropout_passes_the_gradient_through_its_mask_and_draws_anew_at_replay():
    x = tg.ones(1000, requires_grad=True)
    y = tg.dropout(x, generator=tg.Generator(0))
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, y.numpy())
    again = tg.graph(y).evaluate(feed={x: np.full(1000, 3, np.float32)})
    assert set(again.tolist()) == {0.0, 6.0} and not np.array_equal(again != 0, y.numpy() != 0)


def test_dropout_of_nothing_and_without_training_is_the_operand_itself():
    x = tg.ones(3, requires_grad=True)
    before = tg.Generator(1).get_state()
    generator = tg.Generator(1)
    assert tg.dropout(x, p=0) is x and tg.dropout(x, training=False, generator=generator) is x
    assert generator.get_state() == before
    assert tg.dropout(tg.zeros(0, 3)).shape == (0, 3)


# ---- operators -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "wanted"),
    [
        (lambda t: t // 2, [-2, 1]),
        (lambda t: 7 // t, [-3, 2]),
        (lambda t: t % 2, [1, 1]),
        (lambda t: 7 % t, [-2, 1]),
        (lambda t: t.astype(np.float64) % np.array([2, -2]), [1, -1]),
        (lambda t: np.array([7, 7]) // t, [-3, 2]),
        (lambda t: t & 1, [1, 1]),
        (lambda t: 2 | t, [-1, 3]),
        (lambda t: t ^ np.array([1, 1]), [-4, 2]),
        (lambda t: ~t, [2, -4]),
        (lambda t: (t > 0) & (t < 9), [False, True]),
        (lambda t: ~(t > 0) | True, [True, True]),
        (lambda t: (t > 0) ^ True, [True, False]),
        (lambda t: round(t / 2), [-2, 2]),
        (lambda t: round(t / 8, 1), [-0.4, 0.4]),
        (lambda t: np.rint(t / 2), [-2, 2]),
        (lambda t: np.logical_not(t), [False, False]),
    ],
)
def test_operators_mean_what_numpy_means(f, wanted):
    out = f(tg.tensor([-3, 3]))
    assert isinstance(out, tg.Tensor)
    np.testing.assert_allclose(out.numpy(), wanted, rtol=1e-6)


def test_augmented_operators():
    t = flags = tg.tensor([True, False])
    flags &= False
    assert flags.numpy().tolist() == [False, False] and t.numpy().tolist() == [True, False]
    x = tg.tensor([5.0], requires_grad=True)
    y = x * 1
    y %= 3
    y //= 0.5
    assert y.item() == 4 and y.requires_grad


def test_logaddexp_of_numbers_takes_their_gradients_in_the_dtype_of_the_tensor():
    for dtype in DTYPES:
        y, g = value_and_gradient(lambda x: tg.logaddexp(x, -INF), [-INF, 1], dtype=dtype)
        np.testing.assert_allclose(y, [-INF, 1])
        np.testing.assert_allclose(g, [0.5, 1])
