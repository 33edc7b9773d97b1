"""Transposed convolution in one and two dimensions."""

from __future__ import annotations

from typing import Any

from ..core.errors import ShapeError, UsageError, compose_message
from ..core.modes import module_path
from ..core.tensor import Tensor
from ..ops.sliding import PADDINGS
from ..ops.window import window_sizes
from . import functional as F
from .conv import ConvModule


class _Transposed(ConvModule):
    transposed = True

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1,
        padding: Any = 0, output_padding: Any = 0, groups: int = 1, bias: bool = True,
        dilation: Any = 1, padding_mode: str = "zeros",
    ) -> None:  # fmt: skip
        who = type(self).__name__
        if padding_mode != "zeros" or padding in PADDINGS:
            raise UsageError(
                f"{who} takes a whole number as padding and padding_mode 'zeros' only, received "
                f"{padding!r} and {padding_mode!r}."
            )
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias,
            padding_mode, output_padding,
        )  # fmt: skip

    def forward(self, x: Any, output_size: Any = None) -> Tensor:
        self._check(x)
        extra = self.output_padding
        if output_size is not None:
            extra = self._extra(x.shape[x.ndim - self.axes :], output_size)
        spread = F.conv_transpose1d if self.axes == 1 else F.conv_transpose2d
        return spread(
            x, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation
        )

    def _extra(self, size: Any, wanted: Any) -> tuple[int, ...]:
        """Return the output padding that makes lengths ``size`` into ``wanted``."""
        who = type(self).__name__
        given = wanted[-self.axes :] if isinstance(wanted, tuple | list) else wanted
        lengths = window_sizes(who, "output_size", given, self.axes)
        spans = zip(size, self.stride, self._border, self.dilation, self.kernel_size, strict=True)
        least = tuple((n - 1) * s - a - b + d * (k - 1) + 1 for n, s, (a, b), d, k in spans)
        most = tuple(n + s - 1 for n, s in zip(least, self.stride, strict=True))
        if any(not a <= n <= b for a, n, b in zip(least, lengths, most, strict=True)):
            raise ShapeError(
                compose_message(
                    f"{who}: an input of size {tuple(size)} can become {least} up to {most}",
                    f"output_size={wanted!r}",
                    where=module_path(),
                )
            )
        return tuple(n - a for n, a in zip(lengths, least, strict=True))


class ConvTranspose1d(_Transposed):
    """Spread each element with a kernel: the adjoint of Conv1d, for up-sampling.

    ``L' = (L − 1) · stride − 2 · padding + dilation · (kernel_size − 1) + output_padding + 1``.

    Parameters
    ----------
    in_channels, out_channels, kernel_size, stride, groups, bias, dilation
        As for :class:`Conv1d`.
    padding : int
        Cut off on both sides of the result.
    output_padding : int
        Added to the length after; smaller than stride or dilation.
    padding_mode : {"zeros"}

    Attributes
    ----------
    weight : Parameter, shape (in_channels, out_channels/groups, kernel_size)
    bias : Parameter, shape (out_channels,), or None

    Raises
    ------
    ShapeError, DtypeError
        As for :class:`Conv1d`.

    Notes
    -----
    Source: M. Zeiler et al., Deconvolutional networks, 2010. The call takes ``output_size=``
    in place of ``output_padding``.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> up = nn.ConvTranspose1d(3, 2, kernel_size=4, stride=2, padding=1)
    >>> up(tg.ones(5, 3, 10)).shape
    (5, 2, 20)
    """

    axes = 1


class ConvTranspose2d(_Transposed):
    """Spread each pixel with a kernel: the adjoint of Conv2d, for up-sampling.

    Parameters are those of :class:`ConvTranspose1d`, numbers or pairs.

    Attributes
    ----------
    weight : Parameter, shape (in_channels, out_channels/groups, h, w)
    bias : Parameter, shape (out_channels,), or None

    Raises
    ------
    ShapeError, DtypeError
        As for :class:`Conv2d`.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> up = nn.ConvTranspose2d(3, 2, kernel_size=3, stride=2, padding=1, output_padding=1)
    >>> up(tg.ones(5, 3, 7, 7)).shape
    (5, 2, 14, 14)
    """

    axes = 2
