"""Metrics: measures of predictions that add up over batches of any size."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..core.errors import ShapeError, UsageError, compose_message, describe, describe_all
from ..core.storage import Array


class Metric:
    """A measure of predictions against targets, gathered batch by batch.

    A subclass keeps plain numbers (or arrays) as attributes, gathers in :meth:`update` and
    computes in :meth:`compute`. Its value is that of all samples together, whatever the
    sizes of the batches.

    Attributes
    ----------
    name : str
        The column of the history.
    better : {"max", "min", ""}
        Which values are good; "" if unknown.

    Examples
    --------
    >>> import numpy as np, tinygraph as tg
    >>> class Largest(tg.train.Metric):
    ...     name, better = "largest_error", "min"
    ...     def reset(self):
    ...         self.largest = 0.0
    ...     def update(self, prediction, target):
    ...         self.largest = max(self.largest, float(np.abs(prediction - target).max()))
    ...     def compute(self):
    ...         return self.largest
    >>> metric = Largest()
    >>> metric.update(np.array([1.0, 2.0]), np.array([1.0, 1.5]))
    >>> metric.compute()
    0.5
    """

    name = ""
    better = ""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all batches."""

    def update(self, prediction: Any, target: Any) -> None:
        """Take in a batch: the model's output and the target, as arrays."""
        raise UsageError(f"{type(self).__name__} defines no update(self, prediction, target).")

    def compute(self) -> float:
        """Return the measure of all batches since :meth:`reset`."""
        raise UsageError(f"{type(self).__name__} defines no compute(self).")

    def state_dict(self) -> dict[str, Any]:
        """Return what was gathered so far, as plain data."""
        return copy.deepcopy(vars(self))

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a state of :meth:`state_dict`."""
        vars(self).update(copy.deepcopy(dict(state_dict)))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class MeanMetric(Metric):
    """A metric that is the mean of one score for each sample or element."""

    def reset(self) -> None:
        self.total, self.count = 0.0, 0

    def scores(self, prediction: Any, target: Any) -> Array:
        """Return the scores of a batch, an array of any shape."""
        raise UsageError(f"{type(self).__name__} defines no scores(self, prediction, target).")

    def update(self, prediction: Any, target: Any) -> None:
        scores = np.asarray(self.scores(prediction, target))
        self.total += float(scores.sum(dtype=np.float64))
        self.count += scores.size

    def compute(self) -> float:
        return self.total / self.count if self.count else math.nan


class MeanOf(MeanMetric):
    """The mean over samples of ``function(prediction, target)``, a mean over its batch."""

    def __init__(self, function: Callable[[Any, Any], Any], name: str = "") -> None:
        super().__init__()
        self._function = function
        self.name = name or getattr(function, "__name__", type(function).__name__).strip("<>")

    def update(self, prediction: Any, target: Any) -> None:
        try:
            value = float(self._function(prediction, target))
        except (TypeError, ValueError) as error:
            raise UsageError(
                f"fit: the metric {self.name!r} takes arrays of predictions and targets and "
                f"returns a number; it raised {type(error).__name__}: {error}"
            ) from error
        rows = len(target)
        self.total += value * rows
        self.count += rows

    def state_dict(self) -> dict[str, Any]:
        return {"total": self.total, "count": self.count}

    def __deepcopy__(self, memo: dict[int, Any]) -> MeanOf:
        twin = type(self)(self._function, self.name)  # a function need not be copyable
        twin.load_state_dict(self.state_dict())
        return twin

    def __repr__(self) -> str:
        return f"MeanOf({self.name})"


# ---- classes -------------------------------------------------------------------------------------


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
            return np.asarray((prediction > self.threshold) == (target > 0.5))
        if prediction.shape == target.shape and target.ndim > 1 and target.dtype.kind == "f":
            return np.asarray(prediction.argmax(1) == target.argmax(1))
        rows, labels = rows_of_classes("Accuracy", prediction, target, self.ignore_index)
        return np.asarray(rows.argmax(-1) == labels)


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
