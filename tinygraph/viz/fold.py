"""What becomes one card: a single op, a leaf, a closed module or composite call, or a rest.

Scopes are calls, so their nodes were made one after the other: a closed scope never hides
a way out and back in, and the cards form a graph without cycles.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ..core.graph import Graph, Node
from ..core.modes import Scope
from ..core.tensor import Tensor
from .scopes import ScopeTree

DEFAULT_DEPTH = 3
KEPT_AT_EACH_END = 20


@dataclass(eq=False, slots=True)
class Group:
    """The nodes of one card.

    Attributes
    ----------
    kind : str
        ``"leaf"``, ``"op"``, ``"closed"`` (a scope) or ``"rest"``.
    nodes : list of Node
        In order of creation.
    scope : Scope or None
        The closed scope, or the scope the card lies in.
    exits : list of Tensor
        Results that other cards or the user see.
    uses : dict from Tensor to list of (result, position)
        What comes in from other cards, and where it goes.
    """

    kind: str
    nodes: list[Node]
    scope: Scope | None
    exits: list[Tensor] = field(default_factory=list)
    uses: dict[Tensor, list[tuple[Tensor, int]]] = field(default_factory=dict)

    @property
    def tensor(self) -> Tensor:
        """The one result, or the last."""
        return self.exits[-1] if self.exits else self.nodes[-1].tensor


@dataclass(slots=True)
class Folding:
    """A graph folded into groups, in topological order."""

    groups: list[Group]
    home: dict[Tensor, Group]
    scopes: ScopeTree
    depth: int | None
    hidden: int = 0
    reduced: bool = False


def fold(graph: Graph, view: str, depth: int | None, limit: int | None) -> Folding:
    """Close scopes until at most ``limit`` cards are left; then keep only the two ends."""
    scopes = ScopeTree(graph)
    if depth is not None:
        return _fold_at(graph, scopes, lambda s: scopes.level[s] < depth, depth)
    folding = _fold_at(graph, scopes, default_rule(scopes, view), None)
    if limit is None:
        return folding
    level = min(DEFAULT_DEPTH, max(scopes.level.values(), default=0))
    while len(folding.groups) > limit and level > 0:
        level -= 1
        folding = _fold_at(graph, scopes, _up_to(scopes, level), level)
        folding.reduced = True
    return folding if len(folding.groups) <= limit else _keep_ends(graph, folding, limit)


def fold_where(
    graph: Graph, scopes: ScopeTree, is_open: Callable[[Scope], bool], limit: int | None = None
) -> Folding:
    """Fold with these scopes open; keep only the two ends of more than ``limit`` cards."""
    folding = _fold_at(graph, scopes, is_open, None)
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


def _up_to(scopes: ScopeTree, depth: int) -> Callable[[Scope], bool]:
    return lambda s: s.kind == "module" and scopes.level[s] < depth


def _fold_at(
    graph: Graph, scopes: ScopeTree, is_open: Callable[[Scope], bool], depth: int | None
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
        shut = closed[node.scope] if node.op else None
        group = by_scope.get(shut) if shut else None
        if group is None:
            group = Group("op" if node.op else "leaf", [], node.scope if node.op else None)
            groups.append(group)
            if shut:
                group.kind, group.scope, by_scope[shut] = "closed", shut, group
        group.nodes.append(node)
        home[node.tensor] = group
    groups = _place_leaves(graph, scopes, groups, home)
    return _connect(graph, Folding(groups, home, scopes, depth))


def _place_leaves(
    graph: Graph, scopes: ScopeTree, groups: list[Group], home: dict[Tensor, Group]
) -> list[Group]:
    """Move parameters into the module that owns them: into its card if it is closed."""
    around: dict[Tensor, Scope | None] = {}
    readers: dict[Tensor, set[Group]] = {}
    for node in graph.nodes:
        for x in node.inputs:
            if isinstance(x, Tensor) and x.op is None:
                around[x] = scopes.common(around[x], node.scope) if x in around else node.scope
                readers.setdefault(x, set()).add(home[node.tensor])
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
    """Tell whether a closed module has the leaf as a parameter: the card hides it."""
    scope = group.scope if group.kind == "closed" else None
    return scope is not None and leaf in scopes.parameters(scope)


def _connect(graph: Graph, folding: Folding) -> Folding:
    """Find what goes into and out of each group, and sort groups topologically."""
    home = folding.home
    exits: dict[Group, dict[Tensor, None]] = {g: {} for g in folding.groups}
    for node in graph.nodes:
        group = home[node.tensor]
        for position, x in enumerate(node.inputs):
            if isinstance(x, Tensor) and home[x] is not group and not _hidden(x, group, folding):
                group.uses.setdefault(x, []).append((node.tensor, position))
                exits[home[x]][x] = None
    for output in graph.outputs:
        exits[home[output]][output] = None
    for group in folding.groups:
        group.exits = sorted(exits[group], key=lambda t: t.index)
    folding.groups.sort(key=lambda g: g.nodes[-1].index)
    return folding


def _hidden(x: Tensor, group: Group, folding: Folding) -> bool:
    return x.op is None and _owns(group, x, folding.scopes)


def _keep_ends(graph: Graph, folding: Folding, limit: int) -> Folding:
    """Merge all cards but the first and last few: an interval in time hides no way around."""
    kept = min(KEPT_AT_EACH_END, max(1, (limit - 1) // 2))
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
    hidden = len(middle)
    return _connect(graph, Folding(groups, folding.home, folding.scopes, folding.depth, hidden))
