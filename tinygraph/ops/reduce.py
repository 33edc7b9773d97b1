"""Reductions: sum, mean, max, min, var, logsumexp, argmax."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.errors import ShapeError, compose_message, describe
from ..core.modes import get_default_dtype, module_path
from ..core.op import composite, op
from ..core.storage import Array
from ..core.structure import cast_to, spread_to
from ..core.sums import sum_axes
from ..core.tensor import Tensor
from .axes import Axes, all_axes, kept_shape, one_axis
from .elementwise import exp, square
from .shape import reshape


def check_reduce(who: str) -> Any:
    """Return the ``prepare`` of a reduction: axes sorted and positive."""

    def check(x: Any, *, axis: Any, keepdims: Any) -> dict[str, Any]:
        return {"axis": all_axes(who, axis, x.ndim), "keepdims": bool(keepdims)}

    return check


def _check_nonempty(who: str) -> Any:
    def check(x: Any, *, axis: Any, keepdims: Any) -> dict[str, Any]:
        axes = all_axes(who, axis, x.ndim)
        for a in axes:
            if x.shape[a] == 0:
                raise ShapeError(
                    compose_message(
                        f"{who} of no elements is undefined: axis {a} has length 0",
                        describe(x),
                        "skip empty batches",
                        module_path(),
                    )
                )
        return {"axis": axes, "keepdims": bool(keepdims)}

    return check


def _spread(g: Any, x: Any, axis: tuple[int, ...]) -> Any:
    """Give every element the gradient of the result that it went into."""
    if g.ndim == 0:
        return spread_to(g, x.shape)
    return spread_to(reshape(g, shape=kept_shape(x.shape, axis)), x.shape)


def _sum(x: Any, *, axis: Any = None, keepdims: bool = False) -> Array:
    return sum_axes(np.asarray(x), axis, keepdims)


sum = op(
    "sum", _sum, kind="reduce", label="Σ", formula="Σ x", local=["1, spread back"],
    vjps=[lambda g, y, x, *, axis, keepdims: _spread(g, x, axis)],
    prepare=check_reduce("sum"), numpy=[np.sum],
    doc="Add the elements along axes (default: all). float32 stays accurate over long axes.",
)  # fmt: skip


def _count(x: Any, axis: tuple[int, ...]) -> int:
    return x.size if len(axis) == x.ndim else math.prod([x.shape[a] for a in axis])


def _mean(x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    total = sum_axes(np.asarray(x), axis, keepdims)
    count = _count(x, axis)
    return total / count if count else total * math.nan


def _mean_vjp(g: Any, y: Any, x: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
    count = _count(x, axis)
    return _spread(g / count if count else g, x, axis)


mean = op(
    "mean", _mean, kind="reduce", formula="Σ x / n", local=["1 / n, spread back"],
    vjps=[_mean_vjp], prepare=check_reduce("mean"), numpy=[np.mean],
    doc="Average the elements along axes (default: all); the mean of no elements is nan.",
)  # fmt: skip


@composite("Σ (x − mean(x))² / (n − ddof)", numpy=[np.var])
def var(x: Any, axis: Axes = None, ddof: int = 0, keepdims: bool = False) -> Tensor:
    """Variance along axes, in two passes; nan where n − ddof is not positive.

    Parameters
    ----------
    x : Tensor or ndarray
    axis : int, tuple of int or None
        Axes to reduce; None for all.
    ddof : int
        0 for the variance of a population (default, as in NumPy), 1 for that of a sample.
    keepdims : bool
        Keep the reduced axes with length 1.

    Examples
    --------
    >>> import tinygraph as tg
    >>> float(tg.var(tg.tensor([1.0, 3.0])))
    1.0
    """
    x = x if hasattr(x, "ndim") else np.asarray(x)
    count = _count(x, all_axes("var", axis, x.ndim)) - ddof
    total = sum(square(x - mean(x, axis, True)), axis=axis, keepdims=keepdims)
    return total / count if count > 0 else total * math.nan


def _extreme_vjp(g: Any, y: Any, x: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
    """Give the gradient to the extreme elements, in equal shares."""
    kept = kept_shape(x.shape, axis)
    chosen = cast_to(x == reshape(y, shape=kept), g.dtype)
    share = chosen / sum(chosen, axis=axis, keepdims=True)
    return reshape(g, shape=kept) * share


max = op(
    "max", lambda x, *, axis=None, keepdims=False, out=None: np.maximum.reduce(
        x, axis=axis, keepdims=keepdims, out=out
    ),
    kind="reduce", formula="max of x", local=["1 at the maximum, 0 elsewhere"], saves="y x",
    vjps=[_extreme_vjp], prepare=_check_nonempty("max"), numpy=[np.max, np.amax],
    kinks="ties share the gradient evenly",
    doc="Take the largest element along axes (default: all); nan wins.",
)  # fmt: skip

min = op(
    "min", lambda x, *, axis=None, keepdims=False, out=None: np.minimum.reduce(
        x, axis=axis, keepdims=keepdims, out=out
    ),
    kind="reduce", formula="min of x", local=["1 at the minimum, 0 elsewhere"], saves="y x",
    vjps=[_extreme_vjp], prepare=_check_nonempty("min"), numpy=[np.min, np.amin],
    kinks="ties share the gradient evenly",
    doc="Take the smallest element along axes (default: all); nan wins.",
)  # fmt: skip


def as_floating(x: Any) -> Array:
    """Return scores as floats: integers become the default float dtype."""
    array: Array = np.asarray(x)
    return array if array.dtype.kind == "f" else array.astype(get_default_dtype())


def _logsumexp(x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    x = as_floating(x)
    top = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    shift = np.where(np.isfinite(top), top, 0)
    total = sum_axes(np.exp(x - shift), axis=axis, keepdims=True)
    result = np.log(total) + shift
    return (
        result if keepdims else result.reshape([n for a, n in enumerate(x.shape) if a not in axis])
    )


def _logsumexp_vjp(g: Any, y: Any, x: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
    kept = kept_shape(x.shape, axis)
    return reshape(g, shape=kept) * exp(x - reshape(y, shape=kept))


logsumexp = op(
    "logsumexp", _logsumexp, kind="reduce", formula="log Σ exp(x)", local=["exp(x − y)"],
    saves="y x", vjps=[_logsumexp_vjp], prepare=check_reduce("logsumexp"), quiet=True,
    doc="Take log Σ eˣ along axes, without overflow; nothing but −inf gives −inf.",
)  # fmt: skip

# ---- arg max: no gradient ----------------------------------------------------------------------


def _check_arg(who: str) -> Any:
    def check(x: Any, *, axis: Any, keepdims: Any) -> dict[str, Any]:
        one = None if axis is None else one_axis(who, axis, x.ndim)
        empty = math.prod(x.shape) == 0 if one is None else x.shape[one] == 0
        if empty:
            raise ShapeError(
                compose_message(f"{who} of no elements is undefined (axis={axis})", describe(x))
            )
        return {"axis": one, "keepdims": bool(keepdims)}

    return check


argmax = op(
    "argmax", lambda x, *, axis=None, keepdims=False: x.argmax(axis, keepdims=keepdims),
    kind="reduce", formula="index of the maximum", prepare=_check_arg("argmax"),
    numpy=[np.argmax], doc="Find the index of the first largest element (flat if axis is None).",
)  # fmt: skip

argmin = op(
    "argmin", lambda x, *, axis=None, keepdims=False: x.argmin(axis, keepdims=keepdims),
    kind="reduce", formula="index of the minimum", prepare=_check_arg("argmin"),
    numpy=[np.argmin], doc="Find the index of the first smallest element (flat if axis is None).",
)  # fmt: skip
