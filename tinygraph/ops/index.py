"""Selecting and placing elements: getitem and its adjoint place_add, and what `t[...]` calls.

``t[...]`` splits an index into a template, which is an attribute, and its integer arrays,
which are inputs; boolean masks become integer arrays at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.apply import apply
from ..core.errors import DtypeError, IndexRangeError, UsageError, compose_message, describe
from ..core.modes import module_path
from ..core.op import Op, op
from ..core.recording import values_of
from ..core.storage import Array
from ..core.tensor import Tensor
from .operands import index_array
from .placing import add_at
from .shape import expand_dims

Index = tuple[Any, ...]


class _Slot:
    """Stands in an index template for one array input; there is only one, ARRAY."""

    def __repr__(self) -> str:
        return "array"

    def __copy__(self) -> _Slot:
        return self

    def __deepcopy__(self, memo: Any) -> _Slot:
        return self


ARRAY = _Slot()


def along(axis: int, part: Any) -> Index:
    """Return the index that selects ``part`` of one axis, and all of the others."""
    return (slice(None),) * axis + (part,)


def fill(index: Index, arrays: tuple[Any, ...]) -> Index:
    """Put the arrays into their places in an index template."""
    remaining = iter(arrays)
    return tuple(next(remaining) if part is ARRAY else part for part in index)


def _getitem(x: Any, *arrays: Any, index: Index) -> Any:
    x = np.asarray(x)
    if len(arrays) == 1 and index[-1] is ARRAY and x.flags.c_contiguous:
        places = arrays[0]
        if index[:-1] == along(len(index) - 1, ARRAY)[:-1] and places.dtype == np.intp:
            return x.take(places, axis=len(index) - 1)  # the same in ¼ to ⅔ of the time
    return x[fill(index, arrays)]


def _place_add(
    g: Any, *arrays: Any, index: Index, shape: tuple[int, ...], out: Array | None = None
) -> Any:
    g = np.asarray(g)
    if out is None:
        out = np.zeros(shape, g.dtype)
    else:
        out.fill(0)
    if arrays:
        add_at(out, fill(index, arrays), g)
    else:
        out[index] = g
    return out


def no_gradients(count: int) -> tuple[None, ...]:
    """Return what a VJP says of its index arrays."""
    return (None,) * count


getitem = op(
    "getitem", _getitem,
    vjps=lambda g, y, x, *arrays, needs, index: (
        place_add(g, *arrays, index=index, shape=x.shape), *no_gradients(len(arrays))
    ),
    kind="index", saves="arrays", label="[ ]", formula="x[index]",
    local=["0 but for the selected elements"],
    doc="Select elements by NumPy's indexing rules: t[1:, None], t[rows, cols], t[mask].",
)  # fmt: skip

place_add: Op = op(
    "place_add", _place_add,
    vjps=lambda g, y, x, *arrays, needs, index, shape: (
        getitem(g, *arrays, index=index), *no_gradients(len(arrays))
    ),
    kind="index", saves="arrays", label="[+]", formula="zeros; zeros[index] += x",
    local=["the selected elements"],
    doc="Place elements into zeros, adding where an index repeats: the adjoint of getitem.",
)  # fmt: skip


# ---- t[...] ------------------------------------------------------------------------------


def select(x: Tensor, index: Any) -> Tensor:
    """Return ``x[index]`` with NumPy's meaning: what ``t[...]`` calls.

    Parameters
    ----------
    x : Tensor
    index : int, slice, ..., None, integer or boolean array, or a tuple of them
        Index arrays may be tensors.

    Raises
    ------
    IndexRangeError
        If an index is out of range.
    DtypeError
        If an index array is neither integer nor boolean.
    """
    if type(index) is int:
        return apply(getitem, (x,), {"index": (index,)})  # type: ignore[no-any-return]
    if isinstance(index, Tensor | np.ndarray) and index.ndim == 0 and index.dtype == np.bool_:
        x, index = expand_dims(x, axis=0), np.arange(int(index))  # NumPy: a new axis of 0 or 1
    template, arrays = split_index("getitem", x, index)
    return apply(getitem, (x, *arrays), {"index": template})  # type: ignore[no-any-return]


def split_index(who: str, x: Any, index: Any) -> tuple[Index, list[Any]]:
    """Split an index into the template and its integer arrays."""
    parts = index if isinstance(index, tuple) else (index,)
    template: list[Any] = []
    arrays: list[Any] = []
    for part in parts:
        if part is None or part is ...:
            template.append(part)
        elif isinstance(part, slice):
            template.append(_plain_slice(who, part))
        elif isinstance(part, int | np.integer) and not isinstance(part, bool):
            template.append(int(part))
        else:
            array = _checked_array(who, part)
            if array.dtype == np.bool_:
                mask = values_of(array, "a boolean mask (its count decides a shape)")
                _check_mask(who, mask, x, template, parts)
                template += [ARRAY] * mask.ndim
                arrays += np.nonzero(mask)
            else:
                template.append(ARRAY)
                arrays.append(array)
    return tuple(template), arrays


def _plain_slice(who: str, part: slice) -> slice:
    """Let integer tensors be the ends of a slice."""
    ends = (part.start, part.stop, part.step)
    if any(isinstance(e, float) or (isinstance(e, Tensor) and e.dtype.kind == "f") for e in ends):
        raise DtypeError(f"{who}: the ends of a slice are integers, received {part}.")
    return slice(*(e.__index__() if isinstance(e, Tensor) else e for e in ends))


def _checked_array(who: str, part: Any) -> Any:
    array = index_array(who, part)
    if array.dtype.kind not in "iub":
        raise DtypeError(
            compose_message(
                f"{who}: an index is an integer, a slice, None, ... or an array of integers "
                "or booleans",
                describe(part),
                "t.astype(np.int64)",
                module_path(),
            )
        )
    return array


def _check_mask(who: str, mask: Array, x: Any, before: list[Any], parts: Index) -> None:
    """Raise unless the mask has the shape of the axes that it selects from."""
    if mask.ndim == 0:
        raise UsageError(f"{who}: a mask needs at least one axis. Fix: tg.where(mask, a, b).")
    start = sum(part is not None and part is not ... for part in before)
    if any(part is ... for part in before):
        start += x.ndim - sum(map(_axes_used, parts))
    if x.shape[start : start + mask.ndim] != mask.shape:
        raise IndexRangeError(
            compose_message(
                f"{who}: a boolean mask must match the axes it selects from, {mask.shape} "
                f"at axis {start}",
                describe(x),
                "compare the same tensor: t[t > 0]",
                module_path(),
            )
        )


def _axes_used(part: Any) -> int:
    """Return how many axes one part of an index selects from."""
    if part is None or part is ...:
        return 0
    if isinstance(part, int | slice):
        return 1
    array = np.asarray(part._data if isinstance(part, Tensor) else part)
    return array.ndim if array.dtype == np.bool_ else 1
