"""Samples and references of what layers are made of: norms, attention, recurrence, tables."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from op_samples import PAIRS, samples, values

from tinygraph.check import Sample
from tinygraph.core.registry import REGISTRY

Array = np.ndarray

# ---- normalization -------------------------------------------------------------------------------


def _axes(x: Array, axis: Any) -> tuple[int, ...]:
    axis = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return tuple(a % x.ndim for a in axis)


def _rows(x: Array, axis: Any) -> tuple[Array, Any]:
    """Return x with the axes of the mean flattened at the end, and the way back."""
    axes = _axes(x, axis)
    rest = [a for a in range(x.ndim) if a not in axes]
    moved = x.transpose(*rest, *axes)
    back = np.argsort([*rest, *axes])
    flat = moved.reshape(*[x.shape[a] for a in rest], math.prod(x.shape[a] for a in axes))
    return flat, lambda y: y.reshape(moved.shape).transpose(back)


def _spread(row: list[float], eps: float, center: bool) -> tuple[float, float]:
    m = math.fsum(row) / len(row) if center and row else 0.0
    return m, math.sqrt(math.fsum((v - m) ** 2 for v in row) / max(len(row), 1) + eps)


def _normalized(x: Array, axis: Any = -1, eps: float = 1e-5, center: bool = True) -> Array:
    """Normalize row by row in plain Python, with exact sums."""
    flat, back = _rows(x, axis)
    y = np.zeros(flat.shape)
    for place in np.ndindex(flat.shape[:-1]):
        m, s = _spread(flat[place].tolist(), eps, center)
        y[place] = (flat[place] - m) / s
    return back(y)


def _inverse(x: Array, axis: Any = -1, eps: float = 1e-5, center: bool = True) -> Array:
    flat, _ = _rows(x, axis)
    axes = _axes(x, axis)
    y = np.zeros(flat.shape[:-1])
    for place in np.ndindex(y.shape):
        y[place] = 1 / _spread(flat[place].tolist(), eps, center)[1]
    return y.reshape([1 if a in axes else n for a, n in enumerate(x.shape)])


IMAGE = values("image", (2, 2, 2, 3))
CONSTANT = np.full((2, 3), 0.7)
NORMS = [
    Sample("vector", (values("nv", (4,)),)),
    Sample("rows", (values("nr", (3, 4)),), {"eps": 0.01}),
    Sample("columns", (values("nc", (3, 4)),), {"axis": 0}),
    Sample("several axes", (IMAGE,), {"axis": (0, 2, -1)}),
    Sample("all axes", (values("na", (2, 3)),), {"axis": None}),
    Sample("no mean", (values("nm", (3, 4)),), {"center": False}),
    Sample("eps 0", (values("ne", (2, 4)),), {"eps": 0.0}),
    Sample("one element", (values("n1", (3, 1)),), {"eps": 0.5}),
    Sample("empty batch", (np.zeros((0, 3)),)),
]
# A constant row: y = 0, and the gradient (g − mean g) / √eps of ones is 0.
samples(
    "normalize",
    _normalized,
    *NORMS,
    Sample("constant", (CONSTANT,), gradients=(np.zeros((2, 3)),)),
)


def _slope(g: Array, x: Array, axis: Any = -1, eps: float = 1e-5, center: bool = True) -> Array:
    axes = _axes(x, axis)
    y = _normalized(x, axis, eps, center)
    inner = g - y * np.mean(g * y, axis=axes, keepdims=True) if g.size else g
    if center and g.size:
        inner = inner - np.mean(g, axis=axes, keepdims=True)
    return inner * _inverse(x, axis, eps, center)


samples(
    "normalize_slope",
    _slope,
    *[
        Sample(s.name, (values(f"slope {s.name}", np.shape(s.inputs[0])), *s.inputs), s.attrs)
        for s in NORMS
    ],
)
samples(
    "inverse_std",
    _inverse,
    *NORMS,
    Sample("constant", (CONSTANT,), gradients=(np.zeros((2, 3)),)),
)
TRIPLES = {k: (a, b) for k, (a, b) in PAIRS.items() if k != "0-d broadcasts"}
samples(
    "scale_shift",
    lambda x, scale, shift: np.array(x) * scale + shift,
    *[
        Sample(k, (values(k + "x", a), values(k + "s", b), values(k + "t", b)))
        for k, (a, b) in TRIPLES.items()
    ],
)


def _layer(x: Array, shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Array:
    lengths = (shape,) if isinstance(shape, int) else shape
    y = _normalized(x, tuple(range(-len(lengths), 0)), eps)
    return y * (1 if weight is None else weight) + (0 if bias is None else bias)


def _rms(x: Array, shape: Any, weight: Any = None, eps: float | None = None) -> Array:
    lengths = (shape,) if isinstance(shape, int) else shape
    small = np.finfo(np.float64).eps if eps is None else eps
    y = _normalized(x, tuple(range(-len(lengths), 0)), small, center=False)
    return y * (1 if weight is None else weight)


def _channel(v: Any, x: Array) -> Any:
    return v if v is None else np.reshape(v, (-1, *(1,) * (x.ndim - 2)))


def _grouped(
    x: Array, groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Array:
    parts = [_normalized(p, tuple(range(1, x.ndim)), eps) for p in np.split(x, groups, axis=1)]
    y = np.concatenate(parts, axis=1)
    y = y if weight is None else y * _channel(weight, x)
    return y if bias is None else y + _channel(bias, x)


def _by_statistics(first: int) -> Any:
    def reference(
        x: Array, mean: Any = None, var: Any = None, weight: Any = None, bias: Any = None,
        own: bool | None = None, momentum: float = 0.1, eps: float = 1e-5, **named: Any,
    ) -> Array:  # fmt: skip
        own = named.get("training", named.get("use_input_stats", first == 2))
        if own:
            y = _normalized(x, tuple(a for a in range(x.ndim) if a != 1 and a >= first), eps)
        else:
            y = (x - _channel(mean, x)) / np.sqrt(_channel(var, x) + eps)
        y = y if weight is None else y * _channel(weight, x)
        return y if bias is None else y + _channel(bias, x)

    return reference


def _by_channel(v: Any, x: Array) -> Any:
    v = np.sum(v, axis=0) if np.ndim(v) == 2 else v
    return v.reshape(-1, *(1,) * (x.ndim - 2)) if np.ndim(v) else v


def _moments(x: Array) -> Array:
    flat = [x.take(c, axis=1).ravel().tolist() for c in range(x.shape[1])]
    means = [math.fsum(row) / max(len(row), 1) for row in flat]
    squares = [math.fsum((v - m) ** 2 for v in row) for row, m in zip(flat, means, strict=True)]
    variances = [s / max(len(row), 1) for s, row in zip(squares, flat, strict=True)]
    return np.array([means, [0.0] * len(means), variances])


CHANNELS = {"rows": (3, 2), "lines": (2, 2, 3), "image": (2, 2, 2, 3), "one": (1, 2, 1)}
samples(
    "channel_moments",
    _moments,
    *[Sample(k, (values("cm" + k, s),)) for k, s in CHANNELS.items()],
    Sample("constant", (CONSTANT,)),
    Sample("empty batch", (np.zeros((0, 2, 3)),)),
)
C2, S2, T2 = (values(k, (2,), 0.2, 2.0) for k in ("c2", "s2", "t2"))
samples(
    "channel_affine",
    lambda x, c, s, t: (x - _by_channel(c, x)) * _by_channel(s, x) + _by_channel(t, x),
    *[Sample(k, (values("ca" + k, s), C2, S2, T2)) for k, s in CHANNELS.items()],
    Sample("scale only", (IMAGE, 0.0, S2, 0.0)),
    Sample("numbers", (IMAGE, 0.5, 2.0, 1.5)),
    Sample("a rounded mean", (IMAGE, values("c22", (2, 2)), S2, T2)),
    Sample("empty batch", (np.zeros((0, 2, 3)), C2, S2, T2)),
)


class WithMoments(Sample):
    """A call on x, weight and bias that hands over the moments of x too."""

    def call(self, record: Any, inputs: Any) -> Any:
        x, *rest = inputs
        moments = REGISTRY["channel_moments"](x)
        return record(x, moments, *rest, **self.attrs)


def _normalized_by_channel(x: Array, _: Any, w: Any, b: Any, eps: float = 1e-5) -> Array:
    axes = tuple(a for a in range(x.ndim) if a != 1)
    return _normalized(x, axes, eps) * _by_channel(w, x) + _by_channel(b, x)


samples(
    "channel_normalize",
    _normalized_by_channel,
    *[
        WithMoments(k, (values("cn" + k, s), S2, T2), {"eps": 0.01})
        for k, s in CHANNELS.items()
        if k != "one"
    ],
    WithMoments("numbers", (IMAGE, 2.0, 0.5)),
    WithMoments("empty batch", (np.zeros((0, 2, 3)), S2, T2)),
)


def _summed(a: Array, x: Array) -> Array:
    return np.moveaxis(a, 1, 0).reshape(x.shape[1], -1).sum(1)


samples(
    "channel_sums",
    lambda a, b, c: np.array([_summed(a, b), _summed(a * (b - _by_channel(c, b)), b)]),
    *[Sample(k, (values("da" + k, s), values("db" + k, s), C2)) for k, s in CHANNELS.items()],
    Sample("no center", (IMAGE, IMAGE[::-1].copy(), 0.0)),
    Sample("empty batch", (np.zeros((0, 2, 3)), np.zeros((0, 2, 3)), C2)),
)
samples(
    "channel_mix",
    lambda a, b, c, s, t, d: (
        a * _by_channel(s, a) + (b - _by_channel(c, b)) * _by_channel(t, b) + _by_channel(d, b)
    ),
    *[
        Sample(k, (values("ma" + k, s), values("mb" + k, s), C2, S2, T2, C2 - 1))
        for k, s in CHANNELS.items()
    ],
    Sample("numbers", (IMAGE, IMAGE[::-1].copy(), 0.0, 2.0, 3.0, 0.5)),
    Sample("empty batch", (np.zeros((0, 2, 3)), np.zeros((0, 2, 3)), C2, S2, T2, C2)),
)
W2, B2, M2, V2 = (values(k, (2,), 0.2, 2.0) for k in ("w2", "b2", "m2", "v2"))
ROWS3 = values("rows3", (3, 4))
samples(
    "layer_norm",
    _layer,
    Sample("plain", (ROWS3, 4)),
    Sample("weight and bias", (ROWS3, (4,), values("lw", (4,)), values("lb", (4,)))),
    Sample("weight", (ROWS3, 4, values("lw", (4,)))),
    Sample("two axes", (IMAGE, (2, 3), values("l2", (2, 3)), values("l3", (2, 3)))),
    Sample("empty batch", (np.zeros((0, 4)), 4, values("lw", (4,)), values("lb", (4,)))),
)
samples(
    "rms_norm",
    _rms,
    Sample("plain", (ROWS3, 4), {"eps": 0.01}),
    Sample("weight", (ROWS3, (4,), values("lw", (4,))), {"eps": 0.01}),
    Sample("two axes", (IMAGE, (2, 3)), {"eps": 0.01}),
)
samples(
    "group_norm",
    _grouped,
    Sample("rows", (values("g4", (2, 4)), 2), {"eps": 0.1}),
    Sample("one group", (IMAGE, 1, W2, B2)),
    Sample("each channel", (IMAGE, 2, W2)),
    Sample("empty batch", (np.zeros((0, 2, 3)), 2, W2, B2)),
)
samples(
    "batch_norm",
    _by_statistics(0),
    Sample("training", (IMAGE, None, None, W2, B2), {"training": True}),
    Sample("training, rows", (values("bn", (4, 2)), None, None), {"training": True}),
    Sample("evaluation", (IMAGE, M2, V2, W2, B2), {"eps": 0.01}),
    Sample("evaluation, rows", (values("bn", (4, 2)), M2, V2)),
    Sample("empty batch", (np.zeros((0, 2)), None, None, W2, B2), {"training": True}),
)
samples(
    "instance_norm",
    _by_statistics(2),
    Sample("plain", (IMAGE,)),
    Sample("weight and bias", (IMAGE, None, None, W2, B2)),
    Sample("evaluation", (IMAGE, M2, V2, W2, B2), {"use_input_stats": False}),
)

# ---- attention -----------------------------------------------------------------------------------

INF = math.inf


def _weights(scores: Array) -> Array:
    """Softmax row by row; nothing for −inf."""
    y = np.zeros(scores.shape)
    for place in np.ndindex(scores.shape[:-1]):
        row = [math.exp(s) for s in scores[place].tolist()]
        y[place] = [r / math.fsum(row) if math.fsum(row) else 0.0 for r in row]
    return y


samples(
    "masked_softmax",
    _weights,
    Sample("vector", (values("ms", (3,)),)),
    Sample("batch", (values("mt", (2, 2, 3)),)),
    Sample("empty batch", (np.zeros((0, 3)),)),
    Sample("no keys", (np.zeros((2, 0)),)),
    Sample(
        "closed row", (np.array([[-INF] * 3, [-INF, 0.0, 0.0]]),), gradients=(np.zeros((2, 3)),)
    ),
)
OPEN = np.array([[True, False, True], [False, False, False]])


def _attended(
    q: Array, k: Array, v: Array, attn_mask: Any = None, dropout_p: float = 0.0,
    is_causal: bool = False, scale: float | None = None,
) -> Array:  # fmt: skip
    scores = np.einsum("...le,...se->...ls", q, k) * (
        q.shape[-1] ** -0.5 if scale is None else scale
    )
    if attn_mask is not None:
        opened = np.where(attn_mask, scores, -INF)
        scores = opened if attn_mask.dtype == bool else scores + attn_mask
    if is_causal:
        later = np.arange(k.shape[-2]) > np.arange(q.shape[-2])[:, None]
        scores = np.where(later, -INF, scores)
    return np.einsum("...ls,...sd->...ld", _weights(scores), v)


Q, K, V = values("q", (2, 2)), values("k", (3, 2)), values("v", (3, 2))
samples(
    "scaled_dot_product_attention",
    _attended,
    Sample("plain", (Q, K, V)),
    Sample("boolean mask, one row closed", (Q, K, V), {"attn_mask": OPEN}),
    Sample("added mask", (Q, K, V), {"attn_mask": values("mask", (2, 3))}),
    Sample("causal", (K, K[:, ::-1].copy(), V), {"is_causal": True}),
    Sample("heads", (values("q4", (2, 1, 2, 2)), values("k4", (2, 1, 3, 2)), V), {"scale": 0.3}),
    Sample("empty batch", (np.zeros((0, 2, 2)), np.zeros((0, 3, 2)), np.zeros((0, 3, 1)))),
)

# ---- tables --------------------------------------------------------------------------------------

TABLE = values("table", (4, 2))
samples(
    "embedding",
    lambda indices, weight, padding_idx=None: np.array(
        [weight[i] for i in indices.ravel()]
    ).reshape(*indices.shape, weight.shape[1]),
    Sample("vector", (np.array([3, 0, 0]), TABLE)),
    Sample("matrix", (np.array([[1, 2], [2, 2]]), TABLE)),
    Sample("0-d", (np.array(2), TABLE)),
    Sample("empty", (np.zeros((0, 2), int), TABLE)),
    Sample(
        "padding", (np.array([3, 0, 0]), TABLE), {"padding_idx": 0},
        gradients=(np.array([[0.0, 0], [0, 0], [0, 0], [1, 1]]),),
    ),
)  # fmt: skip

# ---- recurrence ----------------------------------------------------------------------------------


def _sigma(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def _rnn(x: Array, h: Array, w: Array, nonlinearity: str = "tanh") -> Array:
    found = []
    for step in x:
        z = step + np.einsum("nh,gh->ng", h, w)
        h = np.where(z > 0, z, 0) if nonlinearity == "relu" else 2 * _sigma(2 * z) - 1
        found.append(h)
    return np.array(found)


def _gru(x: Array, h: Array, w: Array, b: Array) -> Array:
    found = []
    for step in x:
        xr, xz, xn = np.split(step, 3, -1)
        hr, hz, hn = np.split(np.einsum("nh,gh->ng", h, w) + b, 3, -1)
        z, n = _sigma(xz + hz), np.tanh(xn + _sigma(xr + hr) * hn)
        h = (1 - z) * n + z * h
        found.append(h)
    return np.array(found)


def _lstm(x: Array, h: Array, c: Array, w: Array) -> Array:
    found = []
    for step in x:
        i, f, n, o = np.split(step + np.einsum("nh,gh->ng", h, w), 4, -1)
        c = _sigma(f) * c + _sigma(i) * np.tanh(n)
        h = _sigma(o) * np.tanh(c)
        found.append([h, c])
    return np.array(found).swapaxes(0, 1)


STEPS = {"three steps": (3, 2), "one step": (1, 2), "empty batch": (2, 0)}
SIZE = 2


def _inputs(label: str, gates: int, steps: tuple[int, int], states: int) -> tuple[Array, ...]:
    t, n = steps
    x = np.stack([values(f"{label}x{k}", (n, gates * SIZE)) for k in range(t)])
    h = [values(f"{label}h{k}", (n, SIZE)) for k in range(states)]
    return (x, *h, values(label + "w", (gates * SIZE, SIZE), -1, 1))


samples(
    "rnn_sequence",
    _rnn,
    *[Sample(k, _inputs("rnn" + k, 1, s, 1)) for k, s in STEPS.items()],
    Sample(  # units that are off would hide faults behind them: all are on
        "relu",
        tuple(np.abs(v) for v in _inputs("relu1", 1, (3, 2), 1)),
        {"nonlinearity": "relu"},
    ),
)
samples(
    "gru_sequence",
    _gru,
    *[Sample(k, (*_inputs("gru" + k, 3, s, 1), values("grub", (6,)))) for k, s in STEPS.items()],
)
samples(
    "lstm_sequence",
    _lstm,
    *[Sample(k, _inputs("lstm" + k, 4, s, 2)) for k, s in STEPS.items()],
)

# ---- running statistics write to memory: tests/nn/test_norm.py -----------------------------------

samples(
    "running_update",
    None,
    Sample("plain", (np.zeros(2), np.ones(2), np.ones(2), np.ones(2), 0.1), {"correction": 1.5}),
)
samples("count_update", None, Sample("plain", (np.array(0),)))
