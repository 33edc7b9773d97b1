"""What the settings and the optimizer of a schedule must be."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from ...core.errors import UsageError, compose_message, describe
from ...ops.operands import whole
from ..groups import check_number
from ..optimizer import Optimizer


def checked_optimizer(who: str, optimizer: Any) -> Optimizer:
    """Return ``optimizer``, or raise if it is none."""
    if not isinstance(optimizer, Optimizer):
        raise UsageError(
            compose_message(
                f"{who} schedules an optimizer", describe(optimizer), f"{who}(optimizer, …)"
            )
        )
    if not all("lr" in group for group in optimizer.param_groups):
        raise UsageError(f"{who} sets the option lr, which {optimizer!r} does not have.")
    return optimizer


def checked_setting(
    who: str, name: str, value: Any, low: float = 0.0, high: float = math.inf
) -> float:
    """Return a finite number in [low, high], or raise."""
    check_number(who, {name: value}, name, low=low)
    if value > high:
        raise UsageError(f"{who}: {name} is at most {high:g}. Received {value!r}.")
    return float(value)


def checked_milestones(who: str, milestones: Any, low: int) -> tuple[int, ...]:
    """Return epochs in order, or raise."""
    if not isinstance(milestones, Iterable) or isinstance(milestones, str):
        raise UsageError(
            compose_message(f"{who}: milestones are epochs", describe(milestones), "[30, 80]")
        )
    return tuple(sorted(whole(who, "a milestone", m, low) for m in milestones))


def per_group(who: str, name: str, value: Any, count: int) -> list[Any]:
    """Return one value for each group, from a list of them or one for all."""
    if not isinstance(value, list | tuple):
        return [value] * count
    if len(value) != count:
        raise UsageError(
            f"{who}: {name} is one value, or one for each of the {count} groups. "
            f"Received {len(value)}."
        )
    return list(value)
