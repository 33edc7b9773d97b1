"""Batch and instance normalization: running statistics, training and evaluation."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import UsageError
from ..core.modes import get_default_dtype, no_grad
from ..core.tensor import Tensor
from ..ops.standardize import checked_eps
from ..ops.state import count_update
from . import functional as F
from .checks import checked_flag, checked_size
from .module import Module
from .norm import check_channels, filled
from .parameter import Buffer, Parameter


class _Running(Module):
    """What batch and instance norm share: channels, running statistics, train and eval."""

    ndims: tuple[int, ...] = ()
    weight: Parameter | None
    bias: Parameter | None
    running_mean: Buffer | None
    running_var: Buffer | None
    num_batches_tracked: Buffer | None

    def __init__(
        self, num_features: int, eps: float, momentum: float | None, affine: bool,
        track_running_stats: bool, bias: bool,
    ) -> None:  # fmt: skip
        super().__init__()
        who = type(self).__name__
        self.num_features = checked_size(who, "num_features", num_features)
        self.eps = checked_eps(who, eps)
        real = isinstance(momentum, int | float | np.floating) and not isinstance(momentum, bool)
        if momentum is not None and not (real and 0 <= momentum <= 1):
            raise UsageError(f"{who}: momentum is from 0 to 1, or None, received {momentum!r}.")
        self.momentum = None if momentum is None else float(momentum)
        self.affine = checked_flag(who, "affine", affine)
        self.track_running_stats = checked_flag(who, "track_running_stats", track_running_stats)
        self.weight = filled(1, self.num_features, affine)
        self.bias = filled(0, self.num_features, checked_flag(who, "bias", bias) and affine)
        dtype, track = get_default_dtype(), self.track_running_stats
        self.running_mean = Buffer(np.zeros(self.num_features, dtype)) if track else None
        self.running_var = Buffer(np.ones(self.num_features, dtype)) if track else None
        self.num_batches_tracked = Buffer(np.array(0)) if track else None

    def reset_running_stats(self) -> None:
        """Forget the running statistics: mean 0, variance 1, no batches."""
        for buffer, value in (
            (self.running_mean, 0), (self.running_var, 1), (self.num_batches_tracked, 0)
        ):  # fmt: skip
            if buffer is not None:
                buffer.data = np.full_like(buffer.data, value)

    def _normalize(self, normalization: Any, x: Any) -> Tensor:
        """Run ``normalization`` with own statistics in training or where none are kept."""
        like = self.weight if self.weight is not None else self.running_mean
        check_channels(self, x, self.num_features, self.ndims, like)
        own = self.training or self.running_mean is None
        momentum = self._weight_of_this_batch() if own else 0.0
        result: Tensor = normalization(
            x, self.running_mean, self.running_var, self.weight, self.bias, own, momentum, self.eps
        )
        if own and x.size and self.num_batches_tracked is not None:
            with no_grad():
                count_update(self.num_batches_tracked)
            self.num_batches_tracked.mark_written()
        return result

    def _weight_of_this_batch(self) -> Any:
        """Return the momentum; None makes the running statistics plain averages."""
        if self.momentum is not None or self.running_mean is None:
            return self.momentum
        count: Any = self.num_batches_tracked
        return 1 / (count + 1).astype(self.running_mean.dtype)

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_Running):
    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1,
        affine: bool = True, track_running_stats: bool = True, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(num_features, eps, momentum, affine, track_running_stats, bias)

    def forward(self, x: Any) -> Tensor:
        return self._normalize(F.batch_norm, x)


class BatchNorm1d(_BatchNorm):
    """Mean 0 and variance 1 of each channel over the batch, then scale and shift.

    In training with the statistics of the batch, which are also blended into running ones;
    in evaluation with the running ones.

    Parameters
    ----------
    num_features : int
        Channels: inputs are (N, C) or (N, C, L).
    eps : float
        Added to the variance.
    momentum : float or None
        Weight of a new batch in the running statistics; None for the average of all.
    affine : bool
        Whether to learn ``weight`` (ones at first) and ``bias`` (zeros), one per channel.
    track_running_stats : bool
        False normalizes with the batch in evaluation too.
    bias : bool
        False for a weight without bias.

    Attributes
    ----------
    running_mean, running_var : Buffer, shape (C,)
        The variance with n − 1.
    num_batches_tracked : Buffer, shape ()

    Raises
    ------
    ShapeError
        If the input does not fit, or in training a channel has one value only; the running
        statistics stay as they were. An empty batch passes and changes nothing.

    Notes
    -----
    Source: Ioffe and Szegedy 2015, "Batch Normalization".

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> bn = nn.BatchNorm1d(1, eps=0, affine=False)
    >>> bn(tg.tensor([[1.0], [3.0]]))
    tensor([[-1.],
            [ 1.]])
    >>> bn.running_mean
    tensor([0.2], name='running_mean')
    """

    ndims = (2, 3)


class BatchNorm2d(_BatchNorm):
    """BatchNorm1d for images (N, C, H, W): each channel over N, H and W.

    Parameters are those of :class:`BatchNorm1d`.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.BatchNorm2d(3)(tg.ones(2, 3, 4, 4)).shape
    (2, 3, 4, 4)
    """

    ndims = (4,)


class InstanceNorm2d(_Running):
    """Mean 0 and variance 1 of each channel of each image: GroupNorm with C groups.

    Parameters are those of :class:`BatchNorm1d`; ``affine`` and ``track_running_stats`` are
    False by default, as in PyTorch. Inputs are (N, C, H, W) with more than one pixel.

    Notes
    -----
    Source: Ulyanov, Vedaldi and Lempitsky 2016, "Instance Normalization".

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.InstanceNorm2d(3)(tg.ones(2, 3, 4, 4)).shape
    (2, 3, 4, 4)
    """

    ndims = (4,)

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1,
        affine: bool = False, track_running_stats: bool = False, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(num_features, eps, momentum, affine, track_running_stats, bias)

    def forward(self, x: Any) -> Tensor:
        return self._normalize(F.instance_norm, x)
