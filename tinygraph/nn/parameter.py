"""Tensors that belong to a module: parameters are trained, buffers are only kept."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.dtypes import as_array
from ..core.leaves import tensor
from ..core.tensor import Tensor


class Parameter(Tensor):
    """A leaf that a module owns and an optimizer trains.

    Parameters
    ----------
    data : array-like
        The initial value; copied. Python numbers take the default float dtype.
    requires_grad : bool
        False freezes it.

    Examples
    --------
    >>> from tinygraph import nn
    >>> nn.Parameter([1.0, 2.0]).requires_grad
    True
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        initial = tensor(data, requires_grad=requires_grad)
        super().__init__(initial._data, initial.requires_grad)


class Buffer(Tensor):
    """A tensor of a module's state that is not trained, such as a running mean.

    Parameters
    ----------
    data : array-like
        The initial value; copied.
    persistent : bool
        Whether it is part of ``state_dict()``.

    Examples
    --------
    >>> from tinygraph import nn
    >>> nn.Buffer([0.0]).requires_grad
    False
    """

    __slots__ = ("persistent",)

    def __init__(self, data: Any, persistent: bool = True) -> None:
        source = data.data if isinstance(data, Tensor) else data
        super().__init__(np.array(as_array(source), order="C"))
        self.persistent = persistent

    def __copy__(self) -> Buffer:
        twin: Buffer = super().__copy__()  # type: ignore[assignment]
        twin.persistent = self.persistent
        return twin

    def _rebuild(self) -> Buffer:
        copied: Buffer = super()._rebuild()  # type: ignore[assignment]
        copied.persistent = self.persistent
        return copied

    def __reduce__(self) -> tuple[Any, ...]:
        make, arguments = super().__reduce__()
        return _restore_buffer, (make, arguments, self.persistent)


def _restore_buffer(make: Any, arguments: tuple[Any, ...], persistent: bool) -> Buffer:
    buffer: Buffer = make(*arguments)
    buffer.persistent = persistent
    return buffer
