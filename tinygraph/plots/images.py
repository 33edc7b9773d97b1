"""images: pictures in rows, with a word above each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.errors import ShapeError, compose_message, describe
from ..core.storage import Array
from ..ops.operands import whole
from .canvas import STYLE, axes_for, tidy
from .tiles import caption, frame, lay_out, size_of
from .values import shaped, values_of


def images(
    pictures: Any, captions: Sequence[Any] | None = None, ax: Any = None, *,
    marked: Any = None, columns: int = 12, title: str | None = None,
) -> Any:  # fmt: skip
    """Draw grey images, dark for large values, in rows, each with its caption.

    Parameters
    ----------
    pictures : Tensor or array, shape (N, H, W) or (N, 1, H, W)
        All on one scale from the smallest to the largest value.
    captions : sequence of str, optional
        One for each, such as the predicted classes.
    ax : matplotlib.axes.Axes, optional
    marked : array of bool (N,), optional
        Which have a bold caption and an orange frame, such as those predicted wrong.
    columns : int
        Images in a row.
    title : str, optional

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ShapeError
        If the pictures have another shape, or there is not a caption for each.

    Examples
    --------
    >>> import numpy as np, tinygraph as tg
    >>> ax = tg.plots.images(np.eye(4).reshape(1, 4, 4), ["a diagonal"])
    >>> [text.get_text() for text in ax.texts]
    ['a diagonal']
    """
    grey = shaped("images", "pictures", pictures, 3, 4, fix="x.reshape(-1, 8, 8)")
    if grey.ndim == 4 and grey.shape[1] != 1:
        raise ShapeError(
            compose_message(
                "plots.images: a picture has one channel", describe(pictures), "x.mean(axis=1)"
            )
        )
    grey = grey.reshape(len(grey), *grey.shape[-2:])
    texts = _texts(grey, captions)
    strange = _flags(grey, marked)
    across = min(whole("plots.images", "columns", columns, least=1), len(grey))
    room = 0.3 if captions is not None else 0.0
    wide, high = size_of(list(grey), across, room)
    ax = axes_for("images", ax, wide, high + (0.35 if title else 0.1))
    look = {"cmap": "gray_r", "vmin": np.nanmin(grey), "vmax": np.nanmax(grey)}
    for i, box in enumerate(lay_out(ax, list(grey), across, room, **look)):
        frame(
            ax, box, STYLE.gradient if strange[i] else STYLE.cluster_line, 2 if strange[i] else 0.8
        )
        if texts[i]:
            weight = {"fontweight": "bold", "color": STYLE.gradient} if strange[i] else {}
            caption(ax, (box[0] + box[1]) / 2, box[2] - 0.04, texts[i], **weight)
    return tidy(ax, title)


def _texts(grey: Array, captions: Any) -> list[str]:
    if captions is None:
        return [""] * len(grey)
    texts = [str(c) for c in captions]
    if len(texts) != len(grey):
        raise ShapeError(f"plots.images: {len(texts)} captions for {len(grey)} pictures.")
    return texts


def _flags(grey: Array, marked: Any) -> Array:
    if marked is None:
        return np.zeros(len(grey), bool)
    flags = np.asarray(values_of("images", "marked", marked) != 0)
    if flags.shape != (len(grey),):
        raise ShapeError(
            compose_message(
                f"plots.images: marked has one value for each of {len(grey)} pictures",
                describe(flags),
            )
        )
    return flags
