"""Flatten and Unflatten: between feature maps and rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.errors import UsageError, compose_message, describe
from ..core.tensor import Tensor
from ..ops.shape import flatten, unflatten
from .module import Module


def _axis(who: str, name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise UsageError(compose_message(f"{who}: {name} is a whole number", describe(value)))
    return int(value)


class Flatten(Module):
    """Merge neighbouring axes into one: (N, C, H, W) → (N, C·H·W) by default.

    Parameters
    ----------
    start_axis, end_axis : int
        The first and the last axis that are merged.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.Flatten()(tg.zeros(5, 3, 4, 4)).shape
    (5, 48)
    """

    def __init__(self, start_axis: int = 1, end_axis: int = -1) -> None:
        super().__init__()
        self.start_axis = _axis("Flatten", "start_axis", start_axis)
        self.end_axis = _axis("Flatten", "end_axis", end_axis)

    def forward(self, x: Any) -> Tensor:
        return flatten(x, self.start_axis, self.end_axis)

    def extra_repr(self) -> str:
        return f"start_axis={self.start_axis}, end_axis={self.end_axis}"


class Unflatten(Module):
    """Split an axis into several: the inverse of Flatten.

    Parameters
    ----------
    axis : int
        The axis to split.
    unflattened_size : sequence of int
        Lengths of the new axes; one of them may be −1.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.Unflatten(1, (3, 4, 4))(tg.zeros(5, 48)).shape
    (5, 3, 4, 4)
    """

    def __init__(self, axis: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        self.axis = _axis("Unflatten", "axis", axis)
        if not isinstance(unflattened_size, tuple | list):
            raise UsageError(
                compose_message(
                    "Unflatten: unflattened_size is a tuple of lengths",
                    describe(unflattened_size),
                    "nn.Unflatten(1, (3, -1))",
                )
            )
        self.unflattened_size = tuple(unflattened_size)

    def forward(self, x: Any) -> Tensor:
        return unflatten(x, self.axis, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"axis={self.axis}, unflattened_size={self.unflattened_size}"
