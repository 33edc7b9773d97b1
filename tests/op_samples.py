"""Samples and NumPy references for every record in the registry.

`SAMPLES` maps the name of a record to the calls that the battery of `tinygraph.check` runs,
`REFERENCES` to the same function written in NumPy or in plain Python, independent of ours.
Values are drawn once from a seeded generator, inside the op's domain and away from kinks;
kinks have samples of their own, with the gradient that the convention asks for.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

import tinygraph as tg
from tinygraph.check import Sample
from tinygraph.ops.index import ARRAY

Array = np.ndarray
SHAPES = {"0-d": (), "vector": (3,), "matrix": (2, 3), "empty": (0, 3)}
PAIRS = {
    "0-d": ((), ()),
    "vector": ((3,), (3,)),
    "matrix": ((2, 3), (2, 3)),
    "empty": ((0, 3), (0, 3)),
    "right broadcasts": ((2, 3), (3,)),
    "left broadcasts": ((3,), (2, 3)),
    "both broadcast": ((2, 1), (1, 3)),
    "0-d broadcasts": ((), (2, 3)),
    "empty broadcasts": ((1, 3), (0, 3)),
}

SAMPLES: dict[str, list[Sample]] = {}
REFERENCES: dict[str, Callable[..., Any]] = {}


def values(label: str, shape: tuple[int, ...], low: float = -2.0, high: float = 2.0) -> Array:
    """Draw values from [low, high], all apart from each other, 0 and ±1 by at least 0.02."""
    rng = np.random.default_rng(zlib.crc32(label.encode()))
    grid = np.linspace(low, high, 46)[1:-1] + 0.005
    grid = grid[np.min(np.abs(grid[:, None] - [-1, 0, 1]), axis=1) > 0.02]
    return np.array(rng.choice(grid, math.prod(shape), replace=False).reshape(shape))


def samples(name: str, reference: Callable[..., Any] | None, *given: Sample) -> None:
    SAMPLES[name] = list(given)
    if reference is not None:
        REFERENCES[name] = reference


# ---- elementwise, one operand ------------------------------------------------------------------

erf = np.vectorize(math.erf, otypes=[float])
erfc = np.vectorize(math.erfc, otypes=[float])


def normal_cdf(x: Array) -> Array:
    return 0.5 * erfc(-x / math.sqrt(2))


def gelu(x: Array, approximate: str = "none") -> Array:
    if approximate == "tanh":
        return x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return x * normal_cdf(x)


UNARY: dict[str, tuple[Callable[..., Any], tuple[float, float]]] = {
    "neg": (lambda x: -x, (-2, 2)),
    "square": (lambda x: x**2, (-2, 2)),
    "sqrt": (lambda x: x**0.5, (0.3, 3)),
    "exp": (lambda x: math.e**x, (-2, 2)),
    "log": (np.log, (0.3, 3)),
    "sin": (lambda x: np.imag(np.exp(1j * x)), (-3, 3)),
    "cos": (lambda x: np.real(np.exp(1j * x)), (-3, 3)),
    "tanh": (lambda x: (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x)), (-2, 2)),
    "sign": (lambda x: (x > 0) * 1.0 - (x < 0), (-2, 2)),
    "abs": (lambda x: np.where(x < 0, -x, x), (-2, 2)),
    "relu": (lambda x: np.where(x > 0, x, 0), (-2, 2)),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), (-3, 3)),
    "softplus": (lambda x: np.log(1 + np.exp(x)), (-3, 3)),
    "erf": (erf, (-2.5, 2.5)),
    "erfc": (erfc, (-2.5, 2.5)),
    "normal_cdf": (normal_cdf, (-3, 3)),
    "gelu_exact": (gelu, (-3, 3)),
    "gelu_gate": (lambda x: gelu(x, "tanh") / x, (-3, 3)),
    "gelu": (gelu, (-3, 3)),
}
for _name, (_reference, (_low, _high)) in UNARY.items():
    samples(
        _name,
        _reference,
        *[Sample(k, (values(_name + k, s, _low, _high),)) for k, s in SHAPES.items()],
    )

ZERO = np.zeros(2)
SAMPLES["abs"].append(Sample("kink at 0", (ZERO,), gradients=(ZERO,)))
SAMPLES["sign"].append(Sample("kink at 0", (ZERO,), gradients=(ZERO,)))
SAMPLES["relu"].append(Sample("kink at 0", (ZERO,), gradients=(ZERO,)))
SAMPLES["sqrt"].append(Sample("kink at 0", (ZERO,), gradients=(ZERO + np.inf,)))
SAMPLES["log"].append(Sample("pole at 0", (ZERO,), gradients=(ZERO + np.inf,)))
SAMPLES["gelu"].append(Sample("tanh", (values("gelu tanh", (2, 3)),), {"approximate": "tanh"}))

# ---- elementwise, two operands -----------------------------------------------------------------

BINARY: dict[str, tuple[Callable[..., Any], tuple[float, float], tuple[float, float]]] = {
    "add": (lambda a, b: a + b, (-2, 2), (-2, 2)),
    "sub": (lambda a, b: a - b, (-2, 2), (-2, 2)),
    "mul": (lambda a, b: a * b, (-2, 2), (-2, 2)),
    "div": (lambda a, b: a / b, (-2, 2), (0.5, 3)),
    "pow": (lambda a, b: np.exp(b * np.log(a)), (0.3, 2.5), (-2, 2)),
    "maximum": (lambda a, b: np.where(a > b, a, b), (-2, 2), (-2.013, 2.013)),
    "minimum": (lambda a, b: np.where(a < b, a, b), (-2, 2), (-2.013, 2.013)),
    "equal": (lambda a, b: ~((a < b) | (a > b)), (-2, 2), (-2.013, 2.013)),
    "not_equal": (lambda a, b: (a < b) | (a > b), (-2, 2), (-2.013, 2.013)),
    "less": (lambda a, b: b - a > 0, (-2, 2), (-2.013, 2.013)),
    "less_equal": (lambda a, b: b - a >= 0, (-2, 2), (-2.013, 2.013)),
    "greater": (lambda a, b: a - b > 0, (-2, 2), (-2.013, 2.013)),
    "greater_equal": (lambda a, b: a - b >= 0, (-2, 2), (-2.013, 2.013)),
}
for _name, (_reference, _first, _second) in BINARY.items():
    _pairs = [
        Sample(k, (values(_name + k, a, *_first), values(_name + k + "b", b, *_second)))
        for k, (a, b) in PAIRS.items()
    ]
    _x = values(_name + "number", (2, 3), *_second)
    samples(
        _name,
        _reference,
        *_pairs,
        Sample("number right", (values(_name + "left", (2, 3), *_first), 1.25)),
        Sample("number left", (1.25, _x)),
    )

HALF = np.full(2, 0.5)
TIE = (np.array([1.0, -2.0]), np.array([1.0, -2.0]))
for _name in ("maximum", "minimum"):
    SAMPLES[_name].append(Sample("tie", TIE, gradients=(HALF, HALF)))
SAMPLES["pow"] += [
    Sample("square", (values("pow2", (3,)), 2)),
    Sample("cube of negatives", (values("pow3", (2, 3)), 3)),
    Sample("to the 1", (values("pow1", (3,)), 1)),
    Sample("to the 0", (values("pow0", (3,)), 0)),
    Sample("0 to the 0", (ZERO, 0), gradients=(ZERO,)),
    Sample("0 to a power", (0.0, np.array([0.5, 2.0])), gradients=(ZERO,)),
]
REFERENCES["pow"] = lambda a, b: np.asarray(np.asarray(a, float) ** b)

MASK = np.array([[True, False, True], [False, True, False]])
samples(
    "where",
    lambda c, a, b: np.where(c, 1, 0) * a + np.where(c, 0, 1) * b,
    Sample("matrix", (MASK, values("wa", (2, 3)), values("wb", (2, 3)))),
    Sample("branches broadcast", (MASK, values("wc", (2, 1)), values("wd", (3,)))),
    Sample("condition broadcasts", (MASK[0], values("we", (2, 3)), values("wf", (2, 1)))),
    Sample("number", (MASK, values("wg", (2, 3)), 0.5)),
    Sample("0-d", (np.array(True), values("wh", ()), values("wi", ()))),
    Sample("empty", (np.zeros((0, 3), bool), np.zeros((0, 3)), values("wj", (3,)))),
)
samples(
    "clip",
    lambda x, min=None, max=None: np.where(
        x < (-np.inf if min is None else min),
        -np.inf if min is None else min,
        np.where(x > (np.inf if max is None else max), np.inf if max is None else max, x),
    ),
    *[Sample(k, (values("c" + k, s),), {"min": -1.0, "max": 1.0}) for k, s in SHAPES.items()],
    Sample("below only", (values("cb", (2, 3)),), {"min": -1.0}),
    Sample("above only", (values("ca", (2, 3)),), {"max": 1}),
    Sample("edges", (np.array([-1.0, 1.0]),), {"min": -1, "max": 1}, gradients=(ZERO + 1,)),
)

# ---- casts, shapes, joins ----------------------------------------------------------------------

ARRANGE = {k: values("arrange" + k, s) for k, s in SHAPES.items()}
CUBE = values("cube", (2, 1, 3))

samples(
    "cast",
    lambda x, dtype: x.astype(dtype),
    *[Sample(k, (x,), {"dtype": np.dtype(np.float64)}) for k, x in ARRANGE.items()],
)
samples(
    "repack",
    lambda x: x,
    Sample("vector", (ARRANGE["vector"],)),
    Sample("lines", (CUBE,)),
    Sample("image", (values("repack", (2, 3, 2, 2)),)),
    Sample("empty", (np.zeros((0, 3, 2)),)),
)
samples(
    "broadcast_to",
    lambda x, shape: x + np.zeros(shape),
    Sample("new axis", (ARRANGE["vector"],), {"shape": (2, 3)}),
    Sample("length 1", (CUBE,), {"shape": (2, 2, 3)}),
    Sample("0-d", (ARRANGE["0-d"],), {"shape": (2, 2)}),
    Sample("same", (ARRANGE["matrix"],), {"shape": (2, 3)}),
    Sample("to empty", (values("be", (1, 3)),), {"shape": (0, 3)}),
)
samples(
    "sum_to",
    lambda x, shape: (
        x.sum(tuple(range(x.ndim - len(shape)))).reshape(-1, *shape[-1:]).sum(0)
        if shape
        else x.sum()
    ),
    Sample("drop an axis", (ARRANGE["matrix"],), {"shape": (3,)}),
    Sample("to 0-d", (ARRANGE["matrix"],), {"shape": ()}),
    Sample("same", (ARRANGE["vector"],), {"shape": (3,)}),
    Sample("from empty", (ARRANGE["empty"],), {"shape": (3,)}),
)
samples(
    "reshape",
    lambda x, shape: np.array(x.ravel().tolist()).reshape(shape),
    Sample("flat", (ARRANGE["matrix"],), {"shape": (6,)}),
    Sample("guess", (ARRANGE["matrix"],), {"shape": (3, -1)}),
    Sample("to 0-d", (values("r1", (1, 1)),), {"shape": ()}),
    Sample("from 0-d", (ARRANGE["0-d"],), {"shape": (1,)}),
    Sample("empty", (ARRANGE["empty"],), {"shape": (3, 0)}),
)
samples(
    "transpose",
    lambda x, axes=None: np.moveaxis(x, axes or range(x.ndim)[::-1], range(x.ndim)),
    *[Sample(k, (x,)) for k, x in ARRANGE.items()],
    Sample("permute", (CUBE,), {"axes": (1, 2, 0)}),
    Sample("negative", (CUBE,), {"axes": (-1, 0, 1)}),
)
samples(
    "swapaxes",
    lambda x, axis1, axis2: (
        np.moveaxis(np.moveaxis(x, 0, -1), -2 if x.ndim > 2 else 0, 0) if x.ndim > 2 else x.T
    ),
    Sample("matrix", (ARRANGE["matrix"],), {"axis1": 0, "axis2": 1}),
    Sample("negative", (CUBE,), {"axis1": 0, "axis2": -1}),
    Sample("empty", (ARRANGE["empty"],), {"axis1": 0, "axis2": 1}),
)
samples(
    "matrix_transpose",
    lambda x: np.einsum("...ij->...ji", x),
    Sample("matrix", (ARRANGE["matrix"],)),
    Sample("batch", (CUBE,)),
    Sample("empty", (ARRANGE["empty"],)),
)
samples(
    "squeeze",
    lambda x, axis=None: x.reshape(
        [n for i, n in enumerate(x.shape) if n != 1 or (axis is not None and i != axis % x.ndim)]
    ),
    Sample("all", (CUBE,)),
    Sample("one", (CUBE,), {"axis": 1}),
    Sample("negative", (CUBE,), {"axis": -2}),
    Sample("nothing to do", (ARRANGE["matrix"],)),
    Sample("empty", (np.zeros((0, 1)),)),
)
samples(
    "expand_dims",
    lambda x, axis: x[None] if axis == 0 else x[..., None] if axis == -1 else x[None, ..., None],
    *[Sample(k, (x,), {"axis": 0}) for k, x in ARRANGE.items()],
    Sample("negative", (ARRANGE["matrix"],), {"axis": -1}),
    Sample("tuple", (ARRANGE["vector"],), {"axis": (0, 2)}),
)
samples(
    "concatenate",
    lambda *xs, axis=0: (
        np.array([row for x in xs for row in x.tolist()]).reshape(-1, *xs[0].shape[1:])
        if axis == 0
        else np.moveaxis(np.array([r for x in xs for r in np.moveaxis(x, axis, 0)]), 0, axis)
    ),
    Sample("rows", (ARRANGE["matrix"], values("c1", (1, 3)))),
    Sample("columns", (ARRANGE["matrix"], values("c2", (2, 1))), {"axis": 1}),
    Sample("negative", (ARRANGE["matrix"], values("c3", (2, 2))), {"axis": -1}),
    Sample("three", (ARRANGE["vector"], values("c4", (3,)), values("c5", (3,)))),
    Sample("one is empty", (ARRANGE["matrix"], ARRANGE["empty"])),
)
samples(
    "stack",
    lambda xs, axis=0: np.moveaxis(np.array([x.tolist() for x in xs]), 0, axis),
    Sample("rows", (ARRANGE["vector"], values("s1", (3,))), listed=True),
    Sample("last", (ARRANGE["matrix"], values("s2", (2, 3))), {"axis": -1}, listed=True),
    Sample("0-d", (ARRANGE["0-d"], values("s3", ())), listed=True),
)
# ---- indexing ----------------------------------------------------------------------------------

ROWS, COLUMNS = np.array([0, 1, 1]), np.array([2, 0, 0])
WIDE = values("wide", (2, 4))


def _indexed(x: Array, *arrays: Array, index: tuple[Any, ...]) -> Array:
    parts = iter(arrays)
    return x[tuple(next(parts) if p is ARRAY else p for p in index)]


def _placed(g: Array, *arrays: Array, index: tuple[Any, ...], shape: tuple[int, ...]) -> Array:
    numbers = np.arange(math.prod(shape)).reshape(shape)
    where = _indexed(numbers, *arrays, index=index)
    return np.bincount(where.ravel(), weights=g.ravel(), minlength=numbers.size).reshape(shape)


samples(
    "getitem",
    _indexed,
    Sample("slice", (WIDE,), {"index": (slice(None), slice(1, None, 2))}),
    Sample("backwards", (WIDE,), {"index": (slice(None), slice(None, None, -1))}),
    Sample("row", (WIDE,), {"index": (1,)}),
    Sample("element", (WIDE,), {"index": (-1, 2)}),
    Sample("new axis", (WIDE,), {"index": (None, ..., slice(2))}),
    Sample("nothing of 0-d", (ARRANGE["0-d"],), {"index": ()}),
    Sample("arrays with repeats", (WIDE, ROWS, COLUMNS), {"index": (ARRAY, ARRAY)}),
    Sample("array and slice", (WIDE, COLUMNS), {"index": (slice(None), ARRAY)}),
    Sample("empty array", (WIDE, ROWS[:0]), {"index": (ARRAY,)}),
    Sample("empty slice", (WIDE,), {"index": (slice(0, 0),)}),
)
samples(
    "place_add",
    _placed,
    Sample(
        "slice", (values("p1", (2, 2)),), {"index": (slice(None), slice(1, 3)), "shape": (2, 4)}
    ),
    Sample("element", (ARRANGE["0-d"],), {"index": (1, 0), "shape": (2, 3)}),
    Sample(
        "arrays with repeats",
        (values("p2", (3,)), ROWS, COLUMNS),
        {"index": (ARRAY, ARRAY), "shape": (2, 4)},
    ),
    Sample("empty", (np.zeros(0), ROWS[:0]), {"index": (ARRAY,), "shape": (3,)}),
)
samples(
    "take",
    lambda x, indices, axis=None: (
        np.array([x.ravel()[i] for i in indices.ravel()]).reshape(indices.shape)
        if axis is None
        else np.stack([np.moveaxis(x, axis, 0)[i] for i in indices], axis)
    ),
    Sample("flat", (WIDE, np.array([[7, -1], [0, 0]]))),
    Sample("rows", (WIDE, ROWS), {"axis": 0}),
    Sample("negative axis", (WIDE, COLUMNS), {"axis": -1}),
    Sample("negative index", (WIDE, np.array([-1, 1])), {"axis": 1}),
)
samples(
    "scatter_add",
    None,
    Sample("vector", (values("x", (3,)), np.array([0, 2, 2]), values("v", (3,)))),
    Sample("columns", (WIDE, np.array([[1, 1], [0, 3]]), values("v2", (2, 2))), {"axis": 1}),
    Sample("index is shorter", (WIDE, np.array([[0, 1]]), values("v3", (2, 4))), {"axis": -2}),
)


def _scattered(x: Array, index: Array, given: Array, axis: int = 0) -> Array:
    result = x.copy()
    for place in np.ndindex(index.shape):
        target = list(place)
        target[axis] = index[place]
        result[tuple(target)] += given[place]
    return result


REFERENCES["scatter_add"] = _scattered

# ---- products and reductions -------------------------------------------------------------------

MATMUL = {
    "vectors": ((3,), (3,)),
    "matrix by vector": ((2, 3), (3,)),
    "vector by matrix": ((3,), (3, 2)),
    "matrices": ((2, 3), (3, 2)),
    "square": ((2, 2), (2, 2)),
    "batches": ((2, 2, 3), (2, 3, 2)),
    "batch broadcasts": ((2, 2, 3), (3, 2)),
    "left batch broadcasts": ((2, 3), (2, 3, 2)),
    "both broadcast": ((2, 1, 1, 3), (1, 2, 3, 1)),
    "vector by batch": ((3,), (2, 3, 2)),
    "batch by vector": ((2, 2, 3), (3,)),
    "inner 0": ((2, 0), (0, 3)),
    "empty": ((0, 3), (3, 2)),
}


def _product(a: Array, b: Array) -> Array:
    left, right = a[None] if a.ndim == 1 else a, b[:, None] if b.ndim == 1 else b
    full = (left[..., :, :, None] * right[..., None, :, :]).sum(-2)
    full = full[..., 0, :] if a.ndim == 1 else full
    return full[..., 0] if b.ndim == 1 else full


samples(
    "matmul",
    _product,
    *[Sample(k, (values(k, a), values(k + "b", b))) for k, (a, b) in MATMUL.items()],
)

LINEAR = {
    "rows": ((2, 3), (2, 3)),
    "one row": ((3,), (2, 3)),
    "sequences": ((2, 2, 3), (2, 3)),
    "empty batch": ((0, 3), (2, 3)),
    "empty sequences": ((2, 0, 3), (2, 3)),
    "no features": ((2, 0), (3, 0)),
    "no features of sequences": ((2, 2, 0), (3, 0)),
}
samples(
    "linear",
    lambda x, weight, bias: _product(x, weight.T) + bias,
    *[
        Sample(k, (values(k + "x", x), values(k + "w", w), values(k + "b", w[:1])))
        for k, (x, w) in LINEAR.items()
    ],
)

BATCH = values("batch", (2, 3, 2))
REDUCTIONS = [
    *[Sample(k, (x,)) for k, x in ARRANGE.items()],
    Sample("axis", (ARRANGE["matrix"],), {"axis": 0}),
    Sample("negative axis", (ARRANGE["matrix"],), {"axis": -1}),
    Sample("tuple of axes", (BATCH,), {"axis": (0, -1)}),
    Sample("keepdims", (BATCH,), {"axis": 1, "keepdims": True}),
    Sample("no axes", (ARRANGE["vector"],), {"axis": ()}),
    Sample("along the empty axis", (ARRANGE["empty"],), {"axis": 0}),
    Sample("along the other", (ARRANGE["empty"],), {"axis": 1}),
]
NONEMPTY = [s for s in REDUCTIONS if s.name not in ("empty", "along the empty axis")]


def _axes(x: Array, axis: Any) -> tuple[int, ...]:
    axis = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return tuple(a % x.ndim for a in axis)


def _reduced(fold: Callable[[list[float]], float]) -> Callable[..., Array]:
    """Reduce cell by cell in plain Python, with exact sums."""

    def reference(x: Array, axis: Any = None, keepdims: bool = False, **more: Any) -> Array:
        axes = _axes(x, axis)
        kept = [1 if i in axes else n for i, n in enumerate(x.shape)]
        result = np.zeros(kept)
        for place in np.ndindex(*kept):
            cell = tuple(slice(None) if i in axes else p for i, p in enumerate(place))
            result[place] = fold(np.asarray(x[cell]).ravel().tolist(), **more)
        rest = [n for i, n in enumerate(x.shape) if i not in axes]
        return result if keepdims else result.reshape(rest)

    return reference


def _mean(cell: list[float]) -> float:
    return math.fsum(cell) / len(cell) if cell else math.nan


def _variance(cell: list[float], ddof: int = 0) -> float:
    count = len(cell) - ddof
    return math.fsum((c - _mean(cell)) ** 2 for c in cell) / count if count > 0 else math.nan


def _log_sum_exp(cell: list[float]) -> float:
    return math.log(math.fsum(map(math.exp, cell))) if cell else -math.inf


TIED = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
LOW = np.array([[1.0, 1.0, 3.0], [2.0, 2.0, 2.0]])
THIRD = np.full(3, 1 / 3)
samples("sum", _reduced(math.fsum), *REDUCTIONS)
samples("mean", _reduced(_mean), *REDUCTIONS)
samples("logsumexp", _reduced(_log_sum_exp), *REDUCTIONS)
samples(
    "var",
    _reduced(_variance),
    *REDUCTIONS,
    Sample("ddof", (BATCH,), {"axis": 1, "ddof": 1}),
    Sample("constant", (np.full(3, 0.7),), gradients=(np.zeros(3),)),
)
samples(
    "max",
    _reduced(max),
    *NONEMPTY,
    Sample("ties", (TIED,), {"axis": 1}, gradients=(np.array([[0, 0.5, 0.5], THIRD]),)),
)
samples(
    "min",
    _reduced(min),
    *NONEMPTY,
    Sample("ties", (LOW,), {"axis": 1}, gradients=(np.array([[0.5, 0.5, 0], THIRD]),)),
)

ARG = [
    *[Sample(k, (x,)) for k, x in ARRANGE.items() if k != "empty"],
    Sample("axis", (ARRANGE["matrix"],), {"axis": 0}),
    Sample("negative axis", (ARRANGE["matrix"],), {"axis": -1, "keepdims": True}),
    Sample("first of equals", (TIED,), {"axis": 1}),
]


def _first(choose: Callable[[list[float]], float]) -> Callable[..., Array]:
    return _reduced(lambda cell: cell.index(choose(cell)))


samples("argmax", _first(max), *ARG)
samples("argmin", _first(min), *ARG)

ROW = [
    Sample("vector", (ARRANGE["vector"],)),
    Sample("matrix", (ARRANGE["matrix"],)),
    Sample("first axis", (ARRANGE["matrix"],), {"axis": 0}),
    Sample("middle axis", (BATCH,), {"axis": -2}),
    Sample("empty batch", (ARRANGE["empty"],)),
]


def _softmax(x: Array, axis: int = -1) -> Array:
    return np.exp(x) / np.exp(x).sum(axis=axis, keepdims=True)


samples("softmax", _softmax, *ROW)
samples(
    "softmax_slope",
    lambda g, y, axis=-1: (g - (g * y).sum(axis=axis, keepdims=True)) * y,
    *[
        Sample(s.name, (values(f"slope {s.name}", np.shape(s.inputs[0])), *s.inputs), s.attrs)
        for s in ROW
    ],
)
samples("log_softmax", lambda x, axis=-1: np.log(_softmax(x, axis)), *ROW)

# ---- random draws and updates ------------------------------------------------------------------


def _generator() -> tg.Generator:
    return tg.Generator(7)


FLOAT = np.dtype(np.float64)
samples(
    "uniform",
    None,
    Sample(
        "matrix",
        (),
        {"shape": (2, 3), "low": -1.0, "high": 1.0, "dtype": FLOAT, "generator": _generator()},
    ),
)
samples(
    "normal",
    None,
    Sample(
        "matrix",
        (),
        {"shape": (2, 3), "mean": 0.0, "std": 2.0, "dtype": FLOAT, "generator": _generator()},
    ),
)
samples(
    "randint",
    None,
    Sample("vector", (), {"shape": (4,), "low": 0, "high": 5, "generator": _generator()}),
)
samples("permutation", None, Sample("five", (), {"count": 5, "generator": _generator()}))
samples(
    "bernoulli", None, Sample("vector", (np.array([0.0, 0.5, 1.0]),), {"generator": _generator()})
)
_sgd = {"momentum": 0.0, "dampening": 0.0, "weight_decay": 0.0, "nesterov": False, "first": False}
samples("sgd_update", None, Sample("plain", tuple(np.ones(3) for _ in range(3)) + (0.1,), _sgd))
samples(
    "adam_update",
    None,
    Sample(
        "plain",
        tuple(np.ones(3) for _ in range(4)) + (0.1, 1e-8, 1.0),
        {"beta1": 0.9, "beta2": 0.999, "weight_decay": 0.0},
    ),
)

import op_samples_conv  # noqa: E402, F401
import op_samples_elementwise  # noqa: E402, F401
import op_samples_layers  # noqa: E402, F401
import op_samples_linalg  # noqa: E402, F401
import op_samples_losses  # noqa: E402, F401
import op_samples_pool  # noqa: E402, F401
import op_samples_reduce  # noqa: E402, F401
import op_samples_shape  # noqa: E402, F401
import op_samples_state  # noqa: E402, F401
