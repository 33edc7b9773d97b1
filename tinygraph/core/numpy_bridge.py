"""NumPy's functions and operators on tensors: they stay tensors and keep the gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .dtypes import FLOAT32, FLOAT64
from .errors import UsageError, compose_message, describe_all
from .registry import NUMPY_FUNCTIONS
from .tensor import Tensor

FLOATS = (FLOAT32, FLOAT64)
"""Arrays of these dtypes are tensors as they are; the rest is for the op to judge."""


def array_ufunc(self: Tensor, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """Dispatch ``np.exp(t)`` and ``array * t`` to the op of that ufunc."""
    if kwargs.get("out") is not None:
        raise UsageError(
            compose_message(
                f"np.{ufunc.__name__} cannot write its result into an array: the gradient "
                "would be lost",
                describe_all(inputs),
                "write a = a + t instead of a += t",
            )
        )
    record = NUMPY_FUNCTIONS.get(ufunc) if method == "__call__" else None
    if record is None:
        name = ufunc.__name__ + ("" if method == "__call__" else f".{method}")
        raise _unknown(f"np.{name}", inputs)
    plain = [Tensor(x) if type(x) is np.ndarray and x.dtype in FLOATS else x for x in inputs]
    return record(*plain, **kwargs)


def array_function(
    self: Tensor,
    function: Callable[..., Any],
    types: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    """Dispatch ``np.sum(t, axis=0)`` and the like to the op of that function."""
    record = NUMPY_FUNCTIONS.get(function)
    if record is None:
        module = function.__module__.replace("numpy", "np", 1)
        raise _unknown(f"{module}.{function.__name__}", args)
    return record(*args, **kwargs)


def _unknown(name: str, operands: tuple[Any, ...]) -> UsageError:
    return UsageError(
        compose_message(
            f"{name} has no differentiable counterpart in tinygraph",
            describe_all(operands),
            f"use a tinygraph op, or {name}(t.detach().numpy()) without a gradient",
        )
    )
