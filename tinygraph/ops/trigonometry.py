"""Angles and hyperbolas, their inverses, and the two coordinates of a point in the plane."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.op import Op, op
from .elementwise import one_for_zero, sqrt

tan = op(
    "tan", np.tan, formula="tan(x)", local=["1 + y²"], saves="y",
    vjps=[lambda g, y, x: g * (1 + y * y)], quiet=True,
    doc="Take the tangent of an angle in radians.",
)  # fmt: skip

arcsin = op(
    "arcsin", np.arcsin, formula="arcsin(x)", local=["1 / sqrt(1 − x²)"], saves="x",
    vjps=[lambda g, y, x: g / _cathetus(x)], quiet=True,
    kinks="the derivative at −1 and 1 is inf",
    doc="Return the angle whose sine is x; nan outside [−1, 1].",
)  # fmt: skip

arccos = op(
    "arccos", np.arccos, formula="arccos(x)", local=["−1 / sqrt(1 − x²)"], saves="x",
    vjps=[lambda g, y, x: -(g / _cathetus(x))], quiet=True,
    kinks="the derivative at −1 and 1 is −inf",
    doc="Return the angle whose cosine is x; nan outside [−1, 1].",
)  # fmt: skip


def _cathetus(x: Any) -> Any:
    """Return √(1 − x²), by factors: 1 − x·x would lose digits near ±1."""
    return sqrt((1 - x) * (1 + x))


arctan = op(
    "arctan", np.arctan, formula="arctan(x)", local=["1 / (1 + x²)"], saves="x",
    vjps=[lambda g, y, x: g / (1 + x * x)],
    doc="Return the angle whose tangent is x.",
)  # fmt: skip

# ---- hyperbolic --------------------------------------------------------------------------------

sinh = op(
    "sinh", np.sinh, formula="sinh(x)", local=["cosh(x)"], saves="x",
    vjps=[lambda g, y, x: g * cosh(x)], quiet=True,
    doc="Take the hyperbolic sine, (exp(x) − exp(−x)) / 2.",
)  # fmt: skip

cosh: Op = op(
    "cosh", np.cosh, formula="cosh(x)", local=["sinh(x)"], saves="x",
    vjps=[lambda g, y, x: g * sinh(x)], quiet=True,
    doc="Take the hyperbolic cosine, (exp(x) + exp(−x)) / 2.",
)  # fmt: skip

arcsinh = op(
    "arcsinh", np.arcsinh, formula="arcsinh(x)", local=["1 / sqrt(1 + x²)"], saves="x",
    vjps=[lambda g, y, x: g / hypot(x, 1.0)],
    doc="Return the number whose hyperbolic sine is x.",
)  # fmt: skip

arccosh = op(
    "arccosh", np.arccosh, formula="arccosh(x)", local=["1 / sqrt(x² − 1)"], saves="x",
    vjps=[lambda g, y, x: g / (sqrt(x - 1) * sqrt(x + 1))], quiet=True,
    kinks="the derivative at 1 is inf",
    doc="Return the number from 0 on whose hyperbolic cosine is x; nan below 1.",
)  # fmt: skip

arctanh = op(
    "arctanh", np.arctanh, formula="arctanh(x)", local=["1 / (1 − x²)"], saves="x",
    vjps=[lambda g, y, x: g / ((1 - x) * (1 + x))], quiet=True,
    kinks="the derivative at −1 and 1 is inf",
    doc="Return the number whose hyperbolic tangent is x; nan outside [−1, 1].",
)  # fmt: skip

# ---- a point in the plane ----------------------------------------------------------------------

hypot: Op = op(
    "hypot", np.hypot, formula="sqrt(a² + b²)", local=["a / y", "b / y"], saves="y a b",
    vjps=[
        lambda g, y, a, b: g * (a / one_for_zero(y)),
        lambda g, y, a, b: g * (b / one_for_zero(y)),
    ],
    quiet=True, kinks="the derivatives at (0, 0) are 0",
    doc="Return the distance of the point (a, b) from the origin, without overflow.",
)  # fmt: skip


def _radius(a: Any, b: Any) -> Any:
    return one_for_zero(hypot(a, b))


arctan2 = op(
    "arctan2", np.arctan2, formula="arctan2(a, b)", local=["b / (a² + b²)", "−a / (a² + b²)"],
    saves="a b",
    vjps=[
        lambda g, y, a, b: g * (b / _radius(a, b) / _radius(a, b)),
        lambda g, y, a, b: -(g * (a / _radius(a, b) / _radius(a, b))),
    ],
    quiet=True, kinks="the derivatives at (0, 0) are 0; the jump at the negative axis is ignored",
    doc="Return the angle of the point (b, a), in (−π, π]: a is the ordinate, as in NumPy.",
)  # fmt: skip
