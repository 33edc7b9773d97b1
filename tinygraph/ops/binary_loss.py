"""Losses of yes-or-no answers: binary cross-entropy from logits or probabilities, hinge."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ..core.errors import IndexRangeError, ShapeError, UsageError, compose_message, describe_all
from ..core.modes import module_path
from ..core.op import composite, op
from ..core.recording import run_check
from ..core.storage import Array
from ..core.structure import cast
from ..core.tensor import Tensor
from .activation import sigmoid, softplus, softplus_of_minus_abs
from .elementwise import log, maximum, where
from .loss import as_operand, check_same_shape, checked_limit, checked_reduction, reduced

SMALLEST_LOG = -100.0
"""Logarithms of probabilities end here, as in PyTorch: an impossible label costs 100, not inf."""


def _check_unit(who: str, what: str, values: Any, fix: str) -> None:
    """Raise unless all values lie between 0 and 1."""
    array = np.asarray(values)
    if array.size and not (array.min() >= 0 and array.max() <= 1):
        raise IndexRangeError(
            compose_message(
                f"{who}: {what} lie between 0 and 1",
                f"values from {array.min()} to {array.max()}",
                fix,
                module_path(),
            )
        )


def _check_targets(x: Any, t: Any) -> dict[str, Any]:
    _check_unit("binary_cross_entropy_with_logits", "targets", t, "labels are 0 and 1")
    return {}


def _check_probabilities(p: Any, t: Any) -> dict[str, Any]:
    who = "binary_cross_entropy"
    _check_unit(who, "predictions", p, "sigmoid(logits), or better: " + who + "_with_logits")
    _check_unit(who, "targets", t, "labels are 0 and 1")
    return {}


def _from_logits(x: Array, t: Array) -> Array:
    """Compute log(1 + eˣ) − x t so that nothing cancels where the answer is right."""
    return np.maximum(x, 0) - x * t + softplus_of_minus_abs(x)  # type: ignore[no-any-return]


binary_cross_entropy_elements = op(
    "binary_cross_entropy_elements", _from_logits, label="BCE", quiet=True, saves="x t",
    formula="log(1 + exp(x)) − x · t", local=["(1 − t) · sigmoid(x) − t · sigmoid(−x)", "−x"],
    vjps=[
        lambda g, y, x, t: g * ((1 - t) * sigmoid(x) - t * sigmoid(-x)),
        lambda g, y, x, t: -(g * x),
    ],
    prepare=_check_targets,
    doc="Binary cross-entropy of each logit with its target, accurate from −∞ to ∞.",
)  # fmt: skip


def _from_probabilities(p: Array, t: Array) -> Any:
    yes, no = np.maximum(np.log(p), SMALLEST_LOG), np.maximum(np.log1p(-p), SMALLEST_LOG)
    return -(t * yes + (1 - t) * no)


def _log_odds(p: Any) -> Any:
    return maximum(log(p), SMALLEST_LOG) - maximum(log(1 - p), SMALLEST_LOG)


binary_cross_entropy_of_probabilities = op(
    "binary_cross_entropy_of_probabilities", _from_probabilities, label="BCE", quiet=True,
    formula="−t · maximum(log(p), −100) − (1 − t) · maximum(log(1 − p), −100)",
    local=["(p − t) / maximum(p · (1 − p), 1e−12)",
           "maximum(log(1 − p), −100) − maximum(log(p), −100)"],
    saves="p t", prepare=_check_probabilities,
    vjps=[
        lambda g, y, p, t: g * ((p - t) / maximum(p * (1 - p), 1e-12)),
        lambda g, y, p, t: -(g * _log_odds(p)),
    ],
    kinks="finite at 0 and 1: logarithms end at −100, the derivative divides by 1e−12 at least",
    doc="Binary cross-entropy of each probability with its target.",
)  # fmt: skip


@composite("Σ (log(1 + exp(x)) − x · t) / n")
def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean", pos_weight: Any = None,
) -> Tensor:  # fmt: skip
    """Binary cross-entropy of ``sigmoid(input)``, computed from the logits without overflow.

    Parameters
    ----------
    input : Tensor or ndarray
        Logits, any shape.
    target : Tensor or ndarray
        Probabilities in [0, 1] (0 and 1 for labels), of the same shape.
    weight : array-like, optional
        Multiplies the loss of each element; must broadcast to the input.
    reduction : {"mean", "sum", "none"}
    pos_weight : array-like, optional
        Multiplies the part of the positive answers: above 1 it favours recall. Must
        broadcast to the input.

    Raises
    ------
    ShapeError
        If the shapes differ.
    IndexRangeError
        If a target lies outside [0, 1].
    UsageError
        If ``pos_weight`` is below 0.

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
    if pos_weight is None:
        losses = binary_cross_entropy_elements(input, target)
    else:
        run_check(_check_targets, input, target)
        pos_weight = _spread_weight(who, pos_weight, input)
        run_check(partial(check_not_negative, who, "pos_weight"), pos_weight)
        if target.dtype.kind != "f":  # weight · target of two arrays would widen to float64
            target = cast(target, dtype=pos_weight.dtype)
        yes = pos_weight * target * softplus(-input)
        losses = yes + (1 - target) * softplus(input)
    return reduced(_weighted(who, losses, weight), reduction)


@composite("−Σ (t · log(p) + (1 − t) · log(1 − p)) / n")
def binary_cross_entropy(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean"
) -> Tensor:
    """Binary cross-entropy of probabilities. From logits it is more accurate and never clamped.

    Logarithms end at −100 and the derivative divides by at least 1e−12, as in PyTorch, so
    that an impossible label has a large but finite loss.

    Parameters
    ----------
    input : Tensor or ndarray
        Probabilities in [0, 1], as of a sigmoid.
    target : Tensor or ndarray
        Probabilities in [0, 1] (0 and 1 for labels), of the same shape.
    weight : array-like, optional
        Multiplies the loss of each element; must broadcast to the input.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ShapeError
        If the shapes differ.
    IndexRangeError
        If a prediction or a target lies outside [0, 1].

    Examples
    --------
    >>> import tinygraph as tg
    >>> loss = tg.nn.functional.binary_cross_entropy(tg.full((1,), 0.5), tg.ones(1))
    >>> round(float(loss), 4)
    0.6931
    """
    who = "binary_cross_entropy"
    checked_reduction(who, reduction)
    input, target = check_same_shape(who, input, target)
    losses = binary_cross_entropy_of_probabilities(input, target)
    return reduced(_weighted(who, losses, weight), reduction)


def as_weight(who: str, weight: Any, like: Any) -> Any:
    """Return weights in the dtype of the prediction: settings never widen a loss."""
    if isinstance(weight, str):
        raise UsageError(
            compose_message(
                f"{who}: weight is an array; the reduction goes by name",
                repr(weight),
                f"{who}(…, reduction='mean')",
            )
        )
    weight = as_operand(who, weight)
    return weight if weight.dtype == like.dtype else cast(weight, dtype=like.dtype)


def check_not_negative(who: str, name: str, values: Array) -> None:
    """Raise on a weight below 0: it would reward what is wrong, without end."""
    if values.size and not values.min() >= 0:
        raise UsageError(
            compose_message(
                f"{who}: {name} is from 0 on", f"a weight {values.min()}", where=module_path()
            )
        )


def _weighted(who: str, losses: Any, weight: Any) -> Any:
    return losses if weight is None else losses * _spread_weight(who, weight, losses)


def _spread_weight(who: str, weight: Any, like: Any) -> Any:
    """Return weights that broadcast to the losses, and raise if they would spread those."""
    weight = as_weight(who, weight, like)
    missing = len(like.shape) - len(weight.shape)
    pairs = zip(weight.shape, like.shape[max(missing, 0) :], strict=False)
    if missing < 0 or any(n not in (1, m) for n, m in pairs):
        raise ShapeError(
            compose_message(
                f"{who}: weights broadcast to the prediction",
                describe_all([like, weight]),
                "one weight for each column, or weight[:, None] for each row",
                module_path(),
            )
        )
    return weight


# ---- hinge -------------------------------------------------------------------------------------


def _check_signs(x: Any, t: Any, *, margin: float) -> dict[str, Any]:
    array = np.asarray(t)
    wrong = array[np.abs(array) != 1]
    if wrong.size:
        raise IndexRangeError(
            compose_message(
                "hinge_loss: targets are −1 and 1",
                f"a target {wrong[0]}",
                "2 * y − 1 for labels 0 and 1",
                module_path(),
            )
        )
    return {"margin": margin}


hinge_elements = op(
    "hinge_elements", lambda x, t, *, margin: np.maximum(margin - np.where(t > 0, x, -x), 0),
    formula="maximum(margin − x · t, 0)", local=["−t · (y > 0)", ""], saves="y t", discrete=[1],
    vjps=[lambda g, y, x, t, *, margin: where(t > 0, -g, g) * (y > 0), None],
    label="hinge", prepare=_check_signs, kinks="the derivative at the margin is 0",
    doc="How far an answer x is from lying beyond the margin on the side of t = ±1.",
)  # fmt: skip


@composite("Σ maximum(margin − x · t, 0) / n")
def hinge_loss(input: Any, target: Any, margin: float = 1.0, reduction: str = "mean") -> Tensor:
    """Hinge loss of support vector machines: max(0, margin − x t) for labels t = −1 and 1.

    Parameters
    ----------
    input : Tensor or ndarray
        Scores, any shape.
    target : Tensor or ndarray
        −1 and 1, of the same shape.
    margin : float
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ShapeError, IndexRangeError
        If the shapes differ, or a target is neither −1 nor 1.

    Examples
    --------
    >>> import tinygraph as tg
    >>> float(tg.nn.functional.hinge_loss(tg.tensor([0.5, -2.0]), tg.tensor([1.0, -1.0])))
    0.25
    """
    checked_reduction("hinge_loss", reduction)
    checked_limit("hinge_loss", "margin", margin, zero=True)
    input, target = check_same_shape("hinge_loss", input, target)
    return reduced(hinge_elements(input, target, margin=float(margin)), reduction)
