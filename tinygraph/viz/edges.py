"""Edges: the way of a tensor into a card, and what comes back along it."""

from __future__ import annotations

from ..core.tensor import Tensor
from . import rules
from .backward import Flow, Use
from .fold import Folding, Group
from .formula import describe_rule
from .model import Edge
from .names import Names
from .rules import bundles, edges_back
from .text import clean, number, shape

Key = tuple[Tensor, int, Group]
"""The first use of an edge and the card it enters."""


class EdgeWriter:
    """Writes the edges that enter a group: one per use of an op, one per tensor otherwise.

    Parameters
    ----------
    folding : Folding
    names : Names
    flow : Flow or None
        The backward pass whose numbers stand on the edges.
    ids : dict from Group to str
    failed : Tensor or None
        The call that failed: its edges say which shapes met there.
    """

    def __init__(
        self,
        folding: Folding,
        names: Names,
        flow: Flow | None,
        ids: dict[Group, str],
        failed: Tensor | None = None,
    ) -> None:
        self.folding = folding
        self.names = names
        self.ids = ids
        self.failed = failed
        self.back: dict[Key, rules.Edge] = {}
        if flow is not None:
            for edge in edges_back(folding.groups, flow):
                self.back[(*edge.uses[0], edge.group)] = edge

    def write(self, group: Group) -> list[Edge]:
        """Return the edges into ``group``, in the order of its operands."""
        return [self._edge(group, x, uses) for x, uses in bundles(group)]

    def _edge(self, group: Group, x: Tensor, uses: list[Use]) -> Edge:
        ends = self.ids[self.folding.home[x]], self.ids[group]
        tooltip = f"{self.names.tooltip(x)} {shape(x.shape)}".strip()
        back = self.back.get((*uses[0], group))
        if back is None:
            meets = any(result is self.failed for result, _ in uses)
            return Edge(*ends, local=(shape(x.shape),) if meets else (), tooltip=tooltip)
        adds = f"◂ {number(back.contribution.item())}" if back.contribution.size == 1 else ""
        if back.local is None:
            return Edge(*ends, local=self._rule(group, uses[0]), adds=adds, tooltip=tooltip)
        derivative = back.local.item()
        local = (f"× {number(derivative)}",)
        return Edge(*ends, local=local, adds=adds, dead=derivative == 0, tooltip=tooltip)

    def _rule(self, group: Group, use: Use) -> tuple[str, ...]:
        """Return the rule of an op's edge as text with shapes; composites show none."""
        result, position = use
        if group.kind != "op" or result.op is None:
            return ()
        operands = [self.names.short(x) for x in result.inputs]
        shapes = [x.shape if isinstance(x, Tensor) else () for x in result.inputs]
        made = self.names.short(result), result.shape
        lines = describe_rule(result.op, position, operands, shapes, made)
        return tuple(clean(line, 30) for line in lines)
