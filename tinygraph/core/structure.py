"""The three ops that the engine itself needs: cast, broadcast_to and its adjoint sum_to."""

from __future__ import annotations

from typing import Any

import numpy as np

from .dtypes import FLOAT32, FLOAT64, checked_dtype
from .errors import ShapeError, compose_message, describe
from .layout import channels_first, channels_last, pixels_first
from .modes import module_path
from .op import Op, op
from .storage import Array
from .sums import BLOCK_ROWS, sum_axes
from .tensor import Tensor

ONES = {dtype: np.ones(BLOCK_ROWS, dtype) for dtype in (FLOAT32, FLOAT64)}
"""A product with ones adds the rows of a small matrix in a third of the time. It may raise a
spurious warning over an infinity, so it is for the backward pass, which ignores warnings."""


def _cast_forward(x: Array, *, dtype: Any, out: Array | None = None) -> Array:
    if out is None and type(x) is np.ndarray and x.dtype.kind in "biu":
        return x.astype(dtype)  # nothing that a warning could be about
    with np.errstate(all="ignore"):
        if out is not None:
            np.copyto(out, x, casting="unsafe")
            return out
        return np.asarray(x).astype(dtype)


cast = op(
    "cast",
    _cast_forward,
    vjps=[lambda g, y, x, *, dtype: g],
    kind="cast",
    formula="x as dtype",
    local=["1"],
    prepare=lambda x, *, dtype: {"dtype": checked_dtype(dtype)},
    doc="Convert to another dtype; the gradient is converted back.",
)


NO_STEPS = (0,) * 64


def _broadcast(x: Array, *, shape: tuple[int, ...]) -> Array:
    x = np.asarray(x)
    if x.size != 1:
        return np.broadcast_to(x, shape)
    view: Array = np.ndarray(shape, x.dtype, x, strides=NO_STEPS[: len(shape)])
    view.setflags(write=False)  # the same in a quarter of the time
    return view


def _check_broadcast(x: Any, *, shape: Any) -> dict[str, Any]:
    if type(shape) is tuple and x.ndim == 0:
        return {"shape": shape}
    shape = (shape,) if isinstance(shape, int | np.integer) else tuple(int(n) for n in shape)
    ok = len(x.shape) <= len(shape) and all(
        n in (1, m) for n, m in zip(x.shape[::-1], shape[::-1], strict=False)
    )
    if not ok:
        raise ShapeError(
            compose_message(
                f"broadcast_to: axes must be equal or 1, aligned at the last, to become {shape}",
                describe(x),
                "insert axes of length 1 with t.expand_dims(axis)",
                module_path(),
            )
        )
    return {"shape": shape}


def _sum_to(x: Array, *, shape: tuple[int, ...]) -> Array:
    added = x.ndim - len(shape)
    if added == 1 and x.shape[1:] == shape and len(shape) == 1 and len(x) <= BLOCK_ROWS:
        ones = ONES.get(x.dtype)
        if ones is not None:
            return ones[: len(x)].dot(x)  # type: ignore[no-any-return]
    if added > 0 and x.shape[added:] == shape:
        return sum_axes(x, tuple(range(added)))
    axes = tuple(range(added)) + tuple(
        i + added for i, n in enumerate(shape) if n == 1 and x.shape[i + added] != 1
    )
    if added < 0 or any(n not in (1, m) for n, m in zip(shape, x.shape[added:], strict=True)):
        raise ShapeError(
            compose_message(f"sum_to: {shape} must broadcast to the operand", describe(x))
        )
    return sum_axes(np.asarray(x), axes).reshape(shape)


def _repack(x: Any, *, out: Array | None = None) -> Array:
    x = np.asarray(x)
    if out is not None:
        turned = out.transpose(pixels_first(out.ndim)) if out.ndim > 2 else out
        if turned.flags.c_contiguous and out.dtype == x.dtype and out.ndim > 2:
            channels_last(x, turned)
        else:
            np.copyto(out, x)
        return out
    return channels_last(x).transpose(channels_first(x.ndim)) if x.ndim > 2 else np.array(x)


repack = op(
    "repack",
    _repack,
    vjps=[lambda g, y, x: g],
    kind="view",
    formula="x, its channels last in memory",
    local=["1"],
    doc="Lay (N, C, …) out in memory as (…, N, C); the numbers and the shape stay.",
)

broadcast_to = op(
    "broadcast_to",
    _broadcast,
    vjps=[lambda g, y, x, *, shape: sum_to(g, shape=x.shape)],
    kind="view",
    star=True,
    formula="x repeated to shape",
    local=["sum over the repeated axes"],
    prepare=_check_broadcast,
    numpy=[np.broadcast_to],
    doc="Repeat axes of length 1, without copying, until the shape is reached.",
)

sum_to: Op = op(
    "sum_to",
    _sum_to,
    vjps=[lambda g, y, x, *, shape: broadcast_to(g, shape=x.shape)],
    kind="reduce",
    formula="Σ over the axes that broadcasting repeated",
    local=["broadcast back"],
    doc="Sum down to a shape that broadcasts to this one: the adjoint of broadcast_to.",
)


# ---- inside derivative rules: on arrays, without the call of an op, which takes as long again ----


def cast_to(x: Any, dtype: np.dtype[Any]) -> Any:
    """Return ``cast(x, dtype=dtype)``."""
    return cast(x, dtype=dtype) if isinstance(x, Tensor) else _cast_forward(x, dtype=dtype)


def spread_to(x: Any, shape: tuple[int, ...]) -> Any:
    """Return ``broadcast_to(x, shape=shape)``."""
    return broadcast_to(x, shape=shape) if isinstance(x, Tensor) else _broadcast(x, shape=shape)


def summed_to(x: Any, shape: tuple[int, ...]) -> Any:
    """Return ``sum_to(x, shape=shape)``."""
    return sum_to(x, shape=shape) if isinstance(x, Tensor) else _sum_to(x, shape=shape)
