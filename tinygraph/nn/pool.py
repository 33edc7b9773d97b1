"""Pooling layers: they make maps smaller and have no parameters."""

from __future__ import annotations

from typing import Any

from ..core.tensor import Tensor
from ..ops.avg_pool import check_divisor
from ..ops.pooling import pool_sizes
from . import functional as F
from .checks import check_operand, checked_flag
from .module import Module


class _MaxPool(Module):
    """What MaxPool1d and MaxPool2d share."""

    axes: int

    def __init__(
        self, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
        return_indices: bool = False, ceil_mode: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        who = type(self).__name__
        pool_sizes(who, self.axes, kernel_size, stride, padding, dilation)
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = checked_flag(who, "return_indices", return_indices)
        self.ceil_mode = checked_flag(who, "ceil_mode", ceil_mode)

    def forward(self, x: Any) -> Any:
        check_operand(self, x)
        pool = F.max_pool1d if self.axes == 1 else F.max_pool2d
        return pool(
            x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode,
            self.return_indices,
        )  # fmt: skip

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPool):
    """The largest element of each window along the last axis.

    Parameters
    ----------
    kernel_size, stride, padding, dilation, return_indices, ceil_mode
        As for :class:`MaxPool2d`, with one number each.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.MaxPool1d(2)(tg.tensor([[1.0, 3.0, 2.0, 0.0]]))
    tensor([[3., 2.]])
    """

    axes = 1


class MaxPool2d(_MaxPool):
    """The largest element of each window of height and width, of each channel.

    (N, C, H, W) or (C, H, W) becomes (N, C, H', W') with
    ``H' = ⌊(H + 2·padding − dilation·(kernel_size − 1) − 1) / stride⌋ + 1``.

    Parameters
    ----------
    kernel_size : int or (int, int)
        Height and width of the window.
    stride : int or (int, int), optional
        From one window to the next; ``kernel_size`` by default.
    padding : int or (int, int)
        How far windows reach over the edges, at most half of the window; −∞ is there.
    dilation : int or (int, int)
        From one element of the window to the next.
    return_indices : bool
        Return the places of the maxima too.
    ceil_mode : bool
        Round up: a last window may reach over the end, if it starts before it.

    Raises
    ------
    UsageError
        If a size is not a whole number, or the padding is more than half of the window.
    ShapeError
        If an input has other axes, or the window does not fit; the message names the path.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.MaxPool2d(2)(tg.zeros(5, 3, 28, 28)).shape
    (5, 3, 14, 14)
    """

    axes = 2


class _AvgPool(Module):
    """What AvgPool1d and AvgPool2d share."""

    axes: int

    def __init__(
        self, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool, count_include_pad: bool
    ) -> None:
        super().__init__()
        who = type(self).__name__
        pool_sizes(who, self.axes, kernel_size, stride, padding)
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = checked_flag(who, "ceil_mode", ceil_mode)
        self.count_include_pad = checked_flag(who, "count_include_pad", count_include_pad)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(_AvgPool):
    """The mean of each window along the last axis.

    Parameters
    ----------
    kernel_size, stride, padding, ceil_mode, count_include_pad
        As for :class:`AvgPool2d`, with one number each.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.AvgPool1d(2)(tg.tensor([[1.0, 3.0, 2.0, 0.0]]))
    tensor([[2., 1.]])
    """

    axes = 1

    def __init__(
        self, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)

    def forward(self, x: Any) -> Tensor:
        check_operand(self, x)
        return F.avg_pool1d(
            x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad
        )


class AvgPool2d(_AvgPool):
    """The mean of each window of height and width, of each channel.

    (N, C, H, W) or (C, H, W) becomes (N, C, H', W') with
    ``H' = ⌊(H + 2·padding − kernel_size) / stride⌋ + 1``.

    Parameters
    ----------
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

    Raises
    ------
    UsageError
        If a size is not a whole number, or the padding is more than half of the window.
    ShapeError
        If an input has other axes, or the window does not fit; the message names the path.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.AvgPool2d(3, stride=2, padding=1)(tg.zeros(5, 3, 28, 28)).shape
    (5, 3, 14, 14)
    """

    axes = 2

    def __init__(
        self, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
        count_include_pad: bool = True, divisor_override: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)
        self.divisor_override = check_divisor("AvgPool2d", divisor_override)

    def forward(self, x: Any) -> Tensor:
        check_operand(self, x)
        return F.avg_pool2d(
            x, self.kernel_size, self.stride, self.padding, self.ceil_mode,
            self.count_include_pad, self.divisor_override,
        )  # fmt: skip
