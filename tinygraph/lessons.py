"""Two small runs that teach: why backward goes in topological order, and what zero_grad is for.

Each returns a :class:`Lesson`, which prints; its rows are the measurements.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .core.calls import checked_call
from .core.errors import UsageError, describe
from .core.grad import grad
from .core.leaves import tensor
from .core.modes import modes, no_grad
from .core.tensor import Tensor

__all__ = ["Lesson", "topological_order", "without_zero_grad"]

MOST_LEVELS = 16
"""The naive recursion visits 2¹⁷ tensors there."""

COLUMN_GAP = "   "


@dataclass(frozen=True, slots=True)
class Lesson:
    """A run with its measurements and what they say.

    Attributes
    ----------
    title : str
    columns : tuple of str
    rows : list of tuple of numbers
    words : tuple of str
        What to learn from it, a sentence each.
    """

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[float, ...]]
    words: tuple[str, ...]

    def __str__(self) -> str:
        table = [self.columns, *(tuple(_number(v) for v in row) for row in self.rows)]
        widths = [max(len(row[i]) for row in table) for i in range(len(self.columns))]
        lines = [
            "  " + COLUMN_GAP.join(cell.rjust(w) for cell, w in zip(row, widths, strict=True))
            for row in table
        ]
        return "\n".join([self.title, "", *lines, "", *self.words])

    __repr__ = __str__


def _number(value: float) -> str:
    """Write whole numbers with commas and the others with four digits."""
    text = f"{int(value):,}" if value == int(value) else f"{value:.4g}"
    return text.replace("-", "−")


# ---- topological order -------------------------------------------------------------------------


@checked_call
def topological_order(levels: int = 10) -> Lesson:
    """Count the visits of two backward passes through ``b = a + a``, ``c = b + b``, …

    A naive recursion follows every path: it comes to ``a`` once for each. The engine goes
    through the tensors newest first and comes to each once, when its gradient is complete.
    A third pass visits each tensor once as well, but in the order in which a depth-first
    search meets them: where paths of unequal length meet, it passes on half a gradient.

    Parameters
    ----------
    levels : int
        The longest chain, from 1 to 16.

    Raises
    ------
    UsageError
        If ``levels`` is not such a number.

    Examples
    --------
    >>> topological_order(3).rows
    [(1, 3, 2, 2.0), (2, 7, 3, 4.0), (3, 15, 4, 8.0)]
    """
    if not isinstance(levels, int) or isinstance(levels, bool) or not 1 <= levels <= MOST_LEVELS:
        raise UsageError(
            f"topological_order: levels is a whole number from 1 to {MOST_LEVELS}. "
            f"Received {describe(levels)}."
        )
    rows: list[tuple[float, ...]] = []
    for level in range(1, levels + 1):
        a, result = _doubled(level)
        naive = _Recursion()
        naive.visit(result, 1.0)
        counter = _Counter()
        with modes(watchers=(counter,)):
            (ours,) = grad(result, [a])
        assert naive.gradients[a] == ours.item()
        rows.append((level, naive.visits, counter.visits + 1, ours.item()))
    right, wrong = _skip()
    return Lesson(
        title="Why topological order matters:  b = a + a,  c = b + b,  and so on",
        columns=("levels", "visits: naive recursion", "in topological order", "gradient of a"),
        rows=rows,
        words=(
            f"Every level doubles the paths: the recursion makes {_number(rows[-1][1])} visits "
            f"where {_number(rows[-1][2])} are enough.",
            "In topological order a tensor is visited once, after everything that uses it: its",
            "gradient is then complete, and one multiplication passes it on.",
            "One visit alone is not enough. For b = a + a, c = b + b, f = b + c, a depth-first",
            f"search that visits each tensor once gives ∂f/∂a = {_number(wrong)}; "
            f"right is {_number(right)}.",
        ),
    )


def _doubled(levels: int) -> tuple[Tensor, Any]:
    a = tensor(1.0, requires_grad=True, dtype=np.float64, name="a")
    t: Any = a
    for _ in range(levels):
        t = t + t
    return a, t


def _skip() -> tuple[float, float]:
    """Return the gradient of f = b + c, c = b + b, b = a + a: right, and depth-first."""
    a, b = _doubled(1)
    f = b + (b + b)
    (right,) = grad(f, [a])
    search = _Recursion(once=True)
    search.gradients[f] = 1.0
    search.visit_once(f)
    return right.item(), search.gradients[a]


class _Recursion:
    """Backward passes that do not know the order: for comparison only."""

    def __init__(self, once: bool = False) -> None:
        self.visits = 0
        self.gradients: dict[Tensor, float] = {}
        self.done: set[Tensor] = set()

    def visit(self, t: Tensor, g: float) -> None:
        """Follow every path: right, but each path costs a visit."""
        self.visits += 1
        self.gradients[t] = self.gradients.get(t, 0.0) + g
        for x, part in _parts(t, g):
            self.visit(x, part)

    def visit_once(self, t: Tensor) -> None:
        """Visit each tensor once, as soon as it is met: too early for some."""
        self.done.add(t)
        for x, part in _parts(t, self.gradients[t]):
            self.gradients[x] = self.gradients.get(x, 0.0) + part
            if x not in self.done and x.op is not None:
                self.visit_once(x)


def _parts(t: Tensor, g: float) -> list[tuple[Tensor, float]]:
    """Return what each edge into ``t`` adds, by the rules of its record."""
    op: Any = t.op
    if op is None:
        return []
    arrays = [x.data for x in t.inputs]
    upstream = np.asarray(g, np.float64)
    return [
        (x, float(vjp(upstream, t.data, *arrays))) for x, vjp in zip(t.inputs, op.vjps, strict=True)
    ]


class _Counter:
    """Counts the results that the engine goes through."""

    def __init__(self) -> None:
        self.visits = 0

    def after_forward(self, result: Any, op: Any, inputs: Any, attrs: Any) -> None:
        """Not counted."""

    def before_vjps(self, result: Any) -> None:
        self.visits += 1

    def after_vjp(self, result: Any, position: int, gradient: Any) -> None:
        """Not counted."""


# ---- zero_grad -------------------------------------------------------------------------------


@checked_call
def without_zero_grad(steps: int = 10, lr: float = 0.1) -> Lesson:
    """Minimise (w − 3)² twice from w = 0: with ``zero_grad`` before each backward, and without.

    ``backward`` adds to ``.grad``. Without ``zero_grad`` each step uses the sum of all
    gradients so far: w runs past 3 and swings.

    Parameters
    ----------
    steps : int
        How many steps, from 1 to 1000.
    lr : float
        The learning rate.

    Raises
    ------
    UsageError
        If ``steps`` or ``lr`` is no such number.

    Examples
    --------
    >>> lesson = without_zero_grad(3)
    >>> [tuple(round(v, 3) for v in row) for row in lesson.rows]
    [(1, -6.0, 0.6, -6.0, 0.6), (2, -4.8, 1.08, -10.8, 1.68), (3, -3.84, 1.464, -13.44, 3.024)]
    """
    if not isinstance(steps, int) or isinstance(steps, bool) or not 1 <= steps <= 1000:
        raise UsageError(
            "without_zero_grad: steps is a whole number from 1 to 1000. "
            f"Received {describe(steps)}."
        )
    if not isinstance(lr, int | float) or isinstance(lr, bool) or not 0 < lr < float("inf"):
        raise UsageError(f"without_zero_grad: lr is a number above 0. Received {describe(lr)}.")
    right, wrong = _descend(steps, lr, True), _descend(steps, lr, False)
    rows: list[tuple[float, ...]] = [
        (step, *a, *b) for step, (a, b) in enumerate(zip(right, wrong, strict=True), 1)
    ]
    return Lesson(
        title=f"What happens without zero_grad:  w ← w − {lr:g} · w.grad,  f = (w − 3)²",
        columns=("step", "grad", "w with zero_grad", "grad, not zeroed", "w without"),
        rows=rows,
        words=(
            "backward() adds to .grad. With zero_grad, .grad is the slope at w, and w walks to 3.",
            "Without, .grad is the sum of all slopes so far: w runs past 3, and swings.",
        ),
    )


def _descend(steps: int, lr: float, zero: bool) -> list[tuple[float, float]]:
    """Return gradient and new parameter of each step."""
    w = tensor(0.0, requires_grad=True, dtype=np.float64, name="w")
    found = []
    for _ in range(steps):
        if zero:
            w.grad = None
        loss: Any = (w - 3) ** 2
        loss.backward()
        assert w.grad is not None
        with no_grad():
            w.data -= lr * w.grad
        found.append((float(w.grad), w.item()))
    return found
