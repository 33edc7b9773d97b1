"""Products of tensors, all made of matmul, mul, reshape and transpose: dot, outer, kron …"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.errors import ShapeError, UsageError, compose_message, describe, describe_all
from ..core.modes import module_path
from ..core.op import composite
from ..core.tensor import Tensor
from .axes import one_axis
from .diagonal import diagonal
from .elementwise import mul
from .linalg import matmul
from .operands import operand
from .reduce import sum
from .shape import reshape, transpose

Pair = tuple[int | Sequence[int], int | Sequence[int]]


def alike(who: str, *values: Any) -> list[Any]:
    """Return operands with axes; numbers take the floating dtype of the others."""
    arrays = [v.dtype for v in values if isinstance(v, Tensor | np.ndarray)]
    floating = [dtype for dtype in arrays if dtype.kind == "f"]
    if not floating:
        return [operand(who, v) for v in values]
    dtype = np.result_type(*floating)
    number = int | float | np.generic
    return [np.asarray(v, dtype) if isinstance(v, number) else operand(who, v) for v in values]


def contract(who: str, a: Any, b: Any, over_a: tuple[int, ...], over_b: tuple[int, ...]) -> Any:
    """Sum products over pairs of axes, by one matrix product; the other axes stay in order."""
    lengths = [tuple(x.shape[i] for i in over) for x, over in ((a, over_a), (b, over_b))]
    if lengths[0] != lengths[1]:
        raise ShapeError(
            compose_message(
                f"{who}: the summed lengths must agree, {lengths[0]} ≠ {lengths[1]}",
                describe_all([a, b]),
                "transpose one operand, or name the axes with tg.tensordot(a, b, axes=…)",
                module_path(),
            )
        )
    free_a = tuple(i for i in range(a.ndim) if i not in over_a)
    free_b = tuple(i for i in range(b.ndim) if i not in over_b)
    inner = math.prod(lengths[0])
    outer_a, outer_b = (tuple(x.shape[i] for i in free) for x, free in ((a, free_a), (b, free_b)))
    left = reshape(transpose(a, axes=free_a + over_a), shape=(math.prod(outer_a), inner))
    right = reshape(transpose(b, axes=over_b + free_b), shape=(inner, math.prod(outer_b)))
    return reshape(matmul(left, right), shape=outer_a + outer_b)


@composite("Σ over the last axis of a and the second-last of b", numpy=[np.dot])
def dot(a: Any, b: Any) -> Tensor:
    """Multiply by NumPy's older rules: batches of b become axes of the result.

    Parameters
    ----------
    a, b : Tensor, ndarray or number
        Numbers scale; vectors and matrices multiply as in :func:`matmul`; with more axes the
        shape is ``a.shape[:-1] + b.shape[:-2] + b.shape[-1:]``.

    Raises
    ------
    ShapeError
        If the summed lengths differ.

    Examples
    --------
    >>> import tinygraph as tg
    >>> float(tg.dot(tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0])))
    11.0
    """
    a, b = alike("dot", a, b)
    if a.ndim == 0 or b.ndim == 0:
        return mul(a, b)
    row = max(b.ndim - 2, 0)
    if a.shape[-1] == b.shape[row] and (a.ndim == 1 or b.ndim <= 2):
        return matmul(a, b)
    return contract("dot", a, b, (a.ndim - 1,), (row,))  # type: ignore[no-any-return]


@composite("Σ over the last axes of a and b", numpy=[np.inner])
def inner(a: Any, b: Any) -> Tensor:
    """Sum products over the last axes.

    Parameters
    ----------
    a, b : Tensor, ndarray or number
        Of equal last length; a number scales.

    Returns
    -------
    Tensor
        Of shape ``a.shape[:-1] + b.shape[:-1]``.

    Raises
    ------
    ShapeError
        If the last lengths differ.

    Examples
    --------
    >>> import tinygraph as tg
    >>> float(tg.inner(tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0])))
    11.0
    """
    a, b = alike("inner", a, b)
    if a.ndim == 0 or b.ndim == 0:
        return mul(a, b)
    return contract("inner", a, b, (a.ndim - 1,), (b.ndim - 1,))  # type: ignore[no-any-return]


@composite("a[i] · b[j]", numpy=[np.outer])
def outer(a: Any, b: Any) -> Tensor:
    """Multiply each element of a with each of b, both flattened, to a matrix.

    Parameters
    ----------
    a, b : Tensor, ndarray or number

    Returns
    -------
    Tensor
        Of shape ``(a.size, b.size)``.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.outer(tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0]))
    tensor([[3., 4.],
            [6., 8.]])
    """
    a, b = alike("outer", a, b)
    return mul(reshape(a, shape=(a.size, 1)), reshape(b, shape=(1, b.size)))


@composite("Σ a · b over pairs of axes", numpy=[np.tensordot])
def tensordot(a: Any, b: Any, axes: int | Pair = 2) -> Tensor:
    """Sum products over pairs of axes.

    Parameters
    ----------
    a, b : Tensor or ndarray
    axes : int or pair
        How many of the last axes of a and the first of b to sum over; or the axes of a and
        those of b, each an int or a sequence.

    Returns
    -------
    Tensor
        With the other axes of a, then those of b.

    Raises
    ------
    ShapeError
        If the lengths differ or the axes do not exist.
    UsageError
        If ``axes`` is neither a number nor a pair.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.tensordot(tg.ones(2, 3, 4), tg.ones(4, 3), axes=((1, 2), (1, 0))).shape
    (2,)
    """
    a, b = alike("tensordot", a, b)
    over_a, over_b = _pairs(a, b, axes)
    return contract("tensordot", a, b, over_a, over_b)  # type: ignore[no-any-return]


def _pairs(a: Any, b: Any, axes: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if isinstance(axes, int | np.integer) and not isinstance(axes, bool):
        if not 0 <= axes <= min(a.ndim, b.ndim):
            raise ShapeError(
                compose_message(
                    f"tensordot: {axes} axes to sum over do not exist", describe_all([a, b])
                )
            )
        return tuple(range(a.ndim - int(axes), a.ndim)), tuple(range(int(axes)))
    if not isinstance(axes, tuple | list) or len(axes) != 2:
        raise UsageError(
            f"tensordot: axes is a number or a pair (axes of a, axes of b), received {axes!r}."
        )
    each = [tuple(v) if isinstance(v, tuple | list) else (v,) for v in axes]
    over = [
        tuple(one_axis("tensordot", i, x.ndim) for i in v)
        for v, x in zip(each, (a, b), strict=True)
    ]
    if len(over[0]) != len(over[1]) or any(len(set(v)) != len(v) for v in over):
        raise ShapeError(f"tensordot: axes pair off one to one, received axes={axes!r}.")
    return over[0], over[1]


@composite("blocks a[i, j] · b", numpy=[np.kron])
def kron(a: Any, b: Any) -> Tensor:
    """Kronecker product: every element of a times the whole of b, in blocks.

    Parameters
    ----------
    a, b : Tensor, ndarray or number
        Axes of length 1 are put in front of the one with fewer.

    Returns
    -------
    Tensor
        Whose lengths are the products of the lengths.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.kron(tg.tensor([1.0, 10.0]), tg.tensor([1.0, 2.0]))
    tensor([ 1.,  2., 10., 20.])
    """
    a, b = alike("kron", a, b)
    ndim = max(a.ndim, b.ndim)
    lengths = [(1,) * (ndim - x.ndim) + tuple(x.shape) for x in (a, b)]
    pairs = list(zip(*lengths, strict=True))
    spread_a = reshape(a, shape=tuple(v for n, _ in pairs for v in (n, 1)))
    spread_b = reshape(b, shape=tuple(v for _, m in pairs for v in (1, m)))
    return reshape(mul(spread_a, spread_b), shape=tuple(n * m for n, m in pairs))


@composite("Σ of the diagonal", numpy=[np.trace])
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Add the elements of a diagonal.

    Parameters
    ----------
    x : Tensor or ndarray
        With at least two axes.
    offset : int
        Which diagonal: above the main one if positive, below if negative.
    axis1, axis2 : int
        The axes of the matrices.

    Returns
    -------
    Tensor
        With the other axes of ``x``.

    Raises
    ------
    ShapeError, UsageError
        If the axes do not exist or are the same, or the offset is no integer.

    Examples
    --------
    >>> import tinygraph as tg
    >>> float(tg.trace(tg.tensor([[1.0, 2.0], [3.0, 4.0]])))
    5.0
    """
    x = operand("trace", x)
    if isinstance(offset, bool) or not isinstance(offset, int | np.integer):
        raise UsageError(f"trace: offset is an integer, received {offset!r}.")
    pair = one_axis("trace", axis1, x.ndim), one_axis("trace", axis2, x.ndim)
    if pair[0] == pair[1]:
        raise ShapeError(
            compose_message(f"trace: axis1={axis1} and axis2={axis2} are the same", describe(x))
        )
    return sum(diagonal(x, offset=offset, axis1=pair[0], axis2=pair[1]), axis=-1)
