"""Ops that bound gradients in place, and the norm that they need."""

from __future__ import annotations

import math

import numpy as np

from ..core.errors import GradientError, compose_message
from ..core.op import op
from ..core.storage import Array
from .state import CHUNK


def _clip_norm(*grads: Array, max_norm: float, norm_type: float, error_if_nonfinite: bool) -> Array:
    norm = vector_norm(grads, norm_type)
    if error_if_nonfinite and not math.isfinite(norm):
        raise GradientError(
            compose_message(
                "clip_grad_norm: the norm of the gradients must be finite; nothing was scaled",
                str(norm),
                "find the op that made it with tg.detect_anomaly(), or a smaller learning rate",
            )
        )
    factor = max_norm / (norm + 1e-6)
    if not factor >= 1:  # nan counts as too long, and makes every gradient nan
        for g in grads:
            g *= factor
    return np.asarray(norm)


def vector_norm(arrays: tuple[Array, ...], norm_type: float = 2.0) -> float:
    """Return the p-norm of all elements together: no overflow, sums in float64."""
    if norm_type == math.inf:
        return _largest(arrays)
    total = _powers(arrays, norm_type, 1.0)
    if 1e-280 < total < 1e280:
        return float(total ** (1 / norm_type))
    largest = _largest(arrays)  # powers left the range of float64, or a value is not finite
    if largest == 0 or not math.isfinite(largest):
        return largest
    return float(largest * _powers(arrays, norm_type, largest) ** (1 / norm_type))


def _largest(arrays: tuple[Array, ...]) -> float:
    """Return the largest magnitude, nan if there is one."""
    ends = [0.0]
    for a in arrays:
        if a.size:
            ends += [a.max(), -a.min()]
    return float(np.max(ends))


def _powers(arrays: tuple[Array, ...], p: float, scale: float) -> float:
    """Return Σ |x / scale|ᵖ in float64, chunk by chunk."""
    total = 0.0
    for array in arrays:
        flat = array.reshape(-1)
        for start in range(0, flat.size, CHUNK):
            part = flat[start : start + CHUNK].astype(np.float64)
            if scale != 1:
                part /= scale
            total += float(part @ part if p == 2 else (np.abs(part) ** p).sum())
    return total


clip_norm_update = op(
    "clip_norm_update", _clip_norm, kind="state", quiet=True,
    formula="n = ‖g‖ₚ; g ← g · min(1, c / (n + 10⁻⁶))",
    doc="Scale gradients down to a total norm of at most max_norm, in place; return the norm.",
)  # fmt: skip


def _clip_value(g: Array, *, limit: float) -> Array:
    return np.clip(g, -limit, limit, out=g)


clip_value_update = op(
    "clip_value_update", _clip_value, kind="state", formula="g ← min(max(g, −c), c)",
    doc="Clip each element of a gradient to [−limit, limit], in place.",
)  # fmt: skip
