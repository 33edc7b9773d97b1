"""Python's operators on tensors: `a + b` is most of what a program does, so its path is short.

What is not two tensors of one floating dtype, or a tensor and a number, goes to the op itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from numpy import generic, ndarray

from .apply import NO_ATTRS, apply, apply_to_one, record
from .dtypes import FLOAT32, FLOAT64
from .layout import is_channels_last, mixed
from .registry import lookup
from .tensor import Tensor

if TYPE_CHECKING:
    from .op import Op


def binary_operator(op: Op) -> Callable[[Any, Any], Any]:
    """Return ``op`` as a two-operand method with a short path for two like tensors."""
    ufunc = op.forward

    def operator(a: Any, b: Any) -> Any:
        if isinstance(b, Tensor):
            x, y = a._data, b._data
            dtype = x.dtype
            if dtype is y.dtype and (dtype is FLOAT32 or dtype is FLOAT64):
                if x.ndim > 2 and mixed(x, y):
                    a, b = in_one_order(a, b)
                    x, y = a._data, b._data
                try:
                    value = ufunc(x, y)
                except Exception:
                    return apply(op, (a, b), NO_ATTRS)  # checks, then explains
                needs_grad = a._requires_grad or b._requires_grad
                in_graph = a.op is not None or b.op is not None
                return record(op, value, (a, b), NO_ATTRS, needs_grad, in_graph)
        elif (type(b) is float or type(b) is int) and a._data.dtype.kind == "f":
            try:
                value = ufunc(a._data, b)
            except Exception:
                return apply(op, (a, b), NO_ATTRS)
            return record(op, value, (a, b), NO_ATTRS, a._requires_grad, a.op is not None)
        elif type(b) is ndarray and b.dtype is a._data.dtype and b.dtype.kind == "f":
            return operator(a, Tensor(b))
        elif isinstance(b, generic) and type(number := b.item()) in (float, int):
            return operator(a, number)
        return op(a, b)

    operator.__name__ = op.name
    operator.__doc__ = op.__doc__
    return operator


def in_one_order(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Return two tensors of which one has the channels last in memory as two that have."""
    repack = lookup("repack")
    return (a, repack(b)) if is_channels_last(a._data) else (repack(a), b)


def reflected_operator(op: Op) -> Callable[[Any, Any], Any]:
    """Return ``op`` as a method for Python's ``number - tensor`` and the like."""
    ufunc = op.forward

    def operator(b: Any, a: Any) -> Any:
        if (type(a) is float or type(a) is int) and b._data.dtype.kind == "f":
            try:
                value = ufunc(a, b._data)
            except Exception:
                return apply(op, (a, b), NO_ATTRS)
            return record(op, value, (a, b), NO_ATTRS, b._requires_grad, b.op is not None)
        return op(a, b)

    return operator


def operator_of_one(op: Op) -> Callable[..., Any]:
    """Return ``op`` as a method of its one operand, with a short path for ``t.op()``."""
    attrs = op.defaults

    def operator(x: Any, *args: Any, **kwargs: Any) -> Any:
        if args or kwargs:
            return op(x, *args, **kwargs)
        return apply_to_one(op, (x,), attrs)

    return operator
