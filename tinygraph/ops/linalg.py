"""Matrix products by all of NumPy's rules: vectors, matrices, batches, broadcasting."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.errors import ShapeError, compose_message, describe_all
from ..core.modes import module_path
from ..core.op import op
from ..core.storage import Array
from ..core.structure import summed_to
from .shape import expand_dims, reshape


def _explain_matmul(a: Any, b: Any) -> ShapeError:
    shapes = np.shape(a), np.shape(b)
    if () in shapes:
        what, fix = "both operands need at least one axis", "a * b scales by a number"
    else:
        inner = shapes[0][-1], shapes[1][-2 if len(shapes[1]) > 1 else 0]
        what = f"the inner sizes must agree, {inner[0]} ≠ {inner[1]}"
        fix = "transpose one operand (t.T, t.mT) or check the layer's sizes"
        if inner[0] == inner[1]:
            what = "the axes before the last two must broadcast"
            fix = "t.expand_dims(axis) so that the batches line up"
    given = describe_all([a, b])
    return ShapeError(compose_message(f"matmul: {what}", given, fix, module_path()))


def _matmul(a: Any, b: Any, *, out: Array | None = None) -> Any:
    try:
        if a.ndim == b.ndim == 2:
            return a.dot(b) if out is None else np.dot(a, b, out)  # as matmul, half the overhead
        return np.matmul(a, b, out=out)
    except (ValueError, AttributeError) as error:
        raise _explain_matmul(a, b) from error


def _times(a: Any, b: Any) -> Any:
    """Multiply two matrices; of arrays as `_matmul` does, for a third of a call of the op."""
    return a.dot(b) if type(a) is np.ndarray else matmul(a, b)


def _matmul_vjp_a(g: Any, y: Any, a: Any, b: Any) -> Any:
    if a.ndim == b.ndim == 2:
        return _times(g, b.mT)
    if b.ndim == 1:
        grad = expand_dims(g, axis=-1) * b
    elif a.ndim == 1:
        grad = matmul(b, expand_dims(g, axis=-1))[..., 0]
    else:
        grad = matmul(g, b.mT)
    return grad if grad.shape == a.shape else summed_to(grad, a.shape)


def _matmul_vjp_b(g: Any, y: Any, a: Any, b: Any) -> Any:
    if a.ndim == b.ndim == 2:
        return _times(a.mT, g)
    if b.ndim == 1:
        grad = expand_dims(g, axis=-1) * a
    elif a.ndim == 1:
        grad = expand_dims(a, axis=-1) * expand_dims(g, axis=-2)
    else:
        grad = matmul(a.mT, g)
    return grad if grad.shape == b.shape else summed_to(grad, b.shape)


matmul = op(
    "matmul", _matmul, kind="matmul", label="@", formula="a @ b", local=["G bᵀ", "aᵀ G"],
    saves="a b", vjps=[_matmul_vjp_a, _matmul_vjp_b], numpy=[np.matmul],
    doc="Matrix product over the last two axes; vectors and batches by NumPy's rules.",
)  # fmt: skip

# ---- the affine map of Linear, as one op ------------------------------------------------------


def _linear(x: Any, weight: Array, bias: Array, *, out: Array | None = None) -> Array:
    try:
        if weight.ndim != 2 or bias.shape != weight.shape[:1]:
            raise ValueError("a bias that broadcasts is another function")
        fits = out is None or (out.flags.c_contiguous and out.dtype == x.dtype == weight.dtype)
        y = _product(x, weight.T, out if fits else None)
        if fits and y.dtype == bias.dtype:
            y += bias
            return y
        return np.add(y, bias, out=out)
    except (ValueError, AttributeError) as error:
        raise ShapeError(
            compose_message(
                "linear: x (…, in), weight (out, in) and bias (out,) must fit together",
                describe_all([x, weight, bias]),
                "check the sizes of the layer",
                module_path(),
            )
        ) from error


def _product(x: Any, matrix: Array, out: Array | None) -> Array:
    """Multiply vectors with a matrix, as the rows of one: BLAS is fastest at large ones."""
    if x.ndim == 2:
        return x.dot(matrix) if out is None else np.dot(x, matrix, out)
    if x.ndim < 2 or not x.flags.c_contiguous:
        return np.matmul(x, matrix, out=out)
    rows = x.reshape(math.prod(x.shape[:-1]), x.shape[-1])
    if out is None:
        return rows.dot(matrix).reshape(*x.shape[:-1], matrix.shape[1])  # type: ignore[no-any-return]
    np.dot(rows, matrix, out.reshape(len(rows), matrix.shape[1]))
    return out


def _rows(x: Any) -> Any:
    """Return the vectors along the last axis as the rows of one matrix."""
    return x if x.ndim == 2 else reshape(x, shape=(math.prod(x.shape[:-1]), x.shape[-1]))


def _linear_vjp_x(g: Any, y: Any, x: Any, weight: Any, bias: Any) -> Any:
    if x.ndim == 2:
        return g.dot(weight)
    return reshape(_rows(g).dot(weight), shape=x.shape)


def _linear_vjp_weight(g: Any, y: Any, x: Any, weight: Any, bias: Any) -> Any:
    return g.T.dot(x) if x.ndim == 2 else _rows(g).T.dot(_rows(x))


linear = op(
    "linear", _linear, kind="matmul", label="xWᵀ+b", formula="x @ weightᵀ + bias",
    local=["G weight", "Gᵀ x", "Σ rows of G"], saves="x weight",
    vjps=[
        _linear_vjp_x,
        _linear_vjp_weight,
        lambda g, y, x, weight, bias: summed_to(g, bias.shape),
    ],
    doc="Affine map of the last axis: a matrix product and a sum in one node.",
)  # fmt: skip
