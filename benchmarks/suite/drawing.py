"""The pictures: times as multiples of PyTorch's, and curves of time over size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt

REFERENCE = "torch"
COLORS = {
    "tinygraph": "#005A9C", "tinygraph compile": "#3D8BC9", "tinygraph 2 workers": "#8FC1E8",
    "torch": "#5B6770", "torch compile": "#98A2A9", "jax": "#B54A00",
    "autograd": "#762A83", "mygrad": "#1B7837", "micrograd": "#000000",
}  # fmt: skip
MARKERS = dict(zip(COLORS, ["o", "D", "s", "|", "_", "^", "v", "P", "X"], strict=True))
FARTHEST = 100
"""Multiples of PyTorch's time beyond this are left to the table."""

plt.rcParams["svg.hashsalt"] = "tinygraph"
plt.rcParams["axes.spines.top"] = plt.rcParams["axes.spines.right"] = False


def draw_table(ratios: dict[str, dict[str, float]], path: Path) -> None:
    """Draw each contestant's time as a multiple of PyTorch's, on a log scale."""
    fig, ax = plt.subplots(figsize=(8, 0.55 * len(ratios) + 1.4))
    for contestant in COLORS:
        points = [(row.get(contestant), i) for i, row in enumerate(ratios.values())]
        kept = [(x, y) for x, y in points if x is not None and x < FARTHEST]
        if kept and contestant != REFERENCE:
            ax.scatter(
                *zip(*kept, strict=True), label=contestant, s=46,
                color=COLORS[contestant], marker=MARKERS[contestant], zorder=3,
            )  # fmt: skip
    ax.axvline(1, color=COLORS[REFERENCE], label="PyTorch, eager")
    ax.set_xscale("log")
    ticks = [0.1, 0.2, 0.5, 1, 2, 5, 10, 50]
    ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
    ax.minorticks_off()
    ax.set_yticks(range(len(ratios)), list(ratios))
    ax.invert_yaxis()
    ax.grid(axis="y", color="#E3E7EA")
    ax.set_xlabel("time of a training step, × PyTorch eager (left is faster)")
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False)
    _save(fig, path)


def draw_curves(curves: dict[str, dict[str, Any]], path: Path) -> None:
    """Draw time over size, a panel for each family, both scales logarithmic."""
    rows = -(-len(curves) // 2)
    fig, axes = plt.subplots(rows, 2, figsize=(10, 3.9 * rows), squeeze=False)
    for ax in axes.flat[len(curves) :]:
        ax.remove()
    for ax, family in zip(axes.flat, curves.values(), strict=False):
        sizes = family["sizes"]
        milliseconds = [1e3 * t for t in family["bounds"]]
        ax.plot(sizes, milliseconds, ":", color="#5B6770", label="products alone")
        for contestant, times in family["times"].items():
            ax.plot(
                sizes, [1e3 * t for t in times], label=contestant, color=COLORS[contestant],
                marker=MARKERS[contestant], markersize=5, linewidth=1.4,
            )  # fmt: skip
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_xticks(sizes, [str(n) for n in sizes])
        ax.minorticks_off()
        ax.set_title(family["title"], fontsize=11, loc="left")
        ax.set_xlabel(family["axis"])
        ax.set_ylabel("ms a step")
        ax.grid(color="#E3E7EA", linewidth=0.6)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="lower center", ncols=len(labels), frameon=False)
    fig.tight_layout(rect=(0, 0.04, 1, 1))
    _save(fig, path)


def _save(fig: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fig.savefig(path, bbox_inches="tight", metadata={"Date": None})
    plt.close(fig)
