"""Arrays as the page shows them: a number, a small table, a heat map, or what remains of many."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from ...core.sizes import rms
from ...core.storage import Array
from ..content import HEAT_LIMIT, TABLE_LIMIT, content_of, sketch
from ..measure import text_width
from ..model import HeatMap, Matrix
from ..style import Style
from ..text import exact, number

Json = dict[str, Any]

CELL_SIZE = Style().number_size
CELL_ROOM = 9


class Contents:
    """Every array of the page as plain data, each written once.

    Attributes
    ----------
    items : list of dict
        ``kind`` is "empty", "number", "table", "heat" or "sketch". Numbers come twice: short,
        and ``exact`` with all their digits.
    """

    def __init__(self) -> None:
        self.items: list[Json] = []
        self._places: dict[Any, int] = {}
        self._kept: list[Array] = []

    def add(self, array: Array) -> int:
        """Return the place of an array in ``items``."""
        key = id(array)
        if key not in self._places:
            self._kept.append(array)  # an id is unique only while its object lives
            self._places[key] = self._place(as_json(array))
        return self._places[key]

    def _place(self, item: Json) -> int:
        key = repr(item)
        if key not in self._places:
            self._places[key] = len(self.items)
            self.items.append(item)
        return self._places[key]


def as_json(array: Array) -> Json:
    """Return an array as plain data.

    Examples
    --------
    >>> as_json(np.array(-2.5))
    {'kind': 'number', 'text': '−2.5', 'exact': '−2.5'}
    """
    if array.size == 0:
        return {"kind": "empty", "text": "empty"}
    if array.size == 1:
        value = array.reshape(-1)[0]
        return {"kind": "number", "text": number(value), "exact": exact(value)}
    if array.dtype.kind not in "fiub":
        return {"kind": "empty", "text": str(array.dtype)}
    table, at = _first_matrix(array)
    found = content_of(table)
    if isinstance(found, Matrix) and not at:
        texts = [[text for text, _ in row] for row in found.cells]
        levels = [[round(level, 2) for _, level in row] for row in found.cells]
        exacts = [[exact(v) for v in row] for row in table]
        widest = max(text_width(text, CELL_SIZE) for row in texts for text in row)
        return {"kind": "table", "rows": texts, "exact": exacts, "levels": _finite(levels),
                "cell": round(widest) + CELL_ROOM}  # fmt: skip
    facts = {**_facts(array), "text": brief(array)}
    if max(table.shape) > HEAT_LIMIT or table.size == 0:
        return {"kind": "sketch", **facts}
    levels = found.levels if isinstance(found, HeatMap) else _levels_of(found)
    size = [len(levels), len(levels[0])]
    return {"kind": "heat", "size": size, "levels": _packed(levels), "at": at, **facts}


def _levels_of(found: Any) -> list[list[float]]:
    """Return the levels of a small table; of a single number its sign."""
    if isinstance(found, Matrix):
        return [[level for _, level in row] for row in found.cells]
    return [[1.0]]


def _first_matrix(array: Array) -> tuple[Array, str]:
    """Return a matrix, and which one it is: ``[0, 0]`` of an array with more axes."""
    if array.ndim <= 2:
        return array.reshape(-1, array.shape[-1]), ""
    outer = array.ndim - 2
    return array[(0,) * outer], "" if array[..., 0, 0].size == 1 else f"[{', '.join('0' * outer)}]"


def _finite(levels: list[list[float]]) -> list[list[float | None]]:
    """JSON has no NaN."""
    return [[None if level != level else level for level in row] for row in levels]


def _packed(levels: list[list[float]]) -> str:
    """Return levels from −1 to 1 as a byte each: 0 for NaN, 1 to 255 with 128 as zero."""
    table = np.asarray(levels, np.float64)
    steps = np.where(np.isnan(table), 0, np.round(np.nan_to_num(table) * 127) + 128)
    return base64.b64encode(steps.astype(np.uint8).tobytes()).decode("ascii")


def _facts(array: Array) -> Json:
    """Return smallest, mean, largest and root mean square, short and exact."""
    short = sketch(array)
    values = array.astype(np.float64)
    with np.errstate(all="ignore"):
        found = array.min(), values.mean(), array.max(), rms(array)
    names = ("min", "mean", "max", "rms")
    texts = (short.smallest, short.mean, short.largest, number(found[3]))
    return {"facts": [[n, t, exact(v)] for n, t, v in zip(names, texts, found, strict=True)]}


def brief(array: Array) -> str:
    """Return an array in a few characters: the number, or its root mean square."""
    if array.size == 1:
        return number(array.reshape(-1)[0])
    return f"rms {number(rms(array), 3)}" if array.size else "empty"


def is_small(array: Array) -> bool:
    """Tell whether a card has room for every number."""
    return array.ndim <= 2 and max(array.shape, default=1) <= TABLE_LIMIT and array.size > 0
