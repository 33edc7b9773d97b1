"""Planted faults: copies of a record with one mistake each, which the battery must catch.

Because VJPs are made of ops, they can be traced, and a mistake planted inside: a term
dropped, a factor forgotten, a sign lost, a sum over broadcast axes left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..core.graph import Graph
from ..core.node import Node
from ..core.op import Op
from ..core.structure import broadcast_to
from ..core.tensor import Tensor
from .sample import Sample, recorded, run

Vjp = Callable[..., Any]
Fault = Callable[..., Any]  # (gradient, g, x) -> a wrong gradient

KEEPS = {"add": (0, 1), "sub": (0, 1), "mul": (0, 1), "div": (0,), "neg": (0,), "sum_to": (0,)}
"""Which operand a fault may keep in the place of the whole node, by the op of the node."""


def variant(op: Op, **changes: Any) -> Op:
    """Return a copy of a record with some fields changed; the registry keeps the original."""
    copied: Op = object.__new__(type(op))
    copied.__dict__.update({**op.__dict__, **changes})
    return copied


def planted_faults(op: Op, samples: Sequence[Sample]) -> dict[str, Op]:
    """Return copies of ``op`` with one fault each, by name.

    Parameters
    ----------
    op : Op
        A differentiable record.
    samples : sequence of Sample
        Calls that its VJPs are traced on.

    Returns
    -------
    dict
        For example ``{"vjp 0 scaled by 1.001": <op …>, …}``.

    Examples
    --------
    >>> import numpy as np, tinygraph as tg
    >>> from tinygraph.check import Sample, check_op, planted_faults
    >>> samples = [Sample("vector", (np.array([0.5, -1.0]),))]
    >>> faults = planted_faults(tg.tanh, samples)
    >>> "vjp 0 scaled by 1.001" in faults
    True
    >>> any(check_op(f, samples, raise_exception=False) for f in faults.values())
    False
    """
    faults: dict[str, Op] = {}
    for i in _positions(op, samples):
        constant = i < len(op.local) and op.local[i] == "0"
        faults[f"vjp {i} scaled by 1.001"] = _with(op, i, _plus_some if constant else _scaled)
        faults[f"vjp {i} dropped"] = _dropped(op, i)
        faults[f"vjp {i} writes into the upstream gradient"] = _with(op, i, _writes_upstream)
        faults[f"vjp {i} writes into its input"] = _with(op, i, _writes_input)
        if op.kind == "elementwise" and _broadcasts(i, samples):
            faults[f"vjp {i} takes the first of broadcast gradients"] = _with(op, i, _first_slice)
            faults["broadcasting not undone"] = variant(op, kind="row")
        for place, kept, name in _places(op, i, samples):
            label = f"vjp {i}, node {place} '{name}' replaced by operand {kept}"
            faults[label] = _with_vjp(op, i, _Mutated(op, i, place, kept, name))
    return faults


# ---- faults around a VJP ------------------------------------------------------------------


def _scaled(gradient: Any, g: Any, x: Any) -> Any:
    return gradient * 1.001


def _plus_some(gradient: Any, g: Any, x: Any) -> Any:
    return gradient + g * 0.001


def _writes_upstream(gradient: Any, g: Any, x: Any) -> Any:
    gradient = gradient * 1
    if isinstance(g, np.ndarray):
        g *= 2
    return gradient


def _writes_input(gradient: Any, g: Any, x: Any) -> Any:
    gradient = gradient * 1
    if isinstance(x, np.ndarray):
        x += 1
    return gradient


def _first_slice(gradient: Any, g: Any, x: Any) -> Any:
    if gradient.shape == x.shape or isinstance(gradient, Tensor):
        return gradient
    gradient = gradient[(0,) * (gradient.ndim - x.ndim)]
    return gradient[tuple(slice(0, 1) if n == 1 else slice(None) for n in x.shape)]


def _gradient(op: Op, i: int, g: Any, y: Any, inputs: Sequence[Any], attrs: Any) -> Any:
    """Call the rule for input ``i``, whatever the form of the record's ``vjps``."""
    if isinstance(op.vjps, list):
        return op.vjps[i](g, y, *inputs, **attrs)
    needs = tuple(k == i for k in range(len(inputs)))
    return op.vjps(g, y, *inputs, needs=needs, **attrs)[i]  # type: ignore[misc, operator]


def _with(op: Op, i: int, fault: Fault) -> Op:
    def wrong(g: Any, y: Any, *inputs: Any, **attrs: Any) -> Any:
        return fault(_gradient(op, i, g, y, inputs, attrs), g, inputs[i])

    return _with_vjp(op, i, wrong)


def _dropped(op: Op, i: int) -> Op:
    if isinstance(op.vjps, list):
        return variant(op, vjps=[None if k == i else v for k, v in enumerate(op.vjps)])
    return _with_vjp(op, i, lambda *_, **__: None)


def _with_vjp(op: Op, i: int, wrong: Vjp) -> Op:
    """Return a copy whose rule for input ``i`` is ``wrong``."""
    if isinstance(op.vjps, list):
        return variant(op, vjps=[wrong if k == i else v for k, v in enumerate(op.vjps)])
    joint: Any = op.vjps

    def vjps(g: Any, y: Any, *inputs: Any, needs: tuple[bool, ...], **attrs: Any) -> Any:
        found = list(joint(g, y, *inputs, needs=needs, **attrs))
        if needs[i]:
            found[i] = wrong(g, y, *inputs, **attrs)
        return tuple(found)

    return variant(op, vjps=vjps)


def _positions(op: Op, samples: Sequence[Sample]) -> list[int]:
    """Return the inputs that have a rule and are differentiated in some sample."""
    found = set()
    for sample in samples:
        for i, x in enumerate(run(op, sample).out.inputs):
            ruled = op.vjps[i] is not None if isinstance(op.vjps, list) else i not in op.discrete
            if isinstance(x, Tensor) and x.requires_grad and ruled:
                found.add(i)
    return sorted(found)


def _broadcasts(i: int, samples: Sequence[Sample]) -> bool:
    """Tell whether input ``i`` is broadcast against another in some sample."""
    for s in samples:
        shapes = [np.shape(x) for x in s.inputs]
        if len(shapes) > 1 and i < len(shapes) and 0 not in np.broadcast_shapes(shapes[i]):
            try:
                whole = np.broadcast_shapes(*shapes)
            except ValueError:
                continue
            if whole != shapes[i] and 0 not in whole:
                return True
    return False


# ---- faults inside a VJP ------------------------------------------------------------------


def _trace(
    op: Op, i: int, g: Any, y: Any, inputs: Sequence[Any], attrs: Any
) -> tuple[dict[Tensor, Any], list[Node], Any]:
    """Run a rule on stand-ins; return what they stand for, its arithmetic nodes and result."""
    values: dict[Tensor, Any] = {}

    def stand_in(v: Any) -> Any:
        data = v.data if isinstance(v, Tensor) else v
        if not isinstance(data, np.ndarray) or data.dtype.kind != "f":
            return v
        leaf = Tensor(data, requires_grad=True)
        values[leaf] = v
        return leaf

    operands = [stand_in(x) for x in inputs]
    result = _gradient(op, i, stand_in(g), stand_in(y), operands, attrs)
    nodes = Graph([result]).nodes if isinstance(result, Tensor) else []
    return values, nodes, result


def _places(op: Op, i: int, samples: Sequence[Sample]) -> Iterator[tuple[int, int, str]]:
    """Yield ``(number of the node, operand to keep, op)`` for each fault that can be planted."""
    places: dict[tuple[int, int, str], None] = {}
    for sample in samples:
        r = run(op, sample)
        y, inputs, attrs = recorded(r)
        if sample.gradients is None and i < len(inputs) and isinstance(inputs[i], np.ndarray):
            _, nodes, _ = _trace(op, i, r.upstream, y, inputs, attrs)
            arithmetic = [n for n in nodes if n.op and n.op.name in KEEPS]
            for place, node in enumerate(arithmetic):
                name = node.op.name if node.op else ""
                for kept in KEEPS[name]:
                    x = node.inputs[kept]
                    if isinstance(x, Tensor) and (name != "sum_to" or x.shape != node.shape):
                        places[place, kept, name] = None
    yield from places


class _Mutated:
    """A rule that is traced and replayed with one node replaced by one of its operands."""

    def __init__(self, op: Op, i: int, place: int, kept: int, name: str) -> None:
        self.op, self.i, self.place, self.kept, self.name = op, i, place, kept, name

    def __call__(self, g: Any, y: Any, *inputs: Any, **attrs: Any) -> Any:
        values, nodes, result = _trace(self.op, self.i, g, y, inputs, attrs)
        count = 0
        for node in nodes:
            t = node.tensor
            if node.op is None:
                values.setdefault(t, t.data)
                continue
            operands = [values[x] if isinstance(x, Tensor) else x for x in node.inputs]
            if node.op.name == self.name and count == self.place:
                values[t] = self._replacement(node, operands[self.kept])
            else:
                values[t] = node.op(*operands, **node.attrs)
            count += node.op.name in KEEPS
        return values.get(result, result) if isinstance(result, Tensor) else result

    def _replacement(self, node: Node, operand: Any) -> Any:
        if self.name == "sum_to" or getattr(operand, "shape", node.shape) == node.shape:
            return operand
        return broadcast_to(operand, shape=node.shape)
