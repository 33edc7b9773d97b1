"""Metrics of numbers: errors, and the share of the variance that is explained."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.errors import ShapeError, compose_message, describe_all
from ..core.storage import Array
from .metrics import MeanMetric, Metric


def differences(who: str, prediction: Any, target: Any) -> Array:
    """Return prediction − target in float64; broadcasting would make a table of it."""
    if prediction.shape != target.shape:
        raise ShapeError(
            compose_message(
                f"{who}: prediction and target have one shape", describe_all([prediction, target])
            )
        )
    return np.asarray(prediction.astype(np.float64) - target)


class MeanAbsoluteError(MeanMetric):
    """Mean of \\|prediction − target\\| over all elements.

    Examples
    --------
    >>> import numpy as np, tinygraph as tg
    >>> metric = tg.train.MeanAbsoluteError()
    >>> metric.update(np.array([1.0, 3.0]), np.array([1.0, 1.0]))
    >>> metric.compute()
    1.0
    """

    name, better = "mae", "min"

    def scores(self, prediction: Any, target: Any) -> Array:
        return np.abs(differences("MeanAbsoluteError", prediction, target))


class MeanSquaredError(MeanMetric):
    """Mean of (prediction − target)² over all elements.

    Examples
    --------
    >>> import numpy as np, tinygraph as tg
    >>> metric = tg.train.MeanSquaredError()
    >>> metric.update(np.array([1.0, 3.0]), np.array([1.0, 1.0]))
    >>> metric.compute()
    2.0
    """

    name, better = "mse", "min"

    def scores(self, prediction: Any, target: Any) -> Array:
        return np.square(differences("MeanSquaredError", prediction, target))


class R2(Metric):
    """R² = 1 − Σ(y − ŷ)² / Σ(y − ȳ)²: the share of the target's variance that is explained.

    1 is perfect, 0 as good as the mean, and negative values are worse than that. Several
    columns are measured each against its own mean, and their R² averaged. nan for a target
    that is constant.

    Notes
    -----
    Sums of squares are merged batch by batch (Chan, Golub and LeVeque 1979), so that a large
    mean does not cancel digits.

    Examples
    --------
    >>> import numpy as np, tinygraph as tg
    >>> metric = tg.train.R2()
    >>> metric.update(np.array([1.0, 2.0]), np.array([1.0, 2.0]))
    >>> metric.update(np.array([2.0]), np.array([3.0]))
    >>> metric.compute()
    0.5
    """

    name, better = "r2", "max"

    def reset(self) -> None:
        self.count = 0
        self.mean = self.spread = self.residual = np.zeros(1)

    def update(self, prediction: Any, target: Any) -> None:
        error = differences("R2", prediction, target)
        rows = len(error)
        if rows == 0:
            return
        columns = np.asarray(target, np.float64).reshape(rows, -1)
        mean = columns.mean(0)
        spread = np.square(columns - mean).sum(0)
        shift, total = mean - self.mean, self.count + rows
        self.residual = self.residual + np.square(error.reshape(rows, -1)).sum(0)
        self.spread = self.spread + spread + np.square(shift) * (self.count * rows / total)
        self.mean = self.mean + shift * (rows / total)
        self.count = total

    def compute(self) -> float:
        if self.count == 0 or not (self.spread > 0).all():
            return math.nan
        return float(np.mean(1 - self.residual / self.spread))
