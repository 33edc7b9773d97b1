"""Metrics: measures of predictions that add up over batches of any size."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..core.errors import UsageError
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
