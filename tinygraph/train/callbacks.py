"""Callbacks: what happens between the batches and epochs of a training run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..core.calls import explain_calls
from ..core.errors import UsageError, compose_message, describe

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

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        explain_calls(cls)

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

    Examples
    --------
    >>> import numpy as np, tinygraph as tg
    >>> x = np.linspace(-1, 1, 20)[:, None]
    >>> report = tg.train.LambdaCallback(on_epoch_end=lambda run: print("epoch", run.epoch))
    >>> history = tg.fit(tg.nn.Linear(1, 1), (x, 3 * x), loss="mse", epochs=2, callbacks=[report])
    epoch 1
    epoch 2
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
