"""New leaves: zeros, ones, full, eye, arange, linspace and the _like forms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.dtypes import as_array, checked_dtype
from ..core.errors import DtypeError, ShapeError, UsageError, compose_message, describe
from ..core.modes import get_default_dtype
from ..core.storage import Array
from ..core.tensor import Tensor
from .axes import as_shape


def _leaf(array: Array, requires_grad: bool) -> Tensor:
    result = Tensor(array)
    return result.requires_grad_() if requires_grad else result


def _float(dtype: Any) -> np.dtype[Any]:
    return get_default_dtype() if dtype is None else checked_dtype(dtype)


def _lengths(who: str, shape: tuple[Any, ...]) -> tuple[int, ...]:
    given = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape
    result = as_shape(who, tuple(given))
    if any(n < 0 for n in result):
        raise ShapeError(f"{who}: lengths are whole numbers from 0 on. Received {result}.")
    return result


def check_finite(who: str, **numbers: Any) -> None:
    """Raise unless all are finite real numbers."""
    for name, value in numbers.items():
        real = isinstance(value, int | float | np.integer | np.floating)
        if not real or not math.isfinite(value):
            raise UsageError(
                compose_message(f"{who}: {name} is a finite number", describe(value), "a number")
            )


def zeros(*shape: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Return a tensor of zeros.

    Parameters
    ----------
    *shape : int, or one tuple
    dtype : dtype, optional
        The default float dtype (float32) by default.
    requires_grad : bool
        Whether the leaf requires grad.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.zeros(2)
    tensor([0., 0.])
    """
    return _leaf(np.zeros(_lengths("zeros", shape), _float(dtype)), requires_grad)


def ones(*shape: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Return a tensor of ones; parameters as for :func:`zeros`.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.ones(2)
    tensor([1., 1.])
    """
    return _leaf(np.ones(_lengths("ones", shape), _float(dtype)), requires_grad)


def full(shape: Any, fill_value: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Return a tensor with one value everywhere; its dtype follows the value.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.full((2,), 0.5)
    tensor([0.5, 0.5])
    """
    value = as_array(fill_value, dtype)
    lengths = _lengths("full", (shape,))
    if value.shape != lengths[len(lengths) - value.ndim :] and value.size != 1:
        raise ShapeError(f"full: a value of shape {value.shape} does not fill the shape {lengths}.")
    return _leaf(np.full(lengths, value, value.dtype), requires_grad)


def eye(rows: int, columns: int | None = None, dtype: Any = None,
        requires_grad: bool = False) -> Tensor:  # fmt: skip
    """Return a matrix with ones on the diagonal.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    n, m = _lengths("eye", (rows, rows if columns is None else columns))
    return _leaf(np.eye(n, m, dtype=_float(dtype)), requires_grad)


def arange(start: float, stop: float | None = None, step: float = 1, dtype: Any = None,
           requires_grad: bool = False) -> Tensor:  # fmt: skip
    """Return evenly spaced values below ``stop``: int64 for whole numbers, else floats.

    Raises
    ------
    UsageError
        If ``step`` is 0 or a limit is not finite.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.arange(3)
    tensor([0, 1, 2])
    """
    first, last = (0, start) if stop is None else (start, stop)
    if not all(isinstance(v, int | float | np.number) for v in (first, last, step)):
        raise UsageError(f"arange takes numbers. Received {first!r}, {last!r}, {step!r}.")
    if step == 0 or not all(math.isfinite(v) for v in (first, last, step)):
        raise UsageError(
            f"arange needs finite limits and a step. Received {first}, {last}, {step}."
        )
    if (last - first) / step > 2**40:
        raise UsageError(
            f"arange: {first}, {last}, {step} makes too many numbers. Fix: larger step."
        )
    whole = all(isinstance(v, int | np.integer) for v in (first, last, step))
    chosen = (np.dtype(np.int64) if whole else get_default_dtype()) if dtype is None else dtype
    array = np.arange(first, last, step).astype(checked_dtype(chosen))
    if requires_grad and whole and dtype is None:
        array = array.astype(get_default_dtype())
    return _leaf(array, requires_grad)


def linspace(start: float, stop: float, num: int = 50, dtype: Any = None,
             requires_grad: bool = False) -> Tensor:  # fmt: skip
    """Return ``num`` evenly spaced values from ``start`` to ``stop``, both included.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.linspace(0, 1, 3)
    tensor([0. , 0.5, 1. ])
    """
    check_finite("linspace", start=start, stop=stop)
    (count,) = _lengths("linspace", (num,))
    return _leaf(np.linspace(start, stop, count).astype(_float(dtype)), requires_grad)


def zeros_like(x: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Return zeros of the shape and dtype of ``x``.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.zeros_like(tg.ones(2))
    tensor([0., 0.])
    """
    return full_like(x, 0, dtype, requires_grad)


def ones_like(x: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Return ones of the shape and dtype of ``x``.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.ones_like(tg.zeros(2))
    tensor([1., 1.])
    """
    return full_like(x, 1, dtype, requires_grad)


def full_like(x: Any, fill_value: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Return one value everywhere, in the shape and dtype of ``x``.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.full_like(tg.zeros(2), 7)
    tensor([7., 7.])
    """
    like = x._data if isinstance(x, Tensor) else as_array(x)
    chosen = like.dtype if dtype is None else checked_dtype(dtype)
    value = as_array(fill_value)
    if value.ndim and value.shape != like.shape:
        raise ShapeError(f"full_like: {describe(value)} does not fill the shape {like.shape}.")
    if chosen.kind != "f" and value.dtype.kind == "f":
        raise DtypeError(
            compose_message(
                f"full_like: floating values do not fit into {chosen}",
                describe(fill_value),
                "dtype=np.float32",
            )
        )
    return _leaf(np.full(like.shape, value, chosen), requires_grad)
