"""The dtype rules, in one place.

Python numbers are weak: they take the dtype of the tensor they meet. Integer, boolean and
NumPy-scalar operands never widen a floating tensor. Mixed floating arrays promote by
NumPy's rule.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .errors import DtypeError, compose_message, describe
from .modes import get_default_dtype

FLOAT32 = np.dtype(np.float32)
FLOAT64 = np.dtype(np.float64)
ARRAYS = (np.ndarray, np.generic)


def is_floating(dtype: np.dtype[Any]) -> bool:
    """Tell whether gradients can flow through values of this dtype."""
    return dtype.kind == "f"


def as_array(value: Any, dtype: Any = None) -> np.ndarray[Any, np.dtype[Any]]:
    """Turn numbers, lists and arrays into a numeric ndarray, by the rules of this module.

    Raises
    ------
    DtypeError
        For strings, objects, complex numbers and ragged lists.
    """
    if isinstance(value, ARRAYS):
        array = np.asarray(value)
    else:
        value = _plain(value)
        try:
            array = np.asarray(value)
        except (ValueError, TypeError, OverflowError) as error:
            raise DtypeError(
                compose_message(
                    f"Cannot make an array of this: {error}",
                    describe(value),
                    "give rows of equal length",
                )
            ) from error
        if dtype is None and array.dtype == FLOAT64 and not _holds_arrays(value):
            array = array.astype(get_default_dtype())
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if not _can_be_held(array.dtype):
        raise DtypeError(
            compose_message(
                "A tensor holds real numbers or booleans",
                f"dtype {array.dtype} from {describe(value)}",
                "convert the data to float32, int64 or bool",
            )
        )
    return array if dtype is None else array.astype(checked_dtype(dtype), copy=False)


def checked_dtype(dtype: Any) -> np.dtype[Any]:
    """Return ``np.dtype(dtype)`` if a tensor can hold it."""
    try:
        result: np.dtype[Any] = np.dtype(dtype)
    except TypeError as error:
        raise DtypeError(compose_message("Not a dtype", repr(dtype), "np.float32")) from error
    if not _can_be_held(result):
        raise DtypeError(
            compose_message(
                "A tensor holds real numbers or booleans",
                f"dtype {result}",
                "use float16, float32, float64, an integer dtype or bool",
            )
        )
    return result


def _can_be_held(dtype: np.dtype[Any]) -> bool:
    """Tell whether tensors of this dtype exist: real numbers of at most 64 bits, booleans."""
    return dtype.kind in "fiub" and dtype.itemsize <= 8


def _plain(value: Any) -> Any:
    """Unpack tensors inside lists (they must not require grad: stack those instead)."""
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if type(value).__module__.startswith("tinygraph") and hasattr(value, "_data"):
        if value.requires_grad:
            raise DtypeError(
                compose_message(
                    "Making a tensor from a list of tensors would lose their gradients",
                    describe(value),
                    "tg.stack([...]) keeps them",
                )
            )
        return value._data
    return value


def _holds_arrays(value: Any) -> bool:
    while isinstance(value, list | tuple) and value:
        value = value[0]
    return isinstance(value, np.ndarray | np.generic)
