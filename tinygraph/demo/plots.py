"""The demonstration's plots, made of those of ``tg.plots``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from .. import plots
from ..core.storage import Array

LIMITS = (-1.45, 1.45, -1.45, 1.45)
RINGS = ("outer ring", "inner ring")

Rule = Callable[[Array], Array]


def decision_boundaries(
    path: Path,
    x: Array,
    y: Array,
    best: tuple[Rule, float],
    rules: Mapping[str, tuple[Rule, float]],
) -> None:
    """Draw the test points with the best rule, and beside them each rule with its accuracy."""
    axes = plots.panels(len(rules) + 1, size=(3.1, 3.6))
    plots.decision_boundary(
        best[0], x, y, axes[0], limits=LIMITS, names=RINGS, fill=False, linestyle="--",
        title=f"test points, best rule dashed\n{best[1]:.1%} right",
    )  # fmt: skip
    for ax, (name, (rule, accuracy)) in zip(axes[1:], rules.items(), strict=True):
        title = f"{name}\n{accuracy:.1%} right (mean of seeds)"
        plots.decision_boundary(rule, x, y, ax, limits=LIMITS, alpha=0.45, title=title)
    plots.save(axes, path)


def loss_curves(path: Path, curves: Mapping[str, Mapping[str, Sequence[float]]]) -> None:
    """Draw training loss against epoch; a panel for each task, a line for each model."""
    axes = plots.panels(len(curves), size=(4.6, 3.4))
    for ax, (task, lines) in zip(axes, curves.items(), strict=True):
        plots.loss_curves(lines, ax, title=task, ylabel="mean training loss")
    plots.save(axes, path)


def sample_digits(path: Path, images: Array, truth: Array, predicted: Array) -> None:
    """Show test images with the predicted digit; wrong ones name both and come first."""
    order = np.argsort(truth == predicted, kind="stable")[:24]
    wrong = truth[order] != predicted[order]
    captions = [
        f"{predicted[i]} (is {truth[i]})" if is_wrong else f"{predicted[i]}"
        for i, is_wrong in zip(order, wrong, strict=True)
    ]
    title = "Held-out digits with the model's answer, the mistakes first"
    ax = plots.images(images[order].reshape(-1, 8, 8), captions, marked=wrong, title=title)
    plots.save(ax, path)
