"""Activations in pieces as modules: ReLU's relatives."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.modes import get_default_dtype
from ..core.tensor import Tensor
from ..ops.creation import check_finite
from ..ops.operands import whole
from ..ops.rectifier import check_limits
from . import functional as F
from .checks import check_dtype, check_operand
from .module import Module
from .parameter import Parameter


class ReLU6(Module):
    """``min(max(x, 0), 6)``, element by element; the derivative at 0 and 6 is 0.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.ReLU6()(tg.tensor([-1.0, 3.0, 8.0]))
    tensor([0., 3., 6.])
    """

    def forward(self, x: Any) -> Tensor:
        return F.relu6(x)


class Hardtanh(Module):
    """The input cut off below ``min_val`` and above ``max_val``.

    Parameters
    ----------
    min_val, max_val : float
        The limits.

    Raises
    ------
    UsageError
        If ``min_val`` does not lie below ``max_val``.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.Hardtanh()(tg.tensor([-3.0, 0.5, 3.0]))
    tensor([-1. ,  0.5,  1. ])
    """

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0) -> None:
        super().__init__()
        check_limits("Hardtanh", min_val, max_val)
        self.min_val = min_val
        self.max_val = max_val

    def forward(self, x: Any) -> Tensor:
        return F.hardtanh(x, min_val=self.min_val, max_val=self.max_val)

    def extra_repr(self) -> str:
        return f"min_val={self.min_val}, max_val={self.max_val}"


class Hardswish(Module):
    """``x relu6(x + 3) / 6``, element by element; Howard et al. 2019.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.Hardswish()(tg.tensor([1.5, 3.0]))
    tensor([1.125, 3.   ])
    """

    def forward(self, x: Any) -> Tensor:
        return F.hardswish(x)


class LeakyReLU(Module):
    """``x`` where positive, ``negative_slope · x`` elsewhere, also in the derivative at 0.

    Parameters
    ----------
    negative_slope : float

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.LeakyReLU(0.5)(tg.tensor([-4.0, 2.0]))
    tensor([-2.,  2.])
    """

    def __init__(self, negative_slope: float = 0.01) -> None:
        super().__init__()
        check_finite("LeakyReLU", negative_slope=negative_slope)
        self.negative_slope = negative_slope

    def forward(self, x: Any) -> Tensor:
        return F.leaky_relu(x, negative_slope=self.negative_slope)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}"


class PReLU(Module):
    """Leaky ReLU with learned slopes, one for all or one for each channel (axis 1).

    Parameters
    ----------
    num_parameters : int
        1, or the number of channels.
    init : float
        The slopes at the start.

    Attributes
    ----------
    weight : Parameter, shape (num_parameters,)

    Raises
    ------
    ShapeError
        If the number of channels is another.

    Notes
    -----
    Source: He et al. 2015, Delving deep into rectifiers.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.PReLU()(tg.tensor([-4.0, 2.0])).numpy()
    array([-1.,  2.], dtype=float32)
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25) -> None:
        super().__init__()
        check_finite("PReLU", init=init)
        self.num_parameters = whole("PReLU", "num_parameters", num_parameters, least=1)
        self.init = init
        self.weight = Parameter(np.full(self.num_parameters, init, get_default_dtype()))

    def reset_parameters(self) -> None:
        """Set the slopes to what they were at the start."""
        self.weight.data = np.full(self.num_parameters, self.init, self.weight.dtype)

    def forward(self, x: Any) -> Tensor:
        check_operand(self, x)
        check_dtype(self, x, self.weight)
        return F.prelu(x, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class ELU(Module):
    """``x`` where positive, ``alpha (exp(x) − 1)`` elsewhere.

    Parameters
    ----------
    alpha : float
        The limit at −∞ is −alpha.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.ELU()(tg.tensor([-1000.0, 2.0]))
    tensor([-1.,  2.])
    """

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__()
        check_finite("ELU", alpha=alpha)
        self.alpha = alpha

    def forward(self, x: Any) -> Tensor:
        return F.elu(x, alpha=self.alpha)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}"


class SELU(Module):
    """Scaled exponential linear unit: mean 0 and variance 1 are a fixed point.

    Notes
    -----
    Source: Klambauer, Unterthiner, Mayr and Hochreiter 2017, Self-normalizing neural networks.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.SELU()(tg.zeros(1))
    tensor([0.])
    """

    def forward(self, x: Any) -> Tensor:
        return F.selu(x)
