"""Samples and references of the losses, in plain NumPy and Python.

See `op_samples`. A reference goes row by row and element by element, by the formula.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from op_samples import samples, values

from tinygraph.check import Sample

Array = np.ndarray
FLOAT = np.dtype(np.float64)
NOTHING = np.zeros((0, 3))
SCORES = values("scores", (2, 3))
OTHERS = values("others", (2, 3))
SHARES = values("shares", (2, 3), 0.05, 0.95)
CHANCES = values("chances", (2, 3), 0.1, 0.9)
LABELS = np.array([2, 0])
PADDED = np.array([2, -100])
WEIGHT = np.array([0.5, 2.0, 1.25])
IMAGES = values("images", (2, 3, 4))
PIXELS = np.array([[0, 1, 2, 1], [2, 2, 0, 1]])
SIGNS = np.array([[1.0, -1.0, 1.0], [-1.0, -1.0, 1.0]])


def finish(each: Array, reduction: str, count: float | None = None) -> Any:
    """Average (over ``count`` if given), add or keep."""
    if reduction == "mean":
        return np.sum(each) / (np.size(each) if count is None else count)
    if reduction == "batchmean":
        return np.sum(each) / len(each)
    return np.sum(each) if reduction == "sum" else np.array(each)


def of_pairs(each: Callable[..., float]) -> Callable[..., Any]:
    """Return the reference of a loss between elements of one shape."""

    def reference(x: Array, t: Array, reduction: str = "mean", **options: Any) -> Any:
        found = [each(a, b, **options) for a, b in zip(np.ravel(x), np.ravel(t), strict=True)]
        return finish(np.reshape(found, np.shape(x)), reduction)

    return reference


def reductions(*inputs: Array, **options: Any) -> list[Sample]:
    return [
        Sample(reduction, inputs, {"reduction": reduction, **options})
        for reduction in ("mean", "sum", "none")
    ]


# ---- between values of one shape ----------------------------------------------------------------


def huber(d: float, delta: float) -> float:
    return d * d / 2 if abs(d) <= delta else delta * (abs(d) - delta / 2)


samples("mse_loss", of_pairs(lambda a, b: (a - b) ** 2), *reductions(SCORES, OTHERS))
samples("l1_loss", of_pairs(lambda a, b: abs(a - b)), *reductions(SCORES, OTHERS))
samples(
    "huber",
    lambda x, delta: np.vectorize(huber, otypes=[float])(x, delta),
    Sample("matrix", (SCORES,), {"delta": 0.7}),
    Sample("0-d", (np.array(0.4),), {"delta": 1.0}),
    Sample("empty", (NOTHING,), {"delta": 1.0}),
    Sample("corner", (np.array([0.5, -0.5]),), {"delta": 0.5}, gradients=(np.array([0.5, -0.5]),)),
)
samples(
    "huber_loss",
    of_pairs(lambda a, b, delta=1.0: huber(a - b, delta)),
    *reductions(SCORES, OTHERS),
    Sample("delta", (SCORES, OTHERS), {"delta": 0.3}),
)
samples(
    "smooth_l1_loss",
    of_pairs(lambda a, b, beta=1.0: huber(a - b, beta) / beta if beta else abs(a - b)),
    *reductions(SCORES, OTHERS),
    Sample("beta", (SCORES, OTHERS), {"beta": 0.3}),
    Sample("sharp", (SCORES, OTHERS), {"beta": 0.0}),
)
samples(
    "kl_elements",
    lambda x, t: t * (np.log(t) - x),
    Sample("matrix", (SCORES, SHARES)),
    Sample("0-d", (np.array(-0.4), np.array(0.7))),
    Sample("broadcast", (SCORES, SHARES[0])),
    Sample("empty", (NOTHING, NOTHING)),
)
samples(
    "kl_log_elements",
    lambda x, t: np.e**t * (t - x),
    Sample("matrix", (SCORES, OTHERS)),
    Sample("broadcast", (SCORES, OTHERS[0])),
    Sample("empty", (NOTHING, NOTHING)),
)
samples(
    "kl_div",
    of_pairs(
        lambda a, b, log_target=False: (
            math.exp(b) * (b - a) if log_target else b * math.log(b / math.exp(a))
        )
    ),
    # The battery also takes the first operand as the target: it may not be negative.
    *reductions(SHARES[::-1].copy(), SHARES),
    Sample("batch", (SHARES[::-1].copy(), SHARES), {"reduction": "batchmean"}),
    Sample("logarithms", (SCORES, OTHERS), {"log_target": True}),
)  # fmt: skip

# ---- yes or no ----------------------------------------------------------------------------------


def bce(p: float, t: float, weight: float = 1.0, pos_weight: float = 1.0) -> float:
    return -weight * (pos_weight * t * math.log(p) + (1 - t) * math.log(1 - p))


def of_logit(x: float, t: float, **options: float) -> float:
    return bce(1 / (1 + math.exp(-x)), t, **options)


def weighted(each: Callable[..., float]) -> Callable[..., Any]:
    """Return the reference of a loss whose weights broadcast."""

    def reference(x: Array, t: Array, reduction: str = "mean", **weights: Any) -> Any:
        names = list(weights)
        spread = [np.broadcast_to(np.asarray(w, float), np.shape(x)) for w in weights.values()]
        rows = zip(np.ravel(x), np.ravel(t), *map(np.ravel, spread), strict=True)
        found = [each(a, b, **dict(zip(names, w, strict=True))) for a, b, *w in rows]
        return finish(np.reshape(found, np.shape(x)), reduction)

    return reference


samples(
    "binary_cross_entropy_elements",
    np.vectorize(of_logit, otypes=[float]),
    Sample("0-d", (np.array(0.4), np.array(0.7))),
    Sample("matrix", (CHANCES, SHARES)),
    Sample("broadcast", (CHANCES, SHARES[0])),
    Sample("empty", (NOTHING, NOTHING)),
    Sample("labels", (SCORES, (SCORES > 0).astype(int))),
)
samples(
    "binary_cross_entropy_of_probabilities",
    np.vectorize(bce, otypes=[float]),
    Sample("0-d", (np.array(0.4), np.array(0.7))),
    Sample("matrix", (CHANCES, SHARES)),
    Sample("broadcast", (CHANCES, SHARES[0])),
    Sample("empty", (NOTHING, NOTHING)),
)
samples(
    "binary_cross_entropy",
    weighted(bce),
    *reductions(CHANCES, SHARES),
    Sample("weight", (CHANCES, SHARES), {"weight": WEIGHT}),
)
samples(
    "binary_cross_entropy_with_logits",
    weighted(of_logit),
    *reductions(CHANCES, SHARES),
    Sample("labels", (SCORES, (SCORES > 0).astype(int)), {"reduction": "none"}),
    Sample("weight", (CHANCES, SHARES), {"weight": WEIGHT}),
    Sample("pos_weight", (CHANCES, SHARES), {"weight": [[2.0], [0.5]], "pos_weight": WEIGHT}),
)
samples(
    "hinge_elements",
    lambda x, t, margin: np.where(x * t < margin, margin - x * t, 0),
    Sample("matrix", (SCORES, SIGNS.astype(int)), {"margin": 1.0}),
    Sample("empty", (NOTHING, NOTHING.astype(int)), {"margin": 1.0}),
    Sample("margin", (np.array([1.0]), np.array([1])), {"margin": 1.0}, gradients=(np.zeros(1),)),
)
samples(
    "hinge_loss",
    of_pairs(lambda x, t, margin=1.0: max(0.0, margin - x * t)),
    *reductions(SCORES, SIGNS.astype(int)),
    Sample("margin", (SCORES, SIGNS.astype(int)), {"margin": 0.25}),
)

# ---- over classes -------------------------------------------------------------------------------


def log_p(row: Array) -> list[float]:
    total = math.fsum(math.exp(v) for v in row)
    return [math.log(math.exp(v) / total) for v in row]


def by_rows(
    cost: Callable[..., float],
    x: Array,
    labels: Array,
    ignore_index: int | None = None,
    **more: Any,
) -> Array:
    """Return the cost of each row of scores (classes last) with its label; 0 where ignored."""
    rows = zip(np.reshape(x, (-1, np.shape(x)[-1])), np.ravel(labels), strict=True)
    found = [0.0 if k == ignore_index else cost(row, k, **more) for row, k in rows]
    return np.reshape(found, np.shape(labels))


def classes_last(x: Array) -> Array:
    return np.moveaxis(x, 1, -1) if np.ndim(x) > 2 else x


def smoothed(row: Array, k: int, weight: Array, label_smoothing: float) -> float:
    even = label_smoothing / len(row)
    hard = (1 - label_smoothing) * weight[k] * -log_p(row)[k]
    return hard + even * sum(w * -v for w, v in zip(weight, log_p(row), strict=True))


def cross_entropy(
    x: Array, target: Array, weight: Any = None, ignore_index: int = -100,
    reduction: str = "mean", label_smoothing: float = 0.0,
) -> Any:  # fmt: skip
    w = np.ones(np.shape(x)[1 if np.ndim(x) > 1 else 0]) if weight is None else np.asarray(weight)
    x = classes_last(x)
    if np.asarray(target).dtype.kind == "f":
        t = classes_last(target) * (1 - label_smoothing) + label_smoothing / len(w)
        each = -(t * w * np.apply_along_axis(log_p, -1, x)).sum(-1)
        return finish(each, reduction)
    each = by_rows(smoothed, x, target, ignore_index, weight=w, label_smoothing=label_smoothing)
    return finish(each, reduction, sum(w[k] for k in np.ravel(target) if k != ignore_index))


def nll(
    x: Array, target: Array, weight: Any = None, ignore_index: int = -100, reduction: str = "mean"
) -> Any:
    x = classes_last(x)
    w = np.ones(x.shape[-1]) if weight is None else np.asarray(weight)
    each = by_rows(lambda row, k: -row[k] * w[k], x, target, ignore_index)
    return finish(each, reduction, sum(w[k] for k in np.ravel(target) if k != ignore_index))


def multi_margin(
    x: Array, target: Array, p: int = 1, margin: float = 1.0, weight: Any = None,
    reduction: str = "mean",
) -> Any:  # fmt: skip
    w = np.ones(np.shape(x)[-1]) if weight is None else np.asarray(weight)

    def cost(row: Array, k: int) -> float:
        gaps = [max(0.0, margin - row[k] + row[c]) ** p for c in range(len(row)) if c != k]
        return w[k] * sum(gaps) / len(row)

    return finish(by_rows(cost, x, target), reduction)


samples(
    "one_hot",
    lambda labels, classes, dtype, ignore_index=None: (
        np.eye(classes, dtype=dtype)[np.maximum(labels, 0)] * (labels != ignore_index)[..., None]
    ),
    Sample("vector", (LABELS,), {"classes": 3, "dtype": FLOAT}),
    Sample("ignored", (PADDED,), {"classes": 3, "dtype": FLOAT, "ignore_index": -100}),
    Sample("empty", (LABELS[:0],), {"classes": 2, "dtype": FLOAT}),
)
samples(
    "count_labels",
    lambda labels, ignore_index, dtype: sum(k != ignore_index for k in labels.ravel().tolist()),
    Sample("all", (LABELS,), {"ignore_index": -100, "dtype": FLOAT}),
    Sample("ignored", (PADDED,), {"ignore_index": -100, "dtype": FLOAT}),
    Sample("none", (LABELS[:0],), {"ignore_index": None, "dtype": FLOAT}),
)
ROWS = [
    Sample("rows", (SCORES, LABELS), {"ignore_index": -100}),
    Sample("one row", (SCORES[0], np.array(1)), {"ignore_index": -100}),
    Sample("sequences", (values("seq", (2, 2, 3)), PIXELS[:, :2]), {"ignore_index": -100}),
    Sample("ignored", (SCORES, PADDED), {"ignore_index": -100}),
    Sample("ignored class", (SCORES, LABELS), {"ignore_index": 0}),
    Sample("nothing ignored", (SCORES, LABELS), {"ignore_index": None}),
    Sample("empty batch", (NOTHING, LABELS[:0]), {"ignore_index": -100}),
]


def slope(x: Array, labels: Array, ignore_index: int | None) -> Array:
    found = [
        [(math.exp(v) - (c == k)) * (k != ignore_index) for c, v in enumerate(log_p(row))]
        for row, k in zip(np.reshape(x, (-1, 3)), np.ravel(labels), strict=True)
    ]
    return np.reshape(found, np.shape(x))


samples(
    "cross_entropy_rows",
    lambda x, labels, ignore_index: by_rows(lambda row, k: -log_p(row)[k], x, labels, ignore_index),
    *ROWS,
)
samples(
    "cross_entropy_mean",
    lambda x, labels, ignore_index: cross_entropy(x, labels, ignore_index=ignore_index),
    *[sample for sample in ROWS if sample.inputs[0].ndim < 3 and len(sample.inputs[0])],
)
samples("cross_entropy_slope", slope, *ROWS)
samples(
    "nll_rows",
    lambda x, labels, ignore_index: by_rows(lambda row, k: -row[k], x, labels, ignore_index),
    *ROWS,
)
samples(
    "soft_cross_entropy_rows",
    lambda x, t: -(t * np.apply_along_axis(log_p, -1, x)).sum(-1) if x.size else np.zeros(0),
    Sample("rows", (SCORES, SHARES)),
    Sample("one row", (SCORES[0], SHARES[0])),
    Sample("empty batch", (NOTHING, NOTHING)),
)
samples(
    "cross_entropy",
    cross_entropy,
    *reductions(SCORES, LABELS),
    Sample("one row", (SCORES[0], np.array(1))),
    Sample("images", (IMAGES, PIXELS)),
    Sample("ignored", (SCORES, PADDED)),
    Sample("weight", (SCORES, LABELS), {"weight": WEIGHT}),
    Sample("smoothing", (SCORES, LABELS), {"label_smoothing": 0.1}),
    Sample("all options", (IMAGES, PIXELS),
           {"weight": WEIGHT, "ignore_index": 1, "label_smoothing": 0.3}),
    Sample("all options, kept", (SCORES, PADDED),
           {"weight": WEIGHT, "label_smoothing": 0.3, "reduction": "none"}),
)  # fmt: skip
samples(
    "nll_loss",
    nll,
    *reductions(SCORES, LABELS),
    Sample("one row", (SCORES[0], np.array(1))),
    Sample("images", (IMAGES, PIXELS), {"ignore_index": 2}),
    Sample("weight", (SCORES, PADDED), {"weight": WEIGHT}),
)
samples(
    "multi_margin_loss",
    multi_margin,
    *reductions(SCORES, LABELS),
    Sample("squares", (SCORES, LABELS), {"p": 2, "margin": 0.5}),
    Sample("weight", (SCORES, LABELS), {"weight": WEIGHT}),
)
