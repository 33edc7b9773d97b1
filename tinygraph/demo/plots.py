"""The demonstration's plots, on matplotlib."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..core.storage import Array
from ..extras import require

CLASS_COLOURS = ("#B54A00", "#005A9C")
REGION_COLOURS = ("#F6E3D5", "#D8E6F2")

LIMIT = 1.45

Rule = Callable[[Array], Array]


def _figure(width: float, height: float) -> Any:
    """Return a figure of its own: no window, and nothing of the user's pyplot changes."""
    return require("matplotlib.figure", "viz").Figure(figsize=(width, height))


def decision_boundaries(
    path: Path,
    x: Array,
    y: Array,
    best: tuple[Rule, float],
    rules: Mapping[str, tuple[Rule, float]],
) -> None:
    """Draw the test points with the best rule, and beside them each rule with its accuracy."""
    figure = _figure(3.1 * (len(rules) + 1), 4.2)
    axes = figure.subplots(1, len(rules) + 1)
    for ax in axes:
        ax.set(aspect="equal", xlim=(-LIMIT, LIMIT), ylim=(-LIMIT, LIMIT))
        ax.set_xticks([])
        ax.set_yticks([])
        for spine in ax.spines.values():
            spine.set_color("#C5CBD0")
    _boundary(axes[0], best[0], "--")
    _scatter(axes[0], x, y)
    axes[0].set_title(f"test points, best rule dashed\n{best[1]:.1%} right", fontsize=10)
    for ax, (name, (rule, accuracy)) in zip(axes[1:], rules.items(), strict=True):
        _regions(ax, rule)
        _scatter(ax, x, y, alpha=0.45)
        ax.set_title(f"{name}\n{accuracy:.1%} right (mean of seeds)", fontsize=10)
    figure.legend(
        *axes[0].get_legend_handles_labels(), loc="lower center", ncol=2, frameon=False, fontsize=9
    )
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.1, top=0.86, wspace=0.04)
    figure.savefig(path, dpi=130)


def _scatter(ax: Any, x: Array, y: Array, alpha: float = 0.8) -> None:
    for label, (name, marker) in enumerate((("outer ring", "o"), ("inner ring", "^"))):
        points = x[y == label]
        ax.scatter(
            points[:, 0], points[:, 1], s=11, marker=marker, alpha=alpha, linewidths=0,
            color=CLASS_COLOURS[label], label=name,
        )  # fmt: skip


def _regions(ax: Any, rule: Rule) -> None:
    line, labels = _labels_on_grid(rule)
    ax.contourf(line, line, labels, levels=[-0.5, 0.5, 1.5], colors=REGION_COLOURS)
    _boundary(ax, rule, "-")


def _boundary(ax: Any, rule: Rule, linestyle: str) -> None:
    line, labels = _labels_on_grid(rule)
    if labels.min() != labels.max():
        ax.contour(
            line, line, labels, levels=[0.5], colors="#5B6770", linewidths=1, linestyles=linestyle
        )


def _labels_on_grid(rule: Rule, steps: int = 300) -> tuple[Array, Array]:
    line = np.linspace(-LIMIT, LIMIT, steps, dtype=np.float32)
    grid = np.stack(np.meshgrid(line, line), axis=-1)
    return line, rule(grid.reshape(-1, 2)).reshape(steps, steps)


def loss_curves(path: Path, curves: Mapping[str, Mapping[str, Sequence[float]]]) -> None:
    """Draw training loss against epoch; a panel for each task, a line for each model."""
    figure = _figure(4.6 * len(curves), 3.4)
    axes = figure.subplots(1, len(curves), squeeze=False)
    for ax, (task, lines) in zip(axes[0], curves.items(), strict=True):
        for i, (name, losses) in enumerate(lines.items()):
            style = {"color": CLASS_COLOURS[1 - i % 2], "linestyle": ("-", "--")[i % 2]}
            ax.plot(range(1, len(losses) + 1), losses, label=name, linewidth=1.6, **style)
        ax.set_title(task, fontsize=11)
        ax.set_xlabel("epoch")
        ax.set_ylabel("mean training loss")
        ax.set_ylim(bottom=0)
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(axis="y", color="#E5E8EB")
        ax.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(path, dpi=130)


def sample_digits(path: Path, images: Array, truth: Array, predicted: Array) -> None:
    """Show test images with the predicted digit; wrong ones name both and come first."""
    order = np.argsort(truth == predicted, kind="stable")[:24]
    figure = _figure(10, 2.3)
    axes = figure.subplots(2, 12)
    for ax, i in zip(axes.flat, order, strict=False):
        ax.imshow(images[i].reshape(8, 8), cmap="gray_r")
        right = truth[i] == predicted[i]
        label = f"{predicted[i]}" if right else f"{predicted[i]} (is {truth[i]})"
        ax.set_title(label, fontsize=8, color="#1F2933" if right else CLASS_COLOURS[0])
        ax.set_axis_off()
    figure.suptitle("Held-out digits with the model's answer, the mistakes first", fontsize=10)
    figure.tight_layout()
    figure.savefig(path, dpi=130)
