"""What users hand to plots, as arrays of float64."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.dtypes import as_array
from ..core.errors import DtypeError, ShapeError, compose_message, describe
from ..core.storage import Array
from ..core.tensor import Tensor


def values_of(who: str, name: str, value: Any) -> Array:
    """Return a tensor, an array or numbers in a list as an array of float64."""
    try:
        array = value.data if isinstance(value, Tensor) else as_array(value)
    except DtypeError as error:
        raise DtypeError(f"plots.{who}: {name}: {error}") from error
    return array.astype(np.float64)


def shaped(who: str, name: str, value: Any, *ndims: int, fix: str = "") -> Array:
    """Return an array with elements and one of these numbers of axes."""
    array = values_of(who, name, value)
    if array.ndim not in ndims or array.size == 0:
        axes = " or ".join(map(str, ndims))
        what = f"plots.{who}: {name} has {axes} {'axis' if ndims == (1,) else 'axes'}"
        raise ShapeError(compose_message(f"{what} and is not empty", describe(value), fix))
    return array
