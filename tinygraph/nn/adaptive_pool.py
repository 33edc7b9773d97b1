"""Adaptive pooling layers: maps of any size become maps of one size."""

from __future__ import annotations

from typing import Any

from ..core.tensor import Tensor
from ..ops.adaptive_pool import check_output_size
from . import functional as F
from .checks import check_operand, checked_flag
from .module import Module


class _AdaptivePool(Module):
    """What the adaptive poolings share."""

    axes: int

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        check_output_size(type(self).__name__, output_size, self.axes)
        self.output_size = output_size

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptivePool):
    """Means over ``output_size`` windows along the last axis, whatever its length.

    Parameters
    ----------
    output_size : int or None
        As for :class:`AdaptiveAvgPool2d`.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.AdaptiveAvgPool1d(2)(tg.tensor([[1.0, 3.0, 5.0]]))
    tensor([[2., 4.]])
    """

    axes = 1

    def forward(self, x: Any) -> Tensor:
        check_operand(self, x)
        return F.adaptive_avg_pool1d(x, self.output_size)


class AdaptiveAvgPool2d(_AdaptivePool):
    """Means over as many windows of height and width as are asked for; 1 averages all.

    Window i of m over n elements goes from ``⌊i·n/m⌋`` to ``⌈(i + 1)·n/m⌉``.

    Parameters
    ----------
    output_size : int, None or a pair of them
        How many windows along each axis; None keeps an axis as it is.

    Raises
    ------
    UsageError
        If ``output_size`` is not made of whole numbers from 1 on.
    ShapeError
        If an input has other axes, or an empty one; the message names the module's path.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.AdaptiveAvgPool2d(1)(tg.zeros(5, 3, 28, 20)).shape
    (5, 3, 1, 1)
    """

    axes = 2

    def forward(self, x: Any) -> Tensor:
        check_operand(self, x)
        return F.adaptive_avg_pool2d(x, self.output_size)


class AdaptiveMaxPool1d(_AdaptivePool):
    """Maxima of ``output_size`` windows along the last axis, whatever its length.

    Parameters
    ----------
    output_size : int or None
        As for :class:`AdaptiveAvgPool2d`.
    return_indices : bool
        Return the places of the maxima too.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.AdaptiveMaxPool1d(2)(tg.tensor([[1.0, 3.0, 5.0]]))
    tensor([[3., 5.]])
    """

    axes = 1

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__(output_size)
        self.return_indices = checked_flag(type(self).__name__, "return_indices", return_indices)

    def forward(self, x: Any) -> Any:
        check_operand(self, x)
        pool = F.adaptive_max_pool1d if self.axes == 1 else F.adaptive_max_pool2d
        return pool(x, self.output_size, self.return_indices)


class AdaptiveMaxPool2d(AdaptiveMaxPool1d):
    """Maxima of as many windows of height and width as are asked for.

    Parameters
    ----------
    output_size : int, None or a pair of them
        As for :class:`AdaptiveAvgPool2d`, with the same windows.
    return_indices : bool
        Return the places of the maxima too.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.AdaptiveMaxPool2d((4, None))(tg.zeros(5, 3, 28, 20)).shape
    (5, 3, 4, 20)
    """

    axes = 2
