"""Convolution in one and two dimensions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.errors import ShapeError, UsageError, compose_message, describe
from ..core.modes import get_default_dtype, module_path
from ..core.tensor import Tensor
from ..ops.padding import pad
from ..ops.sliding import sliding
from ..ops.window import window_sizes
from . import functional as F
from . import init
from .checks import check_dtype, check_operand, checked_flag, checked_size
from .module import Module
from .parameter import Parameter

PADDING_MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}
"""PyTorch's names and those of ``tg.pad``."""


def _is_flat(length: int, channels: int) -> bool:
    """Whether a row can be an image: so many channels of a square."""
    return length % channels == 0 and math.isqrt(length // channels) ** 2 == length // channels


class ConvModule(Module):
    """What all convolutions share: arguments, weights, their initial values, the printed form."""

    axes = 0
    transposed = False
    bias: Parameter | None

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any, padding: Any,
        dilation: Any, groups: int, bias: bool, padding_mode: str, output_padding: Any = 0,
    ) -> None:  # fmt: skip
        super().__init__()
        who = type(self).__name__
        self.in_channels = checked_size(who, "in_channels", in_channels)
        self.out_channels = checked_size(who, "out_channels", out_channels)
        self.groups = checked_size(who, "groups", groups)
        for name, channels in (("in", self.in_channels), ("out", self.out_channels)):
            if channels % self.groups:
                raise UsageError(
                    f"{who}: groups divides in_channels and out_channels, received "
                    f"groups={groups} and {name}_channels={channels}."
                )
        if padding_mode not in PADDING_MODES:
            raise UsageError(
                f"{who}: padding_mode is {', '.join(map(repr, PADDING_MODES))}, received "
                f"{padding_mode!r}."
            )
        self.kernel_size = window_sizes(who, "kernel_size", kernel_size, self.axes)
        window = sliding(who, self.kernel_size, stride, padding, dilation)
        self.stride, self.dilation = window.stride, window.dilation
        self.padding = (
            padding
            if isinstance(padding, str)
            else window_sizes(who, "padding", padding, self.axes, 0)
        )
        self.output_padding = window_sizes(who, "output_padding", output_padding, self.axes, 0)
        self.padding_mode = padding_mode
        self._border = window.padding
        outer, inner = self.out_channels, self.in_channels
        if self.transposed:
            outer, inner = inner, outer
        dtype = get_default_dtype()
        shape = (outer, inner // self.groups, *self.kernel_size)
        has_bias = checked_flag(who, "bias", bias)
        self.weight = Parameter(np.empty(shape, dtype))
        self.bias = Parameter(np.empty(self.out_channels, dtype)) if has_bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new initial values."""
        bound = 1 / math.sqrt(math.prod(self.weight.shape[1:]))
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def _check(self, x: Any) -> None:
        """Raise unless ``x`` has the channels, with or without a batch axis, and the dtype."""
        check_operand(self, x)
        place = -1 - self.axes
        fits = x.ndim - self.axes in (1, 2)
        if not fits or x.shape[place] != self.in_channels:
            who = type(self).__name__
            wanted = f"{self.in_channels}, {'L' if self.axes == 1 else 'H, W'}"
            fix = "x.reshape(…)"
            if fits:
                fix = f"{who}({x.shape[place]}, …), or check the layer before"
                if x.shape[-1] == self.in_channels:
                    fix += f"; channels come first, np.moveaxis(x, -1, {place})"
            elif x.ndim == 2 == self.axes and _is_flat(x.shape[1], self.in_channels):
                side = math.isqrt(x.shape[1] // self.in_channels)
                fix = f"x.reshape(-1, {self.in_channels}, {side}, {side}) for images as rows"
            elif x.ndim == self.axes and self.in_channels == 1:
                fix = "x[None] for one channel"
            raise ShapeError(
                compose_message(
                    f"{who} wants inputs of shape (N, {wanted}) or ({wanted})",
                    describe(x),
                    fix,
                    module_path(),
                )
            )
        check_dtype(self, x, self.weight)

    def extra_repr(self) -> str:
        parts = [
            f"{self.in_channels}, {self.out_channels}",
            f"kernel_size={self.kernel_size}, stride={self.stride}",
        ]
        for name, usual in (
            ("padding", (0,) * self.axes), ("dilation", (1,) * self.axes),
            ("output_padding", (0,) * self.axes), ("groups", 1), ("padding_mode", "zeros"),
        ):  # fmt: skip
            if getattr(self, name) != usual:
                parts.append(f"{name}={getattr(self, name)!r}")
        return ", ".join(parts if self.bias is not None else [*parts, "bias=False"])


class _Forward(ConvModule):
    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1,
        padding: Any = 0, dilation: Any = 1, groups: int = 1, bias: bool = True,
        padding_mode: str = "zeros",
    ) -> None:  # fmt: skip
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias,
            padding_mode,
        )  # fmt: skip

    def forward(self, x: Any) -> Tensor:
        self._check(x)
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            rest = ((0, 0),) * (x.ndim - self.axes)
            x, padding = pad(x, (*rest, *self._border), PADDING_MODES[self.padding_mode]), 0
        convolve = F.conv1d if self.axes == 1 else F.conv2d
        return convolve(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class Conv1d(_Forward):
    """Kernels that slide along the last axis: ``y[o] = b[o] + Σ_c w[o, c] ∗ x[c]``.

    A cross-correlation: a shifted input gives a shifted output (equivariance, with stride 1
    and away from the padding). It is the matrix product Q z with the banded matrix of
    ``nn.functional.conv1d_matrix``.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size : int
    stride : int
        From one position to the next.
    padding : int, "same" or "valid"
        On both sides. The length stays for ``(kernel_size − 1) / 2`` and stride 1; "same"
        finds that padding, for kernels of even length too.
    dilation : int
        From one element of the kernel to the next.
    groups : int
        Parts of the channels that do not see each other.
    bias : bool
        Whether to add a number to each output channel.
    padding_mode : {"zeros", "reflect", "replicate", "circular"}
        What the border is filled with.

    Attributes
    ----------
    weight : Parameter, shape (out_channels, in_channels/groups, kernel_size)
    bias : Parameter, shape (out_channels,), or None
        Both drawn from U(−b, b) with b = 1/√(in_channels/groups · kernel_size), as in PyTorch.

    Raises
    ------
    ShapeError, DtypeError
        If the input is not (N, in_channels, L) or (in_channels, L), has another dtype, or is
        shorter than the kernel; the message names the module's path.

    Notes
    -----
    Source: A. Waibel et al. 1989, Time-delay neural networks. k·C·C' weights against m²·C·C'
    of a full matrix.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.Conv1d(2, 3, kernel_size=5, stride=2, padding=2)(tg.ones(4, 2, 10)).shape
    (4, 3, 5)
    """

    axes = 1


class Conv2d(_Forward):
    """Kernels that slide over images: ``y[o] = b[o] + Σ_c w[o, c] ∗ x[c]``.

    Parameters are those of :class:`Conv1d`; ``kernel_size``, ``stride``, ``padding`` and
    ``dilation`` are a number for both axes or a pair.

    Attributes
    ----------
    weight : Parameter, shape (out_channels, in_channels/groups, h, w)
    bias : Parameter, shape (out_channels,), or None

    Raises
    ------
    ShapeError, DtypeError
        If the input is not (N, in_channels, H, W) or (in_channels, H, W), has another dtype,
        or is smaller than the kernel; the message names the module's path.

    Notes
    -----
    Source: Y. LeCun et al. 1989. k²·C·C' weights against m⁴·C·C' of a full matrix between
    m × m images.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> conv = nn.Conv2d(3, 8, kernel_size=3, padding="same")
    >>> conv
    Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1), padding='same')
    >>> conv(tg.ones(4, 3, 28, 28)).shape
    (4, 8, 28, 28)
    """

    axes = 2
