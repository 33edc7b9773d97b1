"""The pictures' own backward pass: what every edge adds, and every local derivative.

Runs the engine's loop with a watcher. It reads the graph and writes nothing: ``.grad`` and
``.used`` stay as they are, and a graph that was used before is no obstacle.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..core.engine import collect, pull_back
from ..core.errors import GradientError, ShapeError, compose_message, describe
from ..core.modes import modes
from ..core.storage import Array
from ..core.tensor import Tensor

LEAVES = "leaves made with requires_grad=True"

Use = tuple[Tensor, int]
"""A tensor's result and the position of the input: one edge of the graph."""


class Recorder:
    """Keeps what each VJP returned, edge by edge, before anything is added up."""

    def __init__(self) -> None:
        self.parts: dict[Use, Array] = {}

    def after_forward(self, result: Any, op: Any, inputs: Any, attrs: Any) -> None:
        """Nothing to keep: a VJP's inner steps."""

    def before_vjps(self, result: Any) -> None:
        """Nothing to keep."""

    def after_vjp(self, result: Any, position: int, gradient: Any) -> None:
        self.parts[result, position] = gradient


@dataclass(slots=True)
class Flow:
    """The result of one backward pass.

    Attributes
    ----------
    gradients : dict
        The gradient of each tensor that was reached.
    parts : dict
        What each edge adds to the gradient of its source.
    seeds : dict
        The upstream gradients the pass started with.
    """

    gradients: dict[Tensor, Array] = field(default_factory=dict)
    parts: dict[Use, Array] = field(default_factory=dict)
    seeds: dict[Tensor, Array] = field(default_factory=dict)

    def along(self, uses: Iterable[Use]) -> Array | None:
        """Return what several edges add together; None if nothing flows there."""
        return total(self.parts, uses)


def total(parts: Mapping[Use, Array], uses: Iterable[Use]) -> Array | None:
    """Add the parts of some edges; None if none of them has any."""
    found = [parts[use] for use in uses if use in parts]
    return add_up(found) if found else None


def add_up(terms: Sequence[Array]) -> Array:
    """Add contributions, as quietly as a backward pass: ∞ − ∞ is NaN without a warning."""
    with np.errstate(all="ignore"):
        return sum(terms[1:], start=terms[0])


def flow_from(outputs: Sequence[Tensor], upstream: Any = None, who: str = "draw") -> Flow:
    """Run the backward pass from ``outputs``.

    Parameters
    ----------
    outputs : sequence of Tensor
        Where it starts; those that do not require grad are left out.
    upstream : Tensor, ndarray or sequence of them, optional
        One upstream gradient per output; 1 for outputs of one element.
    who : str
        Who asks, for errors.

    Raises
    ------
    GradientError
        If no output requires grad, or a VJP fails.
    ShapeError
        If an upstream gradient is missing for several elements or has another shape.
    VersionError
        If a value that a VJP needs was overwritten since the forward pass.
    """
    given = upstream if isinstance(upstream, list | tuple) else [upstream] * len(outputs)
    if len(given) != len(outputs):
        raise ShapeError(f"{who}: {len(outputs)} outputs but {len(given)} upstream gradients.")
    seeds: dict[Tensor, Array] = {}
    for output, g in zip(outputs, given, strict=True):
        if output.requires_grad:
            seeds[output] = _seed(output, g, who)
    if not seeds:
        raise GradientError(
            compose_message(
                f"{who}: a gradient needs an output that requires grad",
                describe(outputs[0]),
                ("gradients=False, or " if who == "draw" else "") + LEAVES,
            )
        )
    order, reached = collect(list(seeds))
    recorder = Recorder()
    with modes(watchers=(recorder,)):
        gradients = pull_back(order, reached, dict(seeds), reached)
    return Flow(gradients, recorder.parts, seeds)


def _seed(output: Tensor, given: Any, who: str) -> Array:
    if given is None and output.size == 1:
        return np.ones(output.shape, output.dtype)
    given = given.data if isinstance(given, Tensor) else given
    array = None if given is None else np.asarray(given)
    if array is None or array.shape != output.shape or array.dtype.kind not in "fiub":
        raise ShapeError(
            compose_message(
                f"{who}: grad= is the upstream gradient, of exactly the shape {output.shape}",
                "none" if array is None else describe(array),
                f"grad=np.ones(t.shape), or {who} a scalar such as t.sum()",
            )
        )
    return array.astype(output.dtype)


def local_parts(nodes: Sequence[Tensor], exit_: Tensor) -> dict[Use, Array]:
    """Return the derivative of a scalar result by each edge into its ``nodes``.

    The nodes' own VJPs run with an upstream gradient of 1. ``nodes`` are the one tensor
    itself, or all that a closed composite holds, in any order.
    """
    inside = sorted(nodes, key=lambda t: t.index, reverse=True)
    relevant = {x for t in inside for x in t.inputs if isinstance(x, Tensor) and x.requires_grad}
    recorder = Recorder()
    with modes(watchers=(recorder,)):
        pull_back(inside, relevant, {exit_: np.ones(exit_.shape, exit_.dtype)}, set())
    return recorder.parts
