"""The graph as code can walk it: nodes in order, leaves, edges, scopes, and evaluation.

Pictures, explanations and plans read a Graph and never the tensors' slots.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from .errors import ShapeError, UsageError, compose_message, describe
from .failure import Failure
from .modes import Scope
from .node import Node
from .op import Op
from .structure import cast
from .tensor import Tensor


class Graph:
    """The graph below some tensors.

    Attributes
    ----------
    outputs : tuple of Tensor
        Where it ends.
    nodes : list of Node
        All of them, leaves too, in topological order (the order of creation).
    failure : Failure or None
        Why it ends where it ends, for the graph of an error: the output is then the call
        that failed, and has no value.
    timer : callable or None
        Returns the seconds that each op's result takes, where who made the graph runs its ops.

    Examples
    --------
    >>> import tinygraph as tg
    >>> x, y = tg.variables(x=2, y=3)
    >>> graph = tg.graph((x + y) * x)
    >>> [node.op.name for node in graph.nodes if node.op]
    ['add', 'mul']
    >>> graph.counts
    {'add': 1, 'mul': 1}
    """

    as_tree: ClassVar[Callable[..., str]]
    as_mermaid: ClassVar[Callable[..., str]]
    """Set by the readers that write them: they know graphs, and graphs know no reader."""

    def __init__(self, outputs: Sequence[Tensor], failure: Failure | None = None) -> None:
        self.outputs = tuple(outputs)
        self.failure = failure
        self.timer: Callable[[], dict[Tensor, float]] | None = None
        self.nodes = [Node(t) for t in _below(self.outputs)]

    @property
    def leaves(self) -> list[Node]:
        """The nodes that no op made: inputs, parameters and constants."""
        return [n for n in self.nodes if n.op is None]

    @property
    def edges(self) -> list[tuple[Node, Node, int]]:
        """``(source, target, position)`` for each tensor input; ``x * x`` has two."""
        return [
            (Node(x), node, position)
            for node in self.nodes
            for position, x in enumerate(node.inputs)
            if isinstance(x, Tensor)
        ]

    @property
    def scopes(self) -> list[Scope]:
        """The module and composite calls, outer before inner, each once."""
        found: dict[Scope, None] = {}
        for node in self.nodes:
            chain = []
            scope = node.scope if node.op else None
            while scope is not None and scope not in found:
                chain.append(scope)
                scope = scope.parent
            found.update(dict.fromkeys(reversed(chain)))
        return list(found)

    @property
    def counts(self) -> dict[str, int]:
        """How often each op occurs."""
        return dict(Counter(n.op.name for n in self.nodes if n.op))

    @property
    def nbytes(self) -> int:
        """Bytes of all values; memory shared by views counts once."""
        owners = {}
        for node in self.nodes:
            array = node.tensor.data
            owner = array if array.base is None else array.base
            owners[id(owner)] = getattr(owner, "nbytes", array.nbytes)
        return sum(owners.values())

    def find(self, op: str | None = None, name: str | None = None) -> list[Node]:
        """Return the nodes made by the op called ``op``, or named ``name``."""
        return [
            n
            for n in self.nodes
            if (op is None or (n.op is not None and n.op.name == op))
            and (name is None or n.tensor.name == name)
        ]

    def evaluate(self, outputs: Any = None, feed: Mapping[Tensor, Any] | None = None) -> Any:
        """Run the graph again with fresh values for some leaves.

        Parameters
        ----------
        outputs : Tensor or sequence of Tensor, optional
            What to compute; the graph's own outputs by default.
        feed : dict from leaf to array or Tensor
            Fresh values, of the same shapes; they are converted to the leaf's dtype. Other
            leaves keep their value. Arrays give arrays; tensors give tensors, with gradients.

        Raises
        ------
        UsageError
            If a key is not a leaf of this graph.
        ShapeError
            If a fresh value has another shape: shapes are part of the recorded graph.

        Examples
        --------
        >>> import numpy as np, tinygraph as tg
        >>> x, y = tg.variables(x=2, y=3)
        >>> graph = tg.graph(x * y)
        >>> float(graph.evaluate(feed={x: np.float32(10)}))
        30.0
        """
        feed = feed or {}
        wanted = self.outputs if outputs is None else outputs
        single = isinstance(wanted, Tensor) or (outputs is None and len(self.outputs) == 1)
        targets = (wanted,) if isinstance(wanted, Tensor) else tuple(wanted)
        self._check_feed(feed)
        values: dict[Tensor, Any] = {}
        with np.errstate(all="ignore"):  # recorded gradients are as quiet as a backward pass
            for tensor in _below(targets):
                if tensor in feed:
                    values[tensor] = _in_dtype(feed[tensor], tensor)
                elif tensor.op is None:
                    values[tensor] = tensor._data
                else:
                    inputs = [values[x] if isinstance(x, Tensor) else x for x in tensor.inputs]
                    values[tensor] = _in_dtype(tensor.op(*inputs, **(tensor.attrs or {})), tensor)
        results = tuple(values[t] for t in targets)
        return results[0] if single else results

    def _check_feed(self, feed: Mapping[Tensor, Any]) -> None:
        leaves = {n.tensor for n in self.leaves}
        for leaf, value in feed.items():
            if leaf not in leaves:
                raise UsageError(
                    compose_message(
                        "evaluate takes fresh values for leaves of this graph only", describe(leaf)
                    )
                )
            if getattr(value, "shape", None) != leaf.shape:
                raise ShapeError(
                    compose_message(
                        f"The fresh value must have the leaf's shape {leaf.shape}",
                        describe(value),
                        "record the graph again for another shape",
                    )
                )

    def to_text(self, depth: int | None = None, limit: int | None = 60) -> str:
        """Return the graph as lines: modules as a tree, and every result once; ``print`` does it.

        Parameters
        ----------
        depth : int, optional
            Open modules and functions made of ops so deep; 0 closes all. By default modules are
            open as far as fits on a screen, and equal siblings are listed once, "Block × 12".
        limit : int or None
            Of more results than that only the two ends are listed; None lists them all.

        Raises
        ------
        UsageError
            If an argument is none of those above.

        Examples
        --------
        >>> import tinygraph as tg
        >>> x, y, z = tg.variables(x=-2, y=5, z=-4)
        >>> print(tg.graph((x + y) * z))
        Graph: 2 ops, 3 leaves
        <BLANKLINE>
        x             −2   input
        y              5   input
        z             −4   input
        v₁ = x + y     3
        f = v₁ · z   −12
        """
        return Graph.as_tree(self, depth, limit)

    def to_mermaid(self, **options: Any) -> str:
        """Return the picture of :func:`tinygraph.draw` as Mermaid text.

        Parameters
        ----------
        options
            As for :func:`tinygraph.draw`: ``view``, ``depth``, ``names``, …

        Examples
        --------
        >>> import tinygraph as tg
        >>> x, y = tg.variables(x=2, y=3)
        >>> print(tg.graph(x * y).to_mermaid(view="architecture").split("classDef")[0])
        flowchart TB
          n0["<b>x</b>"]
          n1["<b>y</b>"]
          n2["<b>×  mul</b>"]
          n0 --> n2
          n1 --> n2
        """
        return Graph.as_mermaid(self, **options)

    def __str__(self) -> str:
        return self.to_text()

    def __len__(self) -> int:
        return len(self.nodes)

    def __repr__(self) -> str:
        ops = len(self.nodes) - len(self.leaves)
        return f"Graph({ops} ops, {len(self.leaves)} leaves, {self.nbytes} bytes)"


def _below(outputs: Sequence[Tensor]) -> list[Tensor]:
    """Return all tensors below, oldest first (inputs are always older than results)."""
    seen = set(outputs)
    stack = list(outputs)
    while stack:
        for x in stack.pop().inputs:
            if isinstance(x, Tensor) and x not in seen:
                seen.add(x)
                stack.append(x)
    return sorted(seen, key=lambda t: t.index)


def _in_dtype(value: Any, recorded: Tensor) -> Any:
    """Bring a replayed value to the recorded dtype: arrays follow NumPy's rules, not ours."""
    if value.dtype == recorded.dtype:
        return value
    return cast(value, dtype=recorded.dtype)


def graph(*outputs: Any) -> Graph:
    """Return the :class:`Graph` below one or more tensors (or of anything with ``.graph()``).

    Raises
    ------
    UsageError
        If an output is not a tensor.

    Examples
    --------
    >>> import tinygraph as tg
    >>> x, y = tg.variables(x=2, y=3)
    >>> tg.graph(x * y)
    Graph(1 ops, 2 leaves, 12 bytes)
    """
    if len(outputs) == 1 and not isinstance(outputs[0], Tensor):
        given = getattr(outputs[0], "graph", None)
        if callable(given):
            return _checked_graph(given())
    for output in outputs:
        if not isinstance(output, Tensor):
            raise UsageError(
                compose_message("graph takes tensors", describe(output), "call the model first")
            )
    if not outputs:
        raise UsageError("graph needs at least one tensor.")
    return Graph(outputs)


def _checked_graph(found: Any) -> Graph:
    if not isinstance(found, Graph):
        raise UsageError(
            compose_message(".graph() returns a Graph", describe(found), "return tg.graph(loss)")
        )
    return found


def _graph_up_to(failure: Failure) -> Graph:
    """Return the graph that ends in the call that failed, made of what met there."""
    called = failure.called
    if not isinstance(called, Op):  # a module or a composite: a record that only has a name
        name = getattr(called, "name", None) or type(called).__name__
        called = Op(name, lambda *operands: None, kind="opaque")
    operands = tuple(x for x in map(_operand, failure.operands) if x is not None)
    stopped = Tensor(np.empty(0), False, called, operands, failure.attrs, failure.scope)
    return Graph([stopped], failure)


def _operand(given: Any) -> Any:
    """Return what a node may have as an input: arrays become leaves."""
    if isinstance(given, np.ndarray | np.generic):
        return Tensor(np.asarray(given))
    return given if isinstance(given, Tensor | bool | int | float) else None


Failure.as_graph = staticmethod(_graph_up_to)
