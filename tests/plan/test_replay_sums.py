"""Sums over many rows and affine maps of stacks: replays run products on views made once."""

from __future__ import annotations

import numpy as np
import pytest

import tinygraph as tg
from tinygraph.core.layout import empty_channels_last

SUM_TO = tg.REGISTRY["sum_to"]
CASES = {
    "rows": ((300, 7), lambda x: x.sum(0)),
    "a multiple of 128": ((256, 7), lambda x: x.sum(0)),
    "blocks of blocks": ((128 * 128 + 3, 2), lambda x: x.sum(0)),
    "more of them": ((128 * 129 + 3, 2), lambda x: x.sum(0, keepdims=True)),
    "means": ((300, 7), lambda x: x.mean(0)),
    "two axes": ((30, 20, 7), lambda x: SUM_TO(x, shape=(7,))),
    "two axes are left": ((300, 4, 7), lambda x: SUM_TO(x, shape=(4, 7))),
    "by channel": ((40, 7, 20), lambda x: x.sum((0, 2))),
}


def drawn(shape, seed):
    x = np.empty(shape, np.float32)
    if len(shape) == 3 and shape[1] == 7:
        x = empty_channels_last(shape, np.float32)
    x[...] = np.random.default_rng(seed).normal(3, 1, shape)
    return x


@pytest.mark.parametrize("name", CASES)
def test_replays_have_the_bits_of_eager_runs(name):
    shape, add = CASES[name]

    def run(x):
        return add(x * x)

    compiled = tg.compile(run)
    for seed in range(3):
        x = drawn(shape, seed)
        found, wanted = compiled(x).numpy(), np.asarray(run(tg.from_numpy(x)))
        assert found.dtype == wanted.dtype and found.shape == wanted.shape
        np.testing.assert_array_equal(found, wanted)
        exact = np.asarray(add(tg.tensor(x.astype(np.float64) ** 2)))
        np.testing.assert_allclose(found, exact, rtol=2e-6)
    (plan,) = compiled.plans
    assert np.dot in {function for function, _ in plan._calls}


@pytest.mark.parametrize("name", ["rows", "by channel"])
def test_arguments_that_move_are_added_too(name):
    shape, add = CASES[name]
    compiled = tg.compile(add)
    for seed in range(3):
        x = drawn(shape, seed)
        np.testing.assert_array_equal(compiled(x).numpy(), np.asarray(add(tg.from_numpy(x))))


@pytest.mark.parametrize("shape", [(4, 5, 3), (2, 4, 5, 3), (4, 0, 3), (4, 5, 0)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_affine_maps_of_stacks_have_the_bits_of_eager_runs(shape, order):
    tg.manual_seed(0)
    layer = tg.nn.Linear(shape[-1], 6)

    def run(x):
        return layer(x + 1) * 2

    compiled = tg.compile(run)
    for seed in range(3):
        x = np.asarray(drawn(shape, seed), order=order)
        wanted = np.asarray(run(tg.from_numpy(x)).detach())
        np.testing.assert_array_equal(compiled(x).detach().numpy(), wanted)
        layer.weight.data[...] *= 2
    (plan,) = compiled.plans
    views = np.dot in {function for function, _ in plan._calls}
    assert views == (order == "C" or 0 in shape)
