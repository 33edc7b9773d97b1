"""Blocks of convolutions with connections past them: ResBlock and DenseBlock."""

from __future__ import annotations

from typing import Any

from ..core.errors import UsageError, compose_message
from ..core.tensor import Tensor
from ..ops.joining import concatenate
from .activation import Identity, ReLU
from .batch_norm import BatchNorm2d
from .checks import checked_size
from .container import ModuleList, Sequential
from .conv import Conv2d
from .mlp import Activation, new_activation
from .module import Module

ORDERS = ("conv-relu-bn", "conv-bn-relu", "bn-relu-conv")


class ResBlock(Module):
    """Two convolutions with norms, added to their input.

    ============== ====================================================================
    order
    ============== ====================================================================
    "conv-relu-bn" ``BN(σ(Conv(BN(σ(Conv(x)))))) + x``, the default
    "conv-bn-relu" ``σ(BN(Conv(σ(BN(Conv(x))))) + x)``, the original paper's
    "bn-relu-conv" ``Conv(σ(BN(Conv(σ(BN(x)))))) + x``, pre-activation
    ============== ====================================================================

    Where the shape changes, a 1×1 convolution takes x to the new one (with a norm of its own
    in the original paper's order).

    Parameters
    ----------
    in_channels : int
    out_channels : int, optional
        As many as ``in_channels`` by default.
    stride : int
        Of the first convolution, and of the 1×1 one.
    order : {"conv-relu-bn", "conv-bn-relu", "bn-relu-conv"}
    kernel_size : int
        Odd, so that the padding keeps the shape.
    activation : Module class, function or Module
        Makes σ at each place.

    Attributes
    ----------
    f : Sequential
        The convolutions, norms and activations.
    skip : Identity, Conv2d or Sequential
        What takes x to the shape of f(x).

    Raises
    ------
    UsageError
        If the order is unknown, or a size is not a whole number in its range.

    Notes
    -----
    Sources: K. He et al. 2015, Deep residual learning, and 2016, Identity mappings. The
    convolutions next to a norm that follows have no bias: the norm would take it away.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.ResBlock(4, 8, stride=2)(tg.rand(2, 4, 6, 6)).shape
    (2, 8, 3, 3)
    """

    def __init__(
        self, in_channels: int, out_channels: int | None = None, stride: int = 1,
        order: str = "conv-relu-bn", kernel_size: int = 3, activation: Activation = ReLU,
    ) -> None:  # fmt: skip
        super().__init__()
        inner = checked_size("ResBlock", "in_channels", in_channels)
        outer = inner if out_channels is None else out_channels
        outer = checked_size("ResBlock", "out_channels", outer)
        if order not in ORDERS:
            choices = ", ".join(map(repr, ORDERS))
            raise UsageError(compose_message(f"ResBlock: order is one of {choices}", repr(order)))
        if checked_size("ResBlock", "kernel_size", kernel_size) % 2 == 0:
            raise UsageError(f"ResBlock: kernel_size is odd, received {kernel_size}. Fix: 3.")
        self.order = order
        bias = order == "conv-relu-bn"
        parts: list[Module] = []
        for channels, step in ((inner, checked_size("ResBlock", "stride", stride)), (outer, 1)):
            made: dict[str, Module] = {
                "conv": Conv2d(channels, outer, kernel_size, step, kernel_size // 2, bias=bias),
                "bn": BatchNorm2d(channels if order == "bn-relu-conv" else outer),
                "relu": new_activation("ResBlock", activation),
            }
            parts += [made[word] for word in order.split("-")]
        self.after: Module = parts.pop() if order == "conv-bn-relu" else Identity()
        self.f = Sequential(*parts)
        self.skip: Module = Identity()
        if stride != 1 or inner != outer:
            self.skip = Conv2d(inner, outer, 1, stride, bias=bias)
            if order == "conv-bn-relu":
                self.skip = Sequential(self.skip, BatchNorm2d(outer))

    def forward(self, x: Any) -> Tensor:
        return self.after(self.f(x) + self.skip(x))  # type: ignore[no-any-return]

    def extra_repr(self) -> str:
        return f"order={self.order!r}"


class DenseBlock(Module):
    """Convolutions that see all features before them: ``x_l = σ(Conv([x_0, …, x_{l−1}]))``.

    The result is ``[x_0, …, x_L]``, joined along the channels. Each layer sees all *earlier*
    ones of its block, not all layers.

    Parameters
    ----------
    channels : int
        Of the input x_0.
    growth : int
        Channels that each layer adds.
    layers : int
        How many, L.
    kernel_size : int
    activation : Module class, function or Module
        Makes σ at each place.

    Attributes
    ----------
    layers : ModuleList
        Of convolution and activation.
    out_channels : int
        ``channels + layers · growth``.

    Raises
    ------
    UsageError
        If a size is not a whole number in its range.

    Notes
    -----
    Source: G. Huang et al. 2016, Densely connected convolutional networks (with a norm and σ
    before each convolution).

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.DenseBlock(3, growth=4, layers=2)(tg.rand(2, 3, 5, 5)).shape
    (2, 11, 5, 5)
    """

    def __init__(
        self, channels: int, growth: int, layers: int, kernel_size: int = 3,
        activation: Activation = ReLU,
    ) -> None:  # fmt: skip
        super().__init__()
        first = checked_size("DenseBlock", "channels", channels)
        more = checked_size("DenseBlock", "growth", growth)
        count = checked_size("DenseBlock", "layers", layers, low=0)
        self.out_channels = first + count * more
        self.layers = ModuleList(
            Sequential(
                Conv2d(first + i * more, more, kernel_size, padding="same"),
                new_activation("DenseBlock", activation),
            )
            for i in range(count)
        )

    def forward(self, x: Any) -> Tensor:
        found = [x]
        for layer in self.layers:
            found.append(layer(concatenate(found, axis=1) if len(found) > 1 else x))
        return concatenate(found, axis=1)
