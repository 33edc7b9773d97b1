"""Colours that tell how large gradients or values are, card by card, by powers of ten."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..core.sizes import EXPLODING, VANISHING, rms, size_in_words
from ..core.tensor import Tensor
from .backward import Flow
from .fold import Folding, Group
from .model import Scale
from .text import number

KINDS = ("gradients", "values")
LEAST_POWERS = 3
"""Gradients of nearly the same size are not told apart by strong colours."""


@dataclass(frozen=True, slots=True)
class Heat:
    """Colours and words for cards.

    Attributes
    ----------
    scale : Scale
    levels : dict from Group to float
        From 0, the smallest, to 1, the largest.
    lines : dict from Group to str
        The size as text.
    words : dict from Group to str
        What is conspicuous: "vanishing", "exploding", "zero", "not finite".
    """

    scale: Scale
    levels: dict[Group, float]
    lines: dict[Group, str]
    words: dict[Group, str]


def gradient_heat(folding: Folding, flow: Flow) -> Heat:
    """Colour cards by the root mean square of the gradient of what they give.

    It is compared with the gradient nearest to the output that is an array.
    """
    sizes: dict[Group, float] = {}
    for group in folding.groups:
        found = [flow.gradients[t] for t in group.exits if t in flow.gradients]
        if group.kind != "rest" and found:
            sizes[group] = max(map(rms, found))
    results = [g for g in sizes if g.kind != "leaf"]
    arrays = [g for g in results if g.tensor.size > 1]
    last = max(arrays or results or sizes, key=lambda g: g.tensor.index, default=None)
    reference = sizes[last] if last is not None else 0.0
    heat = _heat("gradients", "size of the gradient, by powers of ten", "∂", sizes)
    for group, size in sizes.items():
        word = size_in_words(size, reference)
        if word:
            heat.words[group] = word
    return heat


def value_heat(folding: Folding) -> Heat:
    """Colour cards by the root mean square of what they give."""
    sizes: dict[Group, float] = {}
    for group in folding.groups:
        if group.kind != "rest" and _is_numeric(group.tensor):
            sizes[group] = rms(group.tensor.data)
    heat = _heat("values", "size of the values, by powers of ten", "", sizes)
    for group, size in sizes.items():
        if size == 0 or not math.isfinite(size):
            heat.words[group] = size_in_words(size, 0.0)
    return heat


def _is_numeric(t: Tensor) -> bool:
    return t.dtype.kind in "fiub" and t.size > 0


def _heat(kind: str, words: str, prefix: str, sizes: dict[Group, float]) -> Heat:
    usable = [s for s in sizes.values() if 0 < s < math.inf]
    low = math.floor(math.log10(min(usable))) if usable else -1
    high = math.ceil(math.log10(max(usable))) if usable else 0
    low = min(low, high - LEAST_POWERS)
    levels = {group: _level(size, low, high) for group, size in sizes.items()}
    lines = {group: f"{prefix} rms {number(size, 2)}".strip() for group, size in sizes.items()}
    return Heat(Scale(kind, words, low, high), levels, lines, {})


def _level(size: float, low: int, high: int) -> float:
    """Place a size on the scale; rounded, so that another machine draws the same colour."""
    if not 0 < size < math.inf:
        return float(size != 0)
    return round((math.log10(size) - low) / (high - low), 2)


def explained() -> str:
    """Return what the words mean, for the reader of a picture."""
    return (
        f"vanishing: less than {number(VANISHING)} of the gradient nearest to the output; "
        f"exploding: more than {number(EXPLODING)} times as much"
    )
