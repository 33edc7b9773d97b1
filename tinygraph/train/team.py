"""Workers: threads that each compute the gradient of a part of a batch in memory of their own."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ..core.grad import gradients_into
from ..core.tensor import Tensor
from ..core.turns import Turns, set_turn
from ..ops.random import stand_in
from ..ops.threads import wait_for, work_alone
from ..optim import Optimizer
from ..optim.gradient_sum import Share
from ..plan import compile
from .blas import Blas
from .generators import Spawner

Function = Callable[..., tuple[Tensor, Any, Any]]
"""Of the parts of a batch: returns the loss, the weight that came with it, and what else."""


class Part(NamedTuple):
    """What a worker made of its part of a batch."""

    loss: float
    dtype: Any
    weight: Any
    rest: Any
    share: Share


class Team:
    """Some workers; the first one is the thread that calls.

    Parameters
    ----------
    function : callable
    optimizer : Optimizer
    workers : int
    compile : bool
        Whether each worker records ``function`` with its backward pass, and replays it.

    Raises
    ------
    MissingExtraError
        For more than one worker without threadpoolctl.
    """

    def __init__(
        self, function: Function, optimizer: Optimizer, workers: int = 1, compile: bool = False
    ) -> None:
        self.workers = workers
        self._function = function
        self._shares = [Share(optimizer) for _ in range(workers)]
        self._runs = [self._worker(share, compile) for share in self._shares]
        self._spawner = Spawner(workers)
        self._threads: ThreadPoolExecutor | None = None
        if workers > 1:
            self._blas = Blas()
            self._threads = ThreadPoolExecutor(workers - 1, "tinygraph")

    def _worker(self, share: Share, compiled: bool) -> Callable[..., Any]:
        run = partial(_forward_and_backward, self._function, share)
        return compile(run, copy=False) if compiled else run

    def run(self, shards: Sequence[tuple[Any, ...]]) -> list[Part]:
        """Give each worker a shard, wait for all of them, and return what they made, in order.

        Raises
        ------
        Exception
            That of the first worker that failed, when none runs any more.
        """
        if self._threads is None:
            return [self._work(0, shards[0])]
        self._spawner.begin()
        turns = Turns(len(shards))
        others: list[Future[Part]] = []
        with self._blas.of_one_thread():
            try:
                for number in range(1, len(shards)):
                    run = copy_context().run
                    others.append(
                        self._threads.submit(run, self._work_as, number, shards[number], turns)
                    )
                first = copy_context().run(self._work_as, 0, shards[0], turns)
            finally:
                turns.done(0, altogether=True)
                wait_for(others)
        return [first, *(other.result() for other in others)]

    def _work_as(self, number: int, shard: tuple[Any, ...], turns: Turns) -> Part:
        set_turn((turns, number))
        work_alone(True)
        stand_in.set(partial(self._spawner.of, number))
        try:
            return self._work(number, shard)
        except Exception as error:
            count = len(turns)
            error.add_note(f"In worker {number + 1} of {count}, with its part of the batch.")
            raise
        finally:
            turns.done(number, altogether=True)

    def _work(self, number: int, shard: tuple[Any, ...]) -> Part:
        share = self._shares[number]
        with np.errstate(all="ignore"):  # a loss that is not finite is an error, not a warning
            loss, weight, rest, share.present = self._runs[number](*shard)
            return Part(float(loss.item()), loss.dtype, weight, rest, share)

    def close(self) -> None:
        """End the threads."""
        if self._threads is not None:
            self._threads.shutdown()


def mean_loss(parts: Sequence[Part], weights: Sequence[float]) -> float:
    """Return the mean of the losses, each with its weight."""
    total = sum(weights)
    weighted = [part.loss * w for part, w in zip(parts, weights, strict=True) if w]
    return sum(weighted) / total if total else math.nan


def _forward_and_backward(function: Function, share: Share, *parts: Any) -> tuple[Any, ...]:
    loss, weight, rest = function(*parts)
    return loss, weight, rest, gradients_into(loss, share.places)
