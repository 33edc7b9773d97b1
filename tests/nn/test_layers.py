"""Linear and the activations against independent NumPy, with derivatives of two orders."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn
from tinygraph.check import gradcheck, gradgradcheck

erf = np.vectorize(math.erf, otypes=[float])
FLOATS = (np.float32, np.float64)
RTOL = {np.float32: 2e-6, np.float64: 1e-13}


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


# The module, its reference in float64, and its values at −1000 and 1000 (None: see below).
ACTIVATIONS = {
    "Identity": (nn.Identity, lambda x: x, (-1000, 1000)),
    "ReLU": (nn.ReLU, lambda x: np.where(x > 0, x, 0), (0, 1000)),
    "Sigmoid": (nn.Sigmoid, lambda x: 1 / (1 + np.exp(-x)), (0, 1)),
    "Tanh": (nn.Tanh, lambda x: 1 - 2 / (np.exp(2 * x) + 1), (-1, 1)),
    "GELU": (nn.GELU, lambda x: x * (0.5 + 0.5 * erf(x / math.sqrt(2))), (0, 1000)),
    "GELU tanh": (
        lambda: nn.GELU(approximate="tanh"),
        lambda x: x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
        (0, 1000),
    ),
    "Softplus": (nn.Softplus, lambda x: np.log(1 + np.exp(x)), (0, 1000)),
    "Softmax": (nn.Softmax, softmax, (0, 1)),
    "Softmax 0": (lambda: nn.Softmax(axis=0), lambda x: softmax(x, 0), None),
    "LogSoftmax": (nn.LogSoftmax, lambda x: np.log(softmax(x)), (-2000, 0)),
}
SHAPES = [(3,), (2, 3), (2, 4, 3), (0, 3), (1, 3), (1, 1)]


def draw(shape, dtype=np.float64):
    x = np.random.default_rng(0).uniform(-2, 2, shape)
    return np.where(np.abs(x) < 0.05, 0.3, x).astype(dtype)  # away from the kink


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_activation_values(name, dtype, shape):
    make, reference, _ = ACTIVATIONS[name]
    x = draw(shape, dtype)
    if x.size == 0 and "0" in name:
        return
    y = make()(tg.tensor(x))
    assert y.dtype == dtype and y.shape == shape
    if x.size:
        np.testing.assert_allclose(y.data, reference(x.astype(float)), RTOL[dtype], RTOL[dtype])


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("shape", [(3,), (2, 3), (0, 3), (2, 1, 2)], ids=str)
def test_activation_derivatives(name, shape):
    module = ACTIVATIONS[name][0]()
    assert gradcheck(module, draw(shape), atol=1e-7, rtol=1e-7)
    assert gradgradcheck(module, draw(shape), atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("name", [n for n in ACTIVATIONS if ACTIVATIONS[n][2]])
@pytest.mark.parametrize("dtype", FLOATS)
def test_activations_at_a_thousand(name, dtype):
    make, _, expected = ACTIVATIONS[name]
    x = tg.tensor(np.array([-1000.0, 1000.0], dtype), requires_grad=True)
    y = make()(x)
    np.testing.assert_array_equal(y.data, np.array(expected, dtype))
    y.sum().backward()
    assert np.isfinite(x.grad).all()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_give_arrays_for_arrays(name):
    module, reference, _ = ACTIVATIONS[name]
    x = draw((2, 3))
    y = module()(x)
    assert isinstance(y, np.ndarray)
    np.testing.assert_allclose(y, reference(x), 1e-12, 1e-12)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_print_how_they_were_made(name):
    module = ACTIVATIONS[name][0]()
    made = eval(f"nn.{module!r}")
    assert repr(made) == repr(module) and not list(module.parameters())


def test_the_derivative_of_relu_at_zero_is_zero():
    x = tg.tensor([0.0, -0.0], requires_grad=True)
    nn.ReLU()(x).sum().backward()
    assert x.grad.tolist() == [0, 0]


# ---- Linear ------------------------------------------------------------------------------------

INPUTS = [(3,), (5, 3), (2, 4, 3), (0, 3), (1, 3), (2, 0, 3)]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", INPUTS, ids=str)
def test_linear_values_and_gradients(bias, dtype, shape):
    tg.manual_seed(0)
    with tg.default_dtype(dtype):
        layer = nn.Linear(3, 2, bias=bias)
    data = draw(shape, dtype)
    x = tg.tensor(data, requires_grad=True)
    y = layer(x)
    w = layer.weight.data.astype(float)
    b = layer.bias.data.astype(float) if bias else np.zeros(2)
    flat = data.astype(float).reshape(-1, 3)
    expected = np.array([[sum(row * w_row) for w_row in w] for row in flat]).reshape(-1, 2) + b
    assert y.dtype == dtype and y.shape == (*shape[:-1], 2)
    np.testing.assert_allclose(y.data, expected.reshape(y.shape), RTOL[dtype], RTOL[dtype])
    upstream = np.random.default_rng(1).normal(size=y.shape)
    y.backward(upstream.astype(dtype))
    rows = upstream.reshape(-1, 2)
    for got, want in [
        (x.grad, upstream @ w),
        (layer.weight.grad, rows.T @ flat),
        (layer.bias.grad if bias else np.zeros(2), rows.sum(0) if bias else np.zeros(2)),
    ]:
        np.testing.assert_allclose(got, want, 2 * RTOL[dtype], 4 * RTOL[dtype])


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 2, 3), (0, 3)], ids=str)
def test_linear_derivatives_of_two_orders(bias, shape):
    layer = nn.Linear(3, 2, bias=bias)
    assert gradcheck(layer, draw(shape))
    assert gradgradcheck(layer, draw(shape), atol=1e-6, rtol=1e-6)


def test_a_network_has_second_derivatives():
    model = nn.Linear(2, 3) >> nn.Tanh() >> nn.Linear(3, 2) >> nn.LogSoftmax()
    assert gradcheck(model, draw((3, 2)))
    assert gradgradcheck(model, draw((3, 2)), atol=1e-6, rtol=1e-6)


def test_linear_takes_integers_booleans_and_any_strides():
    layer = nn.Linear(3, 2)
    whole = np.arange(6).reshape(2, 3)
    expected = layer(whole.astype(np.float32)).data
    np.testing.assert_array_equal(layer(whole).data, expected)
    np.testing.assert_array_equal(layer(tg.tensor(whole)).data, expected)
    assert layer(whole > 2).dtype == np.float32
    fortran = np.asfortranarray(whole.astype(np.float32))
    np.testing.assert_allclose(layer(fortran).data, expected, 1e-6)
    np.testing.assert_allclose(layer(np.repeat(fortran, 2, 0)[::2]).data, expected, 1e-6)


def test_linear_draws_from_the_interval_of_pytorch():
    tg.manual_seed(0)
    layer = nn.Linear(100, 200)
    for p in (layer.weight, layer.bias):
        assert np.abs(p.data).max() <= 0.1
        assert np.isclose(p.data.std(), 0.1 / math.sqrt(3), rtol=0.15)
    first = layer.weight.data.copy()
    layer.reset_parameters()
    assert not np.array_equal(first, layer.weight.data)
    tg.manual_seed(0)
    np.testing.assert_array_equal(nn.Linear(100, 200).weight.data, first)


def test_linear_of_no_features_gives_the_bias():
    layer = nn.Linear(0, 2)
    assert layer(tg.zeros(3, 0)).data.tolist() == [[0, 0]] * 3
    assert nn.Linear(2, 0)(tg.zeros(3, 2)).shape == (3, 0)


def test_graph_evaluation_equals_the_model_on_fresh_inputs():
    model = nn.Linear(2, 3) >> nn.GELU() >> nn.Linear(3, 1, bias=False)
    x, fresh = tg.tensor(draw((4, 2), np.float32)), draw((4, 2), np.float32)[::-1].copy()
    recorded = tg.graph(model(x))
    np.testing.assert_array_equal(recorded.evaluate(feed={x: fresh}), model(fresh).data)
