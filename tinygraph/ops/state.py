"""Ops that write to memory: the updates of optimizers and of running statistics.

Each takes the arrays it updates first and changes them in place. Numbers that change from
step to step come as 0-d arrays, so that a recorded plan reads them anew.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.op import op
from ..core.storage import Array
from .threads import share, threads_now

CHUNK = 2**15
"""Elements that stay in cache while an update goes over them several times."""
SHARED = 2**18
"""Elements from which on two threads are faster."""
SHARE = 2**17
"""Elements that a thread takes on at a time: the more work there is between two calls of NumPy,
the less the threads wait for Python's lock, and the more memory an update needs."""


def _in_parts(update: Callable[..., None], *vectors: Array) -> None:
    """Call ``update`` with part after part of the vectors; threads share long ones."""
    size = vectors[0].size
    if size <= CHUNK:
        update(*vectors)
        return
    threads, length = 1, CHUNK
    if size >= SHARED and threads_now() > 1:
        threads = threads_now()
        length = -(-size // (threads * -(-size // (threads * SHARE))))
    parts = [tuple(v[i : i + length] for v in vectors) for i in range(0, size, length)]
    share(lambda _, k: update(*parts[k]), len(parts), threads)


def _sgd(
    p: Array, g: Array, momentum_buffer: Any, lr: Array, *, momentum: float, dampening: float,
    weight_decay: float, nesterov: bool, first: bool,
) -> Array:  # fmt: skip
    if momentum == 0 and weight_decay == 0:

        def descend(p: Array, g: Array) -> None:
            p -= g * lr

        _in_parts(descend, p, g)
        return p

    def update(p: Array, g: Array, b: Array) -> None:
        d = g + p * weight_decay if weight_decay else g
        if momentum:
            if first:
                b[...] = d
            else:
                b *= momentum
                b += d * (1 - dampening)
            d = d + b * momentum if nesterov else b
        p -= d * lr

    _in_parts(update, p, g, momentum_buffer if momentum else g)
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

    def update(p: Array, g: Array, m: Array, v: Array) -> None:
        if decay != 1:
            p *= decay
        d = g + p * weight_decay if weight_decay else g
        m *= beta1
        work = d * (1 - beta1)
        m += work
        np.multiply(d, d, out=work)
        work *= 1 - beta2
        v *= beta2
        v += work
        np.sqrt(v, out=work)
        work += scaled_eps
        np.divide(m, work, out=work)
        work *= step_size
        p -= work

    _in_parts(update, p, g, m, v)
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
    def update(p: Array, g: Array, v: Array, b: Array, a: Array) -> None:
        d = g + p * weight_decay if weight_decay else g
        v *= alpha
        v += d * d * (1 - alpha)
        if centered:
            a += (d - a) * (1 - alpha)
            # rounding can take a variance near zero below it
            root = np.sqrt(np.maximum(v - a * a, 0))
        else:
            root = np.sqrt(v)
        root += eps
        change = d / root
        if momentum:
            b *= momentum
            b += change
            change = b
        p -= change * lr

    _in_parts(update, p, g, square_avg, momentum_buffer, grad_avg)
    return p


rmsprop_update = op(
    "rmsprop_update", _rmsprop, kind="state", quiet=True,
    formula="v ← α v + (1 − α) g²; p ← p − η g / (√v + ε)",
    doc="One step of RMSprop (Hinton 2012; centered: Graves 2013), in place.",
)  # fmt: skip


def _adagrad(
    p: Array, g: Array, total: Array, lr: Array, *, eps: float, weight_decay: float
) -> Array:
    def update(p: Array, g: Array, s: Array) -> None:
        d = g + p * weight_decay if weight_decay else g
        s += d * d
        p -= d / (np.sqrt(s) + eps) * lr

    _in_parts(update, p, g, total)
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
