"""Elements replaced: put and its adjoint, getitem_last, for an index that may repeat."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.op import Op, op
from ..core.storage import Array
from ..core.structure import broadcast_to, sum_to
from .index import Index, fill, getitem, no_gradients
from .shape import reshape


def _put(x: Any, values: Any, *arrays: Any, index: Index) -> Array:
    result = np.array(x)
    result[fill(index, arrays)] = values
    return result


def _put_vjp(
    g: Any, y: Any, x: Any, values: Any, *arrays: Any, needs: tuple[bool, ...], index: Index
) -> tuple[Any, ...]:
    """Give x the gradient of what was left, values that of the elements that stayed last."""
    rest = put(g, 0.0, *arrays, index=index) if needs[0] else None
    taken = None
    if needs[1]:
        taken = (getitem_last if arrays else getitem)(g, *arrays, index=index)
        surplus = max(0, values.ndim - taken.ndim)  # NumPy lets values have axes of 1 in front
        taken = sum_to(taken, shape=values.shape[surplus:])
        taken = reshape(taken, shape=values.shape) if surplus else taken
    return (rest, taken, *no_gradients(len(arrays)))


put: Op = op(
    "put", _put, vjps=_put_vjp, kind="index", saves="arrays", label="[=]",
    formula="copy of x; copy[index] = values",
    local=["1 but for the places of the index", "1 where the element stays, 0 where overwritten"],
    kinks="where an index repeats, the last value stays and gets the gradient",
    doc="Replace elements by NumPy's indexing rules, in a copy; values broadcast.",
)  # fmt: skip


def _getitem_last(x: Any, *arrays: Any, index: Index) -> Array:
    """Number the elements of the selection, write the numbers, and see which are still there."""
    selection = fill(index, arrays)
    stamps = np.zeros(x.shape, np.intp)
    selected = x[selection]
    numbers = np.arange(selected.size).reshape(selected.shape)
    stamps[selection] = numbers
    return np.where(stamps[selection] == numbers, selected, 0)


getitem_last: Op = op(
    "getitem_last", _getitem_last,
    vjps=lambda g, y, x, *arrays, needs, index: (
        put(broadcast_to(0.0, shape=x.shape), g, *arrays, index=index), *no_gradients(len(arrays))
    ),
    kind="index", saves="arrays", label="[ ]",
    formula="x[index], but 0 where a later element has the same place",
    local=["0 but for the selected elements"],
    doc="Select elements, each place only where the index names it last: the adjoint of put.",
)  # fmt: skip
