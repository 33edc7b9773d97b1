"""Stochastic gradient descent."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..core.errors import UsageError
from ..core.storage import Array
from ..ops.state import sgd_update
from .groups import Group, as_groups, check_flag, check_number
from .optimizer import Optimizer


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum, Nesterov momentum and weight decay.

    ``d = g + λ p``; ``v ← μ v + (1 − τ) d`` (``v = d`` at the first step);
    ``p ← p − η v``, or ``p ← p − η (d + μ v)`` for Nesterov.

    Parameters
    ----------
    params : iterable of Tensor or dict
    lr : float
        η, the learning rate.
    momentum, dampening, weight_decay : float
        μ, τ, λ.
    nesterov : bool
        Needs momentum and no dampening.

    Raises
    ------
    UsageError
        For options out of range, or parameters that another optimizer holds.

    Notes
    -----
    Defaults and results are those of ``torch.optim.SGD``. Source: Sutskever et al. 2013.

    Examples
    --------
    >>> import tinygraph as tg
    >>> w = tg.tensor([1.0], requires_grad=True)
    >>> optimizer = tg.optim.SGD([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.8], requires_grad=True)
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, momentum: float = 0.0,
        dampening: float = 0.0, weight_decay: float = 0.0, nesterov: bool = False,
    ) -> None:  # fmt: skip
        defaults = {
            "lr": lr, "momentum": momentum, "dampening": dampening,
            "weight_decay": weight_decay, "nesterov": nesterov,
        }  # fmt: skip
        groups = as_groups(params, defaults, "SGD")
        for group in groups:
            check_number("SGD", group, "momentum")
        self.buffer_names = ("momentum_buffer",) if any(g["momentum"] for g in groups) else ()
        super().__init__(groups, defaults)

    def check_options(self, group: Mapping[str, Any]) -> None:
        check_number("SGD", group, "lr", "momentum", "weight_decay")
        check_number("SGD", group, "dampening", low=-math.inf)
        check_flag("SGD", group, "nesterov")
        if group["nesterov"] and (not group["momentum"] or group["dampening"]):
            raise UsageError("SGD: nesterov needs momentum > 0 and dampening = 0.")
        if group["momentum"] and not self.buffer_names:
            raise UsageError(
                "SGD was built without momentum and keeps no buffers for it. "
                f"Fix: SGD(…, momentum={group['momentum']})."
            )

    def update(self, group: Group, data: Array, grad: Array, state: list[Array], step: int) -> None:
        sgd_update.function(
            data, grad, state[0] if state else grad, np.asarray(group["lr"], data.dtype),
            momentum=group["momentum"], dampening=group["dampening"],
            weight_decay=group["weight_decay"], nesterov=group["nesterov"], first=step == 1,
        )  # fmt: skip
