"""Activations: relu, sigmoid, gelu, softplus, and the error function gelu needs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.dtypes import FLOAT32, FLOAT64
from ..core.errors import UsageError
from ..core.op import composite, op
from ..core.storage import Array
from ..core.tensor import Tensor
from . import special
from .elementwise import exp, square, tanh

SQRT_HALF = math.sqrt(0.5)
SQRT_TWO_OVER_PI = math.sqrt(2 / math.pi)
TWO_OVER_SQRT_PI = 2 / math.sqrt(math.pi)

ZERO = {dtype: np.zeros((), dtype) for dtype in (FLOAT32, FLOAT64)}
"""NumPy compares with a 0-d array in half the time that it takes with a Python number."""


def _relu(x: Any, *, out: Array | None = None) -> Any:
    zero = ZERO.get(x.dtype, 0) if type(x) is np.ndarray else 0
    return np.maximum(x, zero) if out is None else np.maximum(x, zero, out=out)


relu = op(
    "relu", _relu,
    formula="maximum(x, 0)", local=["x > 0"], saves="y",
    vjps=[lambda g, y, x: g * (y > 0)], kinks="the derivative at 0 is 0",
    doc="Keep positive values, set the others to 0.",
)  # fmt: skip


def _sigmoid(x: Any) -> Any:
    """Compute 1/(1 + e⁻ˣ) for x ≥ 0 and eˣ/(1 + eˣ) below: no overflow, no cancellation."""
    x = x if np.asarray(x).dtype.kind == "f" else np.asarray(x, dtype=np.float64)
    return np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))


sigmoid = op(
    "sigmoid", _sigmoid, label="σ", formula="1 / (1 + exp(−x))", local=["y · (1 − y)"], saves="y",
    vjps=[lambda g, y, x: g * (y * (1 - y))], quiet=True,
    doc="Squash to (0, 1), accurately from −∞ to ∞.",
)  # fmt: skip

softplus = op(
    "softplus", lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))),
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


def _gelu(x: Any) -> Any:
    """Compute x Φ(x) with Φ(x) = erfc(−x/√2)/2."""
    return x * (0.5 * special.erfc(-SQRT_HALF * x))


def _gelu_derivative(x: Any) -> Any:
    density = exp(-0.5 * square(x)) * (0.5 * TWO_OVER_SQRT_PI * SQRT_HALF)
    return 0.5 * erfc(-SQRT_HALF * x) + x * density


gelu_exact = op(
    "gelu_exact", _gelu, label="gelu", formula="x · Φ(x)", local=["Φ(x) + x · φ(x)"], saves="x",
    vjps=[lambda g, y, x: g * _gelu_derivative(x)], quiet=True,
    doc="Gaussian error linear unit (Hendrycks and Gimpel 2016), with the exact normal Φ.",
)  # fmt: skip


@composite("x · Φ(x), or x/2 · (1 + tanh(√(2/π) (x + 0.044715 x³)))")
def gelu(x: Any, approximate: str = "none") -> Tensor:
    """Gaussian error linear unit, x Φ(x) with Φ the normal distribution function.

    Parameters
    ----------
    x : Tensor or ndarray
    approximate : {"none", "tanh"}
        Exact (default), or the tanh form, which differs by up to 4.7e-4 near x = ±2.7.

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
        bent: Tensor = tanh(SQRT_TWO_OVER_PI * (x + 0.044715 * (x * square(x))))
        return 0.5 * x * (1 + bent)  # type: ignore[no-any-return]
    raise UsageError(f"gelu: approximate is 'none' or 'tanh', received {approximate!r}.")
