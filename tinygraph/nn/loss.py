"""The losses as modules."""

from __future__ import annotations

from typing import Any

from ..core.tensor import Tensor
from ..ops.loss import checked_reduction
from . import functional as F
from .module import Module


class _Loss(Module):
    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = checked_reduction(type(self).__name__, reduction)

    def extra_repr(self) -> str:
        return f"reduction={self.reduction!r}"


class MSELoss(_Loss):
    """Mean squared error; see :func:`tinygraph.nn.functional.mse_loss`.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> import tinygraph as tg
    >>> float(tg.nn.MSELoss()(tg.ones(2), tg.zeros(2)))
    1.0
    """

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.mse_loss(input, target, self.reduction)


class CrossEntropyLoss(_Loss):
    """Cross-entropy from logits; see :func:`tinygraph.nn.functional.cross_entropy`.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> import tinygraph as tg
    >>> round(float(tg.nn.CrossEntropyLoss()(tg.zeros(1, 2), tg.tensor([1]))), 4)
    0.6931
    """

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.cross_entropy(input, target, self.reduction)


class BCEWithLogitsLoss(_Loss):
    """Binary cross-entropy from logits.

    See :func:`tinygraph.nn.functional.binary_cross_entropy_with_logits`.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> import tinygraph as tg
    >>> round(float(tg.nn.BCEWithLogitsLoss()(tg.zeros(1), tg.ones(1))), 4)
    0.6931
    """

    def forward(self, input: Any, target: Any) -> Tensor:
        return F.binary_cross_entropy_with_logits(input, target, self.reduction)
