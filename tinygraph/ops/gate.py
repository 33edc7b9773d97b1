"""Smooth activations: softsign, log_sigmoid, and those in which x passes its own gate."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import ShapeError, compose_message, describe
from ..core.modes import module_path
from ..core.op import composite, op
from ..core.tensor import Tensor
from .activation import sigmoid, softplus
from .axes import one_axis
from .elementwise import abs, mul, neg, square, tanh
from .index import getitem
from .operands import operand

softsign = op(
    "softsign", lambda x: x / (1 + np.abs(x)),
    formula="x / (1 + abs(x))", local=["1 / (1 + abs(x)) ** 2"], saves="x",
    vjps=[lambda g, y, x: g / square(1 + abs(x))], quiet=True,
    doc="Squash to (−1, 1), slower than tanh: ``x / (1 + |x|)``.",
)  # fmt: skip


@composite("log(sigmoid(x)) = −softplus(−x)")
def log_sigmoid(x: Any) -> Tensor:
    """Logarithm of the sigmoid, accurate from −∞ to ∞.

    Parameters
    ----------
    x : Tensor or ndarray

    Returns
    -------
    Tensor
        Of the shape of ``x``; about x far below 0, about −exp(−x) far above.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.log_sigmoid(tg.tensor([-1000.0, 1000.0]))
    tensor([-1000.,    -0.])
    """
    return neg(softplus(neg(x)))


@composite("x · sigmoid(x)")
def silu(x: Any) -> Tensor:
    """Sigmoid linear unit, also called swish: x · sigmoid(x).

    Parameters
    ----------
    x : Tensor or ndarray

    Returns
    -------
    Tensor
        Of the shape of ``x``. The minimum is −0.2785 at x = −1.2785.

    Notes
    -----
    Source: Hendrycks and Gimpel 2016; Ramachandran, Zoph and Le 2017.

    Examples
    --------
    >>> import tinygraph as tg
    >>> f"{tg.silu(tg.tensor(1.0)):.4f}"
    '0.7311'
    """
    return mul(x, sigmoid(x))


@composite("x · tanh(softplus(x))")
def mish(x: Any) -> Tensor:
    """Smooth like silu, with tanh(softplus(x)) as the gate.

    Parameters
    ----------
    x : Tensor or ndarray

    Returns
    -------
    Tensor
        Of the shape of ``x``. The minimum is −0.3088 at x = −1.1924.

    Notes
    -----
    Source: Misra 2019, Mish: a self regularized non-monotonic activation function.

    Examples
    --------
    >>> import tinygraph as tg
    >>> f"{tg.mish(tg.tensor(1.0)):.4f}"
    '0.8651'
    """
    return mul(x, tanh(softplus(x)))


@composite("a · sigmoid(b), where a and b are the halves of x")
def glu(x: Any, axis: int = -1) -> Tensor:
    """Gated linear unit: the first half of an axis times the sigmoid of the second.

    Parameters
    ----------
    x : Tensor or ndarray
    axis : int
        The axis that is halved; its length is even.

    Returns
    -------
    Tensor
        Half as long along ``axis``.

    Raises
    ------
    ShapeError
        If the axis does not exist or its length is odd.

    Notes
    -----
    Source: Dauphin, Fan, Auli and Grangier 2017, Language modeling with gated convolutions.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.glu(tg.tensor([3.0, 4.0, 0.0, 0.0]))
    tensor([1.5, 2. ])
    """
    x = operand("glu", x)
    along = one_axis("glu", axis, x.ndim)
    half, odd = divmod(x.shape[along], 2)
    if odd:
        raise ShapeError(
            compose_message(
                f"glu: the length of axis {axis} must be even",
                describe(x),
                "a layer before with 2·n features, for n results",
                module_path(),
            )
        )
    before = (slice(None),) * along
    a = getitem(x, index=(*before, slice(None, half)))
    b = getitem(x, index=(*before, slice(half, None)))
    return mul(a, sigmoid(b))
