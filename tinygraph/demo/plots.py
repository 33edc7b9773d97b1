"""The demonstration's plots, on matplotlib."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..core.tensor import Array
from ..extras import require

CLASS_COLOURS = ("#B54A00", "#005A9C")
REGION_COLOURS = ("#F6E3D5", "#D8E6F2")

Rule = Callable[[Array], Array]


def _pyplot() -> Any:
    require("matplotlib", "viz").use("Agg")
    return require("matplotlib.pyplot", "viz")


def decision_boundaries(
    path: Path, x: Array, y: Array, rules: Mapping[str, tuple[Rule, float]], ceiling: float
) -> None:
    """Draw the test points, and beside them the regions of each rule with its accuracy."""
    plt = _pyplot()
    figure, axes = plt.subplots(1, len(rules) + 1, figsize=(3.2 * (len(rules) + 1), 3.7))
    for ax in axes:
        ax.set_aspect("equal")
        ax.set_xticks([])
        ax.set_yticks([])
        for spine in ax.spines.values():
            spine.set_color("#C5CBD0")
    _scatter(axes[0], x, y)
    axes[0].set_title(f"300 test points\nbest possible: {ceiling:.1%}", fontsize=10)
    for ax, (name, (rule, accuracy)) in zip(axes[1:], rules.items(), strict=True):
        _regions(ax, rule)
        _scatter(ax, x, y, alpha=0.45)
        ax.set_title(f"{name}\n{accuracy:.1%} right (mean of seeds)", fontsize=10)
    figure.legend(
        *axes[0].get_legend_handles_labels(), loc="lower center", ncol=2, frameon=False, fontsize=9
    )
    figure.tight_layout(rect=(0, 0.06, 1, 1))
    figure.savefig(path, dpi=130)
    plt.close(figure)


def _scatter(ax: Any, x: Array, y: Array, alpha: float = 0.8) -> None:
    for label, (name, marker) in enumerate((("outer ring", "o"), ("inner ring", "^"))):
        points = x[y == label]
        ax.scatter(
            points[:, 0], points[:, 1], s=11, marker=marker, alpha=alpha, linewidths=0,
            color=CLASS_COLOURS[label], label=name,
        )  # fmt: skip


def _regions(ax: Any, rule: Rule, limit: float = 1.45, steps: int = 240) -> None:
    line = np.linspace(-limit, limit, steps, dtype=np.float32)
    grid = np.stack(np.meshgrid(line, line), axis=-1)
    labels = rule(grid.reshape(-1, 2)).reshape(steps, steps)
    ax.contourf(line, line, labels, levels=[-0.5, 0.5, 1.5], colors=REGION_COLOURS)
    if labels.min() != labels.max():
        ax.contour(line, line, labels, levels=[0.5], colors="#5B6770", linewidths=1)


def loss_curves(path: Path, curves: Mapping[str, Mapping[str, Sequence[float]]]) -> None:
    """Draw training loss against epoch; a panel for each task, a line for each model."""
    plt = _pyplot()
    figure, axes = plt.subplots(1, len(curves), figsize=(4.6 * len(curves), 3.4), squeeze=False)
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
    plt.close(figure)


def sample_digits(path: Path, images: Array, truth: Array, predicted: Array) -> None:
    """Show test images with the predicted digit; wrong ones name both and come first."""
    plt = _pyplot()
    order = np.argsort(truth == predicted, kind="stable")[:24]
    figure, axes = plt.subplots(2, 12, figsize=(10, 2.3))
    for ax, i in zip(axes.flat, order, strict=False):
        ax.imshow(images[i].reshape(8, 8), cmap="gray_r")
        right = truth[i] == predicted[i]
        label = f"{predicted[i]}" if right else f"{predicted[i]} (is {truth[i]})"
        ax.set_title(label, fontsize=8, color="#1F2933" if right else CLASS_COLOURS[0])
        ax.set_axis_off()
    figure.suptitle("Held-out digits with the model's answer, the mistakes first", fontsize=10)
    figure.tight_layout()
    figure.savefig(path, dpi=130)
    plt.close(figure)
