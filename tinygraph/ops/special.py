"""NumPy kernels for functions that NumPy lacks, accurate to a few units in the last place."""

from __future__ import annotations

import numpy as np

from ..core.storage import Array
from ._erf_tables import ERF_CENTER, ERFC_TAIL
from .pieces import constant

CENTER = 1.0
FAR = 28.0


def _chebyshev(coefficients: tuple[float, ...], t: Array) -> Array:
    """Evaluate a Chebyshev series on [−1, 1] by Clenshaw's recurrence."""
    b1 = np.zeros_like(t)
    b2 = np.zeros_like(t)
    for c in coefficients[:0:-1]:
        b1, b2 = 2 * t * b1 - b2 + c, b1
    return t * b1 - b2 + coefficients[0]


def _exp_minus_square(x: Array) -> Array:
    """Return exp(−x²) without the rounding error of x² (split x into head and tail)."""
    head = x.astype(np.float32).astype(np.float64)
    return np.exp(-head * head) * np.exp((head - x) * (head + x))


def _erfc_positive(x: Array) -> Array:
    """erfc for x ≥ 0: exp(−x²)/(1 + 2x) times a series in (x − 3.75)/(x + 3.75)."""
    x = np.minimum(x, FAR)
    series = _chebyshev(ERFC_TAIL, (x - 3.75) / (x + 3.75))
    return _exp_minus_square(x) * series / (1 + 2 * x)  # type: ignore[no-any-return]


def erfc(x: Array) -> Array:
    """Complementary error function 1 − erf(x), relatively accurate in the tail."""
    x64 = np.asarray(x, dtype=np.float64)
    tail = _erfc_positive(np.abs(x64))
    near = np.abs(x64) < 0.5
    result = np.where(x64 < 0, 2 - tail, tail)
    result = np.where(near, 1 - _erf_center(np.where(near, x64, 0.0)), result)
    return _like(result, x, x64)


def erf(x: Array) -> Array:
    """Error function 2/√π ∫₀ˣ exp(−t²) dt."""
    x64 = np.asarray(x, dtype=np.float64)
    center = _erf_center(np.clip(x64, -CENTER, CENTER))
    outer = np.copysign(1 - _erfc_positive(np.abs(x64)), x64)
    return _like(np.where(np.abs(x64) < CENTER, center, outer), x, x64)


def _erf_center(x: Array) -> Array:
    return x * _chebyshev(ERF_CENTER, 2 * x * x - 1)


def _like(result: Array, x: Array, x64: Array) -> Array:
    dtype = x.dtype if getattr(x, "dtype", x64.dtype).kind == "f" else x64.dtype
    return np.where(np.isnan(x64), np.nan, result).astype(dtype, copy=False)


# ---- the normal distribution in float32 ---------------------------------------------------------

NORMAL_RATE = 0.35
NORMAL_TAIL = (
    0.1396212938, 0.1398637358, 0.1198197356, 0.105558472, -0.02322611767, 0.1593392475,
    -0.2558557725, 0.1440388836, -0.02915949411,
)  # fmt: skip
"""1 − Φ(a) = exp(−a²/2) · t · Σ NORMAL_TAIL[k] tᵏ with t = 1 / (1 + NORMAL_RATE · a), to 3.2e-8 of
itself for 0 ≤ a ≤ 14.6, where float32 ends: a fit by weighted least squares."""
NORMAL_FAR = 20.0
"""From here on 1 − Φ(a) is 0 in float32."""


def normal_tail(x: Array) -> tuple[Array, Array]:
    """Return a = min(|x|, NORMAL_FAR) and 1 − Φ(a), in float32."""
    a = np.abs(x)
    np.minimum(a, constant(NORMAL_FAR, a), out=a)
    t = a * NORMAL_RATE
    t += 1
    np.divide(1, t, t)
    q = t * NORMAL_TAIL[-1]
    for coefficient in NORMAL_TAIL[-2::-1]:
        q += coefficient
        q *= t
    np.multiply(a, a, t)
    t *= -0.5
    q *= np.exp(t, t)
    return a, q
