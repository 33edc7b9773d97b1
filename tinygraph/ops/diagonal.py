"""Diagonals and triangles: diagonal and diag_embed are each other's derivative."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import ShapeError, UsageError, compose_message, describe
from ..core.modes import module_path
from ..core.op import Op, composite, op
from ..core.storage import Array
from ..core.tensor import Tensor
from .axes import as_shape, one_axis
from .elementwise import where
from .operands import operand


def _plane(who: str, axis1: Any, axis2: Any, ndim: int) -> tuple[int, int]:
    """Return two different axes as positive numbers."""
    first, second = (one_axis(who, a, ndim) for a in (axis1, axis2))
    if first == second:
        raise ShapeError(f"{who}: the two axes must differ, received {axis1} and {axis2}.")
    return first, second


def _offset(who: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise UsageError(f"{who}: which diagonal is told by an integer, received {value!r}.")
    return int(value)


def _check_diagonal(x: Any, *, offset: Any, axis1: Any, axis2: Any) -> dict[str, Any]:
    if x.ndim < 2:
        raise ShapeError(
            compose_message(
                "diagonal: a matrix has at least two axes",
                describe(x),
                "tg.diag makes a matrix of a vector",
                module_path(),
            )
        )
    first, second = _plane("diagonal", axis1, axis2, x.ndim)
    return {"offset": _offset("diagonal", offset), "axis1": first, "axis2": second}


diagonal: Op = op(
    "diagonal",
    lambda x, *, offset=0, axis1=0, axis2=1: np.diagonal(x, offset, axis1, axis2),
    vjps=[
        lambda g, y, x, *, offset, axis1, axis2: diag_embed(
            g, offset=offset, axis1=axis1, axis2=axis2, shape=x.shape
        )
    ],
    kind="view", label="diag", formula="y[…, i] = x[i, i + offset, …]",
    local=["the gradient on the diagonal, 0 elsewhere"],
    prepare=_check_diagonal, numpy=[np.diagonal],
    doc="Take the diagonals of the matrices in two axes; they come last in the result.",
)  # fmt: skip


def _check_embed(x: Any, *, offset: Any, axis1: Any, axis2: Any, shape: Any) -> dict[str, Any]:
    if x.ndim < 1:
        raise ShapeError(
            compose_message(
                "diag_embed: a diagonal has at least one axis",
                describe(x),
                "t.reshape(1)",
                module_path(),
            )
        )
    offset = _offset("diag_embed", offset)
    first, second = _plane("diag_embed", axis1, axis2, x.ndim + 1)
    rest = list(x.shape[:-1])
    side = x.shape[-1] + abs(offset)
    if shape is None:
        for axis in sorted((first, second)):
            rest.insert(axis, side)
        shape = rest
    result = as_shape("diag_embed", shape)
    if len(result) != x.ndim + 1 or _diagonal_shape(result, offset, first, second) != x.shape:
        raise ShapeError(
            compose_message(
                f"diag_embed: diagonal {offset} of the shape {result} must have the shape of x",
                describe(x),
                "leave the shape out for square matrices",
                module_path(),
            )
        )
    return {"offset": offset, "axis1": first, "axis2": second, "shape": result}


def _diagonal_shape(shape: tuple[int, ...], offset: int, axis1: int, axis2: int) -> tuple[int, ...]:
    length = min(shape[axis1] + min(offset, 0), shape[axis2] - max(offset, 0))
    return (*(n for i, n in enumerate(shape) if i not in (axis1, axis2)), max(length, 0))


def _embed(
    x: Any, *, offset: int = 0, axis1: int = -2, axis2: int = -1, shape: Any = None,
    out: Array | None = None,
) -> Array:  # fmt: skip
    x = np.asarray(x)
    if out is None:
        out = np.zeros(shape, x.dtype)
    else:
        out.fill(0)
    places = np.moveaxis(out, (axis1, axis2), (-2, -1))
    rows = np.arange(x.shape[-1])
    places[..., rows - min(offset, 0), rows + max(offset, 0)] = x
    return out


diag_embed: Op = op(
    "diag_embed", _embed,
    vjps=[
        lambda g, y, x, *, offset, axis1, axis2, shape: diagonal(
            g, offset=offset, axis1=axis1, axis2=axis2
        )
    ],
    kind="index", label="diag", formula="y[…, i, i + offset] = x[…, i], else 0",
    local=["the diagonal of the gradient"], prepare=_check_embed,
    doc="Make matrices, in two axes of the result, with the last axis of x as diagonals.\n"
    "By default they are square; ``shape`` is that of the whole result, if they are not.",
)  # fmt: skip


@composite("the diagonal of a matrix, or a matrix with x as diagonal", numpy=[np.diag])
def diag(x: Any, k: int = 0) -> Tensor:
    """Take the diagonal of a matrix, or make a matrix of a vector.

    Parameters
    ----------
    x : Tensor or ndarray
        One axis or two.
    k : int
        Which diagonal: above the main one for k > 0, below for k < 0.

    Raises
    ------
    ShapeError
        If ``x`` has no axis, or more than two.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.diag(tg.tensor([1.0, 2.0]))
    tensor([[1., 0.],
            [0., 2.]])
    >>> tg.diag(tg.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([1., 4.])
    """
    x = operand("diag", x)
    if x.ndim not in (1, 2):
        raise ShapeError(
            compose_message(
                "diag: a vector or a matrix",
                describe(x),
                "tg.diagonal and tg.diag_embed for batches",
                module_path(),
            )
        )
    if x.ndim == 2:
        return diagonal(x, offset=k)
    return diag_embed(x, offset=k)


def _triangle(who: str, x: Any, k: Any, lower: bool) -> Any:
    x = operand(who, x)
    if x.ndim == 0:
        raise ShapeError(
            compose_message(f"{who}: a matrix has two axes", describe(x), "", module_path())
        )
    k = _offset(who, k)
    rows, columns = x.shape[-2:] if x.ndim > 1 else x.shape * 2
    keep = np.tri(rows, columns, k if lower else k - 1, dtype=np.bool_)
    nothing = False if x.dtype == np.bool_ else 0
    return where(keep, x, nothing) if lower else where(keep, nothing, x)


@composite("x on and below diagonal k, else 0", numpy=[np.tril])
def tril(x: Any, k: int = 0) -> Tensor:
    """Keep the lower triangles of the matrices in the last two axes, with 0 above.

    Parameters
    ----------
    x : Tensor or ndarray
    k : int
        The last diagonal that is kept: 0 for the main one, negative below it.

    Raises
    ------
    ShapeError
        If ``x`` has no axes.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.tril(tg.ones(2, 2))
    tensor([[1., 0.],
            [1., 1.]])
    """
    return _triangle("tril", x, k, True)  # type: ignore[no-any-return]


@composite("x on and above diagonal k, else 0", numpy=[np.triu])
def triu(x: Any, k: int = 0) -> Tensor:
    """Keep the upper triangles of the matrices in the last two axes, with 0 below.

    Parameters
    ----------
    x : Tensor or ndarray
    k : int
        The first diagonal that is kept: 0 for the main one, positive above it.

    Raises
    ------
    ShapeError
        If ``x`` has no axes.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.triu(tg.ones(2, 2))
    tensor([[1., 1.],
            [0., 1.]])
    """
    return _triangle("triu", x, k, False)  # type: ignore[no-any-return]
