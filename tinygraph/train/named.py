"""Metrics by name, and what fits the loss."""

from __future__ import annotations

import copy
import difflib
import re
from typing import Any

from .. import nn
from ..core.errors import UsageError, compose_message, describe
from .classification import Accuracy, BitsPerCharacter, Perplexity, TopK
from .losses import CLASS_LOSSES
from .metrics import MeanOf, Metric
from .regression import R2, MeanAbsoluteError, MeanSquaredError

METRICS: dict[str, type[Metric]] = {
    "accuracy": Accuracy,
    "bits_per_character": BitsPerCharacter,
    "mae": MeanAbsoluteError,
    "mse": MeanSquaredError,
    "perplexity": Perplexity,
    "r2": R2,
}


def as_metrics(metrics: Any, loss: Any = None) -> list[Metric]:
    """Return fresh metric objects for names, metrics and functions.

    Raises
    ------
    UsageError
        For unknown names, classes, other objects, and names that appear twice.
    """
    given = [metrics] if isinstance(metrics, str | Metric) or callable(metrics) else metrics
    if not isinstance(given, list | tuple):
        raise UsageError(
            compose_message(
                "fit: metrics is a list of names, metrics and functions",
                describe(metrics),
                'metrics=["accuracy"]',
            )
        )
    found = [_as_metric(m, loss) for m in given]
    names = [m.name for m in found]
    for name in names:
        if names.count(name) > 1 or name in ("", "loss", "epoch", "lr", "seconds"):
            raise UsageError(
                f"fit: metrics have names of their own, other than loss, epoch, lr and seconds. "
                f"Received {', '.join(map(repr, names))}. Fix: metric.name = …"
            )
    return found


def _as_metric(metric: Any, loss: Any) -> Metric:
    if isinstance(metric, Metric):
        fresh = copy.deepcopy(metric)
        fresh.reset()
        return fresh
    if isinstance(metric, type):
        raise UsageError(
            f"fit: a metric is an object, not a class. Fix: metrics=[{metric.__name__}()]."
        )
    if isinstance(metric, str):
        return _by_name(metric, loss)
    if callable(metric):
        return MeanOf(metric)
    raise UsageError(
        compose_message(
            "fit: a metric is a name, a metric or a function", describe(metric), '"accuracy"'
        )
    )


def _by_name(name: str, loss: Any) -> Metric:
    top = re.fullmatch(r"top_?([1-9]\d*)", name)
    if top:
        return TopK(int(top[1]))
    if name == "accuracy":
        return Accuracy(_threshold(loss), getattr(loss, "ignore_index", -100))
    if name in METRICS:
        return METRICS[name]()
    close = difflib.get_close_matches(name, METRICS, n=1)
    raise UsageError(
        compose_message(
            f"fit: metrics by name are {', '.join(METRICS)} and top_5",
            repr(name),
            f"{close[0]!r}" if close else "one of these, or a function(prediction, target)",
        )
    )


def _threshold(loss: Any) -> float | None:
    """Return where yes begins in the predictions that this loss is made for."""
    if isinstance(loss, CLASS_LOSSES):
        return None
    return 0.5 if isinstance(loss, nn.BCELoss) else 0.0
