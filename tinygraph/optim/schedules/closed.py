"""Schedules that are one formula of the epoch t, with η₀ the learning rate at the start."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable

from ...core.errors import UsageError, compose_message, describe
from ...ops.operands import whole
from ..optimizer import Optimizer
from .base import LRScheduler
from .checks import (
    checked_milestones,
    checked_optimizer,
    checked_setting,
    per_group,
)


class StepLR(LRScheduler):
    """Multiply by γ every ``step_size`` epochs: ``η = η₀ γ^⌊t / step_size⌋``.

    Parameters
    ----------
    optimizer : Optimizer
    step_size : int
    gamma : float
        γ.

    Raises
    ------
    UsageError
        For settings out of range.

    Examples
    --------
    >>> import tinygraph as tg
    >>> optimizer = tg.optim.SGD([tg.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = tg.optim.StepLR(optimizer, step_size=2, gamma=0.5)
    >>> for _ in range(4):
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.25]
    """

    settings = ("step_size", "gamma")

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        self.step_size = whole("StepLR", "step_size", step_size, 1)
        self.gamma = checked_setting("StepLR", "gamma", gamma)
        super().__init__(optimizer)

    def lr_at(self, base: float, epoch: int, number: int) -> float:
        return base * self.gamma ** (epoch // self.step_size)


class MultiStepLR(LRScheduler):
    """Multiply by γ at each milestone: ``η = η₀ γ^(number of milestones ≤ t)``.

    Parameters
    ----------
    optimizer : Optimizer
    milestones : iterable of int
        Epochs; one that stands twice counts twice.
    gamma : float
        γ.

    Raises
    ------
    UsageError
        For settings out of range.

    Examples
    --------
    >>> import tinygraph as tg
    >>> optimizer = tg.optim.SGD([tg.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = tg.optim.MultiStepLR(optimizer, milestones=[1, 3], gamma=0.5)
    >>> for _ in range(3):
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.25]
    """

    settings = ("milestones", "gamma")

    def __init__(self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1) -> None:
        self.milestones = checked_milestones("MultiStepLR", milestones, low=0)
        self.gamma = checked_setting("MultiStepLR", "gamma", gamma)
        super().__init__(optimizer)

    def lr_at(self, base: float, epoch: int, number: int) -> float:
        return base * self.gamma ** bisect_right(self.milestones, epoch)


class ExponentialLR(LRScheduler):
    """Multiply by γ every epoch: ``η = η₀ γᵗ``.

    Parameters
    ----------
    optimizer : Optimizer
    gamma : float
        γ.

    Raises
    ------
    UsageError
        For settings out of range.

    Examples
    --------
    >>> import tinygraph as tg
    >>> optimizer = tg.optim.SGD([tg.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = tg.optim.ExponentialLR(optimizer, gamma=0.5)
    >>> schedule.step(); schedule.step()
    >>> schedule.get_last_lr()
    [0.25]
    """

    settings = ("gamma",)

    def __init__(self, optimizer: Optimizer, gamma: float) -> None:
        self.gamma = checked_setting("ExponentialLR", "gamma", gamma)
        super().__init__(optimizer)

    def lr_at(self, base: float, epoch: int, number: int) -> float:
        return base * self.gamma**epoch


class CosineAnnealingLR(LRScheduler):
    """Half a cosine from η₀ down: ``η = η_min + (η₀ − η_min)(1 + cos(π t / T_max)) / 2``.

    Parameters
    ----------
    optimizer : Optimizer
    T_max : int
        The epoch of the minimum; the cosine goes up again behind it.
    eta_min : float
        η_min.

    Raises
    ------
    UsageError
        For settings out of range.

    Notes
    -----
    Source: Loshchilov and Hutter 2017 (SGDR), without restarts.

    Examples
    --------
    >>> import tinygraph as tg
    >>> optimizer = tg.optim.SGD([tg.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = tg.optim.CosineAnnealingLR(optimizer, T_max=2)
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    settings = ("T_max", "eta_min")

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        self.T_max = whole("CosineAnnealingLR", "T_max", T_max, 1)
        self.eta_min = checked_setting("CosineAnnealingLR", "eta_min", eta_min)
        super().__init__(optimizer)

    def lr_at(self, base: float, epoch: int, number: int) -> float:
        wave = (1 + math.cos(math.pi * epoch / self.T_max)) / 2
        return self.eta_min + (base - self.eta_min) * wave


class LinearLR(LRScheduler):
    """A straight line from ``start_factor`` η₀ to ``end_factor`` η₀, then constant: warm-up.

    ``η = η₀ (s + (e − s) min(t, T) / T)``.

    Parameters
    ----------
    optimizer : Optimizer
    start_factor, end_factor : float
        s in (0, 1], e in [0, 1].
    total_iters : int
        T.

    Raises
    ------
    UsageError
        For settings out of range.

    Examples
    --------
    >>> import tinygraph as tg
    >>> optimizer = tg.optim.SGD([tg.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = tg.optim.LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.75]
    """

    settings = ("start_factor", "end_factor", "total_iters")

    def __init__(
        self, optimizer: Optimizer, start_factor: float = 1 / 3, end_factor: float = 1.0,
        total_iters: int = 5,
    ) -> None:  # fmt: skip
        self.start_factor = checked_setting("LinearLR", "start_factor", start_factor, high=1)
        if self.start_factor == 0:
            raise UsageError("LinearLR: start_factor is above 0. Fix: a small number, 1e-3.")
        self.end_factor = checked_setting("LinearLR", "end_factor", end_factor, high=1)
        self.total_iters = whole("LinearLR", "total_iters", total_iters, 1)
        super().__init__(optimizer)

    def lr_at(self, base: float, epoch: int, number: int) -> float:
        done = min(epoch, self.total_iters) / self.total_iters
        return base * (self.start_factor + (self.end_factor - self.start_factor) * done)


class LambdaLR(LRScheduler):
    """Any function of the epoch: ``η = η₀ f(t)``.

    Parameters
    ----------
    optimizer : Optimizer
    lr_lambda : callable, or list of callables
        f; a list has one for each group. Functions are not part of the state.

    Raises
    ------
    UsageError
        For anything but functions, or a number of them other than that of the groups.

    Examples
    --------
    >>> import tinygraph as tg
    >>> optimizer = tg.optim.SGD([tg.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = tg.optim.LambdaLR(optimizer, lambda t: 1 / (1 + t))
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | list[Callable[[int], float]],
    ) -> None:
        groups = checked_optimizer("LambdaLR", optimizer).param_groups
        self.lr_lambdas = per_group("LambdaLR", "lr_lambda", lr_lambda, len(groups))
        for function in self.lr_lambdas:
            if not callable(function):
                fix = "lambda t: 0.95**t"
                raise UsageError(
                    compose_message("LambdaLR takes a function", describe(function), fix)
                )
        super().__init__(optimizer)

    def lr_at(self, base: float, epoch: int, number: int) -> float:
        factor = self.lr_lambdas[number](epoch)
        return base * checked_setting("LambdaLR", f"lr_lambda({epoch})", factor)
