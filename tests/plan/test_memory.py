"""What a plan and its recording hold in memory."""

from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn
from tinygraph.plan.buffers import Place, arrange
from tinygraph.plan.patterns import Patterns
from tinygraph.plan.record import Recorder
from tinygraph.plan.values import Value


def peak_of(function, *arguments):
    """Return the most bytes that a call holds at once."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        function(*arguments)
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def deep(x):
    for _ in range(30):
        x = tg.exp(tg.matmul(x, x) * 0.001)
    return x.sum()


def test_a_recording_frees_what_the_run_frees():
    x = np.random.default_rng(0).standard_normal((200, 200))
    peak = peak_of(tg.compile(deep), x)
    assert peak < 8 * x.nbytes  # of some ninety arrays


def training(width=200):
    tg.manual_seed(0)
    model = nn.MLP([width] * 12)
    optimizer = tg.optim.SGD(model.parameters(), lr=0.01)

    def step(x):
        optimizer.zero_grad()
        loss = (model(x) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss

    return step, sum(p.data.nbytes for p in model.parameters())


def test_a_recorded_step_peaks_as_an_eager_one():
    x = np.random.default_rng(0).standard_normal((1000, 200)).astype("f4")
    step, parameters = training()
    eager = peak_of(step, tg.tensor(x))
    step, _ = training()
    compiled = tg.compile(step)
    copies = 2 * parameters  # so that a recording that fails can be taken back
    first = peak_of(compiled, x)
    assert first < 1.15 * eager + copies
    assert peak_of(compiled, x) < 0.05 * eager  # its buffers are there already
    (plan,) = compiled.plans
    assert plan.nbytes < eager


def test_buffers_are_hardly_more_than_what_must_exist_at_once():
    step, _ = training(64)
    compiled = tg.compile(step)
    compiled(np.ones((50, 64), "f4"))
    (plan,) = compiled.plans
    assert plan.pool.least <= plan.nbytes <= 1.1 * plan.pool.least


@pytest.mark.parametrize("seed", range(20))
def test_places_needed_at_the_same_time_do_not_overlap(seed):
    rng = np.random.default_rng(seed)
    places = []
    for first in rng.integers(0, 40, 60):
        size = int(rng.choice([0, 4, 100, 4096, 70_000]))
        places.append(Place(size, int(first), int(first + rng.integers(0, 15))))
    total = arrange(places)
    for i, a in enumerate(places):
        assert a.start % 64 == 0 and a.start + a.size <= total
        for b in places[:i]:
            together = a.first <= b.last and b.first <= a.last
            apart = a.start + a.size <= b.start or b.start + b.size <= a.start
            assert apart or not together or not a.size or not b.size


def test_patterns_lie_as_their_arrays_do_and_read_as_zeros():
    patterns = Patterns()
    x = np.arange(24.0).reshape(2, 3, 4)
    for array in (x, x.T, x[:, ::-1], x[::2, :, 1:3], np.broadcast_to(x[0], (5, 3, 4)), x[:0],
                  np.array(1, "i4")):  # fmt: skip
        pattern = patterns.of(array)
        assert (pattern.shape, pattern.dtype) == (array.shape, array.dtype)
        assert pattern.strides == array.strides and not pattern.any()


def test_nothing_of_a_failed_recording_waits_for_the_collector():
    w = tg.tensor([2.0])

    def run(x):
        return float((tg.exp(x) * w).sum())

    gc.collect()
    gc.disable()
    try:
        refused = False
        try:
            tg.compile(run)(np.ones(3))
        except tg.CompileError:
            refused = True
        left = [o for o in gc.get_objects() if type(o) in (Value, Recorder)]
    finally:
        gc.enable()
    assert refused and not left
