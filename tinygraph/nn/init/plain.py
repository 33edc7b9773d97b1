"""Fill a parameter in place with a constant, or with draws from a given distribution."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...core.errors import (
    DtypeError,
    GradientError,
    ShapeError,
    UsageError,
    compose_message,
    describe,
)
from ...core.tensor import Tensor
from ...ops.creation import check_finite
from ...ops.random import Generator, normal, uniform


def check_leaf(who: str, tensor: Any) -> None:
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


def fill_leaf(tensor: Tensor, values: Any) -> Tensor:
    """Write values into a leaf and return it."""
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
    check_leaf("uniform_", tensor)
    drawn = uniform(tensor.shape, low=a, high=b, dtype=tensor.dtype, generator=generator)
    return fill_leaf(tensor, drawn)


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
    check_leaf("normal_", tensor)
    drawn = normal(tensor.shape, mean=mean, std=std, dtype=tensor.dtype, generator=generator)
    return fill_leaf(tensor, drawn)


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
    check_leaf("trunc_normal_", tensor)
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
    return fill_leaf(tensor, values.reshape(tensor.shape))


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
    check_leaf("constant_", tensor)
    check_finite("constant_", val=val)
    return fill_leaf(tensor, np.full(tensor.shape, val, tensor.dtype))


def zeros_(tensor: Tensor) -> Tensor:
    """Fill a leaf with zeros and return it.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.init.zeros_(tg.ones(2))
    tensor([0., 0.])
    """
    check_leaf("zeros_", tensor)
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
    check_leaf("ones_", tensor)
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
    check_leaf("eye_", tensor)
    if tensor.ndim != 2:
        raise ShapeError(compose_message("eye_ fills a matrix", describe(tensor)))
    return fill_leaf(tensor, np.eye(*tensor.shape, dtype=tensor.dtype))
