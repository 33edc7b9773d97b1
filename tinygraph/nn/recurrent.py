"""Recurrent networks: RNN, GRU and LSTM over sequences, in layers and both directions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.errors import ShapeError, UsageError, compose_message, describe
from ..core.modes import get_default_dtype, module_path
from ..core.tensor import Tensor
from ..ops.creation import zeros
from ..ops.joining import concatenate, stack
from ..ops.recurrent import gru_sequence, lstm_sequence, rnn_sequence
from . import functional as F
from . import init
from .checks import check_dtype, check_features, checked_flag, checked_probability, checked_size
from .module import Module
from .parameter import Parameter


class _Recurrent(Module):
    """What the three share: parameters by layer and direction, shapes, the order of layers.

    Layer k reads what layer k − 1 put out; with two directions, the outputs of both joined.
    """

    gates = 1
    states = 1
    weight_ih_l0: Parameter

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True,
        batch_first: bool = True, dropout: float = 0.0, bidirectional: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        who = type(self).__name__
        self.input_size = checked_size(who, "input_size", input_size)
        self.hidden_size = checked_size(who, "hidden_size", hidden_size)
        self.num_layers = checked_size(who, "num_layers", num_layers)
        self.bias = checked_flag(who, "bias", bias)
        self.batch_first = checked_flag(who, "batch_first", batch_first)
        self.dropout = checked_probability(who, "dropout", dropout)
        self.bidirectional = checked_flag(who, "bidirectional", bidirectional)
        self.directions = ("", "_reverse") if bidirectional else ("",)
        dtype, rows = get_default_dtype(), self.gates * self.hidden_size
        for layer in range(self.num_layers):
            width = self.hidden_size * len(self.directions) if layer else self.input_size
            for suffix in self.directions:
                shapes: dict[str, tuple[int, ...]] = {
                    "weight_ih": (rows, width),
                    "weight_hh": (rows, self.hidden_size),
                }
                if self.bias:
                    shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
                for name, shape in shapes.items():
                    setattr(self, f"{name}_l{layer}{suffix}", Parameter(np.empty(shape, dtype)))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters from U(−1/√hidden_size, 1/√hidden_size), as PyTorch does."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self._parameters.values():
            init.uniform_(parameter, -bound, bound)

    def _sequence(self, x: Any, states: list[Any], name: str) -> list[Any]:
        """Run one layer in one direction; return its states after every step, (T, N, H) each.

        ``name`` ends the parameters' names: ``l0``, ``l0_reverse``.
        """
        raise NotImplementedError

    def _mapped_input(self, x: Any, name: str, with_hidden_bias: bool = True) -> Tensor:
        """Return ``x W_ihᵀ + b_ih (+ b_hh)`` for all steps at once."""
        bias = None
        if self.bias:
            bias = getattr(self, f"bias_ih_{name}")
            bias = bias + getattr(self, f"bias_hh_{name}") if with_hidden_bias else bias
        return F.linear(x, getattr(self, f"weight_ih_{name}"), bias)

    def _run(self, x: Any, given: list[Any] | None) -> tuple[Tensor, list[Tensor]]:
        """Return the outputs of the last layer, and each state after the last step."""
        check_features(self, x, self.input_size, self.weight_ih_l0)
        steps = 0 if x.ndim < 3 or not self.batch_first else 1
        if x.ndim not in (2, 3) or x.shape[steps] == 0:
            order = f"(N, T, {self.input_size})"
            order = order if self.batch_first else f"(T, N, {self.input_size})"
            raise self._misfit(f"wants sequences {order} with T > 0", x, "x[None] for one step")
        unbatched = x.ndim == 2
        x = x[:, None] if unbatched else x.swapaxes(0, 1) if self.batch_first else x
        count = self.num_layers * len(self.directions)
        initial = self._initial(given, (count, x.shape[1], self.hidden_size), unbatched)
        last: list[list[Any]] = [[] for _ in range(self.states)]
        for layer in range(self.num_layers):
            x = F.dropout(x, self.dropout, self.training) if layer else x
            outputs = []
            for d, suffix in enumerate(self.directions):
                i = layer * len(self.directions) + d
                turned = x[::-1] if suffix else x
                found = self._sequence(turned, [s[i] for s in initial], f"l{layer}{suffix}")
                for collected, state in zip(last, found, strict=True):
                    collected.append(state[-1])
                outputs.append(found[0][::-1] if suffix else found[0])
            x = concatenate(outputs, axis=-1) if len(outputs) > 1 else outputs[0]
        finals = [stack(s) for s in last]
        if unbatched:
            return x[:, 0], [s[:, 0] for s in finals]
        return (x.swapaxes(0, 1) if self.batch_first else x), finals

    def _initial(self, given: list[Any] | None, shape: Any, unbatched: bool) -> list[Any]:
        """Return the states before the first step, checked, or zeros."""
        if given is None:
            return [zeros(shape, dtype=self.weight_ih_l0.dtype)] * self.states
        wanted = (shape[0], shape[2]) if unbatched else shape
        for state in given:
            if getattr(state, "shape", None) != wanted:
                what = f"wants states of shape {wanted}: layers · directions, batch, hidden_size"
                raise self._misfit(what, state, "drop it to start from zeros")
            check_dtype(self, state, self.weight_ih_l0)
        return [s[:, None] for s in given] if unbatched else given

    def _misfit(self, what: str, given: Any, fix: str) -> ShapeError:
        who = type(self).__name__
        return ShapeError(compose_message(f"{who} {what}", describe(given), fix, module_path()))

    def extra_repr(self) -> str:
        shown = [str(self.input_size), str(self.hidden_size)]
        defaults = {"num_layers": 1, "bias": True, "batch_first": True, "dropout": 0.0,
                    "bidirectional": False}  # fmt: skip
        shown += [f"{k}={getattr(self, k)}" for k, v in defaults.items() if getattr(self, k) != v]
        return ", ".join(shown)


class RNN(_Recurrent):
    """A plain recurrent network: ``h ← tanh(W_ih x + b_ih + W_hh h + b_hh)`` at each step.

    Parameters
    ----------
    input_size : int
        Length of each element of the sequence.
    hidden_size : int
        Length of the state h.
    num_layers : int
        Each further layer reads the outputs of the one before.
    nonlinearity : {"tanh", "relu"}
    bias : bool
        Whether there are biases.
    batch_first : bool
        Sequences are (N, T, input_size), our default, or (T, N, input_size) if False.
    dropout : float
        Probability to drop outputs between layers, in training.
    bidirectional : bool
        A second network reads the sequence backwards; the outputs are joined.

    Attributes
    ----------
    weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, weight_ih_l0_reverse, … : Parameter
        Names, shapes and order of PyTorch, drawn from U(−1/√H, 1/√H).

    Raises
    ------
    ShapeError, DtypeError
        If input or states do not fit; the message names the module's path.

    Notes
    -----
    Called with x and optionally the first states (layers · directions, N, H); returns the
    outputs (N, T, directions · H) and the last states. A sequence without a batch, (T, input
    size), is taken too. Source: Elman 1990, Finding structure in time.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> outputs, h = nn.RNN(3, 5)(tg.rand(4, 7, 3))
    >>> outputs.shape, h.shape
    ((4, 7, 5), (1, 4, 5))
    """

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, nonlinearity: str = "tanh",
        bias: bool = True, batch_first: bool = True, dropout: float = 0.0,
        bidirectional: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional
        )
        self.nonlinearity = checked_nonlinearity("RNN", nonlinearity)

    def forward(self, x: Any, hx: Any = None) -> tuple[Tensor, Tensor]:
        outputs, states = self._run(x, None if hx is None else [hx])
        return outputs, states[0]

    def _sequence(self, x: Any, states: list[Any], name: str) -> list[Any]:
        weight = getattr(self, f"weight_hh_{name}")
        mapped = self._mapped_input(x, name)
        return [rnn_sequence(mapped, states[0], weight, nonlinearity=self.nonlinearity)]


def checked_nonlinearity(who: str, value: Any) -> str:
    """Return ``value`` if it is "tanh" or "relu"."""
    if not isinstance(value, str) or value not in ("tanh", "relu"):
        raise UsageError(f"{who}: nonlinearity is 'tanh' or 'relu', received {value!r}.")
    return value


class GRU(_Recurrent):
    """A gated recurrent unit: a gate z between the old state and the new content n.

    ``r, z = σ(W x + b + U h + d)``, ``n = tanh(W_n x + b_n + r (U_n h + d_n))``,
    ``h ← (1 − z) n + z h``.

    Parameters are those of :class:`RNN`, without ``nonlinearity``; the rows of the weights
    are those of r, z and n, in this order.

    Notes
    -----
    Source: Cho et al. 2014, with the reset gate after the product, as in PyTorch.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> outputs, h = nn.GRU(3, 5, num_layers=2)(tg.rand(4, 7, 3))
    >>> outputs.shape, h.shape
    ((4, 7, 5), (2, 4, 5))
    """

    gates = 3

    def forward(self, x: Any, hx: Any = None) -> tuple[Tensor, Tensor]:
        outputs, states = self._run(x, None if hx is None else [hx])
        return outputs, states[0]

    def _sequence(self, x: Any, states: list[Any], name: str) -> list[Any]:
        weight = getattr(self, f"weight_hh_{name}")
        bias = zeros(weight.shape[0], dtype=weight.dtype)
        bias = getattr(self, f"bias_hh_{name}") if self.bias else bias
        mapped = self._mapped_input(x, name, with_hidden_bias=False)
        return [gru_sequence(mapped, states[0], weight, bias)]


class LSTM(_Recurrent):
    """Long short-term memory: a cell c that gates write to, forget from and read out.

    ``i, f, o = σ(W x + b + U h + d)``, ``n = tanh(the same)``, ``c ← f c + i n``,
    ``h ← o tanh(c)``.

    Parameters are those of :class:`RNN`, without ``nonlinearity``; the rows of the weights
    are those of i, f, n and o, in this order (n is PyTorch's g).

    Notes
    -----
    Called with x and optionally the pair of first states (h, c); returns the outputs and the
    pair of last states. Source: Hochreiter and Schmidhuber 1997; Gers et al. 2000.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> outputs, (h, c) = nn.LSTM(3, 5, bidirectional=True)(tg.rand(4, 7, 3))
    >>> outputs.shape, h.shape, c.shape
    ((4, 7, 10), (2, 4, 5), (2, 4, 5))
    """

    gates = 4
    states = 2

    def forward(self, x: Any, hx: Any = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        if hx is not None and not (isinstance(hx, tuple | list) and len(hx) == 2):
            raise self._misfit("wants the pair of states (h, c)", hx, "lstm(x, (h, c))")
        outputs, (h, c) = self._run(x, None if hx is None else list(hx))
        return outputs, (h, c)

    def _sequence(self, x: Any, states: list[Any], name: str) -> list[Any]:
        mapped = self._mapped_input(x, name)
        found = lstm_sequence(mapped, *states, getattr(self, f"weight_hh_{name}"))
        return [found[0], found[1]]
