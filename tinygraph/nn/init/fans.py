"""Draws whose spread follows from how many inputs and outputs a weight has, and orthogonal ones."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ...core.errors import ShapeError, UsageError, compose_message, describe
from ...core.tensor import Tensor
from ...ops.creation import check_finite
from ...ops.random import Generator, normal
from .plain import check_leaf, fill_leaf, normal_, uniform_

# ---- scaled by the widths -----------------------------------------------------------------------

GAINS: dict[str, float] = {
    "linear": 1.0, "conv1d": 1.0, "conv2d": 1.0, "conv3d": 1.0, "conv_transpose1d": 1.0,
    "conv_transpose2d": 1.0, "conv_transpose3d": 1.0, "sigmoid": 1.0, "tanh": 5 / 3,
    "relu": math.sqrt(2), "selu": 3 / 4,
}  # fmt: skip


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return the factor by which weights before a nonlinearity are larger.

    1 for linear maps, convolutions and sigmoid, 5/3 for tanh, √2 for ReLU,
    √(2/(1 + slope²)) for leaky ReLU, 3/4 for SELU, as in PyTorch.

    Parameters
    ----------
    nonlinearity : str
        "linear", "relu", "leaky_relu", "tanh", "sigmoid", "selu", "conv1d", ….
    param : float, optional
        The slope of "leaky_relu", 0.01 by default.

    Raises
    ------
    UsageError
        If the nonlinearity is unknown.

    Examples
    --------
    >>> from tinygraph import nn
    >>> round(nn.init.calculate_gain("relu"), 4)
    1.4142
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        check_finite("calculate_gain", param=slope)
        return math.sqrt(2 / (1 + slope * slope))
    if nonlinearity not in GAINS:
        raise UsageError(
            compose_message(
                "calculate_gain knows " + ", ".join([*GAINS, "leaky_relu"]), repr(nonlinearity)
            )
        )
    return GAINS[nonlinearity]


def _fans(who: str, tensor: Tensor) -> tuple[int, int]:
    """Return how many inputs an output has, and how many outputs an input."""
    if tensor.ndim < 2:
        raise ShapeError(
            compose_message(
                f"{who} needs a weight (out, in, …): at least two axes",
                describe(tensor),
                "nn.init.zeros_ for biases",
            )
        )
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def _draw(
    who: str, tensor: Tensor, std: Callable[[int, int], float], kind: str,
    generator: Generator | None,
) -> Tensor:  # fmt: skip
    """Fill with draws of mean 0 whose standard deviation depends on the fans."""
    check_leaf(who, tensor)
    fan_in, fan_out = _fans(who, tensor)
    if tensor.size == 0:
        return tensor
    scale = std(fan_in, fan_out)
    if kind == "normal":
        return normal_(tensor, 0.0, scale, generator)
    bound = math.sqrt(3) * scale
    return uniform_(tensor, -bound, bound, generator)


def _xavier(gain: float) -> Callable[[int, int], float]:
    check_finite("xavier", gain=gain)
    return lambda fan_in, fan_out: gain * math.sqrt(2 / (fan_in + fan_out))


def _kaiming(a: float, mode: str, nonlinearity: str) -> Callable[[int, int], float]:
    gain = calculate_gain(nonlinearity, a)
    if mode not in ("fan_in", "fan_out"):
        raise UsageError(
            compose_message("kaiming: mode is 'fan_in' or 'fan_out'", repr(mode), "mode='fan_in'")
        )
    return lambda *fans: gain / math.sqrt(fans[0 if mode == "fan_in" else 1])


def xavier_uniform_(
    tensor: Tensor, gain: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Fill with U(−b, b), b = gain √(6 / (fan_in + fan_out)): for tanh, sigmoid, linear maps.

    Parameters
    ----------
    tensor : Tensor, shape (out, in, …)
    gain : float
        See :func:`calculate_gain`.
    generator : Generator, optional

    Raises
    ------
    ShapeError
        If there are fewer than two axes.

    Notes
    -----
    Source: X. Glorot and Y. Bengio, Understanding the difficulty of training deep
    feedforward neural networks, 2010.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.init.xavier_uniform_(tg.zeros(3, 2)).shape
    (3, 2)
    """
    return _draw("xavier_uniform_", tensor, _xavier(gain), "uniform", generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill with N(0, std²), std = gain √(2 / (fan_in + fan_out)).

    Parameters and source as for :func:`xavier_uniform_`.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.init.xavier_normal_(tg.zeros(3, 2)).shape
    (3, 2)
    """
    return _draw("xavier_normal_", tensor, _xavier(gain), "normal", generator)


def kaiming_uniform_(
    tensor: Tensor, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:  # fmt: skip
    """Fill with U(−b, b), b = gain √(3 / fan): He's initialization, for ReLU.

    Parameters
    ----------
    tensor : Tensor, shape (out, in, …)
    a : float
        The slope of the leaky ReLU that follows; 0 for ReLU.
    mode : {"fan_in", "fan_out"}
        Keep the size of the forward pass, or of the backward pass.
    nonlinearity : str
        What follows; see :func:`calculate_gain`.
    generator : Generator, optional

    Raises
    ------
    ShapeError, UsageError
        If there are fewer than two axes, or a word is unknown.

    Notes
    -----
    Source: K. He et al., Delving deep into rectifiers, 2015.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.init.kaiming_uniform_(tg.zeros(3, 2), nonlinearity="relu").shape
    (3, 2)
    """
    scale = _kaiming(a, mode, nonlinearity)
    return _draw("kaiming_uniform_", tensor, scale, "uniform", generator)


def kaiming_normal_(
    tensor: Tensor, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:  # fmt: skip
    """Fill with N(0, std²), std = gain / √fan.

    Parameters, errors and source as for :func:`kaiming_uniform_`.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.init.kaiming_normal_(tg.zeros(3, 2), mode="fan_out").shape
    (3, 2)
    """
    return _draw("kaiming_normal_", tensor, _kaiming(a, mode, nonlinearity), "normal", generator)


def lecun_normal_(tensor: Tensor, generator: Generator | None = None) -> Tensor:
    """Fill with N(0, 1/fan_in): keeps the variance of a linear map, and of SELU.

    Notes
    -----
    Source: Y. LeCun et al., Efficient backprop, 1998.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.init.lecun_normal_(tg.zeros(3, 2)).shape
    (3, 2)
    """
    return _draw("lecun_normal_", tensor, _kaiming(0.0, "fan_in", "linear"), "normal", generator)


def orthogonal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill with gain times orthonormal rows (columns, if there are more rows than columns).

    Axes after the first count as one. Lengths, and gradients, are kept by a square matrix.

    Parameters
    ----------
    tensor : Tensor, shape (out, in, …)
    gain : float
    generator : Generator, optional

    Raises
    ------
    ShapeError
        If there are fewer than two axes.

    Notes
    -----
    Source: A. Saxe et al., Exact solutions to the nonlinear dynamics of learning in deep
    linear neural networks, 2013.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> w = nn.init.orthogonal_(tg.zeros(2, 5, dtype=float))
    >>> bool(abs(w @ w.T - tg.eye(2)).max() < 1e-12)
    True
    """
    check_leaf("orthogonal_", tensor)
    _fans("orthogonal_", tensor)
    check_finite("orthogonal_", gain=gain)
    if tensor.size == 0:
        return tensor
    rows = tensor.shape[0]
    shape = (rows, tensor.size // rows)
    drawn = normal(max(shape), min(shape), dtype=np.float64, generator=generator).data
    q, r = np.linalg.qr(drawn)
    q = q * np.where(np.diag(r) < 0, -1.0, 1.0)  # every orthogonal matrix equally likely
    values = gain * (q if shape[0] >= shape[1] else q.T)
    return fill_leaf(tensor, values.reshape(tensor.shape))
