"""A graph as lines of text: modules as a tree, every result once, referred to by its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..core.graph import Graph
from ..core.modes import Scope
from ..core.tensor import Tensor
from .calls import call_of
from .checks import check_count
from .fold import Folding, Group, fold
from .modules import describe_scope
from .names import Names
from .naming import names_of_steps
from .scopes import scope_chain
from .text import clean, count, middle_ellipsis, number, shape

LIMIT = 60
"""How many results are listed one by one."""

WIDEST, NARROWEST = 58, 24
"""Columns of a line up to its shape; deep inside a line keeps some room."""

GAP = "   "


@dataclass(slots=True)
class _Row:
    """One line, and the lines below it."""

    text: str
    size: str = ""
    note: str = ""
    rows: list[_Row] = field(default_factory=list)


def text_tree(graph: Graph, depth: int | None = None, limit: int | None = LIMIT) -> str:
    """Write a graph as text, see :meth:`Graph.to_text`."""
    check_count("to_text", "depth", depth, 0)
    check_count("to_text", "limit", limit, 1)
    folding = fold(graph, "architecture", depth, limit)
    names = names_of_steps([folding], graph.outputs, None, "to_text", 4)
    rows = _Lister(graph, folding, names).rows()
    return "\n".join([_heading(graph, folding), "", *_lines(rows)])


Graph.as_tree = staticmethod(text_tree)


def _heading(graph: Graph, folding: Folding) -> str:
    leaves = len(graph.leaves)
    size = sum(p.size for p in folding.scopes.all_parameters)
    parts = [
        count(len(graph.nodes) - leaves, "op"),
        f"{leaves} leaves" if leaves != 1 else "1 leaf",
    ]
    return "Graph: " + ", ".join([*parts, count(size, "param")] if size else parts)


class _Lister:
    """Puts the cards of a folding under the headings of their modules."""

    def __init__(self, graph: Graph, folding: Folding, names: Names) -> None:
        self.folding = folding
        self.names = names
        self.outputs = set(graph.outputs)
        self.uses: dict[Tensor, int] = {}
        for group in folding.groups:
            for x, uses in group.uses.items():
                self.uses[x] = self.uses.get(x, 0) + (len(uses) if group.kind == "op" else 1)
        self.leaves: dict[Scope | None, list[Group]] = {}
        for group in folding.groups:
            if group.kind == "leaf":
                self.leaves.setdefault(group.scope, []).append(group)

    def rows(self) -> list[_Row]:
        """Return the top rows; inputs come first, parameters first in their module."""
        top = [self._leaf(g) for g in self.leaves.get(None, ())]
        opened: list[tuple[Scope, _Row]] = []
        seen: set[Scope] = set()
        for group in self.folding.groups:
            if group.kind == "leaf":
                continue
            closed = group.kind == "closed" and group.scope
            chain = scope_chain(closed.parent if closed else group.scope)
            kept = 0
            while kept < min(len(chain), len(opened)) and opened[kept][0] is chain[kept]:
                kept += 1
            del opened[kept:]
            for scope in chain[kept:]:
                row = self._scope(scope, scope in seen)
                if scope not in seen:
                    row.rows += [self._leaf(g) for g in self.leaves.get(scope, ())]
                seen.add(scope)
                (opened[-1][1].rows if opened else top).append(row)
                opened.append((scope, row))
            (opened[-1][1].rows if opened else top).append(self._result(group))
        return top

    def _scope(self, scope: Scope, again: bool) -> _Row:
        facts = describe_scope(scope, self.folding.scopes)
        notes = ["continued"] if again else [facts.kind, facts.parameters, facts.calls]
        return _Row(facts.name, note=" · ".join(n for n in notes if n))

    def _leaf(self, group: Group) -> _Row:
        t = group.tensor
        kind = "input" if t.requires_grad else "constant"
        kind = "parameter" if t in self.folding.scopes.all_parameters else kind
        return _Row(self.names.short(t), _size(t), self._note(t, kind))

    def _result(self, group: Group) -> _Row:
        name = ", ".join(self.names.short(t) for t in group.exits)
        if group.kind == "rest":
            return _Row(f"{name} = … {count(len(group.nodes), 'node')} left out …")
        call, formula = call_of(group, self.names)
        made = call or formula
        assert made is not None
        sizes = ", ".join(_size(t) for t in group.exits[:3])
        notes = []
        if group.kind == "closed" and group.scope and group.scope.kind == "module":
            facts = describe_scope(group.scope, self.folding.scopes)
            notes = [facts.kind, facts.parameters, facts.calls]
        single = group.exits[0] if len(group.exits) == 1 else None
        note = self._note(single, *notes) if single is not None else " · ".join(notes)
        return _Row(f"{name} = {made.symbols()}", sizes, note)

    def _note(self, t: Tensor, *notes: str) -> str:
        used = self.uses.get(t, 0) + (t in self.outputs)
        last = f"used {used} times" if used > 1 else ""
        return " · ".join(n for n in (*notes, last) if n)


def _size(t: Tensor) -> str:
    """Return the value of a single number, else the shape."""
    return shape(t.shape) if t.shape or t.size != 1 else number(t.data.item())


def _lines(rows: Sequence[_Row]) -> list[str]:
    """Lay the rows out in columns; the tree is walked with a stack of its own."""
    found: list[tuple[str, _Row]] = []
    stack = [("", "", row) for row in reversed(rows)]
    while stack:
        here, below, row = stack.pop()
        room = max(WIDEST - len(here), NARROWEST)
        found.append((here + middle_ellipsis(clean(row.text, WIDEST), room), row))
        ends = ["├─ "] * (len(row.rows) - 1) + ["╰─ "] if row.rows else []
        inner = [(below + end, below + ("│  " if end == "├─ " else "   ")) for end in ends]
        stack += [(a, b, r) for (a, b), r in zip(inner[::-1], row.rows[::-1], strict=True)]
    wide = max((len(text) for text, _ in found), default=0)
    sizes = max((len(row.size) for _, row in found), default=0)
    lines = (
        f"{text.ljust(wide)}{GAP}{row.size.rjust(sizes)}{GAP}{row.note}" for text, row in found
    )
    return [line.rstrip() for line in lines]
