"""Max pooling: every window becomes its largest element."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.op import composite
from ..core.structure import cast
from .elementwise import clip
from .operands import checked_flag
from .pooling import Windows, check_image, lay_windows, pool_sizes
from .window_max import argmax_windows, max_windows


def _max_pool(
    who: str, count: int, x: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any,
    ceil_mode: bool, return_indices: bool,
) -> Any:  # fmt: skip
    x = check_image(who, x, count)
    sizes = pool_sizes(who, count, kernel_size, stride, padding, dilation)
    w = lay_windows(who, x, sizes, checked_flag(who, "ceil_mode", ceil_mode))
    lowest = -math.inf if x.dtype.kind == "f" else int(np.iinfo(x.dtype).min)
    padded = w.pad(x, lowest)
    top = max_windows(padded, **w.attrs())
    if not checked_flag(who, "return_indices", return_indices):
        return top
    return top, _flat_indices(argmax_windows(padded, top, **w.attrs()), w)


def _flat_indices(where: Any, w: Windows) -> Any:
    """Return, for the element of each window that ``where`` names, its place in H·W."""
    where = cast(where, dtype=np.int64)
    flat: Any = 0
    rest = math.prod(w.kernel)
    for axis, n in enumerate(w.lengths):
        rest //= w.kernel[axis]
        offset = where // rest % w.kernel[axis]
        starts = np.arange(where.shape[axis - len(w.lengths)]) * w.stride[axis] - w.before[axis]
        later = (1,) * (len(w.lengths) - 1 - axis)
        place = starts.reshape(-1, *later) + offset * w.dilation[axis]
        flat = flat * n + clip(place, 0, n - 1)
    return flat


@composite("max of x in each window", kinks="ties give the gradient to the first")
def max_pool1d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """Take the largest element of each window along the last axis.

    Parameters
    ----------
    input : Tensor or ndarray, shape (N, C, L) or (C, L)
    kernel_size, stride, padding, dilation, ceil_mode, return_indices
        As for :func:`max_pool2d`, with one number each.

    Returns
    -------
    Tensor, or (Tensor, Tensor of int64)
        ``(N, C, L')``; the indices count along L.

    Raises
    ------
    ShapeError, UsageError
        As for :func:`max_pool2d`.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.nn.functional.max_pool1d(tg.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[3., 2.]])
    """
    return _max_pool(
        "max_pool1d", 1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )


@composite("max of x in each window", kinks="ties give the gradient to the first")
def max_pool2d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """Take the largest element of each window of height and width.

    Along an axis of length n there are ``(n + 2·padding − dilation·(kernel_size − 1) − 1) /
    stride + 1`` windows, rounded down.

    Parameters
    ----------
    input : Tensor or ndarray, shape (N, C, H, W) or (C, H, W)
    kernel_size : int or (int, int)
        Height and width of the window.
    stride : int or (int, int), optional
        From one window to the next; ``kernel_size`` by default.
    padding : int or (int, int)
        How far windows reach over the edges, at most half of the window; −∞ is there.
    dilation : int or (int, int)
        From one element of the window to the next.
    ceil_mode : bool
        Round up: a last window may reach over the end, if it starts before it.
    return_indices : bool
        Return the places of the maxima too, counted along the rows of each channel.

    Returns
    -------
    Tensor, or (Tensor, Tensor of int64)
        ``(N, C, H', W')``.

    Raises
    ------
    ShapeError
        If the input has other axes, or the window does not fit.
    UsageError
        If a size is not a whole number, or the padding is more than half of the window.

    Examples
    --------
    >>> import tinygraph as tg
    >>> x = tg.arange(16.0).reshape(1, 4, 4)
    >>> tg.nn.functional.max_pool2d(x, 2)
    tensor([[[ 5.,  7.],
             [13., 15.]]])
    """
    return _max_pool(
        "max_pool2d", 2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )
