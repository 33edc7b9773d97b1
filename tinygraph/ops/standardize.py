"""Mean 0 and variance 1: the ops that every normalization is made of.

`normalize` is one op where a chain would be seven, and so is its derivative, `normalize_slope`.
What that one changes with x is made of the two and of `inverse_std`: so there are derivatives of
any order.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.choices import note
from ..core.errors import ShapeError, UsageError, compose_message, describe, describe_all
from ..core.op import Op, op
from ..core.storage import Array
from ..core.sums import IN_PIECES, LONGEST_ROW, VECTORS_OF_ONES, sum_axes
from .axes import all_axes, kept_shape
from .elementwise import square
from .pieces import row_slices
from .reduce import as_floating, mean
from .row_softmax import PLAIN

Axes = tuple[int, ...]


def count_along(x: Any, axis: Axes) -> int:
    """Return how many elements each mean over ``axis`` is made of."""
    return math.prod([x.shape[a] for a in axis])


def _mean(x: Array, axis: Axes) -> Array:
    return sum_axes(x, axis, keepdims=True) / max(count_along(x, axis), 1)


def _deviation(x: Array, axis: Axes, center: bool) -> Array:
    """Subtract the mean. A constant row gives exact zeros, whatever its mean rounds to."""
    x = as_floating(x)
    if not center:
        return x
    first = x[tuple(slice(1) if a in axis else slice(None) for a in range(x.ndim))]
    shifted: Array = np.asarray(x - first)
    return shifted - _mean(shifted, axis)


def _as_rows(x: Array, axis: Axes) -> Array | None:
    """Return ``x`` as a matrix of rows to normalize, if they lie so in memory and are short."""
    last = axis == tuple(range(x.ndim - len(axis), x.ndim))
    length = count_along(x, axis)
    if not last or not x.flags.c_contiguous or not 0 < length <= LONGEST_ROW or not x.size:
        return None
    return x.reshape(-1, length) if x.dtype in VECTORS_OF_ONES else None


def _rows_deviate(x: Array, d: Array, eps: float, center: bool) -> Array:
    """Fill ``d`` with the deviations of rows and return 1 / √(var + eps) as a column."""
    if center:
        np.subtract(x, x[:, :1], d)
        means = d.dot(VECTORS_OF_ONES[x.dtype][: x.shape[1]])
        means /= x.shape[1]
        np.subtract(d, means[:, None], d)
        x = d
    scale: Array = np.vecdot(x, x)
    scale /= x.shape[1]
    scale += eps
    np.sqrt(scale, scale)
    return np.divide(1, scale, scale)[:, None]


def _normalize(
    x: Any, *, axis: Any = -1, eps: float = 1e-5, center: bool = True, out: Array | None = None
) -> Array:
    x = as_floating(x)
    rows = _as_rows(x, axis) if _fits(x, out) else None
    note("normalize", x, axis, PLAIN if rows is None else IN_PIECES)
    if rows is None:
        d = _deviation(x, axis, center)
        return np.divide(d, np.sqrt(_mean(d * d, axis) + eps), out=out)
    y: Array = np.empty(x.shape, x.dtype) if out is None else out
    made = y.reshape(rows.shape)
    for part in row_slices(*rows.shape):
        scale = _rows_deviate(rows[part], made[part], eps, center)
        np.multiply(made[part] if center else rows[part], scale, made[part])
    return y


def _inverse_std(x: Any, *, axis: Any = -1, eps: float = 1e-5, center: bool = True) -> Array:
    x = as_floating(x)
    rows = _as_rows(x, axis)
    if rows is None:
        d = _deviation(x, axis, center)
        return np.asarray(1 / np.sqrt(_mean(d * d, axis) + eps))
    parts = list(row_slices(*rows.shape))
    scratch = np.empty_like(rows[parts[0]])
    scales = [_rows_deviate(rows[p], scratch[: p.stop - p.start], eps, center) for p in parts]
    return np.concatenate(scales).reshape(kept_shape(x.shape, axis))


def checked_eps(who: str, eps: Any) -> float:
    """Return ``eps`` if it is a finite number from 0 on."""
    real = isinstance(eps, int | float | np.floating) and not isinstance(eps, bool)
    if not real or not 0 <= eps < math.inf:
        raise UsageError(compose_message(f"{who}: eps is a number from 0 on", describe(eps)))
    return float(eps)


def _check(who: str) -> Any:
    def check(x: Any, *, axis: Any, eps: Any, center: Any) -> dict[str, Any]:
        axes = all_axes(who, axis, x.ndim)
        return {"axis": axes, "eps": checked_eps(who, eps), "center": bool(center)}

    return check


def _check_slope(g: Any, x: Any, *, axis: Any, eps: Any, center: Any) -> dict[str, Any]:
    if g.shape != x.shape:
        what = "normalize_slope: g and x have one shape"
        raise ShapeError(compose_message(what, describe_all([g, x])))
    axes = all_axes("normalize_slope", axis, x.ndim)
    return {"axis": axes, "eps": checked_eps("normalize_slope", eps), "center": bool(center)}


def _normalize_slope(
    g: Any, x: Any, *, axis: Any = -1, eps: float = 1e-5, center: bool = True,
    out: Array | None = None,
) -> Array:  # fmt: skip
    g, x = np.asarray(g), as_floating(x)
    fits = g.dtype == x.dtype and g.flags.c_contiguous and _fits(x, out)
    rows = _as_rows(x, axis) if fits else None
    note("normalize_slope", x, axis, PLAIN if rows is None else IN_PIECES)
    if rows is None:
        y = _normalize(x, axis=axis, eps=eps, center=center)
        inner = g - y * _mean(g * y, axis)
        inner = inner - _mean(g, axis) if center else inner
        root = _inverse_std(x, axis=axis, eps=eps, center=center)
        return np.multiply(inner, root, out=out)  # type: ignore[no-any-return]
    z: Array = np.empty(x.shape, x.dtype) if out is None else out
    made, given = z.reshape(rows.shape), g.reshape(rows.shape)
    parts = list(row_slices(*rows.shape))
    scratch, ones = np.empty_like(rows[parts[0]]), VECTORS_OF_ONES[x.dtype][: rows.shape[1]]
    for part in parts:
        h, to, d = given[part], made[part], scratch[: part.stop - part.start]
        scale = _rows_deviate(rows[part], d, eps, center)
        d = d if center else rows[part]
        along = np.vecdot(h, d)[:, None]  # y · mean(g · y) = d · along
        along *= scale * scale / rows.shape[1]
        np.multiply(d, along, to)
        np.subtract(h, to, to)
        if center:
            means = h.dot(ones)
            means /= rows.shape[1]
            np.subtract(to, means[:, None], to)
        np.multiply(to, scale, to)
    return z


def _fits(x: Array, out: Array | None) -> bool:
    return out is None or (out.flags.c_contiguous and out.dtype == x.dtype)


def _slope_by_x(h: Any, z: Any, g: Any, x: Any, **attrs: Any) -> Any:
    """Differentiate Σ h · slope(g, x) = Σ s · (h · g − mean(h) · mean(g) − (h·y) · mean(g·y))."""

    def average(v: Any) -> Any:
        return mean(v, axis=attrs["axis"], keepdims=True)

    y, root = normalize(x, **attrs), inverse_std(x, **attrs)
    along_g, along_h = average(g * y), average(h * y)
    whole = average(h * g) - along_g * along_h
    if attrs["center"]:
        whole = whole - average(h) * average(g)
    turned = along_g * normalize_slope(h, x, **attrs) + along_h * normalize_slope(g, x, **attrs)
    return -root * (root * y * whole + turned)


def _inverse_std_vjp(g: Any, y: Any, x: Any, *, axis: Axes, eps: float, center: bool) -> Any:
    slope = -(g * square(y)) / max(count_along(x, axis), 1)
    return normalize(x, axis=axis, eps=eps, center=center) * slope


NORMALIZE_ATTRIBUTES = """

Parameters
----------
x : Tensor or ndarray
axis : int, tuple of int or None
    The axes of each mean; None for all.
eps : float
    Added to the variance.
center : bool
    False subtracts no mean: the mean square takes the place of the variance.

Returns
-------
Tensor
    {result}

Raises
------
ShapeError
    If an axis does not exist.
UsageError
    If ``eps`` is negative.

Examples
--------
>>> import tinygraph as tg
>>> tg.REGISTRY["{name}"](tg.tensor([1.0, 3.0]), eps=0)
{shown}"""

normalize: Op = op(
    "normalize", _normalize, kind="row", label="norm", formula="(x − mean(x)) / √(var(x) + eps)",
    local=["(g − mean(g) − y · mean(g · y)) / √(var(x) + eps)"], saves="x", quiet=True,
    vjps=[lambda g, y, x, **attrs: normalize_slope(g, x, **attrs)], prepare=_check("normalize"),
    kinks="a constant row gives 0, and nan if eps is 0",
    doc="Normalize along axes: mean 0 and variance 1, the variance in a second pass."
    + NORMALIZE_ATTRIBUTES.format(
        name="normalize", result="Of the shape of ``x``.", shown="tensor([-1.,  1.])"
    ),
)  # fmt: skip

normalize_slope: Op = op(
    "normalize_slope", _normalize_slope, kind="row", label="norm′", saves="g x", quiet=True,
    formula="(g − mean(g) − y · mean(g · y)) / √(var(x) + eps), y = normalize(x)",
    local=["the same of G", "the derivative by x of both factors"],
    vjps=[lambda h, z, g, x, **attrs: normalize_slope(h, x, **attrs), _slope_by_x],
    prepare=_check_slope,
    doc="Gradient of ``normalize`` by x, from that of its result, in one go through memory.",
)  # fmt: skip

inverse_std: Op = op(
    "inverse_std", _inverse_std, kind="reduce", label="1/σ", formula="1 / √(var(x) + eps)",
    local=["−y² · normalize(x) / n"], saves="y x", quiet=True, vjps=[_inverse_std_vjp],
    prepare=_check("inverse_std"),
    doc="One over the standard deviation along axes: what ``normalize`` multiplies by."
    + NORMALIZE_ATTRIBUTES.format(
        name="inverse_std", result="With length 1 along the axes.", shown="tensor([1.])"
    ),
)  # fmt: skip


def _scale_shift(x: Any, scale: Any, shift: Any, *, out: Array | None = None) -> Any:
    y = np.multiply(x, scale, out=out)
    if out is None and np.ndim(y) and np.result_type(y, shift) == y.dtype:
        out = y if np.broadcast_shapes(y.shape, np.shape(shift)) == y.shape else None
    return np.add(y, shift, out=out)


scale_shift = op(
    "scale_shift", _scale_shift, label="×+",
    formula="x · scale + shift", local=["scale", "x", "1"], saves="x scale",
    vjps=[
        lambda g, y, x, scale, shift: g * scale,
        lambda g, y, x, scale, shift: g * x,
        lambda g, y, x, scale, shift: g,
    ],
    doc="Scale and shift, element by element: what a normalization learns.",
)  # fmt: skip


def affine(x: Any, weight: Any, bias: Any) -> Any:
    """Apply a learned scale and shift, each of which may be None."""
    if weight is None:
        return x if bias is None else x + bias
    return x * weight if bias is None else scale_shift(x, weight, bias)
