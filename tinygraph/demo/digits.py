"""Digits: 1,797 handwritten digits of 8×8 pixels, classified by an MLP."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from ..core.storage import Array
from ..data import DataLoader, TensorDataset
from ..extras import require
from ..nn import Linear, Module, ReLU
from ..ops.class_loss import cross_entropy
from ..ops.random import Generator, manual_seed
from ..optim import AdamW
from .circles import Split
from .training import Fitted, fit, outputs


def load(split: int) -> Split:
    """Return the digits, pixels scaled to [0, 1], with a stratified 20 % held out."""
    datasets = require("sklearn.datasets", "examples")
    selection = require("sklearn.model_selection", "examples")
    x, y = datasets.load_digits(return_X_y=True)
    parts = selection.train_test_split(
        (x / 16).astype(np.float32), y, test_size=0.2, stratify=y, random_state=split
    )
    return Split(*parts)


def mlp() -> Module:
    """64 pixels → 256 → 128 → 10 classes."""
    return Linear(64, 256) >> ReLU() >> Linear(256, 128) >> ReLU() >> Linear(128, 10)


def train(data: Split, seed: int, epochs: int, progress: Any) -> Fitted:
    """Train the MLP with cross-entropy and AdamW."""
    manual_seed(seed)
    model = mlp()
    optimizer = AdamW(model.parameters(), lr=3e-3, weight_decay=0.05)
    images = TensorDataset(data.x_train, data.y_train)
    loader = DataLoader(images, batch_size=64, shuffle=True, generator=Generator(seed))
    return fit(model, optimizer, cross_entropy, loader, epochs, progress)


def accuracy(model: Module, x: Array, y: Array) -> float:
    """Return the share of images whose largest logit is at the right digit."""
    return float(np.mean(outputs(model, x).argmax(axis=1) == y))


def baseline(splits: int) -> tuple[float, float]:
    """Return mean test accuracy and seconds per fit of scikit-learn's LogisticRegression."""
    linear_model = require("sklearn.linear_model", "examples")
    scores = []
    start = time.perf_counter()
    for split in range(splits):
        data = load(split)
        fitted = linear_model.LogisticRegression(max_iter=1000).fit(data.x_train, data.y_train)
        scores.append(fitted.score(data.x_test, data.y_test))
    return float(np.mean(scores)), (time.perf_counter() - start) / splits
