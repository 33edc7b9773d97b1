"""The three ops that the engine itself needs: cast, broadcast_to and its adjoint sum_to."""

from __future__ import annotations

from typing import Any

import numpy as np

from .dtypes import checked_dtype
from .errors import ShapeError, compose_message, describe
from .modes import module_path
from .op import op
from .tensor import Array

BLOCK_ROWS = 128


def sum_axes(
    x: Array, *, axis: tuple[int, ...], keepdims: bool = False, out: Array | None = None
) -> Array:
    """Sum over axes, keeping float32 accuracy over millions of rows.

    NumPy adds pairwise along the last axis but row by row along the others, which loses
    4 % over 4.2 million float32 rows. Here rows are added in blocks of 128 and the block
    sums in float64.
    """
    last = x.ndim - 1
    long_axes = [a for a in axis if a != last and x.shape[a] > BLOCK_ROWS]
    if x.dtype.kind != "f" or x.dtype.itemsize > 4 or not long_axes:
        return np.add.reduce(x, axis=axis, keepdims=keepdims, out=out)  # type: ignore[no-any-return]
    total = x
    for a in sorted(axis, reverse=True):
        total = _sum_blocks(total, a)
    if keepdims:
        total = total.reshape([1 if a in axis else n for a, n in enumerate(x.shape)])
    total = total.astype(x.dtype, copy=False)
    if out is not None:
        out[...] = total
    return total


def _sum_blocks(x: Array, axis: int) -> Array:
    """Sum over one axis: blocks in the dtype of ``x``, their sums in float64."""
    length = x.shape[axis]
    if length <= BLOCK_ROWS or x.dtype.itemsize > 4:
        return np.add.reduce(x, axis=axis)  # type: ignore[no-any-return]
    blocks = length // BLOCK_ROWS
    head, tail = np.split(x, [blocks * BLOCK_ROWS], axis=axis)
    split = head.reshape(x.shape[:axis] + (blocks, BLOCK_ROWS) + x.shape[axis + 1 :])
    block_sums = np.add.reduce(split, axis=axis + 1)
    total = np.add.reduce(block_sums, axis=axis, dtype=np.float64)
    return total + np.add.reduce(tail, axis=axis)  # type: ignore[no-any-return]


def _cast_forward(x: Array, *, dtype: Any, out: Array | None = None) -> Array:
    if out is not None:
        np.copyto(out, x, casting="unsafe")
        return out
    return np.asarray(x).astype(dtype)


cast = op(
    "cast",
    _cast_forward,
    vjps=[lambda g, y, x, *, dtype: g],
    kind="cast",
    quiet=True,
    formula="x as dtype",
    local=["1"],
    prepare=lambda x, *, dtype: {"dtype": checked_dtype(dtype)},
    doc="Convert to another dtype; the gradient is converted back.",
)


def _check_broadcast(x: Any, *, shape: Any) -> dict[str, Any]:
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


def _check_sum_to(x: Any, *, shape: Any) -> dict[str, Any]:
    shape = tuple(shape)
    fits = len(shape) <= len(x.shape) and all(
        n in (1, m) for n, m in zip(shape[::-1], x.shape[::-1], strict=False)
    )
    if not fits:
        raise ShapeError(
            compose_message(f"sum_to: {shape} must broadcast to the operand", describe(x))
        )
    return {"shape": shape}


def _sum_to_forward(x: Array, *, shape: tuple[int, ...]) -> Array:
    added = x.ndim - len(shape)
    axes = tuple(range(added)) + tuple(
        i + added for i, n in enumerate(shape) if n == 1 and x.shape[i + added] != 1
    )
    return sum_axes(np.asarray(x), axis=axes).reshape(shape)


broadcast_to = op(
    "broadcast_to",
    lambda x, *, shape: np.broadcast_to(x, shape),
    vjps=[lambda g, y, x, *, shape: sum_to(g, shape=x.shape)],
    kind="view",
    star=True,
    formula="x repeated to shape",
    local=["sum over the repeated axes"],
    prepare=_check_broadcast,
    numpy=[np.broadcast_to],
    doc="Repeat axes of length 1, without copying, until the shape is reached.",
)

sum_to = op(
    "sum_to",
    _sum_to_forward,
    vjps=[lambda g, y, x, *, shape: broadcast_to(g, shape=x.shape)],
    kind="reduce",
    formula="Σ over the axes that broadcasting repeated",
    local=["broadcast back"],
    prepare=_check_sum_to,
    doc="Sum down to a shape that broadcasts to this one: the adjoint of broadcast_to.",
)
