"""Schedules one after the other."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Any

from ...core.errors import UsageError, compose_message, describe
from ...ops.operands import whole
from ..optimizer import Optimizer
from .base import LRScheduler
from .checks import checked_milestones
from .closed import CosineAnnealingLR, LinearLR


class SequentialLR(LRScheduler):
    """Schedules one after the other: the next begins, at its epoch 0, at each milestone.

    Parameters
    ----------
    optimizer : Optimizer
    schedulers : list of LRScheduler
        Of the same optimizer; this one steps for them.
    milestones : list of int
        One fewer than schedules, increasing.

    Raises
    ------
    UsageError
        For schedules of another optimizer, other counts, or a :class:`ReduceLROnPlateau`,
        which is no function of the epoch.

    Examples
    --------
    >>> import tinygraph as tg
    >>> optimizer = tg.optim.SGD([tg.ones(1, requires_grad=True)], lr=1.0)
    >>> warm = tg.optim.LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> cool = tg.optim.ExponentialLR(optimizer, gamma=0.5)
    >>> schedule = tg.optim.SequentialLR(optimizer, [warm, cool], milestones=[2])
    >>> for _ in range(5):
    ...     print(optimizer.param_groups[0]["lr"])
    ...     schedule.step()
    0.5
    0.75
    1.0
    0.5
    0.25
    """

    settings = ("milestones",)

    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], milestones: Iterable[int]
    ) -> None:
        self.milestones = checked_milestones("SequentialLR", milestones, low=1)
        self.schedulers = list(schedulers)
        for schedule in self.schedulers:
            if not isinstance(schedule, LRScheduler):
                raise UsageError(
                    compose_message(
                        "SequentialLR takes schedules that are functions of the epoch",
                        describe(schedule),
                    )
                )
            if schedule.optimizer is not optimizer:
                raise UsageError(
                    f"SequentialLR: {schedule!r} schedules another optimizer. Fix: the same one."
                )
        self._check_count(self.milestones)
        # Each schedule has set the learning rate of its own start: begin again from the first.
        super().__init__(optimizer, base_lrs=list(self.schedulers[0].base_lrs))

    def _check_count(self, milestones: Sequence[int]) -> None:
        schedules, wanted = len(self.schedulers), len(set(milestones)) + 1
        if len(milestones) + 1 != schedules or wanted != schedules:
            raise UsageError(
                "SequentialLR: milestones are different epochs, one fewer than schedules. "
                f"Received {list(milestones)} for {schedules} schedules."
            )

    def options_at(self, epoch: int, number: int) -> dict[str, Any]:
        turn = bisect_right(self.milestones, epoch)
        start = self.milestones[turn - 1] if turn else 0
        return self.schedulers[turn].options_at(epoch - start, number)

    def state_dict(self) -> dict[str, Any]:
        return {
            **super().state_dict(),
            "schedulers": [schedule.state_dict() for schedule in self.schedulers],
        }

    def _checked_state(self, state_dict: Any) -> dict[str, Any]:
        state = super()._checked_state(state_dict)
        self._check_count(state["milestones"])
        nested = zip(self.schedulers, state["schedulers"], strict=True)
        return {**state, "schedulers": [schedule._checked_state(own) for schedule, own in nested]}

    def _restore(self, state: dict[str, Any]) -> None:
        for schedule, own in zip(self.schedulers, state.pop("schedulers"), strict=True):
            schedule._restore(own)
        super()._restore(state)


def warmup_cosine(
    optimizer: Optimizer, warmup: int, total: int, start_factor: float = 1e-3, eta_min: float = 0.0
) -> LRScheduler:
    """Warm up in a straight line, then follow half a cosine down.

    Parameters
    ----------
    optimizer : Optimizer
    warmup : int
        Steps from ``start_factor`` η₀ to η₀; 0 leaves the warm-up out.
    total : int
        The step at which ``eta_min`` is reached.
    start_factor, eta_min : float

    Returns
    -------
    LRScheduler
        A :class:`SequentialLR` of :class:`LinearLR` and :class:`CosineAnnealingLR`.

    Raises
    ------
    UsageError
        Unless 0 ≤ warmup < total.

    Examples
    --------
    >>> import tinygraph as tg
    >>> optimizer = tg.optim.AdamW([tg.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = tg.optim.warmup_cosine(optimizer, warmup=1, total=5)
    >>> for _ in range(3):
    ...     schedule.step()
    >>> round(optimizer.param_groups[0]["lr"], 4)
    0.5
    """
    whole("warmup_cosine", "warmup", warmup)
    whole("warmup_cosine", "total", total, 1)
    if warmup >= total:
        raise UsageError(
            f"warmup_cosine: warmup is below total. Received warmup={warmup}, total={total}."
        )
    if warmup == 0:
        return CosineAnnealingLR(optimizer, total, eta_min)
    warm = LinearLR(optimizer, start_factor, total_iters=warmup)
    cool = CosineAnnealingLR(optimizer, total - warmup, eta_min)
    return SequentialLR(optimizer, [warm, cool], [warmup])
