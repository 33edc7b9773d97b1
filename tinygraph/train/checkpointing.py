"""Checkpoints of a run: all that it depends on, written between batches, and read again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..core.errors import CheckpointError, UsageError, compose_message, describe
from ..extras import require
from ..io import load, save
from ..ops.operands import whole
from ..ops.random import Generator
from .callbacks import Callback
from .generators import generators_in
from .history import checked_mode

if TYPE_CHECKING:
    from .run import Run


class Checkpoint(Callback):
    """Write the run into a file, for ``fit(resume=…)``, and its best model into another.

    Files are replaced in one step: at every moment there is a whole one. What
    ``fit(checkpoint=path)`` makes.

    Parameters
    ----------
    path : str or path, optional
        The last state: after every epoch, after Ctrl-C, and at the end.
    best : str or path, optional
        The model alone, whenever ``monitor`` has improved.
    every : int
        Write after every so many epochs.
    batches : int, optional
        Write after every so many batches too (at the next update).
    monitor : str
        A column of the history; by default ``val_loss``, or ``loss`` without validation.
    mode : {"min", "max", ""}
        Whether small or large is good; "" knows it of losses and the metrics of tinygraph.

    Raises
    ------
    UsageError
        Without a path, or for settings out of range.
    MissingExtraError
        Before training, without the package safetensors.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np, tinygraph as tg
    >>> folder = tempfile.mkdtemp()
    >>> x = np.linspace(-1, 1, 20)[:, None]
    >>> both = tg.train.Checkpoint(os.path.join(folder, "last"), os.path.join(folder, "best"))
    >>> history = tg.fit(tg.nn.Linear(1, 1), (x, 3 * x), loss="mse", epochs=3, callbacks=[both])
    >>> sorted(os.listdir(folder)), tg.load(both.path).epoch
    (['best', 'last'], 3)
    """

    def __init__(
        self, path: Any = None, best: Any = None, every: int = 1, batches: int | None = None,
        monitor: str = "", mode: str = "",
    ) -> None:  # fmt: skip
        self.path, self.best_path = _as_path("path", path), _as_path("best", best)
        if self.path is None and self.best_path is None:
            raise UsageError('Checkpoint needs a path. Fix: Checkpoint("run.safetensors").')
        self.every = whole("Checkpoint", "every", every, 1)
        self.batches = None if batches is None else whole("Checkpoint", "batches", batches, 1)
        self.monitor = monitor
        self.mode = mode and checked_mode("Checkpoint", mode, monitor)
        self._best: float | None = None
        self._sign = 0
        self._batches_written = 0

    def on_train_begin(self, run: Run) -> None:
        if not run.resumed:
            self._best = None
        require("safetensors", "train")
        for path in (self.path, self.best_path):
            _check_folder(path)
        if self.best_path is not None:
            self.monitor = run.checked_column("Checkpoint", self.monitor)
            mode = self.mode or run.history.better(self.monitor)
            self._sign = 1 if checked_mode("Checkpoint", mode, self.monitor) == "max" else -1

    def on_epoch_begin(self, run: Run) -> None:
        self._batches_written = 0

    def on_batch_end(self, run: Run) -> None:
        due = self.batches is not None and run.batch - self._batches_written >= self.batches
        if due and run.updated and self.path is not None:
            self._batches_written = run.batch
            save_run(run, self.path)

    def on_epoch_end(self, run: Run) -> None:
        if self.best_path is not None:
            value = run.row[self.monitor]
            if value == value and (self._best is None or self._sign * (value - self._best) > 0):
                self._best = float(value)
                save(run.model, self.best_path, epoch=run.epoch)
        if self.path is not None and run.epoch % self.every == 0:
            save_run(run, self.path)

    def finish(self, run: Run) -> None:
        """Write what has happened since the last file; the run is between two updates."""
        if self.path is not None and (run.partial() is not None or run.epoch % self.every):
            save_run(run, self.path)

    def state_dict(self) -> dict[str, Any]:
        return {"best": self._best}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        self._best = state_dict["best"]


def _as_path(name: str, path: Any) -> str | None:
    if path is None:
        return None
    if not isinstance(path, str | os.PathLike) or not os.fspath(path):
        raise UsageError(
            compose_message(
                f"Checkpoint: {name} is the name of a file", describe(path), '"run.safetensors"'
            )
        )
    return os.fsdecode(path)


def _check_folder(path: str | None) -> None:
    folder = os.path.dirname(path or "") or "."
    if not os.path.isdir(folder):
        raise CheckpointError(
            f"fit: there is no folder {folder!r} for the checkpoint {path!r}. Fix: make it first."
        )


def save_run(run: Run, path: str) -> None:
    """Write a run between two updates."""
    extra = {
        "fit": 1,
        "history": run.history.state_dict(),
        "callbacks": [[type(c).__name__, c.state_dict()] for c in run.callbacks],
        "partial": run.partial(),
        "settings": _settings(run),
        "validation": None if run.validation is None else run.validation.state_dict(),
        "epoch_seconds": run.seconds(),
    }
    save(
        run.model, path, run.optimizer, loader=run.loader, generator=generators_of(run),
        epoch=len(run.history), extra=extra,
    )  # fmt: skip


def load_run(run: Run, path: str) -> None:
    """Bring a run to where :func:`save_run` wrote it: all of it or nothing.

    Raises
    ------
    CheckpointError
        If the file is damaged, or of another run.
    """
    extra = _checked_extra(run, load(path), path)
    holders: list[Any] = list(run.callbacks)
    states = [state for _, state in _of_this_run(run, extra["callbacks"])]
    if run.validation is not None and extra["validation"] is not None:
        holders.append(run.validation)
        states.append(extra["validation"])
    old = [holder.state_dict() for holder in holders]
    try:
        for holder, state in zip(holders, states, strict=True):
            holder.load_state_dict(state)
        run.history.load_state_dict(extra["history"])
        run.go_on_from(extra["partial"], float(extra["epoch_seconds"]))
        load(path, run.model, run.optimizer, loader=run.loader, generator=generators_of(run))
    except Exception as error:
        for holder, state in zip(holders, old, strict=True):
            holder.load_state_dict(state)
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(
            f"fit: {path!r} does not fit this run, nothing was changed: "
            f"{type(error).__name__}: {error}"
        ) from error


def _checked_extra(run: Run, checkpoint: Any, path: str) -> dict[str, Any]:
    extra = checkpoint.extra
    wanted = {"fit", "history", "callbacks", "partial", "settings", "validation", "epoch_seconds"}
    if not isinstance(extra, dict) or set(extra) != wanted or checkpoint.optimizer is None:
        raise CheckpointError(
            f"fit: {path!r} was not written by fit(checkpoint=…), so it cannot be gone on from. "
            "Fix: tg.load(path, model, optimizer), then fit without resume."
        )
    own = [type(c).__name__ for c in run.callbacks]
    saved = [name for name, _ in _of_this_run(run, extra["callbacks"])]
    if own != saved:
        raise CheckpointError(
            f"fit: {path!r} has states of the callbacks {', '.join(saved) or 'none'}, and this "
            f"run has {', '.join(own) or 'none'}. Fix: the same ones, in the same order."
        )
    if extra["partial"] is not None and extra["settings"] != _settings(run):
        raise CheckpointError(
            f"fit: {path!r} was written in the middle of an epoch of {extra['settings']}, and "
            f"this run has {_settings(run)}. Fix: the same until that epoch is over."
        )
    return extra


def _of_this_run(run: Run, saved: list[Any]) -> list[Any]:
    """Return names and states of callbacks; a run that writes no file leaves those of writers."""
    if any(isinstance(c, Checkpoint) for c in run.callbacks):
        return saved
    return [pair for pair in saved if pair[0] != Checkpoint.__name__]


def _settings(run: Run) -> dict[str, Any]:
    """Return what must not change in the middle of an epoch."""
    return {
        "samples": len(run.loader.dataset), "batch_size": run.loader.batch_size,
        "accumulate": run.accumulate, "metrics": [m.name for m in run.metrics],
    }  # fmt: skip


def generators_of(run: Run) -> list[Generator]:
    """Return all generators that a run may draw from, beside its loaders': each once.

    tinygraph's own, and those that are attributes of modules, of the loss, or of datasets.
    """
    datasets = []
    for loader in (run.loader, run.validation):
        dataset: Any = None if loader is None else loader.dataset
        while dataset is not None:
            datasets.append(dataset)
            dataset = getattr(dataset, "dataset", None)
    return generators_in(run.model, run.step.loss, *datasets)
