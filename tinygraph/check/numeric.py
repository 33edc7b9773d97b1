"""Central differences, the analytic Jacobian beside them, and where the two differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.errors import GradientError
from ..core.grad import grad
from ..core.modes import current_modes, modes
from ..core.storage import Array
from ..core.tensor import Tensor
from .problem import Problem

STEP = 6e-6
"""Relative step of the central difference: about the cube root of float64's rounding unit."""

WORST = 5
"""How many wrong elements a report lists."""


@dataclass
class Difference:
    """One element of a Jacobian where analytic and numeric value disagree."""

    output: str
    element: str
    analytic: float
    numeric: float

    def __str__(self) -> str:
        ratio = f", ratio {self.analytic / self.numeric:.6g}" if self.numeric else ""
        difference = abs(self.analytic - self.numeric)
        return (
            f"∂{self.output}/∂{self.element}: analytic {self.analytic:.9g}, "
            f"numeric {self.numeric:.9g} (difference {difference:.2g}{ratio})"
        )


def flat_values(outputs: Sequence[Tensor]) -> Array:
    """Return all output values in one float64 vector."""
    return np.concatenate([np.asarray(o.data, np.float64).reshape(-1) for o in outputs])


def numeric_jacobian(
    function: Callable[[], Array], memory: Array, step: float | None = None
) -> Array:
    """Return the matrix of central differences: outputs by elements of ``memory``.

    Parameters
    ----------
    function : callable
        Reads ``memory`` and returns a flat float64 array.
    memory : ndarray
        Varied in place, element by element, and restored.
    step : float, optional
        Fixed step; by default ``6e-6 · max(1, |x|)``.
    """
    columns = []
    for place in np.ndindex(memory.shape):
        x = float(memory[place])
        h = STEP * max(1.0, abs(x)) if step is None else step
        memory[place] = x + h
        high, upper = memory[place], function()
        memory[place] = x - h
        low, lower = memory[place], function()
        memory[place] = x
        columns.append((upper - lower) / (high - low))
    size = columns[0].size if columns else function().size
    return np.array(columns).T.reshape(size, memory.size)


def analytic_jacobians(problem: Problem) -> list[Array]:
    """Return, for each leaf, the Jacobian by one backward pass per output element."""
    with read_only():
        outputs = problem.call()
        probes = [o * 1.0 if o.requires_grad else o for o in outputs]
        rows: list[list[Array]] = [[] for _ in problem.leaves]
        for probe in probes:
            for k in range(probe.size):
                one_hot = np.zeros(probe.size, probe.dtype)
                one_hot[k] = 1
                gradients = pull(probe, problem.leaves, one_hot.reshape(probe.shape))
                for row, g in zip(rows, gradients, strict=True):
                    row.append(g.reshape(-1))
    size = sum(o.size for o in outputs)
    return [
        np.array(row, np.float64).reshape(size, leaf.size)
        for row, leaf in zip(rows, problem.leaves, strict=True)
    ]


def pull(output: Tensor, leaves: Sequence[Tensor], g: Array) -> list[Array]:
    """Return the gradient of each leaf as an array; zeros where there is none."""
    found: Sequence[Any] = [None] * len(leaves)
    if output.requires_grad:
        found = grad(output, leaves, g, allow_unused=True)
    return [
        np.zeros(x.shape, x.dtype) if t is None else t.data
        for x, t in zip(leaves, found, strict=True)
    ]


def differences(
    problem: Problem, index: int, analytic: Array, numeric: Array, atol: float, rtol: float
) -> list[Difference]:
    """Return where two Jacobians by leaf ``index`` disagree, worst first."""
    with np.errstate(invalid="ignore"):
        error = np.abs(analytic - numeric)
        equal = (analytic == numeric) | (np.isnan(analytic) & np.isnan(numeric))
        wrong = ~(equal | (error <= atol + rtol * np.abs(numeric)))
    if not wrong.any():
        return []
    outputs = [
        f"output{o if len(shapes) > 1 else ''}{_at(place)}"
        for shapes in [[t.shape for t in problem.call()]]
        for o, shape in enumerate(shapes)
        for place in np.ndindex(shape)
    ]
    elements = [problem.names[index] + _at(p) for p in np.ndindex(problem.leaves[index].shape)]
    order = sorted(np.argwhere(wrong).tolist(), key=lambda p: -_size(error[tuple(p)]))
    return [
        Difference(outputs[o], elements[e], float(analytic[o, e]), float(numeric[o, e]))
        for o, e in order
    ]


def _size(error: float) -> float:
    return np.inf if np.isnan(error) else float(error)


def _at(place: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, place))}]" if place else ""


class _Freezer:
    """Makes results and gradients read-only, so that a VJP that writes into them fails."""

    def after_forward(self, result: Any, op: Any, inputs: Any, attrs: Any) -> None:
        if all(not isinstance(x, Tensor) or result._data is not x._data for x in inputs):
            result._data.flags.writeable = False

    def before_vjps(self, result: Any) -> None:
        """Nothing to do before."""

    def after_vjp(self, result: Any, position: int, gradient: Any) -> None:
        if isinstance(gradient, np.ndarray):
            gradient.flags.writeable = False


@contextmanager
def read_only() -> Iterator[None]:
    """Freeze every value and gradient made inside; name the op whose VJP writes into one."""
    try:
        with modes(watchers=(*current_modes().watchers, _Freezer())):
            yield
    except GradientError as error:
        if "read-only" not in str(error):
            raise
        raise GradientError(f"A VJP must not write into its arguments. {error}") from error
