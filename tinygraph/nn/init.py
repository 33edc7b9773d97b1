"""Initial values of parameters, written in place. PyTorch's names and arguments."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.errors import (
    DtypeError,
    GradientError,
    ShapeError,
    UsageError,
    compose_message,
    describe,
)
from ..core.tensor import Tensor
from ..ops.creation import check_finite
from ..ops.random import Generator, normal, uniform

__all__ = [
    "uniform_", "normal_", "trunc_normal_", "constant_", "zeros_", "ones_", "eye_",
    "calculate_gain", "xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_",
    "lecun_normal_", "orthogonal_",
]  # fmt: skip


def _check(who: str, tensor: Any) -> None:
    """Raise unless ``tensor`` is a floating leaf; before anything is drawn."""
    if not isinstance(tensor, Tensor):
        raise UsageError(
            compose_message(f"{who} fills a tensor", describe(tensor), "tg.zeros(…) makes one")
        )
    if tensor.op is not None:
        raise GradientError(
            compose_message(f"{who} fills a leaf", f"the result of '{tensor.op.name}'")
        )
    if tensor.dtype.kind != "f":
        raise DtypeError(compose_message(f"{who} fills a floating tensor", describe(tensor)))


def _fill(tensor: Tensor, values: Any) -> Tensor:
    tensor.data = values
    return tensor


# ---- plain distributions and constants ----------------------------------------------------------


def uniform_(
    tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Fill a leaf with draws from [a, b) and return it.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> t = nn.init.uniform_(tg.zeros(100), -0.1, 0.1)
    >>> bool(abs(t).max() <= 0.1)
    True
    """
    _check("uniform_", tensor)
    drawn = uniform(tensor.shape, low=a, high=b, dtype=tensor.dtype, generator=generator)
    return _fill(tensor, drawn)


def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Fill a leaf with draws from N(mean, std²) and return it.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.init.normal_(tg.zeros(2, 3), std=0.02).shape
    (2, 3)
    """
    _check("normal_", tensor)
    drawn = normal(tensor.shape, mean=mean, std=std, dtype=tensor.dtype, generator=generator)
    return _fill(tensor, drawn)


def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:  # fmt: skip
    """Fill a leaf with draws from N(mean, std²) that lie in [a, b]; others are drawn again.

    Raises
    ------
    UsageError
        If hardly any draw (fewer than 1 in 1000) would lie in [a, b].

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> bool(abs(nn.init.trunc_normal_(tg.zeros(1000))).max() <= 2)
    True
    """
    _check("trunc_normal_", tensor)
    check_finite("trunc_normal_", mean=mean, std=std, a=a, b=b)
    low, high = tensor.dtype.type(a), tensor.dtype.type(b)
    if std > 0:
        share = 0.5 * (_erf((b - mean) / std) - _erf((a - mean) / std))
    else:
        share = float(low <= mean <= high)
    if not share >= 1e-3:
        raise UsageError(
            f"trunc_normal_: N({mean}, {std}²) has less than 1 in 1000 of its draws in "
            f"[{a}, {b}]. Fix: an interval around the mean."
        )
    values = np.empty(tensor.size, tensor.dtype)
    wanted = np.arange(tensor.size)
    while wanted.size:
        drawn = normal(wanted.size, mean=mean, std=std, dtype=tensor.dtype, generator=generator)
        values[wanted] = drawn.data
        wanted = wanted[(drawn.data < low) | (drawn.data > high)]
    return _fill(tensor, values.reshape(tensor.shape))


def _erf(z: float) -> float:
    return math.erf(z / math.sqrt(2))


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill a leaf with one value and return it.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.init.constant_(tg.zeros(2), 0.5)
    tensor([0.5, 0.5])
    """
    _check("constant_", tensor)
    check_finite("constant_", val=val)
    return _fill(tensor, np.full(tensor.shape, val, tensor.dtype))


def zeros_(tensor: Tensor) -> Tensor:
    """Fill a leaf with zeros and return it.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.init.zeros_(tg.ones(2))
    tensor([0., 0.])
    """
    _check("zeros_", tensor)
    return constant_(tensor, 0.0)


def ones_(tensor: Tensor) -> Tensor:
    """Fill a leaf with ones and return it.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.init.ones_(tg.zeros(2))
    tensor([1., 1.])
    """
    _check("ones_", tensor)
    return constant_(tensor, 1.0)


def eye_(tensor: Tensor) -> Tensor:
    """Fill a matrix with the identity (ones on the diagonal, zeros elsewhere) and return it.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.init.eye_(tg.zeros(2, 3))
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    _check("eye_", tensor)
    if tensor.ndim != 2:
        raise ShapeError(compose_message("eye_ fills a matrix", describe(tensor)))
    return _fill(tensor, np.eye(*tensor.shape, dtype=tensor.dtype))


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
    _check(who, tensor)
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
    _check("orthogonal_", tensor)
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
    return _fill(tensor, values.reshape(tensor.shape))
