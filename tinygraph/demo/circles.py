"""Circles: two noisy rings that no straight line separates."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.storage import Array
from ..core.tensor import Tensor
from ..data import DataLoader, TensorDataset
from ..extras import require
from ..nn import Linear, Module, ReLU, Tanh
from ..ops.binary_loss import binary_cross_entropy_with_logits
from ..ops.random import Generator, manual_seed
from ..optim import AdamW
from .training import Fitted, fit, outputs

NOISE, FACTOR, SEED = 0.1, 0.8, 42


@dataclass
class Split:
    """Training and test points with their labels 0 and 1."""

    x_train: Array
    x_test: Array
    y_train: Array
    y_test: Array


def load() -> Split:
    """Return the 1,000 points, split 70/30 (seed 42)."""
    datasets = require("sklearn.datasets", "examples")
    selection = require("sklearn.model_selection", "examples")
    x, y = datasets.make_circles(n_samples=1000, noise=NOISE, factor=FACTOR, random_state=SEED)
    parts = selection.train_test_split(x.astype(np.float32), y, test_size=0.3, random_state=SEED)
    return Split(*parts)


def simple_mlp() -> Module:
    """Linear → tanh → Linear: one hidden layer."""
    return Linear(2, 16) >> Tanh() >> Linear(16, 1)


def deep_mlp() -> Module:
    """Three hidden layers with ReLU."""
    return (
        Linear(2, 16) >> ReLU() >> Linear(16, 16) >> ReLU() >> Linear(16, 16) >> ReLU()
        >> Linear(16, 1)
    )  # fmt: skip


def loss_of(logits: Tensor, labels: Array) -> Tensor:
    """Binary cross-entropy of the logits (N, 1) with labels (N,)."""
    return binary_cross_entropy_with_logits(logits, labels[:, None].astype(np.float32))


def train(
    build: Callable[[], Module], data: Split, seed: int, epochs: int, progress: Any
) -> Fitted:
    """Build a model with this seed and train it on the training points."""
    manual_seed(seed)
    model = build()
    optimizer = AdamW(model.parameters(), lr=0.01, weight_decay=0.01)
    points = TensorDataset(data.x_train, data.y_train)
    loader = DataLoader(points, batch_size=50, shuffle=True, generator=Generator(seed))
    return fit(model, optimizer, loss_of, loader, epochs, progress)


def classify(model: Module) -> Callable[[Array], Array]:
    """Return the decision rule of a model: label 1 where the logit is positive."""
    return lambda points: (outputs(model, points)[:, 0] > 0).astype(int)


def accuracy(rule: Callable[[Array], Array], x: Array, y: Array) -> float:
    """Return the share of points that ``rule`` labels right."""
    return float(np.mean(rule(x) == y))


def bayes_rule(points: Array) -> Array:
    """Label by the true densities: the best that any classifier can do.

    A point at distance ρ from the centre comes from the ring of radius r with density
    proportional to exp(−(ρ² + r²)/2σ²) I₀(ρ r/σ²).
    """
    rho = np.linalg.norm(np.asarray(points, dtype=np.float64), axis=1)

    def log_density(radius: float) -> Array:
        z = rho * radius / NOISE**2
        bessel = np.log(np.i0(np.minimum(z, 500))) + np.maximum(z - 500, 0)
        return np.asarray(bessel - (rho**2 + radius**2) / (2 * NOISE**2))

    return (log_density(FACTOR) > log_density(1.0)).astype(int)


def bayes_in_population(points: int = 200_000) -> float:
    """Return the accuracy of the Bayes rule on fresh points."""
    datasets = require("sklearn.datasets", "examples")
    x, y = datasets.make_circles(n_samples=points, noise=NOISE, factor=FACTOR, random_state=SEED)
    return accuracy(bayes_rule, x, y)


def baselines(data: Split, seeds: int) -> dict[str, tuple[float, float, Callable[[Array], Array]]]:
    """Return mean test accuracy, seconds per fit and a rule of scikit-learn's classifiers."""
    linear_model = require("sklearn.linear_model", "examples")
    neural_network = require("sklearn.neural_network", "examples")
    makers: dict[str, Callable[[int], Any]] = {
        "LogisticRegression (scikit-learn)": lambda s: linear_model.LogisticRegression(
            random_state=s
        ),
        "MLPClassifier 10-5 (scikit-learn)": lambda s: neural_network.MLPClassifier(
            hidden_layer_sizes=(10, 5), max_iter=1000, random_state=s
        ),
    }
    results = {}
    for name, make in makers.items():
        start = time.perf_counter()
        fitted = [make(SEED + s).fit(data.x_train, data.y_train) for s in range(seeds)]
        seconds = (time.perf_counter() - start) / seeds
        mean = float(np.mean([m.score(data.x_test, data.y_test) for m in fitted]))
        results[name] = (mean, seconds, fitted[0].predict)
    return results
