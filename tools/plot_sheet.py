"""The picture of docs/plots.md: six of the plots, on one sheet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import tinygraph as tg
from tinygraph import nn, plots


def sheet() -> Any:
    """Train a little, and draw; return the six axes."""
    tg.manual_seed(0)
    x, y = tg.data.spirals(600, classes=3, noise=0.03, turns=0.7, seed=0)
    model = nn.MLP([2, 32, 32, 3], activation=nn.Tanh)
    losses = tg.fit(
        model, (x[:400], y[:400]), validation=(x[400:], y[400:]), loss="cross_entropy", lr=0.01,
        epochs=40, progress=False,
    )  # fmt: skip

    axes = plots.panels(6, columns=3, size=(3.7, 3.0))
    losses.plot(axes[0])
    plots.tidy(axes[0], "loss_curves")
    plots.decision_boundary(model, x[400:], y[400:], axes[1], title="decision_boundary")
    plots.activation_curves(nn.GELU(), axes[2], order=2, title="activation_curves")
    plots.activation_ranges(model, x, axes[3], title="activation_ranges")

    word = "attention"
    _, map_ = nn.MultiheadAttention(16, 1)(tg.randn(1, len(word), 16) * 4, need_weights=True)
    plots.attention(map_[0], axes[4], queries=word, title="attention")

    deep = nn.MLP([16] * 16, activation=nn.Sigmoid)
    flow = tg.gradient_flow(deep, deep(np.ones((32, 16), np.float32)).sum())
    plots.gradient_flow(flow, axes[5], title="gradient_flow")
    return axes


def main(folder: Path) -> None:
    """Write ``plots.png``."""
    print(plots.save(sheet(), folder / "plots.png", dpi=90))
