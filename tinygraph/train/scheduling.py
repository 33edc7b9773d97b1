"""Learning rate schedules that step by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..core.errors import UsageError, compose_message, describe
from ..optim import ReduceLROnPlateau, Schedule
from .callbacks import Callback

if TYPE_CHECKING:
    from .run import Run


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

    Examples
    --------
    >>> import numpy as np, tinygraph as tg
    >>> x = np.linspace(-1, 1, 64)[:, None]  # two batches
    >>> decay = tg.train.ScheduleCallback(lambda o: tg.optim.ExponentialLR(o, 0.5), every="batch")
    >>> history = tg.fit(tg.nn.Linear(1, 1), (x, 3 * x), loss="mse", optimizer="sgd", lr=1.0,
    ...                  epochs=3, schedule=decay)
    >>> history["lr"]
    [0.25, 0.0625, 0.015625]
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
