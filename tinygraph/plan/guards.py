"""What a plan takes for granted: checked at each call, before anything runs."""

from __future__ import annotations

from typing import Any

from ..core.storage import Array
from ..core.tensor import Tensor


class Guards:
    """Facts about the surroundings of a recorded run.

    Attributes
    ----------
    leaves : list of (Tensor, ndarray, bool)
        Captured tensors, their memory, and whether they require grad.
    modules : list of (Module, bool)
        Modules that were called, and whether they were training.
    gradients : list of (Tensor, ndarray or None)
        What leaves held as gradient, where the run asked before it changed it.
    settled : set of Tensor
        Leaves whose gradient the run has set or asked for.
    """

    def __init__(self) -> None:
        self.leaves: list[tuple[Tensor, Array, bool]] = []
        self.modules: list[tuple[Any, bool]] = []
        self.gradients: list[tuple[Tensor, Array | None]] = []
        self.settled: set[Tensor] = set()
        self._seen: set[Any] = set()

    def leaf(self, tensor: Tensor) -> None:
        """Take for granted that a tensor keeps its memory."""
        if tensor not in self._seen:
            self._seen.add(tensor)
            self.leaves.append((tensor, tensor._data, tensor._requires_grad))

    def module(self, module: Any) -> None:
        """Take for granted that a module keeps its mode."""
        if module not in self._seen:
            self._seen.add(module)
            self.modules.append((module, module.training))

    def gradient(self, leaf: Tensor) -> None:
        """Take for granted what a leaf holds as gradient, unless the run decides that."""
        if leaf not in self.settled:
            self.settled.add(leaf)
            self.gradients.append((leaf, leaf._grad))

    def hold(self) -> bool:
        """Tell whether everything is as it was."""
        for tensor, array, requires_grad in self.leaves:
            if tensor._data is not array or tensor._requires_grad is not requires_grad:
                return False
        for module, training in self.modules:
            if module.training is not training:
                return False
        for tensor, gradient in self.gradients:  # noqa: SIM110 - a generator costs more than this
            if tensor._grad is not gradient:
                return False
        return True
