"""One step of training: forward, loss and backward over some batches, then an update."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..core.errors import DivergenceError, GradientError, UsageError, describe
from ..core.storage import Array
from ..core.tensor import Tensor
from ..nn import Module
from ..optim import Optimizer, clip_grad_norm
from .data import Batch, plain
from .losses import LossFunction, loss_of

Clip = Callable[[Optimizer], Any]


class Outcome(NamedTuple):
    """What came out of a batch: its mean loss, the weight of it, and arrays for metrics."""

    loss: float
    weight: float
    prediction: Any
    target: Any


class Step:
    """Adds the gradients of batches, each with its weight, and updates the parameters.

    The gradient of several batches is ``Σ wᵢ gᵢ / Σ wᵢ``: that of one batch of all of them.
    Nothing that is not finite reaches the parameters.

    Parameters
    ----------
    model : Module
    loss : callable
    optimizer : Optimizer
    clip : callable or None
        Run on the optimizer before the update.
    """

    def __init__(
        self, model: Module, loss: LossFunction, optimizer: Optimizer, clip: Clip | None = None
    ) -> None:
        self.model = model
        self.loss = loss
        self.optimizer = optimizer
        self.clip = clip
        self._batch: Batch | None = None  # the latest one, to look at when something is wrong
        self._first = 0.0  # the weight of the first batch: gradients are relative to it
        self._total = 0.0

    def add(self, batch: Batch) -> Outcome:
        """Run a batch forward and backward, and add to the gradients."""
        if self._total == 0:
            self.optimizer.zero_grad()
        self._batch = batch
        with np.errstate(all="ignore"):  # what is not finite is found below
            prediction = self.model(*batch.inputs)
            loss, weight = loss_of(self.loss, prediction, batch.target, batch.rows)
        value = float(loss.item())
        if weight == 0:  # all labels are ignored: the mean is 0/0, and nothing is to be learned
            return Outcome(value, weight, plain(prediction), plain(batch.target))
        if not math.isfinite(value):
            raise DivergenceError(f"The loss is {value}{why_not_finite(self.model, batch)}")
        self._first = self._first or weight
        _backward(loss, weight / self._first)
        self._total += weight
        return Outcome(value, weight, plain(prediction), plain(batch.target))

    def update(self) -> None:
        """Average the gradients since the last update, clip them, and step."""
        if self._total not in (0, self._first):
            for flat in self.optimizer.flat:
                flat.grad *= self._first / self._total
        self._first = self._total = 0.0
        if self.clip is not None:
            self.clip(self.optimizer)
        self._check_gradients()
        self.optimizer.step()

    def _check_gradients(self) -> None:
        for flat in self.optimizer.flat:
            with np.errstate(all="ignore"):
                square = flat.grad @ flat.grad
            if math.isfinite(square) or np.isfinite(flat.grad).all():
                continue
            why = why_not_finite(self.model, self._batch)
            bad = [p for p in flat.parameters if p.grad is not None and not _finite(p.grad)]
            names: dict[Tensor, str] = {p: n for n, p in self.model.named_parameters()}
            listed = ", ".join(names.get(p) or describe(p) for p in bad[:4])
            raise DivergenceError(
                f"The loss is finite but not its gradient, of {listed}"
                f"{' …' if len(bad) > 4 else ''}"
                f"{why or ': an overflow, or a derivative that is infinite, such as sqrt at 0'}"
            )


def as_clip(clip: Any) -> Clip | None:
    """Return a function of the optimizer for a bound of the norm, a function, or None."""
    if clip is None or (callable(clip) and not isinstance(clip, type)):
        return clip
    if isinstance(clip, bool) or not isinstance(clip, int | float | np.number) or not clip > 0:
        raise UsageError(
            "fit: clip is the largest norm of the gradient, above 0, or a function of the "
            f"optimizer. Received {describe(clip)}. Fix: clip=1.0, or "
            "clip=lambda optimizer: tg.clip_grad_value(optimizer, 0.5)."
        )
    bound = float(clip)
    return lambda optimizer: clip_grad_norm(optimizer, bound)


def _backward(loss: Tensor, scale: float) -> None:
    if not loss.requires_grad:
        raise GradientError(
            "fit: the loss does not depend on parameters that require grad. Fix: keep to "
            "tinygraph's functions between the model's output and the loss, and do not detach; "
            "or model.requires_grad_()."
        )
    loss.backward(None if scale == 1 else np.full(loss.shape, scale, loss.dtype))


def why_not_finite(model: Module, batch: Batch | None) -> str:
    """Say where the first value that is not finite is: in the data, or in the parameters."""
    for what in ("inputs", "target"):
        part = getattr(batch, what, None)
        if not all(map(_finite, _arrays(plain(part)))):
            return f": the {what} of this batch hold values that are not finite"
    for name, p in model.named_parameters():
        if not _finite(p.data):
            return f": the parameter {name} is not finite, after {describe(p)} was updated"
    return ""


def _arrays(value: Any) -> list[Array]:
    if isinstance(value, np.ndarray):
        return [value]
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, tuple | list):
        return [array for part in value for array in _arrays(part)]
    return []


def _finite(array: Array) -> bool:
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())
