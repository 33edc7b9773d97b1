"""Threads that share memory write to it in a fixed order."""

from __future__ import annotations

import contextvars
import random
import threading
import time

import numpy as np
import pytest

import tinygraph as tg
from tinygraph.core.turns import Turns, set_turn


@pytest.mark.parametrize("writes", [[3, 3], [3, 3, 3], [3, 1, 2], [0, 2], [2, 0, 0, 4]])
def test_writes_come_in_the_order_of_workers(writes):
    """First all first writes, then all second ones; who is done is not waited for."""
    for seed in range(5):
        log, turns = [], Turns(len(writes))
        rng = random.Random(seed)

        def write(array, number, log=log):
            log.append(number)
            return array

        def work(number, turns=turns, delay=rng.random, write=write):
            set_turn((turns, number))
            record = tg.core.turns.in_turn(write)
            for _ in range(writes[number]):
                time.sleep(delay() / 2000)
                record(np.zeros(1), number)
            turns.done(number, altogether=True)

        threads = [
            threading.Thread(target=contextvars.copy_context().run, args=(work, i))
            for i in range(len(writes))
        ]
        for thread in reversed(threads):
            thread.start()
        for thread in threads:
            thread.join()
        assert log == [i for k in range(5) for i in range(len(writes)) if k < writes[i]]


def test_a_write_that_fails_lets_the_others_go_on():
    turns = Turns(2)

    @tg.core.turns.in_turn
    def fail(x):
        raise ValueError

    def first():
        set_turn((turns, 0))
        with pytest.raises(ValueError):
            fail(1)

    contextvars.copy_context().run(first)
    turns.wait(1)  # returns at once


def test_state_ops_take_turns_and_others_do_not():
    turns = Turns(2)
    turns.done(1, altogether=True)

    def run():
        set_turn((turns, 0))
        norm = tg.nn.BatchNorm1d(2)
        norm(tg.rand(3, 2))

    contextvars.copy_context().run(run)
    assert turns._written[0] == 2  # running statistics, and the count
