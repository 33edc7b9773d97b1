"""The nudge: change one input a little, run the graph again, compare with the gradient."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.errors import TinygraphError
from ..core.storage import Array
from ..core.tensor import Tensor
from .steps import Walk
from .text import clean, number

STEP = 0.01
AGAIN_DIFFERENT = ("random", "state", "opaque")
"""Kinds of ops that a second run would not repeat, or must not."""

CLOSE, ROUGH = 0.005, 0.2
"""Relative differences below which a prediction counts as right, and as bent."""


@dataclass(frozen=True, slots=True)
class Nudge:
    """What happened when one element of one leaf was changed.

    Attributes
    ----------
    leaf, name : Tensor, str
    place : str
        ``[0, 1]``, or "" for a single number.
    gradient, step : float
    before, after : float
        The element.
    value_before, value_after : float
        The output.
    """

    leaf: Tensor
    name: str
    place: str
    gradient: float
    step: float
    before: float
    after: float
    value_before: float
    value_after: float

    @property
    def predicted(self) -> float:
        """What the gradient says the output changes by."""
        return self.gradient * self.step

    @property
    def changed(self) -> float:
        """What it changed by, rounded where rounding errors begin."""
        change = self.value_after - self.value_before
        if change == 0 or not self.resolution or not math.isfinite(change):
            return change
        return round(change, -math.ceil(math.log10(self.resolution)))

    @property
    def resolution(self) -> float:
        """Changes of the output below this are rounding errors."""
        size = max(abs(self.value_before), abs(self.value_after))
        return 4 * float(np.finfo(self.leaf.dtype).eps) * size

    @property
    def digits(self) -> int:
        """How many significant digits show the change of the output."""
        size, change = abs(self.value_before), abs(self.changed)
        if not change or not size or not math.isfinite(size / change):
            return 5
        return min(max(5, 3 + math.ceil(math.log10(size / change))), 10)

    @property
    def off(self) -> float:
        """How far the prediction is from the truth, as a fraction of it."""
        size = max(abs(self.predicted), abs(self.changed))
        return abs(self.changed - self.predicted) / size if size else 0.0

    @property
    def is_rough(self) -> bool:
        """Whether the gradient says little about so large a step."""
        return self.off > ROUGH or not math.isfinite(self.changed)

    def verdict(self) -> str:
        """Return a remark on how well the prediction fits, "" if it fits well."""
        exact = abs(self.changed - self.predicted) <= 10 * self.resolution
        if exact or self.off <= CLOSE or not math.isfinite(self.off):
            return ""
        if not self.is_rough:
            return "What is left is the bend of the curve: half the nudge leaves a quarter of it."
        return "That is far off: the curve bends sharply here, or has a kink."


def nudge_of(walk: Walk) -> Nudge | str:
    """Nudge the element with the largest gradient; a sentence says why where that says nothing.

    The graph runs again on fresh values (:meth:`Graph.evaluate`); its tensors stay untouched.
    """
    for node in walk.graph.nodes:
        if node.op and node.op.kind in AGAIN_DIFFERENT:
            return f"No nudge: a second run of {clean(node.op.name)} could give something else."
    for given in walk.givens:
        if given.changed:
            return f"No nudge: {given.name} was changed after the forward pass."
    before = _weighted(walk, walk.output.data)
    if not math.isfinite(before):
        return f"No nudge: {walk.symbol} is {number(before)}, and a change of that has no size."
    found = _steepest(walk)
    if found is None:
        return "No nudge: no gradient is a finite number."
    leaf, index = found
    tried = None
    for step in _steps(float(leaf.data[index]), float(walk.flow.gradients[leaf][index]), walk):
        tried = _try(walk, leaf, index, step)
        if tried is None:
            return "No nudge: the graph does not run again on other values."
        if not tried.is_rough:
            break
    assert tried is not None
    if not math.isfinite(tried.value_after):
        return f"No nudge: {walk.symbol} is no finite number beside this place."
    return tried


def _try(walk: Walk, leaf: Tensor, index: tuple[int, ...], step: float) -> Nudge | None:
    """Run the graph with one element changed by ``step``; None if it cannot run."""
    fresh = np.array(leaf.data)
    fresh[index] += step
    try:
        after = _weighted(walk, walk.graph.evaluate(walk.output, {leaf: fresh}))
    except TinygraphError:
        return None
    return Nudge(
        leaf=leaf,
        name=walk.names.short(leaf),
        place=f"[{', '.join(map(str, index))}]" if leaf.ndim else "",
        gradient=float(walk.flow.gradients[leaf][index]),
        step=step,
        before=float(leaf.data[index]),
        after=float(fresh[index]),
        value_before=_weighted(walk, walk.output.data),
        value_after=after,
    )


def _steepest(walk: Walk) -> tuple[Tensor, tuple[int, ...]] | None:
    """Return the leaf and the place of the largest finite gradient."""
    best: Any = None
    for node in walk.graph.leaves:
        gradient = walk.flow.gradients.get(node.tensor)
        if gradient is None or gradient.size == 0 or not node.tensor.requires_grad:
            continue
        sizes = np.where(np.isfinite(gradient), np.abs(gradient), -1)
        place = int(sizes.argmax())
        size = float(sizes.reshape(-1)[place])
        if size >= 0 and (best is None or size > best[0]):
            index = tuple(int(i) for i in np.unravel_index(place, gradient.shape))
            best = size, node.tensor, index
    return None if best is None else best[1:]


def _weighted(walk: Walk, value: Array) -> float:
    """Return the one number that the gradients differentiate."""
    return float(np.sum(np.asarray(value, np.float64) * walk.flow.seeds[walk.output]))


def _steps(x: float, gradient: float, walk: Walk) -> list[float]:
    """Return steps to try: 0.01, in proportion to large inputs; then smaller ones.

    Only steps whose effect stands out from rounding, or the first that does.
    """
    scale = 10.0 ** math.floor(math.log10(abs(x))) if math.isfinite(x) and abs(x) >= 10 else 1.0
    eps = float(np.finfo(walk.output.dtype).eps)
    visible = 200 * eps * abs(_weighted(walk, walk.output.data))
    steps = [float(f"{STEP * scale * 10.0**-k:.0e}") for k in range(4)]
    if not math.isfinite(visible) or not gradient:
        return steps[:1]
    seen = [step for step in steps if abs(gradient * step) >= visible]
    return seen or [float(f"{STEP * scale * 10.0**k:.0e}") for k in (1,)]
