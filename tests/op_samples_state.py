"""Samples of the ops that write to memory; tests/ops/test_state.py checks what they write."""

from __future__ import annotations

import numpy as np
from op_samples import samples

from tinygraph.check import Sample


def _ones(count):
    return tuple(np.ones(3) for _ in range(count))


_rmsprop = {"alpha": 0.9, "eps": 1e-8, "weight_decay": 0.0, "momentum": 0.9, "centered": False}
samples("rmsprop_update", None, Sample("plain", (*_ones(5), 0.1), _rmsprop))
samples(
    "adagrad_update", None, Sample("plain", (*_ones(3), 0.1), {"eps": 1e-10, "weight_decay": 0.0})
)
samples(
    "clip_norm_update",
    None,
    Sample("plain", _ones(2), {"max_norm": 1.0, "norm_type": 2.0, "error_if_nonfinite": False}),
)
samples("clip_value_update", None, Sample("plain", _ones(1), {"limit": 0.5}))
