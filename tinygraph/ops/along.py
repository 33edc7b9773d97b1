"""Small helpers of ops that work along axes: parts, shifts, axes joined to rows."""

from __future__ import annotations

import math
from typing import Any

from .index import along, getitem
from .padding import pad_op
from .shape import reshape, transpose


def part(x: Any, axis: int, which: slice) -> Any:
    """Return a slice of one axis."""
    return getitem(x, index=along(axis, which))


def shift(x: Any, axis: int, forwards: bool, fill: float) -> Any:
    """Move every element one place on along an axis; ``fill`` comes in, the last one goes."""
    if x.shape[axis] == 0:
        return x
    kept = part(x, axis, slice(0, -1) if forwards else slice(1, None))
    return extend(kept, axis, forwards, fill)


def extend(x: Any, axis: int, in_front: bool, fill: float) -> Any:
    """Put one element ``fill`` before or after those along an axis."""
    widths = [(0, 0)] * x.ndim
    widths[axis] = (1, 0) if in_front else (0, 1)
    return pad_op(x, pad_width=tuple(widths), constant=fill)


def rows(x: Any, axis: tuple[int, ...]) -> Any:
    """Return ``x`` with the axes ``axis`` joined into one, the last."""
    kept = tuple(a for a in range(x.ndim) if a not in axis)
    shape = tuple(x.shape[a] for a in kept) + (math.prod([x.shape[a] for a in axis]),)
    return reshape(transpose(x, axes=kept + axis), shape=shape)


def unrows(z: Any, axis: tuple[int, ...], shape: tuple[int, ...]) -> Any:
    """Undo :func:`rows` for a tensor of this shape."""
    order = tuple(a for a in range(len(shape)) if a not in axis) + axis
    back = tuple(order.index(a) for a in range(len(shape)))
    return transpose(reshape(z, shape=tuple(shape[a] for a in order)), axes=back)
