"""A schedule that watches a measure instead of the epoch."""

from __future__ import annotations

from typing import Any

from ...core.errors import UsageError, compose_message, describe
from ...ops.operands import whole
from ..optimizer import Optimizer
from .base import Schedule
from .checks import checked_optimizer, checked_setting, per_group


class ReduceLROnPlateau(Schedule):
    """Multiply the learning rate by ``factor`` when a measure has stopped improving.

    Parameters
    ----------
    optimizer : Optimizer
    mode : {"min", "max"}
        Whether a good measure is small or large.
    factor : float
        In [0, 1).
    patience : int
        Epochs without improvement that are allowed.
    threshold : float
        What counts as improvement: below best · (1 − threshold), or above best ·
        (1 + threshold); with ``threshold_mode="abs"`` below best − threshold, or above
        best + threshold.
    threshold_mode : {"rel", "abs"}
    cooldown : int
        Epochs after a reduction in which nothing is counted.
    min_lr : float or list of float
        Bound of the learning rate, for all groups or for each.
    eps : float
        Smaller changes of the learning rate are left out.

    Attributes
    ----------
    best : float or None
        The best measure so far.
    num_bad_epochs, cooldown_counter : int

    Raises
    ------
    UsageError
        For settings out of range.

    Notes
    -----
    As in PyTorch; a nan is never better than the best.

    Examples
    --------
    >>> import tinygraph as tg
    >>> optimizer = tg.optim.SGD([tg.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = tg.optim.ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    >>> for loss in (3.0, 2.0, 2.0, 2.0):
    ...     schedule.step(loss)
    >>> schedule.get_last_lr()
    [0.5]
    """

    settings = (
        "mode", "factor", "patience", "threshold", "threshold_mode", "cooldown", "min_lrs", "eps",
    )  # fmt: skip
    progress = ("last_epoch", "best", "num_bad_epochs", "cooldown_counter")
    may_be_none = ("best",)

    def __init__(
        self, optimizer: Optimizer, mode: str = "min", factor: float = 0.1, patience: int = 10,
        threshold: float = 1e-4, threshold_mode: str = "rel", cooldown: int = 0,
        min_lr: float | list[float] = 0.0, eps: float = 1e-8,
    ) -> None:  # fmt: skip
        who = "ReduceLROnPlateau"
        count = len(checked_optimizer(who, optimizer).param_groups)
        self.mode = _one_of("mode", mode, "min", "max")
        self.threshold_mode = _one_of("threshold_mode", threshold_mode, "rel", "abs")
        self.factor = checked_setting(who, "factor", factor)
        if self.factor >= 1:
            raise UsageError(f"{who}: factor is below 1. Received {factor}.")
        self.patience = whole(who, "patience", patience)
        self.cooldown = whole(who, "cooldown", cooldown)
        self.threshold = checked_setting(who, "threshold", threshold)
        self.eps = checked_setting(who, "eps", eps)
        bounds = per_group(who, "min_lr", min_lr, count)
        self.min_lrs = [checked_setting(who, "min_lr", bound) for bound in bounds]
        super().__init__(optimizer)
        self.best: float | None = None
        self.num_bad_epochs = 0
        self.cooldown_counter = 0

    def step(self, metrics: Any) -> None:
        """Note the measure of an epoch, and reduce the learning rate if it is time.

        Parameters
        ----------
        metrics : float or Tensor
            A number, such as the validation loss.

        Raises
        ------
        UsageError
            For anything but a number.
        """
        try:
            current = float(metrics)
        except (TypeError, ValueError) as error:
            raise UsageError(
                compose_message(
                    "ReduceLROnPlateau.step takes a number",
                    describe(metrics),
                    "schedule.step(validation_loss)",
                )
            ) from error
        self.last_epoch += 1
        if self._improves(current):
            self.best = current
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0

    def _improves(self, current: float) -> bool:
        sign = 1 if self.mode == "max" else -1
        if self.best is None:
            return sign * current > float("-inf")
        margin = self.threshold * (1 if self.threshold_mode == "abs" else self.best)
        return sign * current > sign * (self.best + sign * margin)

    def _reduce(self) -> None:
        for group, bound in zip(self.optimizer.param_groups, self.min_lrs, strict=True):
            lr = max(group["lr"] * self.factor, bound)
            if group["lr"] - lr > self.eps:
                group["lr"] = lr


def _one_of(name: str, value: Any, *known: str) -> str:
    if value not in known:
        listed = " or ".join(map(repr, known))
        raise UsageError(f"ReduceLROnPlateau: {name} is {listed}. Received {value!r}.")
    return str(value)
