"""Recurrent layers over whole sequences: one op each, in place of some ten nodes a step.

The input has been multiplied by its weights already, for all steps at once; the ops add what
the state before contributes. Their VJPs work out all local derivatives at once, since the
states are known, and go back in time only for the upstream gradient. The cells of
`tinygraph.nn.recurrent` are the same formulas step by step, as compositions.

Shapes: steps T, batch N, hidden H; the time axis comes first.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import ShapeError, UsageError, compose_message, describe_all
from ..core.modes import module_path
from ..core.op import op
from ..core.storage import Array
from .activation import positive, sigmoid
from .elementwise import tanh
from .joining import concatenate, stack
from .linalg import matmul
from .reduce import sum
from .shape import expand_dims, matrix_transpose, reshape

Triple = tuple[Any, ...]
GATES = {"rnn_sequence": 1, "gru_sequence": 3, "lstm_sequence": 4}


def _check_shapes(who: str, x: Any, weight: Any, *states: Any, bias: Any = None) -> dict[str, Any]:
    size, rows = weight.shape[-1] if weight.ndim == 2 else -1, GATES[who]
    fits = x.ndim == 3 and x.shape[0] > 0 and weight.shape == (rows * size, size)
    fits = fits and x.shape[2] == rows * size
    fits = fits and all(s.shape == (x.shape[1], size) for s in states)
    if not fits or not (bias is None or bias.shape == (rows * size,)):
        given = [v for v in (x, *states, weight, bias) if v is not None]
        raise ShapeError(
            compose_message(
                f"{who}: x (T, N, {rows}·H) with T > 0, states (N, H), weight ({rows}·H, H) "
                f"and bias ({rows}·H,) must fit together",
                describe_all(given),
                "the axes are time, batch, features",
                module_path(),
            )
        )
    return {}


def _before(states: Any, first: Any) -> Any:
    """Return the state before each step."""
    return concatenate([expand_dims(first, axis=0), states[:-1]])


def _weight_gradient(dz: Any, before: Any) -> Any:
    """Sum the outer products over time and batch."""
    rows, columns = dz.shape[-1], before.shape[-1]
    count = dz.shape[0] * dz.shape[1]
    flat = reshape(dz, shape=(count, rows)), reshape(before, shape=(count, columns))
    return matmul(matrix_transpose(flat[0]), flat[1])


def _back_in_time(dz: list[Any]) -> Any:
    """Stack what was collected from the last step to the first."""
    return stack(dz[::-1])


# ---- RNN: h = σ(x + h W) ----------------------------------------------------------------------


def _rnn(x: Array, h0: Array, weight: Array, *, nonlinearity: str = "tanh") -> Array:
    y = np.empty((*x.shape[:2], weight.shape[1]), x.dtype)
    h = h0
    for t in range(len(x)):
        z = x[t] + h @ weight.T
        h = y[t] = np.tanh(z) if nonlinearity == "tanh" else np.maximum(z, 0)
    return y


def _rnn_vjp(
    g: Any, y: Any, x: Any, h0: Any, weight: Any, *, needs: tuple[bool, ...], nonlinearity: str
) -> Triple:
    slope = 1 - y * y if nonlinearity == "tanh" else positive(y)
    dh, found = g[-1], []
    for t in reversed(range(x.shape[0])):
        found.append(dh * slope[t])
        before = matmul(found[-1], weight)
        dh = before + g[t - 1] if t else before
    dz = _back_in_time(found)
    return dz, dh, _weight_gradient(dz, _before(y, h0)) if needs[2] else None


def _check_rnn(x: Any, h0: Any, weight: Any, *, nonlinearity: Any) -> dict[str, Any]:
    if nonlinearity not in ("tanh", "relu"):
        raise UsageError(f"RNN: nonlinearity is 'tanh' or 'relu', received {nonlinearity!r}.")
    return {**_check_shapes("rnn_sequence", x, weight, h0), "nonlinearity": nonlinearity}


rnn_sequence = op(
    "rnn_sequence", _rnn, kind="matmul", label="RNN", formula="h ← σ(x[t] + h Wᵀ)",
    local=["back through time"] * 3, vjps=_rnn_vjp, saves="y h0 weight", prepare=_check_rnn,
    doc="Run a plain recurrent layer over a sequence.\n\nThe result holds h after every step, "
    "shape (T, N, H).",
)  # fmt: skip

# ---- GRU: h = (1 − z) n + z h ------------------------------------------------------------------


def _gates(x: Any, before: Any, size: int) -> Triple:
    """Return r, z and n of a GRU, from the parts of the input and of the state before."""
    r = sigmoid(x[..., :size] + before[..., :size])
    z = sigmoid(x[..., size : 2 * size] + before[..., size : 2 * size])
    return r, z, tanh(x[..., 2 * size :] + r * before[..., 2 * size :])


def _gru(x: Array, h0: Array, weight: Array, bias: Array) -> Array:
    size = weight.shape[1]
    y = np.empty((*x.shape[:2], size), x.dtype)
    h = h0
    for t in range(len(x)):
        _, z, n = _gates(x[t], h @ weight.T + bias, size)
        h = y[t] = n + z * (h - n)
    return y


def _gru_vjp(
    g: Any, y: Any, x: Any, h0: Any, weight: Any, bias: Any, *, needs: tuple[bool, ...]
) -> Triple:
    size = weight.shape[1]
    before = _before(y, h0)
    a = matmul(before, matrix_transpose(weight)) + bias
    r, z, n = _gates(x, a, size)
    dn = (1 - z) * (1 - n * n)  # the derivatives of h by what goes into n, r and z
    dr = dn * a[..., 2 * size :] * (r * (1 - r))
    dz = (before - n) * (z * (1 - z))
    by_x = concatenate([dr, dz, dn], axis=-1)
    by_a = concatenate([dr, dz, dn * r], axis=-1)

    dh, found = g[-1], []
    for t in reversed(range(x.shape[0])):
        found.append(concatenate([dh, dh, dh], axis=-1))
        back = dh * z[t] + matmul(found[-1] * by_a[t], weight)
        dh = back + g[t - 1] if t else back
    upstream = _back_in_time(found)
    da = upstream * by_a
    dw = _weight_gradient(da, before) if needs[2] else None
    return upstream * by_x, dh, dw, sum(da, axis=(0, 1)) if needs[3] else None


gru_sequence = op(
    "gru_sequence", _gru, kind="matmul", label="GRU",
    formula="r, z = σ(x[t] + h Wᵀ + b); n = tanh(x[t] + r (h Wᵀ + b)); h ← (1 − z) n + z h",
    local=["back through time"] * 4, vjps=_gru_vjp, saves="y x h0 weight bias", quiet=True,
    prepare=lambda x, h0, weight, bias: _check_shapes("gru_sequence", x, weight, h0, bias=bias),
    doc="Run a gated recurrent unit (Cho et al. 2014) over a sequence.\n\nThe thirds of x, "
    "weight and bias belong to r, z and n. The result holds h after every step, (T, N, H).",
)  # fmt: skip

# ---- LSTM: c = f c + i n, h = o tanh(c) ----------------------------------------------------------


def _lstm_gates(z: Any, size: int) -> Triple:
    """Return the gates i, f, o and the new content n."""
    i, f = sigmoid(z[..., :size]), sigmoid(z[..., size : 2 * size])
    return i, f, sigmoid(z[..., 3 * size :]), tanh(z[..., 2 * size : 3 * size])


def _lstm(x: Array, h0: Array, c0: Array, weight: Array) -> Array:
    size = weight.shape[1]
    y = np.empty((2, *x.shape[:2], size), x.dtype)
    h, c = h0, c0
    for t in range(len(x)):
        i, f, o, n = _lstm_gates(x[t] + h @ weight.T, size)
        c = y[1, t] = f * c + i * n
        h = y[0, t] = o * np.tanh(c)
    return y


def _lstm_vjp(
    g: Any, y: Any, x: Any, h0: Any, c0: Any, weight: Any, *, needs: tuple[bool, ...]
) -> Triple:
    h_before, c_before = _before(y[0], h0), _before(y[1], c0)
    z = x + matmul(h_before, matrix_transpose(weight))
    i, f, o, n = _lstm_gates(z, weight.shape[1])
    bent = tanh(y[1])
    c_by_z = concatenate([n * (i * (1 - i)), c_before * (f * (1 - f)), i * (1 - n * n)], axis=-1)
    h_by_z = bent * (o * (1 - o))
    h_by_c = o * (1 - bent * bent)

    dh, dc, found = g[0][-1], g[1][-1], []
    for t in reversed(range(x.shape[0])):
        dc = dc + dh * h_by_c[t]
        step = concatenate([dc, dc, dc], axis=-1) * c_by_z[t]
        found.append(concatenate([step, dh * h_by_z[t]], axis=-1))
        dh, dc = matmul(found[-1], weight), dc * f[t]
        if t:
            dh, dc = dh + g[0][t - 1], dc + g[1][t - 1]
    dz = _back_in_time(found)
    return dz, dh, dc, _weight_gradient(dz, h_before) if needs[3] else None


lstm_sequence = op(
    "lstm_sequence", _lstm, kind="matmul", label="LSTM",
    formula="i, f, n, o = σ, σ, tanh, σ of (x[t] + h Wᵀ); c ← f c + i n; h ← o tanh(c)",
    local=["back through time"] * 4, vjps=_lstm_vjp, saves="y x h0 c0 weight", quiet=True,
    prepare=lambda x, h0, c0, weight: _check_shapes("lstm_sequence", x, weight, h0, c0),
    doc="Run a long short-term memory (Hochreiter and Schmidhuber 1997) over a sequence.\n\n"
    "The quarters of x and weight belong to i, f, n and o. The result holds h and c after "
    "every step, shape (2, T, N, H).",
)  # fmt: skip
