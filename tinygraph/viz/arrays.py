"""Arrays as text: a number, a row, a small block with brackets, or what remains of many."""

from __future__ import annotations

from ..core.storage import Array
from .content import CELL_MARKS, sketch
from .text import number

ROW_LIMIT = 8
BLOCK_LIMIT = 6


def rows_of(array: Array, digits: int = 4) -> list[list[str]] | None:
    """Return the numbers of a vector or a matrix that is small enough to print, else None."""
    if array.size == 0 or array.ndim not in (1, 2):
        return None
    table = array.reshape(-1, array.shape[-1])
    limit = ROW_LIMIT if array.ndim == 1 else BLOCK_LIMIT
    if table.shape[1] > limit or table.shape[0] > BLOCK_LIMIT:
        return None
    texts = [[number(v, digits) for v in row] for row in table]
    return [[CELL_MARKS.get(text, text) for text in row] for row in texts]


def summary_of(array: Array, digits: int = 4) -> str:
    """Return many numbers in words.

    Examples
    --------
    >>> import numpy as np
    >>> summary_of(np.arange(100.0))
    'from 0 to 99, mean 49.5'
    """
    if array.size == 0:
        return "empty"
    found = sketch(array, digits)
    return f"from {found.smallest} to {found.largest}, mean {found.mean}"


def lines_of(array: Array, digits: int = 4) -> list[str]:
    """Return an array as aligned lines.

    Examples
    --------
    >>> import numpy as np
    >>> print("\\n".join(lines_of(np.array([[1.0, -2.5], [10.0, 0.0]]))))
    ⎡  1  −2.5 ⎤
    ⎣ 10     0 ⎦
    """
    if array.size == 1:
        return [number(array.reshape(-1)[0], digits)]
    rows = rows_of(array, digits)
    if rows is None:
        return [summary_of(array, digits)]
    if array.ndim == 1:
        return [f"[{', '.join(rows[0])}]"]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(t.rjust(w) for t, w in zip(row, widths, strict=True)) for row in rows]
    if len(lines) == 1:
        return [f"[ {lines[0]} ]"]
    sides = ["⎡⎤", *["⎢⎥"] * (len(lines) - 2), "⎣⎦"]
    return [f"{side[0]} {line} {side[1]}" for side, line in zip(sides, lines, strict=True)]
