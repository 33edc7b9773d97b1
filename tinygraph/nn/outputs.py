"""module_outputs: what leaves each module on the way to a result, read from its graph."""

from __future__ import annotations

from ..core.graph import Graph
from ..core.modes import Scope
from ..core.tensor import Tensor
from .module import Module


def module_outputs(model: Module, result: Tensor) -> list[tuple[str, Module, Tensor]]:
    """Return path, module and tensor of every result that leaves the module it was made in.

    Parameters
    ----------
    model : Module
    result : Tensor
        What the model gave, or a loss made of it; recorded.

    Returns
    -------
    list of (str, Module, Tensor)
        Oldest first. A module that passes on what a module inside it made has none of its
        own; one that is called twice has two.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> model = nn.Linear(2, 3) >> nn.Residual(nn.Tanh())
    >>> [(path, type(m).__name__) for path, m, _ in module_outputs(model, model(tg.ones(1, 2)))]
    [('0', 'Linear'), ('1.f', 'Tanh'), ('1', 'Residual')]
    """
    paths = {module: name or type(model).__name__ for name, module in model.named_modules()}
    graph = Graph([result])
    homes = {node.tensor: _home(node.scope) for node in graph.nodes if node.op}
    leaving = {result: None}
    for source, target, _ in graph.edges:
        if source.op and not _inside(homes[target.tensor], homes[source.tensor]):
            leaving[source.tensor] = None
    found = []
    for tensor in sorted(leaving, key=lambda t: t.index):
        home = homes.get(tensor)
        if home is not None and home.owner in paths:
            found.append((paths[home.owner], home.owner, tensor))
    return found


def _home(scope: Scope | None) -> Scope | None:
    """Return the innermost module call around."""
    while scope is not None and scope.kind != "module":
        scope = scope.parent
    return scope


def _inside(scope: Scope | None, outer: Scope | None) -> bool:
    """Tell whether a call happened within another (or is the same)."""
    if outer is None:
        return True
    while scope is not None and scope is not outer:
        scope = scope.parent
    return scope is outer
