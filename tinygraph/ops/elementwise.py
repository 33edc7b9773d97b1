"""Arithmetic and elementary functions, element by element.

Each op is one record: forward, derivative rules, and the same facts as text. Binary ops
broadcast; the backward loop undoes it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import UsageError
from ..core.op import Op, op
from ..core.storage import Array
from ..core.structure import cast_to
from ..core.sums import PIECE
from .pieces import SHARED, by_elements

# ---- sums and products ---------------------------------------------------------------

add = op(
    "add", np.add, label="+", formula="a + b", local=["1", "1"],
    vjps=[lambda g, y, a, b: g, lambda g, y, a, b: g],
    doc="Add two tensors.",
)  # fmt: skip

sub = op(
    "sub", np.subtract, label="−", formula="a − b", local=["1", "−1"],
    vjps=[lambda g, y, a, b: g, lambda g, y, a, b: -g],
    doc="Subtract b from a.",
)  # fmt: skip


def _times(g: Any, x: Any) -> Any:
    """Return g · x: x itself for a large gradient of ones, which is what a sum passes back."""
    ones = type(g) is type(x) is np.ndarray and not any(g.strides) and g.flat[0] == 1
    if not ones or (x.shape, x.dtype) != (g.shape, g.dtype):
        return g * x
    same: Array = x.view()
    same.flags.writeable = False
    return same


mul = op(
    "mul", np.multiply, label="×", formula="a · b", local=["b", "a"], saves="a b",
    vjps=[
        lambda g, y, a, b: g * b if g.size <= PIECE else _times(g, b),
        lambda g, y, a, b: g * a if g.size <= PIECE else _times(g, a),
    ],
    doc="Multiply two tensors element by element.",
)  # fmt: skip


def _divide(a: Any, b: Any, *, out: Array | None = None) -> Any:
    if (type(b) is int or type(b) is float) and b != 0:
        return np.true_divide(a, b, out=out)
    with np.errstate(all="ignore"):
        return np.true_divide(a, b, out=out)


div = op(
    "div", _divide, numpy=[np.true_divide], label="÷", formula="a / b",
    local=["1 / b", "−y / b"], saves="y b",
    vjps=[lambda g, y, a, b: g / b, lambda g, y, a, b: -(g * y / b)],
    doc="Divide a by b; integers give floats. 1/0 is inf and 0/0 nan, without a warning.",
)  # fmt: skip

neg = op(
    "neg", np.negative, label="−", formula="−x", local=["−1"],
    vjps=[lambda g, y, x: -g],
    doc="Change the sign.",
)  # fmt: skip

# ---- powers ----------------------------------------------------------------------------


def _power(a: Any, b: Any, *, out: Array | None = None) -> Any:
    """Raise to a power; small whole exponents avoid the slow general routine."""
    if type(b) is int or type(b) is float:
        if b == 2:
            return np.multiply(a, a, out=out)
        if b == 1:
            return np.positive(a, out=out)
    return np.power(a, b, out=out)


def one_for_zero(b: Any) -> Any:
    """Return ``b`` with 1 for 0: as a divisor, or an exponent b − 1, it is then harmless."""
    if type(b) is int or type(b) is float:
        return b if b != 0 else 1
    return where(b == 0, 1.0, b)


def _log_or_zero(a: Any) -> Any:
    """Return log a, and 0 where a = 0."""
    return where(a == 0, 0.0, log(where(a == 0, 1.0, a)))


pow: Op = op(
    "pow", _power, label="^", formula="a ** b", saves="y a b",
    local=["b · a ** (b − 1)", "y · log(a)"],
    vjps=[
        lambda g, y, a, b: g * (b * pow(a, one_for_zero(b) - 1)),
        lambda g, y, a, b: g * (y * _log_or_zero(a)),
    ],
    quiet=True, numpy=[np.power, np.float_power],
    kinks="x ** 0 has derivative 0 at 0; 0 ** y has derivative 0 by y",
    doc="Raise a to the power b.",
)  # fmt: skip

square = op(
    "square", np.square, label="x²", formula="x²", local=["2 · x"], saves="x",
    vjps=[lambda g, y, x: g * (2 * x)],
    doc="Multiply by itself.",
)  # fmt: skip

sqrt = op(
    "sqrt", np.sqrt, label="√", formula="sqrt(x)", local=["1 / (2 · y)"], saves="y",
    vjps=[lambda g, y, x: g / (2 * y)], quiet=True, kinks="the derivative at 0 is inf",
    doc="Take the square root; negative numbers give nan.",
)  # fmt: skip

# ---- exponentials and trigonometry ----------------------------------------------------

exp = op(
    "exp", np.exp, formula="exp(x)", local=["y"], saves="y",
    vjps=[lambda g, y, x: g * y], quiet=True,
    doc="Raise e to the power x.",
)  # fmt: skip

log = op(
    "log", np.log, formula="log(x)", local=["1 / x"], saves="x",
    vjps=[lambda g, y, x: g / x], quiet=True, kinks="the derivative at 0 is inf",
    doc="Take the natural logarithm; 0 gives −inf, negative numbers nan.",
)  # fmt: skip

sin = op(
    "sin", np.sin, formula="sin(x)", local=["cos(x)"], saves="x",
    vjps=[lambda g, y, x: g * cos(x)], quiet=True,
    doc="Take the sine of an angle in radians.",
)  # fmt: skip

cos: Op = op(
    "cos", np.cos, formula="cos(x)", local=["−sin(x)"], saves="x",
    vjps=[lambda g, y, x: -(g * sin(x))], quiet=True,
    doc="Take the cosine of an angle in radians.",
)  # fmt: skip


def _tanh(x: Any, *, out: Array | None = None) -> Any:
    if type(x) is np.ndarray and x.size >= SHARED and x.dtype.kind == "f":
        return by_elements(np.tanh, x, out)
    return np.tanh(x) if out is None else np.tanh(x, out=out)


tanh = op(
    "tanh", _tanh, numpy=[np.tanh], formula="tanh(x)", local=["1 − y · y"], saves="y",
    vjps=[lambda g, y, x: g * (1 - y * y)],
    doc="Take the hyperbolic tangent: squashes to (−1, 1).",
)  # fmt: skip

# ---- sign, order, choice ---------------------------------------------------------------

sign = op(
    "sign", np.sign, formula="sign(x)", local=["0"],
    vjps=[lambda g, y, x: g * 0.0], kinks="the derivative is 0 everywhere, also at 0",
    doc="Return −1, 0 or 1.",
)  # fmt: skip

abs = op(
    "abs", np.absolute, label="|x|", formula="abs(x)", local=["sign(x)"], saves="x",
    vjps=[lambda g, y, x: g * sign(x)], kinks="the derivative at 0 is 0",
    doc="Take the absolute value.",
)  # fmt: skip


def _share(won: Any, tied: Any, g: Any) -> Any:
    """Return 1 where an operand won, ½ where it tied, in the dtype of the gradient."""
    return cast_to(won, g.dtype) + cast_to(tied, g.dtype) * 0.5


maximum = op(
    "maximum", np.maximum, label="max", formula="maximum(a, b)", saves="a b",
    local=["(a > b) + (a == b) / 2", "(b > a) + (a == b) / 2"],
    vjps=[
        lambda g, y, a, b: g * _share(a > b, a == b, g),
        lambda g, y, a, b: g * _share(b > a, a == b, g),
    ],
    kinks="at a tie each gets ½",
    doc="Return the larger of two tensors, element by element; nan wins.",
)  # fmt: skip

minimum = op(
    "minimum", np.minimum, label="min", formula="minimum(a, b)", saves="a b",
    local=["(a < b) + (a == b) / 2", "(b < a) + (a == b) / 2"],
    vjps=[
        lambda g, y, a, b: g * _share(a < b, a == b, g),
        lambda g, y, a, b: g * _share(b < a, a == b, g),
    ],
    kinks="at a tie each gets ½",
    doc="Return the smaller of two tensors, element by element; nan wins.",
)  # fmt: skip


def _clip(x: Any, *, min: Any = None, max: Any = None, out: Array | None = None) -> Any:
    return np.clip(x, min, max, out=out)


def _inside(x: Any, low: Any, high: Any) -> Any:
    """Return the mask of elements that clip leaves alone (the edges count as inside)."""
    if low is None:
        return x <= high
    return x >= low if high is None else (x >= low) * (x <= high)


def _check_clip(x: Any, *, min: Any, max: Any) -> dict[str, Any]:
    low, high = (None if v is None else as_number("clip", v) for v in (min, max))
    if low is None and high is None:
        raise UsageError("clip needs min, max or both.")
    if low is not None and high is not None and low > high:
        raise UsageError(f"clip: min must not exceed max. Received min={low}, max={high}.")
    return {"min": low, "max": high}


def as_number(
    who: str, value: Any, fix: str = "tg.maximum and tg.minimum take tensors"
) -> int | float:
    """Return an attribute as a Python number, so that it never widens a tensor."""
    if getattr(value, "requires_grad", False):
        raise UsageError(f"{who}: a number that requires grad would lose its gradient. Fix: {fix}.")
    if isinstance(value, int | float | np.generic) or getattr(value, "size", 0) == 1:
        number: int | float = value.item() if hasattr(value, "item") else value
        return number
    raise UsageError(f"{who}: limits are numbers, received {type(value).__name__}. Fix: {fix}.")


clip = op(
    "clip", _clip, formula="clip(x, min, max)", local=["(x >= min) · (x <= max)"], saves="x",
    vjps=[lambda g, y, x, *, min, max: g * _inside(x, min, max)],
    prepare=_check_clip, numpy=[np.clip], kinks="the derivative at the edges is 1",
    doc="Limit to the interval from min to max (numbers; None for no limit).",
)  # fmt: skip

where: Op = op(
    "where", lambda condition, a, b: np.where(condition, a, b), label="?",
    formula="where(condition, a, b)", local=["", "condition", "1 − condition"],
    saves="condition", discrete=[0],
    vjps=[
        None,
        lambda g, y, condition, a, b: where(condition, g, 0.0),
        lambda g, y, condition, a, b: where(condition, 0.0, g),
    ],
    numpy=[np.where],
    doc="Take a where the condition holds, else b.",
)  # fmt: skip

# ---- comparisons: no gradient --------------------------------------------------------------

equal = op("equal", np.equal, label="=", formula="a == b", doc="Tell where a equals b.")
not_equal = op(
    "not_equal", np.not_equal, label="≠", formula="a != b", doc="Where a differs from b."
)
less = op("less", np.less, label="<", formula="a < b", doc="Where a is less than b.")
less_equal = op("less_equal", np.less_equal, label="≤", formula="a <= b", doc="Where a ≤ b.")
greater = op("greater", np.greater, label=">", formula="a > b", doc="Where a is greater than b.")
greater_equal = op(
    "greater_equal", np.greater_equal, label="≥", formula="a >= b", doc="Where a ≥ b."
)
