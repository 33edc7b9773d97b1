"""Heat: purple below zero, white at zero, green above; the same scale on both sides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.storage import Array
from ..extras import require
from .canvas import STYLE, families, type_of


def signed() -> Any:
    """Return the colours of signed numbers, for a scale that is symmetric about 0."""
    return _colours([STYLE.negative, "#FFFFFF", STYLE.positive])


def shares() -> Any:
    """Return the colours of numbers from 0 on: the upper half of :func:`signed`."""
    return _colours(["#FFFFFF", STYLE.positive])


def _colours(stops: list[str]) -> Any:
    colors = require("matplotlib.colors", "viz")
    return colors.LinearSegmentedColormap.from_list("tinygraph", stops).with_extremes(
        bad=STYLE.invalid
    )


def reach(values: Array) -> float:
    """Return the largest finite absolute value, 1 if there is none but zero."""
    finite = np.abs(values[np.isfinite(values)])
    return float(finite.max(initial=0.0)) or 1.0


def scale_bar(ax: Any, image: Any, label: str = "") -> Any:
    """Add a scale beside the axes."""
    bar = ax.figure.colorbar(image, cax=ax.inset_axes([1.04, 0, 0.04, 1]))
    bar.outline.set_visible(False)
    bar.ax.tick_params(
        labelsize=STYLE.small_size, labelfontfamily=families(), color=STYLE.rule,
        labelcolor=STYLE.ink,
    )  # fmt: skip
    if label:
        bar.set_label(label, **type_of(STYLE.small_size, STYLE.quiet))
    return bar


def write_cells(
    ax: Any, values: Array, full: float, limit: int, write: Callable[[float], str]
) -> None:
    """Write a number into each cell, unless there are too many; NaN "✕" and infinity always."""
    small = max(values.shape) <= limit
    for (row, column), value in np.ndenumerate(values):
        if small or not np.isfinite(value):
            dark = np.isfinite(value) and abs(value) > 0.6 * full
            text = write(value) if np.isfinite(value) else _sign_of(value)
            color = "#FFFFFF" if dark else STYLE.ink
            ax.text(column, row, text, ha="center", va="center", **type_of(color=color))


def _sign_of(value: float) -> str:
    return "✕" if np.isnan(value) else "∞" if value > 0 else "−∞"
