"""The activations as modules, σ of the notes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import UsageError, compose_message, describe
from ..core.tensor import Tensor
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
    """``log(1 + exp(x))``, a smooth ReLU.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.Softplus()(tg.zeros(1))
    tensor([0.6931472])
    """

    def forward(self, x: Any) -> Tensor:
        return F.softplus(x)


class Softmax(Module):
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

    def __init__(self, axis: int = -1, **unknown: Any) -> None:
        super().__init__()
        who = type(self).__name__
        if unknown:
            raise UsageError(
                compose_message(
                    f"{who}(axis=-1) takes no argument {', '.join(map(repr, unknown))}",
                    fix="the word is 'axis'",
                )
            )
        if isinstance(axis, bool) or not isinstance(axis, int | np.integer):
            raise UsageError(
                compose_message(
                    f"{who}: axis is a whole number", describe(axis), f"nn.{who}(axis=-1)"
                )
            )
        self.axis = int(axis)

    def forward(self, x: Any) -> Tensor:
        return F.softmax(x, axis=self.axis)

    def extra_repr(self) -> str:
        return f"axis={self.axis}"


class LogSoftmax(Softmax):
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
