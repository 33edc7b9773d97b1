"""Stopping when nothing gets better, with the best weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..core.errors import UsageError
from ..ops.operands import whole
from .callbacks import Callback
from .history import checked_mode

if TYPE_CHECKING:
    from .run import Run


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

    Examples
    --------
    >>> import numpy as np, tinygraph as tg
    >>> x = np.linspace(-1, 1, 20)[:, None]
    >>> stop = tg.train.EarlyStopping(patience=2, min_delta=1e-6)
    >>> history = tg.fit(tg.nn.Linear(1, 1), (x, 3 * x), loss="mse", optimizer="sgd", lr=0.5,
    ...                  epochs=1000, validation=(x, 3 * x), callbacks=[stop])
    >>> len(history) < 100, stop.monitor
    (True, 'val_loss')
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
