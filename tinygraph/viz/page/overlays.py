"""Two ways to colour cards: how large gradients are, and how much memory values keep."""

from __future__ import annotations

import math
from typing import Any

from ...core.sizes import EXPLODING, VANISHING, rms, size_in_words
from ..backward import Flow
from ..fold import Group
from ..text import number
from .contents import Json

DECADES = 6
"""The scale goes so many powers of ten down; what is smaller looks the same."""

UNITS = ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "kB"))


def gradient_overlay(groups: dict[str, Group], flow: Flow) -> Json:
    """Return the size of each card's gradient, on a scale of powers of ten.

    The reference is the gradient nearest to the output that is an array, or the output's own.
    """
    sizes: dict[str, float] = {}
    places: dict[str, int] = {}
    for id_, group in groups.items():
        found = [flow.gradients[t] for t in group.exits if t in flow.gradients]
        if group.kind != "rest" and found:
            sizes[id_] = max(rms(g) for g in found)
            places[id_] = group.tensor.index
    if not sizes:
        return {"cards": {}, "ticks": [], "words": []}
    arrays = [i for i in sizes if groups[i].tensor.size > 1 and groups[i].tensor.op is not None]
    last = max(arrays or sizes, key=lambda i: places[i])
    reference = sizes[last]
    low, high = _powers([s for s in sizes.values() if 0 < s < math.inf])
    cards = {
        i: {
            "level": _level(s, low, high),
            "text": number(s, 2),
            "word": size_in_words(s, reference),
        }
        for i, s in sizes.items()
    }
    explained = (
        f"Root mean square of the gradient. Vanishing: less than {number(VANISHING)} of "
        f"{number(reference, 2)}, the one nearest to the output; exploding: more than "
        f"{number(EXPLODING)} times as much."
    )
    return {"cards": cards, "ticks": _ticks(low, high), "words": [explained]}


def _powers(sizes: list[float]) -> tuple[int, int]:
    """Return powers of ten below and above, at least two apart."""
    if not sizes:
        return -1, 1
    low, high = math.floor(math.log10(min(sizes))), math.ceil(math.log10(max(sizes)))
    low = max(low, high - DECADES)
    return (low, high) if high - low >= 2 else (low - (high - low < 1), high + 1)


def _level(size: float, low: int, high: int) -> float:
    if not math.isfinite(size):
        return 1.0
    return round(max(0.0, (math.log10(size) - low) / (high - low)), 3) if size else 0.0


def _ticks(low: int, high: int) -> list[list[Any]]:
    step = max(1, math.ceil((high - low) / 4))
    return [[number(10.0**p), (p - low) / (high - low)] for p in range(low, high + 1, step)]


def memory_overlay(sizes: dict[str, int], total: int) -> Json:
    """Return the bytes that each card keeps for the backward pass; ``total`` is all of them."""
    most = max(sizes.values(), default=0)
    cards = {
        i: {"level": round(math.log1p(s) / math.log1p(most), 3) if most else 0.0,
            "text": bytes_text(s) if s else "", "word": ""}
        for i, s in sizes.items()
    }  # fmt: skip
    ticks = [["0", 0.0], [bytes_text(most), 1.0]] if most else [["0", 0.0]]
    words = (
        "Bytes that the backward pass keeps alive: results that some derivative reads. In all "
        f"{bytes_text(total)}; leaves live anyway."
    )
    return {"cards": cards, "ticks": ticks, "words": [words]}


def bytes_text(size: int) -> str:
    """Write an amount of memory.

    Examples
    --------
    >>> bytes_text(64), bytes_text(4096), bytes_text(3_300_000)
    ('64 B', '4 kB', '3.15 MB')
    """
    for unit, name in UNITS:
        if size >= unit:
            return f"{number(size / unit, 3)} {name}"
    return f"{size} B"
