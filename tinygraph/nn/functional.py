"""nn.functional: what the modules compute, as functions of tensors. PyTorch's names."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ..core.recording import run_check, values_of
from ..core.tensor import Tensor
from ..ops import activation, class_rows, linalg
from ..ops.activation import gelu, relu, sigmoid
from ..ops.adaptive_pool import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
)
from ..ops.attention import scaled_dot_product_attention
from ..ops.avg_pool import avg_pool1d, avg_pool2d
from ..ops.binary_loss import binary_cross_entropy, binary_cross_entropy_with_logits, hinge_loss
from ..ops.channel_norm import batch_norm, group_norm, instance_norm
from ..ops.class_loss import cross_entropy, multi_margin_loss, nll_loss
from ..ops.convolution import conv1d, conv2d
from ..ops.convolution_matrix import conv1d_matrix, conv2d_matrix
from ..ops.convolution_transpose import conv_transpose1d, conv_transpose2d
from ..ops.dropout import dropout
from ..ops.elementwise import tanh
from ..ops.embedding import embedding, sinusoidal_positions
from ..ops.gate import glu, log_sigmoid, mish, silu, softsign
from ..ops.interpolate import interpolate
from ..ops.layer_norm import layer_norm, rms_norm
from ..ops.linalg import matmul
from ..ops.loss import checked_limit, huber_loss, kl_div, l1_loss, mse_loss, smooth_l1_loss
from ..ops.max_pool import max_pool1d, max_pool2d
from ..ops.operands import operand, whole
from ..ops.rectifier import elu, hardswish, hardtanh, leaky_relu, prelu, relu6, selu
from ..ops.shape import matrix_transpose
from ..ops.softmax import log_softmax, softmax

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_max_pool1d", "adaptive_max_pool2d",
    "avg_pool1d", "avg_pool2d", "batch_norm", "binary_cross_entropy",
    "binary_cross_entropy_with_logits", "conv1d", "conv1d_matrix", "conv2d", "conv2d_matrix",
    "conv_transpose1d", "conv_transpose2d", "cross_entropy", "dropout", "elu", "embedding", "gelu",
    "glu", "group_norm", "hardswish", "hardtanh", "hinge_loss", "huber_loss", "instance_norm",
    "interpolate", "kl_div", "l1_loss", "layer_norm", "leaky_relu", "linear", "log_sigmoid",
    "log_softmax", "logsigmoid", "max_pool1d", "max_pool2d", "mish", "mse_loss",
    "multi_margin_loss", "nll_loss", "one_hot", "prelu", "relu", "relu6", "rms_norm",
    "scaled_dot_product_attention", "selu", "sigmoid", "silu", "sinusoidal_positions",
    "smooth_l1_loss", "softmax", "softplus", "softsign", "tanh",
]  # fmt: skip

logsigmoid = log_sigmoid  # as PyTorch spells it


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


def one_hot(target: Any, num_classes: int = -1) -> Tensor:
    """Turn class numbers into rows with a single 1.

    Parameters
    ----------
    target : Tensor or ndarray of integers, any shape
        Class numbers from 0 on.
    num_classes : int
        Length of the rows; −1 takes the largest class number, plus 1.

    Returns
    -------
    Tensor of int64, shape (*target.shape, num_classes)

    Raises
    ------
    DtypeError, IndexRangeError
        If the class numbers are not integers, or out of range.
    CompileError
        In a compiled function, unless ``num_classes`` is given.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.nn.functional.one_hot(tg.tensor([0, 2]), 3)
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    labels = operand("one_hot", target)
    labels = labels if isinstance(labels, Tensor) else Tensor(labels)
    count = whole("one_hot", "num_classes", num_classes, -1)
    if count < 0:
        found = values_of(labels, "the largest label (of one_hot without num_classes)")
        count = int(found.max()) + 1 if found.size else 0
    run_check(partial(_check_classes, count), labels)
    return class_rows.one_hot(labels, classes=count, dtype=np.dtype(np.int64))


def _check_classes(count: int, labels: Any) -> None:
    class_rows.check_labels(np.empty((0, count)), labels, ignore_index=None)


def softplus(x: Any, beta: float = 1.0) -> Tensor:
    """Compute ``log(1 + exp(β x)) / β``, a smooth relu, accurately for every x.

    Parameters
    ----------
    x : Tensor or ndarray
    beta : float
        β, above 0.

    Raises
    ------
    UsageError
        If β is not above 0.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.nn.functional.softplus(tg.tensor([1000.0]), beta=2)
    tensor([1000.])
    """
    checked_limit("softplus", "beta", beta)
    if beta == 1:
        return activation.softplus(x)
    return activation.softplus(x * float(beta)) / float(beta)
