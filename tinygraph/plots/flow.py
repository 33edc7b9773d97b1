"""gradient_flow: the sizes of gradients from the first layer to the last, and what is wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..core.errors import UsageError, compose_message, describe
from ..nn.gradient_flow import Flow, GradientFlow
from .canvas import STYLE, axes_for, legend, power_ticks, tidy, type_of

NAMES_UP_TO = 24
"""With more places, only some of them are named."""

TRACK = 0.07
"""The height of a line of findings, as a share of the axes."""

WORDS = {"vanishing": "vanishing", "exploding": "exploding", "dead": "dead ReLUs",
         "zero": "zero", "no gradient": "no gradient", "not finite": "not finite"}  # fmt: skip
"""How a finding begins, and what the plot says beside the places that have it."""


@dataclass
class Point:
    """One gradient at its place."""

    place: int
    row: Flow


def gradient_flow(
    report: Any, ax: Any = None, *, measure: str = "rms", title: str | None = None
) -> Any:
    """Draw the sizes of the gradients in a report, from the first layer to the last.

    Circles on a line are the outputs of modules, diamonds the parameters. A bar above marks
    the places that the report flags, with the word beside it: vanishing, exploding, dead
    ReLUs, zero, no gradient, not finite. Gradients without a finite size above 0 stand at the
    lower edge as "0", "—" or "✕".

    Parameters
    ----------
    report : GradientFlow
        What ``tg.gradient_flow(model, loss)`` returns.
    ax : matplotlib.axes.Axes, optional
    measure : {"rms", "norm"}
        √(Σg²/n), which compares layers of different sizes, or √Σg².
    title : str, optional

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    UsageError
        If ``report`` is something else or has no rows, or ``measure`` is unknown.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> _ = tg.manual_seed(0)
    >>> model = nn.MLP([4] * 20, activation=nn.Sigmoid)
    >>> report = tg.gradient_flow(model, model(tg.randn(16, 4)).sum())
    >>> ax = tg.plots.gradient_flow(report)
    >>> [text.get_text() for text in ax.texts]
    ['vanishing']
    """
    _check(report, measure)
    names, outputs, parameters = _places(report)
    ax = axes_for("gradient_flow", ax, min(max(4.4, 0.22 * len(names) + 1.4), 9.0), 3.4)
    of = "root mean square" if measure == "rms" else "norm"
    tidy(ax, title, "layer, from first to last", f"{of} of the gradient")
    ax.set_yscale("log")
    ax.set_xlim(-0.7, len(names) - 0.3)
    ax.grid(axis="y", color=STYLE.output, linewidth=STYLE.thin)
    ax.set_axisbelow(True)
    line = {"color": STYLE.gradient, "linewidth": 1.5, "marker": "o", "markersize": 4.5}
    mark = {"color": STYLE.ink, "linestyle": "none", "marker": "d", "markersize": 4.5,
            "markerfacecolor": STYLE.background}  # fmt: skip
    _draw(ax, outputs, measure, "outputs of modules", **line)
    _draw(ax, parameters, measure, "parameters", **mark)
    points = [*outputs, *parameters]
    flagged = _flagged(points)
    _room(ax, [_size(p.row, measure) for p in points], len(flagged))
    _draw_sizeless(ax, points, measure)
    _draw_tracks(ax, flagged)
    _name_places(ax, names)
    power_ticks(ax.yaxis)
    if outputs and parameters:
        legend(ax, loc="best")
    return ax


def _check(report: Any, measure: str) -> None:
    if not isinstance(report, GradientFlow):
        fix = "tg.plots.gradient_flow(tg.gradient_flow(model, loss))"
        raise UsageError(
            compose_message("plots.gradient_flow draws a report", describe(report), fix)
        )
    if not report.parameters and not report.activations:
        raise UsageError("plots.gradient_flow: the report is empty: the model has no parameters.")
    if measure not in ("rms", "norm"):
        raise UsageError(
            compose_message("plots.gradient_flow: measure is 'rms' or 'norm'", repr(measure))
        )


def _places(report: GradientFlow) -> tuple[list[str], list[Point], list[Point]]:
    """Give every output a place, and every parameter that of its module's first output."""
    names = [row.name for row in report.activations]
    outputs = [Point(place, row) for place, row in enumerate(report.activations)]
    first: dict[str, int] = {}
    for place, name in enumerate(names):
        first.setdefault(name, place)
    parameters = []
    for row in report.parameters:
        home = row.name.rpartition(".")[0]
        if home not in first:
            first[home] = len(names)
            names.append(home or "model")
        parameters.append(Point(first[home], row))
    return names, outputs, parameters


def _size(row: Flow, measure: str) -> float:
    """Return what can be drawn on a logarithmic scale, nan for the rest."""
    size = row.rms if measure == "rms" else row.norm
    return size if math.isfinite(size) and size > 0 else math.nan


def _draw(ax: Any, points: Sequence[Point], measure: str, label: str, **look: Any) -> None:
    if points:
        sizes = [_size(p.row, measure) for p in points]
        ax.plot([p.place for p in points], sizes, label=label, **look)


def _flagged(points: Sequence[Point]) -> dict[str, list[int]]:
    """Return the places that have each kind of finding."""
    found: dict[str, list[int]] = {}
    for start, word in WORDS.items():
        places = {p.place for p in points if any(w.startswith(start) for w in p.row.words)}
        if places:
            found[word] = sorted(places)
    return found


def _room(ax: Any, sizes: Sequence[float], tracks: int) -> None:
    """Set the limits so that there is room for findings above and signs below."""
    known = [size for size in sizes if math.isfinite(size)] or [1.0]
    decades = max(math.log10(max(known) / min(known)), 1.0)
    share = decades / (1 - TRACK * (tracks + 0.5))
    ax.set_ylim(min(known) / 10 ** (0.12 * share), max(known) * 10 ** (share - decades))


def _draw_sizeless(ax: Any, points: Sequence[Point], measure: str) -> None:
    """Write "0", "—" or "✕" at the lower edge where there is no size to draw."""
    signs = {
        (p.place, "—" if not p.row.reached else "0" if p.row.norm == 0 else "✕")
        for p in points
        if math.isnan(_size(p.row, measure))
    }
    for place, sign in signs:
        ax.annotate(
            sign, (place, 0.01), xycoords=("data", "axes fraction"), ha="center", va="bottom",
            **type_of(STYLE.number_size, STYLE.gradient),
        )  # fmt: skip


def _draw_tracks(ax: Any, flagged: dict[str, list[int]]) -> None:
    """Draw a bar over the places of each finding, and its word on the right."""
    for i, (word, places) in enumerate(flagged.items()):
        height = 1 - TRACK * (i + 0.5)
        for first, last in _runs(places):
            ax.plot(
                [first - 0.5, last + 0.5], [height, height], color=STYLE.gradient, linewidth=4,
                transform=ax.get_xaxis_transform(), solid_capstyle="butt",
            )  # fmt: skip
        ax.annotate(
            word, (1.01, height), xycoords="axes fraction", va="center", fontstyle="italic",
            annotation_clip=False, **type_of(color=STYLE.gradient),
        )  # fmt: skip


def _runs(places: Sequence[int]) -> list[tuple[int, int]]:
    """Join neighbours.

    Examples
    --------
    >>> _runs([0, 2, 3, 9])
    [(0, 0), (2, 3), (9, 9)]
    """
    runs: list[tuple[int, int]] = []
    for place in places:
        if runs and place == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], place)
        else:
            runs.append((place, place))
    return runs


def _name_places(ax: Any, names: Sequence[str]) -> None:
    step = math.ceil(len(names) / NAMES_UP_TO)
    shown = range(0, len(names), step)
    ax.set_xticks(list(shown), [names[i] for i in shown], parse_math=False)
    if len(names) > 12 or max(map(len, names)) > 6:
        ax.tick_params(axis="x", rotation=90)
