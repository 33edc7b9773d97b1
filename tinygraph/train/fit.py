"""tg.fit: train a model, with everything that people build around the loop."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.calls import checked_call_like
from ..core.errors import (
    GradientError,
    MissingCheckpointError,
    UsageError,
    compose_message,
    describe,
)
from ..core.evaluation import floating_dtype
from ..core.modes import is_grad_enabled
from ..data import DataLoader
from ..data.dataset import read
from ..nn import Module
from ..ops.operands import whole
from ..ops.random import Generator
from ..optim import Optimizer
from .callbacks import Callback
from .checkpointing import Checkpoint, generators_of, load_run
from .data import as_batch, as_loader
from .evaluation import check_model, evaluating, outcome_of
from .generators import Snapshot
from .history import History
from .losses import as_loss
from .named import as_metrics
from .optimizers import as_optimizer
from .run import Run
from .scheduling import ScheduleCallback
from .shared_step import SharedStep
from .step import Step, as_clip
from .totals import Totals


@checked_call_like('tg.fit(model, (x, y), loss="mse")')
def fit(
    model: Module, train: Any, *, loss: Any, optimizer: Any = "adam", lr: float | None = None,
    epochs: int = 10, validation: Any = None, metrics: Any = (),
    callbacks: Sequence[Callback] = (), clip: Any = None, accumulate: int = 1,
    schedule: Any = None, batch_size: int | None = None, shuffle: bool | None = None,
    generator: Generator | None = None, checkpoint: Any = None, resume: Any = False,
    progress: bool = True, compile: Any = False, workers: int = 1,
) -> History:  # fmt: skip
    """Train a model on batches of data and return the history of it.

    Each batch ``(inputs, …, target)`` costs ``loss(model(inputs, …), target)``. Floating arrays
    are cast to the model's dtype.

    Parameters
    ----------
    model : Module
    train, validation : DataLoader, Dataset, or tuple of arrays
        Of a Dataset or arrays, batches are made as below. Validation runs after each epoch in
        evaluation mode; its first samples are tried before training starts.
    loss : name, module or function
        ``"cross_entropy"``, ``"mse"``, ``"binary_cross_entropy_with_logits"`` …, ``nn.MSELoss()``,
        or a function of prediction and target that returns a mean over the batch, or a pair:
        the mean and the weight total that it was divided by.
    optimizer : Optimizer, name, class or function of parameters
        One that fit makes is closed at the end, so that another fit may make the next.
    lr : float, optional
        For the optimizer that fit makes; its own default by default.
    epochs : int
        How many altogether, with those before ``resume``.
    metrics : list of names, metrics and functions
        See :func:`evaluate`; for training data they are taken as the model learns.
    callbacks : list of Callback
        ``tg.train.EarlyStopping()``, ``Checkpoint``, ``ScheduleCallback``, ``LambdaCallback``,
        or your own, called in this order (checkpoints last).
    clip : float or function of the optimizer, optional
        The largest norm of the gradient; or for example
        ``lambda optimizer: tg.clip_grad_value(optimizer, 0.5)``.
    accumulate : int
        Batches for each update. Batches count by their sizes (by the weights of their labels
        where the loss has some), so the gradient is that of one large batch.
    schedule : Schedule, function of the optimizer, or ScheduleCallback, optional
        Steps after each epoch; ``tg.train.ScheduleCallback(s, every="batch")`` after each update.
    batch_size, shuffle, generator
        For data that is no DataLoader: 32; True for training and never for validation; the
        Generator that orders are drawn from, by default one seeded by ``tg.manual_seed``.
    checkpoint : path or Checkpoint, optional
        Where the run is written after each epoch and after Ctrl-C (needs safetensors).
    resume : bool or path
        Go on from ``checkpoint`` if the file exists (True), or from this file. The
        parameters, and all after, are bit for bit those of the run that never stopped.
    progress : bool
        Whether to show a bar (tqdm) if the standard error output is a terminal or notebook.
    compile : bool or "auto"
        Record forward and backward pass once, and replay them (see :func:`tinygraph.compile`):
        the same numbers, with less Python in between. "auto" trains on without, and says why, if
        the model or the loss cannot be recorded. A ``print`` in the model's forward then prints
        once.
    workers : int
        Threads that each batch is split over (needs threadpoolctl); see :func:`parallel`. Worth
        it for steps above some 5 milliseconds.

    Returns
    -------
    History
        One row for each epoch. Ctrl-C ends training after the batch that runs, returns what
        there is, and says so in ``history.stopped``; a second Ctrl-C does not wait.

    Raises
    ------
    DivergenceError
        If the loss or gradient is nan or infinite: before the parameters are updated.
    UsageError
        For arguments that do not fit, before training starts.
    CheckpointError
        If the file to resume from is damaged or of another run.

    Notes
    -----
    Modules are set to training mode unless the model is in it already (parts that you had set
    to evaluation mode then stay so), and all have their modes again afterwards.

    Examples
    --------
    >>> import numpy as np, tinygraph as tg
    >>> x, y = tg.data.moons(200, generator=tg.Generator(0))
    >>> _ = tg.manual_seed(0)
    >>> model = tg.nn.Linear(2, 16) >> tg.nn.Tanh() >> tg.nn.Linear(16, 2)
    >>> history = tg.fit(model, (x, y), loss="cross_entropy", lr=0.05,
    ...                  epochs=20, metrics=["accuracy"])
    >>> len(history), history.last["accuracy"] > 0.9
    (20, True)
    """
    check_model("fit", model)
    if not is_grad_enabled():
        raise GradientError("fit cannot train under tg.no_grad(). Fix: call it outside.")
    if compile not in (True, False, "auto"):
        raise UsageError(f'fit: compile is True, False or "auto". Received {compile!r}.')
    if not isinstance(progress, bool | np.bool_):
        raise UsageError(f"fit: progress is True or False. Received {progress!r}.")
    loader = as_loader("fit: train", train, batch_size, shuffle, generator, usual=True)
    held_out = _validation(validation, loader)
    function = as_loss(loss)
    measures = as_metrics(metrics, function)
    hooks = _as_callbacks(callbacks, schedule, checkpoint)
    path = _resume_path(resume, hooks)
    count, group = whole("fit", "epochs", epochs), whole("fit", "accumulate", accumulate, 1)
    threads = whole("fit", "workers", workers, 1)
    clipping = as_clip(clip)
    stepper = as_optimizer(model, optimizer, lr)
    step: Step | None = None
    try:
        if group == threads == 1:
            step = Step(model, function, stepper, clipping, compile)
        else:
            step = SharedStep(model, function, stepper, clipping, compile, threads)
        run = Run(step, loader, held_out, measures, hooks, count, group)
        _try_validation(run)
        if path is not None:
            load_run(run, path)
        return run.train(bool(progress))
    finally:
        if step is not None:
            step.close()
        if not isinstance(optimizer, Optimizer):
            stepper.close()


def _validation(validation: Any, train: DataLoader) -> DataLoader | None:
    if validation is None:
        return None
    size = None if isinstance(validation, DataLoader) else train.batch_size
    return as_loader("fit: validation", validation, size)


def _as_callbacks(callbacks: Any, schedule: Any, checkpoint: Any) -> list[Callback]:
    """Return all callbacks, those for schedule and checkpoint last."""
    if isinstance(callbacks, Callback) or not isinstance(callbacks, list | tuple):
        callbacks = [callbacks]
    for callback in callbacks:
        if not isinstance(callback, Callback):
            fix = "tg.train.LambdaCallback(on_epoch_end=f) for a function"
            if isinstance(callback, type):
                fix = f"{callback.__name__}(…), an object and not the class"
            raise UsageError(
                compose_message("fit: callbacks is a list of Callbacks", describe(callback), fix)
            )
    found = list(callbacks)
    if schedule is not None:
        isolated = isinstance(schedule, ScheduleCallback)
        found.append(schedule if isolated else ScheduleCallback(schedule))
    if checkpoint is not None:
        found.append(checkpoint if isinstance(checkpoint, Checkpoint) else Checkpoint(checkpoint))
    return found


def _resume_path(resume: Any, callbacks: Sequence[Callback]) -> str | None:
    """Return the file to go on from, None to start afresh."""
    if resume is False or resume is None:
        return None
    if resume is True:
        paths = [c.path for c in callbacks if isinstance(c, Checkpoint) and c.path]
        if len(paths) != 1:
            raise UsageError(
                "fit: resume=True goes on from the file given as checkpoint. "
                'Fix: checkpoint="run.safetensors", resume=True.'
            )
        return paths[0] if os.path.exists(paths[0]) else None
    if not isinstance(resume, str | os.PathLike):
        raise UsageError(
            compose_message(
                "fit: resume is True, False or the name of a file", describe(resume), "resume=True"
            )
        )
    if not os.path.exists(resume):
        raise MissingCheckpointError(f"fit: there is no file {os.fspath(resume)!r} to resume from.")
    return os.fsdecode(resume)


def _try_validation(run: Run) -> None:
    """Run two validation samples through model, loss and metrics: hours later is too late."""
    if run.validation is None:
        return
    loader = run.validation
    before = Snapshot(generators_of(run))
    rows = np.arange(min(2, loader.batch_size, len(loader.dataset)))
    if loader.collate_fn is None:
        samples = read(loader.dataset, rows)
    else:
        samples = loader.collate_fn([loader.dataset[i] for i in rows.tolist()])
    try:
        batch = as_batch("the validation data", samples, floating_dtype(run.model))
        with evaluating(run.model):
            totals = Totals(run.metrics)
            totals.add(outcome_of(run.model, run.step.loss, batch))
            totals.row()
    except Exception as error:
        error.add_note("In tg.fit: two samples of the validation data, before training.")
        raise
    finally:
        before.restore()
