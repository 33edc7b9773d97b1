"""The activations σ as modules."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import UsageError, compose_message, describe
from ..core.tensor import Tensor
from ..ops.loss import checked_limit
from . import functional as F
from .module import Module


class Identity(Module):
    """Return the input.

    Examples
    --------
    >>> from tinygraph import nn
    >>> nn.Identity()
    Identity()
    """

    def forward(self, x: Any) -> Any:
        return x


class ReLU(Module):
    """``max(x, 0)``, element by element; the derivative at 0 is 0.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.ReLU()(tg.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def forward(self, x: Any) -> Tensor:
        return F.relu(x)


class Sigmoid(Module):
    """``1/(1 + exp(−x))``, element by element; its derivative is at most ¼.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.Sigmoid()(tg.zeros(1))
    tensor([0.5])
    """

    def forward(self, x: Any) -> Tensor:
        return F.sigmoid(x)


class Tanh(Module):
    """``tanh(x)``, element by element.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.Tanh()(tg.zeros(1))
    tensor([0.])
    """

    def forward(self, x: Any) -> Tensor:
        return F.tanh(x)


class GELU(Module):
    """``x Φ(x)`` (exact), or the tanh form; Hendrycks and Gimpel 2016.

    Parameters
    ----------
    approximate : {"none", "tanh"}

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.GELU()(tg.zeros(1))
    tensor([0.])
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        if not isinstance(approximate, str) or approximate not in ("none", "tanh"):
            raise UsageError(f"GELU: approximate is 'none' or 'tanh', received {approximate!r}.")
        self.approximate = approximate

    def forward(self, x: Any) -> Tensor:
        return F.gelu(x, approximate=self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class Softplus(Module):
    """``log(1 + exp(β x)) / β``, a smooth ReLU.

    Parameters
    ----------
    beta : float
        β: the larger, the sharper is the bend at 0. (PyTorch's ``threshold``, above which it
        returns x as it stands, is not needed: all values are accurate.)

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.Softplus()(tg.zeros(1))
    tensor([0.6931472])
    """

    def __init__(self, beta: float = 1.0) -> None:
        super().__init__()
        checked_limit("Softplus", "beta", beta)
        self.beta = float(beta)

    def forward(self, x: Any) -> Tensor:
        return F.softplus(x, self.beta)

    def extra_repr(self) -> str:
        return "" if self.beta == 1 else f"beta={self.beta}"


class _AlongAxis(Module):
    """Works along one axis, the last by default."""

    def __init__(self, axis: int = -1) -> None:
        super().__init__()
        who = type(self).__name__
        if isinstance(axis, bool) or not isinstance(axis, int | np.integer):
            raise UsageError(
                compose_message(
                    f"{who}: axis is a whole number", describe(axis), f"nn.{who}(axis=-1)"
                )
            )
        self.axis = int(axis)

    def extra_repr(self) -> str:
        return f"axis={self.axis}"


class Softmax(_AlongAxis):
    """Probabilities along an axis: ``exp(x) / Σ exp(x)``. It mixes components.

    Parameters
    ----------
    axis : int
        The axis that sums to 1; the last by default.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.Softmax()(tg.zeros(2))
    tensor([0.5, 0.5])
    """

    def forward(self, x: Any) -> Tensor:
        return F.softmax(x, axis=self.axis)


class LogSoftmax(_AlongAxis):
    """``x − log Σ exp(x)`` along an axis.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.LogSoftmax()(tg.zeros(2))
    tensor([-0.6931472, -0.6931472])
    """

    def forward(self, x: Any) -> Tensor:
        return F.log_softmax(x, axis=self.axis)


class LogSigmoid(Module):
    """``log(sigmoid(x))``, element by element, accurate from −∞ to ∞.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.LogSigmoid()(tg.tensor([-1000.0]))
    tensor([-1000.])
    """

    def forward(self, x: Any) -> Tensor:
        return F.log_sigmoid(x)


class Softsign(Module):
    """``x / (1 + |x|)``, element by element: squashes to (−1, 1), slower than tanh.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.Softsign()(tg.tensor([-1.0, 3.0]))
    tensor([-0.5 ,  0.75])
    """

    def forward(self, x: Any) -> Tensor:
        return F.softsign(x)


class SiLU(Module):
    """``x σ(x)``, element by element, also called swish.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.SiLU()(tg.zeros(1))
    tensor([0.])
    """

    def forward(self, x: Any) -> Tensor:
        return F.silu(x)


class Mish(Module):
    """``x tanh(softplus(x))``, element by element; Misra 2019.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.Mish()(tg.zeros(1))
    tensor([0.])
    """

    def forward(self, x: Any) -> Tensor:
        return F.mish(x)


class GLU(_AlongAxis):
    """``a σ(b)``, where a and b are the halves of the input along an axis.

    Parameters
    ----------
    axis : int
        The axis that is halved; the last by default.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.GLU()(tg.tensor([3.0, 4.0, 0.0, 0.0]))
    tensor([1.5, 2. ])
    """

    def forward(self, x: Any) -> Tensor:
        return F.glu(x, axis=self.axis)
