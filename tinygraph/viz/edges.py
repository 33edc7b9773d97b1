"""Edges: the way of a tensor into a card, and what comes back along it."""

from __future__ import annotations

import re

from ..core.tensor import Tensor
from . import rules
from .backward import Flow, Use
from .fold import Folding, Group
from .model import Edge
from .names import Names
from .rules import bundles, edges_back, rule_along, shapes_along
from .text import clean, number, shape

UPSTREAM = "G"
"""What rules call the upstream gradient."""

RULE_WIDTH = 28
_SUM = re.compile(r" [+−<>≤≥=≠] ")

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
    named : bool
        Whether rules are written with the operands' names, or as the record has them.
    with_shapes : bool
        Whether edges without numbers say what shape passes.
    """

    def __init__(
        self,
        folding: Folding,
        names: Names,
        flow: Flow | None,
        ids: dict[Group, str],
        failed: Tensor | None = None,
        named: bool = True,
        with_shapes: bool = False,
    ) -> None:
        self.folding = folding
        self.names = names
        self.ids = ids
        self.failed = failed
        self.named = named
        self.with_shapes = with_shapes
        self.back: dict[Key, rules.Edge] = {}
        if flow is not None:
            for edge in edges_back(folding.groups, flow):
                self.back[(*edge.uses[0], edge.group)] = edge

    def write(self, group: Group) -> list[Edge]:
        """Return the edges into ``group``, in the order of its operands."""
        return [self._edge(group, x, uses) for x, uses in bundles(group)]

    def _edge(self, group: Group, x: Tensor, uses: list[Use]) -> Edge:
        back = self.back.get((*uses[0], group))
        if back is not None:
            return self.told(back)
        meets = self.with_shapes or any(result is self.failed for result, _ in uses)
        return Edge(*self._ends(group, x), (shape(x.shape),) * meets, tooltip=self._tooltip(x))

    def told(self, back: rules.Edge) -> Edge:
        """Return an edge with what comes back along it: local derivative and contribution."""
        ends, tooltip = self._ends(back.group, back.source), self._tooltip(back.source)
        adds = f"◂ {number(back.contribution.item())}" if back.contribution.size == 1 else ""
        if back.local is None:
            local = self._rule(back.group, back.source, back.uses)
            return Edge(*ends, local=local, adds=adds, tooltip=tooltip)
        derivative = back.local.item()
        local = (f"× {number(derivative)}",)
        return Edge(*ends, local=local, adds=adds, dead=derivative == 0, tooltip=tooltip)

    def _ends(self, group: Group, x: Tensor) -> tuple[str, str]:
        return self.ids[self.folding.home[x]], self.ids[group]

    def _tooltip(self, x: Tensor) -> str:
        return f"{self.names.tooltip(x)} {shape(x.shape)}".strip()

    def _rule(self, group: Group, x: Tensor, uses: list[Use]) -> tuple[str, ...]:
        """Return the rule of an op's edge as text with shapes; composites show none."""
        rule, way = rule_along(group, uses, False, self.names, UPSTREAM)
        if rule is None:
            return ()
        text = rule.symbols() if self.named else rule.template
        if way == "elementwise":
            text = f"× ({text})" if _SUM.search(text) else f"× {text}"
        shapes = shapes_along(group, x, uses).replace(" ", "")
        return (clean(text, RULE_WIDTH), *[shapes] * ("→" in shapes))
