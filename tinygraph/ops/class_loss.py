"""Losses over classes: cross-entropy of labels or probabilities, negative log-likelihood, margin.

Classes are axis 1, as in PyTorch; the ops of `class_rows` have them last.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ..core.errors import (
    IndexRangeError,
    ShapeError,
    UsageError,
    compose_message,
    describe,
    describe_all,
)
from ..core.modes import get_default_dtype, module_path
from ..core.op import composite
from ..core.recording import run_check
from ..core.storage import Array
from ..core.structure import cast
from ..core.tensor import Tensor
from .activation import relu
from .binary_loss import as_weight, check_not_negative
from .class_rows import (
    check_labels,
    count_labels,
    cross_entropy_mean,
    cross_entropy_rows,
    nll_rows,
    one_hot,
    soft_cross_entropy_rows,
)
from .elementwise import square
from .loss import as_operand, checked_limit, checked_reduction, reduced
from .reduce import sum
from .shape import expand_dims, transpose


def _classes_last(who: str, input: Any, target: Any) -> tuple[Any, Any, bool]:
    """Return scores with the classes last, the target to match, and whether it has probabilities.

    A floating target of the input's own shape is a table of probabilities.
    """
    input, target = as_operand(who, input), as_operand(who, target)
    if input.ndim == 0:
        raise ShapeError(
            compose_message(f"{who}: logits need an axis of classes", describe(input), "(N, C)")
        )
    soft = target.shape == input.shape and target.dtype.kind == "f"
    fitting = input.shape[:1] + input.shape[2:] if input.ndim > 1 else ()
    if not soft and target.shape != fitting:
        raise _shape_error(who, input, target, fitting)
    if input.dtype.kind != "f":
        input = cast(input, dtype=get_default_dtype())
    if input.ndim > 2:
        axes = (0, *range(2, input.ndim), 1)
        input = transpose(input, axes)
        target = transpose(target, axes) if soft else target
    return input, target, soft


def _shape_error(who: str, input: Any, target: Any, fitting: tuple[int, ...]) -> ShapeError:
    fix = "labels.argmax(axis=1) if they are one-hot, labels.squeeze() if they are (N, 1); "
    fix += "the logits come first"
    if input.ndim > 2 and target.shape == input.shape[:-1]:
        fix = "classes are axis 1, (N, C, …): logits.swapaxes(1, -1), or flatten both to rows"
    return ShapeError(
        compose_message(
            f"{who}: logits (N, C) go with labels (N,), and {input.shape} with {fitting}",
            describe_all([input, target]),
            fix,
            module_path(),
        )
    )


def _whole(who: str, name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise UsageError(compose_message(f"{who}: {name} is a whole number", describe(value)))
    return int(value)


def _class_weights(who: str, weight: Any, scores: Any) -> Any:
    """Return the weight of each class as a row, 1 by default."""
    if weight is None:
        return 1.0
    weight = as_weight(who, weight, scores)
    if weight.shape != scores.shape[-1:]:
        raise ShapeError(
            compose_message(
                f"{who}: weight has one number for each of {scores.shape[-1]} classes",
                describe(weight),
                f"shape ({scores.shape[-1]},)",
                module_path(),
            )
        )
    run_check(partial(check_not_negative, who, "weight"), weight)
    return weight


# ---- the losses ---------------------------------------------------------------------------------


@composite("Σ (log Σ exp(x) − x[label]) / n")
def cross_entropy(
    input: Any, target: Any, weight: Any = None, ignore_index: int = -100,
    reduction: str = "mean", label_smoothing: float = 0.0,
) -> Tensor:  # fmt: skip
    """Cross-entropy of ``softmax(input)`` with labels or probabilities, from the logits.

    With class weights w and smoothing ε, a row with label k costs
    ``(1 − ε) w[k] (−log p[k]) + ε/C Σ w[c] (−log p[c])``, and the mean divides by the sum of
    the w[k].

    Parameters
    ----------
    input : Tensor or ndarray, shape (N, C), (C,) or (N, C, d1, …)
        Logits: unnormalized log-probabilities, classes along axis 1. Do not apply softmax.
    target : Tensor or ndarray
        Class numbers from 0 to C − 1, integers of shape (N,), () or (N, d1, …), checked once
        a batch; or probabilities, floats of the shape of the input.
    weight : array-like, shape (C,), optional
        A weight for each class, against unbalanced data.
    ignore_index : int
        A label that costs nothing, such as padding.
    reduction : {"mean", "sum", "none"}
        The mean is over labels that are not ignored, weighted by ``weight``; over rows for
        probabilities.
    label_smoothing : float
        The share ε of the target that is spread evenly over the classes (Szegedy 2016).

    Raises
    ------
    ShapeError, DtypeError, IndexRangeError
        If the labels do not fit the logits, are not integers, or are out of range.
    UsageError
        If ``label_smoothing`` lies outside [0, 1], or a class weight below 0.

    Examples
    --------
    >>> import tinygraph as tg
    >>> loss = tg.nn.functional.cross_entropy(tg.zeros(1, 2), tg.tensor([0]))
    >>> round(float(loss), 4)
    0.6931
    """
    who = "cross_entropy"
    checked_reduction(who, reduction)
    smoothing = checked_smoothing(who, label_smoothing)
    ignored = _whole(who, "ignore_index", ignore_index)
    logits, target, soft = _classes_last(who, input, target)
    weights = _class_weights(who, weight, logits)
    if not soft and weight is None and not smoothing:
        if reduction == "mean":
            return cross_entropy_mean(logits, target, ignore_index=ignored)
        return reduced(cross_entropy_rows(logits, target, ignore_index=ignored), reduction)
    classes = logits.shape[-1]
    if soft:
        run_check(_check_distribution, target)
        spread = (1 - smoothing) * target + smoothing / classes if smoothing else target
        return reduced(soft_cross_entropy_rows(logits, spread * weights), reduction)
    run_check(partial(check_labels, ignore_index=ignored), logits, target)
    table = one_hot(target, classes=classes, dtype=logits.dtype, ignore_index=ignored)
    hard = table * weights
    even = sum(table, axis=-1, keepdims=True) * weights * (smoothing / classes)
    rows = soft_cross_entropy_rows(logits, (1 - smoothing) * hard + even)
    return sum(rows) / sum(hard) if reduction == "mean" else reduced(rows, reduction)


def checked_smoothing(who: str, value: Any) -> float:
    """Return the share of the target to spread, a number from 0 to 1."""
    checked_limit(who, "label_smoothing", value, zero=True)
    if value > 1:
        raise UsageError(f"{who}: label_smoothing is a share, from 0 to 1. Received {value}.")
    return float(value)


def _check_distribution(values: Array) -> None:
    """Raise unless probabilities are from 0 to 1; they need not add up to 1 exactly."""
    if values.size and not (values.min() >= 0 and values.max() <= 1.001):
        raise IndexRangeError(
            compose_message(
                "cross_entropy: a floating target of the shape of the logits has probabilities, "
                "between 0 and 1",
                f"values from {values.min()} to {values.max()}",
                "class numbers with dtype=int, or tg.softmax(target)",
                module_path(),
            )
        )


@composite("−Σ x[label] / n")
def nll_loss(
    input: Any, target: Any, weight: Any = None, ignore_index: int = -100, reduction: str = "mean"
) -> Tensor:
    """Negative log-likelihood of labels, from log-probabilities.

    ``nll_loss(log_softmax(x), y)`` is ``cross_entropy(x, y)``.

    Parameters
    ----------
    input : Tensor or ndarray, shape (N, C), (C,) or (N, C, d1, …)
        Log-probabilities, classes along axis 1.
    target : Tensor or ndarray of integers, shape (N,), () or (N, d1, …)
        Class numbers from 0 to C − 1, checked once a batch.
    weight, ignore_index, reduction
        As for :func:`cross_entropy`.

    Raises
    ------
    ShapeError, DtypeError, IndexRangeError
        If the labels do not fit the input, are not integers, or are out of range.
    UsageError
        If a class weight is below 0.

    Examples
    --------
    >>> import tinygraph as tg
    >>> log_p = tg.log(tg.tensor([[0.25, 0.75]]))
    >>> round(float(tg.nn.functional.nll_loss(log_p, tg.tensor([0]))), 4)
    1.3863
    """
    checked_reduction("nll_loss", reduction)
    ignored = _whole("nll_loss", "ignore_index", ignore_index)
    scores, target, soft = _classes_last("nll_loss", input, target)
    if soft and target.ndim:
        raise _shape_error("nll_loss", scores, target, scores.shape[:-1])
    rows = nll_rows(scores, target, ignore_index=ignored)
    if weight is None:
        count = count_labels(target, ignore_index=ignored, dtype=rows.dtype)
        return sum(rows) / count if reduction == "mean" else reduced(rows, reduction)
    chosen = _weights_of_labels("nll_loss", weight, scores, target, ignored)
    rows = rows * chosen
    return sum(rows) / sum(chosen) if reduction == "mean" else reduced(rows, reduction)


def _weights_of_labels(who: str, weight: Any, scores: Any, labels: Any, ignored: Any) -> Any:
    """Return the weight of each row: that of its label, 0 where it is ignored."""
    weights = _class_weights(who, weight, scores)
    classes = scores.shape[-1]
    table = one_hot(labels, classes=classes, dtype=scores.dtype, ignore_index=ignored)
    return sum(table * weights, axis=-1)


@composite("Σ maximum(margin − x[label] + x, 0)ᵖ / C, averaged")
def multi_margin_loss(
    input: Any, target: Any, p: int = 1, margin: float = 1.0, weight: Any = None,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Hinge loss over classes: ``Σ_{c≠k} max(0, margin − x[k] + x[c])ᵖ / C`` for label k.

    Parameters
    ----------
    input : Tensor or ndarray, shape (N, C) or (C,)
        Scores.
    target : Tensor or ndarray of integers, shape (N,) or ()
        Class numbers from 0 to C − 1.
    p : {1, 2}
    margin : float
        By how much the label's score must exceed the others.
    weight : array-like, shape (C,), optional
        A weight for each class, applied to rows with that label.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ShapeError, DtypeError, IndexRangeError
        If the labels do not fit the scores, are not integers, or are out of range.
    UsageError
        If a class weight is below 0.

    Examples
    --------
    >>> import tinygraph as tg
    >>> float(tg.nn.functional.multi_margin_loss(tg.tensor([[0.5, 1.0]]), tg.tensor([0])))
    0.75
    """
    who = "multi_margin_loss"
    checked_reduction(who, reduction)
    if p not in (1, 2):
        raise UsageError(f"{who}: p is 1 or 2. Received {p!r}.")
    checked_limit(who, "margin", margin, zero=True)
    scores, target, soft = _classes_last(who, input, target)
    if soft and target.ndim:
        raise _shape_error(who, scores, target, scores.shape[:-1])
    own = -nll_rows(scores, target, ignore_index=None)
    gaps = relu(scores - expand_dims(own, axis=-1) + float(margin))
    others = 1 - one_hot(target, classes=scores.shape[-1], dtype=scores.dtype)
    costs = (square(gaps) if p == 2 else gaps) * others
    rows = sum(costs, axis=-1) / scores.shape[-1]
    if weight is not None:
        rows = rows * _weights_of_labels(who, weight, scores, target, None)
    return reduced(rows, reduction)
