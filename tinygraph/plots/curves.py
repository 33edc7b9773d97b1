"""loss_curves: what is to go down, against epochs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..core.errors import UsageError, compose_message, describe
from ..core.storage import Array
from ..extras import require
from .canvas import STYLE, axes_for, legend, power_ticks, series, tidy, type_of
from .values import shaped


def loss_curves(
    curves: Any, ax: Any = None, *, log: bool = False, title: str | None = None,
    xlabel: str = "epoch", ylabel: str = "loss",
) -> Any:  # fmt: skip
    """Draw losses against epochs, a line for each name.

    A line ends with "✕" and a word where its loss is no longer finite.

    Parameters
    ----------
    curves : mapping from name to sequence of float, or one sequence
        The first number belongs to epoch 1. Lines may differ in length.
    ax : matplotlib.axes.Axes, optional
    log : bool
        Whether the losses are on a logarithmic scale.
    title, xlabel, ylabel : str, optional

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    UsageError
        If there is no curve, or ``log`` with a loss that is not positive.
    ShapeError
        If a curve is not a list of numbers.

    Examples
    --------
    >>> from tinygraph import plots
    >>> ax = plots.loss_curves({"training": [1.0, 0.5, 0.4], "validation": [1.1, 0.8, 0.9]})
    >>> [line.get_label() for line in ax.get_lines()]
    ['training', 'validation']
    """
    lines = _checked(curves, log)
    ax = axes_for("loss_curves", ax)
    tidy(ax, title, xlabel, ylabel)
    ax.grid(axis="y", color=STYLE.output, linewidth=STYLE.thin)
    ax.set_axisbelow(True)
    for i, (name, losses) in enumerate(lines.items()):
        epochs = np.arange(1, len(losses) + 1)
        alone = {"marker": "o", "markersize": 4} if len(losses) == 1 else {}
        ax.plot(epochs, losses, label=name, linewidth=1.7, **series(i), **alone)
        _mark_the_end(ax, losses, series(i)["color"])
    ax.xaxis.set_major_locator(require("matplotlib.ticker", "viz").MaxNLocator(integer=True))
    if log:
        ax.set_yscale("log")
        power_ticks(ax.yaxis)
    elif all(np.nanmin(losses, initial=0.0) >= 0 for losses in lines.values()):
        ax.set_ylim(bottom=0)
    if isinstance(curves, Mapping):
        legend(ax)
    return ax


def _checked(curves: Any, log: bool) -> dict[str, Array]:
    named = curves if isinstance(curves, Mapping) else {"loss": curves}
    if not named:
        raise UsageError(
            compose_message(
                "plots.loss_curves wants at least one curve",
                describe(curves),
                "{'training': history['loss']}",
            )
        )
    lines = {str(name): shaped("loss_curves", repr(name), y, 1) for name, y in named.items()}
    for name, losses in lines.items():
        if log and not (losses[np.isfinite(losses)] > 0).all():
            raise UsageError(
                compose_message(
                    f"plots.loss_curves: log=True wants positive losses, in {name!r} too",
                    f"a smallest loss of {np.nanmin(losses):g}",
                    "log=False",
                )
            )
    return lines


def _mark_the_end(ax: Any, losses: Array, color: str) -> None:
    """Say where a loss stops being finite."""
    broken = np.flatnonzero(~np.isfinite(losses))
    if not len(broken):
        return
    first = int(broken[0])
    word = "nan" if np.isnan(losses[first]) else "infinite"
    x, y = (first, losses[first - 1]) if first else (1, 0.0)
    ax.plot([x], [y], marker="x", markersize=8, markeredgewidth=2, color=color, linestyle="none")
    ax.annotate(
        f"{word} from {first + 1} on", (x, y), xytext=(8, 4), textcoords="offset points",
        **type_of(color=color),
    )  # fmt: skip
