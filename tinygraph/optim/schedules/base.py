"""What all schedules share: their state; and the base of those that are one formula."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...core.calls import explain_calls
from ...core.errors import UsageError, compose_message, describe
from ..optimizer import Optimizer
from .checks import checked_optimizer


class Schedule:
    """Changes the learning rates of an optimizer, and knows its state as plain data.

    Attributes
    ----------
    optimizer : Optimizer
    last_epoch : int
        How often the schedule has stepped.
    """

    settings: tuple[str, ...] = ()
    """Attributes that say what it does."""

    progress: tuple[str, ...] = ("last_epoch",)
    """Attributes that say where it is."""

    may_be_none: tuple[str, ...] = ()
    """Those of them that may be None."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        explain_calls(cls)

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = checked_optimizer(type(self).__name__, optimizer)
        self.last_epoch = 0

    def get_last_lr(self) -> list[float]:
        """Return the learning rate of each group."""
        return [float(g["lr"]) for g in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Return settings and progress as plain data (functions are left out)."""
        own = {name: copy.copy(getattr(self, name)) for name in (*self.settings, *self.progress)}
        return {**own, "_last_lr": self.get_last_lr()}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a state of :meth:`state_dict`: settings, progress and learning rates.

        Raises
        ------
        UsageError
            If names or values do not fit; nothing is changed then.
        """
        self._restore(self._checked_state(state_dict))

    def _checked_state(self, state_dict: Any) -> dict[str, Any]:
        """Return a copy of a state that fits, or raise."""
        who = f"{type(self).__name__}.load_state_dict"
        own = self.state_dict()
        if not isinstance(state_dict, Mapping) or set(state_dict) != set(own):
            received = ", ".join(map(str, state_dict)) if isinstance(state_dict, Mapping) else ""
            raise UsageError(
                compose_message(
                    f"{who} takes a dict with {', '.join(own)}",
                    received or describe(state_dict),
                    "what state_dict() of a schedule of the same class returned",
                )
            )
        for name, value in own.items():
            given = state_dict[name]
            if not _alike(value, given) and not (given is None and name in self.may_be_none):
                raise UsageError(
                    compose_message(
                        f"{who}: {name} does not fit this schedule and optimizer",
                        f"{given!r} where this one has {value!r}",
                    )
                )
        for group, lr in zip(self.optimizer.param_groups, state_dict["_last_lr"], strict=True):
            self.optimizer.check_options({**group, "lr": lr})
        return copy.deepcopy(dict(state_dict))

    def _restore(self, state: dict[str, Any]) -> None:
        lrs = state.pop("_last_lr")
        for name, value in state.items():
            setattr(self, name, tuple(value) if name == "milestones" else value)
        for group, lr in zip(self.optimizer.param_groups, lrs, strict=True):
            group["lr"] = lr

    def __repr__(self) -> str:
        own = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.settings)
        return f"{type(self).__name__}({own})"


def _alike(own: Any, given: Any) -> bool:
    """Tell whether a value of a state can take the place of ``own``."""
    if isinstance(own, tuple):  # as many as one likes
        return isinstance(given, tuple | list) and all(_alike(0, value) for value in given)
    if isinstance(own, list):  # one for each group
        same = isinstance(given, list) and len(given) == len(own)
        return same and all(_alike(a, b) for a, b in zip(own, given, strict=True))
    if isinstance(own, dict):  # checked by its own schedule
        return isinstance(given, Mapping)
    if own is None:
        return given is None or _alike(0.0, given)
    if isinstance(own, bool | str) or isinstance(given, bool | str):
        return type(own) is type(given)
    wanted = (int, np.integer) if isinstance(own, int) else (int, float, np.number)
    return isinstance(given, wanted) and not math.isnan(given)


class LRScheduler(Schedule):
    """Sets ``group["lr"]`` of an optimizer, epoch by epoch; subclasses hold one formula each.

    Building one sets the learning rate of epoch 0; each :meth:`step` goes to the next. A
    schedule of one's own defines :meth:`lr_at`. If something else has changed the learning
    rate since (your code, or another schedule of the same optimizer), the change is kept as
    a factor, so that schedules combine.

    Parameters
    ----------
    optimizer : Optimizer

    Attributes
    ----------
    last_epoch : int
        The epoch whose learning rate is set.
    base_lrs : list of float
        The learning rate of each group before the first schedule.

    Raises
    ------
    UsageError
        For anything but an optimizer, or settings out of range.

    Notes
    -----
    Names, defaults and values are those of ``torch.optim.lr_scheduler``. To resume, build the
    schedule as before and call ``load_state_dict`` (there is no ``last_epoch`` argument).

    Examples
    --------
    >>> import tinygraph as tg
    >>> class InverseLR(tg.optim.LRScheduler):
    ...     def lr_at(self, base, epoch, number):
    ...         return base / (1 + epoch)
    >>> optimizer = tg.optim.SGD([tg.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = InverseLR(optimizer)
    >>> schedule.step()
    >>> optimizer.param_groups[0]["lr"]
    0.5
    """

    progress = ("last_epoch", "base_lrs", "_own_lrs")

    def __init__(self, optimizer: Optimizer, base_lrs: list[float] | None = None) -> None:
        super().__init__(optimizer)
        current = self.get_last_lr()
        first = [
            lr if group.initial_lr is None else group.initial_lr
            for group, lr in zip(optimizer.param_groups, current, strict=True)
        ]
        self.base_lrs = first if base_lrs is None else base_lrs
        # With a base of its own, a schedule does not start from what it finds.
        self._own_lrs = first if base_lrs is None else current
        self._go_to(0)
        for group, lr in zip(optimizer.param_groups, first, strict=True):
            group.initial_lr = lr

    def lr_at(self, base: float, epoch: int, number: int) -> float:
        """Return the learning rate in ``epoch`` of group ``number``, which began with ``base``."""
        raise UsageError(f"{type(self).__name__} defines no lr_at.")

    def options_at(self, epoch: int, number: int) -> dict[str, Any]:
        """Return all options that the schedule sets; "lr" alone by default."""
        return {"lr": float(self.lr_at(self.base_lrs[number], epoch, number))}

    def step(self) -> None:
        """Go to the next epoch (or batch, if that is what the schedule counts).

        Raises
        ------
        UsageError
            If the optimizer cannot take the result; nothing is changed then.
        """
        self._go_to(self.last_epoch + 1)

    def _go_to(self, epoch: int) -> None:
        groups = self.optimizer.param_groups
        plans = [self.options_at(epoch, i) for i in range(len(groups))]
        changes = []
        for group, plan, own in zip(groups, plans, self._own_lrs, strict=True):
            foreign = group["lr"] != own and own != 0
            scale = float(group["lr"]) / own if foreign else 1.0
            changes.append({**plan, "lr": plan["lr"] * scale})
            self.optimizer.check_options({**group, **changes[-1]})
        for group, change in zip(groups, changes, strict=True):
            group.update(change)
        self.last_epoch = epoch
        self._own_lrs = [plan["lr"] for plan in plans]
