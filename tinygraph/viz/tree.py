"""A graph as lines of text: modules as a tree, every result once, referred to by its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from textwrap import wrap

from ..core.graph import Graph
from ..core.tensor import Tensor
from .calls import MANY, call_of
from .checks import check_count
from .fold import Folding, Frame, Group, fold
from .frames import cluster_of
from .modules import describe_scope
from .names import Names
from .repeats import find_repeats
from .scopes import ScopeTree
from .screen import fold_to_fit
from .text import clean, count, middle_ellipsis, number, shape
from .walk_names import names_of_steps

LIMIT = 60
"""How many results are listed one by one."""

WIDEST, NARROWEST = 58, 24
"""Columns of a line up to its shape; deep inside a line keeps some room."""

GAP = "   "
FAILED = "✕"
WIDTH, LONGEST_MESSAGE = 96, 600


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
    folding = _fold(graph, depth, limit)
    names = names_of_steps([folding], graph.outputs, None, "to_text", 4)
    for t, stands_for in folding.repeats.drawn.items():
        names.call(t, names.short(stands_for))
    rows = _Lister(graph, folding, names).rows()
    lines = [_heading(graph, folding), "", *_lines(rows)]
    if graph.failure is not None:
        lines += ["", *wrap(f"{FAILED} {clean(graph.failure.message, LONGEST_MESSAGE)}", WIDTH)]
    return "\n".join(lines)


Graph.as_tree = staticmethod(text_tree)


def _fold(graph: Graph, depth: int | None, limit: int | None) -> Folding:
    """Fold as the picture does, which fits on a screen, unless the reader asks for more."""
    if depth is not None or limit is None or graph.failure is not None:
        return fold(graph, "architecture", depth, limit)
    scopes = ScopeTree(graph)
    repeats = find_repeats(graph, scopes)
    folding = fold_to_fit(graph, scopes, repeats)
    if len(folding.groups) <= limit:
        return folding
    return fold(graph, "architecture", None, limit, repeats)


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
        self.failed = graph.outputs[0] if graph.failure is not None else None
        self.uses: dict[Tensor, int] = {}
        for group in folding.groups:
            for x, uses in group.uses.items():
                self.uses[x] = self.uses.get(x, 0) + (len(uses) if group.kind == "op" else 1)
        self.leaves: dict[Frame | None, list[Group]] = {}
        for group in folding.groups:
            if group.kind == "leaf":
                self.leaves.setdefault(folding.frame_of(group), []).append(group)

    def rows(self) -> list[_Row]:
        """Return the top rows; inputs come first, parameters first in their module."""
        top = [self._leaf(g) for g in self.leaves.get(None, ())]
        opened: list[tuple[Frame, _Row]] = []
        seen: set[Frame] = set()
        for group in self.folding.groups:
            if group.kind == "leaf":
                continue
            chain = self.folding.frames_around(group)
            kept = 0
            while kept < min(len(chain), len(opened)) and opened[kept][0] is chain[kept]:
                kept += 1
            del opened[kept:]
            for frame in chain[kept:]:
                row = self._frame(frame, frame in seen)
                if frame not in seen:
                    row.rows += [self._leaf(g) for g in self.leaves.get(frame, ())]
                seen.add(frame)
                (opened[-1][1].rows if opened else top).append(row)
                opened.append((frame, row))
            (opened[-1][1].rows if opened else top).append(self._result(group))
        return top

    def _frame(self, frame: Frame, again: bool) -> _Row:
        cluster = cluster_of(frame, self.folding)
        return _Row(cluster.title, note="continued" if again else cluster.details)

    def _leaf(self, group: Group) -> _Row:
        t = group.tensor
        kind = "input" if t.requires_grad else "constant"
        kind = "parameter" if t in self.folding.scopes.all_parameters else kind
        return _Row(self.names.short(t), self._size(t), self._note(t, kind))

    def _result(self, group: Group) -> _Row:
        name = ", ".join(self.names.short(t) for t in group.exits)
        if group.kind == "rest":
            return _Row(f"{name} = … {count(len(group.nodes), 'node')} left out …")
        made, *notes = self._made(group)
        if self.failed is not None and self.folding.home[self.failed] is group:
            return _Row(f"{FAILED} {made}", "failed", " · ".join(n for n in notes if n))
        sizes = ", ".join(self._size(t) for t in group.exits[:3])
        single = group.exits[0] if len(group.exits) == 1 else None
        note = self._note(single, *notes) if single is not None else " · ".join(notes)
        return _Row(f"{name} = {made}", sizes, note)

    def _made(self, group: Group) -> list[str]:
        """Return how a result was made; for a module also what it is."""
        run = self.folding.run_of(group)
        times = f" × {run.times}" if run else ""
        if group.kind == "closed" and group.scope and group.scope.kind == "module":
            inside = self.folding.path_around(self.folding.frame_of(group))
            facts = describe_scope(group.scope, self.folding.scopes, run, inside)
            operands = [self.names.short(x) for x in group.uses][:MANY]
            dots = ["…"] if len(group.uses) > MANY else []
            made = f"{facts.name.removesuffix(times)}({', '.join([*operands, *dots])}){times}"
            return [made, facts.kind, facts.parameters, facts.calls]
        call, formula = call_of(group, self.names)
        made_by = call or formula
        assert made_by is not None
        return [made_by.symbols() + times]

    def _size(self, t: Tensor) -> str:
        """Return the value of a single number, else the shape: of one that stands for many, too."""
        if t.shape or t.size != 1 or self.folding.repeats.copies(t) > 1:
            return shape(t.shape)
        return number(t.data.item())

    def _note(self, t: Tensor, *notes: str) -> str:
        used = self.uses.get(t, 0) + (t in self.outputs)
        last = f"used {used} times" if used > 1 else ""
        return " · ".join(n for n in (*notes, last) if n)


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
