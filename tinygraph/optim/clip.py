"""Gradient clipping: by the norm of all gradients together, or element by element.

Both go over the packed gradient vector of an optimizer, not over parameters one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from ..core.calls import checked_call
from ..core.errors import UsageError, compose_message, describe
from ..core.recording import RECORDERS, active_recorder
from ..core.storage import Array
from ..core.tensor import Tensor, has_gradient, holder_of
from ..ops.clip_state import clip_norm_update, clip_value_update
from .groups import check_flag
from .optimizer import Optimizer

Clipped = Optimizer | Tensor | Iterable[Tensor]


@checked_call
def clip_grad_norm(
    parameters: Clipped, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> float:
    """Scale gradients down, in place, so that their total norm is at most ``max_norm``.

    ``n = ‖g‖ₚ`` over all gradients as one vector; ``g ← g · min(1, max_norm / (n + 10⁻⁶))``.

    Parameters
    ----------
    parameters : Optimizer, Tensor or iterable of Tensor
        Whose gradients; those without one are skipped.
    max_norm : float
        The bound; ``math.inf`` only measures.
    norm_type : float
        p, above 0; ``math.inf`` for the largest magnitude.
    error_if_nonfinite : bool
        Raise if the norm is nan or infinite. Otherwise an infinite norm makes the gradients 0
        or nan, and a nan makes them all nan, as in PyTorch.

    Returns
    -------
    float
        The norm before scaling; a tensor inside a compiled function.

    Raises
    ------
    UsageError
        For parameters that are not tensors, or a bound or norm_type that is no number.
    GradientError
        For a norm that is not finite, if asked; no gradient is changed.

    Notes
    -----
    As ``torch.nn.utils.clip_grad_norm_``. Source: Pascanu, Mikolov and Bengio 2013.

    Examples
    --------
    >>> import tinygraph as tg
    >>> w = tg.tensor([3.0, 4.0], requires_grad=True)
    >>> (0.5 * w * w).sum().backward()
    >>> tg.clip_grad_norm([w], max_norm=1.0)
    5.0
    >>> w.grad.round(4)
    array([0.6, 0.8], dtype=float32)
    """
    _check_bound("clip_grad_norm", "max_norm", max_norm)
    _check_bound("clip_grad_norm", "norm_type", norm_type)
    if norm_type == 0:
        raise UsageError("clip_grad_norm: norm_type is above 0. Fix: 2.0, or math.inf.")
    check_flag("clip_grad_norm", {"error_if_nonfinite": error_if_nonfinite}, "error_if_nonfinite")
    gradients = _gradients("clip_grad_norm", parameters)
    norm = clip_norm_update(
        *gradients, max_norm=float(max_norm), norm_type=float(norm_type),
        error_if_nonfinite=bool(error_if_nonfinite),
    )  # fmt: skip
    if RECORDERS and active_recorder() is not None:
        return Tensor(norm)  # type: ignore  # as float, it would be frozen
    return float(norm)


@checked_call
def clip_grad_value(parameters: Clipped, clip_value: float) -> None:
    """Clip each element of the gradients to [−clip_value, clip_value], in place.

    Parameters
    ----------
    parameters : Optimizer, Tensor or iterable of Tensor
        Whose gradients; those without one are skipped.
    clip_value : float
        The bound.

    Raises
    ------
    UsageError
        For parameters that are not tensors, or a bound that is no number from 0 on.

    Notes
    -----
    As ``torch.nn.utils.clip_grad_value_``: a nan stays nan.

    Examples
    --------
    >>> import tinygraph as tg
    >>> w = tg.tensor([0.25, -4.0], requires_grad=True)
    >>> (0.5 * w * w).sum().backward()
    >>> tg.clip_grad_value([w], 1.0)
    >>> w.grad
    array([ 0.25, -1.  ], dtype=float32)
    """
    _check_bound("clip_grad_value", "clip_value", clip_value)
    for gradient in _gradients("clip_grad_value", parameters):
        clip_value_update(gradient, limit=float(clip_value))


def _check_bound(who: str, name: str, value: Any) -> None:
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not number or not value >= 0:
        raise UsageError(compose_message(f"{who}: {name} is a number from 0 on", describe(value)))


def _gradients(who: str, parameters: Any) -> list[Array]:
    """Return the gradients, neighbours in an optimizer's memory as one vector."""
    if isinstance(parameters, Optimizer):
        parameters = [p for group in parameters.param_groups for p in group["params"]]
    elif isinstance(parameters, Tensor):
        parameters = [parameters]
    elif not isinstance(parameters, Iterable) or isinstance(parameters, np.ndarray | str):
        raise _no_parameters(who, parameters)
    tensors = list(parameters)
    for p in tensors:
        if not isinstance(p, Tensor):
            raise _no_parameters(who, p)
    once = dict.fromkeys(tensors)  # scaling one twice would be wrong
    return list(_joined([p for p in once if has_gradient(p)]))


def _no_parameters(who: str, received: Any) -> UsageError:
    fix = f"{who}(optimizer, …), or {who}(model.parameters(), …)"
    return UsageError(
        compose_message(f"{who} takes an optimizer or tensors", describe(received), fix)
    )


def _joined(tensors: list[Tensor]) -> Iterator[Array]:
    """Yield gradients; those that lie one behind the other in a packed vector come as one."""
    places: dict[int, dict[Tensor, int]] = {}
    run: tuple[Any, int, int] | None = None  # holder, first and last number in it
    for p in tensors:
        holder = holder_of(p)
        if holder is None or p._grad is not p._grad_buffer:
            yield p._grad  # type: ignore[misc]  # those without a gradient are out already
            continue
        if id(holder) not in places:
            places[id(holder)] = {q: i for i, q in enumerate(holder.parameters)}
        number = places[id(holder)][p]
        if run is not None and run[0] is holder and run[2] + 1 == number:
            run = (holder, run[1], number)
            continue
        if run is not None:
            yield _stretch(*run)
        run = (holder, number, number)
    if run is not None:
        yield _stretch(*run)


def _stretch(holder: Any, first: int, last: int) -> Array:
    vector: Array = holder.grad[holder.starts[first] : holder.starts[last + 1]]
    return vector
