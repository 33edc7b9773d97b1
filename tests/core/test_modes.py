"""Gradient modes and the default dtype: blocks, decorators, generators, threads, tasks."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import tinygraph as tg


def recording() -> bool:
    x = tg.tensor(1.0, requires_grad=True)
    recorded = (x * x).requires_grad
    assert recorded == tg.is_grad_enabled()
    return recorded


# ---- blocks ------------------------------------------------------------------------------------


def test_blocks_nest():
    assert recording()
    with tg.no_grad():
        assert not recording()
        with tg.enable_grad():
            assert recording()
            with tg.no_grad():
                assert not recording()
            assert recording()
        assert not recording()
    assert recording()


def test_a_block_ends_with_an_exception():
    with pytest.raises(KeyError), tg.no_grad():
        raise KeyError
    assert recording()


def test_one_object_serves_again_and_inside_itself():
    mode = tg.no_grad()
    for _ in range(2):
        with mode, mode:
            assert not recording()
    assert recording()


def test_no_grad_results_have_no_node_but_leaves_keep_their_flag():
    x = tg.tensor(1.0, requires_grad=True)
    with tg.no_grad():
        y = x * x
    assert x.requires_grad and y.is_leaf


# ---- decorators --------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [tg.no_grad, tg.no_grad()], ids=["bare", "called"])
def test_decorated_functions_run_in_the_mode(mode):
    @mode
    def inside(a, *, b):
        """Docs."""
        return recording(), a, b

    assert inside(1, b=2) == (False, 1, 2)
    assert inside.__name__ == "inside" and inside.__doc__ == "Docs."
    assert recording()


def test_a_decorated_method_and_recursion():
    class Thing:
        @tg.no_grad
        def count(self, n):
            assert not recording()
            return 0 if n == 0 else 1 + self.count(n - 1)

    assert Thing().count(5) == 5 and recording()


def test_a_decorated_generator_sets_the_mode_only_in_its_body():
    closed = []

    @tg.no_grad
    def numbers():
        try:
            sent = yield recording()
            try:
                yield sent, recording()
            except ValueError:
                yield "thrown", recording()
            return recording()
        finally:
            closed.append(recording())

    g = numbers()
    assert next(g) is False
    assert recording()
    assert g.send(7) == (7, False)
    assert g.throw(ValueError()) == ("thrown", False)
    assert recording()
    with pytest.raises(StopIteration) as stop:
        next(g)
    assert stop.value.value is False and closed == [False] and recording()


def test_a_decorated_generator_closes_in_its_mode():
    closed = []

    @tg.no_grad
    def numbers():
        try:
            yield 1
        finally:
            closed.append(recording())

    g = numbers()
    next(g)
    g.close()
    assert closed == [False] and recording()


def test_a_with_block_around_yield_leaks_to_the_consumer_as_in_pytorch():
    def numbers():
        with tg.no_grad():
            yield 1

    g = numbers()
    next(g)
    leaked = not tg.is_grad_enabled()
    g.close()
    assert leaked and recording()


def test_interleaved_generators_leave_no_mode_behind():
    def numbers():
        with tg.no_grad():
            yield 1

    a, b = numbers(), numbers()
    next(a), next(b)
    a.close()
    assert not tg.is_grad_enabled()
    b.close()
    assert recording()


def test_a_decorated_coroutine_runs_in_the_mode():
    @tg.no_grad
    async def inside():
        await asyncio.sleep(0)
        return recording()

    async def main():
        found = await asyncio.gather(inside(), inside())
        return [*found, recording()]

    assert asyncio.run(main()) == [False, False, True]


# ---- threads and tasks -------------------------------------------------------------------------


def test_a_new_thread_records_whatever_its_starter_does():
    found = []
    with tg.no_grad():
        thread = threading.Thread(target=lambda: found.append(recording()))
        thread.start()
        thread.join()
    assert found == [True]


def test_one_mode_object_in_many_threads():
    mode, barrier = tg.no_grad(), threading.Barrier(4)

    def work(i):
        barrier.wait()
        with mode:
            barrier.wait()
            inside = recording()
            barrier.wait()
        return inside, recording()

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(work, range(4))) == {(False, True)}


def test_tasks_do_not_see_each_others_modes():
    async def work(mode, log):
        with mode():
            for _ in range(3):
                log.append(recording())
                await asyncio.sleep(0)

    async def main():
        off, on = [], []
        await asyncio.gather(work(tg.no_grad, off), work(tg.enable_grad, on))
        return off, on, recording()

    assert asyncio.run(main()) == ([False] * 3, [True] * 3, True)


def test_eight_threads_with_mixed_modes_give_the_serial_results():
    def work(seed):
        rng = np.random.default_rng(seed)
        x = tg.tensor(rng.standard_normal((8, 8)), requires_grad=True)
        w = tg.tensor(rng.standard_normal((8, 8)), requires_grad=True)
        totals = []
        for step in range(40):
            with tg.no_grad() if (seed + step) % 2 else tg.enable_grad():
                y = tg.tanh(x @ w)
                assert y.requires_grad == ((seed + step) % 2 == 0)
            (tg.tanh(x @ w) * y).sum().backward()
            with tg.no_grad():
                x -= 0.1 * x.grad
            totals.append(y.data.sum())
        return totals, x.data.tolist(), w.grad.tolist()

    serial = [work(seed) for seed in range(8)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(8))) == serial


def test_threads_share_a_graph_for_reading():
    x = tg.tensor(np.arange(4.0), requires_grad=True)
    y = (x * x).sum()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: tg.grad(y, x).data.tolist(), range(16)))
    assert found == [[0, 2, 4, 6]] * 16


# ---- default dtype -----------------------------------------------------------------------------


def test_the_default_dtype_governs_creation():
    with tg.default_dtype(np.float64):
        made = [tg.tensor(1.5), tg.zeros(2), tg.rand(2), tg.arange(0.0, 1.0), tg.tensor([1]) / 2]
        assert [t.dtype for t in made] == [np.float64] * 5
        assert tg.get_default_dtype() == np.float64
    assert tg.tensor(1.5).dtype == np.float32


def test_the_global_default_dtype():
    tg.set_default_dtype(np.float64)
    try:
        assert tg.tensor(1.5).dtype == np.float64
        with tg.default_dtype(np.float16):
            assert tg.tensor(1.5).dtype == np.float16
    finally:
        tg.set_default_dtype(np.float32)
    assert tg.tensor(1.5).dtype == np.float32
