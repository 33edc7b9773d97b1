"""Losses by name, and the weight of a batch: what its mean was divided by."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import nn
from ..core.errors import ShapeError, UsageError, compose_message, describe
from ..core.storage import Array
from ..core.tensor import Tensor
from ..nn import functional as F

LOSSES: dict[str, type[nn.Module]] = {
    "binary_cross_entropy": nn.BCELoss,
    "binary_cross_entropy_with_logits": nn.BCEWithLogitsLoss,
    "bce": nn.BCELoss,
    "bce_with_logits": nn.BCEWithLogitsLoss,
    "cross_entropy": nn.CrossEntropyLoss,
    "hinge": nn.HingeLoss,
    "huber": nn.HuberLoss,
    "kl_div": nn.KLDivLoss,
    "l1": nn.L1Loss,
    "mae": nn.L1Loss,
    "mse": nn.MSELoss,
    "multi_margin": nn.MultiMarginLoss,
    "nll": nn.NLLLoss,
    "smooth_l1": nn.SmoothL1Loss,
}
"""The losses that go by name; the functions' own names, such as mse_loss, do too."""

AS_MODULE: dict[Any, type[nn.Module]] = {
    F.cross_entropy: nn.CrossEntropyLoss,
    F.nll_loss: nn.NLLLoss,
}
"""Functions whose mean leaves out some rows: as modules they tell which."""

CLASS_LOSSES = (nn.CrossEntropyLoss, nn.NLLLoss, nn.MultiMarginLoss)


LossFunction = Callable[[Any, Any], Any]


def as_loss(loss: Any) -> LossFunction:
    """Return a function of prediction and target.

    Raises
    ------
    UsageError
        For unknown names, classes, and losses that are no mean.
    """
    if isinstance(loss, str):
        return _by_name(loss)()
    if isinstance(loss, type):
        raise UsageError(
            f"fit: loss is a function of prediction and target, not a class. "
            f"Fix: loss={loss.__name__}()."
        )
    if not callable(loss):
        raise UsageError(
            compose_message(
                "fit: loss is a name, a loss module, or a function of prediction and target",
                describe(loss),
                'loss="cross_entropy", or loss=lambda prediction, target: …',
            )
        )
    if getattr(loss, "reduction", "mean") not in ("mean", "batchmean"):
        raise UsageError(
            f"fit: the loss of a batch is a mean, so that batches of different sizes count by "
            f"their sizes. Received reduction={loss.reduction!r}. Fix: reduction='mean'."
        )
    if loss in AS_MODULE:
        return AS_MODULE[loss]()
    return loss  # type: ignore[no-any-return]


def _by_name(name: str) -> type[nn.Module]:
    known = LOSSES.get(name) or LOSSES.get(name.removesuffix("_loss"))
    if known is None:
        close = difflib.get_close_matches(name, LOSSES, n=1)
        hint = f"loss={close[0]!r}" if close else "one of these, or a function"
        raise UsageError(
            compose_message(f"fit: losses by name are {', '.join(LOSSES)}", repr(name), hint)
        )
    return known


def prediction_of(model: Any, inputs: Any) -> Any:
    """Run a model on the inputs of a batch; raise if it returned nothing."""
    prediction = model(*inputs)
    if prediction is None:
        raise UsageError(
            f"{type(model).__name__} returned None. Fix: 'return' at the end of its forward."
        )
    return prediction


def checked_loss(result: Any) -> tuple[Tensor, Any]:
    """Return the loss that a function returned, and the weight it came with, if any.

    A function returns the loss alone, a mean over the batch, or a pair with the weight total
    that it divided by.
    """
    weight: Any = None
    if isinstance(result, tuple) and len(result) == 2:
        result, weight = result
    if not isinstance(result, Tensor):
        raise UsageError(
            compose_message(
                "The loss is a Tensor (or a pair of it and a weight)",
                describe(result),
                "compute it with tinygraph, without .item(), .numpy() or NumPy's own functions",
            )
        )
    if result.size != 1:
        raise ShapeError(
            compose_message(
                "The loss of a batch is one number", describe(result), "take its .mean()"
            )
        )
    return result, weight


def weight_of(function: LossFunction, given: Any, target: Any, rows: int) -> float:
    """Return the weight of a batch among others: what its mean was divided by.

    That is what came with the loss, or the number of rows; for losses over classes what the
    labels weigh that are not ignored.
    """
    if given is not None:
        return checked_weight(given)
    if not isinstance(function, nn.CrossEntropyLoss | nn.NLLLoss):
        return float(rows)
    labels: Array = target._data if isinstance(target, Tensor) else np.asarray(target)
    if labels.dtype.kind == "f":  # probabilities: the mean is over rows
        return float(rows)
    if function.weight is None:
        return float(np.count_nonzero(labels != function.ignore_index))
    kept = labels[labels != function.ignore_index]
    return float(function.weight.data[kept].sum(dtype=np.float64))


def checked_weight(weight: Any) -> float:
    """Return the weight that a loss came with."""
    try:
        number = float(weight)
    except (TypeError, ValueError):
        number = math.nan
    if not 0 <= number < math.inf:
        raise UsageError(
            compose_message(
                "The weight that a loss returns with its mean is a number from 0 on",
                describe(weight),
                "return mean, weights.sum()",
            )
        )
    return number
