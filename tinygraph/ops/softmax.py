"""Softmax and its logarithm along an axis, and softmax's derivative in one op."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import ShapeError, compose_message, describe_all
from ..core.op import Op, op
from ..core.storage import Array
from ..core.sums import sum_axes
from .axes import one_axis
from .elementwise import exp
from .reduce import as_floating, sum
from .row_softmax import slope_of_rows, softmax_of_rows


def _check(who: str) -> Any:
    return lambda x, *, axis: {"axis": one_axis(who, axis, x.ndim)}


def _check_slope(g: Any, y: Any, *, axis: Any) -> dict[str, Any]:
    if g.shape != y.shape:
        what = "softmax_slope: g and y have one shape"
        raise ShapeError(compose_message(what, describe_all([g, y])))
    return {"axis": one_axis("softmax_slope", axis, y.ndim)}


def _softmax(x: Any, *, axis: int = -1) -> Any:
    x = as_floating(x)
    if axis == x.ndim - 1:
        return softmax_of_rows(x, masked=False)
    top = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    weights = np.exp(x - top)
    return weights / np.add.reduce(weights, axis=axis, keepdims=True)


softmax = op(
    "softmax", _softmax, kind="row", formula="exp(x) / Σ exp(x)",
    local=["diag(y) − y yᵀ along axis"], saves="y", quiet=True, prepare=_check("softmax"),
    vjps=[lambda g, y, x, *, axis: softmax_slope(g, y, axis=axis)],
    doc="Turn scores into probabilities along an axis (default: the last). "
    "A row of nothing but −inf gives nan.",
)  # fmt: skip


def _softmax_slope(g: Any, y: Any, *, axis: int = -1, out: Array | None = None) -> Array:
    g, y = np.asarray(g), np.asarray(y)
    if axis == y.ndim - 1 and g.dtype == y.dtype:
        return slope_of_rows(g, y, out)
    along = sum_axes(np.asarray(g * y), (axis,), keepdims=True)
    return np.multiply(g - along, y, out=out)  # type: ignore[no-any-return]


softmax_slope: Op = op(
    "softmax_slope", _softmax_slope, kind="row", label="softmax′", saves="g y", quiet=True,
    formula="(g − Σ g · y) · y", local=["the same of G", "G · (g − Σ g · y) − g · Σ G · y"],
    prepare=_check_slope,
    vjps=[
        lambda h, z, g, y, *, axis: softmax_slope(h, y, axis=axis),
        lambda h, z, g, y, *, axis: h * (g - sum(g * y, axis=axis, keepdims=True))
        - g * sum(h * y, axis=axis, keepdims=True),
    ],
    doc="Gradient of softmax by its scores, from that of its result, in one go through memory.",
)  # fmt: skip


def _log_softmax(x: Any, *, axis: int = -1) -> Any:
    x = as_floating(x)
    top = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    shifted = x - top
    return shifted - np.log(np.add.reduce(np.exp(shifted), axis=axis, keepdims=True))


log_softmax = op(
    "log_softmax", _log_softmax, kind="row", formula="x − log Σ exp(x)",
    local=["1 − softmax(x) along axis"], saves="y", quiet=True, prepare=_check("log_softmax"),
    vjps=[lambda g, y, x, *, axis: g - exp(y) * sum(g, axis=axis, keepdims=True)],
    doc="Take the logarithm of softmax, without rounding small probabilities to 0.",
)  # fmt: skip


def _masked_softmax(scores: Any, *, out: Array | None = None) -> Array:
    return softmax_of_rows(as_floating(scores), masked=True, out=out)


masked_softmax: Op = op(
    "masked_softmax", _masked_softmax, kind="row", label="softmax", formula="exp(x) / Σ exp(x)",
    local=["diag(y) − y yᵀ along the last axis"], saves="y", quiet=True,
    vjps=[lambda g, y, scores: softmax_slope(g, y, axis=-1)],
    kinks="a row of nothing but −inf gives zeros, with gradient 0",
    doc="Turn scores into weights along the last axis; those of −inf get none.",
)  # fmt: skip
