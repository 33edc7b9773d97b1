"""Activations: relu, sigmoid, gelu, softplus, and the error function gelu needs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.dtypes import FLOAT32, FLOAT64
from ..core.errors import UsageError
from ..core.op import composite, op
from ..core.storage import Array
from ..core.structure import cast
from ..core.tensor import Tensor
from . import special
from .elementwise import exp, mul, square
from .pieces import FEWEST, by_elements, constant

SQRT_HALF = math.sqrt(0.5)
TWICE = 2 * math.sqrt(2 / math.pi)
CUBIC = 0.044715
TWO_OVER_SQRT_PI = 2 / math.sqrt(math.pi)

ZERO = {dtype: np.zeros((), dtype) for dtype in (FLOAT32, FLOAT64)}
"""NumPy compares with a 0-d array in half the time that it takes with a Python number."""


def _relu_piece(x: Array, y: Array) -> None:
    np.maximum(x, constant(0, x), out=y)


def _relu(x: Any, *, out: Array | None = None) -> Any:
    zero = ZERO.get(x.dtype) if type(x) is np.ndarray else None
    if zero is None:
        return np.maximum(x, 0) if out is None else np.maximum(x, 0, out=out)
    if x.size >= FEWEST:
        return by_elements(_relu_piece, x, out, slow=False)
    return np.maximum(x, zero) if out is None else np.maximum(x, zero, out=out)


def positive(x: Any) -> Any:
    """Return 1 where x > 0 and 0 elsewhere, in the dtype of x: a factor for derivative rules.

    Factors of the gradient's dtype: NumPy takes twice as long to multiply by booleans.
    """
    if isinstance(x, Tensor):
        return cast(x > 0, dtype=x.dtype)
    return (x > ZERO.get(x.dtype, 0)).astype(x.dtype)


relu = op(
    "relu", _relu,
    formula="maximum(x, 0)", local=["x > 0"], saves="y",
    vjps=[lambda g, y, x: g * positive(y)], kinks="the derivative at 0 is 0",
    doc="Keep positive values, set the others to 0.",
)  # fmt: skip


def _floating(x: Any) -> Array:
    array: Array = np.asarray(x)
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def _sigmoid_piece(x: Array, y: Array) -> None:
    """Fill y with eˣ / (1 + eˣ): from 40 on that is 1, and far below it is as small as can be."""
    np.minimum(x, constant(40, x), out=y)
    np.exp(y, y)
    np.divide(y, y + 1, y)


def _sigmoid(x: Any, *, out: Array | None = None) -> Array:
    return by_elements(_sigmoid_piece, _floating(x), out)


sigmoid = op(
    "sigmoid", _sigmoid, label="σ", formula="1 / (1 + exp(−x))", local=["y · (1 − y)"], saves="y",
    vjps=[lambda g, y, x: g * (y * (1 - y))], quiet=True,
    doc="Squash to (0, 1), accurately from −∞ to ∞.",
)  # fmt: skip


def _softplus_of_minus_abs(x: Array, y: Array) -> None:
    """Fill y with log(1 + e^−|x|), in a quarter of the time that `np.log1p` takes.

    What rounding takes from 1 + e is given back: log(1 + e) = log(u) + (e − (u − 1)) / u.
    """
    np.abs(x, y)
    np.negative(y, y)
    e = np.exp(y, y)
    u = e + 1
    lost = e - (u - 1)
    lost /= u
    np.log(u, y)
    np.add(y, lost, y)


def _softplus_piece(x: Array, y: Array) -> None:
    _softplus_of_minus_abs(x, y)
    np.add(y, np.maximum(x, constant(0, x)), y)


def softplus_of_minus_abs(x: Any) -> Array:
    """Compute log(1 + e^−|x|), the part of softplus that never overflows."""
    return by_elements(_softplus_of_minus_abs, _floating(x))


def _softplus(x: Any, *, out: Array | None = None) -> Array:
    return by_elements(_softplus_piece, _floating(x), out)


softplus = op(
    "softplus", _softplus,
    formula="log(1 + exp(x))", local=["sigmoid(x)"], saves="x",
    vjps=[lambda g, y, x: g * sigmoid(x)], quiet=True,
    doc="A smooth relu: log(1 + eˣ), without overflow.",
)  # fmt: skip

erf = op(
    "erf", special.erf, formula="erf(x)", local=["2 / sqrt(π) · exp(−x²)"], saves="x",
    vjps=[lambda g, y, x: g * (TWO_OVER_SQRT_PI * exp(-square(x)))],
    doc="Error function, 2/√π ∫₀ˣ exp(−t²) dt, to 2 units in the last place.",
)  # fmt: skip

erfc = op(
    "erfc", special.erfc, formula="erfc(x)", local=["−2 / sqrt(π) · exp(−x²)"], saves="x",
    vjps=[lambda g, y, x: -(g * (TWO_OVER_SQRT_PI * exp(-square(x))))],
    doc="1 − erf(x), relatively accurate also where it is tiny.",
)  # fmt: skip


# ---- the normal distribution, and gelu ---------------------------------------------------------


def _normal_cdf_piece(x: Array, y: Array) -> None:
    """Fill y with 1 − q for x ≥ 0 and q below, without a choice: NumPy's are slow."""
    _, q = special.normal_tail(x)
    np.copyto(y, np.greater_equal(x, 0))
    q -= 2 * y * q
    np.add(y, q, y)


def _normal_cdf(x: Any, *, out: Array | None = None) -> Any:
    if getattr(x, "dtype", None) == np.float32 and np.ndim(x):
        return by_elements(_normal_cdf_piece, x, out)
    return np.multiply(0.5, special.erfc(-SQRT_HALF * x), out=out)


DENSITY = 0.5 * TWO_OVER_SQRT_PI * SQRT_HALF

normal_cdf = op(
    "normal_cdf", _normal_cdf, label="Φ", formula="0.5 · erfc(−x / sqrt(2))", quiet=True,
    local=["exp(−x² / 2) / sqrt(2 · π)"], saves="x",
    vjps=[lambda g, y, x: g * (exp(-0.5 * square(x)) * DENSITY)],
    doc="Distribution function of the normal distribution: how much of it lies below x.",
)  # fmt: skip


def _gelu_piece(x: Array, y: Array) -> None:
    """Fill y with x Φ(x) = max(x, 0) − |x| (1 − Φ(|x|))."""
    a, q = special.normal_tail(x)
    a *= q
    np.maximum(x, constant(0, x), out=y)
    np.subtract(y, a, y)


def _gelu(x: Any, *, out: Array | None = None) -> Any:
    """Compute x Φ(x) with Φ(x) = erfc(−x/√2)/2."""
    if getattr(x, "dtype", None) == np.float32 and np.ndim(x):
        return by_elements(_gelu_piece, x, out)
    return np.multiply(x, 0.5 * special.erfc(-SQRT_HALF * x), out=out)


def _gelu_derivative(x: Any) -> Any:
    return normal_cdf(x) + x * (exp(-0.5 * square(x)) * DENSITY)


gelu_exact = op(
    "gelu_exact", _gelu, label="gelu", formula="x · Φ(x)", local=["Φ(x) + x · φ(x)"], saves="x",
    vjps=[lambda g, y, x: g * _gelu_derivative(x)], quiet=True,
    doc="Gaussian error linear unit (Hendrycks and Gimpel 2016), with the exact normal Φ.",
)  # fmt: skip


def _gate_piece(x: Array, y: Array) -> None:
    """Fill y with σ(2√(2/π) (x + 0.044715 x³)), in place: 1 / (1 + exp(x · (c₀ + c₁ x²)))."""
    np.multiply(x, x, y)
    np.multiply(y, -TWICE * CUBIC, y)
    np.add(y, -TWICE, y)
    np.multiply(y, x, y)
    np.exp(y, y)
    np.add(y, 1, y)
    np.divide(1, y, y)


def _gelu_gate(x: Any, *, out: Array | None = None) -> Array:
    return by_elements(_gate_piece, _floating(x), out)


gelu_gate = op(
    "gelu_gate", _gelu_gate, label="gate", saves="y x", quiet=True,
    formula="1 / (1 + exp(−2 · sqrt(2 / π) · (x + 0.044715 · x · x²)))",
    local=["y · (1 − y) · 2 · sqrt(2 / π) · (1 + 0.134145 · x²)"],
    vjps=[lambda g, y, x: g * (y * (1 - y) * (TWICE + 3 * TWICE * CUBIC * square(x)))],
    doc="What the tanh form of gelu multiplies x by: σ(2√(2/π) (x + 0.044715 x³)), near Φ(x).",
)  # fmt: skip


@composite("x · Φ(x), or x/2 · (1 + tanh(√(2/π) (x + 0.044715 x³)))")
def gelu(x: Any, approximate: str = "none") -> Tensor:
    """Gaussian error linear unit, x Φ(x) with Φ the normal distribution function.

    Parameters
    ----------
    x : Tensor or ndarray
    approximate : {"none", "tanh"}
        Exact (default), or the tanh form, which differs by up to 4.7e-4 near x = ±2.7. It is
        computed as ``x · σ(2√(2/π) (x + 0.044715 x³))``: the same function, since
        1 + tanh(u) = 2σ(2u), and accurate also where it is tiny.

    Returns
    -------
    Tensor
        Of the shape of ``x``. The minimum is −0.1700 at x = −0.7518.

    Examples
    --------
    >>> import tinygraph as tg
    >>> float(tg.gelu(tg.tensor(0.0)))
    0.0
    """
    if approximate == "none":
        return gelu_exact(x)
    if approximate == "tanh":
        return mul(x, gelu_gate(x))
    raise UsageError(f"gelu: approximate is 'none' or 'tanh', received {approximate!r}.")
