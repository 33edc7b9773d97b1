"""Ops that write to memory: the updates of optimizers and of running statistics.

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
    size = arrays[0].size
    if size <= CHUNK:
        return (arrays,)
    return (tuple(a[i : i + CHUNK] for a in arrays) for i in range(0, size, CHUNK))


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


def _rmsprop(
    p: Array, g: Array, square_avg: Array, momentum_buffer: Array, grad_avg: Array, lr: Array, *,
    alpha: float, eps: float, weight_decay: float, momentum: float, centered: bool,
) -> Array:  # fmt: skip
    for pc, gc, vc, bc, ac in _chunks(p, g, square_avg, momentum_buffer, grad_avg):
        d = gc + pc * weight_decay if weight_decay else gc
        vc *= alpha
        vc += d * d * (1 - alpha)
        if centered:
            ac += (d - ac) * (1 - alpha)
            # rounding can take a variance near zero below it
            root = np.sqrt(np.maximum(vc - ac * ac, 0))
        else:
            root = np.sqrt(vc)
        root += eps
        change = d / root
        if momentum:
            bc *= momentum
            bc += change
            change = bc
        pc -= change * lr
    return p


rmsprop_update = op(
    "rmsprop_update", _rmsprop, kind="state", quiet=True,
    formula="v ← α v + (1 − α) g²; p ← p − η g / (√v + ε)",
    doc="One step of RMSprop (Hinton 2012; centered: Graves 2013), in place.",
)  # fmt: skip


def _adagrad(
    p: Array, g: Array, total: Array, lr: Array, *, eps: float, weight_decay: float
) -> Array:
    for pc, gc, sc in _chunks(p, g, total):
        d = gc + pc * weight_decay if weight_decay else gc
        sc += d * d
        pc -= d / (np.sqrt(sc) + eps) * lr
    return p


adagrad_update = op(
    "adagrad_update", _adagrad, kind="state", quiet=True,
    formula="s ← s + g²; p ← p − η g / (√s + ε)",
    doc="One step of Adagrad (Duchi, Hazan and Singer 2011), in place.",
)  # fmt: skip

# ---- running statistics ------------------------------------------------------------------------


def _running(
    mean: Array, var: Array, fresh_mean: Array, fresh_var: Array, momentum: Any, *,
    correction: float,
) -> Array:  # fmt: skip
    """Blend in mean and variance; ``correction`` makes n − 1 of the variance's n."""
    for running, fresh in ((mean, fresh_mean), (var, fresh_var * correction)):
        running *= 1 - momentum
        running += (fresh * momentum).astype(running.dtype, copy=False)
    return mean


running_update = op(
    "running_update", _running, kind="state",
    formula="m ← (1 − momentum) m + momentum · fresh m; v ← the same of the variance · correction",
    doc="Blend the mean and the variance of each channel of a batch into running ones, in place.",
)  # fmt: skip


def _counted(count: Array) -> Array:
    count += 1
    return count


count_update = op(
    "count_update", _counted, kind="state", formula="count ← count + 1",
    doc="Count one more batch, in place.",
)  # fmt: skip
