"""Losses between predictions and targets of one shape: squared, absolute, Huber, KL."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.dtypes import as_array
from ..core.errors import (
    DtypeError,
    IndexRangeError,
    ShapeError,
    UsageError,
    compose_message,
    describe,
    describe_all,
)
from ..core.modes import module_path
from ..core.op import composite, op
from ..core.recording import run_check
from ..core.storage import Array
from ..core.tensor import Tensor
from .creation import check_finite
from .elementwise import abs, clip, exp, log, square
from .reduce import mean, sum

REDUCTIONS = ("mean", "sum", "none")


def checked_reduction(who: str, reduction: Any, allowed: tuple[str, ...] = REDUCTIONS) -> str:
    """Return ``reduction`` if it is one."""
    if isinstance(reduction, str) and reduction in allowed:
        return reduction
    words = ", ".join(map(repr, allowed[:-1])) + f" or {allowed[-1]!r}"
    raise UsageError(
        compose_message(
            f"{who}: reduction is {words}",
            describe(reduction),
            f"{who}(…, reduction='mean'); prediction and target belong into the call",
        )
    )


def reduced(losses: Any, reduction: str) -> Tensor:
    """Average, add or keep the losses of single elements."""
    if reduction == "mean":
        return mean(losses)
    return sum(losses) if reduction == "sum" else losses


def as_operand(who: str, value: Any) -> Any:
    """Return a tensor or an array; numbers and lists become arrays."""
    if isinstance(value, Tensor):
        return value
    try:
        return as_array(value)
    except DtypeError as error:
        raise DtypeError(compose_message(f"{who}: {error}", where=module_path())) from error


def check_same_shape(who: str, prediction: Any, target: Any) -> tuple[Any, Any]:
    """Raise unless prediction and target have one shape: broadcasting would make a table."""
    prediction, target = as_operand(who, prediction), as_operand(who, target)
    if prediction.shape != target.shape:
        fix = "reshape one of them"
        if prediction.shape == (*target.shape, 1):
            fix = "y[:, None] for the target"
        elif target.shape == (*prediction.shape, 1):
            fix = "target.squeeze(-1), or y[:, None] for the prediction"
        raise ShapeError(
            compose_message(
                f"{who}: prediction and target must have the same shape",
                describe_all([prediction, target]),
                fix,
                module_path(),
            )
        )
    return prediction, target


@composite("Σ (a − b)² / n")
def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:
    """Mean squared error.

    Parameters
    ----------
    input, target : Tensor or ndarray
        Of equal shapes; nothing is broadcast.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ShapeError
        If the shapes differ.

    Examples
    --------
    >>> import tinygraph as tg
    >>> float(tg.nn.functional.mse_loss(tg.ones(2), tg.zeros(2)))
    1.0
    """
    checked_reduction("mse_loss", reduction)
    input, target = check_same_shape("mse_loss", input, target)
    return reduced(square(input - target), reduction)


@composite("Σ |a − b| / n", kinks="the derivative at 0 is 0")
def l1_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:
    """Mean absolute error; parameters and errors as for :func:`mse_loss`.

    Examples
    --------
    >>> import tinygraph as tg
    >>> float(tg.nn.functional.l1_loss(tg.tensor([1.0, -3.0]), tg.zeros(2)))
    2.0
    """
    checked_reduction("l1_loss", reduction)
    input, target = check_same_shape("l1_loss", input, target)
    return reduced(abs(input - target), reduction)


# ---- Huber: a square near 0, a straight line beyond ------------------------------------------


def _huber(x: Array, *, delta: float) -> Any:
    size = np.abs(x)
    near = np.minimum(size, delta)
    return near * (size - 0.5 * near)


huber = op(
    "huber", _huber, saves="x", quiet=True,
    formula="clip(x, −delta, delta) · (x − clip(x, −delta, delta) / 2)",
    local=["clip(x, −delta, delta)"],
    vjps=[lambda g, y, x, *, delta: g * clip(x, min=-delta, max=delta)],
    doc="``x²/2`` up to ``|x| = delta``, then ``delta · (|x| − delta/2)`` (Huber 1964).",
)  # fmt: skip


@composite("Σ huber(a − b) / n")
def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Tensor:
    """Huber's loss of d = input − target: d²/2 up to delta, then linear.

    Formula: ``d²/2`` where ``|d| ≤ delta``, else ``delta (|d| − delta/2)``.

    Parameters
    ----------
    input, target : Tensor or ndarray
        Of equal shapes; nothing is broadcast.
    reduction : {"mean", "sum", "none"}
    delta : float
        Where the square becomes a line; above 0.

    Raises
    ------
    ShapeError, UsageError
        If the shapes differ, or ``delta`` is not positive.

    Notes
    -----
    Source: P. J. Huber, Robust estimation of a location parameter, 1964.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.nn.functional.huber_loss(tg.tensor([0.5, 3.0]), tg.zeros(2), reduction="none")
    tensor([0.125, 2.5  ])
    """
    checked_reduction("huber_loss", reduction)
    checked_limit("huber_loss", "delta", delta)
    input, target = check_same_shape("huber_loss", input, target)
    return reduced(huber(input - target, delta=float(delta)), reduction)


@composite("Σ huber(a − b) / (n · beta)")
def smooth_l1_loss(input: Any, target: Any, reduction: str = "mean", beta: float = 1.0) -> Tensor:
    """Absolute error with a rounded corner, of d = input − target.

    Formula: ``d²/(2 beta)`` where ``|d| < beta``, else ``|d| − beta/2``.

    It is :func:`huber_loss` divided by ``beta``; for ``beta=0`` it is :func:`l1_loss`.

    Parameters
    ----------
    input, target : Tensor or ndarray
        Of equal shapes; nothing is broadcast.
    reduction : {"mean", "sum", "none"}
    beta : float
        The width of the corner; from 0 on.

    Raises
    ------
    ShapeError, UsageError
        If the shapes differ, or ``beta`` is negative.

    Notes
    -----
    Source: R. Girshick, Fast R-CNN, 2015.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.nn.functional.smooth_l1_loss(tg.tensor([0.5, 3.0]), tg.zeros(2), reduction="none")
    tensor([0.125, 2.5  ])
    """
    checked_reduction("smooth_l1_loss", reduction)
    checked_limit("smooth_l1_loss", "beta", beta, zero=True)
    input, target = check_same_shape("smooth_l1_loss", input, target)
    if beta == 0:
        return reduced(abs(input - target), reduction)
    return reduced(huber(input - target, delta=float(beta)) / float(beta), reduction)


def checked_limit(who: str, name: str, value: Any, zero: bool = False) -> None:
    """Raise unless a setting is a number above 0 (or from 0 on)."""
    check_finite(who, **{name: value})
    if value < 0 or (value == 0 and not zero):
        raise UsageError(f"{who}: {name} is {'not negative' if zero else 'above 0'}, not {value}.")


# ---- Kullback-Leibler divergence ----------------------------------------------------------------


def _kl(x: Array, t: Array) -> Any:
    t = np.asarray(t, np.result_type(x, t))  # a number takes the dtype of x before its logarithm
    return np.where(t == 0, 0, t * (np.log(t) - x))


def _kl_log(x: Array, t: Array) -> Any:
    t = np.asarray(t, np.result_type(x, t))
    p = np.exp(t)
    return np.where(p == 0, 0, p * (t - x))


kl_elements = op(
    "kl_elements", _kl, label="KL", saves="x t", quiet=True,
    formula="t · (log(t) − x)", local=["−t", "log(t) + 1 − x"],
    vjps=[lambda g, y, x, t: -(g * t), lambda g, y, x, t: g * (log(t) + 1 - x)],
    doc="Divergence of probabilities t from log-probabilities x, element by element; 0 for t = 0.",
)  # fmt: skip

kl_log_elements = op(
    "kl_log_elements", _kl_log, label="KL", saves="y t", quiet=True,
    formula="exp(t) · (t − x)", local=["−exp(t)", "y + exp(t)"],
    vjps=[lambda g, y, x, t: -(g * exp(t)), lambda g, y, x, t: g * (y + exp(t))],
    doc="Divergence of log-probabilities t from log-probabilities x; 0 for t = −∞.",
)  # fmt: skip


def _check_probabilities(t: Array) -> None:
    if t.size and not t.min() >= 0:
        raise IndexRangeError(
            compose_message(
                "kl_div: the target holds probabilities, from 0 on",
                f"{t.min()}",
                "tg.softmax(target), or log_target=True for their logarithms",
                module_path(),
            )
        )


@composite("Σ t · (log(t) − x) / n")
def kl_div(input: Any, target: Any, reduction: str = "mean", log_target: bool = False) -> Tensor:
    """Kullback-Leibler divergence of a target distribution from predicted log-probabilities.

    Parameters
    ----------
    input : Tensor or ndarray
        Log-probabilities, as of log_softmax.
    target : Tensor or ndarray
        Probabilities, of the same shape; log-probabilities with ``log_target``.
    reduction : {"mean", "batchmean", "sum", "none"}
        "batchmean" divides the sum by the length of axis 0: the divergence as mathematics
        has it. "mean", the default as in PyTorch, divides by the number of elements.
    log_target : bool

    Raises
    ------
    ShapeError
        If the shapes differ, or "batchmean" meets a 0-d tensor.
    IndexRangeError
        If a probability of the target is below 0.

    Examples
    --------
    >>> import tinygraph as tg
    >>> p = tg.tensor([[0.5, 0.5]])
    >>> float(tg.nn.functional.kl_div(tg.log(p), p, reduction="batchmean"))
    0.0
    """
    checked_reduction("kl_div", reduction, ("mean", "batchmean", "sum", "none"))
    input, target = check_same_shape("kl_div", input, target)
    if not log_target:
        run_check(_check_probabilities, target)
    losses = (kl_log_elements if log_target else kl_elements)(input, target)
    if reduction != "batchmean":
        return reduced(losses, reduction)
    if losses.ndim == 0:
        raise ShapeError(
            compose_message("kl_div: 'batchmean' needs a batch axis", describe(input), "'sum'")
        )
    return sum(losses) / (losses.shape[0] or float("nan"))
