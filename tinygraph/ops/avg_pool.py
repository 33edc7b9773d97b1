"""Average pooling: every window becomes its mean."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import UsageError
from ..core.modes import get_default_dtype
from ..core.op import composite
from ..core.storage import Array
from ..core.structure import cast
from ..core.tensor import Tensor
from .operands import checked_flag
from .pooling import Windows, check_image, lay_windows, pool_sizes
from .window import positions
from .window_sum import sum_windows


def _counts(w: Windows, include_pad: bool) -> Array | int:
    """Return how many elements each window holds: one number if they all hold as many."""
    total: Any = 1
    for axis, n in enumerate(w.lengths):
        padding, kernel = w.before[axis], w.kernel[axis]
        count = positions(n + padding + w.after[axis], kernel, w.stride[axis], 1)
        starts = np.arange(count) * w.stride[axis] - padding
        low, high = (-padding, n + padding) if include_pad else (0, n)
        held = np.minimum(starts + kernel, high) - np.maximum(starts, low)
        total = np.multiply.outer(total, held)
    first = int(total.flat[0])
    return first if (total == first).all() else np.asarray(total)


def check_divisor(who: str, divisor: Any) -> int | None:
    """Return what a sum is to be divided by; None for the number of its elements."""
    whole = isinstance(divisor, int | np.integer) and not isinstance(divisor, bool)
    if divisor is not None and (not whole or divisor == 0):
        raise UsageError(
            f"{who}: divisor_override is a whole number other than 0, received {divisor!r}."
        )
    return None if divisor is None else int(divisor)


def _avg_pool(
    who: str, count: int, x: Any, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool,
    count_include_pad: bool, divisor: int | None = None,
) -> Tensor:  # fmt: skip
    x = check_image(who, x, count)
    sizes = pool_sizes(who, count, kernel_size, stride, padding)
    w = lay_windows(who, x, sizes, checked_flag(who, "ceil_mode", ceil_mode))
    counts: Any = divisor or _counts(w, checked_flag(who, "count_include_pad", count_include_pad))
    x = x if x.dtype.kind == "f" else cast(x, dtype=get_default_dtype())
    if isinstance(counts, np.ndarray):
        counts = counts.astype(x.dtype)
    return sum_windows(w.pad(x, 0.0), **w.attrs()) / counts  # type: ignore[no-any-return]


@composite("mean of x in each window")
def avg_pool1d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:  # fmt: skip
    """Average each window along the last axis.

    Parameters
    ----------
    input : Tensor or ndarray, shape (N, C, L) or (C, L)
    kernel_size, stride, padding, ceil_mode, count_include_pad
        As for :func:`avg_pool2d`, with one number each.

    Returns
    -------
    Tensor, shape (N, C, L')

    Raises
    ------
    ShapeError, UsageError
        As for :func:`avg_pool2d`.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.nn.functional.avg_pool1d(tg.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[2., 1.]])
    """
    return _avg_pool(
        "avg_pool1d", 1, input, kernel_size, stride, padding, ceil_mode, count_include_pad
    )


@composite("mean of x in each window")
def avg_pool2d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Tensor:  # fmt: skip
    """Average each window of height and width.

    Along an axis of length n there are ``(n + 2·padding − kernel_size) / stride + 1`` windows,
    rounded down.

    Parameters
    ----------
    input : Tensor or ndarray, shape (N, C, H, W) or (C, H, W)
        Integers become floats.
    kernel_size : int or (int, int)
        Height and width of the window.
    stride : int or (int, int), optional
        From one window to the next; ``kernel_size`` by default.
    padding : int or (int, int)
        How far windows reach over the edges, at most half of the window; zeros are there.
    ceil_mode : bool
        Round up: a last window may reach over the end, if it starts before it.
    count_include_pad : bool
        Whether the zeros of the padding count in the mean.
    divisor_override : int, optional
        Divide the sums by this instead of the number of elements.

    Returns
    -------
    Tensor, shape (N, C, H', W')

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
    >>> tg.nn.functional.avg_pool2d(x, 2)
    tensor([[[ 2.5,  4.5],
             [10.5, 12.5]]])
    """
    divisor = check_divisor("avg_pool2d", divisor_override)
    return _avg_pool(
        "avg_pool2d", 2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor
    )
