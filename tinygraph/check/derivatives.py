"""Checks of derivatives: against central differences, and against each other."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.grad import grad
from ..core.modes import default_dtype
from ..core.op import Composite, Op
from ..core.tensor import Tensor
from .gradcheck import check_problem
from .problem import Problem, gradient_problem, problem_of
from .sample import Record, Run, Sample, is_floating, is_linear, raw_vjps, recorded, run
from .values import require, require_close, require_same


def _problem(record: Record, sample: Sample) -> Problem:
    problem = problem_of(lambda *xs: sample.call(record, xs), sample.inputs)
    problem.name = record.name
    return problem


def _differentiable(record: Record, sample: Sample) -> Run | None:
    """Run the sample; None if its result has no gradient."""
    if not sample.arrays or (isinstance(record, Op) and record.vjps is None):
        return None
    r = run(record, sample)
    require(r.out.requires_grad, "the result does not require grad")
    return r


def check_jacobian(record: Record, sample: Sample, reference: Any) -> None:
    """First derivatives agree with central differences; at kinks, with the convention."""
    r = _differentiable(record, sample)
    if r is None:
        return
    if sample.gradients is not None:
        found = r.gradients(np.ones(r.out.shape))
        for i, (g, wanted) in enumerate(zip(found, sample.gradients, strict=True)):
            require(g is not None, f"no gradient by input {i}")
            require_close(g.data, wanted, f"the gradient by input {i} at the kink", 1e-12)
        return
    linear = is_linear(record, sample)
    tolerance, step = (1e-12, 1.0) if linear else (1e-7, None)
    with default_dtype(np.float64):
        check_problem(_problem(record, sample), tolerance, tolerance, step)


def check_second_order(record: Record, sample: Sample, reference: Any) -> None:
    """Second derivatives agree with central differences of the gradient."""
    if _differentiable(record, sample) is not None and sample.gradients is None:
        with default_dtype(np.float64):
            check_problem(gradient_problem(_problem(record, sample)), 1e-6, 1e-6, None)


def check_repeated(record: Record, sample: Sample, reference: Any) -> None:
    """The gradient of f(x, x) is the sum of the gradients by both."""
    r = _differentiable(record, sample)
    shapes = {x.shape for x in sample.arrays}
    if r is None or len(sample.arrays) < 2 or len(shapes) > 1:
        return
    x = sample.arrays[0]
    apart = run(record, sample.with_inputs(lambda _: x))
    together = Tensor(np.array(x), requires_grad=True)
    out = sample.call(record, [together if is_floating(v) else v for v in sample.inputs])
    total = sum(g.data for g in apart.gradients() if g is not None)
    (found,) = grad(out, [together], apart.upstream)
    require_close(found.data, total, "the gradient of f(x, x)", 1e-12)


def check_linearity(record: Record, sample: Sample, reference: Any) -> None:
    """The backward pass is linear in the upstream gradient."""
    r = _differentiable(record, sample)
    if r is None:
        return
    u, v = np.random.default_rng(0).standard_normal((2, *r.out.shape))
    both, of_u, of_v = (r.gradients(g) for g in (2 * u - 3 * v, u, v))
    for whole, gu, gv in zip(both, of_u, of_v, strict=True):
        if whole is not None and np.isfinite(whole.data).all():
            wanted = 2 * gu.data - 3 * gv.data
            require_close(whole.data, wanted, "linear in the upstream gradient", 1e-10)


def check_aliasing(record: Record, sample: Sample, reference: Any) -> None:
    """No gradient shares memory with another, with a value or with the upstream gradient."""
    r = _differentiable(record, sample)
    if r is None:
        return
    g = r.upstream
    r.out.backward(g, retain_graph=True)
    arrays = {f"grad {i}": x.grad for i, x in enumerate(r.leaves)}
    arrays |= {f"tg.grad {i}": t.data for i, t in enumerate(r.gradients(g)) if t is not None}
    others = {"upstream": g, "result": r.out.data}
    others |= {f"input {i}": x.data for i, x in enumerate(r.leaves)}
    found = {k: a for k, a in arrays.items() if a is not None}
    for k, a in found.items():
        require(a.flags.writeable, f"{k} is read-only")
        for other, b in {**found, **others}.items():
            require(k == other or not np.shares_memory(a, b), f"{k} shares memory with {other}")


def check_orders(record: Record, sample: Sample, reference: Any) -> None:
    """The VJP on arrays equals the VJP on tensors (create_graph) bit for bit."""
    for dtype in (np.float32, np.float64):
        r = _differentiable(record, sample.astype(dtype))
        if r is None:
            return
        pairs = zip(r.gradients(), r.gradients(create_graph=True), strict=True)
        for i, (raw, graph) in enumerate(pairs):
            require((raw is None) == (graph is None), f"gradient {i} is None for one of the two")
            if raw is not None:
                what = f"gradient {i} in {np.dtype(dtype)}, create_graph against raw"
                require_same(graph.data, raw.data, what)


def _masked(value: Any) -> Any:
    """Return nan in place of a value (the other truth value, an impossible index)."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind == "f":
            return np.full_like(value, np.nan)
        return ~value if value.dtype == np.bool_ else np.full_like(value, 10**9)
    return float("nan")


def _vjps_with_masks(op: Op, r: Run, names: set[str]) -> list[Any]:
    """Run the VJPs with the values of ``names`` masked (``*arrays``: all of the rest)."""
    y, inputs, attrs = recorded(r)
    named = dict(enumerate(op.input_names))
    masked = [_masked(x) if named.get(i, op.rest_name) in names else x
              for i, x in enumerate(inputs)]  # fmt: skip
    return raw_vjps(op, r.upstream, _masked(y) if "y" in names else y, masked, attrs)


def check_saves(record: Record, sample: Sample, reference: Any) -> None:
    """With every value not in ``saves`` replaced by nan, the VJPs do not change."""
    r = _differentiable(record, sample)
    if r is None or not isinstance(record, Op):
        return
    unsaved = {"y", record.rest_name, *record.input_names} - record.saves
    wanted = _vjps_with_masks(record, r, set())
    found = _vjps_with_masks(record, r, unsaved)
    for i, (g, w) in enumerate(zip(found, wanted, strict=True)):
        if w is not None:
            what = f"gradient {i} with all but {sorted(record.saves)} masked"
            require_same(g, w, what)


def reads(op: Op, sample: Sample, name: str) -> bool:
    """Tell whether masking the value of ``name`` changes a VJP."""
    r = _differentiable(op, sample)
    if r is None:
        return False
    wanted = _vjps_with_masks(op, r, set())
    try:
        found = _vjps_with_masks(op, r, {name})
    except IndexError:
        return True
    return any(
        w is not None and not np.array_equal(g, w, equal_nan=True)
        for g, w in zip(found, wanted, strict=True)
    )


def check_complete(record: Record, sample: Sample, reference: Any) -> None:
    """Every floating input has a VJP, or a ``local`` text that says there is none."""
    if isinstance(record, Composite) or not isinstance(record.vjps, list):
        return
    require(
        len(record.vjps) == len(record.input_names),
        f"{len(record.vjps)} VJPs for {len(record.input_names)} inputs",
    )
    for i, vjp in enumerate(record.vjps):
        text = record.local[i] if i < len(record.local) else ""
        require(vjp is not None or not text, f"local of input {i} is {text!r} but has no VJP")
        discrete = i in record.discrete or not is_floating(sample.inputs[i])
        require(vjp is not None or discrete, f"floating input {i} has no VJP")


DERIVATIVE_CHECKS = {
    "complete": check_complete,
    "jacobian": check_jacobian,
    "second order": check_second_order,
    "repeated": check_repeated,
    "linearity": check_linearity,
    "aliasing": check_aliasing,
    "orders": check_orders,
    "saves": check_saves,
}
