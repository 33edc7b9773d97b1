"""One or more samples for every module class: how to build it, and inputs for a call.

A test fails for a public module class without a sample, so a new module is entered here.
Abstract bases and containers without a forward are listed in ``WITHOUT_FORWARD``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

import tinygraph as tg
from tinygraph import nn

WITHOUT_FORWARD = {"Module", "ModuleDict", "ModuleList"}


class ModuleSample(NamedTuple):
    """How to build a module, and the shapes of its floating inputs (or whole arrays)."""

    build: Callable[[], nn.Module]
    inputs: tuple[tuple[int, ...] | np.ndarray, ...]


def draw(*inputs: tuple[int, ...] | np.ndarray, seed: int = 0) -> list[np.ndarray]:
    """Return float64 values for shapes, away from kinks; given arrays stay as they are."""
    rng = np.random.default_rng(seed)
    arrays = []
    for given in inputs:
        if isinstance(given, tuple):
            signs = rng.choice([-1.0, 1.0], given)
            arrays.append(signs * rng.uniform(0.1, 1.5, given))
        else:
            arrays.append(given)
    return arrays


BATCH = (4, 3)
LABELS = np.array([0, 2, 1, 1])
TARGETS = np.array([[0.1, 0.9, 0.5]] * 4)

MODULE_SAMPLES: dict[str, list[ModuleSample]] = {
    "Identity": [ModuleSample(nn.Identity, (BATCH,))],
    "Lambda": [ModuleSample(lambda: nn.Lambda(tg.sin), (BATCH,))],
    "Linear": [
        ModuleSample(lambda: nn.Linear(3, 2), (BATCH,)),
        ModuleSample(lambda: nn.Linear(3, 2, bias=False), ((2, 4, 3),)),
    ],
    "Sequential": [ModuleSample(lambda: nn.Linear(3, 2) >> nn.Tanh() >> nn.Linear(2, 1), (BATCH,))],
    "ReLU": [ModuleSample(nn.ReLU, (BATCH,))],
    "Sigmoid": [ModuleSample(nn.Sigmoid, (BATCH,))],
    "Tanh": [ModuleSample(nn.Tanh, (BATCH,))],
    "GELU": [
        ModuleSample(nn.GELU, (BATCH,)),
        ModuleSample(lambda: nn.GELU(approximate="tanh"), (BATCH,)),
    ],
    "Softplus": [ModuleSample(nn.Softplus, (BATCH,))],
    "Softmax": [ModuleSample(nn.Softmax, (BATCH,)), ModuleSample(lambda: nn.Softmax(0), (BATCH,))],
    "LogSoftmax": [ModuleSample(nn.LogSoftmax, (BATCH,))],
    "MSELoss": [ModuleSample(nn.MSELoss, (BATCH, TARGETS))],
    "BCEWithLogitsLoss": [ModuleSample(nn.BCEWithLogitsLoss, (BATCH, TARGETS))],
    "CrossEntropyLoss": [ModuleSample(nn.CrossEntropyLoss, (BATCH, LABELS))],
}
