"""Activations in pieces: leaky and parametric ReLU, hard limits, exponential linear units."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import ShapeError, UsageError, compose_message, describe_all
from ..core.modes import module_path
from ..core.op import Op, composite, op
from ..core.storage import Array
from ..core.tensor import Tensor
from .activation import positive, relu
from .creation import check_finite
from .elementwise import add, clip, div, exp, minimum, mul
from .operands import operand
from .shape import reshape

SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946
"""Klambauer et al. 2017: mean 0 and variance 1 are a fixed point."""


def _numbers(who: str, **attrs: Any) -> dict[str, Any]:
    """Return attributes as Python numbers, which never widen a tensor."""
    check_finite(who, **attrs)
    return {k: v.item() if isinstance(v, np.generic) else v for k, v in attrs.items()}


def _slope(x: Any, below: Any) -> Any:
    """Return 1 where x > 0 and ``below`` elsewhere, exactly.

    Sums of parts are several times as fast as `where`, whose branches a processor cannot
    predict on activations; so are the forward functions here.
    """
    above = positive(x)
    return above + below * (1 - above)


def _leaky_relu(x: Any, *, negative_slope: float = 0.01) -> Any:
    return np.maximum(x, 0) + negative_slope * np.minimum(x, 0)


leaky_relu = op(
    "leaky_relu", _leaky_relu,
    formula="where(x > 0, x, negative_slope · x)", local=["where(x > 0, 1, negative_slope)"],
    vjps=[lambda g, y, x, *, negative_slope: g * _slope(x, negative_slope)],
    saves="x", quiet=True, kinks="the derivative at 0 is negative_slope",
    prepare=lambda x, *, negative_slope: _numbers("leaky_relu", negative_slope=negative_slope),
    doc="A relu that leaks: negative values are scaled (Maas, Hannun and Ng 2013).",
)  # fmt: skip


@composite("relu(x) + weight · clip(x, max=0)", kinks="the derivative at 0 is weight")
def prelu(x: Any, weight: Any) -> Tensor:
    """Leaky relu whose slopes are learned, one for all or one for each channel.

    Parameters
    ----------
    x : Tensor, shape (…,) or (N, C, …)
    weight : number, or Tensor of shape (), (1,) or (C,)
        The slopes for negative values; channels are along axis 1.

    Returns
    -------
    Tensor
        Of the shape of ``x``.

    Raises
    ------
    ShapeError
        If there are several slopes and their number is not that of the channels.

    Notes
    -----
    Source: He et al. 2015, Delving deep into rectifiers.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.prelu(tg.tensor([-2.0, 4.0]), tg.tensor(0.25))
    tensor([-0.5,  4. ])
    """
    x = operand("prelu", x)
    if not isinstance(weight, int | float):
        weight = _beside_channels(x, operand("prelu", weight))
    return add(relu(x), mul(weight, clip(x, max=0)))


def _beside_channels(x: Any, weight: Any) -> Any:
    """Arrange the slopes so that they broadcast along axis 1."""
    shape: tuple[int, ...] = ()
    if weight.size != 1:
        if x.ndim < 2 or weight.shape != x.shape[1:2]:
            raise ShapeError(
                compose_message(
                    "prelu: weight is one slope, or one for each channel (axis 1 of x)",
                    describe_all([x, weight]),
                    f"a weight of shape {x.shape[1:2] or (1,)}",
                    module_path(),
                )
            )
        shape = (-1,) + (1,) * (x.ndim - 2)
    return reshape(weight, shape=shape)


# ---- hard limits -------------------------------------------------------------------------------


def _hardtanh(
    x: Any, *, min_val: float = -1.0, max_val: float = 1.0, out: Array | None = None
) -> Any:
    return np.clip(x, min_val, max_val, out=out)


def check_limits(who: str, min_val: Any, max_val: Any) -> dict[str, Any]:
    """Return the limits of hardtanh as Python numbers; raise unless they are in order."""
    limits = _numbers(who, min_val=min_val, max_val=max_val)
    if min_val >= max_val:
        raise UsageError(
            compose_message(
                f"{who}: min_val lies below max_val",
                f"min_val={min_val}, max_val={max_val}",
                f"{who}(…, min_val=-1.0, max_val=1.0)",
            )
        )
    return limits


hardtanh: Op = op(
    "hardtanh", _hardtanh, formula="clip(x, min_val, max_val)",
    local=["(x > min_val) · (x < max_val)"], saves="x",
    vjps=[lambda g, y, x, *, min_val, max_val: g * ((x > min_val) * (x < max_val))],
    prepare=lambda x, **limits: check_limits("hardtanh", **limits),
    kinks="the derivative at the edges is 0 (that of clip is 1)",
    doc="Cut off below min_val and above max_val.",
)  # fmt: skip


@composite("minimum(maximum(x, 0), 6)", kinks="the derivative at 0 and 6 is 0")
def relu6(x: Any) -> Tensor:
    """Cut off below 0 and above 6: hardtanh with those limits.

    Parameters
    ----------
    x : Tensor or ndarray

    Notes
    -----
    Source: Krizhevsky 2010, Convolutional deep belief networks on CIFAR-10.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.relu6(tg.tensor([-1.0, 3.0, 8.0]))
    tensor([0., 3., 6.])
    """
    return hardtanh(x, min_val=0.0, max_val=6.0)


@composite("x · relu6(x + 3) / 6", kinks="the derivative at −3 is 0, at 3 it is 1")
def hardswish(x: Any) -> Tensor:
    """Swish from straight pieces: x · relu6(x + 3) / 6.

    Parameters
    ----------
    x : Tensor or ndarray

    Notes
    -----
    Source: Howard et al. 2019, Searching for MobileNetV3.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.hardswish(tg.tensor([-3.0, 0.0, 3.0]))
    tensor([-0.,  0.,  3.])
    """
    return div(mul(x, relu6(add(x, 3.0))), 6.0)


# ---- exponential linear units ------------------------------------------------------------------


def _elu(x: Any, *, alpha: float = 1.0) -> Any:
    return np.maximum(x, 0) + alpha * np.expm1(np.minimum(x, 0))


elu = op(
    "elu", _elu,
    formula="where(x > 0, x, alpha · (exp(x) − 1))", local=["where(x > 0, 1, alpha · exp(x))"],
    # the minimum keeps exp finite, in the second derivative too
    vjps=[lambda g, y, x, *, alpha: g * _slope(x, alpha * exp(minimum(x, 0)))],
    saves="x", kinks="the derivative at 0 is alpha",
    prepare=lambda x, *, alpha: _numbers("elu", alpha=alpha),
    doc="Exponential linear unit: bends to −alpha (Clevert, Unterthiner and Hochreiter 2016).",
)  # fmt: skip


@composite("scale · elu(x, alpha), scale = 1.0507, alpha = 1.6733",
           kinks="the derivative at 0 is scale · alpha")  # fmt: skip
def selu(x: Any) -> Tensor:
    """Scaled exponential linear unit, which keeps activations near mean 0 and variance 1.

    Parameters
    ----------
    x : Tensor or ndarray

    Notes
    -----
    Source: Klambauer, Unterthiner, Mayr and Hochreiter 2017, Self-normalizing neural networks.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.selu(tg.tensor([0.0, 1.0]))
    tensor([0.      , 1.050701])
    """
    return mul(SELU_SCALE, elu(x, alpha=SELU_ALPHA))
