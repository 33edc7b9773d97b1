"""No recursion, however long the chain; no memory kept, with the garbage collector off."""

from __future__ import annotations

import gc
import sys
import threading
import weakref
from contextlib import contextmanager, suppress

import numpy as np
import pytest

import tinygraph as tg

LENGTH = 20_000


@contextmanager
def small_stack():
    """Run with at most 200 nested Python calls more than pytest already has."""
    depth, frame = 0, sys._getframe()
    while frame is not None:
        depth, frame = depth + 1, frame.f_back
    old = sys.getrecursionlimit()
    sys.setrecursionlimit(depth + 200)
    try:
        yield
    finally:
        sys.setrecursionlimit(old)


@contextmanager
def collector_off():
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def chain(length=LENGTH):
    x = tg.tensor(np.array([1.0, 2.0]), requires_grad=True)
    y = x
    for i in range(length):
        y = y * 1.0 if i % 2 else y + x * 0.0
    return x, y


def test_a_long_chain_needs_no_recursion():
    with small_stack():
        x, y = chain()
        assert "op=" in repr(y)
        y.sum().backward()
        assert x.grad.tolist() == [1, 1]
        graph = tg.graph(y)
        assert len(graph.nodes) > LENGTH and graph.leaves[0].tensor is x
        assert len(graph.edges) > LENGTH and graph.nbytes > LENGTH
        assert graph.evaluate(feed={x: np.array([3.0, 4.0])}).tolist() == [3, 4]
        del graph
        (g,) = tg.grad(y, [x], np.ones(2), create_graph=True)
        assert g.data.tolist() == [1, 1]
        del y, g


def test_a_long_chain_is_freed_on_a_small_thread_stack():
    failures = []

    def work():
        try:
            _, y = chain()
            y.sum().backward()
            del y
        except BaseException as error:  # pragma: no cover
            failures.append(error)

    old = threading.stack_size(1 << 20)
    try:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(old)
    assert not failures


# ---- memory ------------------------------------------------------------------------------------


def every_feature(x):
    """Go through the graph machinery in many ways; return what is to be dropped."""
    y = tg.tanh(x) * x
    z = tg.stack([y, y[::-1]]).mean(axis=0).max()
    g = tg.grad(z, x, create_graph=True)
    with tg.detect_anomaly(), tg.detect_raw_writes():
        w = (g * tg.exp(x)).sum()
    tg.graph(w).evaluate(feed={x: x.data})
    w.backward(retain_graph=True)
    return y, z, g, w


def test_dropping_the_result_frees_everything_at_once():
    with collector_off():
        x = tg.tensor(np.array([0.5, 1.0, -2.0]), requires_grad=True)
        results = every_feature(x)
        watched = [weakref.ref(n.tensor) for n in tg.graph(*results).nodes if n.op]
        assert len(watched) > 20
        del results
        assert [r for r in watched if r() is not None] == []


def test_the_collector_finds_nothing_of_ours():
    with collector_off():
        x = tg.tensor(np.array([0.5, 1.0, -2.0]), requires_grad=True)
        every_feature(x)
        gc.set_debug(gc.DEBUG_SAVEALL)
        try:
            gc.collect()
            ours = [o for o in gc.garbage if type(o).__module__.startswith("tinygraph")]
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
    assert ours == []


@pytest.mark.parametrize(
    "failing",
    [
        lambda x: x @ np.ones((5, 5)),
        lambda x: x @ tg.ones(5, 5, dtype=np.float64),
        lambda x: x + tg.ones(5, dtype=np.float64),
        lambda x: x.sum(axis=3),
        lambda x: x.softmax(axis=3),
        lambda x: tg.grad(x, x, np.ones(7)),
    ],
)
def test_an_error_keeps_nothing_alive(failing):
    with collector_off():
        x = tg.tensor(np.ones((2, 2)), requires_grad=True)
        y = x * 2.0
        watched = weakref.ref(y)
        with suppress(tg.ShapeError):
            failing(y)
        del y
        assert watched() is None


def test_storage_is_freed_with_its_tensors():
    from tinygraph.core.storage import _storage_of_memory

    before = len(_storage_of_memory)
    with collector_off():
        tensors = [tg.from_numpy(np.ones(2)) for _ in range(10)]
        assert len(_storage_of_memory) == before + 10
        del tensors
        assert len(_storage_of_memory) == before


def test_a_training_loop_does_not_grow():
    w = tg.tensor(np.ones((4, 4)), requires_grad=True)
    x = np.ones((2, 4))

    def step():
        loss = tg.square(tg.tanh(x @ w)).mean()
        loss.backward()
        with tg.no_grad():
            w.data -= 0.01 * w.grad
        w.grad = None

    with collector_off():
        for _ in range(20):
            step()
        before = len(gc.get_objects())
        for _ in range(300):
            step()
        assert len(gc.get_objects()) <= before + 10
