"""RMSprop: steps scaled by a running root mean square of the gradient."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..core.errors import UsageError
from ..core.storage import Array
from ..ops.state import rmsprop_update
from .groups import Group, as_groups, check_flag, check_number
from .optimizer import Optimizer


class RMSprop(Optimizer):
    """RMSprop: steps scaled by a running root mean square of the gradient.

    ``d = g + λ p``; ``v ← α v + (1 − α) d²``; ``p ← p − η d / (√v + ε)``. Centered, the mean
    ``a ← α a + (1 − α) d`` is taken off: ``√(v − a²)``. With momentum
    ``b ← μ b + d / (√v + ε)``; ``p ← p − η b``.

    Parameters
    ----------
    params : iterable of Tensor or dict
    lr : float
        η, the learning rate.
    alpha : float
        α, the share of the old average, in [0, 1].
    eps, weight_decay, momentum : float
        ε, λ, μ.
    centered : bool
        Whether to divide by the standard deviation instead of the root mean square.

    Raises
    ------
    UsageError
        For options out of range, or parameters that another optimizer holds.

    Notes
    -----
    Defaults and results are those of ``torch.optim.RMSprop``; where rounding takes v − a²
    below zero, it counts as zero. Sources: Hinton 2012 (lecture 6e); Graves 2013 (centered).

    Examples
    --------
    >>> import tinygraph as tg
    >>> w = tg.tensor([1.0], requires_grad=True)
    >>> optimizer = tg.optim.RMSprop([w], lr=0.1, alpha=0.75)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> round(w.item(), 4)
    0.8
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 0.01, alpha: float = 0.99, eps: float = 1e-8,
        weight_decay: float = 0.0, momentum: float = 0.0, centered: bool = False,
    ) -> None:  # fmt: skip
        defaults = {
            "lr": lr, "alpha": alpha, "eps": eps, "weight_decay": weight_decay,
            "momentum": momentum, "centered": centered,
        }  # fmt: skip
        groups = as_groups(params, defaults, "RMSprop")
        for group in groups:
            _check(group)
        wanted = {
            "square_avg": True,
            "momentum_buffer": any(g["momentum"] for g in groups),
            "grad_avg": any(g["centered"] for g in groups),
        }
        self.buffer_names = tuple(name for name, kept in wanted.items() if kept)
        super().__init__(groups, defaults)

    def check_options(self, group: Mapping[str, Any]) -> None:
        _check(group)
        for option, buffer in (("momentum", "momentum_buffer"), ("centered", "grad_avg")):
            if group[option] and buffer not in self.buffer_names:
                raise UsageError(
                    f"RMSprop was built without {option} and keeps no buffers for it. "
                    f"Fix: RMSprop(…, {option}={group[option]})."
                )

    def update(self, group: Group, data: Array, grad: Array, state: list[Array], step: int) -> None:
        kept = dict(zip(self.buffer_names, state, strict=True))
        rmsprop_update.function(
            data, grad, kept["square_avg"], kept.get("momentum_buffer", grad),
            kept.get("grad_avg", grad), np.asarray(group["lr"], data.dtype),
            alpha=group["alpha"], eps=group["eps"], weight_decay=group["weight_decay"],
            momentum=group["momentum"], centered=group["centered"],
        )  # fmt: skip


def _check(group: Mapping[str, Any]) -> None:
    check_number("RMSprop", group, "lr", "alpha", "eps", "weight_decay", "momentum")
    if group["alpha"] > 1:
        raise UsageError(f"RMSprop: alpha is a number in [0, 1]. Received {group['alpha']}.")
    check_flag("RMSprop", group, "centered")
