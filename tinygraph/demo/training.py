"""The training loop of the demonstration, as a user would write it by hand."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..core.modes import no_grad
from ..core.storage import Array
from ..core.tensor import Tensor
from ..nn.module import Module
from ..ops.random import Generator, permutation
from ..optim.optimizer import Optimizer

Loss = Callable[[Tensor, Array], Tensor]


@dataclass
class Fitted:
    """A trained model with what its training looked like."""

    model: Module
    losses: list[float] = field(default_factory=list)
    seconds: float = 0.0


def batches(count: int, size: int, generator: Generator) -> Iterator[Array]:
    """Yield the numbers 0 … count − 1 in random order, ``size`` at a time."""
    order = permutation(count, generator).numpy()
    for start in range(0, count, size):
        yield order[start : start + size]


def fit(
    model: Module,
    optimizer: Optimizer,
    loss_of: Loss,
    inputs: Array,
    targets: Array,
    epochs: int,
    batch_size: int,
    generator: Generator,
    progress: Any,
) -> Fitted:
    """Train ``model`` and return it with its mean loss of each epoch."""
    result = Fitted(model)
    first_lr = optimizer.param_groups[0]["lr"]
    start = time.perf_counter()
    for epoch in range(epochs):
        optimizer.param_groups[0]["lr"] = first_lr * 0.5 * (1 + np.cos(np.pi * epoch / epochs))
        total = 0.0
        for rows in batches(len(inputs), batch_size, generator):
            optimizer.zero_grad()
            loss = loss_of(model(inputs[rows]), targets[rows])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        result.losses.append(total / len(inputs))
        progress.set_postfix(loss=f"{result.losses[-1]:.3f}", refresh=False)
        progress.update()
    result.seconds = time.perf_counter() - start
    return result


def outputs(model: Module, inputs: Array) -> Array:
    """Return the model's outputs without recording."""
    with no_grad():
        return model(inputs).numpy()  # type: ignore[no-any-return]
