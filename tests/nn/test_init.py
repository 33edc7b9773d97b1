"""Initial values: their spread by the formulas, their generators, and bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn

init = nn.init
SHAPE = (300, 200)
CONV = (30, 20, 5, 4)  # fan in 400, fan out 600

# What fills a weight, and the standard deviation by the formula for fan in and fan out.
SPREADS = {
    "xavier": (lambda f, t, g: f(t, generator=g), lambda i, o: math.sqrt(2 / (i + o))),
    "xavier gain": (lambda f, t, g: f(t, 3.0, g), lambda i, o: 3 * math.sqrt(2 / (i + o))),
    "kaiming": (lambda f, t, g: f(t, generator=g), lambda i, o: math.sqrt(2 / i)),
    "kaiming fan out": (
        lambda f, t, g: f(t, mode="fan_out", nonlinearity="relu", generator=g),
        lambda i, o: math.sqrt(2 / o),
    ),
    "kaiming slope": (lambda f, t, g: f(t, a=2.0, generator=g), lambda i, o: math.sqrt(0.4 / i)),
    "kaiming tanh": (
        lambda f, t, g: f(t, nonlinearity="tanh", generator=g),
        lambda i, o: 5 / 3 / math.sqrt(i),
    ),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("shape", "fans"), [(SHAPE, (200, 300)), (CONV, (400, 600))])
@pytest.mark.parametrize("kind", ["uniform", "normal"])
@pytest.mark.parametrize("name", SPREADS)
def test_the_spread_is_the_formulas(name, kind, shape, fans, dtype):
    fill, formula = SPREADS[name]
    t = tg.zeros(shape, dtype=dtype)
    function = getattr(init, f"{name.split()[0]}_{kind}_")
    assert fill(function, t, tg.Generator(0)) is t and t.dtype == dtype
    std, n = formula(*fans), t.size
    assert abs(t.data.mean()) < 5 * std / math.sqrt(n)
    assert abs(t.data.std() / std - 1) < 5 / math.sqrt(n)
    if kind == "uniform":
        bound = math.sqrt(3) * std
        assert 0.999 * bound < abs(t.data).max() <= bound * (1 + 1e-6)


def test_lecun_is_one_over_the_inputs():
    t = init.lecun_normal_(tg.zeros(SHAPE), tg.Generator(0))
    assert abs(t.data.std() * math.sqrt(200) - 1) < 0.02


@pytest.mark.parametrize("shape", [(5, 5), (3, 7), (7, 3), (4, 2, 3), (1, 1)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_orthogonal_rows_or_columns(shape, dtype):
    w = init.orthogonal_(tg.zeros(shape, dtype=dtype), gain=2.0, generator=tg.Generator(1))
    m = w.data.reshape(shape[0], -1)
    m = m if m.shape[0] <= m.shape[1] else m.T
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    np.testing.assert_allclose(m @ m.T, 4 * np.eye(len(m)), atol=tolerance)


def test_orthogonal_is_uniform_over_signs():
    signs = [init.orthogonal_(tg.zeros(1, 1), generator=tg.Generator(i)).item() for i in range(40)]
    assert set(np.sign(signs)) == {-1, 1}


@pytest.mark.parametrize(("mean", "std", "a", "b"), [(0, 1, -2, 2), (1, 0.5, 0.9, 4), (0, 2, 1, 3)])
def test_truncated_normal_is_the_conditional_distribution(mean, std, a, b):
    t = init.trunc_normal_(tg.zeros(40_000, dtype=float), mean, std, a, b, tg.Generator(0))
    assert a <= t.data.min() and t.data.max() <= b
    grid = np.linspace(a, b, 9)
    cdf = np.array([0.5 * (1 + math.erf((x - mean) / std / math.sqrt(2))) for x in grid])
    expected = (cdf - cdf[0]) / (cdf[-1] - cdf[0])
    np.testing.assert_allclose([(t.data <= x).mean() for x in grid], expected, atol=0.01)


def test_truncated_normal_without_spread():
    assert init.trunc_normal_(tg.zeros(3), 0.5, 0.0).data.tolist() == [0.5] * 3


def test_constants():
    assert init.constant_(tg.zeros(2), 0.25).data.tolist() == [0.25, 0.25]
    assert init.zeros_(tg.ones(2)).data.tolist() == [0, 0]
    assert init.ones_(tg.zeros(2)).data.tolist() == [1, 1]
    np.testing.assert_array_equal(init.eye_(tg.ones(3, 2)).data, np.eye(3, 2))


def test_gains_are_pytorchs():
    expected = {"linear": 1, "sigmoid": 1, "tanh": 5 / 3, "relu": 2**0.5, "selu": 0.75}
    assert {k: init.calculate_gain(k) for k in expected} == pytest.approx(expected)
    assert init.calculate_gain("leaky_relu") == pytest.approx(math.sqrt(2 / 1.0001))
    assert init.calculate_gain("leaky_relu", 0.5) == pytest.approx(math.sqrt(1.6))


RANDOM = ["uniform_", "normal_", "trunc_normal_", "xavier_uniform_", "xavier_normal_",
          "kaiming_uniform_", "kaiming_normal_", "lecun_normal_", "orthogonal_"]  # fmt: skip


@pytest.mark.parametrize("name", RANDOM)
def test_generators_repeat_and_leave_the_default_alone(name):
    function = getattr(init, name)
    tg.manual_seed(0)
    expected = tg.rand(1).item()
    tg.manual_seed(0)
    first, again, other = (
        function(tg.zeros(4, 3), generator=tg.Generator(s)).data for s in (1, 1, 2)
    )
    assert (first == again).all() and (first != other).any()
    assert tg.rand(1).item() == expected


@pytest.mark.parametrize("name", RANDOM)
def test_parameters_are_filled_in_place_and_empty_ones_stay(name):
    function = getattr(init, name)
    layer = nn.Linear(3, 2)
    memory = layer.weight.data
    assert function(layer.weight) is layer.weight and layer.weight.data is memory
    assert layer.weight.requires_grad and layer.weight.is_leaf
    assert function(tg.zeros(0, 3)).shape == (0, 3)


def test_a_layer_keeps_the_size_of_its_signal():
    """What the schemes are for: He before ReLU, Xavier before tanh's linear part, 20 layers."""
    tg.manual_seed(0)
    x = tg.randn(64, 256)
    for scheme, act, low, high in (
        (init.kaiming_normal_, tg.relu, 0.3, 3),
        (init.orthogonal_, lambda v: v, 0.9, 1.1),
    ):
        y = x
        for _ in range(20):
            y = act(y @ scheme(tg.zeros(256, 256)).T)
        assert low < float((y * y).mean()) / (0.5 if act is tg.relu else 1) < high * 2


WRONG = {
    "an array": (lambda: init.normal_(np.ones(2)), "normal_ (2,)"),
    "integers": (lambda: init.zeros_(tg.tensor([1, 2])), "zeros_ int64"),
    "a result": (lambda: init.ones_(tg.ones(2, requires_grad=True) * 2), "leaf mul"),
    "a negative spread": (lambda: init.normal_(tg.zeros(2), std=-1), "std -1"),
    "an infinite constant": (lambda: init.constant_(tg.zeros(2), math.inf), "val inf"),
    "the eye of a vector": (lambda: init.eye_(tg.zeros(2)), "matrix (2,)"),
    "fans of a bias": (lambda: init.xavier_uniform_(tg.zeros(2)), "two axes (2,)"),
    "fans of a number": (lambda: init.kaiming_normal_(tg.tensor(1.0)), "two axes ()"),
    "orthogonal bias": (lambda: init.orthogonal_(tg.zeros(2)), "two axes (2,)"),
    "an infinite gain": (lambda: init.orthogonal_(tg.zeros(2, 2), math.inf), "gain inf"),
    "an unknown mode": (lambda: init.kaiming_uniform_(tg.zeros(2, 2), mode="in"), "'fan_in' 'in'"),
    "an unknown activation": (lambda: init.calculate_gain("swish"), "relu 'swish'"),
    "a seed": (lambda: init.normal_(tg.zeros(2), generator=3), "Generator int"),
    "an empty interval": (lambda: init.trunc_normal_(tg.zeros(2), a=2, b=1), "1000"),
    "a far interval": (lambda: init.trunc_normal_(tg.zeros(2), a=9, b=10), "mean"),
    "a point outside": (lambda: init.trunc_normal_(tg.zeros(2), 5.0, 0.0), "1000"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_calls_are_explained(case):
    action, words = WRONG[case]
    with pytest.raises(tg.TinygraphError) as caught:
        action()
    message = str(caught.value)
    assert not [w for w in words.split(" ") if w not in message], message


def test_a_failed_fill_changes_nothing():
    t = tg.ones(2, 2)
    for action in (
        lambda: init.trunc_normal_(t, a=9, b=10),
        lambda: init.xavier_normal_(t, gain=math.nan),
        lambda: init.uniform_(t, 1, 0),
    ):
        with pytest.raises(tg.UsageError):
            action()
    assert (t.data == 1).all()
