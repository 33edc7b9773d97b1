"""Adaptive pooling: as many windows as are asked for, whatever the length of the input.

Window i of m over n elements goes from ⌊i·n/m⌋ to ⌈(i + 1)·n/m⌉. They are all equally long if
m divides n; else their lengths differ by one, and they may overlap.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.errors import ShapeError, UsageError, compose_message, describe
from ..core.modes import get_default_dtype, module_path
from ..core.op import composite
from ..core.storage import Array
from ..core.structure import cast
from ..core.tensor import Tensor
from .gather import take, take_along_axis
from .operands import checked_flag
from .pooling import check_image
from .reduce import argmax, mean
from .resample import resample
from .shape import reshape
from .window import Sizes
from .window_sum import sum_windows


def check_output_size(who: str, given: Any, count: int) -> tuple[int | None, ...]:
    """Return how many windows there are along each axis, None for as many as elements."""
    parts = tuple(given) if isinstance(given, tuple | list) else (given,) * count
    whole = all(
        n is None or (isinstance(n, int | np.integer) and not isinstance(n, bool) and n > 0)
        for n in parts
    )
    if not whole or len(parts) != count:
        raise UsageError(
            f"{who}: output_size is a whole number from 1 on or None, or one for each of the "
            f"{count} axes, received {given!r}."
        )
    return parts


def _output_size(who: str, given: Any, x: Any, count: int) -> Sizes:
    lengths = x.shape[x.ndim - count :]
    parts = check_output_size(who, given, count)
    if 0 in lengths:
        what = f"{who}: every window holds an element, so no axis may be empty"
        raise ShapeError(compose_message(what, describe(x), "a larger input", module_path()))
    return tuple(n if m is None else int(m) for n, m in zip(lengths, parts, strict=True))


def _bounds(n: int, m: int) -> tuple[Array, Array]:
    """Return where each of m windows over n elements starts and ends."""
    i = np.arange(m)
    return i * n // m, -(-(i + 1) * n // m)


# ---- means -----------------------------------------------------------------------------------


def _mean_matrix(n: int, m: int) -> Array:
    """Return the matrix (m, n) whose rows average the windows."""
    starts, ends = (bound[:, None] for bound in _bounds(n, m))
    inside = (starts <= np.arange(n)) & (np.arange(n) < ends)
    return np.asarray(inside / (ends - starts))


def _adaptive_avg(who: str, count: int, x: Any, output_size: Any) -> Tensor:
    x = check_image(who, x, count)
    sizes = _output_size(who, output_size, x, count)
    lengths = x.shape[x.ndim - count :]
    x = x if x.dtype.kind == "f" else cast(x, dtype=get_default_dtype())
    if all(m == 1 for m in sizes):
        return mean(x, axis=tuple(range(-count, 0)), keepdims=True)
    if all(n % m == 0 for n, m in zip(lengths, sizes, strict=True)):
        kernel = tuple(n // m for n, m in zip(lengths, sizes, strict=True))
        total: Tensor = sum_windows(x, kernel_size=kernel, stride=kernel)
        return total / math.prod(kernel)  # type: ignore[no-any-return]
    return resample(x, *map(_mean_matrix, lengths, sizes))  # type: ignore[no-any-return]


@composite("mean of x in each of output_size windows")
def adaptive_avg_pool1d(input: Any, output_size: Any) -> Tensor:
    """Average ``output_size`` windows along the last axis.

    Parameters
    ----------
    input : Tensor or ndarray, shape (N, C, L) or (C, L)
    output_size : int or None
        As for :func:`adaptive_avg_pool2d`.

    Returns
    -------
    Tensor, shape (N, C, output_size)

    Raises
    ------
    ShapeError, UsageError
        As for :func:`adaptive_avg_pool2d`.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.nn.functional.adaptive_avg_pool1d(tg.tensor([[1.0, 3.0, 5.0]]), 2)
    tensor([[2., 4.]])
    """
    return _adaptive_avg("adaptive_avg_pool1d", 1, input, output_size)


@composite("mean of x in each of output_size windows")
def adaptive_avg_pool2d(input: Any, output_size: Any) -> Tensor:
    """Average windows of height and width, as many as are asked for.

    Window i of m over n elements goes from ``⌊i·n/m⌋`` to ``⌈(i + 1)·n/m⌉``, which is not part
    of it.

    Parameters
    ----------
    input : Tensor or ndarray, shape (N, C, H, W) or (C, H, W)
        Integers become floats.
    output_size : int, None or a pair of them
        How many windows along each axis: 1 averages all of it, None keeps it as it is.

    Returns
    -------
    Tensor, shape (N, C, H', W')

    Raises
    ------
    ShapeError
        If the input has other axes, or an empty one.
    UsageError
        If ``output_size`` is not made of whole numbers from 1 on.

    Examples
    --------
    >>> import tinygraph as tg
    >>> x = tg.arange(16.0).reshape(1, 4, 4)
    >>> tg.nn.functional.adaptive_avg_pool2d(x, (1, 2))
    tensor([[[6.5, 8.5]]])
    """
    return _adaptive_avg("adaptive_avg_pool2d", 2, input, output_size)


# ---- maxima ----------------------------------------------------------------------------------


def _places(lengths: Sizes, sizes: Sizes) -> Array:
    """Return for each window the places of its elements, shape (windows, elements).

    All have as many elements as the longest: the last along an axis stands twice if need be,
    which no maximum sees.
    """
    flat: Array = np.zeros((1, 1), np.int64)
    for n, m in zip(lengths, sizes, strict=True):
        starts, ends = (bound[:, None] for bound in _bounds(n, m))
        along = np.minimum(starts + np.arange((ends - starts).max()), ends - 1)
        grid = flat[:, None, :, None] * n + along[None, :, None, :]
        flat = grid.reshape(len(flat) * m, -1)
    return flat


def _adaptive_max(who: str, count: int, x: Any, output_size: Any, return_indices: bool) -> Any:
    x = check_image(who, x, count)
    both = checked_flag(who, "return_indices", return_indices)
    sizes = _output_size(who, output_size, x, count)
    lead, lengths = x.shape[: x.ndim - count], x.shape[x.ndim - count :]
    rows = reshape(x, shape=(*lead, math.prod(lengths)))
    places = _places(lengths, sizes)
    first = np.arange(len(places)) * places.shape[1]
    where = first + argmax(take(rows, places, axis=-1), axis=-1)
    indices = take(places.reshape(-1), where)
    top = reshape(take_along_axis(rows, indices, axis=-1), shape=(*lead, *sizes))
    return (top, reshape(indices, shape=top.shape)) if both else top


@composite("max of x in each of output_size windows", kinks="ties give the gradient to the first")
def adaptive_max_pool1d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """Take the largest element of ``output_size`` windows along the last axis.

    Parameters
    ----------
    input : Tensor or ndarray, shape (N, C, L) or (C, L)
    output_size : int or None
        As for :func:`adaptive_avg_pool2d`.
    return_indices : bool
        Return the places of the maxima too.

    Returns
    -------
    Tensor, or (Tensor, Tensor of int64)
        ``(N, C, output_size)``.

    Raises
    ------
    ShapeError, UsageError
        As for :func:`adaptive_avg_pool2d`.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.nn.functional.adaptive_max_pool1d(tg.tensor([[1.0, 3.0, 5.0]]), 2)
    tensor([[3., 5.]])
    """
    return _adaptive_max("adaptive_max_pool1d", 1, input, output_size, return_indices)


@composite("max of x in each of output_size windows", kinks="ties give the gradient to the first")
def adaptive_max_pool2d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """Take the largest element of windows of height and width, as many as are asked for.

    Parameters
    ----------
    input : Tensor or ndarray, shape (N, C, H, W) or (C, H, W)
    output_size : int, None or a pair of them
        As for :func:`adaptive_avg_pool2d`, with the same windows.
    return_indices : bool
        Return the places of the maxima too, counted along the rows of each channel.

    Returns
    -------
    Tensor, or (Tensor, Tensor of int64)
        ``(N, C, H', W')``.

    Raises
    ------
    ShapeError, UsageError
        As for :func:`adaptive_avg_pool2d`.

    Examples
    --------
    >>> import tinygraph as tg
    >>> x = tg.arange(16.0).reshape(1, 4, 4)
    >>> tg.nn.functional.adaptive_max_pool2d(x, (1, 2))
    tensor([[[13., 15.]]])
    """
    return _adaptive_max("adaptive_max_pool2d", 2, input, output_size, return_indices)
