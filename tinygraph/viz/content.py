"""How an array appears in a card: a number, a small table, a heat map or a sketch."""

from __future__ import annotations

import numpy as np

from ..core.storage import Array
from .model import Content, HeatMap, Matrix, Number, Sketch
from .text import number

TABLE_LIMIT = 4
HEAT_LIMIT = 32
CELL_MARKS = {"NaN": "✕"}


def fits_in_table(shape: tuple[int, ...]) -> bool:
    """Tell whether every number of an array can be printed in its card."""
    return len(shape) <= 2 and max(shape, default=1) <= TABLE_LIMIT


def content_of(array: Array) -> Content:
    """Choose by size: one element, up to 4×4, up to 32×32, or more.

    Examples
    --------
    >>> content_of(np.array(-2.5))
    Number(text='−2.5', quiet=False)
    >>> content_of(np.arange(1000.0))
    Sketch(smallest='0', mean='499.5', largest='999')
    """
    if array.size == 0:
        return Number("empty", quiet=True)
    if array.size == 1:
        return Number(number(array.reshape(-1)[0]))
    if array.ndim <= 2:
        table = array.reshape(-1, array.shape[-1])
        if fits_in_table(table.shape):
            return _matrix(table)
        if max(table.shape) <= HEAT_LIMIT:
            return HeatMap(_levels(table), number(_largest(table)))
    return sketch(array)


def _matrix(table: Array) -> Matrix:
    texts = [[number(v) for v in row] for row in table]
    return Matrix(
        [
            [(CELL_MARKS.get(text, text), level) for text, level in zip(*pair, strict=True)]
            for pair in zip(texts, _levels(table), strict=True)
        ]
    )


def _levels(table: Array) -> list[list[float]]:
    """Scale to −1 … 1, symmetric about 0; infinities are at the ends, NaN stays."""
    largest = _largest(table) or 1.0
    with np.errstate(all="ignore"):
        scaled = table.astype(np.float64) / largest
    rows: list[list[float]] = np.clip(scaled, -1.0, 1.0).tolist()
    return rows


def _largest(table: Array) -> float:
    """Return the largest finite magnitude."""
    finite = table[np.isfinite(table)]
    return float(np.abs(finite.astype(np.float64)).max()) if finite.size else 0.0


def sketch(array: Array, digits: int = 4) -> Sketch:
    """Return smallest, mean and largest of many numbers; NaN where there is one."""
    values = array.astype(np.float64)
    if np.isnan(values).any():
        return Sketch("NaN", "NaN", "NaN")
    with np.errstate(all="ignore"):
        found = values.min(), values.mean(), values.max()
    return Sketch(*(number(v, digits) for v in found))
