"""Equal siblings, one after the other: found once, drawn once, with "× 12" beside them.

Siblings are what one module call holds: calls of modules and functions, and single ops. A run
is a pattern of siblings that repeats with the same ops, shapes and wiring, so that the first
period tells everything about the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..core.graph import Graph
from ..core.modes import Scope
from ..core.node import Node
from ..core.tensor import Tensor
from .scopes import ScopeTree, scope_chain

LONGEST_PERIOD = 16
FEWEST_BLOCKS, FEWEST_MODULES, FEWEST_OPS = 2, 3, 4
"""How often blocks of layers, layers, and plain ops must repeat before they are folded."""

Unit = Scope | Node
Use = tuple[int, int]
"""A node's place in its period, and which of its inputs."""


@dataclass(eq=False, slots=True)
class Repeat:
    """A run of equal periods, of which the first one is drawn.

    Attributes
    ----------
    times : int
    units : list of Scope or Node
        The siblings of the first period.
    last : Scope or Node
        The last sibling of the last period.
    parent : Scope or None
        The call that holds them all.
    """

    times: int
    units: list[Unit]
    last: Unit
    parent: Scope | None


@dataclass(slots=True)
class Repeats:
    """All runs of a graph.

    Attributes
    ----------
    runs : dict from Scope or Tensor to Repeat
        For each sibling (op by its result) of a first period: its run.
    drawn : dict from Tensor to Tensor
        For each result and leaf that is not drawn: the one that stands for it.
    """

    runs: dict[Scope | Tensor, Repeat] = field(default_factory=dict)
    drawn: dict[Tensor, Tensor] = field(default_factory=dict)
    _copies: dict[Tensor, list[Tensor]] = field(default_factory=dict)

    @property
    def stands_for(self) -> dict[Tensor, list[Tensor]]:
        """What is not drawn, by what stands for it."""
        if not self._copies:
            for hidden, shown in self.drawn.items():
                self._copies.setdefault(shown, []).append(hidden)
        return self._copies

    def copies(self, t: Tensor) -> int:
        """Return how many tensors one in the picture stands for."""
        return 1 + len(self.stands_for.get(t, ()))

    def shown(self, t: Any) -> Any:
        """Return what stands for an operand in the picture: itself, unless it is folded away."""
        return self.drawn.get(t, t) if isinstance(t, Tensor) else t


def find_repeats(graph: Graph, scopes: ScopeTree) -> Repeats:
    """Find the runs, outer ones first, and then those inside of what is drawn."""
    finder = _Finder(graph, scopes)
    found = Repeats()
    stack: list[Scope | None] = [None]
    while stack:
        parent = stack.pop()
        stack += [unit for unit in finder.fold(parent, found) if isinstance(unit, Scope)]
    for t in found.drawn:
        while found.drawn[t] in found.drawn:
            found.drawn[t] = found.drawn[found.drawn[t]]
    return found


class _Finder:
    """Knows the siblings of each call, what they look like, and who reads what."""

    def __init__(self, graph: Graph, scopes: ScopeTree) -> None:
        self.scopes = scopes
        self.siblings: dict[Scope | None, list[Unit]] = {None: []}
        self.nodes: dict[Scope, list[Node]] = {}
        self.readers: dict[Tensor, list[Any]] = {}
        for node in graph.nodes:
            if node.op is not None:
                self._place(node)
            for x in node.inputs:
                if isinstance(x, Tensor):
                    self.readers.setdefault(x, []).append(node.tensor)
        for output in graph.outputs:
            self.readers.setdefault(output, []).append(None)
        self._numbers: dict[Any, int] = {}
        self._labels: dict[Scope, int] = {}
        for scope in reversed(scopes.scopes):  # inner before outer
            self._labels[scope] = self._label_of_call(scope)

    def _place(self, node: Node) -> None:
        scope = node.scope
        self.siblings.setdefault(scope, []).append(node)
        while scope is not None:
            if scope not in self.nodes:
                self.nodes[scope] = []
                self.siblings.setdefault(scope.parent, []).append(scope)
            self.nodes[scope].append(node)
            scope = scope.parent

    def _label_of_call(self, scope: Scope) -> int:
        """Number what a call looks like from outside: its class, settings, ops and shapes."""
        extra = getattr(scope.owner, "extra_repr", None)
        is_module = scope.kind == "module"
        return self._number((
            type(scope.owner) if is_module else scope.path,
            extra() if is_module and callable(extra) else "",
            tuple(self._label(unit) for unit in self.siblings[scope]),
        ))  # fmt: skip

    def _label(self, unit: Unit) -> int:
        if isinstance(unit, Scope):
            return self._labels[unit]
        return self._number((unit.op, unit.shape, unit.tensor.dtype))

    def _number(self, key: Any) -> int:
        return self._numbers.setdefault(key, len(self._numbers))

    # ---- runs ------------------------------------------------------------------------------------

    def fold(self, parent: Scope | None, found: Repeats) -> list[Unit]:
        """Fold the siblings that one call holds, and return those that are drawn."""
        units = self.siblings[parent]
        labels = [self._label(unit) for unit in units]
        drawn: list[Unit] = []
        start = 0
        while start < len(units):
            period, periods = self._longest(units, labels, start)
            drawn += units[start : start + period]
            if len(periods) > 1:
                end = start + period * len(periods)
                run = Repeat(len(periods), units[start : start + period], units[end - 1], parent)
                for unit in run.units:
                    found.runs[unit if isinstance(unit, Scope) else unit.tensor] = run
                for other in periods[1:]:
                    found.drawn.update(other.twins)
            start += period * max(len(periods), 1)
        return drawn

    def _longest(
        self, units: list[Unit], labels: list[int], start: int
    ) -> tuple[int, list[_Period]]:
        """Return the period and the periods of the run from ``start`` that folds most away."""
        best: tuple[int, list[_Period]] = 1, []  # one sibling by itself
        for period in range(1, min(LONGEST_PERIOD, (len(units) - start) // 2) + 1):
            if len(best[1]) > 1 and period % best[0] == 0:
                continue
            if labels[start + period : start + 2 * period] != labels[start : start + period]:
                continue
            periods = self._equal(units, labels, start, period)
            longer = period * len(periods) > best[0] * len(best[1])
            if len(periods) >= self._fewest(units[start : start + period]) and longer:
                best = period, periods
        return best

    def _period(self, units: Sequence[Unit]) -> _Period:
        nodes = [n for u in units for n in (self.nodes[u] if isinstance(u, Scope) else [u])]
        first = units[0]
        return _Period(nodes, first.parent if isinstance(first, Scope) else first.scope)

    def _fewest(self, units: Sequence[Unit]) -> int:
        calls = [u for u in units if isinstance(u, Scope) and u.kind == "module"]
        if any(u in self.scopes.holds_modules for u in calls):
            return FEWEST_BLOCKS
        return FEWEST_MODULES if calls else FEWEST_OPS

    def _equal(
        self, units: list[Unit], labels: list[int], start: int, length: int
    ) -> list[_Period]:
        """Return as many periods, from the first on, as one picture can stand for."""
        periods = [self._period(units[start : start + length])]
        pattern = labels[start : start + length]
        chain: dict[Use, int] = {}
        first_ways: set[tuple[int, Any]] = set()
        for at in range(start + length, len(units), length):
            if labels[at : at + length] != pattern:
                break
            new = self._period(units[at : at + length])
            if not self._is_twin(periods, new, chain):
                break
            ways = self._ways_out(periods[-1], new)
            if len(periods) == 1:
                first_ways = ways
            elif ways != first_ways:  # what leads out here shows that this one is the last
                break
            periods.append(new)
        if not first_ways <= self._ways_out(periods[-1], None):
            periods.pop()
        return periods

    def _is_twin(self, periods: list[_Period], new: _Period, chain: dict[Use, int]) -> bool:
        """Tell whether a period repeats the first one, and note which leaf stands for which."""
        first, before = periods[0], periods[-1]
        for j, (node, twin) in enumerate(zip(first.nodes, new.nodes, strict=True)):
            if len(node.inputs) != len(twin.inputs):
                return False
            for position, (a, b) in enumerate(zip(node.inputs, twin.inputs, strict=True)):
                if not (isinstance(a, Tensor) and isinstance(b, Tensor)):
                    if type(a) is not type(b) or a != b:
                        return False
                    continue
                if a in first.places or b in new.places:
                    if first.places.get(a) != new.places.get(b):
                        return False
                    continue
                carried = before.places.get(b)
                if len(periods) == 1 and carried is not None:
                    chain[j, position] = carried
                if chain.get((j, position)) != carried or a.shape != b.shape:
                    return False
                if carried is None and a is not b and not self._is_own(b, a, new):
                    return False
            new.twins[twin.tensor] = node.tensor
        return True

    def _is_own(self, leaf: Tensor, twin: Tensor, period: _Period) -> bool:
        """Tell whether a leaf belongs to a period alone, as its twin does to the first one."""
        if leaf.op is not None or twin.op is not None or leaf.dtype != twin.dtype:
            return False
        if leaf.name != twin.name or leaf.requires_grad != twin.requires_grad:
            return False
        if any(reader not in period.places for reader in self.readers[leaf]):
            return False
        return period.twins.setdefault(leaf, twin) is twin

    def _ways_out(self, period: _Period, following: _Period | None) -> set[tuple[int, Any]]:
        """Return who reads which result of a period, beside the period and the one after it."""
        return {
            (j, self._seen_from(reader, period.parent))
            for j, node in enumerate(period.nodes)
            for reader in self.readers.get(node.tensor, ())
            if reader not in period.places and (following is None or reader not in following.places)
        }

    def _seen_from(self, reader: Tensor | None, parent: Scope | None) -> Any:
        """Return the outermost call around a reader that does not hold the run too."""
        around = set(scope_chain(parent))
        chain = scope_chain(reader.scope) if reader is not None else []
        return next((scope for scope in chain if scope not in around), reader)


class _Period:
    """The nodes of one period, in order, and what stands for each of them."""

    __slots__ = ("nodes", "parent", "places", "twins")

    def __init__(self, nodes: list[Node], parent: Scope | None) -> None:
        self.nodes = nodes
        self.parent = parent
        self.places: dict[Any, int] = {n.tensor: j for j, n in enumerate(nodes)}
        self.twins: dict[Tensor, Tensor] = {}
