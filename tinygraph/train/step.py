"""One step of training: forward, loss and backward of a batch, then an update."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..core.errors import CompileError, DivergenceError, GradientError, UsageError, describe
from ..core.storage import Array
from ..core.tensor import Tensor, drop_gradients
from ..nn import Module
from ..optim import Optimizer, clip_grad_norm
from ..plan import compile
from .data import Batch, plain
from .losses import LossFunction, checked_loss, prediction_of, weight_of
from .progress import say

Clip = Callable[[Optimizer], Any]


class Outcome(NamedTuple):
    """What came out of a batch: its mean loss, the weight of it, and arrays for metrics."""

    loss: float
    weight: float
    prediction: Any
    target: Any


class Step:
    """Computes the gradient of a batch and updates the parameters, as a loop by hand does.

    Nothing that is not finite reaches the parameters.

    Parameters
    ----------
    model : Module
    loss : callable
    optimizer : Optimizer
    clip : callable or None
        Run on the optimizer before the update.
    compile : bool or "auto"
        Whether to record forward and backward pass once, and replay them.
    """

    def __init__(
        self, model: Module, loss: LossFunction, optimizer: Optimizer, clip: Clip | None = None,
        compile: Any = False,
    ) -> None:  # fmt: skip
        self.model = model
        self.loss = loss
        self.optimizer = optimizer
        self.clip = clip
        self.compile = compile
        self._flats = optimizer.flat
        held = (p for group in optimizer.param_groups for p in group["params"])
        self._leaves: list[Tensor] = list(dict.fromkeys([*held, *model.parameters()]))
        self._batch: Batch | None = None  # the latest one, to look at when something is wrong
        self._build()

    def _build(self) -> None:
        """Make what runs a batch, as ``self.compile`` says."""
        run = self._forward_and_backward
        self._run: Any = compile(run, copy=False) if self.compile else run

    def _forward_and_backward(self, *parts: Any) -> tuple[Any, ...]:
        drop_gradients(self._leaves)  # also of parameters that the optimizer does not hold
        prediction = prediction_of(self.model, parts[:-1])
        loss, weight = checked_loss(self.loss(prediction, parts[-1]))
        check_differentiable(loss)
        loss.backward()
        return loss, weight, prediction

    def add(self, batch: Batch) -> Outcome:
        """Run a batch forward and backward."""
        self._batch = batch
        with np.errstate(all="ignore"):  # what is not finite is found below
            return self._or_eager(batch)

    def _or_eager(self, batch: Batch) -> Outcome:
        undo = self._undo(batch)
        try:
            return self._add(batch)
        except CompileError as error:
            if self.compile != "auto":
                raise
            undo()
            say(f"training is not compiled. {error}")
            self.compile = False
            self._build()
            return self._add(batch)

    def _undo(self, batch: Batch) -> Callable[[], None]:
        """Return what takes back a recording that failed: nothing, it has done so itself."""
        return lambda: None

    def _add(self, batch: Batch) -> Outcome:
        loss, given, prediction = self._run(*batch.inputs, batch.target)
        weight = weight_of(self.loss, given, batch.target, batch.rows)
        if weight == 0:  # all labels are ignored: the mean is 0/0, and nothing is to be learned
            self.optimizer.zero_grad()
        return self._outcome(float(loss.item()), weight, prediction, batch)

    def _outcome(self, value: float, weight: float, prediction: Any, batch: Batch) -> Outcome:
        if weight and not math.isfinite(value):
            raise DivergenceError(f"The loss is {value}{why_not_finite(self.model, batch)}")
        return Outcome(value, weight, plain(prediction), plain(batch.target))

    def update(self) -> None:
        """Clip the gradients, check them, and step."""
        if self.clip is not None:
            self.clip(self.optimizer)
        self._check_gradients()
        self.optimizer.step()

    def close(self) -> None:
        """Drop the plans; the step cannot be used afterwards."""
        self._run = None  # it refers to this step

    def _check_gradients(self) -> None:
        for flat in self._flats:
            with np.errstate(all="ignore"):
                square = flat.grad @ flat.grad
            if math.isfinite(square) or np.isfinite(flat.grad).all():
                continue
            why = why_not_finite(self.model, self._batch)
            bad = [p for p in flat.parameters if p.grad is not None and not _finite(p.grad)]
            if not bad:
                continue  # what nobody holds as a gradient is not used
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
            "clip is the largest norm of the gradient, above 0, or a function of the optimizer. "
            f"Received {describe(clip)}. Fix: clip=1.0, or "
            "clip=lambda optimizer: tg.clip_grad_value(optimizer, 0.5)."
        )
    bound = float(clip)
    return lambda optimizer: clip_grad_norm(optimizer, bound)


def check_differentiable(loss: Tensor) -> None:
    """Raise unless the loss depends on something that can be trained."""
    if not loss.requires_grad:
        raise GradientError(
            "The loss does not depend on parameters that require grad. Fix: keep to tinygraph's "
            "functions between the model's output and the loss, and do not detach; or "
            "model.requires_grad_()."
        )


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
