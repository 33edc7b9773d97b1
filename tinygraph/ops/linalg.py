"""Matrix products by all of NumPy's rules: vectors, matrices, batches, broadcasting."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import ShapeError, compose_message, describe_all
from ..core.modes import module_path
from ..core.op import op
from ..core.structure import sum_to
from ..core.tensor import Array
from .shape import expand_dims, matrix_transpose


def _check_matmul(a: Any, b: Any) -> dict[str, Any]:
    shapes = np.shape(a), np.shape(b)
    if () in shapes:
        raise ShapeError(
            compose_message(
                "matmul: both operands need at least one axis",
                describe_all([a, b]),
                "a * b scales by a number",
                module_path(),
            )
        )
    inner = a.shape[-1], b.shape[-2 if b.ndim > 1 else 0]
    if inner[0] != inner[1]:
        raise ShapeError(
            compose_message(
                f"matmul: the inner sizes must agree, {inner[0]} ≠ {inner[1]}",
                describe_all([a, b]),
                "transpose one operand (t.T, t.mT) or check the layer's sizes",
                module_path(),
            )
        )
    return {}


def _matmul(a: Any, b: Any, *, out: Array | None = None) -> Any:
    if a.ndim == 2 and b.ndim == 2 and out is None:
        return np.dot(a, b)  # the same BLAS call as matmul with half the overhead
    return np.matmul(a, b, out=out)


def _matmul_vjp_a(g: Any, y: Any, a: Any, b: Any) -> Any:
    if a.ndim == 2 and b.ndim == 2:
        return matmul(g, matrix_transpose(b))
    if b.ndim == 1:
        grad = expand_dims(g, axis=-1) * b
    elif a.ndim == 1:
        grad = matmul(b, expand_dims(g, axis=-1))[..., 0]
    else:
        grad = matmul(g, matrix_transpose(b))
    return sum_to(grad, shape=a.shape)


def _matmul_vjp_b(g: Any, y: Any, a: Any, b: Any) -> Any:
    if a.ndim == 2 and b.ndim == 2:
        return matmul(matrix_transpose(a), g)
    if b.ndim == 1:
        grad = expand_dims(g, axis=-1) * a
    elif a.ndim == 1:
        grad = expand_dims(a, axis=-1) * expand_dims(g, axis=-2)
    else:
        grad = matmul(matrix_transpose(a), g)
    return sum_to(grad, shape=b.shape)


matmul = op(
    "matmul", _matmul, kind="matmul", label="@", formula="a @ b", local=["G bᵀ", "aᵀ G"],
    saves="a b", vjps=[_matmul_vjp_a, _matmul_vjp_b], prepare=_check_matmul, numpy=[np.matmul],
    doc="Matrix product over the last two axes; vectors and batches by NumPy's rules.",
)  # fmt: skip
