"""Arguments of a compiled call: the arrays among them, and the rest, which selects the plan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..core.dtypes import as_array
from ..core.errors import CompileError, compose_message, describe
from ..core.lines import user_line
from ..core.storage import Array
from ..core.tensor import Tensor


class Signature(NamedTuple):
    """What a call looks like.

    Attributes
    ----------
    key : tuple
        Structure, shapes, dtypes, strides and Python values: equal keys share plans.
    arrays : list of ndarray
    tensors : list of Tensor or None
        The tensor that each array came in, None for a bare array.
    """

    key: tuple[Any, ...]
    arrays: list[Array]
    tensors: list[Tensor | None]


def read(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Signature:
    """Take the arguments of a call apart."""
    key: list[Any] = []
    arrays: list[Array] = []
    tensors: list[Tensor | None] = []
    for x in args:
        _read(x, key, arrays, tensors)
    if kwargs:
        for name in sorted(kwargs):
            key.append(name)
            _read(kwargs[name], key, arrays, tensors)
    if len(arrays) > 1:
        ids = [id(a) if t is None else id(t) for a, t in zip(arrays, tensors, strict=True)]
        if len(set(ids)) < len(ids):  # the same tensor twice is another graph
            key.append(tuple(ids.index(i) for i in ids))
    return Signature(tuple(key), arrays, tensors)


class Quick:
    """The check of a call that is exactly like the last one: a fifth of the time of `read`."""

    __slots__ = ("modes", "plan", "_arguments")

    def __init__(self, modes: Any, plan: Any, args: tuple[Any, ...]) -> None:
        self.modes = modes
        self.plan = plan
        self._arguments: list[tuple[Any, ...]] = []
        for x in args:
            array = x._data if isinstance(x, Tensor) else x
            self._arguments.append(
                (
                    type(x),
                    array.shape,
                    array.dtype,
                    array.strides,
                    array is not x and x._requires_grad,
                )
            )

    @staticmethod
    def suits(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Tell whether the arguments are tensors and arrays alone, each once."""
        plain = all(isinstance(x, Tensor) or type(x) is np.ndarray for x in args)
        native = plain and all(x.dtype.isnative for x in args)
        return native and not kwargs and len({id(x) for x in args}) == len(args)

    def arrays(self, args: tuple[Any, ...]) -> list[Array] | None:
        """Return the arrays of the arguments, None if anything is not as in the last call."""
        if len(args) != len(self._arguments):
            return None
        arrays = []
        for x, (cls, shape, dtype, strides, requires_grad) in zip(
            args, self._arguments, strict=True
        ):
            if type(x) is not cls:
                return None
            array = x
            if cls is not np.ndarray:
                array = x._data
                if x._requires_grad is not requires_grad or (requires_grad and x.op is not None):
                    return None
            if array.shape != shape or array.dtype is not dtype or array.strides != strides:
                return None
            arrays.append(array)
        if len(arrays) == 2:
            return None if arrays[0] is arrays[1] else arrays
        if len(arrays) > 2 and len(set(map(id, arrays))) < len(arrays):
            return None
        return arrays


def _read(x: Any, key: list[Any], arrays: list[Array], tensors: list[Tensor | None]) -> None:
    if isinstance(x, Tensor):
        if x.op is not None and x._requires_grad:
            raise CompileError(
                compose_message(
                    "An argument of a compiled function is a leaf: no gradient could flow out "
                    f"through it. It is called at {user_line()}",
                    f"the result of '{x.op.name}', {describe(x)}",
                    "t.detach(), or compile what makes it as well",
                )
            )
        array = x._data
        key.append((Tensor, array.shape, array.dtype, array.strides, x._requires_grad))
        arrays.append(array)
        tensors.append(x)
    elif isinstance(x, np.ndarray):
        array = as_array(x)
        key.append((np.ndarray, array.shape, array.dtype, array.strides))
        arrays.append(array)
        tensors.append(None)
    elif isinstance(x, tuple | list):
        key.append((type(x), len(x)))
        for item in x:
            _read(item, key, arrays, tensors)
    elif isinstance(x, dict):
        key.append((dict, *x))
        for item in x.values():
            _read(item, key, arrays, tensors)
    else:
        key.append(_python(x))


def _python(x: Any) -> Any:
    """Return what stands for a Python value: equal ones of one type share a plan."""
    if isinstance(x, float):
        return (float, repr(x))  # 0.0 is not −0.0, nan is nan
    try:
        hash(x)
    except TypeError:
        return _Same(x)
    return (type(x), x)


class _Same:
    """A value without a hash: equal only to itself."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.value is self.value


def rebuild(x: Any, make: Callable[[Any], Any]) -> Any:
    """Return nested tuples, lists and dicts with ``make`` of each tensor or array in them."""
    if isinstance(x, Tensor | np.ndarray):
        return make(x)
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return type(x)(*(rebuild(item, make) for item in x))
    if isinstance(x, tuple | list):
        return type(x)(rebuild(item, make) for item in x)
    if isinstance(x, dict):
        return {name: rebuild(item, make) for name, item in x.items()}
    return x
