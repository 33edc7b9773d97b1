"""Input checks of modules: errors that name the module's path, what it wants and what it got."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.errors import DtypeError, ShapeError, UsageError, compose_message, describe
from ..core.modes import module_path
from ..core.tensor import Tensor
from ..ops.operands import checked_flag as checked_flag

if TYPE_CHECKING:
    from .module import Module


def check_features(module: Module, x: Any, features: int, parameter: Tensor) -> None:
    """Raise unless the last axis of ``x`` has ``features`` elements of the parameter's dtype."""
    data = x._data if isinstance(x, Tensor) else x
    shape = getattr(data, "shape", None)
    if not shape or shape[-1] != features:
        check_operand(module, x)
        who = type(module).__name__
        fix = f"{who}({shape[-1]}, …), or check the layer before" if shape else "x.reshape(…)"
        if shape and shape[0] == features and len(shape) == 2:
            fix += "; or x.T if the features are along axis 0"
        raise ShapeError(
            compose_message(
                f"{who} wants inputs of shape (…, {features})", describe(x), fix, module_path()
            )
        )
    if getattr(data, "dtype", None) is not parameter._data.dtype:
        check_operand(module, x)
        check_dtype(module, x, parameter)


def check_operand(module: Module, x: Any) -> None:
    """Raise unless ``x`` is a tensor or an array of numbers."""
    if not isinstance(x, Tensor | np.ndarray) or x.dtype.kind not in "fiub":
        raise DtypeError(
            compose_message(
                f"{type(module).__name__} takes tensors and arrays of real numbers",
                describe(x),
                "tg.tensor(x), or np.asarray(x, dtype=np.float32)",
                module_path(),
            )
        )


def check_dtype(module: Module, x: Any, parameter: Tensor) -> None:
    """Raise on floating inputs of another dtype than the module's parameters."""
    if x.dtype.kind == "f" and x.dtype != parameter.dtype:
        raise DtypeError(
            compose_message(
                f"{type(module).__name__} has {parameter.dtype} parameters",
                describe(x),
                f"x.astype(np.{parameter.dtype}), or model.astype(np.{x.dtype})",
                module_path(),
            )
        )


def checked_size(who: str, name: str, value: Any, low: int = 1) -> int:
    """Return an argument that counts something, from ``low`` on."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < low:
        raise UsageError(f"{who}: {name} is a whole number from {low} on, received {value!r}.")
    return int(value)


def checked_probability(who: str, name: str, value: Any) -> float:
    """Return an argument between 0 and 1."""
    real = isinstance(value, int | float | np.floating) and not isinstance(value, bool)
    if not real or not 0 <= value <= 1:
        raise UsageError(f"{who}: {name} is a probability from 0 to 1, received {value!r}.")
    return float(value)
