"""Tensors put together: concatenate, and what stacks along new or first axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.calls import checked_call
from ..core.errors import ShapeError, UsageError, compose_message, describe_all
from ..core.modes import module_path
from ..core.op import composite, op
from ..core.tensor import Tensor
from .axes import one_axis
from .index import along, getitem
from .operands import operand, operands
from .shape import expand_dims, reshape


def _check_concatenate(*arrays: Any, axis: Any) -> dict[str, Any]:
    if not arrays:
        raise UsageError("concatenate needs at least one tensor.")
    ndim = np.ndim(arrays[0]) if not hasattr(arrays[0], "ndim") else arrays[0].ndim
    if any(not hasattr(a, "ndim") or a.ndim == 0 for a in arrays):
        raise ShapeError(
            compose_message(
                "concatenate: a 0-d tensor has no axis to join along",
                describe_all(arrays),
                "tg.stack joins along a new axis",
            )
        )
    axis = one_axis("concatenate", axis, ndim)
    rests = [a.shape[:axis] + a.shape[axis + 1 :] for a in arrays]
    if any(a.ndim != ndim for a in arrays) or any(r != rests[0] for r in rests):
        raise ShapeError(
            compose_message(
                f"concatenate: all lengths but that of axis {axis} must agree",
                describe_all(arrays),
                "reshape or pad the odd one",
                module_path(),
            )
        )
    return {"axis": axis}


def _concatenate_vjp(
    g: Any, y: Any, *arrays: Any, needs: tuple[bool, ...], axis: int
) -> tuple[Any, ...]:
    parts = []
    start = 0
    for a, needed in zip(arrays, needs, strict=True):
        stop = start + a.shape[axis]
        parts.append(getitem(g, index=along(axis, slice(start, stop))) if needed else None)
        start = stop
    return tuple(parts)


concatenate_op = op(
    "concatenate", lambda *arrays, axis=0, out=None: np.concatenate(arrays, axis=axis, out=out),
    vjps=_concatenate_vjp, kind="join", label="⧺", formula="[x₁, x₂, …] along axis",
    local=["its part of the gradient"], prepare=_check_concatenate,
    doc="Join tensors along an axis that they have.",
)  # fmt: skip


@checked_call
def concatenate(tensors: Sequence[Any], axis: int | None = 0) -> Tensor:
    """Join tensors along an axis that they have.

    Parameters
    ----------
    tensors : sequence of Tensor or ndarray
        Of equal shapes but for ``axis``.
    axis : int or None
        The axis to join along; None flattens first.

    Raises
    ------
    ShapeError
        If the other lengths differ.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.concatenate([tg.zeros(1, 2), tg.ones(1, 2)])
    tensor([[0., 0.],
            [1., 1.]])
    """
    parts = operands("concatenate", tensors)
    if axis is None:
        parts, axis = [reshape(p, shape=(-1,)) for p in parts], 0
    return concatenate_op(*parts, axis=axis)


@composite("[x₁, x₂, …] along a new axis", numpy=[np.stack])
def stack(tensors: Sequence[Any], axis: int = 0) -> Tensor:
    """Join tensors of one shape along a new axis.

    Parameters
    ----------
    tensors : sequence of Tensor or ndarray
        All of the same shape.
    axis : int
        Where the new axis is in the result.

    Raises
    ------
    ShapeError
        If the shapes differ.

    Examples
    --------
    >>> import tinygraph as tg
    >>> x, y = tg.variables(x=1, y=2)
    >>> tg.stack([x, y]).shape
    (2,)
    """
    parts = operands("stack", tensors)
    if any(p.shape != parts[0].shape for p in parts):
        raise ShapeError(
            compose_message("stack: all shapes must be equal", describe_all(parts), "tg.pad")
        )
    return concatenate_op(*[expand_dims(p, axis=axis) for p in parts], axis=axis)


# ---- NumPy's stacks, after atleast_1d and atleast_2d ------------------------------------------


def _at_least(who: str, ndim: int, tensors: tuple[Any, ...]) -> Any:
    if not tensors:
        raise UsageError(f"{who} needs at least one tensor.")
    parts = [operand(who, x) for x in tensors]
    grown = [p if p.ndim >= ndim else reshape(p, shape=_in_front(p, ndim)) for p in parts]
    return grown[0] if len(grown) == 1 else tuple(grown)


def _in_front(x: Any, ndim: int) -> tuple[int, ...]:
    return (1,) * (ndim - x.ndim) + x.shape  # type: ignore[no-any-return]


@composite("x, or x[None] if it is 0-d", numpy=[np.atleast_1d])
def atleast_1d(*tensors: Any) -> Any:
    """Give 0-d tensors an axis; leave others as they are.

    Parameters
    ----------
    *tensors : Tensor, ndarray or number

    Returns
    -------
    Tensor, or a tuple of them
        One for each argument.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.atleast_1d(tg.tensor(2.0))
    tensor([2.])
    """
    return _at_least("atleast_1d", 1, tensors)


@composite("x, with axes of length 1 in front up to two axes", numpy=[np.atleast_2d])
def atleast_2d(*tensors: Any) -> Any:
    """Give tensors of fewer than two axes new ones in front; leave others as they are.

    Parameters
    ----------
    *tensors : Tensor, ndarray or number

    Returns
    -------
    Tensor, or a tuple of them
        One for each argument.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.atleast_2d(tg.ones(3)).shape
    (1, 3)
    """
    return _at_least("atleast_2d", 2, tensors)


@composite("[x₁, x₂, …] side by side", numpy=[np.hstack])
def hstack(tensors: Sequence[Any]) -> Tensor:
    """Join tensors side by side: along axis 1, or axis 0 if they have only that.

    Parameters
    ----------
    tensors : sequence of Tensor or ndarray
        0-d tensors count as those of one element.

    Raises
    ------
    ShapeError
        If the other lengths differ.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.hstack([tg.zeros(2, 1), tg.ones(2, 2)]).shape
    (2, 3)
    """
    parts = [atleast_1d(p) for p in operands("hstack", tensors)]
    return concatenate_op(*parts, axis=min(1, parts[0].ndim - 1))


@composite("[x₁, x₂, …] one below the other", numpy=[np.vstack])
def vstack(tensors: Sequence[Any]) -> Tensor:
    """Join tensors one below the other: along axis 0, vectors as rows.

    Parameters
    ----------
    tensors : sequence of Tensor or ndarray

    Raises
    ------
    ShapeError
        If the other lengths differ.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.vstack([tg.zeros(3), tg.ones(2, 3)]).shape
    (3, 3)
    """
    return concatenate_op(*[atleast_2d(p) for p in operands("vstack", tensors)], axis=0)
