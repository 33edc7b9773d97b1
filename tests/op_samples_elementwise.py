"""Samples and references of the elementwise ops beyond the first fifty, and of the activations.

See `op_samples`; the references use plain Python's math, other identities, or case by case.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from op_samples import PAIRS, SAMPLES, SHAPES, ZERO, samples, values

import tinygraph as tg
from tinygraph.check import Sample

Span = tuple[float, float]
INF, NAN = np.inf, np.nan


def each(f: Callable[..., float]) -> Callable[..., Any]:
    """Return a scalar function of `math` for arrays."""
    return np.vectorize(f, otypes=[float])


def unary(name: str, reference: Callable[..., Any], low: float, high: float, **attrs: Any) -> None:
    """Enter an op of one operand, on all shapes."""
    given = {k: values(name + k, s, low, high) for k, s in SHAPES.items()}
    samples(name, reference, *[Sample(k, (x,), attrs) for k, x in given.items()])


def binary(name: str, reference: Callable[..., Any], first: Span, second: Span) -> None:
    """Enter an op of two operands, on all pairs of shapes, and with numbers on either side."""
    pairs = [
        Sample(k, (values(name + k, a, *first), values(name + k + "b", b, *second)))
        for k, (a, b) in PAIRS.items()
    ]
    right = Sample("number right", (values(name + "left", (2, 3), *first), 1.25))
    left = Sample("number left", (1.25, values(name + "number", (2, 3), *second)))
    samples(name, reference, *pairs, right, left)


def kink(name: str, why: str, inputs: Any, gradients: Any, **attrs: Any) -> None:
    """Add a point without a derivative, and the gradient that the convention asks for."""
    arrays = tuple(np.array(x, float) for x in inputs)
    wanted = tuple(np.array(g, float) for g in gradients)
    SAMPLES[name].append(Sample(why, arrays, attrs, gradients=wanted))


def more(name: str, why: str, *inputs: Any, **attrs: Any) -> None:
    SAMPLES[name].append(Sample(why, inputs, attrs))


# ---- exponentials and logarithms ---------------------------------------------------------------

unary("exp2", each(lambda x: math.pow(2, x)), -2, 2)
unary("expm1", each(math.expm1), -2, 2)
unary("log2", lambda x: np.log(x) / np.log(2), 0.3, 3)
unary("log10", lambda x: np.log(x) / np.log(10), 0.3, 3)
unary("log1p", lambda x: np.log(1 + x), -0.7, 2)
unary("rsqrt", lambda x: x**-0.5, 0.3, 3)
unary("reciprocal", lambda x: x**-1.0, 0.3, 3)
more("reciprocal", "negative", values("reciprocal negative", (3,), -3, -0.3))
for _name in ("log2", "log10"):
    kink(_name, "pole at 0", [ZERO], [ZERO + INF])
kink("log1p", "pole at -1", [ZERO - 1], [ZERO + INF])
for _name in ("rsqrt", "reciprocal"):
    kink(_name, "pole at 0", [ZERO], [ZERO - INF])


def logit(x: Any, eps: float | None = None) -> Any:
    x = x if eps is None else np.minimum(np.maximum(x, eps), 1 - eps)
    return np.log(x) - np.log(1 - x)


unary("logit_exact", logit, 0.02, 0.98)
kink("logit_exact", "poles", [[0, 1]], [[INF, INF]])
unary("logit", logit, 0.02, 0.98)
more("logit", "limited", values("logit limited", (2, 3), 0.02, 0.98), eps=0.3)
kink("logit", "at the limits", [[0.0, 0.25, 0.75, 1.0]], [[0, 16 / 3, 16 / 3, 0]], eps=0.25)

binary("logaddexp", lambda a, b: np.log(np.exp(a) + np.exp(b)), (-2, 2), (-2, 2))
more("logaddexp", "tie", np.array([0.5, -1.5]), np.array([0.5, -1.5]))
kink(
    "logaddexp",
    "infinities",
    [[-INF, -INF, 0, INF, INF], [0, -INF, -INF, 0, INF]],
    [[0, 0.5, 1, 1, 0.5], [1, 0.5, 0, 0, 0.5]],
)

binary(
    "xlogy", each(lambda a, b: a * math.log(b) if a and b else a and -a * INF), (-2, 2), (0.3, 3)
)
more("xlogy", "a is 0", 0.0, values("xlogy b", (3,), 0.3, 3))
kink("xlogy", "zeros", [[0, 0, 1], [0, 2, 0]], [[0, math.log(2), -INF], [0, 0, INF]])

# ---- trigonometry ------------------------------------------------------------------------------

unary("tan", each(math.tan), -1.3, 1.3)
unary("arcsin", each(math.asin), -0.95, 0.95)
unary("arccos", each(math.acos), -0.95, 0.95)
unary("arctan", each(math.atan), -2, 2)
unary("sinh", each(math.sinh), -2, 2)
unary("cosh", each(math.cosh), -2, 2)
unary("arcsinh", each(math.asinh), -2, 2)
unary("arccosh", each(math.acosh), 1.2, 4)
unary("arctanh", lambda x: 0.5 * (np.log(1 + x) - np.log(1 - x)), -0.95, 0.95)
kink("arcsin", "edges", [[-1, 1]], [[INF, INF]])
kink("arccos", "edges", [[-1, 1]], [[-INF, -INF]])
kink("arccosh", "edge", [[1]], [[INF]])
kink("arctanh", "poles", [[-1, 1]], [[INF, INF]])
binary("hypot", each(math.hypot), (-2, 2), (-2.013, 2.013))
binary("arctan2", each(math.atan2), (-2, 2), (-2.013, 2.013))
kink("hypot", "origin", [ZERO, ZERO], [ZERO, ZERO])
kink("arctan2", "origin", [ZERO, ZERO], [ZERO, ZERO])

# ---- rounding and remainders -------------------------------------------------------------------

unary("floor", each(math.floor), -2, 2)
unary("ceil", each(math.ceil), -2, 2)
unary("trunc", each(math.trunc), -2, 2)
unary("round", each(lambda x, decimals=0: round(float(x), decimals)), -2, 2)
more("round", "decimals", values("round decimals", (2, 3)), decimals=1)
more("round", "tens", 20 * values("round tens", (2, 3)), decimals=-1)
for _name in ("floor", "ceil", "trunc"):
    kink(_name, "jumps", [[-1, 0, 1]], [[0, 0, 0]])
kink("round", "jumps", [[-0.5, 0.5, 1.5]], [[0, 0, 0]])

binary("floor_divide", each(lambda a, b: a // b), (-4.1, 4.1), (0.5, 2.9))
binary("remainder", each(lambda a, b: a % b), (-4.1, 4.1), (0.5, 2.9))
binary("fmod", each(math.fmod), (-4.1, 4.1), (0.5, 2.9))
_sevens, _divisors = np.array([7.0, -7.0, 7.0, -7.0]), np.array([2.3, 2.3, -2.3, -2.3])
for _name in ("floor_divide", "remainder", "fmod"):
    more(_name, "all signs", _sevens, _divisors)
kink("floor_divide", "jumps", [[1, -2], [1, 1]], [ZERO, ZERO])
kink("remainder", "jumps", [[1, -2], [1, 1]], [ZERO + 1, [-1, 2]])
kink("remainder", "a / b rounds to 10", [[1.0], [0.1]], [[1], [-9]])
kink("fmod", "jumps", [[1, -2], [1, 1]], [ZERO + 1, [-1, 2]])
kink("fmod", "a / b rounds to 10", [[1.0], [0.1]], [[1], [-9]])

UNUSUAL = np.array([NAN, INF, -INF, 0.5])
unary("isnan", each(lambda x: x != x), -2, 2)
unary("isinf", each(lambda x: abs(x) == INF), -2, 2)
unary("isfinite", each(lambda x: abs(x) < INF), -2, 2)
for _name in ("isnan", "isinf", "isfinite"):
    more(_name, "unusual", UNUSUAL)


def nan_to_num(x: Any, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    high = np.finfo(np.float64).max if posinf is None else posinf
    low = -np.finfo(np.float64).max if neginf is None else neginf
    return each(lambda v: nan if v != v else {INF: high, -INF: low}.get(v, v))(x)


unary("nan_to_num", nan_to_num, -2, 2)
kink("nan_to_num", "nan", [[NAN, 0.5]], [[0, 1]])
kink("nan_to_num", "all", [UNUSUAL], [[0, 0, 0, 1]], nan=-1.0, posinf=7.0, neginf=-7)
more("nan_to_num", "replacements", values("ntn", (3,)), nan=1.0, posinf=2.0, neginf=-2.0)

# ---- choice ------------------------------------------------------------------------------------

HALF, TIE = np.full(2, 0.5), np.array([1.0, -2.0])
binary("fmax", lambda a, b: np.where((a > b) | (b != b), a, b), (-2, 2), (-2.013, 2.013))
binary("fmin", lambda a, b: np.where((a < b) | (b != b), a, b), (-2, 2), (-2.013, 2.013))
for _name in ("fmax", "fmin"):
    kink(_name, "tie", [TIE, TIE], [HALF, HALF])
    kink(_name, "nan", [[NAN, 1, NAN], [2, NAN, NAN]], [[0, 1, 0], [1, 0, 0]])
binary("copysign", each(math.copysign), (-2, 2), (-2.013, 2.013))
kink("copysign", "zeros", [[0, 2, 2], [1, 0, -0.0]], [[0, 1, -1], [0, 0, 0]])

_ends = values("lerp a", (2, 3)), values("lerp b", (3,))
samples(
    "lerp",
    lambda a, b, weight: (1 - weight) * a + weight * b,
    Sample("tensors", (*_ends, values("lerp w", (2, 1)))),
    Sample("number", (*_ends, 0.25)),
    Sample("beyond", (*_ends, -1.5)),
    Sample("0-d", (values("lerp 0", ()), values("lerp 1", ()), values("lerp 2", ()))),
    Sample("empty", (np.zeros((0, 3)), values("lerp e", (3,)), 0.5)),
)

MASK = np.array([[True, False, True], [False, True, False]])
samples(
    "masked_fill",
    lambda x, mask, value: mask * np.asarray(value) + ~mask * x,
    Sample("number", (values("mf", (2, 3)), MASK, 5)),
    Sample("tensor", (values("mf t", (2, 3)), MASK, values("mf v", ()))),
    Sample("mask broadcasts", (values("mf b", (2, 3)), MASK[0], -2)),
    Sample("0-d", (values("mf 0", ()), np.array(True), values("mf w", ()))),
    Sample("empty", (np.zeros((0, 3)), MASK[0], 1)),
)

# ---- logic -------------------------------------------------------------------------------------

BOOLS = np.array([False, False, True, True]), np.array([False, True, False, True])
WHOLES = np.array([[12, -1, 0], [7, 5, 255]]), np.array([10, 6, 3])


def truths(f: Callable[..., bool]) -> Callable[..., Any]:
    return np.vectorize(f, otypes=[bool])


LOGIC: dict[str, Callable[..., bool]] = {
    "logical_and": lambda a, b: bool(a) and bool(b),
    "logical_or": lambda a, b: bool(a) or bool(b),
    "logical_xor": lambda a, b: bool(a) != bool(b),
}
for _name, _rule in LOGIC.items():
    binary(_name, truths(_rule), (-2, 2), (-2, 2))
    more(_name, "zeros", np.array([0.0, 0.0, 2.0, 2.0]), np.array([0.0, -1.0, 0.0, -1.0]))
    more(_name, "booleans", *BOOLS)
    more(_name, "integers broadcast", *WHOLES)
unary("logical_not", truths(lambda x: not x), -2, 2)
more("logical_not", "zeros", np.array([0.0, 2.0, NAN]))
more("logical_not", "booleans", BOOLS[0])


def bitwise(rule: Callable[..., Any]) -> Callable[..., Any]:
    """Work on Python's integers and booleans."""

    def reference(*operands: Any) -> Any:
        arrays = np.broadcast_arrays(*operands)
        cells = zip(*(a.ravel().tolist() for a in arrays), strict=True)
        return np.array([rule(*c) for c in cells], arrays[0].dtype).reshape(arrays[0].shape)

    return reference


BITWISE: dict[str, Callable[..., Any]] = {
    "bitwise_and": lambda a, b: a & b,
    "bitwise_or": lambda a, b: a | b,
    "bitwise_xor": lambda a, b: a ^ b,
}
for _name, _rule in BITWISE.items():
    samples(_name, bitwise(_rule), Sample("booleans", BOOLS), Sample("integers", WHOLES))
    more(_name, "number", WHOLES[0], 6)
    more(_name, "empty", WHOLES[0][:0], WHOLES[1])
    more(_name, "0-d", np.array(5), np.array(3))
samples(
    "bitwise_not",
    bitwise(lambda x: not x if isinstance(x, bool) else ~x),
    Sample("booleans", (BOOLS[0],)),
    Sample("integers", (WHOLES[0],)),
    Sample("empty", (WHOLES[0][:0],)),
)

# ---- activations -------------------------------------------------------------------------------


def leaky_relu(x: Any, negative_slope: float = 0.01) -> Any:
    return np.maximum(x, 0) - negative_slope * np.maximum(-x, 0)


def elu(x: Any, alpha: float = 1.0) -> Any:
    return np.maximum(x, 0) + alpha * (np.exp(np.minimum(x, 0)) - 1)


def sigmoid(x: Any) -> Any:
    return 0.5 * (1 + np.tanh(0.5 * x))


unary("leaky_relu", leaky_relu, -2, 2)
more("leaky_relu", "slope", values("leaky slope", (2, 3)), negative_slope=0.3)
more("leaky_relu", "steep", values("leaky steep", (2, 3)), negative_slope=2)
kink("leaky_relu", "kink at 0", [ZERO], [ZERO + 0.25], negative_slope=0.25)

_slopes = np.array([0.1, 0.2, 0.3])
samples(
    "prelu",
    lambda x, w: leaky_relu(x, np.reshape(w, (-1,) + (1,) * (x.ndim - 2)) if np.size(w) > 1 else w),
    Sample("number", (values("prelu n", (2, 3)), 0.25)),
    Sample("channels", (values("prelu c", (2, 3)), _slopes)),
    Sample("images", (values("prelu i", (2, 3, 2)), _slopes)),
    Sample("one slope", (values("prelu o", (2, 3)), _slopes[:1])),
    Sample("0-d", (values("prelu 0", ()), np.array(0.25))),
    Sample("vector", (values("prelu v", (3,)), np.array(0.25))),
    Sample("empty", (np.zeros((0, 3)), _slopes)),
)
kink("prelu", "kink at 0", [ZERO, 0.25], [ZERO + 0.25, 0])
kink("prelu", "infinite", [[INF, -2.0], [0.25]], [[1, 0.25], [-2]])

unary("hardtanh", lambda x, min_val=-1, max_val=1: np.clip(x, min_val, max_val), -2, 2)
more("hardtanh", "limits", values("hardtanh l", (2, 3)), min_val=-0.3, max_val=1.2)
kink("hardtanh", "edges", [[-1, 1]], [[0, 0]])
unary("relu6", lambda x: np.where(x < 0, 0, np.where(x > 6, 6, x)), -2, 9)
kink("relu6", "edges", [[0, 6]], [[0, 0]])
unary("hardswish", lambda x: x * np.minimum(np.maximum(x + 3, 0), 6) / 6, -4.5, 4.5)
kink("hardswish", "edges", [[-3, 3]], [[0, 1]])

unary("elu", elu, -2, 2)
more("elu", "alpha", values("elu alpha", (2, 3)), alpha=0.7)
kink("elu", "kink at 0", [ZERO], [ZERO + 0.7], alpha=0.7)
_alpha, _scale = 1.6732632423543772, 1.0507009873554805
unary("selu", lambda x: _scale * elu(x, _alpha), -2, 2)
kink("selu", "kink at 0", [ZERO], [ZERO + _scale * _alpha])

unary("softsign", each(lambda x: x / (1 + abs(x))), -2, 2)
kink("softsign", "at 0", [ZERO], [ZERO + 1])
unary("log_sigmoid", lambda x: np.log(sigmoid(x)), -2, 2)
unary("silu", lambda x: x * sigmoid(x), -2, 2)
unary("mish", lambda x: x * np.tanh(np.log1p(np.exp(x))), -2, 2)


def glu(x: Any, axis: int = -1) -> Any:
    a, b = np.split(x, 2, axis)
    return a * sigmoid(b)


samples(
    "glu",
    glu,
    Sample("vector", (values("glu v", (4,)),)),
    Sample("matrix", (values("glu m", (3, 4)),)),
    Sample("first axis", (values("glu f", (4, 3)),), {"axis": 0}),
    Sample("middle axis", (values("glu i", (2, 2, 3)),), {"axis": -2}),
    Sample("empty", (np.zeros((0, 4)),)),
    Sample("empty axis", (np.zeros((3, 0)),)),
)

# ---- dropout -----------------------------------------------------------------------------------


class Repeating(tg.Generator):
    """Draws the same numbers every time, so that dropout is a function."""

    @property
    def numpy(self) -> np.random.Generator:
        return np.random.default_rng(7)


def dropout(
    x: Any, p: float = 0.5, training: bool = True, generator: tg.Generator | None = None
) -> Any:
    if not training or generator is None:
        return x
    kept = np.random.default_rng(7).random(x.shape, dtype=np.float32) >= p
    return np.where(kept, x / (1 - p) if p < 1 else 0.0, 0.0)


samples("dropout_mask", None)
samples("dropout", dropout)
for _shape_name, _shape in SHAPES.items():
    _x = values("dropout" + _shape_name, _shape)
    more("dropout_mask", _shape_name, _x, p=0.5, generator=Repeating())
    more("dropout", _shape_name, _x, p=0.25, generator=Repeating())
more("dropout_mask", "all", values("dropout all", (3,)), p=1.0, generator=Repeating())
more("dropout", "all", values("dropout all", (3,)), p=1.0, generator=Repeating())
more("dropout", "none", values("dropout none", (3,)), p=0.0)
more("dropout", "not training", values("dropout not", (3,)), training=False)
