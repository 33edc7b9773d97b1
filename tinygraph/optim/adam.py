"""Adam, and AdamW with decoupled weight decay."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..core.errors import UsageError, compose_message, describe
from ..core.storage import Array
from ..ops.state import adam_update
from .groups import Group, check_number
from .optimizer import Optimizer


class Adam(Optimizer):
    """Adam: steps scaled by running moments of the gradient.

    ``m ← β₁ m + (1 − β₁) g``; ``v ← β₂ v + (1 − β₂) g²``;
    ``p ← p − η m̂ / (√v̂ + ε)`` with ``m̂ = m / (1 − β₁ᵗ)``, ``v̂ = v / (1 − β₂ᵗ)``.

    Parameters
    ----------
    params : iterable of Tensor or dict
    lr : float
        η, the learning rate.
    betas : pair of float
        β₁ and β₂, in [0, 1).
    eps : float
        ε.
    weight_decay : float
        λ, added to the gradient as λ p.

    Raises
    ------
    UsageError
        For options out of range, or parameters that another optimizer holds.

    Notes
    -----
    Defaults and results are those of ``torch.optim.Adam``. Source: Kingma and Ba 2015.

    Examples
    --------
    >>> import tinygraph as tg
    >>> w = tg.tensor([1.0], requires_grad=True)
    >>> optimizer = tg.optim.Adam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> round(w.item(), 4)
    0.9
    """

    buffer_names = ("exp_avg", "exp_avg_sq")
    decoupled = False

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0.0,
    ) -> None:  # fmt: skip
        defaults = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, defaults)

    def check_options(self, group: Mapping[str, Any]) -> None:
        who = type(self).__name__
        check_number(who, group, "lr", "eps", "weight_decay")
        betas = group["betas"]
        if not isinstance(betas, tuple | list) or len(betas) != 2:
            raise UsageError(
                compose_message(f"{who}: betas are two numbers", describe(betas), "(0.9, 0.999)")
            )
        check_number(
            who, {"betas[0]": betas[0], "betas[1]": betas[1]}, "betas[0]", "betas[1]", high=1
        )

    def update(self, group: Group, data: Array, grad: Array, state: list[Array], step: int) -> None:
        beta1, beta2 = group["betas"]
        root = math.sqrt(1 - beta2**step)
        decay = group["weight_decay"]
        adam_update.function(
            data, grad, *state,
            np.asarray(group["lr"] * root / (1 - beta1**step), data.dtype),
            np.asarray(group["eps"] * root, data.dtype),
            np.asarray(1 - group["lr"] * decay if self.decoupled else 1, data.dtype),
            beta1=beta1, beta2=beta2, weight_decay=0.0 if self.decoupled else decay,
        )  # fmt: skip


class AdamW(Adam):
    """Adam with decoupled weight decay: ``p ← (1 − η λ) p`` before the step of Adam.

    Parameters
    ----------
    params, lr, betas, eps
        As for :class:`Adam`.
    weight_decay : float
        λ, 0.01 by default.

    Notes
    -----
    Defaults and results are those of ``torch.optim.AdamW``. Source: Loshchilov and Hutter 2019.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.optim.AdamW([tg.ones(1, requires_grad=True)])
    AdamW(lr=0.001, betas=(0.9, 0.999), eps=1e-08, weight_decay=0.01)
    """

    decoupled = True

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0.01,
    ) -> None:  # fmt: skip
        super().__init__(params, lr, betas, eps, weight_decay)
