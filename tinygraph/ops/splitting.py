"""One tensor cut into several along an axis; the parts are views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.errors import ShapeError, UsageError, compose_message, describe
from ..core.modes import module_path
from ..core.op import composite
from ..core.tensor import Tensor
from .axes import one_axis
from .index import along, getitem
from .operands import operand, whole

Sections = int | Sequence[int]


def _cut(who: str, x: Any, sections: Any, axis: Any) -> list[Any]:
    """Cut at the given places, or into so many parts of nearly equal length."""
    x = operand(who, x)
    axis = one_axis(who, axis, x.ndim)
    length = x.shape[axis]
    if isinstance(sections, list | tuple | np.ndarray):
        if any(isinstance(p, bool) or not isinstance(p, int | np.integer) for p in sections):
            raise UsageError(f"{who}: the places to cut at are integers, received {sections}.")
        ends = [*(slice(p).indices(length)[1] for p in sections), length]
    else:
        count = whole(who, "the number of sections", sections, 1)
        size, longer = divmod(length, count)
        ends = [(k + 1) * size + min(k + 1, longer) for k in range(count)]
    starts = [0, *ends[:-1]]
    return [getitem(x, index=along(axis, slice(a, b))) for a, b in zip(starts, ends, strict=True)]


@composite("parts of x of equal length along axis", numpy=[np.split])
def split(x: Any, indices_or_sections: Sections, axis: int = 0) -> list[Tensor]:
    """Cut into parts of equal length, or before the given places, as NumPy's split.

    Parameters
    ----------
    x : Tensor or ndarray
    indices_or_sections : int or sequence of int
        The number of parts, or where the second part starts, the third, and so on.
        (PyTorch's split takes the length of the parts instead.)
    axis : int
        The axis to cut.

    Returns
    -------
    list of Tensor
        Views.

    Raises
    ------
    ShapeError
        If the axis does not divide into so many equal parts.

    Examples
    --------
    >>> import tinygraph as tg
    >>> [part.shape for part in tg.split(tg.zeros(6, 2), 3)]
    [(2, 2), (2, 2), (2, 2)]
    >>> [part.shape for part in tg.split(tg.zeros(6, 2), [1, 4])]
    [(1, 2), (3, 2), (2, 2)]
    """
    x = operand("split", x)
    if isinstance(indices_or_sections, int | np.integer) and indices_or_sections > 0:
        length = x.shape[one_axis("split", axis, x.ndim)]
        if length % indices_or_sections:
            raise ShapeError(
                compose_message(
                    f"split: axis {axis} of length {length} does not divide into "
                    f"{indices_or_sections} equal parts",
                    describe(x),
                    "tg.array_split makes parts of nearly equal length",
                    module_path(),
                )
            )
    return _cut("split", x, indices_or_sections, axis)


@composite("parts of x of nearly equal length along axis", numpy=[np.array_split])
def array_split(x: Any, indices_or_sections: Sections, axis: int = 0) -> list[Tensor]:
    """Cut into so many parts, of which the first may be longer by one.

    Parameters
    ----------
    x : Tensor or ndarray
    indices_or_sections : int or sequence of int
        The number of parts, or where the second part starts, the third, and so on.
    axis : int
        The axis to cut.

    Returns
    -------
    list of Tensor
        Views.

    Raises
    ------
    ShapeError
        If the axis does not exist.

    Examples
    --------
    >>> import tinygraph as tg
    >>> [len(part) for part in tg.array_split(tg.zeros(7), 3)]
    [3, 2, 2]
    """
    return _cut("array_split", x, indices_or_sections, axis)


@composite("parts of x of nearly equal length along axis")
def tensor_split(x: Any, indices_or_sections: Sections, axis: int = 0) -> tuple[Tensor, ...]:
    """Cut as array_split does; PyTorch's name, and a tuple.

    Parameters
    ----------
    x : Tensor or ndarray
    indices_or_sections : int or sequence of int
        The number of parts, or where the second part starts, the third, and so on.
    axis : int
        The axis to cut.

    Returns
    -------
    tuple of Tensor
        Views.

    Raises
    ------
    ShapeError
        If the axis does not exist.

    Examples
    --------
    >>> import tinygraph as tg
    >>> [len(part) for part in tg.tensor_split(tg.zeros(7), 3)]
    [3, 2, 2]
    """
    return tuple(_cut("tensor_split", x, indices_or_sections, axis))


@composite("parts of x of length ⌈n / chunks⌉ along axis")
def chunk(x: Any, chunks: int, axis: int = 0) -> tuple[Tensor, ...]:
    """Cut into at most so many parts of one length, of which the last may be shorter.

    As in PyTorch there may be fewer parts: 6 elements in 4 chunks are three pairs.

    Parameters
    ----------
    x : Tensor or ndarray
    chunks : int
        How many parts at most.
    axis : int
        The axis to cut.

    Returns
    -------
    tuple of Tensor
        Views.

    Raises
    ------
    UsageError
        If ``chunks`` is not a number from 1 on.

    Examples
    --------
    >>> import tinygraph as tg
    >>> [len(part) for part in tg.chunk(tg.zeros(7), 3)]
    [3, 3, 1]
    """
    x = operand("chunk", x)
    length = x.shape[one_axis("chunk", axis, x.ndim)]
    chunks = whole("chunk", "chunks", chunks, 1)
    if length == 0:
        return tuple(_cut("chunk", x, chunks, axis))
    size = -(-length // chunks)
    return tuple(_cut("chunk", x, list(range(size, length, size)), axis))


@composite("x[0], x[1], … along axis", numpy=[np.unstack] if hasattr(np, "unstack") else [])
def unbind(x: Any, axis: int = 0) -> tuple[Tensor, ...]:
    """Take an axis apart: the inverse of stack (np.unstack, PyTorch's unbind).

    Parameters
    ----------
    x : Tensor or ndarray
    axis : int
        The axis that goes.

    Returns
    -------
    tuple of Tensor
        Views, one for each place along the axis.

    Raises
    ------
    ShapeError
        If the axis does not exist.

    Examples
    --------
    >>> import tinygraph as tg
    >>> [row.shape for row in tg.unbind(tg.zeros(2, 3))]
    [(3,), (3,)]
    """
    x = operand("unbind", x)
    axis = one_axis("unbind", axis, x.ndim)
    return tuple(getitem(x, index=along(axis, k)) for k in range(x.shape[axis]))
