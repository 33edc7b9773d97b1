"""tg.parallel: a training step whose batch is split over threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.dtypes import as_array
from ..core.errors import UsageError, compose_message, describe
from ..core.tensor import Tensor
from ..ops.operands import whole
from ..optim import Optimizer
from ..optim.gradient_sum import GradientSum
from .losses import checked_loss, checked_weight
from .shards import common_rows, cuts, shard
from .step import as_clip, check_differentiable
from .team import Team, mean_loss


class Parallel:
    """A training step on several threads; see :func:`parallel`.

    ``step(*batch)`` trains on a batch and returns its loss. ``step.close()`` ends the threads,
    which happens by itself when the step is dropped; it is a context manager, too.
    """

    def __init__(
        self, loss_fn: Callable[..., Any], optimizer: Optimizer, workers: int, clip: Any,
        compile: bool,
    ) -> None:  # fmt: skip
        self._optimizer = optimizer
        self._clip = as_clip(clip)
        self._workers = workers
        self._sum = GradientSum(optimizer)
        self._team: Team | None = Team(_Loss(loss_fn), optimizer, workers, compile)

    def __call__(self, *batch: Any) -> Tensor:
        """Train on a batch and return its mean loss."""
        if self._team is None or self._optimizer.closed:
            what = "step" if self._team is None else "optimizer"
            raise UsageError(f"parallel: this {what} was closed. Fix: build a new one.")
        rows = common_rows("parallel", batch)
        places = cuts(rows, self._workers)
        parts = self._team.run([_shard(batch, rows, cut) for cut in places])
        weights = [
            float(cut.stop - cut.start) if part.weight is None else checked_weight(part.weight)
            for part, cut in zip(parts, places, strict=True)
        ]
        total = sum(weights)
        self._sum.clear()
        self._sum.add([(p.share, w / total) for p, w in zip(parts, weights, strict=True) if w])
        if self._clip is not None:
            self._clip(self._optimizer)
        self._optimizer.step()
        return Tensor(np.array(mean_loss(parts, weights), parts[0].dtype))

    def close(self) -> None:
        """End the threads; the step cannot be used afterwards."""
        if self._team is not None:
            self._team.close()
        self._team = None

    def __enter__(self) -> Parallel:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def parallel(
    loss_fn: Callable[..., Any], optimizer: Optimizer, workers: int = 2, clip: Any = None,
    compile: bool = True,
) -> Parallel:  # fmt: skip
    """Make a training step that splits each batch over threads.

    ``step(*batch)`` gives each worker a part of the rows, adds the gradients in fixed order,
    each with its weight, clips, and updates once. NumPy computes outside of Python's lock, so
    two threads are faster from some 5 milliseconds a step on.

    Parameters
    ----------
    loss_fn : callable
        ``loss_fn(*part)`` returns the mean loss over axis 0 of a part of the batch; where that
        is a weighted mean, a pair of it and the weight total it was divided by (the number of
        rows by default).
    optimizer : Optimizer
    workers : int
        Threads; the one that calls is the first. Each has gradients (and a plan) of its own.
    clip : float or function of the optimizer, optional
        The largest norm of the gradient.
    compile : bool
        Whether each worker records ``loss_fn`` with its backward pass, and replays it.

    Returns
    -------
    Parallel
        Called with a batch, it returns the mean loss, a Tensor. Tensors and arrays of the batch
        have one length along axis 0; all else is passed whole.

    Raises
    ------
    UsageError
        For arguments of the wrong kind.
    MissingExtraError
        Without threadpoolctl, which keeps BLAS at one thread for each worker.

    Notes
    -----
    Losses and gradients are those of one thread, up to rounding, and equal from run to run.
    Except:

    - To batch norm each part is a batch of its own: it normalizes with its own mean and
      variance, and updates the running statistics, one part after the other.
    - Random ops draw from streams of their own, seeded from their generator at every call:
      reproducible, but not the numbers that one thread draws.

    Workers run in a copy of the caller's context (``no_grad``, default dtype). Whatever else
    ``loss_fn`` writes, to attributes or lists, it writes from several threads.

    Examples
    --------
    >>> import numpy as np, tinygraph as tg
    >>> w = tg.tensor([0.0], requires_grad=True)
    >>> optimizer = tg.optim.SGD([w], lr=0.25)
    >>> x = np.arange(4.0, dtype=np.float32)
    >>> with tg.parallel(lambda x: ((w - x) ** 2).mean(), optimizer) as step:
    ...     losses = [float(step(x)) for _ in range(3)]
    >>> losses
    [3.5, 1.8125, 1.390625]
    """
    if not callable(loss_fn) or isinstance(loss_fn, type):
        raise UsageError(
            compose_message(
                "parallel: loss_fn is a function of a part of the batch that returns its loss",
                describe(loss_fn),
                "lambda x, y: nn.functional.mse_loss(model(x), y)",
            )
        )
    if not isinstance(optimizer, Optimizer) or optimizer.closed:
        raise UsageError(
            compose_message(
                "parallel takes an open optimizer", describe(optimizer), "tg.optim.SGD(…)"
            )
        )
    if not isinstance(compile, bool):
        raise UsageError(f"parallel: compile is True or False. Received {compile!r}.")
    return Parallel(loss_fn, optimizer, whole("parallel", "workers", workers, 1), clip, compile)


class _Loss:
    """The user's loss as a team wants it."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, *parts: Any) -> tuple[Tensor, Any, Any]:
        loss, weight = checked_loss(self._function(*parts))
        check_differentiable(loss)
        return loss, weight, None


def _shard(batch: tuple[Any, ...], rows: int, cut: slice) -> tuple[Any, ...]:
    """Return a part of the batch; arrays arrive as tensors, compiled or not."""
    whole = [Tensor(as_array(p)) if isinstance(p, np.ndarray) else p for p in batch]
    return tuple(shard(p, rows, cut) if isinstance(p, Tensor) else p for p in whole)
