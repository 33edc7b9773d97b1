"""weights: a matrix as a heat map."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..extras import require
from ..viz.text import number
from .canvas import axes_for, tidy
from .heat import reach, scale_bar, signed, write_cells
from .values import shaped

NUMBERS_UP_TO = 8
"""Matrices this large have their numbers written in."""


def weights(
    w: Any, ax: Any = None, *, title: str | None = None, xlabel: str = "input",
    ylabel: str = "output",
) -> Any:  # fmt: skip
    """Draw a matrix: purple negative, green positive, white zero.

    The scale is symmetric about 0; up to 8×8 the numbers stand in the cells. NaN is "✕".

    Parameters
    ----------
    w : Tensor or array, shape (rows, columns) or (columns,)
        Such as the weight of ``nn.Linear``: a row for each output.
    ax : matplotlib.axes.Axes, optional
    title, xlabel, ylabel : str, optional

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ShapeError
        If ``w`` is not a matrix.

    Examples
    --------
    >>> import tinygraph as tg
    >>> ax = tg.plots.weights(tg.nn.Linear(3, 2).weight)
    >>> ax.get_images()[0].get_array().shape
    (2, 3)
    """
    matrix = np.atleast_2d(
        shaped("weights", "w", w, 1, 2, fix="plots.filters for the weight of a convolution")
    )
    full = reach(matrix)
    rows, columns = matrix.shape
    ax = axes_for("weights", ax, *_size(rows, columns))
    shown = np.ma.masked_invalid(matrix)
    image = ax.imshow(shown, cmap=signed(), vmin=-full, vmax=full, interpolation="nearest")
    tidy(ax, title, xlabel, ylabel)
    ax.spines[:].set_visible(False)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(
            require("matplotlib.ticker", "viz").MaxNLocator(8, integer=True, min_n_ticks=1)
        )
    write_cells(ax, matrix, full, NUMBERS_UP_TO, lambda value: number(value, 2))
    scale_bar(ax, image)
    return ax


def _size(rows: int, columns: int) -> tuple[float, float]:
    """Return inches that suit the shape."""
    across = min(max(0.45 * columns + 1.2, 3.0), 7.0)
    return across, min(max((across - 1.0) * rows / columns + 0.7, 1.6), 7.0)
