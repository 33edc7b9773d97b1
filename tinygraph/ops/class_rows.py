"""Rows of scores, the classes last, and what their labels cost: the ops behind `class_loss`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import (
    DtypeError,
    IndexRangeError,
    compose_message,
    describe,
)
from ..core.modes import module_path
from ..core.op import Op, op
from ..core.storage import Array
from ..core.sums import LONGEST_ROW, VECTORS_OF_ONES, sum_axes
from .reduce import as_floating, sum
from .shape import expand_dims
from .softmax import log_softmax, softmax

# ---- labels: checked once a batch ---------------------------------------------------------------


def check_labels(scores: Any, labels: Any, *, ignore_index: Any) -> dict[str, Any]:
    """Raise unless labels are class numbers; ``ignore_index`` (if not None) is one more."""
    if labels.dtype.kind not in "iu":
        raise DtypeError(
            compose_message(
                "labels are class numbers", describe(labels),
                "dtype=int, as in labels.astype(np.int64)", module_path(),
            )
        )  # fmt: skip
    classes = scores.shape[-1]
    lowest, highest = (labels.min(), labels.max()) if labels.size else (0, 0)
    if lowest < 0 or highest >= classes:
        wrong = labels[((labels < 0) | (labels >= classes)) & (labels != ignore_index)]
        if wrong.size:
            raise IndexRangeError(
                compose_message(
                    f"labels go from 0 to {classes - 1} for {classes} classes",
                    f"label {wrong[0]}",
                    "number the classes from 0, or widen the last layer",
                    module_path(),
                )
            )
    return {"ignore_index": ignore_index}


def _kept(labels: Array, ignore_index: int | None) -> Array | None:
    """Return where labels count, None where all do: the common case."""
    if ignore_index is None:
        return None
    ignored = np.equal(labels, ignore_index)
    return ~ignored if np.count_nonzero(ignored) else None


def _places(rows: Array, labels: Array) -> tuple[Array, Any]:
    """Return rows as a matrix, and the index in it of each row's label."""
    flat = rows.reshape(labels.size, rows.shape[-1])
    return flat, (np.arange(labels.size), labels.reshape(-1))


def _pick(rows: Array, labels: Array) -> Array:
    """Return each row's number at its label; all labels have been checked.

    A place in one vector is found in half the time of one in a matrix.
    """
    width = max(rows.shape[-1], 1)
    numbers = labels.reshape(-1).astype(np.intp, copy=False)
    places = np.arange(0, labels.size * width, width) + numbers
    return rows.reshape(-1).take(places).reshape(labels.shape)


# ---- ops on rows --------------------------------------------------------------------------------


def _one_hot(labels: Array, *, classes: int, dtype: Any, ignore_index: int | None = None) -> Array:
    labels = np.asarray(labels)
    kept = _kept(labels, ignore_index)
    result = np.zeros((*labels.shape, classes), dtype)
    flat, places = _places(result, labels if kept is None else np.where(kept, labels, 0))
    flat[places] = 1 if kept is None else kept.reshape(-1)
    return result


one_hot = op(
    "one_hot", _one_hot, kind="index", formula="1 at the label, 0 elsewhere",
    doc="Turn class numbers into rows with a single 1 (of ``classes`` lengths, in ``dtype``).",
)  # fmt: skip


def _count_labels(labels: Array, *, ignore_index: int | None, dtype: Any) -> Array:
    labels = np.asarray(labels)
    kept = _kept(labels, ignore_index)
    return np.asarray(labels.size if kept is None else np.count_nonzero(kept), dtype)


count_labels = op(
    "count_labels", _count_labels, kind="index", label="n",
    formula="number of labels but ignore_index",
    doc="Count the labels that are not ignored, as a float.",
)  # fmt: skip


def _top(logits: Array) -> Array:
    """Return the largest number of each row as a column."""
    return np.maximum.reduce(logits, axis=-1, keepdims=True, initial=-np.inf)


def _row_sums(weights: Array) -> Array:
    """Add up each row, as a product with ones where BLAS can."""
    width = weights.shape[-1]
    if weights.flags.c_contiguous and 0 < width <= LONGEST_ROW:
        ones = VECTORS_OF_ONES.get(weights.dtype)
        if ones is not None:
            return weights.dot(ones[:width])  # type: ignore[no-any-return]
    return sum_axes(weights, (weights.ndim - 1,))


def _costs(logits: Array, labels: Array, ignore_index: int | None) -> tuple[Array, Array | None]:
    """Return the cost of each row, and which rows count (None: all)."""
    logits, labels = as_floating(logits), np.asarray(labels)
    kept = _kept(labels, ignore_index)
    shifted = logits - _top(logits)
    total = np.log(_row_sums(np.exp(shifted)))
    if kept is None:
        return np.asarray(total - _pick(shifted, labels)), None
    rows = total - _pick(shifted, np.where(kept, labels, 0))
    return np.asarray(np.where(kept, rows, 0), logits.dtype), kept


def _cross_entropy_rows(logits: Array, labels: Array, *, ignore_index: int | None) -> Array:
    return _costs(logits, labels, ignore_index)[0]


def _cross_entropy_slope(logits: Array, labels: Array, *, ignore_index: int | None) -> Array:
    logits, labels = as_floating(logits), np.asarray(labels)
    kept = _kept(labels, ignore_index)
    slope = np.ascontiguousarray(logits - _top(logits))  # so that the matrix below is a view
    np.exp(slope, out=slope)
    slope /= _row_sums(slope)[..., None]
    flat, places = _places(slope, labels if kept is None else np.where(kept, labels, 0))
    flat[places] -= 1
    if kept is not None:
        slope[~kept] = 0
    return slope


def _slope_vjp(g: Any, y: Any, logits: Any, labels: Any, *, ignore_index: int | None) -> Any:
    """Differentiate softmax − one-hot: the table does not change; ignored rows are 0."""
    p = y + one_hot(labels, classes=logits.shape[-1], dtype=logits.dtype, ignore_index=ignore_index)
    weighted = g * p
    return weighted - p * sum(weighted, axis=-1, keepdims=True)


cross_entropy_slope: Op = op(
    "cross_entropy_slope", _cross_entropy_slope, kind="row", label="softmax − 1ₖ",
    formula="softmax(x) − one_hot(label)", local=["the derivative of softmax", ""],
    saves="y labels", discrete=[1], quiet=True, vjps=[_slope_vjp, None],
    doc="Derivative of each row's cross-entropy by its logits; 0 in rows that are ignored.",
)  # fmt: skip

cross_entropy_rows = op(
    "cross_entropy_rows", _cross_entropy_rows, kind="reduce", label="CE",
    formula="log Σ exp(x) − x[label]", local=["softmax(x) − one_hot(label)", ""],
    saves="logits labels", discrete=[1], prepare=check_labels, quiet=True,
    vjps=[
        lambda g, y, logits, labels, *, ignore_index: expand_dims(g, axis=-1)
        * cross_entropy_slope(logits, labels, ignore_index=ignore_index),
        None,
    ],
    doc="Cross-entropy of each row of logits (…, C) with its label (…); 0 where it is ignored.",
)  # fmt: skip


def _cross_entropy_mean(logits: Array, labels: Array, *, ignore_index: int | None) -> Any:
    rows, kept = _costs(logits, labels, ignore_index)
    count = rows.size if kept is None else np.count_nonzero(kept)
    return np.add.reduce(rows, axis=None) / rows.dtype.type(count)


cross_entropy_mean = op(
    "cross_entropy_mean", _cross_entropy_mean, kind="reduce", label="CE",
    formula="Σ (log Σ exp(x) − x[label]) / n", local=["(softmax(x) − one_hot(label)) / n", ""],
    saves="logits labels", discrete=[1], prepare=check_labels, quiet=True,
    vjps=[
        lambda g, y, logits, labels, *, ignore_index: (
            g / count_labels(labels, ignore_index=ignore_index, dtype=logits.dtype)
        ) * cross_entropy_slope(logits, labels, ignore_index=ignore_index),
        None,
    ],
    doc="Mean of cross_entropy_rows over the labels that are not ignored: what training runs.",
)  # fmt: skip


def _soft_rows(logits: Array, targets: Array) -> Array:
    logits = as_floating(logits)
    shifted = logits - _top(logits)
    total = np.log(np.add.reduce(np.exp(shifted), axis=-1, keepdims=True))
    costs = np.where(np.equal(targets, 0), 0, targets * (total - shifted))
    return np.asarray(np.add.reduce(costs, axis=-1))


soft_cross_entropy_rows = op(
    "soft_cross_entropy_rows", _soft_rows, kind="reduce", label="CE", quiet=True,
    formula="Σ t · (log Σ exp(x) − x)", saves="logits targets",
    local=["softmax(x) · Σ t − t", "−log_softmax(x)"],
    vjps=[
        lambda g, y, logits, targets: expand_dims(g, axis=-1)
        * (softmax(logits) * sum(targets, axis=-1, keepdims=True) - targets),
        lambda g, y, logits, targets: -(expand_dims(g, axis=-1) * log_softmax(logits)),
    ],
    doc="Cross-entropy of each row of logits with a row of weights t; a class with t = 0 is free.",
)  # fmt: skip


def _nll_rows(scores: Array, labels: Array, *, ignore_index: int | None) -> Array:
    scores, labels = as_floating(scores), np.asarray(labels)
    kept = _kept(labels, ignore_index)
    if kept is None:
        return np.asarray(-_pick(scores, labels))
    rows = -_pick(scores, np.where(kept, labels, 0))
    return np.asarray(np.where(kept, rows, 0), scores.dtype)


nll_rows = op(
    "nll_rows", _nll_rows, kind="index", label="NLL",
    formula="−x[label]", local=["−one_hot(label)", ""],
    saves="labels", discrete=[1], prepare=check_labels,
    vjps=[
        lambda g, y, scores, labels, *, ignore_index: -(
            expand_dims(g, axis=-1)
            * one_hot(
                labels, classes=scores.shape[-1], dtype=scores.dtype, ignore_index=ignore_index
            )
        ),
        None,
    ],
    doc="The negated score of each row's label; 0 where the label is ignored.",
)  # fmt: skip
