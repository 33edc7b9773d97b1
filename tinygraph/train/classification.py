"""Metrics of classes: accuracy, and how surprised the model is by the labels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.errors import ShapeError, UsageError, compose_message, describe, describe_all
from ..core.storage import Array
from .metrics import MeanMetric


def rows_of_classes(who: str, prediction: Any, labels: Any, ignore_index: int) -> tuple[Any, Any]:
    """Return scores as rows (n, classes) with their labels (n,), without the ignored ones.

    Classes are axis 1 as in the losses, or the last axis if only that fits.
    """
    if labels.dtype.kind not in "iu":
        raise UsageError(
            compose_message(f"{who}: labels are whole numbers", describe(labels), "dtype=int")
        )
    shape = prediction.shape
    if prediction.ndim > 1 and shape[:1] + shape[2:] == labels.shape:
        prediction = np.moveaxis(prediction, 1, -1)
    elif prediction.ndim == 0 or shape[:-1] != labels.shape:
        raise ShapeError(
            compose_message(
                f"{who}: scores (N, C) go with labels (N,)", describe_all([prediction, labels])
            )
        )
    rows, flat = prediction.reshape(-1, prediction.shape[-1]), labels.reshape(-1)
    kept = flat != ignore_index
    return (rows, flat) if kept.all() else (rows[kept], flat[kept])


class Accuracy(MeanMetric):
    """The share of right answers.

    Whole-number labels (N,) are compared with the largest of the scores (N, C) or
    (N, C, d1, …). Where prediction and target have one shape, each element is a yes-or-no
    question: yes is a prediction above ``threshold``, and a target above ½.

    Parameters
    ----------
    threshold : float or None
        0 for logits, ½ for probabilities; None compares the largest scores with the largest
        targets (probabilities of classes) along axis 1.
    ignore_index : int
        A label that does not count.

    Raises
    ------
    ShapeError, UsageError
        At the first batch, for shapes or labels that do not fit.

    Notes
    -----
    By name (``metrics=["accuracy"]``) the threshold follows the loss: ½ for ``BCELoss``, None
    for losses over classes, else 0.

    Examples
    --------
    >>> import numpy as np, tinygraph as tg
    >>> metric = tg.train.Accuracy()
    >>> metric.update(np.array([[2.0, 1.0], [0.0, 3.0]]), np.array([0, 0]))
    >>> metric.update(np.array([[0.0, 1.0]]), np.array([1]))
    >>> round(metric.compute(), 4)
    0.6667
    """

    name, better = "accuracy", "max"

    def __init__(self, threshold: float | None = 0.0, ignore_index: int = -100) -> None:
        super().__init__()
        self.threshold = threshold
        self.ignore_index = ignore_index

    def scores(self, prediction: Any, target: Any) -> Array:
        if prediction.shape == target.shape and target.ndim and self.threshold is not None:
            _check_answers(target)
            return np.asarray((prediction > self.threshold) == (target > 0.5))
        if prediction.shape == target.shape and target.ndim > 1 and target.dtype.kind == "f":
            return np.asarray(prediction.argmax(1) == target.argmax(1))
        rows, labels = rows_of_classes("Accuracy", prediction, target, self.ignore_index)
        return np.asarray(rows.argmax(-1) == labels)


def _check_answers(target: Any) -> None:
    """Raise unless the targets answer yes or no: a regression has no accuracy."""
    outside = target[(target < 0) | (target > 1)]
    if outside.size and not (np.abs(target) == 1).all():
        raise UsageError(
            compose_message(
                "Accuracy: targets of the prediction's shape are 0 and 1, or −1 and 1",
                f"a target {outside[0]}",
                'metrics=["mae"] or ["r2"] for numbers; labels (N,) for classes',
            )
        )


class TopK(MeanMetric):
    """The share of labels that are among the k largest scores.

    Parameters
    ----------
    k : int
    ignore_index : int
        A label that does not count.

    Examples
    --------
    >>> import numpy as np, tinygraph as tg
    >>> metric = tg.train.TopK(2)
    >>> metric.update(np.array([[3.0, 2.0, 1.0], [3.0, 2.0, 1.0]]), np.array([1, 2]))
    >>> metric.name, metric.compute()
    ('top_2', 0.5)
    """

    better = "max"

    def __init__(self, k: int = 5, ignore_index: int = -100) -> None:
        if isinstance(k, bool) or not isinstance(k, int) or k < 1:
            raise UsageError(f"TopK: k is a whole number from 1 on. Received {k!r}.")
        super().__init__()
        self.k = k
        self.name = f"top_{k}"
        self.ignore_index = ignore_index

    def scores(self, prediction: Any, target: Any) -> Array:
        rows, labels = rows_of_classes(f"TopK({self.k})", prediction, target, self.ignore_index)
        own = rows[np.arange(len(labels)), labels][:, None]
        ahead = (rows > own).sum(-1) + ((rows == own) & _before(rows, labels)).sum(-1)
        return np.asarray(ahead < self.k)


def _before(rows: Array, labels: Array) -> Array:
    """Tell which classes come before the label: of equal scores the first counts as larger."""
    return np.asarray(np.arange(rows.shape[-1]) < labels[:, None])


class Perplexity(MeanMetric):
    """exp of the mean cross-entropy of logits with labels: as good as a choice among so many.

    Parameters
    ----------
    ignore_index : int
        A label that does not count.

    Examples
    --------
    >>> import numpy as np, tinygraph as tg
    >>> metric = tg.train.Perplexity()
    >>> metric.update(np.zeros((5, 4)), np.array([0, 1, 2, 3, 0]))
    >>> round(metric.compute(), 4)
    4.0
    """

    name, better = "perplexity", "min"

    def __init__(self, ignore_index: int = -100) -> None:
        super().__init__()
        self.ignore_index = ignore_index

    def scores(self, prediction: Any, target: Any) -> Array:
        who = type(self).__name__
        rows, labels = rows_of_classes(who, prediction, target, self.ignore_index)
        rows = rows.astype(np.float64) - rows.max(-1, keepdims=True, initial=-np.inf)
        own = rows[np.arange(len(labels)), labels]
        return np.asarray(np.log(np.exp(rows).sum(-1)) - own)

    def compute(self) -> float:
        return float(np.exp(super().compute()))


class BitsPerCharacter(Perplexity):
    """The mean cross-entropy of logits with labels in bits: log₂ of the perplexity.

    Examples
    --------
    >>> import numpy as np, tinygraph as tg
    >>> metric = tg.train.BitsPerCharacter()
    >>> metric.update(np.zeros((5, 4)), np.array([0, 1, 2, 3, 0]))
    >>> round(metric.compute(), 4)
    2.0
    """

    name = "bits_per_character"

    def compute(self) -> float:
        return MeanMetric.compute(self) / math.log(2)
