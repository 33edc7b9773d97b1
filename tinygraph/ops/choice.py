"""Choosing and mixing, element by element: fmax, fmin, copysign, lerp and masked_fill."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import DtypeError, ShapeError, compose_message, describe, describe_all
from ..core.modes import module_path
from ..core.op import Op, composite, op
from ..core.structure import cast_to
from ..core.tensor import Tensor
from .elementwise import add, mul, sign, sub, where
from .operands import operand


def _shares(won: Any, tied: Any, g: Any) -> Any:
    """Return 1 where an operand is the result, ½ where both are, in the dtype of the gradient."""
    return cast_to(won, g.dtype) - cast_to(tied, g.dtype) * 0.5


def _ignoring_nan(name: str, ufunc: np.ufunc, label: str, doc: str) -> Op:
    return op(
        name, ufunc, label=label, formula=f"{name}(a, b)", saves="y a b",
        local=["(a == y) − (a == b) / 2", "(b == y) − (a == b) / 2"],
        vjps=[
            lambda g, y, a, b: g * _shares(a == y, a == b, g),
            lambda g, y, a, b: g * _shares(b == y, a == b, g),
        ],
        kinks="at a tie each gets ½; nan gets 0", doc=doc,
    )  # fmt: skip


fmax = _ignoring_nan("fmax", np.fmax, "max", "Return the larger operand, and the other for nan.")
fmin = _ignoring_nan("fmin", np.fmin, "min", "Return the smaller operand, and the other for nan.")

copysign = op(
    "copysign", np.copysign, formula="abs(a) · sign(b)", local=["sign(a) · sign(y)", "0"],
    saves="y a",
    vjps=[lambda g, y, a, b: g * (sign(a) * sign(y)), lambda g, y, a, b: g * 0.0],
    kinks="the derivative by a at 0 is 0; by b it is 0 everywhere",
    doc="Return the size of a with the sign of b (−0.0 has one too).",
)  # fmt: skip


@composite("a + weight · (b − a)")
def lerp(a: Any, b: Any, weight: Any) -> Tensor:
    """Go from ``a`` towards ``b`` by the share ``weight``: 0 gives ``a``, 1 gives ``b``.

    Parameters
    ----------
    a, b : Tensor or ndarray
        The two ends.
    weight : Tensor, ndarray or number
        Also below 0 or above 1. All three broadcast.

    Returns
    -------
    Tensor
        ``a + weight · (b − a)``, up to rounding.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.lerp(tg.tensor([0.0, 10.0]), tg.tensor([1.0, 20.0]), 0.25)
    tensor([ 0.25, 12.5 ])
    """
    return add(a, mul(weight, sub(b, a)))


@composite("value where mask, else x")
def masked_fill(x: Any, mask: Any, value: Any) -> Tensor:
    """Put ``value`` where ``mask`` holds; no gradient flows to what it replaces.

    Parameters
    ----------
    x : Tensor or ndarray
    mask : boolean Tensor or ndarray
        Its shape broadcasts to that of ``x``.
    value : number or 0-d Tensor
        −inf before a softmax gives the masked elements probability 0.

    Returns
    -------
    Tensor
        Of the shape of ``x``.

    Raises
    ------
    DtypeError
        If the mask is not boolean, or ``value`` is fractional and ``x`` is not.
    ShapeError
        If the mask does not broadcast to ``x``, or ``value`` has axes.

    Examples
    --------
    >>> import tinygraph as tg
    >>> x = tg.tensor([1.0, 2.0, 3.0])
    >>> tg.masked_fill(x, x > 2, 0)
    tensor([1., 2., 0.])
    """
    x, mask, fill = (operand("masked_fill", v) for v in (x, mask, value))
    if mask.dtype != np.bool_:
        raise DtypeError(
            compose_message(
                "masked_fill: a mask is boolean", describe(mask), "mask != 0", module_path()
            )
        )
    fits = mask.ndim <= x.ndim and all(
        n in (1, m) for n, m in zip(mask.shape[::-1], x.shape[::-1], strict=False)
    )
    if not fits:
        raise ShapeError(
            compose_message(
                f"masked_fill: the mask must broadcast to the shape {x.shape}",
                describe_all([x, mask]),
                "mask.reshape(…) so that the axes line up",
                module_path(),
            )
        )
    if fill.ndim:
        raise ShapeError(
            compose_message(
                "masked_fill: value is one number", describe(fill), "tg.where(mask, value, x)"
            )
        )
    if fill.dtype.kind == "f" and x.dtype.kind != "f":
        raise DtypeError(
            compose_message(
                f"masked_fill: {value} does not fit into {x.dtype}",
                describe_all([x, fill]),
                "x.astype(np.float32) first",
            )
        )
    return where(mask, value, x)
