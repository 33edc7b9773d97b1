"""Running sums, products and maxima along an axis, and the product of a whole axis.

Products are differentiated without a division, so zeros do no harm. What remains is the
linear recurrence ``y[k] = a[k] · y[k−1] + b[k]``, an op whose derivative is itself, backwards.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.errors import ShapeError, compose_message, describe_all
from ..core.op import Op, composite, op
from ..core.storage import Array
from ..core.tensor import Tensor
from .along import extend, part, rows, shift, unrows
from .axes import kept_shape, one_axis
from .elementwise import exp
from .gather import take_along_axis
from .operands import operand
from .reduce import as_floating, check_reduce
from .shape import reshape

SEQUENTIAL = 64
"""Up to this length a recurrence runs step by step, beyond it in √n blocks at once."""


# ---- the linear recurrence -------------------------------------------------------------------


def _check_recurrence(a: Any, b: Any, *, axis: Any, reverse: Any) -> dict[str, Any]:
    if a.shape != b.shape:
        raise ShapeError(
            compose_message("recurrence: both shapes must be equal", describe_all([a, b]))
        )
    return {"axis": one_axis("recurrence", axis, a.ndim), "reverse": bool(reverse)}


def _step(a: Array, y: Array, start: int = 1) -> None:
    for k in range(start, len(y)):
        y[k] += a[k] * y[k - 1]


def _recurrence(a: Any, b: Any, *, axis: int = -1, reverse: bool = False) -> Any:
    a, b = np.moveaxis(a, axis, 0), np.moveaxis(b, axis, 0)
    if reverse:
        a, b = a[::-1], b[::-1]
    y = np.array(b, np.result_type(a, b))
    width = math.isqrt(len(y))
    whole = len(y) // width * width if len(y) > SEQUENTIAL else 0
    if whole:
        cut = (-1, width, *y.shape[1:])
        factors, blocks = (np.swapaxes(v[:whole].reshape(cut), 0, 1) for v in (a, y))
        _step(factors, blocks)
        factors = np.multiply.accumulate(factors)
        for k in range(1, blocks.shape[1]):
            blocks[:, k] += factors[:, k] * blocks[-1, k - 1]
    _step(a, y, max(whole, 1))
    return np.moveaxis(y[::-1] if reverse else y, 0, axis)


def _adjoint(g: Any, a: Any, axis: int, reverse: bool) -> Any:
    """Carry gradients the other way: λ[k] = g[k] + a[k+1] · λ[k+1]."""
    return recurrence(shift(a, axis, reverse, 0.0), g, axis=axis, reverse=not reverse)


recurrence: Op = op(
    "recurrence", _recurrence, kind="row", formula="y[k] = a[k] · y[k−1] + b[k] along axis",
    local=["y[k−1] · λ", "λ[k] = g[k] + a[k+1] · λ[k+1]"], saves="y a", quiet=True,
    vjps=[
        lambda g, y, a, b, *, axis, reverse: _adjoint(g, a, axis, reverse)
        * shift(y, axis, not reverse, 0.0),
        lambda g, y, a, b, *, axis, reverse: _adjoint(g, a, axis, reverse),
    ],
    prepare=_check_recurrence,
    doc="Run a linear recurrence along an axis, from y[−1] = 0; with reverse from the end.",
)  # fmt: skip

# ---- running sums and products ---------------------------------------------------------------


def _check_scan(who: str) -> Any:
    def check(x: Any, *, axis: Any, **more: Any) -> dict[str, Any]:
        if axis is not None:
            axis = one_axis(who, axis, max(x.ndim, 1))
        return {"axis": axis if x.ndim else None} | {k: bool(v) for k, v in more.items()}

    return check


def _accumulate(ufunc: np.ufunc, x: Any, axis: int | None, reverse: bool = False) -> Any:
    x, axis = (np.reshape(x, -1), 0) if axis is None else (np.asarray(x), axis)
    if x.dtype.kind in "bui":  # as in np.cumsum
        x = x.astype(np.result_type(x.dtype, np.uint if x.dtype.kind == "u" else np.int_))
    if not reverse:
        return ufunc.accumulate(x, axis)
    return np.flip(ufunc.accumulate(np.flip(x, axis), axis), axis)


cumsum: Op = op(
    "cumsum", lambda x, *, axis=None, reverse=False: _accumulate(np.add, x, axis, reverse),
    kind="row", label="Σ…", formula="y[k] = x[0] + … + x[k]", local=["running sum from the end"],
    vjps=[
        lambda g, y, x, *, axis, reverse: reshape(
            cumsum(g, axis=axis or 0, reverse=not reverse), shape=x.shape
        )
    ],
    prepare=_check_scan("cumsum"), quiet=True,
    doc="Add up along an axis (None: flattened); with reverse from the end.",
)  # fmt: skip


def _cumprod_vjp(g: Any, y: Any, x: Any, *, axis: int | None, reverse: bool) -> Any:
    flat = reshape(x, shape=g.shape)
    grad = _adjoint(g, flat, axis or 0, reverse) * shift(y, axis or 0, not reverse, 1.0)
    return reshape(grad, shape=x.shape)


cumprod: Op = op(
    "cumprod", lambda x, *, axis=None, reverse=False: _accumulate(np.multiply, x, axis, reverse),
    kind="row", label="Π…", formula="y[k] = x[0] · … · x[k]",
    local=["y[k−1] · λ, λ[k] = g[k] + x[k+1] · λ[k+1]"], saves="y x", vjps=[_cumprod_vjp],
    prepare=_check_scan("cumprod"), quiet=True,
    kinks="none: right at zeros, since nothing is divided",
    doc="Multiply up along an axis (None: flattened); with reverse from the end.",
)  # fmt: skip


def _prod_vjp(g: Any, y: Any, x: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
    """Multiply all elements before by all elements after."""
    z = rows(x, axis)
    last = z.ndim - 1
    before = shift(cumprod(z, axis=last), last, True, 1.0)
    after = shift(cumprod(z, axis=last, reverse=True), last, False, 1.0)
    return reshape(g, shape=kept_shape(x.shape, axis)) * unrows(before * after, axis, x.shape)


prod = op(
    "prod", lambda x, *, axis=None, keepdims=False, out=None: np.prod(
        x, axis=axis, keepdims=keepdims, out=out
    ),
    kind="reduce", label="Π", formula="Π x", local=["the product of the other elements"],
    saves="x", vjps=[_prod_vjp], prepare=check_reduce("prod"), numpy=[np.prod], quiet=True,
    kinks="none: right at zeros, since nothing is divided",
    doc="Multiply the elements along axes (default: all); the product of no elements is 1.",
)  # fmt: skip

# ---- the running log-sum-exp -----------------------------------------------------------------


def _logcumsumexp_vjp(g: Any, y: Any, x: Any, *, axis: int | None) -> Any:
    """Σ g[i] exp(x[k] − y[i]) for i ≥ k, in factors exp(y[i] − y[i+1]) that are at most 1."""
    a = axis or 0
    falls = exp(part(y, a, slice(0, -1)) - part(y, a, slice(1, None)))
    falls = extend(falls, a, False, 0.0) if g.shape[a] else falls
    carried = recurrence(falls, g, axis=a, reverse=True)
    return reshape(carried * exp(reshape(x, shape=g.shape) - y), shape=x.shape)


logcumsumexp = op(
    "logcumsumexp", lambda x, *, axis=None: _accumulate(np.logaddexp, as_floating(x), axis),
    kind="row", formula="y[k] = log(exp(x[0]) + … + exp(x[k]))",
    local=["Σ g[i] · exp(x[k] − y[i]) over i ≥ k"], saves="y x", vjps=[_logcumsumexp_vjp],
    prepare=_check_scan("logcumsumexp"), quiet=True,
    doc="Take the running log Σ eˣ along an axis (None: flattened), without overflow.",
)  # fmt: skip

# ---- the running maximum ---------------------------------------------------------------------


def _argcummax(x: Any, *, axis: int = -1) -> Array:
    x = np.moveaxis(x, axis, 0)
    best = np.maximum.accumulate(x, axis=0)
    rises = np.ones(x.shape, np.bool_)
    rises[1:] = (x[1:] > best[:-1]) | (np.isnan(x[1:]) & ~np.isnan(best[:-1]))
    places = np.arange(len(x)).reshape(-1, *[1] * (x.ndim - 1))
    found: Array = np.maximum.accumulate(np.where(rises, places, 0), axis=0)
    return np.moveaxis(found, 0, axis)


argcummax = op(
    "argcummax", _argcummax, kind="row", formula="index of the largest of x[0] … x[k]",
    prepare=lambda x, *, axis: {"axis": one_axis("argcummax", axis, x.ndim)},
    doc="Find where the running maximum along an axis stands: the first of equals.",
)  # fmt: skip


@composite("y[k] = maximum of x[0] … x[k]", kinks="the first of equals gets the gradient")
def cummax(x: Any, axis: int | None = None) -> Tensor:
    """Take the largest element so far along an axis; nan wins.

    Parameters
    ----------
    x : Tensor or ndarray
    axis : int or None
        The axis to run along; None for the flattened tensor.

    Returns
    -------
    Tensor
        Of the shape of ``x`` (flat if axis is None). Only the values, not the indices.

    Raises
    ------
    ShapeError
        If the axis does not exist.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.cummax(tg.tensor([1.0, 3.0, 2.0]))
    tensor([1., 3., 3.])
    """
    x = operand("cummax", x)
    if axis is None:
        x, axis = reshape(x, shape=(x.size,)), 0
    axis = one_axis("cummax", axis, x.ndim)
    return take_along_axis(x, argcummax(x, axis=axis), axis)
