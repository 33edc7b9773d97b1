"""filters: the weight of a convolution, a tile for each pair of channels."""

from __future__ import annotations

import math
from typing import Any

from ..ops.operands import whole
from .canvas import STYLE, axes_for, tidy, type_of
from .heat import reach, scale_bar, signed
from .tiles import caption, frame, lay_out, size_of
from .values import shaped


def filters(w: Any, ax: Any = None, *, limit: int = 128, title: str | None = None) -> Any:
    """Draw the filters of a convolution, all on one scale: purple −, white 0, green +.

    With several input channels, each row of tiles belongs to an output channel.

    Parameters
    ----------
    w : Tensor or array, shape (out, in, height, width) or (out, in, width)
        The weight of ``nn.Conv2d`` or ``nn.Conv1d``.
    ax : matplotlib.axes.Axes, optional
    limit : int
        Tiles to show at most, whole output channels; below them it says how many there are.
    title : str, optional

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ShapeError
        If ``w`` has another number of axes.

    Examples
    --------
    >>> import tinygraph as tg
    >>> ax = tg.plots.filters(tg.randn(8, 1, 3, 3))
    >>> len(ax.get_images())
    8
    """
    fix = "plots.weights for a matrix"
    weight = shaped("filters", "w", w, 3, 4, fix=fix)
    most = whole("plots.filters", "limit", limit, least=1)
    full = reach(weight)
    if weight.ndim == 3:
        weight = weight[:, :, None]
    out, into, height, width = weight.shape
    rows = min(out, max(1, most // into))
    across = into if into > 1 else math.ceil(math.sqrt(rows * 1.6 * height / width))
    tiles = list(weight[:rows].reshape(-1, height, width))
    wide, high = size_of(tiles, across, unit=min(0.62, 7 / across))
    ax = axes_for("filters", ax, wide + 1.2, high + 0.8)
    look = {"cmap": signed(), "vmin": -full, "vmax": full}
    for i, box in enumerate(lay_out(ax, tiles, across, **look)):
        frame(ax, box, STYLE.cluster_line, 0.8)
        if into > 1 and i % into == 0:
            middle = (box[2] + box[3]) / 2
            caption(ax, -0.15, middle, str(i // into), ha="right", va="center", color=STYLE.quiet)
    of = "" if rows == out else f"{rows} of {out} output channels"
    tidy(ax, title, of or ("input channel" if into > 1 else ""))
    if into > 1:
        ax.set_ylabel("output channel", labelpad=16, **type_of(color=STYLE.quiet))
    scale_bar(ax, ax.get_images()[0])
    return ax
