"""Cards: header, value and gradient of one group."""

from __future__ import annotations

from typing import Any

from ..core.graph import Graph
from ..core.storage import Array
from ..core.tensor import Tensor
from .backward import Flow
from .content import content_of
from .fold import Folding, Group
from .formula import FORMULA_LIMIT, describe_call, shortest_fit
from .model import Card, Gradient, Number
from .modules import describe_scope
from .names import Names
from .text import TOOLTIP_LIMIT, clean, count, exact, shape, term

NOT_COMPUTED = Number("—", quiet=True)
STOPPED = Number("no gradient", quiet=True)
TERMS_LIMIT = 3
SYMBOL_LIMIT = 3


class CardWriter:
    """Writes the card of a group; knows the picture's view and names."""

    def __init__(
        self, graph: Graph, folding: Folding, names: Names, flow: Flow | None, view: str,
        with_gradients: bool,
    ) -> None:  # fmt: skip
        self.outputs = set(graph.outputs)
        self.folding = folding
        self.names = names
        self.flow = flow
        self.numbers = view == "numbers"
        self.with_gradients = with_gradients
        self.parameters = folding.scopes.all_parameters
        self.derivative_of = self._output_symbol(graph)
        self.readers: dict[Tensor, list[Group]] = {}
        for group in folding.groups:
            for x in group.uses:
                self.readers.setdefault(x, []).append(group)

    def write(self, group: Group, id_: str, cluster: int | None) -> Card:
        """Return the card of ``group``."""
        header, note, lines = self._texts(group)
        single = self.numbers and len(group.exits) == 1 and group.kind != "rest"
        tensor = group.tensor
        return Card(
            id=id_,
            role=self._role(group),
            header=header,
            note=note,
            lines=lines,
            value=content_of(tensor.data) if single else None,
            gradient=self._gradient(tensor) if single and self.with_gradients else None,
            tooltip=self._tooltip(group),
            cluster=cluster,
        )

    # ---- words -------------------------------------------------------------------------

    def _role(self, group: Group) -> str:
        if group.kind == "leaf":
            if group.tensor in self.parameters or type(group.tensor).__name__ == "Parameter":
                return "parameter"
            return "leaf" if group.tensor.requires_grad else "constant"
        if any(t in self.outputs for t in group.exits):
            return "output"
        if group.kind == "closed" and group.scope:
            return group.scope.kind
        return "result" if group.kind == "op" else "rest"

    def _texts(self, group: Group) -> tuple[str, str, tuple[str, ...]]:
        """Return header, note and small lines."""
        if group.kind == "rest":
            return f"… {count(len(group.nodes), 'node')} …", "", ("not drawn one by one",)
        name = self.names.short(group.tensor) if len(group.exits) == 1 else ""
        lengths = group.tensor.shape
        note = shape(lengths) if lengths else ""
        if group.kind == "leaf":
            kind = "parameter" if group.tensor in self.parameters else "input"
            return name if name != "·" else kind, note, ()
        if group.kind == "closed" and group.scope and group.scope.kind == "module":
            return self._module_texts(group, name, note)
        made = self._made_by(group)
        if len(group.exits) != 1:
            return made, "", tuple(shape(t.shape) for t in group.exits[:4])
        return (f"{name} = {made}" if name not in ("", "·") else made), note, ()

    def _module_texts(self, group: Group, name: str, note: str) -> tuple[str, str, tuple[str, ...]]:
        assert group.scope is not None
        facts = describe_scope(group.scope, self.folding.scopes)
        if not self.numbers:
            lines = (facts.parameters, facts.calls, facts.shapes)
            return facts.name, facts.kind, tuple(line for line in lines if line)
        header = f"{name} = {facts.name}" if name else facts.name
        details = " · ".join(x for x in (facts.kind, facts.parameters) if x)
        return header, note if name else "", tuple(x for x in (details, facts.calls) if x)

    def _made_by(self, group: Group) -> str:
        """Return the formula or call in the numbers view, sign and name in architecture."""
        if group.kind == "closed" and group.scope:
            path = clean(group.scope.path)
            operands = [self.names.short(x) for x in group.uses]
            return shortest_fit([f"{path}({', '.join(operands)})", path]) if self.numbers else path
        op: Any = group.nodes[0].op
        if not self.numbers:
            name = clean(op.name)
            named = self.names.short(group.tensor) != "·"
            is_sign = op.label != op.name and len(op.label) <= SYMBOL_LIMIT
            return f"{clean(op.label)}  {name}" if is_sign and not named else name
        node = group.nodes[0]
        operands = [self.names.short(x) for x in node.inputs]
        name = self.names.short(group.tensor) if len(group.exits) == 1 else ""
        room = FORMULA_LIMIT - max(0, len(name) - SYMBOL_LIMIT)
        return clean(describe_call(op, operands, node.attrs, max(room, 10)), FORMULA_LIMIT)

    def _tooltip(self, group: Group) -> str:
        """Return the full story of a card in lines."""
        if group.kind == "rest":
            return count(len(group.nodes), "node")
        tensor = group.tensor
        lines = [self.names.tooltip(tensor)]
        if group.kind == "closed" and group.scope:
            lines.append(describe_scope(group.scope, self.folding.scopes).tooltip)
        elif tensor.op is not None:
            formula = clean(tensor.op.formula, TOOLTIP_LIMIT)
            lines.append(clean(tensor.op.name, 60) + (f": {formula}" if formula else ""))
            if tensor.scope is not None:
                lines.append("in " + clean(tensor.scope.path, TOOLTIP_LIMIT))
        lines.append(f"{shape(tensor.shape)} {tensor.dtype}")
        if self.numbers and tensor.size == 1 and len(group.exits) == 1:
            lines.append(f"value {exact(tensor.item())}")
            gradient = self.flow.gradients.get(tensor) if self.flow else None
            if gradient is not None:
                lines.append(f"gradient {exact(gradient.item())}")
        return "\n".join(line for line in lines if line)

    # ---- gradients ---------------------------------------------------------------------

    def _output_symbol(self, graph: Graph) -> str:
        """Return what the gradients differentiate, if short enough for ``∂f/∂x``."""
        if not self.numbers or len(graph.outputs) != 1:
            return ""
        symbol = self.names.short(graph.outputs[0])
        return symbol if len(symbol) <= SYMBOL_LIMIT else ""

    def _gradient(self, tensor: Tensor) -> Gradient:
        symbol = self.names.short(tensor)
        label = f"∂{self.derivative_of}/∂{symbol}"
        if not self.derivative_of or len(symbol) > SYMBOL_LIMIT:
            label = "∂"
        if not tensor.requires_grad:
            return Gradient(label, STOPPED)
        if self.flow is None:
            return Gradient(label, NOT_COMPUTED)
        gradient = self.flow.gradients.get(tensor)
        if gradient is None:
            return Gradient(label, STOPPED)
        return Gradient(label, content_of(gradient), self._terms(tensor, gradient))

    def _terms(self, tensor: Tensor, gradient: Array) -> str:
        """Return the sum where several edges meet: ``−6 + (−9) =``."""
        assert self.flow is not None
        parts = [self.flow.seeds[tensor]] if tensor in self.flow.seeds else []
        for group in self.readers.get(tensor, ()):
            uses = group.uses[tensor]
            bundles = [[use] for use in uses] if group.kind == "op" else [uses]
            parts += [p for b in bundles if (p := self.flow.along(b)) is not None]
        if len(parts) < 2:
            return ""
        if tensor.size != 1:
            return f"sum of {len(parts)}"
        if len(parts) > TERMS_LIMIT:
            return f"Σ of {len(parts)} ="
        return " + ".join(term(p.item(), i == 0) for i, p in enumerate(parts)) + " ="
