"""Memory that is new at each replay, for large gradients of arguments: the caller may keep it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.storage import Array
from ..core.tensor import Tensor
from .bind import Call
from .block import Block
from .patterns import memory_of
from .record import point
from .values import Step, Value


class Fresh:
    """A gradient that a block writes into new memory each time, instead of a copy for the caller.

    Parameters
    ----------
    value : Value
        The gradient.
    steps, calls : sequence
        Of the plan.

    Attributes
    ----------
    array : ndarray
        The memory of now.
    """

    def __init__(self, value: Value, steps: Sequence[Step], calls: Sequence[Call]) -> None:
        assert value.bound is not None
        self.value = value
        self.array = array = value.bound
        inner = [step for outer in steps for step in (outer, *outer.inner)]
        self._values = {value, *(v for step in inner for v in step.outs if v.bound is array)}
        self._places: list[tuple[Any, int]] = [
            (xs, i) for _, xs in calls for i, x in enumerate(xs) if x is array
        ]
        lists: list[list[Any]] = [step.inputs[0] for step in steps if step.call is point]
        self._pairs = [
            (pairs, i) for pairs in lists for i, (_, x) in enumerate(pairs) if x is array
        ]

    def renew(self) -> None:
        """Let the next replay write elsewhere."""
        self.array = np.empty_like(self.array)
        for arguments, i in self._places:
            arguments[i] = self.array
        for value in self._values:
            value.array = value.bound = self.array
        for pairs, i in self._pairs:
            pairs[i] = (pairs[i][0], self.array)

    def give(self, tensor: Tensor) -> bool:
        """Let a tensor without a gradient have the memory; tell whether it could."""
        free = tensor._grad is None and tensor._grad_buffer is None
        if free and tensor._data.dtype is self.array.dtype:
            tensor._grad = self.array
            return True
        return False


def renewable(
    gradients: Sequence[Value], steps: Sequence[Step], calls: Sequence[Call]
) -> list[Fresh]:
    """Return those of the gradients that one block writes and nobody reads."""
    return [
        Fresh(value, steps, calls)
        for value in dict.fromkeys(gradients)
        if value.bound is not None and _can_be_new(value.bound, steps, calls)
    ]


def _can_be_new(array: Array, steps: Sequence[Step], calls: Sequence[Call]) -> bool:
    memory = memory_of(array)
    blocks = [step.call for step in steps if isinstance(step.call, Block)]
    written = sum(v.bound is array for block in blocks for v in block.movable)
    read = any(memory_of(v.bound) is memory for step in steps for v in step.values())
    entered = sum(x is array for _, arguments in calls for x in arguments)
    return array.flags.c_contiguous and written == entered == 1 and not read
