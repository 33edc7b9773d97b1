"""Checks of forward values: reference, layouts, dtypes, NumPy dispatch, into."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..core.errors import GradcheckError
from ..core.modes import get_default_dtype
from ..core.op import Op
from ..core.storage import Array
from ..core.tensor import Tensor
from .sample import Record, Sample, is_floating, joined, raw_vjps, recorded, run

TOLERANCE = {np.dtype(np.float64): 1e-12, np.dtype(np.float32): 4e-6, np.dtype(np.float16): 1e-2}


def require(condition: Any, message: str) -> None:
    """Raise GradcheckError with ``message`` unless the condition holds."""
    if not condition:
        raise GradcheckError(message)


def require_close(got: Any, wanted: Any, what: str, tolerance: float) -> None:
    """Raise GradcheckError unless shapes agree and values do within ``tolerance``."""
    got, wanted = np.asarray(got), np.asarray(wanted)
    require(got.shape == wanted.shape, f"{what}: shape {got.shape}, expected {wanted.shape}")
    close = np.isclose(got, wanted, rtol=tolerance, atol=tolerance, equal_nan=True)
    if not close.all():
        place = tuple(int(i) for i in np.argwhere(~close)[0])
        at = f" at {place}" if place else ""
        raise GradcheckError(f"{what}: {got[place]!r}{at}, expected {wanted[place]!r}")


def require_same(got: Any, wanted: Any, what: str) -> None:
    """Raise GradcheckError unless dtype, shape and every bit agree (any nan equals any nan)."""
    got, wanted = np.asarray(got), np.asarray(wanted)
    require(
        got.dtype == wanted.dtype and got.shape == wanted.shape,
        f"{what}: {got.shape} {got.dtype}, expected {wanted.shape} {wanted.dtype}",
    )
    require(
        np.array_equal(got, wanted, equal_nan=got.dtype.kind == "f"),
        f"{what}: {got!r}, expected {wanted!r}",
    )


def check_value(record: Record, sample: Sample, reference: Any) -> None:
    """The value equals the reference, in float64 and float32; arrays give arrays."""
    raw = sample.call(record, sample.inputs)
    require(not isinstance(raw, Tensor), "arrays in must give an array out")
    if record.kind == "random":
        return
    require_same(_values(record, sample), raw, "tensor result against array result")
    if reference is None:
        return
    with np.errstate(all="ignore"):
        wanted = sample.call(reference, sample.inputs)
    for dtype in (np.float64, np.float32):
        got = _values(record, sample.astype(dtype))
        tolerance = TOLERANCE[np.dtype(dtype)]
        require_close(got, wanted, f"value in {np.dtype(dtype)}", tolerance)


def _values(record: Record, sample: Sample) -> Array:
    out = run(record, sample).out
    return out.data if isinstance(out, Tensor) else out


def _layouts(x: Array) -> dict[str, Array]:
    """Return the same values in other arrangements of memory."""
    spread = np.zeros((*x.shape, 2), x.dtype)
    spread[..., 1] = x
    turned: Any = (..., *[slice(None, None, -1)] * x.ndim)
    backwards = np.array(x[turned])[turned]
    frozen = np.array(x)
    frozen.flags.writeable = False
    return {
        "transposed": np.array(x.T, order="C").T,
        "strided": spread[..., 1],
        "backwards": backwards,
        "read-only": frozen,
    }


def check_layouts(record: Record, sample: Sample, reference: Any) -> None:
    """Value and gradient do not depend on strides, order or writeability of the inputs."""
    plain = run(record, sample)
    if record.kind == "random" or not sample.arrays:
        return
    wanted = plain.gradients() if plain.out.requires_grad else []
    for layout in ("transposed", "strided", "backwards", "read-only"):
        arranged = [_layouts(x)[layout] if is_floating(x) else x for x in sample.inputs]
        other = run(record, replace(sample, inputs=tuple(arranged)), share=True)
        require_close(other.out.data, plain.out.data, f"value of {layout} inputs", 1e-12)
        for g, w in zip(other.gradients() if wanted else [], wanted, strict=True):
            if w is not None:
                require_close(g.data, w.data, f"gradient of {layout} inputs", 1e-12)


def check_dtypes(record: Record, sample: Sample, reference: Any) -> None:
    """float32 stays float32, forward and backward; weak operands never widen it."""
    if not sample.arrays or record.kind in ("cast", "random"):
        return
    for dtype in (np.float16, np.float32, np.float64):
        r = run(record, sample.astype(dtype))
        if r.out.dtype.kind != "f":
            continue
        require(r.out.dtype == dtype, f"{np.dtype(dtype)} in gives {r.out.dtype} out")
        for g in r.gradients() if r.out.requires_grad else []:
            require(g is None or g.dtype == dtype, f"the gradient of {np.dtype(dtype)} is {g}")
    if isinstance(record, Op) and record.promotes and len(sample.inputs) > 1 and not sample.listed:
        _check_weak_operands(record, sample)


def _check_weak_operands(record: Op, sample: Sample) -> None:
    """Integers, booleans and NumPy scalars follow a float32 tensor; 0-d arrays are arrays."""
    first = next(i for i, x in enumerate(sample.inputs) if is_floating(x))
    others = [i for i, x in enumerate(sample.inputs) if is_floating(x) and i != first]
    for i in others:
        ones = np.ones(sample.inputs[i].shape)
        single = record.kind == "elementwise"
        weak: list[Any] = [ones.astype(np.int64), ones.astype(np.bool_)]
        weak += [np.float64(1.0), np.int8(1), 1.0, 1, True] if single else []
        for operand in weak:
            inputs = list(sample.astype(np.float32).inputs)
            inputs[i] = operand
            out = sample.call(record, [Tensor(x) if is_floating(x) else x for x in inputs])
            wanted = out.dtype.kind != "f" or out.dtype == np.float32
            require(wanted, f"float32 with {operand!r} gives {out.dtype}")
        if single:
            inputs[i] = np.array(1.0)
            out = sample.call(record, [Tensor(x) if x.ndim else x for x in map(np.asarray, inputs)])
            strong = not isinstance(out, Tensor) or out.dtype.kind != "f" or out.dtype == np.float64
            require(strong, f"float32 with a 0-d float64 array gives {out.dtype}")


def _invertible(x: Array) -> Array:
    """Return ones, on the diagonals of square matrices twos."""
    ones = np.ones(x.shape, np.int64)
    square = x.ndim > 1 and x.shape[-1] == x.shape[-2]
    return ones + np.eye(x.shape[-1], dtype=np.int64) if square else ones


def check_integers(record: Record, sample: Sample, reference: Any) -> None:
    """Integer tensors give the default float type where NumPy would give float64."""
    solves = record.kind == "matmul"
    whole = sample.with_inputs(_invertible if solves else lambda x: np.ones(x.shape, np.int64))
    if not sample.arrays or record.kind in ("random", "cast"):
        return
    operands = [Tensor(x) if isinstance(x, np.ndarray) else x for x in whole.inputs]
    out = sample.call(record, operands)
    allowed = out.dtype.kind in "iub" or out.dtype == get_default_dtype()
    require(allowed, f"integers give {out.dtype}")


def check_numpy(record: Record, sample: Sample, reference: Any) -> None:
    """NumPy's own function, called on tensors, gives what the op gives."""
    r = run(record, sample)
    for function in record.numpy:
        if not r.leaves:
            continue
        arguments = (r.operands,) if sample.listed else r.operands
        out = joined(function(*arguments, **sample.attrs))
        require(isinstance(out, Tensor), f"np.{function.__name__} gives {type(out).__name__}")
        require_same(out.data, r.out.data, f"np.{function.__name__}")
        require(out.requires_grad == r.out.requires_grad, f"np.{function.__name__}: requires_grad")


def check_into(record: Record, sample: Sample, reference: Any) -> None:
    """``op.into(out, …)`` writes what forward returns, bit for bit."""
    if not isinstance(record, Op) or record.kind in ("random", "state"):
        return
    r = run(record, sample)
    if not isinstance(r.out, Tensor) or r.out.op is not record:
        return
    y, inputs, attrs = recorded(r)
    out = np.full_like(y, 77)
    record.into(out, *inputs, **attrs)
    require_same(out, y, "into(out, …)")


def check_unmodified(record: Record, sample: Sample, reference: Any) -> None:
    """Neither forward nor backward pass writes into inputs, result or upstream gradient."""
    r = run(record, sample)
    if record.kind == "state" or not isinstance(r.out, Tensor):
        return
    before = [x.tobytes() for x in sample.arrays]
    require([x.data.tobytes() for x in r.leaves] == before, "the forward pass wrote to an input")
    if not isinstance(record, Op) or record.vjps is None or r.out.op is not record:
        return
    y, inputs, attrs = recorded(r)
    watched: dict[Any, Any] = {"g": np.array(r.upstream), "y": y, **dict(enumerate(inputs))}
    copies = {k: np.copy(v) for k, v in watched.items()}
    raw_vjps(record, watched["g"], y, inputs, attrs)
    for k, copied in copies.items():
        require_same(watched[k], copied, f"a VJP wrote into {k!r}")


VALUE_CHECKS = {
    "value": check_value,
    "layouts": check_layouts,
    "dtypes": check_dtypes,
    "integers": check_integers,
    "numpy": check_numpy,
    "into": check_into,
    "unmodified": check_unmodified,
}
