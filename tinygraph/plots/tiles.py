"""Small images in rows and columns of one pair of axes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..core.storage import Array
from .canvas import STYLE, bare, type_of

GAP = 0.12
"""Between tiles, as a share of their width."""


def lay_out(
    ax: Any, tiles: Sequence[Array], columns: int, room: float = 0.0, **look: Any
) -> Iterator[tuple[float, float, float, float]]:
    """Draw the tiles row by row; yield left, right, top and bottom of each.

    ``room`` is left above each tile for a caption, as a share of its width; ``look`` goes to
    ``imshow``. Coordinates count tiles, downwards.
    """
    high = tiles[0].shape[0] / tiles[0].shape[1]
    boxes = []
    for i, tile in enumerate(tiles):
        left = (i % columns) * (1 + GAP)
        top = (i // columns) * (high + room + GAP) + room
        box = (left, left + 1, top, top + high)
        ax.imshow(
            np.ma.masked_invalid(tile), interpolation="nearest", **look,
            extent=(box[0], box[1], box[3], box[2]),
        )  # fmt: skip
        boxes.append(box)
    bare(ax)
    ax.set(
        xlim=(-GAP, max(b[1] for b in boxes) + GAP), ylim=(boxes[-1][3] + GAP, -GAP),
        aspect="equal",
    )  # fmt: skip
    yield from boxes


def size_of(
    tiles: Sequence[Array], columns: int, room: float = 0.0, unit: float = 0.72
) -> tuple[float, float]:
    """Return width and height in inches if a tile is ``unit`` wide."""
    rows = -(-len(tiles) // columns)
    high = tiles[0].shape[0] / tiles[0].shape[1]
    return unit * (columns * (1 + GAP) + GAP), unit * (rows * (high + room + GAP) + GAP)


def frame(ax: Any, box: tuple[float, float, float, float], color: str, width: float) -> None:
    """Draw a line around a tile."""
    left, right, top, bottom = box
    ax.plot(
        [left, right, right, left, left], [top, top, bottom, bottom, top], color=color,
        linewidth=width, clip_on=False, solid_joinstyle="miter",
    )  # fmt: skip


def caption(ax: Any, x: float, y: float, text: str, **look: Any) -> None:
    """Write above (or beside) a tile."""
    font = type_of(STYLE.small_size - 1, look.pop("color", STYLE.ink))
    ax.text(x, y, text, **{"ha": "center", "va": "bottom", **font, **look})
