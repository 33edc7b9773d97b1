"""What becomes one card: a single op, a leaf, a closed module or composite call, or a rest.

Scopes are calls, so their nodes were made one after the other: a closed scope never hides
a way out and back in, and the cards form a graph without cycles.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..core.graph import Graph
from ..core.modes import Scope
from ..core.tensor import Tensor
from .folded import Folding, Frame, Group
from .repeats import Repeats
from .scopes import ScopeTree

__all__ = ["DEFAULT_DEPTH", "Folding", "Frame", "Group", "default_rule", "fold", "fold_where"]

DEFAULT_DEPTH = 3
KEPT_AT_EACH_END = 20


def fold(
    graph: Graph,
    view: str,
    depth: int | None,
    limit: int | None,
    repeats: Repeats | None = None,
    kept: int = KEPT_AT_EACH_END,
) -> Folding:
    """Close scopes until at most ``limit`` cards are left; then keep only the two ends."""
    scopes = ScopeTree(graph)
    runs = repeats or Repeats()
    if depth is not None:
        return _fold_at(graph, scopes, _asked_rule(scopes, view, depth), depth, runs)
    folding = _fold_at(graph, scopes, default_rule(scopes, view), None, runs)
    if limit is None:
        return folding
    level = min(DEFAULT_DEPTH, max(scopes.level.values(), default=0))
    while len(folding.groups) > limit and level > 0:
        level -= 1
        folding = _fold_at(graph, scopes, _up_to(scopes, level), level, runs)
        folding.reduced = True
    return folding if len(folding.groups) <= limit else _keep_ends(graph, folding, limit, kept)


def fold_where(
    graph: Graph,
    scopes: ScopeTree,
    is_open: Callable[[Scope], bool],
    limit: int | None = None,
    repeats: Repeats | None = None,
) -> Folding:
    """Fold with these scopes open; keep only the two ends of more than ``limit`` cards."""
    folding = _fold_at(graph, scopes, is_open, None, repeats or Repeats())
    if limit is None or len(folding.groups) <= limit:
        return folding
    return _keep_ends(graph, folding, limit)


def default_rule(scopes: ScopeTree, view: str) -> Callable[[Scope], bool]:
    """Open modules three deep; composites stay closed, and in architecture plain layers too."""

    def is_open(scope: Scope) -> bool:
        if scope.kind != "module" or scopes.level[scope] >= DEFAULT_DEPTH:
            return False
        return view == "numbers" or scope in scopes.holds_modules

    return is_open


def _asked_rule(scopes: ScopeTree, view: str, depth: int) -> Callable[[Scope], bool]:
    """Open what lies less deep; in architecture plain layers last, after all that hold others."""
    layers = view == "numbers" or depth > scopes.deepest
    return lambda s: scopes.level[s] < depth and (layers or s in scopes.holds_modules)


def _up_to(scopes: ScopeTree, depth: int) -> Callable[[Scope], bool]:
    return lambda s: s.kind == "module" and scopes.level[s] < depth


def _fold_at(
    graph: Graph,
    scopes: ScopeTree,
    is_open: Callable[[Scope], bool],
    depth: int | None,
    repeats: Repeats,
) -> Folding:
    """Put every node into the card of its outermost closed scope, or into its own."""
    closed: dict[Scope | None, Scope | None] = {None: None}
    for scope in scopes.scopes:  # outer before inner
        around = closed[scope.parent]
        closed[scope] = around if around or is_open(scope) else scope
    by_scope: dict[Scope, Group] = {}
    home: dict[Tensor, Group] = {}
    groups: list[Group] = []
    for node in graph.nodes:
        if node.tensor in repeats.drawn:
            continue
        shut = closed[node.scope] if node.op else None
        group = by_scope.get(shut) if shut else None
        if group is None:
            group = Group("op" if node.op else "leaf", [], node.scope if node.op else None)
            groups.append(group)
            if shut:
                group.kind, group.scope, by_scope[shut] = "closed", shut, group
        group.nodes.append(node)
        home[node.tensor] = group
    groups = _place_leaves(scopes, groups, home, repeats)
    return _connect(graph, Folding(groups, home, scopes, depth, repeats=repeats))


def _place_leaves(
    scopes: ScopeTree, groups: list[Group], home: dict[Tensor, Group], repeats: Repeats
) -> list[Group]:
    """Move parameters into the module that owns them: into its card if it is closed."""
    around: dict[Tensor, Scope | None] = {}
    readers: dict[Tensor, set[Group]] = {}
    for reader in groups:
        for node in reader.nodes:
            for x in map(repeats.shown, node.inputs):
                if isinstance(x, Tensor) and x.op is None:
                    around[x] = scopes.common(around[x], node.scope) if x in around else node.scope
                    readers.setdefault(x, set()).add(reader)
    moved: set[Group] = set()
    for leaf, consumers in around.items():
        group = home[leaf]
        group.scope = scopes.home_of_leaf(leaf, consumers)
        if all(_owns(reader, leaf, scopes) for reader in readers[leaf]):
            home[leaf] = min(readers[leaf], key=lambda g: g.nodes[-1].index)
            home[leaf].nodes[:0] = group.nodes
            moved.add(group)
    return [g for g in groups if g not in moved]


def _owns(group: Group, leaf: Tensor, scopes: ScopeTree) -> bool:
    """Tell whether a closed call hides a leaf: its parameter or buffer, or a constant it made."""
    scope = group.scope if group.kind == "closed" else None
    return scope is not None and scopes.owns(scope, leaf)


def _connect(graph: Graph, folding: Folding) -> Folding:
    """Find what goes into and out of each group, and sort groups topologically."""
    home, shown = folding.home, folding.repeats.shown
    exits: dict[Group, dict[Tensor, None]] = {g: {} for g in folding.groups}
    for node in graph.nodes:
        if node.tensor in folding.repeats.drawn:
            continue
        group = home[node.tensor]
        for position, x in enumerate(map(shown, node.inputs)):
            if isinstance(x, Tensor) and home[x] is not group and not _hidden(x, group, folding):
                group.uses.setdefault(x, []).append((node.tensor, position))
                exits[home[x]][x] = None
    for output in map(shown, graph.outputs):
        exits[home[output]][output] = None
    for group in folding.groups:
        group.exits = sorted(exits[group], key=lambda t: t.index)
    folding.groups.sort(key=lambda g: g.nodes[-1].index)
    return folding


def _hidden(x: Tensor, group: Group, folding: Folding) -> bool:
    return x.op is None and _owns(group, x, folding.scopes)


def _keep_ends(graph: Graph, folding: Folding, limit: int, kept: int = KEPT_AT_EACH_END) -> Folding:
    """Merge all cards but the first and last few: an interval in time hides no way around."""
    kept = min(kept, max(1, (limit - 1) // 2))
    middle = folding.groups[kept:-kept]
    if not middle:
        return folding
    rest = Group("rest", sorted((n for g in middle for n in g.nodes), key=lambda n: n.index), None)
    for node in rest.nodes:
        folding.home[node.tensor] = rest
    ends = folding.groups[:kept], folding.groups[-kept:]
    for group in (*ends[0], *ends[1]):
        group.uses = {}
    groups = [*ends[0], rest, *ends[1]]
    merged = replace(folding, groups=groups, hidden=len(middle), reduced=False)
    return _connect(graph, merged)
