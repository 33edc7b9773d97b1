"""Cards as the page shows them: a few words on the card, and the full story beside it."""

from __future__ import annotations

from typing import Any

from ...core.graph import Graph
from ...core.modes import Scope
from ...core.node import Node
from ...core.tensor import Tensor
from ..calls import bind
from ..cards import CardWriter
from ..fold import Folding, Group
from ..kept import Kept
from ..modules import describe_scope
from ..notation import Notation
from ..steps import Forward, Walk
from ..text import TOOLTIP_LIMIT, clean, count, shape
from .contents import Contents, Json, brief, is_small
from .layout import card_size

READERS_LIMIT = 4


class Describer:
    """Describes the cards of walks that share names and backward pass.

    Attributes
    ----------
    cards : dict from str to dict
        Every card by its id; a card that several views show is described once.
    tensors : dict from str to dict
        What is known about each tensor that a card shows.
    ids : dict from Tensor to str
        What the page calls tensors.
    """

    def __init__(self, walk: Walk, contents: Contents, numbers: bool, openable: set[Scope]) -> None:
        self.openable = openable
        self.walk = walk
        self.contents = contents
        self.numbers = numbers
        self.graph: Graph = walk.graph
        self.kept = Kept(walk.graph)
        self.ids = {node.tensor: f"t{i}" for i, node in enumerate(walk.graph.nodes)}
        self.scopes = {scope: i for i, scope in enumerate(walk.folding.scopes.scopes)}
        self.full_names = self._full_names()
        self.cards: dict[str, Json] = {}
        self.tensors: dict[str, Json] = {}

    def _full_names(self) -> dict[Tensor, str]:
        """Return the whole name of each leaf: of a parameter the path that its model gives it."""
        paths: dict[Tensor, str] = {}
        for scope in self.walk.folding.scopes.scopes:
            listing = getattr(scope.owner, "named_parameters", None)
            if scope.parent is None and callable(listing):
                paths.update((t, name) for name, t in listing())
        return {
            node.tensor: clean(paths.get(node.tensor, ""), TOOLTIP_LIMIT)
            or self.walk.names.tooltip(node.tensor)
            or self.walk.names.short(node.tensor)
            for node in self.graph.leaves
        }

    def describe(self, walk: Walk, view: int) -> dict[Group, str]:
        """Describe all cards of one walk; return their ids."""
        steps = {step.group: step for step in walk.forward()}
        view_name = "numbers" if self.numbers else "architecture"
        args = (self.graph, walk.folding, walk.names, walk.flow, view_name)
        writer = CardWriter(*args, with_gradients=True)
        found: dict[Group, str] = {}
        for group in walk.folding.groups:
            id_ = found[group] = self._id(group, view)
            if id_ not in self.cards:
                self.cards[id_] = self._card(group, steps.get(group), writer, walk)
        return found

    def _id(self, group: Group, view: int) -> str:
        if group.kind == "rest":
            return f"rest{view}"
        if group.kind == "closed" and group.scope is not None:
            return f"s{self.scopes[group.scope]}"
        return self.ids[group.tensor]

    # ---- on the card -----------------------------------------------------------------------------

    def _card(self, group: Group, step: Forward | None, writer: CardWriter, walk: Walk) -> Json:
        told = writer.write(group, "", None)
        alone = group.tensor if len(group.exits) == 1 and group.kind != "rest" else None
        shows_value = alone is not None and (self.numbers or alone.size == 1)
        scope = group.scope if group.kind == "closed" else None
        note, lines = told.note, list(told.lines)
        if scope is not None and scope.kind == "module" and not self.numbers:
            note, lines = self._module_lines(group, walk.folding)
        card: Json = {
            "kind": group.kind,
            "role": told.role,
            "header": told.header,
            "note": note,
            "lines": lines,
            "exits": [self._tensor(t) for t in group.exits] if group.kind != "rest" else [],
            "value": None if alone is None or not shows_value else self.contents.add(alone.data),
            "gradient": self._gradient(alone, told.gradient, shows_value),
            "about": self._about(group, step, walk.folding),
            "tip": told.tooltip,
        }
        if scope is not None and scope in self.openable:
            card["opens"] = self.scopes[scope]
        card["size"] = card_size(card, self.contents.items)
        return card

    def _module_lines(self, group: Group, folding: Folding) -> tuple[str, list[str]]:
        """Return kind, and lines with the parameters and what comes out."""
        assert group.scope is not None
        facts = describe_scope(group.scope, folding.scopes)
        name = self.walk.names.short(group.tensor)
        shapes = facts.shapes if len(group.exits) == 1 else count(len(group.exits), "result")
        size = " · ".join(x for x in (facts.parameters, facts.calls) if x)
        return facts.kind, [x for x in (size, f"{name}  {shapes}") if x]

    def _gradient(self, t: Tensor | None, told: Any, shows_value: bool) -> Json | None:
        """Return label, content and the widest text of the gradient row."""
        if t is None:
            return None
        gradient = self.walk.flow.gradients.get(t)
        if gradient is None:
            if not shows_value:
                return None
            label = told.label if told is not None else f"∂{self.walk.symbol}"
            return {"label": label, "content": None, "text": "no gradient"}
        terms = told.terms if told is not None else ""
        text = f"{terms} {brief(gradient)}" if t.size == 1 else brief(gradient)
        label = told.label if told is not None else "∂"
        small = t.size == 1 or is_small(gradient)
        return {"label": label, "content": self.contents.add(gradient), "text": text.strip(),
                "table": small and t.size != 1}  # fmt: skip

    # ---- beside it ------------------------------------------------------------------------------

    def _tensor(self, t: Tensor) -> str:
        id_ = self.ids[t]
        if id_ not in self.tensors:
            gradient = self.walk.flow.gradients.get(t)
            self.tensors[id_] = {
                "name": self.walk.names.short(t),
                "full": self.full_names.get(t) or self.walk.names.tooltip(t),
                "shape": shape(t.shape) if t.shape else "one number",
                "dtype": str(t.dtype),
                "value": self.contents.add(t.data),
                "gradient": None if gradient is None else self.contents.add(gradient),
            }
        return id_

    def _about(self, group: Group, step: Forward | None, folding: Folding) -> list[list[str]]:
        """Return what is known, as label and text; what is empty is left out."""
        rows = [["role", self._role(group)]] if step is None else self._made(group, step)
        rows += [["module", self._place(group)], ["kept for backward", self._saved(group)]]
        rows.append(["made by the line", clean(Node(group.tensor).line, TOOLTIP_LIMIT)])
        if group.kind == "closed" and group.scope is not None:
            facts = describe_scope(group.scope, folding.scopes)
            rows.insert(0, ["what it is", facts.tooltip.replace("\n", " · ")])
        return [row for row in rows if row[1]]

    def _role(self, group: Group) -> str:
        if not group.tensor.requires_grad:
            return "a constant: no gradient is wanted"
        is_parameter = group.tensor in self.walk.folding.scopes.all_parameters
        return "a parameter" if is_parameter else "an input, a leaf of the graph"

    def _made(self, group: Group, step: Forward) -> list[list[str]]:
        n = Notation(self.walk.symbol, 4)
        op: Any = group.tensor.op if group.kind == "op" else None
        rows = []
        if op is not None:
            formula = bind(op.formula, group.tensor, self.walk.names, with_result=False)
            numbers = n.numbers(formula)
            rows = [
                ["op", f"{clean(op.name)}: {clean(op.formula, TOOLTIP_LIMIT)}"],
                ["here", n.symbols(formula).text],
                ["in numbers", numbers.text if numbers is not None else ""],
            ]
        elif step.formula is not None and group.kind == "closed":
            rows = [["formula", step.formula.symbols()]]
        inside = f"{count(step.inside, 'op')} inside" if group.kind != "op" else ""
        return [*rows, ["shapes", step.shapes], ["closed card", inside]]

    def _place(self, group: Group) -> str:
        scope = group.scope.parent if group.kind == "closed" and group.scope else group.scope
        return clean(scope.path, TOOLTIP_LIMIT) if scope is not None else ""

    def _saved(self, group: Group) -> str:
        """Say how many bytes are kept, and for whom."""
        if group.kind == "rest":
            return ""
        kept = [t for t in group.exits if t in self.kept.readers]
        inside = self.bytes_of(group)
        if group.kind == "closed":
            return f"{inside:,} bytes by the ops inside" if inside else "nothing"
        if not kept:
            return "nothing: no derivative reads it"
        readers = [self.walk.names.short(t) for t in self.kept.readers[kept[0]]]
        by = ", ".join(r for r in readers[:READERS_LIMIT] if r != "·") or "ops in closed modules"
        by += " …" if len(readers) > READERS_LIMIT else ""
        size = f"{inside:,} bytes" if inside else "0 bytes more, it lives anyway"
        return f"{size}; read by the derivatives of {by}"

    def bytes_of(self, group: Group) -> int:
        """Return the bytes that the results of a card keep for the backward pass."""
        return self.kept.bytes_of(node.tensor for node in group.nodes)
