"""The backward pass recorded as a graph: the records' own rules, run on tensors.

Every result of a rule is a node, so that it can be drawn, folded and differentiated like any
other. Nodes made on behalf of one card of the forward picture share a scope.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..core.engine import collect, pull_back
from ..core.graph import Graph
from ..core.modes import Scope, close_scope, modes, open_scope
from ..core.op import Op
from ..core.storage import Array
from ..core.tensor import Tensor
from .backward import Recorder
from .fold import Folding, Group

PASS_ON = Op(
    "pass on",
    lambda g: g,
    vjps=[lambda g, y, x: g],
    kind="view",
    label="=",
    formula="g",
    local=["1"],
)
"""What a rule does that returns the upstream gradient as it is: a step that can be seen."""


@dataclass(slots=True)
class Recorded:
    """A backward pass as a graph.

    Attributes
    ----------
    gradients : dict from Tensor to Tensor
        The gradient of each tensor that was reached.
    seeds : dict from Tensor to Tensor
        The upstream gradients that it started with: leaves.
    scopes : dict from Group to Scope
        What was done on behalf of each card of the forward picture.
    """

    gradients: dict[Tensor, Tensor] = field(default_factory=dict)
    seeds: dict[Tensor, Tensor] = field(default_factory=dict)
    scopes: dict[Group, Scope] = field(default_factory=dict)

    def graph(self, outputs: Sequence[Tensor]) -> Graph:
        """Return the graph of the gradients of all leaves, and of the outputs."""
        leaves = [g for t, g in self.gradients.items() if t.op is None]
        return Graph([*outputs, *leaves])


def record_back(folding: Folding, seeds: dict[Tensor, Array], around: Scope) -> Recorded:
    """Run the backward pass on tensors, each rule in the scope of the card that it belongs to.

    Raises
    ------
    GradientError
        If a rule cannot run on tensors: that of a ``tg.Function``.
    """
    found = Recorded()
    order, reached = collect(list(seeds))
    arriving: dict[Tensor, list[Tensor]] = {}
    for output, seed in seeds.items():
        found.seeds[output] = Tensor(seed, requires_grad=True)
        arriving[output] = [found.seeds[output]]
    leaves = sorted((t for t in reached if t.op is None), key=lambda t: t.index)
    with modes(grad_enabled=True):
        for t in [*order, *leaves]:
            if t not in arriving:
                continue
            group = folding.home[t]
            if group not in found.scopes:
                found.scopes[group] = Scope("gradient", "gradient", around, group)
            token = open_scope(found.scopes[group])
            try:
                found.gradients[t] = g = _total(arriving.pop(t))
                for x, part in _parts(t, g):
                    arriving.setdefault(x, []).append(part)
            finally:
                close_scope(token)
    return found


def _total(parts: list[Tensor]) -> Tensor:
    """Add what arrives; what arrives alone is passed on."""
    total: Any = PASS_ON(parts[0]) if len(parts) == 1 else parts[0]
    for part in parts[1:]:
        total = total + part
    return total  # type: ignore[no-any-return]


def _parts(t: Tensor, g: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Run the rules of one node: what it sends to each of its inputs."""
    wanted = {x for x in t.inputs if isinstance(x, Tensor) and x.requires_grad}
    if t.op is None or not wanted:
        return []
    recorder = Recorder()
    with modes(watchers=(recorder,)):
        pull_back([t], wanted, {t: g}, set(), create_graph=True)
    parts: Any = recorder.parts  # tensors, since the rules ran on tensors
    return [(t.inputs[position], part) for (_, position), part in parts.items()]
