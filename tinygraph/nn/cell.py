"""One step of a recurrent network, as a composition: what RNN, GRU and LSTM repeat."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.errors import ShapeError, compose_message, describe
from ..core.modes import get_default_dtype, module_path
from ..core.tensor import Tensor
from ..ops.creation import zeros
from . import functional as F
from . import init
from .checks import check_dtype, check_features, checked_flag, checked_size
from .module import Module
from .parameter import Parameter
from .recurrent import checked_nonlinearity


class _Cell(Module):
    """What the cells share: parameters, and the state that the step starts from."""

    gates = 1
    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True) -> None:
        super().__init__()
        who, dtype = type(self).__name__, get_default_dtype()
        self.input_size = checked_size(who, "input_size", input_size)
        self.hidden_size = checked_size(who, "hidden_size", hidden_size)
        self.bias = checked_flag(who, "bias", bias)
        rows = self.gates * self.hidden_size
        self.weight_ih = Parameter(np.empty((rows, self.input_size), dtype))
        self.weight_hh = Parameter(np.empty((rows, self.hidden_size), dtype))
        self.bias_ih = Parameter(np.empty(rows, dtype)) if self.bias else None
        self.bias_hh = Parameter(np.empty(rows, dtype)) if self.bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters from U(−1/√hidden_size, 1/√hidden_size), as PyTorch does."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self._parameters.values():
            init.uniform_(parameter, -bound, bound)

    def _checked(self, x: Any, states: list[Any]) -> list[Any]:
        """Check input and states; a state that is None starts from zeros."""
        check_features(self, x, self.input_size, self.weight_ih)
        wanted = (*x.shape[:-1], self.hidden_size)
        start = zeros(wanted, dtype=self.weight_ih.dtype)
        for state in states:
            if state is not None and getattr(state, "shape", None) != wanted:
                what = f"{type(self).__name__} wants states of shape {wanted}"
                raise ShapeError(compose_message(what, describe(state), "", module_path()))
            if state is not None:
                check_dtype(self, state, self.weight_ih)
        return [start if s is None else s for s in states]

    def _mapped(self, x: Any, h: Any) -> tuple[Tensor, Tensor]:
        """Return what the input and what the state contributes."""
        of_input = F.linear(x, self.weight_ih, self.bias_ih)
        return of_input, F.linear(h, self.weight_hh, self.bias_hh)

    def _parts(self, z: Any) -> list[Tensor]:
        """Cut the last axis into one part for each gate."""
        n = self.hidden_size
        return [z[..., k * n : (k + 1) * n] for k in range(self.gates)]

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else ", bias=False")


class RNNCell(_Cell):
    """One step of :class:`RNN`: ``h ← tanh(W_ih x + b_ih + W_hh h + b_hh)``.

    Parameters
    ----------
    input_size, hidden_size : int
    bias : bool
        Whether there are biases.
    nonlinearity : {"tanh", "relu"}

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.RNNCell(3, 5)(tg.rand(4, 3)).shape
    (4, 5)
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh"
    ) -> None:
        super().__init__(input_size, hidden_size, bias)
        self.nonlinearity = checked_nonlinearity("RNNCell", nonlinearity)

    def forward(self, x: Any, hx: Any = None) -> Tensor:
        (h,) = self._checked(x, [hx])
        of_input, of_state = self._mapped(x, h)
        activation: Any = F.tanh if self.nonlinearity == "tanh" else F.relu
        return activation(of_input + of_state)  # type: ignore[no-any-return]


class GRUCell(_Cell):
    """One step of :class:`GRU`; the rows of the weights are those of r, z and n.

    Parameters
    ----------
    input_size, hidden_size : int
    bias : bool
        Whether there are biases.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.GRUCell(3, 5)(tg.rand(4, 3)).shape
    (4, 5)
    """

    gates = 3

    def forward(self, x: Any, hx: Any = None) -> Tensor:
        (h,) = self._checked(x, [hx])
        of_input, of_state = self._mapped(x, h)
        (xr, xz, xn), (hr, hz, hn) = self._parts(of_input), self._parts(of_state)
        r, z = F.sigmoid(xr + hr), F.sigmoid(xz + hz)
        n = F.tanh(xn + r * hn)
        return (1 - z) * n + z * h  # type: ignore[no-any-return]


class LSTMCell(_Cell):
    """One step of :class:`LSTM`; the rows of the weights are those of i, f, n and o.

    Parameters
    ----------
    input_size, hidden_size : int
    bias : bool
        Whether there are biases.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> h, c = nn.LSTMCell(3, 5)(tg.rand(4, 3))
    >>> h.shape, c.shape
    ((4, 5), (4, 5))
    """

    gates = 4

    def forward(self, x: Any, hx: Any = None) -> tuple[Tensor, Tensor]:
        h, c = self._checked(x, [None, None] if hx is None else list(hx))
        of_input, of_state = self._mapped(x, h)
        i, f, n, o = self._parts(of_input + of_state)
        c = F.sigmoid(f) * c + F.sigmoid(i) * F.tanh(n)
        return F.sigmoid(o) * F.tanh(c), c
