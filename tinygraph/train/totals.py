"""Sums over batches: the mean loss and the metrics of all samples so far."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..core.errors import TinygraphError, UsageError, describe
from .metrics import Metric
from .step import Outcome


class Totals:
    """Gathers the outcomes of batches.

    Parameters
    ----------
    metrics : list of Metric
        Copied.
    """

    def __init__(self, metrics: Sequence[Metric]) -> None:
        self.metrics = [copy.deepcopy(m) for m in metrics]
        self.loss = self.weight = 0.0
        self.batches = 0

    def add(self, outcome: Outcome) -> None:
        """Take in a batch."""
        if outcome.weight:  # a batch of ignored labels has no mean
            self.loss += outcome.loss * outcome.weight
            self.weight += outcome.weight
        self.batches += 1
        for metric in self.metrics:
            try:
                metric.update(outcome.prediction, outcome.target)
            except TinygraphError:
                raise
            except Exception as error:
                raise UsageError(
                    f"The metric {metric.name!r} cannot take predictions "
                    f"{describe(outcome.prediction)} and targets {describe(outcome.target)}: "
                    f"{type(error).__name__}: {error}"
                ) from error

    def row(self, prefix: str = "") -> dict[str, float]:
        """Return the mean loss and the metrics by name."""
        loss = self.loss / self.weight if self.weight else math.nan
        return {
            f"{prefix}loss": loss,
            **{f"{prefix}{m.name}": float(m.compute()) for m in self.metrics},
        }

    def state_dict(self) -> dict[str, Any]:
        """Return the sums as plain data."""
        return {
            "loss": self.loss, "weight": self.weight, "batches": self.batches,
            "metrics": [m.state_dict() for m in self.metrics],
        }  # fmt: skip

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a state of :meth:`state_dict`."""
        self.loss, self.weight = state_dict["loss"], state_dict["weight"]
        self.batches = state_dict["batches"]
        for metric, state in zip(self.metrics, state_dict["metrics"], strict=True):
            metric.load_state_dict(state)
