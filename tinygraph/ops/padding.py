"""A border around a tensor: of a constant, whose adjoint is a slice, or of its own elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import ShapeError, UsageError, compose_message, describe
from ..core.modes import module_path
from ..core.op import composite, op
from ..core.tensor import Tensor
from .elementwise import as_number
from .index import ARRAY, along, getitem
from .operands import operand

Pairs = tuple[tuple[Any, Any], ...]


def _pairs(who: str, name: str, given: Any, x: Any) -> list[tuple[Any, Any]]:
    """Return (before, after) for each axis, from a number, one pair, or a pair for each axis."""
    if x.ndim == 0:
        return []
    try:
        table = np.broadcast_to(np.asarray(given), (x.ndim, 2))
    except ValueError as error:
        raise ShapeError(
            compose_message(
                f"{who}: {name} is a number, (before, after), or one pair for each axis",
                f"{given} for {describe(x)}",
                "",
                module_path(),
            )
        ) from error
    return [(a.item(), b.item()) for a, b in table]


def _widths(given: Any, x: Any) -> Pairs:
    pairs = _pairs("pad", "pad_width", given, x)
    numbers = [n for pair in pairs for n in pair]
    if any(type(n) is not int or n < 0 for n in numbers):
        raise ShapeError(
            compose_message(
                f"pad: widths are whole numbers from 0 on, not {given}",
                describe(x),
                "t[1:-1] makes it smaller",
                module_path(),
            )
        )
    return tuple(pairs)


def _check_pad(x: Any, *, pad_width: Any, constant: Any) -> dict[str, Any]:
    if isinstance(constant, list | tuple | np.ndarray):
        sides = _pairs("pad", "constant_values", constant, x)
        if any(type(v) not in (int, float) for pair in sides for v in pair):
            raise UsageError(f"pad: constant_values are numbers, received {constant}.")
        constant = sides[0][0] if len({v for pair in sides for v in pair}) == 1 else tuple(sides)
    else:
        constant = as_number("pad", constant, "tg.concatenate joins tensors")
    return {"pad_width": _widths(pad_width, x), "constant": constant}


def _pad(x: Any, *, pad_width: Any, constant: Any = 0.0) -> Any:
    return np.pad(x, pad_width or 0, constant_values=constant)


pad_op = op(
    "pad_constant", _pad,
    vjps=[
        lambda g, y, x, *, pad_width, constant: getitem(
            g, index=tuple(slice(a, a + n) for (a, _), n in zip(pad_width, x.shape, strict=True))
        )
    ],
    kind="index", label="pad", formula="x with a border of constant",
    local=["the middle of the gradient"], prepare=_check_pad,
    doc="Surround with a constant, or with one constant for each side.",
)  # fmt: skip

COPIES = ("edge", "reflect", "symmetric", "wrap")


@composite("x with a border", numpy=[np.pad])
def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = 0.0) -> Tensor:
    """Surround a tensor with a border, as NumPy's pad.

    Parameters
    ----------
    x : Tensor or ndarray
    pad_width : int, pair, or one pair for each axis
        Elements before and after, as in ``np.pad``.
    mode : {"constant", "edge", "reflect", "symmetric", "wrap"}
        How the border is filled: with ``constant_values``; with the nearest element; mirrored
        without (reflect) or with (symmetric) the edge; or from the opposite side.
    constant_values : number, pair, or one pair for each axis
        The value of the border, or its values before and after.

    Raises
    ------
    ShapeError
        If the widths do not fit the axes, are negative, or there is nothing to copy from.
    UsageError
        If the mode is none of these.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.pad(tg.ones(2), (1, 2))
    tensor([0., 1., 1., 0., 0.])
    >>> tg.pad(tg.tensor([1.0, 2.0, 3.0]), 2, mode="reflect")
    tensor([3., 2., 1., 2., 3., 2., 1.])
    """
    x = operand("pad", x)
    if mode == "constant":
        return pad_op(x, pad_width=pad_width, constant=constant_values)
    if mode not in COPIES:
        raise UsageError(
            f"pad: mode is 'constant', {', '.join(map(repr, COPIES))}, received {mode!r}."
        )
    for axis, pair in enumerate(_widths(pad_width, x)):
        if pair == (0, 0):
            continue
        if x.shape[axis] == 0:
            raise ShapeError(
                compose_message(
                    f"pad: axis {axis} has no elements to copy in mode {mode!r}",
                    describe(x),
                    "mode='constant'",
                    module_path(),
                )
            )
        numbers: Any = np.arange(x.shape[axis])
        places = np.pad(numbers, pair, mode=mode)  # type: ignore[call-overload]
        x = getitem(x, places, index=along(axis, ARRAY))
    return x  # type: ignore[no-any-return]
