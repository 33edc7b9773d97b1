"""Normalization by element: layer, RMS and group norm do not see the rest of the batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.errors import ShapeError, UsageError, compose_message, describe
from ..core.modes import get_default_dtype, module_path
from ..core.tensor import Tensor
from ..ops.standardize import checked_eps
from . import functional as F
from .checks import check_dtype, check_operand, checked_flag, checked_size
from .module import Module
from .parameter import Parameter


def filled(fill: float, shape: int | tuple[int, ...], wanted: bool) -> Parameter | None:
    """Return a parameter of one value, or None."""
    return Parameter(np.full(shape, fill, get_default_dtype())) if wanted else None


class _LastAxes(Module):
    """What LayerNorm and RMSNorm share: the axes they normalize are the last ones."""

    weight: Parameter | None
    eps: Any

    def __init__(self, normalized_shape: Any, eps: float | None, elementwise_affine: bool) -> None:
        super().__init__()
        who = type(self).__name__
        given = normalized_shape
        if isinstance(given, np.ndarray):
            given = given.tolist()
        given = given if isinstance(given, Sequence) else [given]
        if isinstance(given, str) or not given:
            raise UsageError(f"{who}: normalized_shape is made of lengths, received {given!r}.")
        shape = tuple(checked_size(who, "normalized_shape", n) for n in given)
        self.normalized_shape = shape
        self.eps = None if eps is None else checked_eps(who, eps)
        self.elementwise_affine = checked_flag(who, "elementwise_affine", elementwise_affine)
        self.weight = filled(1, shape, elementwise_affine)

    def _check(self, x: Any) -> None:
        check_operand(self, x)
        wanted = self.normalized_shape
        if x.shape[-len(wanted) :] != wanted:
            who, shape = type(self).__name__, ", ".join(map(str, wanted))
            raise ShapeError(
                compose_message(
                    f"{who} wants inputs of shape (…, {shape})",
                    describe(x),
                    f"{who}({x.shape[-1]})" if x.ndim else "x.reshape(…)",
                    module_path(),
                )
            )
        if self.weight is not None:
            check_dtype(self, x, self.weight)

    def extra_repr(self) -> str:
        affine = f"elementwise_affine={self.elementwise_affine}"
        return f"{self.normalized_shape}, eps={self.eps}, {affine}"


class LayerNorm(_LastAxes):
    """Mean 0 and variance 1 over the last axes of each element, then scale and shift.

    ``y = (x − mean(x)) / √(var(x) + eps) · weight + bias``. Without scale, shift
    and eps it is ``LayerNorm(m, elementwise_affine=False, eps=0)``: nan for a constant row.

    Parameters
    ----------
    normalized_shape : int or tuple of int
        Lengths of the last axes.
    eps : float
        Added to the variance. A constant row gives the bias.
    elementwise_affine : bool
        Whether to learn ``weight`` (ones at first) and ``bias`` (zeros).
    bias : bool
        False for a weight without bias.

    Raises
    ------
    ShapeError, DtypeError
        If the input does not fit; the message names the module's path.

    Notes
    -----
    Source: Ba, Kiros and Hinton 2016, "Layer Normalization". LN(z + c) = LN(z), and
    LN(a z) = LN(z) for a > 0 with eps = 0; for a < 0 the sign flips.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.LayerNorm(2, elementwise_affine=False, eps=0)(tg.tensor([[1.0, 3.0]]))
    tensor([[-1.,  1.]])
    """

    bias: Parameter | None

    def __init__(
        self, normalized_shape: int | Sequence[int], eps: float = 1e-5,
        elementwise_affine: bool = True, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(normalized_shape, checked_eps("LayerNorm", eps), elementwise_affine)
        wanted = checked_flag("LayerNorm", "bias", bias) and elementwise_affine
        self.bias = filled(0, self.normalized_shape, wanted)

    def forward(self, x: Any) -> Tensor:
        self._check(x)
        return F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)


class RMSNorm(_LastAxes):
    """Mean square 1 over the last axes of each element, then scale.

    ``y = x / √(mean(x²) + eps) · weight``: LayerNorm without mean and bias.

    Parameters
    ----------
    normalized_shape : int or tuple of int
    eps : float, optional
        The machine epsilon of the input's dtype by default.
    elementwise_affine : bool
        Whether to learn ``weight`` (ones at first).

    Notes
    -----
    Source: Zhang and Sennrich 2019, "Root Mean Square Layer Normalization".

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.RMSNorm(2, elementwise_affine=False)(tg.tensor([[2.0, -2.0]]))
    tensor([[ 1., -1.]])
    """

    def __init__(
        self, normalized_shape: int | Sequence[int], eps: float | None = None,
        elementwise_affine: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(normalized_shape, eps, elementwise_affine)

    def forward(self, x: Any) -> Tensor:
        self._check(x)
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)


AXES = {2: "(N, {0})", 3: "(N, {0}, L)", 4: "(N, {0}, H, W)"}


def check_channels(
    module: Module, x: Any, channels: int, ndims: tuple[int, ...] | None, like: Tensor | None
) -> None:
    """Raise unless axis 1 of ``x`` has ``channels`` elements, among ``ndims`` axes."""
    check_operand(module, x)
    fits = x.ndim in ndims if ndims else x.ndim >= 2
    if not fits or x.shape[1] != channels:
        wanted = " or ".join(AXES[n] for n in ndims) if ndims else "(N, {0}, …)"
        if fits:
            fix = f"{x.shape[1]} channels in {type(module).__name__}, or check the layer before"
        else:
            fix = "x[None] if the batch axis is missing" if x.ndim else "x.reshape(…)"
        raise ShapeError(
            compose_message(
                f"{type(module).__name__} wants inputs of shape {wanted.format(channels)}",
                describe(x),
                fix,
                module_path(),
            )
        )
    if like is not None:
        check_dtype(module, x, like)


class GroupNorm(Module):
    """Mean 0 and variance 1 over groups of channels of each element, then scale and shift.

    Parameters
    ----------
    num_groups : int
        Divides the channels. 1 normalizes over C, H, W; ``num_channels`` is InstanceNorm.
    num_channels : int
        Length of axis 1.
    eps : float
        Added to the variance.
    affine : bool
        Whether to learn ``weight`` (ones at first) and ``bias`` (zeros), one per channel.
    bias : bool
        False for a weight without bias.

    Notes
    -----
    Source: Wu and He 2018, "Group Normalization". It does not see the rest of the batch.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.GroupNorm(2, 4)(tg.ones(1, 4, 3, 3)).shape
    (1, 4, 3, 3)
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True,
        bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.num_groups = checked_size("GroupNorm", "num_groups", num_groups)
        self.num_channels = checked_size("GroupNorm", "num_channels", num_channels)
        if self.num_channels % self.num_groups:
            raise UsageError(
                f"GroupNorm: num_groups divides num_channels, received {num_groups} for "
                f"{num_channels}. Fix: a divisor, such as 1 or {num_channels}."
            )
        self.eps = checked_eps("GroupNorm", eps)
        self.affine = checked_flag("GroupNorm", "affine", affine)
        self.weight = filled(1, self.num_channels, affine)
        self.bias = filled(0, self.num_channels, checked_flag("GroupNorm", "bias", bias) and affine)

    def forward(self, x: Any) -> Tensor:
        check_channels(self, x, self.num_channels, None, self.weight)
        return F.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}"
