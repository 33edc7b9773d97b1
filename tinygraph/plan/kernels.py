"""How a plan runs each op: as few and as cheap NumPy calls as give the same bits.

The choice stands in one place, :data:`CHOICES`; what is not there runs the op's own forward
function, into its buffer if it can write there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ..core.storage import Array
from ..core.structure import ONES
from ..core.sums import BLOCK_ROWS, PIECE, adds_at_once, calls_to_add, rows_to_add
from ..ops.pieces import filled
from .patterns import distinct, lay_out, size_of
from .values import Role, Step, Value

Kernels = list[tuple[Callable[..., Any], tuple[Any, ...]]]
"""Functions and their arguments: values, arrays and numbers."""

WARNS_ON_POSITIONAL_OUT = (np.maximum, np.minimum)


def kernels(step: Step) -> Kernels:
    """Return the calls that run a step."""
    call = partial(step.call, **step.attrs) if step.attrs else step.call
    if step.op is None or not step.outs:
        return [(call, (*step.inputs, *step.outs))]
    out = step.outs[0].bound
    assert out is not None
    if distinct(out).size == out.size:
        choice = CHOICES.get(step.op.name)
        chosen = None if choice is None else choice(step, out)
        if chosen is not None:
            return chosen
        if step.op.accepts_out and _fits(step, out):
            return [_into(step, out)]
    return [(_copying(call, out), step.inputs)]


def _fits(step: Step, out: Array) -> bool:
    """Tell whether the forward function gives the dtype of ``out`` by itself."""
    kinds = [v.array.dtype.kind for v in step.inputs if isinstance(v, Value)]
    return out.dtype.kind != "f" or "f" in kinds or step.call in COMPARISONS


def _into(step: Step, out: Array) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    if not isinstance(step.call, np.ufunc):
        return partial(step.call, out=out, **step.attrs), step.inputs
    inputs = _with_arrays(step.inputs)
    if step.call in WARNS_ON_POSITIONAL_OUT:
        return partial(step.call, out=out), inputs
    return step.call, (*inputs, out)


def _with_arrays(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a number beside a floating array as a 0-d array: NumPy need not convert it."""
    dtypes = {x.array.dtype for x in inputs if isinstance(x, Value)}
    if len(dtypes) != 1 or next(iter(dtypes)).kind != "f":
        return inputs
    (dtype,) = dtypes
    return tuple(x if isinstance(x, Value) else np.asarray(x, dtype) for x in inputs)


def _copying(call: Callable[..., Any], out: Array) -> Callable[..., Any]:
    """Return a function that copies the result of ``call`` into ``out``."""
    to, copyto = distinct(out), np.copyto
    if to.size == out.size:
        return lambda *inputs: copyto(to, call(*inputs))
    return lambda *inputs: copyto(to, distinct(call(*inputs)))


# ---- choices: None where the op's own function is to run -----------------------------------------


def _matmul(step: Step, out: Array) -> Kernels | None:
    """Two matrices: `np.dot` has half the overhead of `np.matmul`."""
    a, b = (x.array for x in step.inputs)
    if a.ndim == b.ndim == 2 and out.flags.c_contiguous and a.dtype == b.dtype == out.dtype:
        return [(np.dot, (*step.inputs, out))]
    return [(np.matmul, (*step.inputs, out))] if a.dtype.kind == "f" else None


def _linear(step: Step, out: Array) -> Kernels | None:
    """Product of matrices and sum, without the checks that the recorded run has passed."""
    x, weight, bias = step.inputs
    same = x.array.dtype == weight.array.dtype == bias.array.dtype == out.dtype
    if not same or weight.bound is None or not out.flags.c_contiguous or x.array.ndim < 2:
        return None
    if x.array.ndim > 2:  # the vectors along the last axis are the rows of one matrix
        rows = x.bound
        if x.role is not Role.TEMPORARY or rows is None or not rows.flags.c_contiguous:
            return None
        x, out = (a.reshape(math.prod(a.shape[:-1]), a.shape[-1]) for a in (rows, out))
    return [(np.dot, (x, weight.bound.mT, out)), (np.add, (out, bias, out))]


def _sum(step: Step, out: Array) -> Kernels | None:
    (x,) = step.inputs
    axis, keepdims = step.attrs["axis"], step.attrs["keepdims"]
    by_products = _sum_of_rows(x, axis, out)
    if by_products is not None:
        return by_products
    if out.dtype != x.array.dtype or out.dtype.kind != "f" or not adds_at_once(x.array, axis):
        return None
    return [(np.add.reduce, (x, axis, None, out, keepdims))]


def _sum_of_rows(x: Value, axis: tuple[int, ...], out: Array) -> Kernels | None:
    """Sums over many rows are products with ones, as in the ops, on views made beforehand."""
    if x.bound is None or x.role is not Role.TEMPORARY or not out.flags.c_contiguous:
        return None
    rows = rows_to_add(x.bound, axis)
    return None if rows is None or out.dtype != rows.dtype else calls_to_add(rows, out.reshape(-1))


def _mean(step: Step, out: Array) -> Kernels | None:
    total = _sum(step, out)
    x = step.inputs[0].array
    count = x.size // max(out.size, 1)
    if total is None or not count:
        return None
    return [*total, (np.true_divide, (out, np.asarray(count, out.dtype), out))]


def _sum_to(step: Step, out: Array) -> Kernels | None:
    """The sum of a few rows is a product with ones, as in the op."""
    (x,) = step.inputs
    rows, ones = x.array, ONES.get(x.array.dtype)
    short = rows.ndim == 2 and rows.shape[1:] == out.shape and len(rows) <= BLOCK_ROWS
    if not short or ones is None:
        added = rows.ndim - out.ndim
        whole = added > 0 and rows.shape[added:] == out.shape
        return _sum_of_rows(x, tuple(range(added)), out) if whole else None
    return [(np.dot, (ones[: len(rows)], x, out))]


def _relu(step: Step, out: Array) -> Kernels | None:
    """Where the op compares with the number 0, an array of zeros is twice as fast."""
    if out.dtype.kind != "f" or out.size > PIECE:
        return None
    zero = np.zeros((), out.dtype)
    if size_of(out) == out.nbytes:  # no gaps: zeros that lie alike
        zero = lay_out(out, filled(0, out.dtype)[: out.size].view(np.uint8))
    return [(partial(np.maximum, out=out), (*step.inputs, zero))]


def _div(step: Step, out: Array) -> Kernels | None:
    """Warnings are off during a replay."""
    if not _fits(step, out):
        return None
    return [(np.true_divide, (*_with_arrays(step.inputs), out))]


def _cast(step: Step, out: Array) -> Kernels | None:
    return [(partial(np.copyto, out, casting="unsafe"), step.inputs)]


CHOICES: dict[str, Callable[[Step, Array], Kernels | None]] = {
    "matmul": _matmul,
    "linear": _linear,
    "sum": _sum,
    "mean": _mean,
    "sum_to": _sum_to,
    "relu": _relu,
    "div": _div,
    "cast": _cast,
}
COMPARISONS = (np.greater, np.greater_equal, np.less, np.less_equal, np.equal, np.not_equal)


def join_casts(steps: list[Step], outputs: list[Value]) -> list[Step]:
    """Let a comparison write its zeros and ones as floats, if only a cast reads them."""
    readers: dict[Value, int] = {}
    for step in steps:
        for value in step.values():
            readers[value.owner] = readers.get(value.owner, 0) + 1
    makers = {out: step for step in steps for out in step.outs}
    kept = []
    for step in steps:
        if step.op is not None and step.op.name == "cast":
            (x,) = step.inputs
            maker = makers.get(x)
            single = x.role is Role.TEMPORARY and readers.get(x) == 1 and x not in outputs
            out = step.outs[0]
            fits = out.array.strides == tuple(
                s * out.array.itemsize // x.array.itemsize for s in x.array.strides
            )
            if single and fits and maker is not None and maker.call in COMPARISONS:
                maker.outs, makers[out] = (out,), maker
                continue
        kept.append(step)
    return kept
