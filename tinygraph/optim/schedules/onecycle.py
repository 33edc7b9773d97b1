"""The one-cycle schedule: up once, then down to almost nothing."""

from __future__ import annotations

import math
from typing import Any

from ...core.errors import UsageError
from ...ops.operands import whole
from ..groups import check_flag
from ..optimizer import Optimizer
from .base import LRScheduler
from .checks import checked_optimizer, checked_setting, per_group


class OneCycleLR(LRScheduler):
    """Up from max_lr / div_factor to max_lr, then down to a ten-thousandth of where it began.

    Momentum (or Adam's β₁) goes the other way. Step once a batch.

    Parameters
    ----------
    optimizer : Optimizer
        Its own learning rate is not used.
    max_lr : float or list of float
        The peak, for all groups or for each.
    total_steps : int, optional
        Steps of the whole cycle; or give the next two.
    epochs, steps_per_epoch : int, optional
        Their product is the number of steps.
    pct_start : float
        The share of the steps that goes up.
    anneal_strategy : {"cos", "linear"}
        Half a cosine, or a straight line, from one end to the other.
    cycle_momentum : bool
        Whether momentum moves too.
    base_momentum, max_momentum : float or list of float
        Its ends.
    div_factor, final_div_factor : float
        max_lr / first lr, first lr / last lr.
    three_phase : bool
        Whether it goes down as long as it went up, and then on to the end.

    Raises
    ------
    UsageError
        For settings out of range, or an optimizer without momentum if that is to move; by
        ``step`` when the cycle is over.

    Notes
    -----
    Values are PyTorch's, but for the step behind the last one, where PyTorch's curve turns:
    here it stays. Source: Smith and Topin 2018.

    Examples
    --------
    >>> import tinygraph as tg
    >>> optimizer = tg.optim.AdamW([tg.ones(1, requires_grad=True)])
    >>> schedule = tg.optim.OneCycleLR(optimizer, max_lr=0.1, total_steps=10)
    >>> for _ in range(2):
    ...     schedule.step()
    >>> schedule.get_last_lr(), optimizer.param_groups[0]["betas"]
    ([0.1], (0.85, 0.999))
    """

    settings = (
        "max_lrs", "total_steps", "pct_start", "anneal_strategy", "cycle_momentum",
        "base_momentums", "max_momentums", "div_factor", "final_div_factor", "three_phase",
    )  # fmt: skip

    def __init__(
        self, optimizer: Optimizer, max_lr: float | list[float], total_steps: int | None = None,
        epochs: int | None = None, steps_per_epoch: int | None = None, pct_start: float = 0.3,
        anneal_strategy: str = "cos", cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85, max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0, final_div_factor: float = 1e4, three_phase: bool = False,
    ) -> None:  # fmt: skip
        who = "OneCycleLR"
        groups = checked_optimizer(who, optimizer).param_groups
        self.total_steps = _steps(total_steps, epochs, steps_per_epoch)
        self.pct_start = checked_setting(who, "pct_start", pct_start, high=1)
        if anneal_strategy not in ("cos", "linear"):
            raise UsageError(
                f"{who}: anneal_strategy is 'cos' or 'linear'. Received {anneal_strategy!r}."
            )
        self.anneal_strategy = anneal_strategy
        flags = {"cycle_momentum": cycle_momentum, "three_phase": three_phase}
        for name in flags:
            check_flag(who, flags, name)
        self.cycle_momentum, self.three_phase = cycle_momentum, three_phase
        if cycle_momentum and not {"momentum", "betas"} & set(groups[0]):
            raise UsageError(
                f"{who}: {type(optimizer).__name__} has neither momentum nor betas to move. "
                "Fix: cycle_momentum=False."
            )
        self.div_factor = checked_setting(who, "div_factor", div_factor, low=1e-12)
        self.final_div_factor = checked_setting(
            who, "final_div_factor", final_div_factor, low=1e-12
        )

        def each(name: str, value: Any) -> list[float]:
            values = per_group(who, name, value, len(groups))
            return [checked_setting(who, name, v) for v in values]

        self.max_lrs = each("max_lr", max_lr)
        self.base_momentums = each("base_momentum", base_momentum)
        self.max_momentums = each("max_momentum", max_momentum)
        super().__init__(optimizer, base_lrs=[lr / self.div_factor for lr in self.max_lrs])

    def options_at(self, epoch: int, number: int) -> dict[str, Any]:
        high, low = self.max_momentums[number], self.base_momentums[number]
        first, peak = self.base_lrs[number], self.max_lrs[number]
        last = first / self.final_div_factor
        begin, end, phase = self._phase(epoch)
        done = min((epoch - begin) / (end - begin), 1.0) if end > begin else 1.0
        if self.three_phase:
            rates, momenta = [first, peak, first, last], [high, low, high, high]
        else:
            rates, momenta = [first, peak, last], [high, low, high]
        options: dict[str, Any] = {"lr": self._between(rates[phase], rates[phase + 1], done)}
        if self.cycle_momentum:
            momentum = self._between(momenta[phase], momenta[phase + 1], done)
            group = self.optimizer.param_groups[number]
            if "betas" in group:
                options["betas"] = (momentum, *group["betas"][1:])
            else:
                options["momentum"] = momentum
        return options

    def _phase(self, epoch: int) -> tuple[float, float, int]:
        """Return the ends of the phase that ``epoch`` is in, and its number."""
        if epoch > self.total_steps:
            raise UsageError(
                f"OneCycleLR: the cycle of {self.total_steps} steps is over. "
                "Fix: a larger total_steps, or stop."
            )
        up = self.pct_start * self.total_steps
        ends = [up - 1, 2 * up - 2] if self.three_phase else [up - 1]
        ends.append(self.total_steps - 1)
        begin = 0.0
        for phase, end in enumerate(ends[:-1]):
            if epoch <= end:
                return begin, end, phase
            begin = end
        return begin, ends[-1], len(ends) - 1

    def _between(self, start: float, end: float, done: float) -> float:
        if self.anneal_strategy == "linear":
            return start + (end - start) * done
        return end + (start - end) / 2 * (1 + math.cos(math.pi * done))


def _steps(total_steps: Any, epochs: Any, steps_per_epoch: Any) -> int:
    if total_steps is not None:
        return whole("OneCycleLR", "total_steps", total_steps, 1)
    if epochs is None or steps_per_epoch is None:
        raise UsageError("OneCycleLR needs total_steps, or both epochs and steps_per_epoch.")
    return whole("OneCycleLR", "epochs", epochs, 1) * whole(
        "OneCycleLR", "steps_per_epoch", steps_per_epoch, 1
    )
