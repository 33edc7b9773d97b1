"""Taking back what a recording has changed, when it turns out that it cannot be finished."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.storage import Array
from ..core.tensor import Tensor
from .patterns import memory_of


class Undo:
    """Copies of memory, generator states and gradients as they were before the first change."""

    def __init__(self) -> None:
        self._memory: dict[int, tuple[Array, Array]] = {}
        self._lists: dict[int, tuple[list[Any], list[Any]]] = {}
        self._generators: dict[int, tuple[Any, Any]] = {}
        self._gradients: dict[Tensor, Array | None] = {}

    def remember(self, changed: Sequence[Any]) -> None:
        """Copy arrays and lists that are about to change."""
        for x in changed:
            if isinstance(x, list):
                self._lists.setdefault(id(x), (x, list(x)))
                continue
            memory = memory_of(x)
            if isinstance(memory, np.ndarray) and id(memory) not in self._memory:
                self._memory[id(memory)] = (memory, memory.copy())

    def generator(self, generator: Any) -> None:
        """Note the state of a generator that is about to draw."""
        if generator is not None and id(generator) not in self._generators:
            self._generators[id(generator)] = (generator, generator.get_state())

    def gradient(self, leaf: Tensor) -> None:
        """Note what a leaf holds as gradient."""
        self._gradients.setdefault(leaf, leaf._grad)

    def take_back(self) -> None:
        """Put everything back."""
        for leaf, gradient in self._gradients.items():
            leaf._grad = gradient
        for memory, before in self._memory.values():
            if memory.flags.writeable:
                np.copyto(memory, before)
        for values, old in self._lists.values():
            values[:] = old
        for generator, state in self._generators.values():
            generator.set_state(state)

    def forget(self) -> None:
        """Free the copies: nothing will be taken back."""
        for copies in (self._memory, self._lists, self._generators, self._gradients):
            copies.clear()
