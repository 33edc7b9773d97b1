"""Adagrad: steps scaled by the sum of all squared gradients so far."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..core.storage import Array
from ..ops.state import adagrad_update
from .groups import Group, check_number
from .optimizer import Optimizer


class Adagrad(Optimizer):
    """Adagrad: steps scaled by the sum of all squared gradients so far.

    ``d = g + λ p``; ``s ← s + d²``; ``p ← p − η d / (1 + (t − 1) γ) / (√s + ε)``.

    Parameters
    ----------
    params : iterable of Tensor or dict
    lr : float
        η, the learning rate.
    lr_decay, weight_decay : float
        γ, λ.
    initial_accumulator_value : float
        Where s starts.
    eps : float
        ε.

    Raises
    ------
    UsageError
        For options out of range, or parameters that another optimizer holds.

    Notes
    -----
    Defaults and results are those of ``torch.optim.Adagrad``. Source: Duchi, Hazan and
    Singer 2011.

    Examples
    --------
    >>> import tinygraph as tg
    >>> w = tg.tensor([1.0], requires_grad=True)
    >>> optimizer = tg.optim.Adagrad([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> round(w.item(), 4)
    0.9
    """

    buffer_names = ("sum",)

    def __init__(
        self, params: Iterable[Any], lr: float = 0.01, lr_decay: float = 0.0,
        weight_decay: float = 0.0, initial_accumulator_value: float = 0.0, eps: float = 1e-10,
    ) -> None:  # fmt: skip
        defaults = {
            "lr": lr, "lr_decay": lr_decay, "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value, "eps": eps,
        }  # fmt: skip
        super().__init__(params, defaults)

    def check_options(self, group: Mapping[str, Any]) -> None:
        check_number(
            "Adagrad", group, "lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps"
        )

    def first_value(self, group: Mapping[str, Any], name: str) -> float:
        return float(group["initial_accumulator_value"])

    def update(self, group: Group, data: Array, grad: Array, state: list[Array], step: int) -> None:
        lr = group["lr"] / (1 + (step - 1) * group["lr_decay"])
        adagrad_update.function(
            data, grad, state[0], np.asarray(lr, data.dtype),
            eps=group["eps"], weight_decay=group["weight_decay"],
        )  # fmt: skip
