"""Axes of our own or the user's, and the type and colours that every plot shares."""

from __future__ import annotations

import functools
import math
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import UsageError, compose_message, describe
from ..extras import require
from ..ops.operands import whole
from ..viz.style import THEMES

STYLE = THEMES["default"]

SERIES = (STYLE.value, STYLE.gradient, STYLE.negative, STYLE.positive, STYLE.quiet)
DASHES = ("-", "--", "-.", ":", (0, (7, 2)), (0, (3, 1, 1, 1, 1, 1)))
MARKS = ("o", "^", "s", "D", "v", "P", "X")
"""Colour, dash and mark of the first line or class, the second, …; no two have all in common."""

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def panels(
    count: int = 1, columns: int | None = None, size: tuple[float, float] = (4.4, 3.3)
) -> Any:
    """Return axes side by side, in a figure of their own.

    Parameters
    ----------
    count : int
    columns : int, optional
        How many stand in a row; all of them by default.
    size : (float, float)
        Width and height of one panel in inches.

    Returns
    -------
    ndarray of matplotlib.axes.Axes, shape (count,)

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.

    Examples
    --------
    >>> from tinygraph import plots
    >>> left, right = plots.panels(2)
    >>> left.figure is right.figure
    True
    """
    n = whole("panels", "count", count, least=1)
    across = n if columns is None else min(n, whole("panels", "columns", columns, least=1))
    down = math.ceil(n / across)
    figure = require("matplotlib.figure", "viz").Figure(
        figsize=(size[0] * across, size[1] * down), layout="compressed"
    )
    figure.set_facecolor(STYLE.background)
    axes = figure.subplots(down, across, squeeze=False).ravel()
    for unused in axes[n:]:
        unused.remove()
    return axes[:n]


def save(ax: Any, path: str | Path, dpi: float = 150) -> Path:
    """Write the figure of some axes; the suffix of the path says the format.

    Parameters
    ----------
    ax : Axes, or array of Axes
        What a function of ``tg.plots`` or :func:`panels` returned.
    path : path
        ``.png``, ``.svg`` and ``.pdf`` among others.
    dpi : float
        Pixels per inch of formats that have pixels.

    Returns
    -------
    Path

    Raises
    ------
    UsageError
        If ``ax`` is something else.

    Examples
    --------
    >>> import tempfile
    >>> from tinygraph import plots
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plots.save(plots.loss_curves([3, 2, 1]), folder + "/loss.png").name
    'loss.png'
    """
    one = ax.flat[0] if isinstance(ax, np.ndarray) and ax.size else ax
    checked_axes("save", one).figure.savefig(path, dpi=dpi, bbox_inches="tight", pad_inches=0.08)
    return Path(path)


def axes_for(who: str, ax: Any, width: float = 4.4, height: float = 3.3) -> Any:
    """Return the user's axes, or new ones of this size in inches."""
    return panels(size=(width, height))[0] if ax is None else checked_axes(who, ax)


def checked_axes(who: str, ax: Any) -> Any:
    """Return ``ax``; raise unless it is axes of matplotlib."""
    if not isinstance(ax, require("matplotlib.axes", "viz").Axes):
        fix = "ax=axes[0]" if isinstance(ax, np.ndarray) else "figure, ax = plt.subplots()"
        raise UsageError(
            compose_message(f"plots.{who}: ax is axes of matplotlib", describe(ax), fix)
        )
    return ax


@functools.cache
def families() -> list[str]:
    """Return the fonts of our pictures that are installed; the last one has every sign."""
    installed = set(require("matplotlib.font_manager", "viz").get_font_names())
    wanted = [*STYLE.font.split(",")[:-1], "Liberation Sans", "DejaVu Sans"]
    return [name for name in wanted if name in installed]


def type_of(size: float = STYLE.small_size, color: str = STYLE.ink) -> dict[str, Any]:
    """Return font, size and colour of a text; "$" in it is a dollar sign."""
    return {"fontfamily": families(), "fontsize": size, "color": color, "parse_math": False}


def tidy(ax: Any, title: str | None = None, xlabel: str = "", ylabel: str = "") -> Any:
    """Give axes their texts, in our type, and quiet lines.

    Parameters
    ----------
    ax : Axes
    title, xlabel, ylabel : str, optional
        "$" is a dollar sign.

    Returns
    -------
    Axes

    Examples
    --------
    >>> from tinygraph import plots
    >>> ax = plots.panels()[0]
    >>> plots.tidy(ax, "a plot of one's own", "x", "y") is ax
    True
    """
    checked_axes("tidy", ax)
    if title:
        ax.set_title(title, **type_of(STYLE.number_size))
    if xlabel:
        ax.set_xlabel(xlabel, **type_of(STYLE.small_size, STYLE.quiet))
    if ylabel:
        ax.set_ylabel(ylabel, **type_of(STYLE.small_size, STYLE.quiet))
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(STYLE.rule)
    ax.tick_params(
        which="both", color=STYLE.rule, labelcolor=STYLE.ink, labelsize=STYLE.small_size,
        labelfontfamily=families(),
    )  # fmt: skip
    return ax


def bare(ax: Any, title: str | None = None) -> Any:
    """Take away frame and ticks, for pictures."""
    tidy(ax, title)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    return ax


def legend(ax: Any, **places: Any) -> None:
    """Add a legend in our type, without a line around; ``places`` go to ``ax.legend``.

    Examples
    --------
    >>> from tinygraph import plots
    >>> ax = plots.panels()[0]
    >>> _ = ax.plot([1, 2], label="a line", **plots.series(0))
    >>> plots.legend(ax, loc="upper left")
    """
    texts = checked_axes("legend", ax).legend(
        edgecolor="none", framealpha=0.85, labelcolor=STYLE.ink,
        prop={"family": families(), "size": STYLE.small_size}, **places,
    ).get_texts()  # fmt: skip
    for text in texts:
        text.set_parse_math(False)


def power_ticks(axis: Any) -> None:
    """Label a logarithmic axis, whose limits are set, in numbers or powers: 10⁻³, 0.01, 1."""
    ticker = require("matplotlib.ticker", "viz")
    low, high = sorted(axis.get_view_interval())
    between = (1, 2, 5) if high < 30 * low else (1,)
    axis.set_major_locator(ticker.LogLocator(subs=between, numticks=8))
    axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: power(value)))
    axis.set_minor_formatter(ticker.NullFormatter())


def power(value: float) -> str:
    """Write a tick: powers of ten far from 1 as such.

    Examples
    --------
    >>> power(1e-7), power(0.05), power(2e6)
    ('10⁻⁷', '0.05', '2·10⁶')
    """
    if not 0 < value < math.inf or 0.001 < value < 1000:
        return f"{value:g}"
    exponent = math.floor(math.log10(value) + 1e-9)
    times = f"{value / 10.0**exponent:g}·"
    return ("" if times == "1·" else times) + "10" + str(exponent).translate(_SUPERSCRIPTS)


def series(i: int) -> dict[str, Any]:
    """Return colour and dash of the i-th line, from 0 on, for ``ax.plot``.

    Examples
    --------
    >>> from tinygraph import plots
    >>> plots.series(1)
    {'color': '#B54A00', 'linestyle': '--'}
    """
    return {"color": SERIES[i % len(SERIES)], "linestyle": DASHES[i % len(DASHES)]}
