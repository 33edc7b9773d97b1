"""nn.functional: what the modules compute, as functions of tensors. PyTorch's names."""

from __future__ import annotations

from typing import Any

from ..core.tensor import Tensor
from ..ops import linalg
from ..ops.activation import gelu, relu, sigmoid, softplus
from ..ops.elementwise import tanh
from ..ops.linalg import matmul
from ..ops.loss import binary_cross_entropy_with_logits, cross_entropy, mse_loss
from ..ops.reduce import log_softmax, softmax
from ..ops.shape import matrix_transpose

__all__ = [
    "binary_cross_entropy_with_logits", "cross_entropy", "gelu", "linear", "log_softmax",
    "mse_loss", "relu", "sigmoid", "softmax", "softplus", "tanh",
]  # fmt: skip


def linear(x: Any, weight: Any, bias: Any = None) -> Tensor:
    """Affine map of the last axis: ``x Wᵀ + b``.

    Parameters
    ----------
    x : Tensor, shape (…, in_features)
    weight : Tensor, shape (out_features, in_features)
    bias : Tensor, shape (out_features,), optional

    Returns
    -------
    Tensor, shape (…, out_features)

    Raises
    ------
    ShapeError
        If the inner sizes differ.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.nn.functional.linear(tg.ones(1, 2), tg.ones(3, 2))
    tensor([[2., 2., 2.]])
    """
    if bias is None:
        return matmul(x, matrix_transpose(weight))
    return linalg.linear(x, weight, bias)
