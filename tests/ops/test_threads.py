"""Threads that share work: each part once, errors as from one thread, none left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextvars import ContextVar

import numpy as np
import pytest

import tinygraph as tg
from tinygraph.ops.threads import share, threads_now, work_alone


@pytest.fixture(autouse=True)
def number_of_threads():
    before = tg.get_num_threads()
    yield
    tg.set_num_threads(before)


def meeting(count):
    """Return a function in which ``count`` threads wait for each other."""
    barrier = threading.Barrier(count)
    return lambda: barrier.wait(10)


# ---- how many ------------------------------------------------------------------------------------


def test_the_number_can_be_chosen():
    tg.set_num_threads(3)
    assert tg.get_num_threads() == 3
    tg.set_num_threads(np.int64(1))
    assert tg.get_num_threads() == 1


@pytest.mark.parametrize("wrong", [0, -1, 1.5, True, "2", None])
def test_a_wrong_number_changes_nothing(wrong):
    tg.set_num_threads(3)
    with pytest.raises(tg.UsageError, match="set_num_threads: count is a whole number from 1 on"):
        tg.set_num_threads(wrong)
    assert tg.get_num_threads() == 3


def run(code, **environment):
    """Run code in a fresh process, and return what it prints."""
    given = {k: v for k, v in os.environ.items() if k != "OMP_NUM_THREADS"} | environment
    done = subprocess.run(
        [sys.executable, "-c", code], env=given, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(
    ("said", "most"), [("1", 1), ("2", 2), ("64", 64), ("", 2), ("4,2", 2), ("0", 2)]
)
def test_the_default_is_two_or_what_the_environment_says(said, most):
    processors = int(run("import os; print(len(os.sched_getaffinity(0)))")[0])
    code = "import tinygraph as tg; print(tg.get_num_threads())"
    assert run(code, OMP_NUM_THREADS=said) == [str(min(most, processors))]


def test_the_default_is_one_where_one_processor_may_be_used():
    code = """if True:
    import os, tinygraph as tg
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(tg.get_num_threads())"""
    assert run(code) == ["1"]


# ---- sharing -------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2, 3, 9])
@pytest.mark.parametrize("count", [0, 1, 2, 40])
def test_each_part_is_done_once(count, threads):
    done = []
    share(lambda thread, k: done.append((thread, k)), count, threads)
    assert sorted(k for _, k in done) == list(range(count))
    assert all(0 <= thread < max(1, min(threads, count)) for thread, _ in done)


def test_threads_work_side_by_side_and_have_numbers_of_their_own():
    meet, seen = meeting(3), {}

    def work(thread, k):
        seen[thread] = threading.current_thread()
        meet()

    share(work, 3, 3)
    assert seen.keys() == {0, 1, 2} and len(set(seen.values())) == 3
    assert seen[0] is threading.current_thread()


variable: ContextVar[int] = ContextVar("variable", default=0)


def test_helpers_have_the_context_of_the_caller_and_leave_it_alone():
    meet, seen = meeting(2), []

    def work(thread, k):
        meet()
        seen.append((variable.get(), np.geterr()["over"], tg.is_grad_enabled(), threads_now()))
        variable.set(k + 7)

    token = variable.set(5)
    tg.set_num_threads(2)
    with np.errstate(over="raise"), tg.no_grad():
        share(work, 2, 2)
        assert threads_now() == 2
    assert seen == [(5, "raise", False, 1)] * 2 and variable.get() == 5
    variable.reset(token)


def test_one_share_of_other_work_has_no_helpers():
    tg.set_num_threads(2)
    found = []
    thread = threading.Thread(target=lambda: (work_alone(True), found.append(threads_now())))
    thread.start()
    thread.join()
    assert found == [1] and threads_now() == 2


def test_busy_helpers_are_not_waited_for():
    begun, end = threading.Event(), threading.Event()

    def hold(thread, k):
        begun.set()
        end.wait(10)

    holder = threading.Thread(target=share, args=(hold, 2, 2))
    holder.start()
    begun.wait(10)
    seen = set()
    share(lambda thread, k: seen.add((thread, k)), 4, 2)
    assert {k for _, k in seen} == {0, 1, 2, 3}
    end.set()
    holder.join()


# ---- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", [0, 1])
def test_an_error_stops_the_work_and_surfaces_when_nobody_works_any_more(who):
    meet, working, done = meeting(2), [], []

    def work(thread, k):
        working.append(k)
        if k < 2:
            meet()
            if thread == who:
                raise ValueError(f"part {k}")
            time.sleep(0.1)
        done.append(k)
        working.remove(k)

    with pytest.raises(ValueError, match="part"):
        share(work, 1000, 2)
    assert len(working) == 1  # the one that failed
    assert len(done) < 1000
    share(lambda thread, k: done.append(k), 2, 2)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_waits_for_the_others():
    inside, done = threading.Event(), []

    def work(thread, k):
        if thread == 0:
            inside.wait(10)
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)
        inside.set()
        time.sleep(0.2)
        done.append(k)

    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        share(work, 2, 2)
    assert len(done) == 1 and time.monotonic() - start < 4


# ---- processes -----------------------------------------------------------------------------------

SHARED = """if True:
    import os, threading
    from tinygraph.ops.threads import share

    def both():
        barrier, seen = threading.Barrier(2), []
        share(lambda thread, k: (seen.append(thread), barrier.wait(10)), 2, 2)
        print(sorted(seen)[-1], flush=True)

    both()
"""


def test_a_process_ends_although_helpers_wait():
    assert run(SHARED) == ["1"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_has_helpers_of_its_own():
    code = (
        SHARED
        + """
    import warnings
    warnings.simplefilter("ignore", DeprecationWarning)  # the parent has threads
    pid = os.fork()
    both()
    if pid:
        assert os.waitpid(pid, 0)[1] == 0
    """
    )
    assert run(code) == ["1", "1", "1"]


def test_what_runs_while_the_process_ends_runs_on_one_thread():
    code = (
        SHARED
        + """
    import atexit
    atexit.register(share, lambda thread, k: print(thread), 3, 2)
    """
    )
    assert run(code) == ["1", "0", "0", "0"]
