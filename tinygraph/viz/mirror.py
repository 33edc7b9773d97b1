"""The picture of a backward pass: the forward graph, and its gradients as a graph beside it.

Each card of the forward picture has one for its gradient; arrows go back, with the local
derivative on them. The gradients were recorded (`recorded`), so what a rule read is known.
"""

from __future__ import annotations

from dataclasses import replace

from ..core.graph import Graph
from ..core.modes import Scope
from ..core.tensor import Tensor
from .backward import Flow
from .cards import CardWriter
from .content import content_of
from .edges import EdgeWriter
from .fold import Folding, Group, fold_where
from .frames import clusters_of
from .model import Card, Cluster, Edge, Number, Picture
from .names import Names
from .recorded import Recorded, record_back
from .rules import bundles
from .scopes import ScopeTree
from .text import number, shape, subscript

FORWARD, BACKWARD = "forward", "backward"
OPS = "ops"
"""``backward="ops"`` opens every rule."""


class Mirror:
    """Draws a folded graph and, beside it, its backward pass.

    Parameters
    ----------
    graph : Graph
    folding : Folding
        Of the forward graph.
    flow : Flow
        The numbers on the edges.
    names : Names
    numbers : bool
        Whether cards show values.
    opened : bool
        Whether every op of a rule has a card.
    """

    def __init__(
        self, graph: Graph, folding: Folding, flow: Flow, names: Names, numbers: bool, opened: bool
    ) -> None:
        self.folding = folding
        self.flow = flow
        self.names = names
        self.numbers = numbers
        self.opened = opened
        self.around = Scope(BACKWARD, "gradients", None, None)
        self.recorded: Recorded = record_back(folding, flow.seeds, self.around)
        whole_graph = self.recorded.graph(graph.outputs)
        self.whole = self._fold(whole_graph)
        self.view = "numbers" if numbers else "architecture"
        self.cards = CardWriter(graph, folding, names, flow, self.view, False, relative=True)
        self.ids = {g: f"n{i}" for i, g in enumerate(folding.groups)}
        back = [g for g in self.whole.groups if self._is_back(g)]
        self.back_ids = {g: f"g{i}" for i, g in enumerate(back)}
        if opened:
            self._name_gradients()
            self.op_cards = CardWriter(whole_graph, self.whole, names, flow, self.view, False)

    def picture(self) -> Picture:
        """Return cards, edges and clusters."""
        clusters, homes = clusters_of(self.folding)
        inside = [
            replace(c, parent=0 if c.parent is None else c.parent + 1, level=c.level + 1)
            for c in clusters
        ]
        forward = Cluster(FORWARD, "", "the values", None, 0)
        backward = Cluster(BACKWARD, "", "the gradients", None, 0)
        write = self._op_card if self.opened else self._card
        return Picture(
            view=self.view,
            direction="",
            cards=[
                *(self.cards.write(g, i, homes.get(g, -1) + 1) for g, i in self.ids.items()),
                *(write(g, i, len(inside) + 1) for g, i in self.back_ids.items()),
            ],
            edges=[*self._forward_edges(), *self._back_edges(), *self._reads()],
            clusters=[forward, *inside, backward],
        )

    # ---- folding -----------------------------------------------------------------------------

    def _fold(self, whole: Graph) -> Folding:
        forward = {f for g in self.folding.groups for f in self.folding.frames_around(g)}

        def is_open(scope: Scope) -> bool:
            is_rule = scope.kind == "gradient"
            return scope is self.around or scope in forward or (is_rule and self.opened)

        return fold_where(whole, ScopeTree(whole), is_open)

    def _is_back(self, group: Group) -> bool:
        scope = group.scope
        while scope is not None and scope is not self.around:
            scope = scope.parent
        return scope is not None

    def _name_gradients(self) -> None:
        """Call the gradients ∂f/∂x, and what else the rules make g₁, g₂, …"""
        of = {g: t for t, g in self.recorded.gradients.items()}
        for seed in self.recorded.seeds.values():
            self.names.call(seed, number(seed.item()) if seed.size == 1 else "grad")
        others = 0
        for group in self.back_ids:
            for t in group.exits:
                others += t not in of
                known = self.cards.derivative_by(of[t]) if t in of else f"g{subscript(others)}"
                self.names.call(t, known)

    # ---- cards -------------------------------------------------------------------------------

    def _card(self, group: Group, id_: str, cluster: int) -> Card:
        """Write the gradient of one card of the forward picture."""
        assert group.scope is not None
        forward: Group = group.scope.owner
        made = [n.tensor for n in forward.nodes if n.tensor in self.recorded.gradients]
        shown = [t for t in forward.exits if t in self.recorded.gradients] or made[-1:]
        if len(shown) > 1 or not self.numbers:
            told = self.cards.write(forward, id_, None)
            lines = told.lines if forward.kind == "closed" else ()
            name = self.names.full(shown[0]) if len(shown) == 1 else ""
            header = f"∂ {name or told.header}"
            return Card(id_, "gradient", header, told.note, lines, cluster=cluster)
        gradient = self.recorded.gradients[shown[0]].data
        content, terms = content_of(gradient), self.cards.terms(shown[0])
        if isinstance(content, Number):
            content = Number(f"{terms} {content.text}".strip())
        note = shape(gradient.shape) if gradient.shape else ""
        label = self.cards.derivative_by(shown[0])
        return Card(id_, "gradient", label, note, value=content, cluster=cluster)

    def _op_card(self, group: Group, id_: str, cluster: int) -> Card:
        """Write one op of a rule."""
        return replace(self.op_cards.write(group, id_, cluster), role="gradient")

    # ---- edges -------------------------------------------------------------------------------

    def _forward_edges(self) -> list[Edge]:
        plain = EdgeWriter(self.folding, self.names, None, self.ids)
        return [e for g in self.folding.groups for e in plain.write(g)]

    def _back_edges(self) -> list[Edge]:
        if self.opened:
            return [
                Edge(self.back_ids[self.whole.home[x]], id_, tooltip=self._tooltip(x), kind="back")
                for group, id_ in self.back_ids.items()
                for x, _ in bundles(group)
                if self.whole.home[x] in self.back_ids
            ]
        mirrored = {g.scope.owner: i for g, i in self.back_ids.items() if g.scope is not None}
        writer = EdgeWriter(self.folding, self.names, self.flow, self.ids, named=self.numbers)
        found = []
        for back in writer.back.values():
            source, target = mirrored[back.group], mirrored[self.folding.home[back.source]]
            told = writer.told(back)
            found.append(replace(told, source=source, target=target, adds="", kind="back"))
        return found

    def _reads(self) -> list[Edge]:
        """Return which values of the forward pass the rules read."""
        pairs = {}
        for group, id_ in self.back_ids.items():
            for x in group.uses:
                home = self.folding.home.get(x)
                if home is not None:
                    pairs[self.ids[home], id_] = self._tooltip(x)
        return [Edge(a, b, tooltip=words, kind="reads") for (a, b), words in pairs.items()]

    def _tooltip(self, x: Tensor) -> str:
        return f"{self.names.tooltip(x)} {shape(x.shape)}".strip()
