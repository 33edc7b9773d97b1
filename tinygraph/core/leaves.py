"""How users make leaves: tensor, from_numpy, variables."""

from __future__ import annotations

import operator
from typing import Any, SupportsIndex

import numpy as np

from .dtypes import as_array
from .errors import DtypeError, compose_message, describe
from .modes import get_default_dtype
from .recording import values_of
from .storage import Array, storage_of
from .tensor import Tensor


def tensor(
    data: Any, dtype: Any = None, requires_grad: bool = False, name: str | None = None
) -> Tensor:
    """Make a leaf tensor from numbers, lists or an array. The data is copied.

    Parameters
    ----------
    data : number, nested list, ndarray or Tensor
        Python floats become the default float dtype (float32), ints int64 (the default
        float dtype when ``requires_grad``), bools bool; an ndarray keeps its dtype.
    dtype : dtype, optional
        Convert to this dtype.
    requires_grad : bool
        Whether :meth:`Tensor.backward` computes a gradient for it.
    name : str, optional
        A name for pictures and messages.

    Raises
    ------
    DtypeError
        If the data is not numeric, or integers in an array are to require grad.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.tensor([[1.0, 2.0], [3.0, 4.0]])
    tensor([[1., 2.],
            [3., 4.]])
    """
    source = values_of(data, "a copy by tg.tensor") if isinstance(data, Tensor) else data
    array = np.array(as_array(source, dtype), order="C")
    python_ints = not isinstance(source, np.ndarray) and array.dtype.kind in "iu"
    if requires_grad and python_ints and dtype is None:
        array = array.astype(get_default_dtype())
    result = Tensor(array)
    result.name = name
    return result.requires_grad_() if requires_grad else result


def from_numpy(array: Array, requires_grad: bool = False, name: str | None = None) -> Tensor:
    """Make a leaf tensor that shares memory with ``array``.

    Raises
    ------
    DtypeError
        If ``array`` is not an ndarray of numbers or booleans.

    Examples
    --------
    >>> import numpy as np, tinygraph as tg
    >>> a = np.zeros(2)
    >>> t = tg.from_numpy(a)
    >>> a[0] = 7.0
    >>> t
    tensor([7., 0.], dtype=float64)
    """
    if not isinstance(array, np.ndarray):
        raise DtypeError(
            compose_message(
                "from_numpy shares the memory of an ndarray",
                describe(array),
                "tg.tensor(…) copies anything else",
            )
        )
    shared = as_array(array)
    if shared is not array and not np.shares_memory(shared, array):
        raise DtypeError(
            compose_message(
                "from_numpy cannot share memory in a foreign byte order",
                describe(array),
                "tg.tensor(…) copies and converts",
            )
        )
    result = Tensor(shared)
    result.name = name
    result._storage = storage_of(array)
    return result.requires_grad_() if requires_grad else result


def variables(**values: Any) -> tuple[Tensor, ...]:
    """Make named leaves that require grad, in the order they are written.

    Examples
    --------
    >>> import tinygraph as tg
    >>> x, y = tg.variables(x=-2, y=5)
    >>> (x * y).backward()
    >>> float(x.grad), float(y.grad)
    (5.0, -2.0)
    """
    return tuple(tensor(value, requires_grad=True, name=name) for name, value in values.items())


def as_index(value: SupportsIndex | Tensor) -> int:
    """Return an integer-like argument (int, NumPy integer, integer tensor) as an int."""
    try:
        return operator.index(value)
    except DtypeError:
        raise
    except TypeError as error:
        raise DtypeError(compose_message("An integer is needed here", repr(value))) from error
