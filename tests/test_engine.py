"""docs/engine.py, the whole idea on one page, gives the gradients of the real library."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygraph as tg

PATH = Path(__file__).parent.parent / "docs" / "engine.py"


def _load() -> Any:
    spec = importlib.util.spec_from_file_location("tinygraph_engine", PATH)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


engine = _load()


def product(m: Any, x: Any, y: Any, z: Any) -> Any:
    return (x + y) * z


def neuron(m: Any, w0: Any, x0: Any, w1: Any, x1: Any, w2: Any) -> Any:
    return 1 / (1 + m.exp(-(w0 * x0 + w1 * x1 + w2)))


def gates(m: Any, x: Any, y: Any, z: Any, w: Any) -> Any:
    return 2 * (x * y + m.maximum(z, w))


CIRCUITS = {
    "product": (product, (-2, 5, -4), -12.0, (-4, -4, 3)),
    "neuron": (neuron, (2, -1, -3, -2, -3), 0.7311, (-0.197, 0.393, -0.393, -0.590, 0.197)),
    "gates": (gates, (3, -4, 2, -1), -20.0, (-8, 6, 2, 0)),
}


@pytest.mark.parametrize("name", CIRCUITS)
def test_circuits(name: str) -> None:
    circuit, point, value, gradients = CIRCUITS[name]
    small = [engine.Tensor(v) for v in point]
    real = [tg.tensor(float(v), dtype=np.float64, requires_grad=True) for v in point]
    small_result, real_result = circuit(engine, *small), circuit(tg, *real)
    small_result.backward()
    real_result.backward()
    assert small_result.data == real_result.data == pytest.approx(value, abs=5e-5)
    for a, b, expected in zip(small, real, gradients, strict=True):
        assert a.grad == b.grad == pytest.approx(expected, abs=5e-4)


def mlp_loss(m: Any, x: Any, y: Any, w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
    """Mean squared error of a net with a tanh and a relu layer and broadcast biases."""
    hidden = m.tanh(x @ w1.T + b1)
    error = m.relu(hidden) @ w2.T + b2 - y
    return (error * error).sum() / 20


def test_mlp() -> None:
    rng = np.random.default_rng(0)
    shapes = [(20, 3), (20, 2), (8, 3), (8,), (2, 8), (2,)]
    arrays = [rng.normal(size=s) for s in shapes]
    small = [engine.Tensor(a) for a in arrays]
    real = [tg.tensor(a, requires_grad=True) for a in arrays]
    mlp_loss(engine, *small).backward()
    mlp_loss(tg, *real).backward()
    for a, b in zip(small, real, strict=True):
        np.testing.assert_allclose(a.grad, b.grad, rtol=1e-13, atol=1e-15)


def test_gradients_are_graphs() -> None:
    x = engine.Tensor(2.0)
    first = engine.pull_back(x * x * x)[x]
    second = engine.pull_back(first)[x]
    assert (first.data, second.data) == (12.0, 12.0)


def test_backward_accumulates() -> None:
    x = engine.Tensor(3.0)
    (x * x).backward()
    (x * x).backward()
    assert x.grad == 12.0


def test_it_fits_on_a_page() -> None:
    assert len(PATH.read_text(encoding="utf-8").splitlines()) <= 100
