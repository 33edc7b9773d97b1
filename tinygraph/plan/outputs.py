"""What a compiled function gives back: tensors in the structure that the function returned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.storage import Array
from ..core.tensor import Tensor
from .record import Recorder
from .signature import rebuild
from .values import Role, Value


class Hole:
    """Where a tensor goes in what the function returns."""

    def __init__(self, number: int) -> None:
        self.number = number


class Outputs:
    """The tensors among what a recorded run returned.

    Parameters
    ----------
    recorder : Recorder
    result
        What the function returned: tensors, nested in tuples, lists and dicts.
    copy : bool
        Whether replays return copies.

    Attributes
    ----------
    values : list of Value
        One for each tensor.
    arrays : sequence of ndarray
        What replays leave there; the plan sets it.
    """

    def __init__(self, recorder: Recorder, result: Any, copy: bool) -> None:
        self.values: list[Value] = []
        self.arrays: Sequence[Array] = ()
        self._leaves: list[Tensor | None] = []  # captured tensors are returned as they are
        self._copy = copy

        def hole(x: Any) -> Any:
            if isinstance(x, np.ndarray):
                return x  # made from Python values: frozen
            value = recorder.value_of(x)
            self.values.append(value)
            self._leaves.append(x if value.role is Role.LEAF else None)
            return Hole(len(self.values) - 1)

        self._template = rebuild(result, hole)

    def first(self, result: Any) -> Any:
        """Return what the recorded run returned as a replay does: copies, without the graph."""
        leaves = iter(self._leaves)

        def copied(x: Any) -> Any:
            if isinstance(x, np.ndarray):
                return x
            leaf = next(leaves)
            return Tensor(x._data.copy(order="K")) if leaf is None else leaf

        return rebuild(result, copied)

    def __call__(self) -> Any:
        """Return what a replay has computed."""
        template = self._template
        if type(template) is Hole:
            return self._tensor(template)
        return None if template is None else _fill(template, self._tensor)

    def _tensor(self, hole: Hole) -> Tensor:
        leaf = self._leaves[hole.number]
        if leaf is not None:
            return leaf
        array = self.arrays[hole.number]
        return Tensor(array.copy(order="K") if self._copy else array)


def _fill(template: Any, make: Callable[[Hole], Tensor]) -> Any:
    if type(template) is Hole:
        return make(template)
    if isinstance(template, tuple) and hasattr(template, "_fields"):
        return type(template)(*(_fill(item, make) for item in template))
    if isinstance(template, tuple | list):
        return type(template)(_fill(item, make) for item in template)
    if isinstance(template, dict):
        return {name: _fill(item, make) for name, item in template.items()}
    return template
