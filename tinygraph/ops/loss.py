"""Losses: mean squared error, cross-entropy and binary cross-entropy, from logits."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.dtypes import as_array
from ..core.errors import (
    DtypeError,
    IndexRangeError,
    ShapeError,
    UsageError,
    compose_message,
    describe,
    describe_all,
)
from ..core.modes import module_path
from ..core.op import composite, op
from ..core.storage import Array
from ..core.tensor import Tensor
from .activation import sigmoid
from .elementwise import square
from .reduce import as_floating, mean, softmax, sum
from .shape import expand_dims


def checked_reduction(who: str, reduction: Any) -> str:
    """Return ``reduction`` if it is one."""
    if isinstance(reduction, str) and reduction in ("mean", "sum", "none"):
        return reduction
    raise UsageError(
        compose_message(
            f"{who}: reduction is 'mean', 'sum' or 'none'",
            describe(reduction),
            f"{who}(…, reduction='mean'); prediction and target belong into the call",
        )
    )


def reduced(losses: Any, reduction: str) -> Tensor:
    """Average, add or keep the losses of single elements."""
    if reduction == "mean":
        return mean(losses)
    return sum(losses) if reduction == "sum" else losses


def _operand(who: str, value: Any) -> Any:
    """Return a tensor or an array; numbers and lists become arrays."""
    if isinstance(value, Tensor):
        return value
    try:
        return as_array(value)
    except DtypeError as error:
        raise DtypeError(compose_message(f"{who}: {error}", where=module_path())) from error


def check_same_shape(who: str, prediction: Any, target: Any) -> tuple[Any, Any]:
    """Raise unless prediction and target have one shape: broadcasting would make a table."""
    prediction, target = _operand(who, prediction), _operand(who, target)
    if prediction.shape != target.shape:
        fix = "reshape one of them"
        if prediction.shape == (*target.shape, 1):
            fix = "y[:, None] for the target"
        elif target.shape == (*prediction.shape, 1):
            fix = "target.squeeze(-1), or y[:, None] for the prediction"
        raise ShapeError(
            compose_message(
                f"{who}: prediction and target must have the same shape",
                describe_all([prediction, target]),
                fix,
                module_path(),
            )
        )
    return prediction, target


@composite("Σ (a − b)² / n")
def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:
    """Mean squared error.

    Parameters
    ----------
    input, target : Tensor or ndarray
        Of equal shapes; nothing is broadcast.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ShapeError
        If the shapes differ.

    Examples
    --------
    >>> import tinygraph as tg
    >>> float(tg.nn.functional.mse_loss(tg.ones(2), tg.zeros(2)))
    1.0
    """
    checked_reduction("mse_loss", reduction)
    input, target = check_same_shape("mse_loss", input, target)
    return reduced(square(input - target), reduction)


def _binary_cross_entropy(x: Array, t: Array) -> Array:
    """Compute log(1 + eˣ) − x t so that nothing cancels where the answer is right."""
    return np.maximum(x, 0) - x * t + np.log1p(np.exp(-np.abs(x)))  # type: ignore[no-any-return]


binary_cross_entropy_elements = op(
    "binary_cross_entropy_elements", _binary_cross_entropy, label="BCE", quiet=True, saves="x t",
    formula="log(1 + exp(x)) − x · t", local=["(1 − t) · sigmoid(x) − t · sigmoid(−x)", "−x"],
    vjps=[
        lambda g, y, x, t: g * ((1 - t) * sigmoid(x) - t * sigmoid(-x)),
        lambda g, y, x, t: -(g * x),
    ],
    doc="Binary cross-entropy of each logit with its target, accurate from −∞ to ∞.",
)  # fmt: skip


@composite("Σ (log(1 + exp(x)) − x · t) / n")
def binary_cross_entropy_with_logits(input: Any, target: Any, reduction: str = "mean") -> Tensor:
    """Binary cross-entropy of ``sigmoid(input)``, computed from the logits without overflow.

    Parameters
    ----------
    input : Tensor or ndarray
        Logits, any shape.
    target : Tensor or ndarray
        Probabilities in [0, 1] (0 and 1 for labels), of the same shape.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ShapeError
        If the shapes differ.
    IndexRangeError
        If a target lies outside [0, 1].

    Examples
    --------
    >>> import tinygraph as tg
    >>> loss = tg.nn.functional.binary_cross_entropy_with_logits(tg.zeros(1), tg.ones(1))
    >>> round(float(loss), 4)
    0.6931
    """
    who = "binary_cross_entropy_with_logits"
    checked_reduction(who, reduction)
    input, target = check_same_shape(who, input, target)
    values = target._data if isinstance(target, Tensor) else target
    if values.size and not (values.min() >= 0 and values.max() <= 1):
        raise IndexRangeError(
            compose_message(
                f"{who}: targets lie between 0 and 1",
                f"values from {values.min()} to {values.max()}",
                "labels are 0 and 1",
                module_path(),
            )
        )
    return reduced(binary_cross_entropy_elements(input, target), reduction)


# ---- cross-entropy over classes ------------------------------------------------------------


def _check_labels(logits: Any, labels: Any) -> dict[str, Any]:
    if logits.ndim < 1 or labels.shape != logits.shape[:-1]:
        raise ShapeError(
            compose_message(
                "cross_entropy: logits (N, C) go with labels (N,)",
                describe_all([logits, labels]),
                "labels.argmax(axis=1) if they are one-hot, labels.squeeze() if they are (N, 1); "
                "the logits come first",
                module_path(),
            )
        )
    if labels.dtype.kind not in "iu":
        raise DtypeError(
            compose_message(
                "cross_entropy: labels are class numbers",
                describe(labels),
                "dtype=int, as in labels.astype(np.int64)",
                module_path(),
            )
        )
    classes = logits.shape[-1]
    if labels.size and not (labels.min() >= 0 and labels.max() < classes):
        wrong = labels.min() if labels.min() < 0 else labels.max()
        raise IndexRangeError(
            compose_message(
                f"cross_entropy: labels go from 0 to {classes - 1} for {classes} classes",
                f"label {wrong}",
                "number the classes from 0, or widen the last layer",
                module_path(),
            )
        )
    return {}


def _cross_entropy_rows(logits: Array, labels: Array) -> Array:
    logits = as_floating(logits)
    shifted = logits - np.max(logits, axis=-1, keepdims=True, initial=-np.inf)
    total = np.log(np.add.reduce(np.exp(shifted), axis=-1, keepdims=True))
    picked = np.take_along_axis(shifted, np.asarray(labels)[..., None], axis=-1)
    return np.asarray((total - picked)[..., 0])


def _one_hot(labels: Array, *, classes: int, dtype: Any) -> Array:
    result = np.zeros((*labels.shape, classes), dtype)
    np.put_along_axis(result, np.asarray(labels)[..., None], 1, axis=-1)
    return result


one_hot = op(
    "one_hot", _one_hot, kind="index", formula="1 at the label, 0 elsewhere",
    doc="Turn class numbers into rows with a single 1 (of ``classes`` lengths, in ``dtype``).",
)  # fmt: skip

cross_entropy_rows = op(
    "cross_entropy_rows", _cross_entropy_rows, kind="reduce", label="CE",
    formula="log Σ exp(x) − x[label]", local=["softmax(x) − one_hot(label)", ""],
    saves="logits labels",
    discrete=[1], prepare=_check_labels, quiet=True,
    vjps=[
        lambda g, y, logits, labels: expand_dims(g, axis=-1)
        * (softmax(logits) - one_hot(labels, classes=logits.shape[-1], dtype=logits.dtype)),
        None,
    ],
    doc="Cross-entropy of each row of logits (…, C) with its label (…).",
)  # fmt: skip


@composite("Σ (log Σ exp(x) − x[label]) / n")
def cross_entropy(input: Any, target: Any, reduction: str = "mean") -> Tensor:
    """Cross-entropy of ``softmax(input)`` with class numbers, computed from the logits.

    Parameters
    ----------
    input : Tensor or ndarray, shape (N, C) or (C,)
        Logits: unnormalized log-probabilities. Do not apply softmax before.
    target : Tensor or ndarray of integers, shape (N,) or ()
        Class numbers from 0 to C − 1, checked once a batch.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ShapeError, DtypeError, IndexRangeError
        If the labels do not fit the logits, are not integers, or are out of range.

    Examples
    --------
    >>> import tinygraph as tg
    >>> loss = tg.nn.functional.cross_entropy(tg.zeros(1, 2), tg.tensor([0]))
    >>> round(float(loss), 4)
    0.6931
    """
    checked_reduction("cross_entropy", reduction)
    logits, labels = _operand("cross_entropy", input), _operand("cross_entropy", target)
    return reduced(cross_entropy_rows(logits, labels), reduction)
