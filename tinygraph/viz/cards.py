"""Cards: header, value and gradient of one group."""

from __future__ import annotations

import re
from typing import Any

from ..core.graph import Graph
from ..core.tensor import Tensor
from .backward import Flow
from .content import content_of
from .costs import Costs
from .fold import Folding, Group
from .formula import FORMULA_LIMIT, describe_call, shortest_fit
from .heat import Heat
from .model import Card, Gradient, Number
from .modules import brief, describe_scope
from .names import Names
from .rules import bundles
from .text import TOOLTIP_LIMIT, clean, count, exact, shape, term, wrap

NOT_COMPUTED = Number("—", quiet=True)
STOPPED = Number("no gradient", quiet=True)
TERMS_LIMIT = 3
MESSAGE_WIDTH, MESSAGE_LINES = 44, 3
"""How much of an error's sentence a card shows; all of it is in the tooltip."""

_SENTENCES = re.compile(r" (?=Received |Fix: |In module )")
SYMBOL_LIMIT = 3


class CardWriter:
    """Writes the card of a group; knows the picture's view and names.

    Parameters
    ----------
    graph : Graph
    folding : Folding
    names : Names
    flow : Flow or None
    view : str
    with_gradients, with_values : bool
        Whether cards have these rows; values by default in the numbers view.
    costs : Costs, optional
        What cards say about bytes and time.
    heat : Heat, optional
        How cards are coloured.
    relative : bool
        Whether names of modules leave out the path of the frame around them.
    """

    def __init__(
        self, graph: Graph, folding: Folding, names: Names, flow: Flow | None, view: str,
        with_gradients: bool, with_values: bool | None = None, costs: Costs | None = None,
        heat: Heat | None = None, relative: bool = False,
    ) -> None:  # fmt: skip
        self.outputs = {folding.repeats.shown(t) for t in graph.outputs}
        self.failed = graph.outputs[0] if graph.failure is not None else None
        self.message = graph.failure.message if graph.failure is not None else ""
        self.folding = folding
        self.names = names
        self.flow = flow
        self.numbers = view == "numbers"
        self.with_values = self.numbers if with_values is None else with_values
        self.with_gradients = with_gradients
        self.costs = costs
        self.heat = heat
        self.relative = relative
        self.parameters = folding.scopes.all_parameters
        self.derivative_of = self._output_symbol(graph)
        self.readers: dict[Tensor, list[Group]] = {}
        for group in folding.groups:
            for x in group.uses:
                self.readers.setdefault(x, []).append(group)

    def write(self, group: Group, id_: str, cluster: int | None) -> Card:
        """Return the card of ``group``."""
        header, note, lines = self._texts(group)
        failed = self._holds_failure(group)
        single = len(group.exits) == 1 and group.kind != "rest" and not failed
        tensor = group.tensor
        heat: float | None = None
        alert: tuple[str, ...] = ()
        if failed:
            header, alert = f"✕ {header}", _message_lines(self.message)
        elif self.heat is not None and group in self.heat.levels:
            heat = self.heat.levels[group]
            lines = (*lines, self.heat.lines[group])
            alert = (self.heat.words[group],) if group in self.heat.words else ()
        if self.costs is not None and not failed:
            lines = (*lines, *self.costs.lines(group))
        return Card(
            id=id_,
            role="failed" if failed else self._role(group),
            header=header,
            note=note,
            lines=lines,
            value=content_of(tensor.data) if single and self.with_values else None,
            gradient=self._gradient(tensor) if single and self.with_gradients else None,
            tooltip=self._tooltip(group),
            cluster=cluster,
            alert=alert,
            heat=heat,
            stack=self.folding.run_of(group) is not None,
        )

    def _holds_failure(self, group: Group) -> bool:
        return self.failed is not None and self.folding.home[self.failed] is group

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
            header = name if name not in ("", "·") else kind
            copies = self.folding.repeats.copies(group.tensor)
            return f"{header} × {copies}" if copies > 1 and kind == "input" else header, note, ()
        if self._holds_failure(group):
            name = note = ""
        if group.kind == "closed" and group.scope and group.scope.kind == "module":
            return self._module_texts(group, name, note)
        made = self._made_by(group)
        run = self.folding.run_of(group)
        if run is not None:
            made = f"{made} × {run.times}"
        if len(group.exits) != 1:
            return made, "", tuple(shape(t.shape) for t in group.exits[:4])
        return (f"{name} = {made}" if name not in ("", "·") else made), note, ()

    def _module_texts(self, group: Group, name: str, note: str) -> tuple[str, str, tuple[str, ...]]:
        assert group.scope is not None
        frame = self.folding.frame_of(group) if self.relative else None
        run = self.folding.run_of(group)
        path = self.folding.path_around(frame)
        facts = describe_scope(group.scope, self.folding.scopes, run, path)
        facts = brief(facts) if self.relative else facts
        is_named = bool(name) and (self.numbers or bool(self.names.full(group.tensor)))
        header = f"{name} = {facts.name}" if is_named else facts.name
        rows = [(facts.kind, facts.parameters), (facts.calls,)]
        if run is not None:
            rows = [(facts.kind,), (facts.parameters, facts.calls)]
        lines = [" · ".join(x for x in row if x) for row in rows]
        if len(group.exits) != 1:
            note = ""
            lines.append(" ".join(shape(t.shape) for t in group.exits[:4]))
        return header, note, tuple(line for line in lines if line)

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
        elif group.scope is not None:
            lines.append("in " + clean(group.scope.path, TOOLTIP_LIMIT))
        if self._holds_failure(group):
            return "\n".join([*filter(None, lines), clean(self.message, TOOLTIP_LIMIT)])
        lines.append(f"{shape(tensor.shape)} {tensor.dtype}")
        if self.with_values and tensor.size == 1 and len(group.exits) == 1:
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
        is_short = self.derivative_of and len(symbol) <= SYMBOL_LIMIT
        label = self.derivative_by(tensor) if is_short else "∂"
        if not tensor.requires_grad:
            return Gradient(label, STOPPED)
        if self.flow is None:
            return Gradient(label, NOT_COMPUTED)
        gradient = self.flow.gradients.get(tensor)
        if gradient is None:
            return Gradient(label, STOPPED)
        return Gradient(label, content_of(gradient), self.terms(tensor))

    def derivative_by(self, tensor: Tensor) -> str:
        """Return what a gradient is called: ``∂f/∂x``."""
        return f"∂{self.derivative_of}/∂{self.names.short(tensor)}"

    def terms(self, tensor: Tensor) -> str:
        """Return the sum where several edges meet: ``−6 + (−9) =``."""
        assert self.flow is not None
        parts = [self.flow.seeds[tensor]] if tensor in self.flow.seeds else []
        for group in self.readers.get(tensor, ()):
            found = (self.flow.along(uses) for x, uses in bundles(group) if x is tensor)
            parts += [part for part in found if part is not None]
        if len(parts) < 2:
            return ""
        if tensor.size != 1:
            return f"sum of {len(parts)}"
        if len(parts) > TERMS_LIMIT:
            return f"Σ of {len(parts)} ="
        return " + ".join(term(p.item(), i == 0) for i, p in enumerate(parts)) + " ="


def _message_lines(message: str) -> tuple[str, ...]:
    """Return what must hold, what was received and the fix: each begins a line."""
    parts = _SENTENCES.split(message)
    return tuple(line for part in parts for line in wrap(part, MESSAGE_WIDTH, MESSAGE_LINES))
