"""A training run: the loop over epochs and batches that fit is."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ..core.errors import DivergenceError, UsageError, compose_message
from ..core.evaluation import floating_dtype, restored_modes
from ..data import DataLoader
from ..nn import Module
from ..optim import Optimizer
from .callbacks import Callback
from .checkpointing import Checkpoint
from .data import batches
from .evaluation import evaluating, total_of
from .history import History
from .interrupt import Interruption, deferred_interrupt
from .metrics import Metric
from .progress import Progress, say
from .step import Step
from .totals import Totals

LONG_RUN = 60.0
"""Seconds of training after which a faster way is pointed out."""

COMPILE_HINT = (
    "training has taken a minute so far. fit(…, compile=True) records a step once and replays "
    "it, which is often faster; a print in the model's forward then prints once."
)


class Run:
    """All that a training run is made of; what callbacks are given.

    Attributes
    ----------
    model, optimizer : Module, Optimizer
    loader, validation : DataLoader
        ``validation`` may be None.
    epochs : int
        How many there will be.
    history : History
    epoch, batch : int
        The epoch that runs or ended last, and its batches so far.
    loss : float
        Of the latest batch.
    updated : bool
        Whether the latest batch was followed by an update (see ``accumulate``).
    resumed : bool
        Whether the run goes on from a checkpoint.
    """

    def __init__(
        self, step: Step, loader: DataLoader, validation: DataLoader | None,
        metrics: Sequence[Metric], callbacks: Sequence[Callback], epochs: int, accumulate: int,
    ) -> None:  # fmt: skip
        self.step = step
        self.model: Module = step.model
        self.optimizer: Optimizer = step.optimizer
        self.loader, self.validation = loader, validation
        self.metrics = list(metrics)
        self.callbacks = sorted(callbacks, key=lambda c: isinstance(c, Checkpoint))
        self.epochs, self.accumulate = epochs, accumulate
        self.history = History(better={m.name: m.better for m in metrics})
        self.epoch, self.loss, self.updated, self.resumed = 0, 0.0, False, False
        self._totals: Totals | None = None  # of an epoch that has begun
        self._number = 1  # of the batch that runs
        self._begun = 0.0
        self._seconds_before = 0.0
        for callback in self.callbacks:
            callback.setup(self)

    # ---- for callbacks -----------------------------------------------------------------------

    @property
    def batch(self) -> int:
        """Batches of this epoch so far."""
        return 0 if self._totals is None else self._totals.batches

    @property
    def row(self) -> dict[str, Any]:
        """The newest row of the history."""
        return self.history.last

    @property
    def updates_per_epoch(self) -> int:
        """Updates in an epoch: one for each ``accumulate`` batches, and for the rest."""
        return -(-len(self.loader) // self.accumulate)

    def steps_left(self, every: str) -> int:
        """Return how many epochs (``"epoch"``) or updates (``"batch"``) there will be."""
        epochs = self.epochs - len(self.history)
        done = -(-self.batch // self.accumulate)
        return epochs if every == "epoch" else epochs * self.updates_per_epoch - done

    def stop(self, reason: str) -> None:
        """End training after this epoch."""
        self.history.stopped = self.history.stopped or str(reason)

    def checked_column(self, who: str, name: str) -> str:
        """Return the name of a measure of each epoch; "" is val_loss, or loss."""
        names = ["loss", *(m.name for m in self.metrics)]
        if self.validation is not None:
            names += [f"val_{name}" for name in names]
        name = name or ("loss" if self.validation is None else "val_loss")
        if name not in names:
            fix = "validation=(x, y)" if name.removeprefix("val_") in names else "metrics=[…]"
            raise UsageError(
                compose_message(f"{who} can monitor {', '.join(names)}", repr(name), fix)
            )
        return name

    # ---- the loop ----------------------------------------------------------------------------

    def train(self, progress: bool = True) -> History:
        """Train until the last epoch, a callback's stop, or Ctrl-C."""
        done = len(self.history) * len(self.loader) + self.batch
        bar = Progress(progress, self.epochs, len(self.loader), done)
        try:
            with restored_modes(self.model), deferred_interrupt() as interruption:
                if not self.model.training:
                    self.model.train()
                try:
                    self._epochs(bar, interruption)
                except KeyboardInterrupt:  # the second one, or not in the main thread
                    self._interrupted("at once; what was not in a checkpoint before is not now")
                self._call("on_train_end")
        finally:
            bar.close()
        return self.history

    def _epochs(self, bar: Progress, interruption: Interruption) -> None:
        self._call("on_train_begin")
        spent, told = 0.0, False
        while len(self.history) < self.epochs and not self.history.stopped:
            if self._totals is None:
                self._begin_epoch()
            bar.epoch(self.epoch)
            if not self._train_epoch(bar, interruption):
                break
            self._end_epoch()
            bar.row(self.row)
            spent += self.row["seconds"]
            if spent > LONG_RUN and self.step.compile is False and not told:
                told = True
                bar.tell(COMPILE_HINT)
            if interruption.requested:
                break
        if len(self.history) >= self.epochs:
            self.history.stopped = ""
        elif interruption.requested:
            self._interrupted("")
        for callback in self.callbacks:
            if isinstance(callback, Checkpoint):
                callback.finish(self)

    def _begin_epoch(self) -> None:
        self.epoch = len(self.history) + 1
        self._totals = Totals(self.metrics)
        self._begun, self._seconds_before = time.perf_counter(), 0.0
        self._call("on_epoch_begin")

    def _train_epoch(self, bar: Progress, interruption: Interruption) -> bool:
        """Go through the batches of an epoch, and tell whether that was all of them."""
        totals = self._totals
        assert totals is not None
        with self._where(f"epoch {self.epoch}, batch {{}} of {len(self.loader)}"):
            for batch in batches("the training data", self.loader, floating_dtype(self.model)):
                self._number = totals.batches + 1
                outcome = self.step.add(batch)
                totals.add(outcome)
                self.loss = outcome.loss
                last = totals.batches == len(self.loader)
                self.updated = last or totals.batches % self.accumulate == 0
                if self.updated:
                    self.step.update()
                self._call("on_batch_end")
                bar.batch()
                if interruption.requested and self.updated and not last:
                    return False
        return True

    def _end_epoch(self) -> None:
        assert self._totals is not None
        row = {"epoch": self.epoch, **self._totals.row()}
        if self.validation is not None:
            with self._where(f"validation after epoch {self.epoch}"), evaluating(self.model):
                totals = total_of(self.model, self.step.loss, self.validation, self.metrics)
            row |= totals.row("val_")
        row["lr"] = float(self.optimizer.param_groups[0]["lr"])
        row["seconds"] = self.seconds()
        self.history.rows.append(row)
        self._totals = None
        self._call("on_epoch_end")

    def _call(self, hook: str) -> None:
        for callback in self.callbacks:
            getattr(callback, hook)(self)

    # ---- where it is -------------------------------------------------------------------------

    def _interrupted(self, how: str) -> None:
        place = f"in epoch {self.epoch}, after batch {self.batch} of {len(self.loader)}"
        if self._totals is None:
            place = f"after epoch {self.epoch}"
        self.history.stopped = f"interrupted {place}{f', {how}' if how else ''}"
        say(f"training was {self.history.stopped}.")

    @contextmanager
    def _where(self, place: str) -> Iterator[None]:
        """Tell errors where they came, and keep the history with those of divergence."""
        try:
            yield
        except DivergenceError as error:
            located = DivergenceError(
                f"fit, {place.format(self._number)}: {error}. "
                "The parameters are as they were before this update, and error.history has the "
                "epochs so far. Fix: a smaller learning rate, clip=1.0, or inputs of size 1; "
                "with tg.detect_anomaly() around fit, the error names the op."
            )
            located.history = self.history
            raise located from None
        except Exception as error:
            error.add_note(f"In tg.fit: {place.format(self._number)}.")
            raise

    def seconds(self) -> float:
        """Return how long this epoch has taken, with what it took before a checkpoint."""
        if self._totals is None:
            return 0.0
        return self._seconds_before + time.perf_counter() - self._begun

    def partial(self) -> dict[str, Any] | None:
        """Return the sums of an epoch that has begun, None between epochs."""
        return None if self._totals is None else self._totals.state_dict()

    def go_on_from(self, partial: dict[str, Any] | None, seconds: float) -> None:
        """Go on after the epochs of the history, or in the middle of one."""
        self.resumed = True
        self.epoch = len(self.history)
        if partial is not None:
            self.epoch += 1
            self._totals = Totals(self.metrics)
            self._totals.load_state_dict(partial)
            self._begun, self._seconds_before = time.perf_counter(), seconds
