"""Norms of vectors and matrices: one primitive, the p-norm, and what is made of it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.errors import ShapeError, UsageError, compose_message, describe
from ..core.modes import module_path
from ..core.op import composite, op
from ..core.storage import Array
from ..core.structure import cast
from ..core.sums import sum_axes
from ..core.tensor import Tensor
from .axes import Axes, all_axes, kept_shape, one_axis
from .elementwise import abs, pow, sign, where
from .operands import operand
from .reduce import as_floating, max, min, sum
from .shape import reshape
from .truth import count_nonzero

Order = float | str | None


def _power_norm(x: Any, *, ord: float = 2.0, axis: Any = None, keepdims: bool = False) -> Array:
    x = as_floating(x)
    if ord == 2:
        y = np.sqrt(sum_axes(x * x, axis, keepdims))
        tiny, huge = np.finfo(y.dtype).tiny, np.finfo(y.dtype).max
        if ((y > math.sqrt(tiny) * 1e4) & (y < math.sqrt(huge))).all():
            return np.asarray(y)
    size = np.abs(x)
    scale = np.max(size, axis=axis, keepdims=True, initial=0)  # so that no power overflows
    unit = np.where((scale > 0) & (scale < np.inf), scale, 1)
    y = unit * sum_axes((size / unit) ** ord, axis, True) ** (1 / ord)
    return y if keepdims else y.reshape([n for a, n in enumerate(x.shape) if a not in axis])


def _power_norm_vjp(
    g: Any, y: Any, x: Any, *, ord: float, axis: tuple[int, ...], keepdims: bool
) -> Any:
    shape = kept_shape(x.shape, axis)
    g, y = reshape(g, shape=shape), reshape(y, shape=shape)
    flat = y == 0
    g, y = where(flat, 0.0, g), where(flat, 1.0, y)
    if ord == 2:
        return g * (x / y)
    ratio = where(x == 0, 1.0, abs(x) / y)
    return g * (sign(x) * pow(ratio, ord - 1))


def _check_power(x: Any, *, ord: Any, axis: Any, keepdims: Any) -> dict[str, Any]:
    return {"ord": float(ord), "axis": all_axes("norm", axis, x.ndim), "keepdims": bool(keepdims)}


power_norm = op(
    "power_norm", _power_norm, kind="reduce", label="‖x‖", formula="(Σ abs(x)**ord)**(1 / ord)",
    local=["sign(x) · (abs(x) / y)**(ord − 1)"], saves="y x", vjps=[_power_norm_vjp],
    prepare=_check_power, quiet=True, kinks="0 where x or y is 0",
    doc="Take a p-norm, p = ord (default: the Euclidean norm) along axes, without overflow.",
)  # fmt: skip


def _vector_norm(x: Any, order: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    if order is None or order == 2:
        return power_norm(x, axis=axes, keepdims=keepdims)
    if order == 0:
        count = count_nonzero(x, axis=axes, keepdims=keepdims)
        return cast(count, dtype=as_floating(np.empty(0, x.dtype)).dtype)
    if order == 1 or (order == math.inf and x.shape[axes[0]] == 0):
        return sum(abs(x), axis=axes, keepdims=keepdims)
    if math.isinf(order):
        return (max if order > 0 else min)(abs(x), axis=axes, keepdims=keepdims)
    return power_norm(x, ord=order, axis=axes, keepdims=keepdims)


def _matrix_norm(x: Any, order: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    """Frobenius, or the largest or smallest sum of a row (±inf) or of a column (±1)."""
    if order is None or order == "fro":
        return power_norm(x, axis=axes, keepdims=keepdims)
    row, column = axes
    added, kept = (column, row) if math.isinf(order) else (row, column)
    sums = sum(abs(x), axis=added, keepdims=True)
    if order > 0 and x.shape[kept] == 0:
        found = sum(sums, axis=kept, keepdims=True)
    else:
        found = (max if order > 0 else min)(sums, axis=kept, keepdims=True)
    return found if keepdims else reshape(found, shape=_without(x.shape, axes))


def _without(shape: tuple[int, ...], axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n for a, n in enumerate(shape) if a not in axes)


@composite("‖x‖", numpy=[np.linalg.norm], kinks="the derivative at 0 is 0; ties share evenly")
def norm(x: Any, ord: Order = None, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Norm of vectors along one axis, or of matrices along two.

    Parameters
    ----------
    x : Tensor or ndarray
    ord : number, "fro" or None
        For vectors any p ``(Σ|x|ᵖ)^(1/p)``, inf (largest size), −inf (smallest) or 0 (how many
        are not 0; without a gradient). For matrices "fro", 1 and −1 (largest and smallest sum
        of a column), inf and −inf (of a row). None: the root of the sum of squares.
    axis : int, pair of int or None
        The axis of the vectors, or the two of the matrices. None: all of ``x``, which must
        then be a vector or a matrix unless ``ord`` is None.
    keepdims : bool
        Keep the reduced axes with length 1.

    Raises
    ------
    ShapeError
        If there are neither one nor two axes.
    UsageError
        If the order is none of these. (2, −2 and "nuc" of matrices need singular values.)

    Examples
    --------
    >>> import tinygraph as tg
    >>> float(tg.norm(tg.tensor([3.0, 4.0])))
    5.0
    """
    x = operand("norm", x)
    if axis is None and ord is None:
        return power_norm(x, keepdims=keepdims)
    given = range(x.ndim) if axis is None else axis if isinstance(axis, tuple | list) else (axis,)
    axes = tuple(one_axis("norm", a, x.ndim) for a in given)
    if len(axes) not in (1, 2) or len(set(axes)) != len(axes):
        raise ShapeError(
            compose_message(
                f"norm: ord={ord!r} is for one axis (vectors) or two (matrices), axis={axis}",
                describe(x),
                "axis=-1, axis=(-2, -1), or reshape(-1)",
                module_path(),
            )
        )
    _check_order(ord, len(axes))
    take = _vector_norm if len(axes) == 1 else _matrix_norm
    return take(x, ord, axes, keepdims)  # type: ignore[no-any-return]


def _check_order(order: Any, count: int) -> None:
    number = isinstance(order, int | float | np.number) and not isinstance(order, bool)
    if order is None or (number and count == 1 and not math.isnan(order)):
        return
    if count == 2 and (order == "fro" or (number and order in (1, -1, math.inf, -math.inf))):
        return
    choices = "'fro', 1, -1, inf or -inf" if count == 2 else "a number, inf, -inf or 0"
    kind = "matrices" if count == 2 else "vectors"
    raise UsageError(compose_message(f"norm: the order for {kind} is {choices}", f"ord={order!r}"))
