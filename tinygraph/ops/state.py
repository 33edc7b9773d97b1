"""Ops that write to memory: the updates of the optimizers, on flat parameter vectors.

Each takes the arrays it updates first and changes them in place. Numbers that change from
step to step come as 0-d arrays, so that a recorded plan reads them anew.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.op import op
from ..core.storage import Array

CHUNK = 32_768
"""Elements that stay in cache while an update goes over them several times."""


def _chunks(*arrays: Array) -> Any:
    for start in range(0, arrays[0].size, CHUNK):
        yield tuple(a[start : start + CHUNK] for a in arrays)


def _sgd(
    p: Array, g: Array, momentum_buffer: Any, lr: Array, *, momentum: float, dampening: float,
    weight_decay: float, nesterov: bool, first: bool,
) -> Array:  # fmt: skip
    if momentum == 0 and weight_decay == 0:
        for pc, gc in _chunks(p, g):
            pc -= gc * lr
        return p
    buffers = momentum_buffer if momentum else g
    for pc, gc, bc in _chunks(p, g, buffers):
        d = gc + pc * weight_decay if weight_decay else gc
        if momentum:
            if first:
                bc[...] = d
            else:
                bc *= momentum
                bc += d * (1 - dampening)
            d = d + bc * momentum if nesterov else bc
        pc -= d * lr
    return p


sgd_update = op(
    "sgd_update", _sgd, kind="state", quiet=True, formula="v ← μ v + (1 − τ)(g + λ p); p ← p − η v",
    doc="One step of stochastic gradient descent, in place.",
)  # fmt: skip


def _adam(
    p: Array, g: Array, m: Array, v: Array, step_size: Array, scaled_eps: Array, decay: Array, *,
    beta1: float, beta2: float, weight_decay: float,
) -> Array:  # fmt: skip
    """Bias corrections are folded into step_size and scaled_eps (eps · √(1 − β₂ᵗ))."""
    for pc, gc, mc, vc in _chunks(p, g, m, v):
        if decay != 1:
            pc *= decay
        d = gc + pc * weight_decay if weight_decay else gc
        mc *= beta1
        work = d * (1 - beta1)
        mc += work
        np.multiply(d, d, out=work)
        work *= 1 - beta2
        vc *= beta2
        vc += work
        np.sqrt(vc, out=work)
        work += scaled_eps
        np.divide(mc, work, out=work)
        work *= step_size
        pc -= work
    return p


adam_update = op(
    "adam_update", _adam, kind="state", quiet=True,
    formula="m ← β₁ m + (1 − β₁) g; v ← β₂ v + (1 − β₂) g²; p ← p − η m̂ / (√v̂ + ε)",
    doc="One step of Adam (Kingma and Ba 2015), in place.",
)  # fmt: skip
