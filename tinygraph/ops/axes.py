"""Axis arguments: validated and made positive, with errors that name what is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.errors import ShapeError, UsageError, compose_message
from ..core.modes import module_path

Axes = int | Sequence[int] | None
INTEGERS = (int, np.integer)


def one_axis(who: str, axis: Any, ndim: int) -> int:
    """Return ``axis`` as a number from 0 to ``ndim − 1``."""
    if isinstance(axis, bool) or not isinstance(axis, INTEGERS):
        raise UsageError(f"{who}: an axis is an integer, received {axis!r}.")
    if not -ndim <= axis < ndim:
        raise ShapeError(
            compose_message(
                f"{who}: axis {axis} does not exist",
                f"a tensor with {ndim} axes",
                f"choose from {-ndim} to {ndim - 1}" if ndim else "drop the axis argument",
                module_path(),
            )
        )
    return int(axis) % ndim


def all_axes(who: str, axis: Any, ndim: int) -> tuple[int, ...]:
    """Return the axes as a sorted tuple without repetition; None means all."""
    if axis is None:
        return tuple(range(ndim))
    if type(axis) is int and 0 <= axis < ndim:
        return (axis,)
    given = tuple(axis) if isinstance(axis, tuple | list) else (axis,)
    axes = tuple(sorted(one_axis(who, a, ndim) for a in given))
    if len(set(axes)) != len(axes):
        raise ShapeError(f"{who}: an axis stands twice in axis={axis}.")
    return axes


def permutation(who: str, axes: Any, ndim: int) -> tuple[int, ...]:
    """Return ``axes`` as a permutation of all axes; None reverses them."""
    if axes is None:
        return tuple(range(ndim))[::-1]
    given = axes if isinstance(axes, tuple | list) else (axes,)
    order = tuple(one_axis(who, a, ndim) for a in given)
    if sorted(order) != list(range(ndim)):
        raise ShapeError(
            compose_message(
                f"{who}: the axes must name each of the {ndim} axes once", f"axes={axes}"
            )
        )
    return order


def as_shape(who: str, shape: Any) -> tuple[int, ...]:
    """Return a shape argument as a tuple of ints."""
    given = shape if isinstance(shape, tuple | list) else (shape,)
    if any(isinstance(n, bool) or not isinstance(n, INTEGERS) for n in given):
        raise UsageError(f"{who}: a shape is made of integers, received {shape!r}.")
    return tuple([int(n) for n in given])


def kept_shape(shape: tuple[int, ...], axis: tuple[int, ...]) -> tuple[int, ...]:
    """Return ``shape`` with length 1 at the reduced axes."""
    return tuple(1 if i in axis else n for i, n in enumerate(shape))
