"""Samples and references of the reductions, scans and sorts beyond the first fifty ops.

See `op_samples`; the references run cell by cell or row by row in plain Python.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Callable
from typing import Any

import numpy as np
from op_samples import ARRANGE, BATCH, NONEMPTY, REDUCTIONS, TIED, _reduced, samples, values

from tinygraph.check import Sample

Array = np.ndarray
INF, NAN = np.inf, np.nan
ZEROS = np.array([[0.0, 1.5, -0.7], [2.0, 0.0, 0.0], [1.2, -0.4, 0.9]])
NANS = np.array([[1.0, NAN, 3.0], [NAN, NAN, NAN]])

# ---- reductions --------------------------------------------------------------------------------


def _variance(cell: list[float], ddof: int) -> float:
    if len(cell) <= ddof:
        return NAN
    mean = math.fsum(cell) / len(cell)
    return math.fsum((c - mean) ** 2 for c in cell) / (len(cell) - ddof)


def known(cell: list[float]) -> list[float]:
    return [c for c in cell if not math.isnan(c)]


samples(
    "prod",
    _reduced(math.prod),
    *REDUCTIONS,
    Sample("zeros", (ZEROS,), {"axis": 1}),
    Sample("zeros over all", (ZEROS[[0, 2]],)),
    Sample("two zeros", (ZEROS[:2],), {"axis": (1, 0)}),
)
samples(
    "std",
    _reduced(lambda cell, ddof=0: math.sqrt(_variance(cell, ddof))),
    *[s for s in REDUCTIONS if s.name not in ("0-d", "no axes")],
    Sample("ddof", (BATCH,), {"axis": 1, "ddof": 1}),
    Sample("0-d", (ARRANGE["0-d"],), gradients=(np.zeros(()),)),
    Sample("constant", (np.full((2, 3), 0.7),), {"axis": 1}, gradients=(np.zeros((2, 3)),)),
)
samples(
    "nansum",
    _reduced(lambda cell: math.fsum(known(cell))),
    *REDUCTIONS,
    Sample("nan", (NANS,), {"axis": 1}, gradients=(np.isfinite(NANS) * 1.0,)),
)
samples(
    "nanmean",
    _reduced(lambda cell: math.fsum(known(cell)) / len(known(cell)) if known(cell) else NAN),
    *REDUCTIONS,
    Sample("nan", (NANS,), {"axis": 1}, gradients=(np.isfinite(NANS) * 0.5,)),
)
samples(
    "median",
    _reduced(lambda cell: statistics.median(cell) if cell else NAN),
    *REDUCTIONS,
    Sample("even count", (BATCH[:, :2],), {"axis": (0, 1)}),
    Sample("first of equals", (TIED,), {"axis": 1}, gradients=(np.array([[0, 1, 0], [1, 0, 0]]),)),
    Sample(
        "first two of equals",
        (np.array([[1.0, 2, 2, 2, 3, 0], [5, 0, 1, 1, 0, 5]]),),
        {"axis": 1},
        gradients=(np.array([[0, 0.5, 0.5, 0, 0, 0], [0, 0, 0.5, 0.5, 0, 0]]),),
    ),
)
ORDERS = [
    Sample(f"{s.name}, order {p}", s.inputs, {**s.attrs, "ord": p})
    for p in (2.0, 3.0, 1.5, -1.0)
    for s in (REDUCTIONS if p > 0 else NONEMPTY)
]
HOLED = np.array([[0.0, 3.0, 4.0], [0.0, 0.0, 0.0]])


def p_norm(cell: list[float], ord: float = 2.0) -> float:
    if ord < 0 and 0.0 in cell:
        return 0.0
    total = math.fsum(abs(c) ** ord for c in cell)
    return total ** (1 / ord) if cell else 0.0


samples(
    "power_norm",
    _reduced(p_norm),
    *ORDERS,
    Sample("zeros", (HOLED,), {"axis": 1}, gradients=(HOLED / 5,)),
    Sample(
        "zeros, order 3",
        (HOLED,),
        {"axis": 1, "ord": 3.0},
        gradients=(HOLED**2 / np.cbrt(91) ** 2,),
    ),
    Sample("zeros, order -2", (HOLED,), {"axis": 1, "ord": -2.0}, gradients=(HOLED * 0,)),
)

VECTORS = [
    Sample(f"order {p} of vectors", (BATCH,), {"ord": p, "axis": axis})
    for p, axis in itertools.product((1, 2, 3, -1.5, INF, -INF), (0, -1))
]
MATRICES = [
    Sample(f"order {p} of matrices, axes {axis}", (BATCH,), {"ord": p, "axis": axis})
    for p, axis in itertools.product(("fro", 1, -1, INF, -INF, None), ((0, 1), (-1, 0)))
]
samples(
    "norm",
    np.linalg.norm,
    *[Sample(k, (x,)) for k, x in ARRANGE.items()],
    Sample("all of a batch", (BATCH,)),
    Sample("vector by default", (ARRANGE["vector"],), {"ord": INF}),
    Sample("matrix by default", (ARRANGE["matrix"],), {"ord": 1, "keepdims": True}),
    *VECTORS,
    *MATRICES,
    Sample("keepdims", (BATCH,), {"ord": "fro", "axis": (1, 2), "keepdims": True}),
    Sample("empty vectors", (ARRANGE["empty"],), {"ord": INF, "axis": 0}),
    Sample("empty matrices", (ARRANGE["empty"],), {"ord": INF}),
    Sample("zero", (np.zeros(3),), gradients=(np.zeros(3),)),
    Sample("order 1 at zero", (np.zeros(3),), {"ord": 1}, gradients=(np.zeros(3),)),
    Sample("ties", (TIED[0],), {"ord": INF}, gradients=(np.array([0, 0.5, 0.5]),)),
)

FLAGS = np.array([[True, False, True], [False, False, False], [True, True, True]])
TRUTHS = [*REDUCTIONS, Sample("zeros", (ZEROS,), {"axis": 1}), Sample("flags", (FLAGS,))]
TRUTHS += [Sample("flags along", (FLAGS,), {"axis": 0}), Sample("nan", (NANS,), {"axis": 1})]
samples("any", _reduced(any), *TRUTHS)
samples("all", _reduced(all), *TRUTHS)
samples("count_nonzero", _reduced(lambda cell: sum(c != 0 for c in cell)), *TRUTHS)

# ---- scans -------------------------------------------------------------------------------------

SCANS = [
    *[Sample(k, (x,)) for k, x in ARRANGE.items()],
    Sample("first axis", (ARRANGE["matrix"],), {"axis": 0}),
    Sample("last axis", (ARRANGE["matrix"],), {"axis": -1}),
    Sample("middle axis", (BATCH,), {"axis": 1}),
    Sample("one element", (values("one", (2, 1)),), {"axis": 1}),
    Sample("along the empty axis", (ARRANGE["empty"],), {"axis": 0}),
    Sample("along the other", (ARRANGE["empty"],), {"axis": 1}),
]
BACKWARDS = [
    Sample(f"{s.name} from the end", s.inputs, {**s.attrs, "reverse": True}) for s in SCANS
]


def by_row(f: Callable[..., list[float]]) -> Callable[..., Array]:
    """Run ``f`` on each row along an axis; None flattens."""

    def reference(x: Array, axis: int | None = None, **more: Any) -> Array:
        x = x.ravel() if axis is None else x
        moved = np.moveaxis(x, -1 if axis is None else axis, -1)
        count = math.prod(moved.shape[:-1])
        rows = [f(row.tolist(), **more) for row in moved.reshape(count, moved.shape[-1])]
        length = len(rows[0]) if rows else moved.shape[-1]
        result = np.array(rows).reshape(*moved.shape[:-1], length)
        return np.moveaxis(result, -1, -1 if axis is None else axis)

    return reference


def running(f: Callable[[float, float], float]) -> Callable[..., Array]:
    """Accumulate ``f`` along each row, if asked from the end."""

    def run(row: list[float], reverse: bool = False) -> list[float]:
        done = list(itertools.accumulate(row[::-1] if reverse else row, f))
        return done[::-1] if reverse else done

    return by_row(run)


def last_axis(reference: Callable[..., Array]) -> Callable[..., Array]:
    return lambda x, axis=-1, **more: reference(x, axis, **more)


ZERO_ROWS = [Sample("zeros", (ZEROS,), {"axis": a, "reverse": r}) for a in (0, 1) for r in (0, 1)]
samples("cumsum", running(lambda a, b: a + b), *SCANS, *BACKWARDS)
samples("cumprod", running(lambda a, b: a * b), *SCANS, *BACKWARDS, *ZERO_ROWS)
samples("logcumsumexp", running(lambda a, b: math.log(math.exp(a) + math.exp(b))), *SCANS)
samples(
    "cummax",
    running(max),
    *SCANS,
    Sample(
        "first of equals",
        (np.array([1.0, 3.0, 3.0, 2.0, 5.0, 5.0]),),
        gradients=(np.array([1.0, 3, 0, 0, 2, 0]),),
    ),
)
ALONG = [s for s in SCANS if s.name in ("vector", "matrix", "middle axis") or "along" in s.name]
samples(
    "argcummax",
    last_axis(by_row(lambda row: [row.index(max(row[: k + 1])) for k in range(len(row))])),
    *ALONG,
    Sample("first of equals", (np.array([[1.0, 3, 3, 2], [2, 2, 2, 5]]),)),
)


def recurrence(a: Array, b: Array, axis: int = -1, reverse: bool = False) -> Array:
    a, b = np.moveaxis(a, axis, 0), np.moveaxis(b, axis, 0)
    y, last = np.zeros(b.shape), np.zeros(b.shape[1:])
    for k in range(len(b))[:: -1 if reverse else 1]:
        y[k] = last = a[k] * last + b[k]
    return np.moveaxis(y, 0, axis)


samples(
    "recurrence",
    recurrence,
    *[
        Sample(f"{s.name}{' from the end' * r}", (s.inputs[0], values(s.name, s.inputs[0].shape)),
               {"axis": s.attrs.get("axis", -1), "reverse": bool(r)})
        for s in ALONG for r in (0, 1)
    ],
)  # fmt: skip
samples(
    "diff",
    np.diff,
    *[s for s in SCANS if s.name != "0-d"],
    Sample("twice", (BATCH,), {"n": 2, "axis": 1}),
    Sample("more often than there are", (BATCH,), {"n": 4, "axis": 1}),
    Sample("not at all", (ARRANGE["matrix"],), {"n": 0}),
    Sample(
        "before and after", (ARRANGE["matrix"], 1, -1, values("p", (2, 1)), values("q", (2, 2)))
    ),
    Sample("a number before", (ARRANGE["matrix"], 1, 0, 0.5)),
    Sample("a number after", (ARRANGE["vector"], 1, 0), {"append": 1}),
    Sample("truth values", (FLAGS,)),
)

# ---- sorting -----------------------------------------------------------------------------------

SORTS = [s for s in SCANS if s.name != "0-d"]
DOWN = [Sample(f"{s.name} downwards", s.inputs, {**s.attrs, "descending": True}) for s in SORTS]
REPEATS = np.array([[2.0, 1, 2, 1, 2], [3, 3, 3, 0, 0]])
STABLE = [Sample("repeats", (REPEATS,)), Sample("repeats", (REPEATS,), {"descending": True})]


def ordered(row: list[float], descending: bool = False) -> list[int]:
    return sorted(range(len(row)), key=row.__getitem__, reverse=descending)


samples("argsort", last_axis(by_row(ordered)), *SORTS, *DOWN, *STABLE)
samples(
    "sort",
    last_axis(by_row(lambda row, descending=False: sorted(row, reverse=descending))),
    *SORTS,
    *DOWN,
    Sample("flattened", (ARRANGE["matrix"],), {"axis": None}),
    Sample("equals keep their order", (REPEATS,), gradients=(np.ones((2, 5)),)),
)


def top(x: Array, k: int, axis: int = -1, largest: bool = True) -> tuple[Array, Array]:
    indices = by_row(lambda row: ordered(row, largest)[:k])(x, axis).astype(int)
    return np.take_along_axis(x, indices, axis), indices


samples(
    "topk",
    top,
    Sample("vector", (ARRANGE["vector"], 2)),
    Sample("rows", (ARRANGE["matrix"], 2)),
    Sample("columns", (ARRANGE["matrix"], 1), {"axis": 0}),
    Sample("smallest", (BATCH, 2), {"axis": -2, "largest": False}),
    Sample("all", (ARRANGE["matrix"], 3)),
    Sample("no rows", (ARRANGE["empty"], 2)),
    Sample(
        "first of equals", (REPEATS, 2), gradients=(np.array([[1, 0, 1, 0, 0], [1, 1, 0, 0, 0]]),)
    ),
)
samples(
    "argtopk",
    lambda x, k, axis=-1, largest=True: top(x, k, axis, largest)[1],
    Sample("largest", (BATCH,), {"k": 2, "axis": 1}),
    Sample("smallest", (BATCH,), {"k": 1, "axis": 0, "largest": False}),
    Sample("first of equals", (REPEATS,), {"k": 4}),
    Sample("first of smallest equals", (REPEATS,), {"k": 3, "largest": False}),
    Sample("nothing", (REPEATS,), {"k": 0}),
    Sample("no rows", (ARRANGE["empty"],), {"k": 3}),
)
samples(
    "argmedian",
    lambda x: by_row(lambda row: ordered(row)[(len(row) - 1) // 2 : len(row) // 2 + 1])(x, -1),
    Sample("odd", (ARRANGE["matrix"],)),
    Sample("even", (values("even", (2, 2, 4)),)),
)
