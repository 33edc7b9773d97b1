"""A step whose gradient has several parts: batches gathered for one update, and workers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.tensor import Tensor
from ..nn import Module
from ..optim import Optimizer
from ..optim.gradient_sum import GradientSum, Share
from .data import Batch
from .generators import Snapshot, generators_in
from .losses import LossFunction, checked_loss, prediction_of, weight_of
from .shards import cuts, joined, shard
from .step import Clip, Outcome, Step, check_differentiable
from .team import Team, mean_loss


class SharedStep(Step):
    """Adds up the gradients of batches, each computed by some workers, and updates.

    With the weights wᵢ that the means of the parts were divided by, the gradient is
    ``Σ wᵢ gᵢ / Σ wᵢ``: that of one batch of all of them.

    Parameters
    ----------
    workers : int
        Threads that a batch is split over.
    others
        As for :class:`Step`.
    """

    def __init__(
        self, model: Module, loss: LossFunction, optimizer: Optimizer, clip: Clip | None = None,
        compile: Any = False, workers: int = 1,
    ) -> None:  # fmt: skip
        self.workers = workers
        self._sum = GradientSum(optimizer)
        self._waiting: list[tuple[Share, float]] = []  # of the latest batch, with their weights
        self._first = self._total = 0.0  # weights: of the first that was added, and of all
        self._seen: set[int] = set()
        self._team: Team | None = None
        super().__init__(model, loss, optimizer, clip, compile)

    def _build(self) -> None:
        self.close()
        self._team = Team(self._forward, self.optimizer, self.workers, bool(self.compile))

    def _forward(self, *parts: Any) -> tuple[Tensor, Any, Any]:
        prediction = prediction_of(self.model, parts[:-1])
        loss, weight = checked_loss(self.loss(prediction, parts[-1]))
        check_differentiable(loss)
        return loss, weight, prediction

    def _add(self, batch: Batch) -> Outcome:
        self._flush()
        parts, places = (*batch.inputs, batch.target), cuts(batch.rows, self.workers)
        shards = [tuple(shard(p, batch.rows, cut) for p in parts) for cut in places]
        assert self._team is not None
        done = self._team.run(shards)
        weights = [
            weight_of(self.loss, part.weight, given[-1], cut.stop - cut.start)
            for part, given, cut in zip(done, shards, places, strict=True)
        ]
        prediction = joined([part.rest for part in done])
        total = sum(weights)
        outcome = self._outcome(mean_loss(done, weights), total, prediction, batch)
        self._waiting = [(part.share, w) for part, w in zip(done, weights, strict=True) if w]
        self._total += total
        return outcome

    def _flush(self) -> None:
        """Add the gradients of the latest batch to the sum: the next one needs their memory."""
        if self._waiting and not self._first:
            self._sum.clear()
            self._first = self._waiting[0][1]
        self._sum.add([(share, weight / self._first) for share, weight in self._waiting])
        self._waiting = []

    def update(self) -> None:
        """Average the gradients since the last update, clip them, check them, and step."""
        if self._first or not self._waiting:
            self._flush()
            if self._first:
                self._sum.multiply(self._first / self._total)
            else:
                self.optimizer.zero_grad()
        else:  # one batch: the sum of the weights is known before anything is added
            self._sum.clear()
            self._sum.add([(share, weight / self._total) for share, weight in self._waiting])
        self._waiting, self._first, self._total = [], 0.0, 0.0
        super().update()

    def _undo(self, batch: Batch) -> Callable[[], None]:
        """Workers that record take back what they changed, but they change the same things."""
        if self.compile != "auto" or self.workers == 1 or batch.rows in self._seen:
            return super()._undo(batch)
        self._seen.add(batch.rows)
        state, generators = self.model.state_dict(), Snapshot(generators_in(self.model, self.loss))

        def undo() -> None:
            self.model.load_state_dict(state)
            generators.restore()

        return undo

    def close(self) -> None:
        """End the threads and drop the plans; the step cannot be used afterwards."""
        if self._team is not None:
            self._team.close()
        self._team = None  # it refers to this step
