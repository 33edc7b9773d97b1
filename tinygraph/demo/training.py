"""The training loop of the demonstration, as a user would write it by hand."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..core.modes import no_grad
from ..core.storage import Array
from ..core.tensor import Tensor
from ..data import DataLoader
from ..nn.module import Module
from ..optim import CosineAnnealingLR, Optimizer

Loss = Callable[[Tensor, Array], Tensor]


@dataclass
class Fitted:
    """A trained model with what its training looked like."""

    model: Module
    losses: list[float] = field(default_factory=list)
    seconds: float = 0.0


def fit(
    model: Module,
    optimizer: Optimizer,
    loss_of: Loss,
    loader: DataLoader,
    epochs: int,
    progress: Any,
) -> Fitted:
    """Train ``model`` and return it with its mean loss of each epoch."""
    result = Fitted(model)
    schedule = CosineAnnealingLR(optimizer, T_max=epochs)
    start = time.perf_counter()
    for _ in range(epochs):
        total = 0.0
        for inputs, targets in loader:
            optimizer.zero_grad()
            loss = loss_of(model(inputs), targets)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(inputs)
        schedule.step()
        result.losses.append(total / len(loader.dataset))
        progress.set_postfix(loss=f"{result.losses[-1]:.3f}", refresh=False)
        progress.update()
    result.seconds = time.perf_counter() - start
    return result


def outputs(model: Module, inputs: Array) -> Array:
    """Return the model's outputs without recording."""
    with no_grad():
        return model(inputs).numpy()  # type: ignore[no-any-return]
