"""Order: an argsort without a gradient, and what selects by it: sort, topk, median.

The values are selected by indices, so the gradient goes back to where they came from.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..core.errors import ShapeError, compose_message, describe
from ..core.modes import module_path
from ..core.op import composite, op
from ..core.storage import Array
from ..core.tensor import Tensor
from .along import rows
from .axes import Axes, all_axes, kept_shape, one_axis
from .gather import take_along_axis
from .operands import operand, whole
from .reduce import mean
from .shape import reshape


def _check_argsort(x: Any, *, axis: Any, descending: Any) -> dict[str, Any]:
    flat = axis is None or x.ndim == 0
    axis = one_axis("argsort", axis, max(x.ndim, 1)) if axis is not None else None
    return {"axis": None if flat else axis, "descending": bool(descending)}


def _argsort(x: Any, *, axis: int | None = -1, descending: bool = False) -> Array:
    x, axis = (np.reshape(x, -1), 0) if axis is None else (x, axis)
    if not descending:
        return np.argsort(x, axis=axis, kind="stable")
    backwards = np.argsort(np.flip(x, axis), axis=axis, kind="stable")
    return x.shape[axis] - 1 - np.flip(backwards, axis)  # type: ignore[no-any-return]


argsort = op(
    "argsort", _argsort, kind="row", formula="indices that put x in order",
    prepare=_check_argsort,
    doc="Find the indices that sort along an axis (default: the last; None: flattened).\n"
    "Equal elements keep their order, also when descending; nan counts as the largest.",
)  # fmt: skip


@composite("x in order", kinks="equal elements keep their order")
def sort(x: Any, axis: int | None = -1, descending: bool = False) -> Tensor:
    """Put the elements along an axis in order; equal ones keep theirs, nan is the largest.

    Parameters
    ----------
    x : Tensor or ndarray
    axis : int or None
        The axis to sort along; None for the flattened tensor.
    descending : bool
        Largest first.

    Returns
    -------
    Tensor
        Only the values; :func:`argsort` gives the indices.

    Raises
    ------
    ShapeError
        If the axis does not exist.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.sort(tg.tensor([3.0, 1.0, 2.0]))
    tensor([1., 2., 3.])
    """
    x = operand("sort", x)
    if axis is None:
        x, axis = reshape(x, shape=(x.size,)), 0
    axis = one_axis("sort", axis, x.ndim)
    return take_along_axis(x, argsort(x, axis=axis, descending=descending), axis)


def _argtopk(x: Any, *, k: int, axis: int = -1, largest: bool = True) -> Array:
    x = np.moveaxis(x, axis, -1)
    n = x.shape[-1]
    if k in (0, n) or np.isnan(x).any():
        found = _argsort(x, descending=largest)[..., :k]
    else:  # choose k of n, then sort only those
        place = n - k if largest else k - 1
        edge = np.partition(x, place, axis=-1)[..., [place]]
        inside, tied = (x > edge if largest else x < edge), x == edge
        room = k - np.count_nonzero(inside, axis=-1, keepdims=True)
        chosen = inside | (tied & (np.cumsum(tied, axis=-1) <= room))
        found = np.nonzero(chosen)[-1].reshape(*x.shape[:-1], k)
        order = _argsort(np.take_along_axis(x, found, -1), descending=largest)
        found = np.take_along_axis(found, order, -1)
    return np.moveaxis(found, -1, axis)


argtopk = op(
    "argtopk", _argtopk, kind="row", formula="indices of the k largest of x, in order",
    prepare=lambda x, *, k, axis, largest: {
        "k": k, "axis": one_axis("topk", axis, x.ndim), "largest": bool(largest)
    },
    doc="Find the k largest (or smallest) elements along an axis, the first of equals first.",
)  # fmt: skip


class TopK(NamedTuple):
    """What :func:`topk` returns."""

    values: Tensor
    indices: Tensor


@composite("the k largest of x, and their indices", kinks="the first of equals are taken")
def topk(x: Any, k: int, axis: int = -1, largest: bool = True) -> TopK:
    """Select the k largest elements along an axis, largest first, as PyTorch does.

    Parameters
    ----------
    x : Tensor or ndarray
    k : int
        How many.
    axis : int
        The axis to select along.
    largest : bool
        False for the k smallest, smallest first.

    Returns
    -------
    TopK
        ``values`` and ``indices``, with length k along the axis. Of equal elements the first
        are taken; nan counts as the largest.

    Raises
    ------
    ShapeError
        If the axis is shorter than k, or does not exist.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.topk(tg.tensor([1.0, 4.0, 3.0]), 2)
    TopK(values=tensor([4., 3.]), indices=tensor([1, 2]))
    """
    x = operand("topk", x)
    axis = one_axis("topk", axis, x.ndim)
    k = whole("topk", "k", k)
    if k > x.shape[axis]:
        raise ShapeError(
            compose_message(
                f"topk: k={k} elements cannot be chosen along axis {axis}, which has "
                f"{x.shape[axis]}",
                describe(x),
                f"a k from 0 to {x.shape[axis]}",
                module_path(),
            )
        )
    indices = argtopk(x, k=k, axis=axis, largest=largest)
    return TopK(take_along_axis(x, indices, axis), indices)


def _argmedian(x: Any) -> Array:
    """Return the places of the middle elements of each row: the first of equals, or nan."""
    lower, upper = (x.shape[-1] - 1) // 2, x.shape[-1] // 2
    middle = np.partition(x, (lower, upper), axis=-1)
    places = np.argmax(x == middle[..., [lower]], axis=-1, keepdims=True)
    if upper > lower:
        others = x == middle[..., [upper]]
        np.put_along_axis(others, places, False, -1)  # the second of equals, if both are equal
        second = np.argmax(others, axis=-1, keepdims=True)
        places = np.concatenate([places, second], axis=-1)
    blank = np.isnan(x)
    unknown = np.argmax(blank, axis=-1, keepdims=True)
    found: Array = np.where(blank.any(axis=-1, keepdims=True), unknown, places)
    return found


argmedian = op(
    "argmedian", _argmedian, kind="row", formula="indices of the middle of x along the last axis",
    doc="Find the middle element of each row, or the middle two; the first nan if there is one.",
)  # fmt: skip


@composite(
    "the middle of x in order",
    numpy=[np.median],
    kinks="the first of equals gets the gradient; the middle two of an even count share it",
)
def median(x: Any, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Take the middle element along axes: of an even count, the mean of the middle two.

    Parameters
    ----------
    x : Tensor or ndarray
    axis : int, tuple of int or None
        Axes to reduce; None for all.
    keepdims : bool
        Keep the reduced axes with length 1.

    Returns
    -------
    Tensor
        nan where there is a nan, and for no elements.

    Raises
    ------
    ShapeError
        If an axis does not exist.

    Examples
    --------
    >>> import tinygraph as tg
    >>> float(tg.median(tg.tensor([3.0, 1.0, 2.0, 10.0])))
    2.5
    """
    x = operand("median", x)
    axes = all_axes("median", axis, x.ndim)
    shape = kept_shape(x.shape, axes)
    flat = rows(x, axes)
    if flat.shape[-1]:
        flat = take_along_axis(flat, argmedian(flat))
    middle = mean(flat, axis=-1)
    if not keepdims:
        shape = tuple(n for a, n in enumerate(shape) if a not in axes)
    return reshape(middle, shape=shape)
