"""Replays equal eager runs bit for bit, for every op and composite, values and gradients."""

from __future__ import annotations

import os

import numpy as np
import pytest
from op_samples import SAMPLES

import tinygraph as tg
from tinygraph.check.sample import is_floating
from tinygraph.core.registry import REGISTRY
from tinygraph.core.tensor import Tensor

FULL = os.environ.get("TINYGRAPH_FULL") == "1"
CALLS = [(name, sample) for name, given in SAMPLES.items() for sample in given]


def decides_a_shape(name, sample):
    """Tell whether the values of a mask decide a shape: such a call cannot be recorded."""
    masks = [x for x in sample.inputs if isinstance(x, np.ndarray) and x.dtype == bool]
    return bool(masks) and name in ("masked_select", "index_put")


def same(found, wanted):
    if not isinstance(wanted, Tensor | np.ndarray):
        return found == wanted
    f, w = (x.data if isinstance(x, Tensor) else x for x in (found, wanted))
    return f.dtype == w.dtype and np.array_equal(f, w, equal_nan=w.dtype.kind == "f")


def fresh(array, turn):
    """Return other values of the same domain and layout: the same ones, in another order."""
    values = np.array(array)
    values[...] = array.reshape(-1)[:: (-1) ** turn].reshape(array.shape)
    return values


@pytest.mark.parametrize("dtype", [np.float32, np.float64] if FULL else [np.float32])
@pytest.mark.parametrize(("name", "sample"), CALLS, ids=[f"{n}-{s.name}" for n, s in CALLS])
def test_a_replay_equals_eager(name, sample, dtype):
    record = REGISTRY[name]
    if record.kind in ("state", "random"):
        pytest.skip("has a test of its own")
    sample = sample.astype(dtype)

    def run(*operands):
        out = sample.call(record, operands)
        leaves = [x for x in operands if isinstance(x, Tensor) and x.requires_grad]
        if not isinstance(out, Tensor) or not out.requires_grad:
            return out, None
        upstream = np.random.default_rng(out.size).uniform(0.5, 1.5, out.shape).astype(dtype)
        return out, *tg.grad(out, leaves, upstream, allow_unused=True)

    compiled = tg.compile(run)
    if decides_a_shape(name, sample):
        with pytest.raises(tg.CompileError, match="decides a shape"):
            compiled(*sample.inputs)
        return
    for turn in range(3):
        arguments = [
            Tensor(fresh(x, turn), requires_grad=True) if is_floating(x) else x
            for x in sample.inputs
        ]
        with np.errstate(all="ignore"):
            wanted = run(*arguments)
        found = compiled(*arguments)
        assert len(found) == len(wanted)
        assert all(same(f, w) for f, w in zip(found, wanted, strict=True)), turn
    assert len(compiled.plans) == 1
