"""Which modules are open: the pictures among which a reader of the page moves.

The browser cannot lay out a graph, so every set of open modules that the page offers is laid
out beforehand. Of a few modules all sets are; of many, each module can be opened from the first
picture, which may close others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from ...core.graph import Graph
from ...core.modes import Scope
from ...core.tensor import Tensor
from ..content import fits_in_table
from ..fold import DEFAULT_DEPTH, Folding, default_rule, fold_where
from ..scopes import ScopeTree, scope_chain

NUMBERS_CARDS = 40
"""More cards than this are not read number by number."""

FIRST_CARDS = 16
"""The first picture of modules is closed until it has at most so many cards: one screen."""

FEW_CARDS = 40
"""Whole depths with more cards than this are not offered."""

FREE_SETS = 24
"""Up to so many sets of open modules, every one has a picture."""

ALL_CARDS = 1000
"""About how many cards all pictures together may have."""

FOLDED_NODES = 400_000
"""Nodes times pictures: a huge graph has few pictures."""

Opened = frozenset[Scope]


@dataclass(frozen=True, slots=True)
class View:
    """One picture: which scopes are open, and the cards that are then seen."""

    opened: Opened
    folding: Folding


class Views:
    """The pictures of a graph.

    Attributes
    ----------
    scopes : ScopeTree
    openable : list of Scope
        Scopes that show something when they are opened.
    numbers : bool
        Whether cards show numbers: a small graph of small tensors.
    views : list of View
        The first one is shown first.
    left_out : list of Scope
        Scopes that stay closed, because there are too many.
    """

    def __init__(self, graph: Graph, depth: int | None, limit: int) -> None:
        self.graph = graph
        self.limit = limit
        self.scopes = ScopeTree(graph)
        self.openable = self._find_openable()
        self._inseparable = set(self.scopes.scopes) - set(self.openable)
        self._most = max(2, FOLDED_NODES // len(graph.nodes))
        self.numbers = True
        self.numbers, first = self._first(depth)
        self.views = self._choose(first)
        seen = {s for v in self.views for s in v.opened}
        self.left_out = [s for s in self.openable if s not in seen]

    def _find_openable(self) -> list[Scope]:
        """Modules with parameters or several ops, functions of several ops."""
        ops: dict[Scope, int] = dict.fromkeys(self.scopes.scopes, 0)
        for node in self.graph.nodes:
            for scope in scope_chain(node.scope if node.op else None):
                ops[scope] += 1
        return [s for s in self.scopes.scopes if ops[s] > 1 or self.scopes.parameters(s)]

    # ---- the first picture --------------------------------------------------------------------

    def _first(self, depth: int | None) -> tuple[bool, View]:
        """Numbers if there are few and small ones, else modules; closed until it is readable."""
        if depth is not None:
            view = self._to_depth(depth)
            return self._has_small_numbers(view), view
        view = self._by_rule("numbers")
        if self._has_small_numbers(view):
            return True, view
        self.numbers = False
        view = self._by_rule("architecture")
        level = min(DEFAULT_DEPTH, max(self.scopes.level.values(), default=0))
        while len(view.folding.groups) > FIRST_CARDS and level > 0:
            level -= 1
            view = self._view([s for s in view.opened if self.scopes.level[s] < level])
        return False, view

    def _by_rule(self, name: str) -> View:
        rule = default_rule(self.scopes, name)
        return self._view([s for s in self.openable if rule(s)])

    def _has_small_numbers(self, view: View) -> bool:
        groups = view.folding.groups
        shapes = {t.shape for g in groups for t in g.exits if isinstance(t, Tensor)}
        return len(groups) <= NUMBERS_CARDS and all(map(fits_in_table, shapes))

    def _to_depth(self, depth: int) -> View:
        return self._view({s for s in self.openable if self.scopes.level[s] < depth})

    def _view(self, opened: Collection[Scope]) -> View:
        """Fold with these scopes open, as far as the scopes around them are open, too.

        A module of one op is no secret: among numbers it is open, among modules it is a card.
        """
        kept: set[Scope] = set()
        for scope in self.scopes.scopes:  # outer before inner
            around = scope.parent is None or scope.parent in kept
            shown = self.numbers and scope.kind == "module" and scope in self._inseparable
            if around and (shown or scope in opened):
                kept.add(scope)
        folding = fold_where(self.graph, self.scopes, kept.__contains__, self.limit)
        return View(frozenset(kept - self._inseparable), folding)

    # ---- the others ------------------------------------------------------------------------------

    def _choose(self, first: View) -> list[View]:
        views = {first.opened: first}
        for opened in self._all_sets(first) or self._ways_from(first):
            if opened not in views:
                view = self._view(opened)
                if view.folding.hidden and not first.folding.hidden:
                    continue  # it would hide a part of what it opens
                views.setdefault(view.opened, view)
            cards = sum(len(v.folding.groups) for v in views.values())
            if cards > ALL_CARDS or len(views) > self._most:
                break
        return list(views.values())

    def _all_sets(self, first: View) -> list[Opened]:
        """Return every set that opening and closing leads to; none if there are too many."""
        found = {first.opened: None}
        queue = [first.opened]
        while queue:
            opened = queue.pop()
            for scope in self.openable:
                is_reachable = scope.parent is None or scope.parent in opened
                other = self._toggled(opened, scope) if is_reachable else opened
                if other not in found:
                    found[other] = None
                    queue.append(other)
            if len(found) > FREE_SETS:
                return []
        return list(found)

    def _toggled(self, opened: Opened, scope: Scope) -> Opened:
        if scope in opened:
            return frozenset(s for s in opened if scope not in scope_chain(s))
        return opened | {scope}

    def _ways_from(self, first: View) -> Iterator[Opened]:
        """Yield whole depths, then each module opened, or closed, alone; outer ones first."""
        level = self.scopes.level
        for depth in range(max(level.values(), default=-1) + 2):
            view = self._to_depth(depth)
            if depth <= 1 or len(view.folding.groups) <= FEW_CARDS:
                yield view.opened
        for scope in sorted(self.openable, key=lambda s: level[s]):
            if scope in first.opened:
                yield self._toggled(first.opened, scope)
            else:
                yield first.opened | set(scope_chain(scope))
