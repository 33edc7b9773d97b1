"""Operands of functions that look at them before an op does: arrays, index arrays, lists."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.dtypes import as_array
from ..core.errors import DtypeError, UsageError, compose_message, describe
from ..core.modes import module_path
from ..core.storage import Array
from ..core.tensor import Tensor


def operand(who: str, x: Any) -> Any:
    """Return a tensor or an ndarray as it is, and anything else as an ndarray."""
    if isinstance(x, Tensor | np.ndarray):
        return x
    try:
        return as_array(x)
    except DtypeError as error:
        raise DtypeError(f"{who}: {error}") from error


def operands(who: str, tensors: Any) -> list[Any]:
    """Return a sequence of tensors, or the rows of one, as a list of operands."""
    if getattr(tensors, "ndim", 1) == 0 or not hasattr(tensors, "__iter__"):
        raise UsageError(f"{who} takes a sequence of tensors: tg.{who}([a, b]).")
    parts = [operand(who, x) for x in tensors]
    if not parts:
        raise UsageError(f"{who} needs at least one tensor.")
    return parts


def index_array(who: str, value: Any) -> Any:
    """Return an index as a tensor or an ndarray; an empty list counts as integers."""
    if isinstance(value, Tensor | np.ndarray):
        return value
    try:
        array: Array = np.asarray(value)
    except ValueError as error:
        raise DtypeError(
            compose_message(f"{who}: {error}", describe(value), "give rows of equal length")
        ) from error
    return array.astype(np.int64) if array.size == 0 else array


def integers(who: str, value: Any) -> Any:
    """Return an array of indices; raise unless they are integers."""
    array = index_array(who, value)
    if array.dtype.kind not in "iu":
        raise DtypeError(
            compose_message(
                f"{who}: indices are integers", describe(value), "astype(np.int64)", module_path()
            )
        )
    return array


def whole(who: str, name: str, value: Any, least: int = 0) -> int:
    """Return a count as an int; raise unless it is a whole number from ``least`` on."""
    number = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not number or value < least:
        raise UsageError(
            compose_message(f"{who}: {name} is a whole number from {least} on", describe(value))
        )
    return int(value)


def checked_flag(who: str, name: str, value: Any) -> bool:
    """Return an argument that is True or False."""
    if not isinstance(value, bool | np.bool_):
        raise UsageError(f"{who}: {name} is True or False, received {value!r}.")
    return bool(value)
