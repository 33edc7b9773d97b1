"""Edges: the way of a tensor into a card, and what comes back along it."""

from __future__ import annotations

import numpy as np

from ..core.tensor import Tensor
from .backward import Flow, Use, local_parts, total
from .fold import Folding, Group
from .formula import describe_rule
from .model import Edge
from .names import Names
from .text import clean, number, shape


class EdgeWriter:
    """Writes the edges that enter a group: one per use of an op, one per tensor otherwise."""

    def __init__(
        self, folding: Folding, names: Names, flow: Flow | None, ids: dict[Group, str]
    ) -> None:
        self.folding = folding
        self.names = names
        self.flow = flow
        self.ids = ids

    def write(self, group: Group) -> list[Edge]:
        """Return the edges into ``group``, in the order of its operands."""
        parts = self._scalar_parts(group)
        edges = []
        for x, uses in group.uses.items():
            bundles = [[use] for use in uses] if group.kind == "op" else [uses]
            edges += [self._edge(group, x, bundle, parts) for bundle in bundles]
        return edges

    def _scalar_parts(self, group: Group) -> dict[Use, np.ndarray]:
        """Run the group's VJPs with an upstream gradient of 1 if its result is one number."""
        if self.flow is None or group.kind in ("leaf", "rest") or len(group.exits) != 1:
            return {}
        exit_ = group.exits[0]
        if exit_.size != 1 or exit_ not in self.flow.gradients:
            return {}
        return local_parts([n.tensor for n in group.nodes if n.op], exit_)

    def _edge(self, group: Group, x: Tensor, uses: list[Use], parts: dict[Use, np.ndarray]) -> Edge:
        ends = self.ids[self.folding.home[x]], self.ids[group]
        tooltip = f"{self.names.tooltip(x)} {shape(x.shape)}".strip()
        adds = self.flow.along(uses) if self.flow else None
        if adds is None:
            return Edge(*ends, tooltip=tooltip)
        local = total(parts, uses) if x.size == 1 else None
        if local is not None:
            derivative = local.item()
            return Edge(
                *ends,
                local=(f"× {number(derivative)}",),
                adds=f"◂ {number(adds.item())}",
                dead=derivative == 0,
                tooltip=tooltip,
            )
        return Edge(
            *ends,
            local=self._rule(group, uses[0]),
            adds=f"◂ {number(adds.item())}" if adds.size == 1 else "",
            tooltip=tooltip,
        )

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
