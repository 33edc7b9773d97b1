"""Parameters packed into one vector, so that a step is a few array operations.

While packed, each parameter is a view into ``data`` and its gradient lands in ``grad``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..core.storage import Array, gradient_memory, mark_all
from ..core.tensor import Tensor, holder_of


class FlatParameters:
    """Some parameters of one dtype as one data vector and one gradient vector.

    Attributes
    ----------
    parameters : list of Tensor
    data, grad : ndarray
        1-d; the parameters and ``.grad`` are views into them.
    starts : list of int
        Where each parameter begins; one more entry for the end.
    steps : list of int
        Updates that each parameter has had.
    """

    def __init__(self, parameters: Sequence[Tensor]) -> None:
        self.parameters = list(parameters)
        dtype = self.parameters[0].dtype
        self.starts = [0, *np.cumsum([p.size for p in self.parameters]).tolist()]
        self.data = np.empty(self.starts[-1], dtype)
        self.grad = np.zeros(self.starts[-1], dtype)
        self.steps = [0] * len(self.parameters)
        for p, start, stop in zip(self.parameters, self.starts, self.starts[1:], strict=False):
            view = self.data[start:stop].reshape(p.shape)
            np.copyto(view, p._data)
            gradient = self.grad[start:stop].reshape(p.shape)
            if p._grad is not None:
                np.copyto(gradient, p._grad)
                p._grad = gradient
            p._data = view
            p._grad_buffer = gradient
            p.mark_written()
        self._storages = [p._storage for p in self.parameters]
        gradient_memory[id(self.grad)] = self

    def runs(self) -> Iterator[tuple[slice, int]]:
        """Yield the stretches whose parameters have a gradient and equal step counts."""
        if self.all_alike():
            yield slice(0, self.starts[-1]), self.steps[0]
            return
        begin: int | None = None
        for i, p in enumerate(self.parameters):
            if begin is not None and (p._grad is None or self.steps[i] != self.steps[begin]):
                yield slice(self.starts[begin], self.starts[i]), self.steps[begin]
                begin = None
            if begin is None and p._grad is not None:
                begin = i
        if begin is not None:
            yield slice(self.starts[begin], self.starts[-1]), self.steps[begin]

    def all_alike(self) -> bool:
        """Tell whether all have a gradient and equal step counts."""
        for p in self.parameters:
            if p._grad is None:
                return False
        return self.steps.count(self.steps[0]) == len(self.steps)

    def count_step(self) -> None:
        """Note the update in every parameter that had a gradient."""
        updated = [i for i, p in enumerate(self.parameters) if p._grad is not None]
        for i in updated:
            self.steps[i] += 1
        mark_all([self._storages[i] for i in updated])

    def count_step_of_all(self) -> None:
        """Note the update where :meth:`all_alike` holds."""
        self.steps[:] = [self.steps[0] + 1] * len(self.steps)
        mark_all(self._storages)

    def split(self, vector: Array) -> list[Array]:
        """Return the parts of a flat ``vector`` in the shapes of the parameters (views)."""
        return [
            vector[start:stop].reshape(p.shape)
            for p, start, stop in zip(self.parameters, self.starts, self.starts[1:], strict=False)
        ]

    def release(self) -> None:
        """Give each parameter memory of its own again."""
        for p in self.parameters:
            if holder_of(p) is self:
                p._data = p._data.copy()
                p._grad = None if p._grad is None else p._grad.copy()
                p._grad_buffer = None
                p.mark_written()
        gradient_memory.pop(id(self.grad), None)
