"""Facts about module and composite calls that need their surroundings, found once."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ..core.graph import Graph
from ..core.modes import Scope
from ..core.tensor import Tensor


class ScopeTree:
    """The scopes of a graph: how deep each lies, what it owns, what goes in and out.

    Attributes
    ----------
    scopes : list of Scope
        Outer before inner.
    level : dict
        0 for the outermost.
    holds_modules : set of Scope
        The calls that contain a module call.
    children : dict from Scope to list of Scope
        The calls that each call contains.
    own_ops : Counter of Scope
        How many results a call made itself, outside of the calls it contains.
    deepest : int
        How deep the modules that hold modules go.
    calls : dict from Scope to (int, int)
        Which call of its module it is, of how many.
    entering, leaving : dict from Scope to list of Tensor
        Data (not parameters) that goes in, and results that come out.
    """

    def __init__(self, graph: Graph) -> None:
        self.scopes = graph.scopes
        self.level: dict[Scope, int] = {}
        self.holds_modules: set[Scope] = set()
        for scope in self.scopes:
            parent = scope.parent
            self.level[scope] = 0 if parent is None else self.level[parent] + 1
            if scope.kind == "module" and parent is not None:
                self.holds_modules.add(parent)
        self.children: dict[Scope, list[Scope]] = {}
        for scope in self.scopes:
            if scope.parent is not None:
                self.children.setdefault(scope.parent, []).append(scope)
        self.own_ops = Counter(node.scope for node in graph.nodes if node.op is not None)
        self.deepest = max((self.level[s] + 1 for s in self.holds_modules), default=0)
        self.calls = self._count_calls()
        self._leaves = {_memory(node.tensor): node.tensor for node in graph.leaves}
        self._owned: dict[int, set[Tensor]] = {}
        self._buffers: dict[int, set[Tensor]] = {}
        self.all_parameters: set[Tensor] = set()
        for scope in self.scopes:
            self.all_parameters |= self.parameters(scope)
        self.entering: dict[Scope, dict[Tensor, None]] = {s: {} for s in self.scopes}
        self.leaving: dict[Scope, dict[Tensor, None]] = {s: {} for s in self.scopes}
        self._find_traffic(graph)

    def _count_calls(self) -> dict[Scope, tuple[int, int]]:
        totals = Counter(id(s.owner) for s in self.scopes)
        seen: Counter[int] = Counter()
        calls = {}
        for scope in self.scopes:
            seen[id(scope.owner)] += 1
            calls[scope] = seen[id(scope.owner)], totals[id(scope.owner)]
        return calls

    def _find_traffic(self, graph: Graph) -> None:
        for node in graph.nodes:
            for x in node.inputs:
                if isinstance(x, Tensor) and not (x.scope is node.scope and x.op):
                    self._note(x, node.scope)
        for output in graph.outputs:
            self._note(output, None)

    def _note(self, x: Tensor, reader: Scope | None) -> None:
        """Note that ``x`` is read in ``reader``: it crosses all scopes that hold only one."""
        maker = x.scope if x.op else None
        shared = self.common(maker, reader)
        while maker is not shared and maker is not None:
            self.leaving[maker][x] = None
            maker = maker.parent
        while reader is not shared and reader is not None and x not in self.all_parameters:
            self.entering[reader][x] = None
            reader = reader.parent

    def parameters(self, scope: Scope) -> set[Tensor]:
        """Return the parameters of the module that was called."""
        return self._listed(scope, "parameters", self._owned)

    def _listed(self, scope: Scope, what: str, known: dict[int, set[Tensor]]) -> set[Tensor]:
        """Return what a module lists; leaves of the graph stand for what has their memory."""
        key = id(scope.owner)
        if key not in known:
            listing = getattr(scope.owner, what, None)
            is_module = scope.kind == "module" and callable(listing)
            listed = list(listing()) if is_module and listing else []
            known[key] = {self._leaves.get(_memory(t), t) for t in listed}
        return known[key]

    def owns(self, scope: Scope, leaf: Tensor) -> bool:
        """Tell whether a leaf is a parameter or buffer of a call, or a constant made in it."""
        if leaf in self.parameters(scope) or leaf in self._listed(scope, "buffers", self._buffers):
            return True
        made_here = scope.kind == "module" and leaf.index > scope.index
        return made_here and not leaf.requires_grad and not leaf.name

    def common(self, a: Scope | None, b: Scope | None) -> Scope | None:
        """Return the innermost scope that holds both."""
        while a is not b:
            if a is None or b is None:
                return None
            if self.level[a] >= self.level[b]:
                a = a.parent
            else:
                b = b.parent
        return a

    def home_of_leaf(self, leaf: Tensor, consumers: Scope | None) -> Scope | None:
        """Return the innermost module around all consumers that owns the leaf."""
        scope = consumers
        while scope is not None and not self.owns(scope, leaf):
            scope = scope.parent
        return scope


def _memory(t: Tensor) -> Any:
    """Return what two tensors have in common that hold the same numbers: plans copy leaves."""
    return t if t.size == 0 else (t.data.__array_interface__["data"][0], t.shape)


def scope_chain(scope: Scope | None) -> list[Scope]:
    """Return the scopes around, outermost first, and the scope itself."""
    chain = []
    while scope is not None:
        chain.append(scope)
        scope = scope.parent
    return chain[::-1]
