"""What type checkers and editors must know about tinygraph; mypy reads this file."""

from __future__ import annotations

from typing import Any, assert_type

import numpy as np

import tinygraph as tg
from tinygraph import nn


def operators(x: tg.Tensor, a: np.ndarray[Any, np.dtype[Any]]) -> None:
    assert_type(x + 1, tg.Tensor)
    assert_type(2.0 * x - a, tg.Tensor)
    assert_type(x @ x.T, tg.Tensor)
    assert_type(-x / [1.0, 2.0], tg.Tensor)
    assert_type(x == 3, tg.Tensor)
    assert_type(x[0, None], tg.Tensor)
    x += 1
    assert_type(x, tg.Tensor)


def methods(x: tg.Tensor) -> None:
    assert_type(x.reshape(2, -1).sum(axis=(0, 1), keepdims=True), tg.Tensor)
    assert_type(x.reshape((2, 3)).transpose(), tg.Tensor)
    assert_type(x.mean(0).shape, tuple[int, ...])
    assert_type(x.data, np.ndarray[Any, np.dtype[Any]])
    assert_type(float(x.max()), float)
    x.sum(dim=0)  # type: ignore[call-arg]


def functions(x: tg.Tensor) -> None:
    assert_type(tg.relu(x), tg.Tensor)
    assert_type(tg.where(x > 0, x, 0), tg.Tensor)
    assert_type(tg.max(x, axis=0), tg.Tensor)
    assert_type(tg.mean(x, axis=0), tg.Tensor)
    assert_type(tg.concatenate([x, x]), tg.Tensor)
    assert_type(tg.variables(x=1), tuple[tg.Tensor, ...])
    tg.relu(x, 1)  # type: ignore[call-arg]


def models(x: tg.Tensor) -> None:
    model = nn.Linear(2, 3) >> nn.ReLU()
    assert_type(model, nn.Sequential)
    assert_type(nn.functional.mse_loss(model(x), x), tg.Tensor)
