"""Callbacks: what happens between the batches and epochs of a training run."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..core.errors import UsageError, compose_message, describe
from ..ops.operands import whole
from ..optim import ReduceLROnPlateau, Schedule
from .history import checked_mode

if TYPE_CHECKING:
    from .run import Run


class Callback:
    """Does something at certain moments of :func:`tinygraph.fit`; define the methods you need.

    Each method is given the run, with ``model``, ``optimizer``, ``history``, ``epoch`` and
    ``batch`` (from 1 on; of the current batch), ``loss`` (of the latest batch), ``row`` (the
    newest row of the history) and ``stop(reason)``. A callback with a state of its own defines
    ``state_dict`` and ``load_state_dict``, so that checkpoints keep it.

    Examples
    --------
    >>> import numpy as np, tinygraph as tg
    >>> class Target(tg.train.Callback):
    ...     def on_epoch_end(self, run):
    ...         if run.row["loss"] < 0.5:
    ...             run.stop("good enough")
    >>> x = np.linspace(-1, 1, 20)[:, None]
    >>> history = tg.fit(tg.nn.Linear(1, 1), (x, 3 * x), loss="mse", optimizer="sgd", lr=0.3,
    ...                  epochs=100, callbacks=[Target()])
    >>> history.stopped
    'good enough'
    """

    def setup(self, run: Run) -> None:
        """Before everything else: the place to build what a checkpoint may then fill."""

    def on_train_begin(self, run: Run) -> None:
        """Before the first batch, after a checkpoint was loaded: the place for checks."""

    def on_epoch_begin(self, run: Run) -> None:
        """Before each epoch; not when one is gone on with in the middle."""

    def on_batch_end(self, run: Run) -> None:
        """After each batch; after an update (``run.updated``) the gradients are still there."""

    def on_epoch_end(self, run: Run) -> None:
        """After each epoch and its validation; ``run.row`` is in the history."""

    def on_train_end(self, run: Run) -> None:
        """At the end, also after Ctrl-C; not after an error."""

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint has to keep, as plain data."""
        return {}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a state of :meth:`state_dict`."""


HOOKS = (
    "setup",
    "on_train_begin",
    "on_epoch_begin",
    "on_batch_end",
    "on_epoch_end",
    "on_train_end",
)


class LambdaCallback(Callback):
    """Functions as a callback: ``LambdaCallback(on_epoch_end=lambda run: print(run.row))``.

    Parameters
    ----------
    **hooks : callables
        By the names of the methods of :class:`Callback`; each is given the run.

    Raises
    ------
    UsageError
        For other names, and for what is no function.
    """

    def __init__(self, **hooks: Callable[[Any], Any]) -> None:
        for name, function in hooks.items():
            if name not in HOOKS or not callable(function):
                raise UsageError(
                    compose_message(
                        f"LambdaCallback takes functions named {', '.join(HOOKS)}",
                        f"{name}={describe(function)}",
                        "LambdaCallback(on_epoch_end=lambda run: print(run.row))",
                    )
                )
            setattr(self, name, function)


class EarlyStopping(Callback):
    """Stop when a measure has not improved for some epochs, and go back to the best weights.

    Parameters
    ----------
    monitor : str
        A column of the history; by default ``val_loss``, or ``loss`` without validation.
    patience : int
        Epochs without improvement that are allowed.
    min_delta : float
        What counts as improvement: better than the best by more than this.
    mode : {"min", "max", ""}
        Whether small or large is good; "" knows it of losses and the metrics of tinygraph.
    restore_best : bool
        Whether the model is given the weights of the best epoch when training ends, for
        whatever reason. (The last checkpoint keeps the last ones.)

    Attributes
    ----------
    best : float
    best_epoch : int
        The best measure so far, and its epoch (0: none yet).

    Raises
    ------
    UsageError
        For settings out of range; before training for an unknown column.
    """

    def __init__(
        self, monitor: str = "", patience: int = 5, min_delta: float = 0.0, mode: str = "",
        restore_best: bool = True,
    ) -> None:  # fmt: skip
        self.monitor = monitor
        self.patience = whole("EarlyStopping", "patience", patience)
        number = isinstance(min_delta, int | float) and not isinstance(min_delta, bool)
        if not number or not 0 <= min_delta < math.inf:
            raise UsageError(f"EarlyStopping: min_delta is from 0 on. Received {min_delta!r}.")
        self.min_delta = float(min_delta)
        self.mode = mode and checked_mode("EarlyStopping", mode, monitor)
        if not isinstance(restore_best, bool):
            raise UsageError(
                f"EarlyStopping: restore_best is True or False. Received {restore_best!r}."
            )
        self.restore_best = restore_best
        self._forget()

    def _forget(self) -> None:
        self.best, self.best_epoch, self.waited = math.nan, 0, 0
        self._weights: dict[str, Any] | None = None
        self._sign = 0

    def on_train_begin(self, run: Run) -> None:
        if not run.resumed:
            self._forget()
        self.monitor = run.checked_column("EarlyStopping", self.monitor)
        mode = self.mode or run.history.better(self.monitor)
        self._sign = 1 if checked_mode("EarlyStopping", mode, self.monitor) == "max" else -1
        self._stop_if_due(run)

    def on_epoch_end(self, run: Run) -> None:
        value = run.row[self.monitor]
        gain = self._sign * (value - self.best)
        if value == value and (self.best_epoch == 0 or gain > self.min_delta):
            self.best, self.best_epoch, self.waited = value, run.epoch, 0
            if self.restore_best:
                self._weights = run.model.state_dict()
        else:
            self.waited += 1
        self._stop_if_due(run)

    def _stop_if_due(self, run: Run) -> None:
        if self.waited > self.patience:
            run.stop(
                f"{self.monitor} did not improve for {self.waited} epochs; "
                f"the best was {self.best:.4g} in epoch {self.best_epoch}"
            )

    def on_train_end(self, run: Run) -> None:
        if self._weights is not None:
            run.model.load_state_dict(self._weights)

    def state_dict(self) -> dict[str, Any]:
        return {
            "best": self.best, "best_epoch": self.best_epoch, "waited": self.waited,
            "weights": self._weights,
        }  # fmt: skip

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        self.best, self.best_epoch = float(state_dict["best"]), int(state_dict["best_epoch"])
        self.waited, self._weights = int(state_dict["waited"]), state_dict["weights"]


class ScheduleCallback(Callback):
    """Step a learning rate schedule after each epoch or each update.

    Parameters
    ----------
    schedule : Schedule
        Of the optimizer of the run; or a function of the optimizer that returns one.
    every : {"epoch", "batch"}
        ``"batch"``: after each update (each batch, or each ``accumulate`` of them).
    monitor : str
        What a :class:`~tinygraph.optim.ReduceLROnPlateau` is told; by default ``val_loss``, or
        ``loss`` without validation.

    Raises
    ------
    UsageError
        For other values; before training for a schedule of another optimizer, or one that
        ends before the run does.
    """

    def __init__(self, schedule: Any, every: str = "epoch", monitor: str = "") -> None:
        if isinstance(schedule, type) or not (isinstance(schedule, Schedule) or callable(schedule)):
            raise UsageError(
                compose_message(
                    "A schedule is a Schedule, or a function that makes one of the optimizer",
                    describe(schedule),
                    "lambda optimizer: tg.optim.CosineAnnealingLR(optimizer, T_max=20)",
                )
            )
        if every not in ("epoch", "batch"):
            raise UsageError(f"ScheduleCallback: every is 'epoch' or 'batch'. Received {every!r}.")
        self.schedule: Any = schedule if isinstance(schedule, Schedule) else None
        self._make = schedule
        self.every = every
        self.monitor = monitor

    def setup(self, run: Run) -> None:
        if not isinstance(self._make, Schedule):
            self.schedule = self._make(run.optimizer)
            if not isinstance(self.schedule, Schedule):
                raise UsageError(
                    compose_message(
                        "fit: the function given as schedule returns a Schedule",
                        describe(self.schedule),
                        "tg.optim.StepLR(optimizer, 10)",
                    )
                )
        who = type(self.schedule).__name__
        if self.schedule.optimizer is not run.optimizer:
            raise UsageError(
                f"fit: this {who} changes another optimizer than the one that is trained with. "
                f"Fix: schedule=lambda optimizer: tg.optim.{who}(optimizer, …)."
            )
        if self._is_plateau:
            self.monitor = run.checked_column(who, self.monitor)
            if self.every == "batch":
                raise UsageError(f"fit: {who} looks at epochs. Fix: every='epoch'.")

    @property
    def _is_plateau(self) -> bool:
        return isinstance(self.schedule, ReduceLROnPlateau)

    def on_train_begin(self, run: Run) -> None:
        total = getattr(self.schedule, "total_steps", None)
        if total is None:
            return
        steps, batches = run.steps_left(self.every), run.epochs * run.updates_per_epoch
        too_short = self.schedule.last_epoch + steps > total
        if too_short or (self.every == "epoch" and run.epochs < total == batches):
            who, other = type(self.schedule).__name__, "epoch" if self.every == "batch" else "batch"
            raise UsageError(
                f"fit: {who} has total_steps={total}, and this run steps it {steps} times, after "
                f"each {self.every}. Fix: another total_steps, or "
                f"schedule=tg.train.ScheduleCallback({who}(…), every={other!r})."
            )

    def on_batch_end(self, run: Run) -> None:
        if self.every == "batch" and run.updated:
            self.schedule.step()

    def on_epoch_end(self, run: Run) -> None:
        if self._is_plateau:
            self.schedule.step(run.row[self.monitor])
        elif self.every == "epoch":
            self.schedule.step()

    def state_dict(self) -> dict[str, Any]:
        return dict(self.schedule.state_dict())

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        self.schedule.load_state_dict(state_dict)
