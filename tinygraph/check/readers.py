"""Checks of what readers make of a record: its texts, replay by evaluate, pickling."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np

from ..core.graph import Graph
from ..core.op import Op
from ..core.registry import REGISTRY
from ..core.storage import Array
from ..core.tensor import Tensor
from .sample import Record, Sample, is_floating, raw_vjps, recorded, run
from .text import evaluate, is_expression
from .values import require, require_close, require_same


def check_texts(record: Record, sample: Sample, reference: Any) -> None:
    """formula gives the value, local the derivatives: for elementwise ops, where expressions.

    The rule: an elementwise op's text is evaluated if it is an expression over the op's
    inputs, ``y`` and attributes; an attribute that is None has no place in a formula.
    """
    if not isinstance(record, Op) or record.kind != "elementwise":
        return
    r = run(record, sample)
    if sample.gradients is not None:
        return
    y: Any = r.out  # an array, if no input is floating
    inputs, attrs = list(sample.inputs), {**record.defaults, **sample.attrs}
    if isinstance(y, Tensor):
        if y.op is not record:
            return
        y, inputs, attrs = recorded(r)
    names = {**dict(zip(record.input_names, inputs, strict=True)), "y": y, **attrs}
    if any(v is None for v in attrs.values()):
        return
    forward = {k: v for k, v in names.items() if k != "y"}
    if is_expression(record.formula, forward):
        value = np.asarray(evaluate(record.formula, forward), np.float64)
        require_close(y, value, f"formula {record.formula!r}", 1e-12)
    if record.vjps is None:
        return
    found = raw_vjps(record, np.ones(y.shape), y, inputs, attrs)
    for i, text in enumerate(record.local):
        if found[i] is not None and is_expression(text, names):
            value = np.broadcast_to(np.asarray(evaluate(text, names), np.float64), y.shape)
            require_close(found[i], value, f"local {text!r} of input {i}", 1e-12)


def check_evaluate(record: Record, sample: Sample, reference: Any) -> None:
    """Replaying the graph on fresh inputs equals eager, for values and for gradients."""
    if not sample.arrays or record.kind == "random":
        return
    for dtype in (np.float64, np.float32):
        old = run(record, sample.astype(dtype))
        if not old.out.requires_grad and old.out.op is None:
            return
        new = run(record, sample.astype(dtype).with_inputs(_fresh))
        g = old.upstream
        outputs, wanted = [old.out], [new.out]
        if old.out.requires_grad:
            recorded_gradients = old.gradients(g, create_graph=True)
            for a, b in zip(recorded_gradients, new.gradients(g, create_graph=True), strict=True):
                if isinstance(a, Tensor):
                    outputs.append(a)
                    wanted.append(b)
        for feed in (lambda t: t.data, lambda t: Tensor(np.array(t.data), requires_grad=True)):
            values = {a: feed(b) for a, b in zip(old.leaves, new.leaves, strict=True)}
            found = Graph(outputs).evaluate(outputs, values)
            for k, (f, w) in enumerate(zip(found, wanted, strict=True)):
                what = f"evaluate of {f'gradient {k - 1}' if k else 'the value'}"
                require_same(f.data if isinstance(f, Tensor) else f, w.data, what)


def _fresh(x: Array) -> Array:
    """Return other values of the same domain: the same ones in reverse order."""
    return np.array(x.reshape(-1)[::-1].reshape(x.shape))


def check_record(record: Record, sample: Sample, reference: Any) -> None:
    """A registered record has its texts and pickles by name."""
    require(record.name.isidentifier(), f"the name {record.name!r} is not an identifier")
    require(record.formula, "no formula")
    if REGISTRY.get(record.name) is record:
        require(pickle.loads(pickle.dumps(record)) is record, "does not pickle to itself")
    if isinstance(record, Op) and record.vjps is not None:
        require(record.local, "no local derivatives as text")
        count = len(record.input_names)
        fits = len(record.local) == count or record.variadic
        require(fits, f"{len(record.local)} local texts for {count} inputs")
    require(str(record).startswith("<"), "no readable repr")


def check_node(record: Record, sample: Sample, reference: Any) -> None:
    """The graph of a result knows its op and its inputs, a repeated input twice."""
    r = run(record, sample)
    if not sample.arrays or not isinstance(r.out, Tensor) or r.out.op is None:
        return
    graph = Graph([r.out])
    if isinstance(record, Op):
        require(r.out.op.name == record.name or graph.find(op=record.name), "the op is not a node")
    else:
        scopes = [s.path for s in graph.scopes if s.kind == "composite"]
        require(record.name in scopes, f"no scope of the composite among {scopes}")
    reached = {n.tensor for n in graph.leaves}
    require(all(x in reached for x in r.leaves if is_floating(x.data)), "an input is missing")


READER_CHECKS = {
    "record": check_record,
    "texts": check_texts,
    "evaluate": check_evaluate,
    "node": check_node,
}
