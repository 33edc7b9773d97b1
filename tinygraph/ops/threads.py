"""Threads that share the work on large arrays: how many there are, and what they take on.

NumPy computes outside of Python's lock, so threads that each work on a piece of an array that is
large enough run side by side. The pieces, and so the results, are the same for any number of them.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from typing import Any

from .operands import whole

MOST = 2
"""Threads unless told otherwise: with each further one, Python's lock is waited for longer."""

_alone: ContextVar[bool] = ContextVar("tinygraph_alone", default=False)
work_alone = _alone.set
"""``work_alone(True)``: what this context does is one of several shares already."""


class _Helpers:
    """The threads beside the one that asks; they start when they are first needed.

    Attributes
    ----------
    chosen : int
        How many threads there are to be, with the one that asks; 0 for the default.
    """

    def __init__(self) -> None:
        self.chosen = 0
        self.forget()

    def forget(self) -> None:
        """Begin anew: a process that was forked has none of its parent's threads."""
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._count = 0

    def get(self, count: int) -> ThreadPoolExecutor:
        """Return a pool of at least ``count`` threads."""
        with self._lock:
            if self._pool is None or self._count < count:
                if self._pool is not None:
                    self._pool.shutdown(wait=False)
                self._pool, self._count = ThreadPoolExecutor(count, "tinygraph-helper"), count
            return self._pool


_helpers = _Helpers()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_helpers.forget)


def get_num_threads() -> int:
    """Return how many threads share the work on large arrays; see :func:`set_num_threads`.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.get_num_threads() >= 1
    True
    """
    return _helpers.chosen or _default()


def set_num_threads(count: int) -> None:
    """Choose how many threads share the work on large arrays, in the whole process.

    A compiled step cuts chains of elementwise ops on large arrays into blocks, which several
    threads take on; so do optimizers with their vectors, and tanh, sigmoid, softplus and GELU with
    arrays, from 262,144 numbers on. The results are the same bits for any number of threads. Inside
    of the workers of :func:`parallel` each works alone. The threads of matrix products are those of
    NumPy's BLAS, which has settings of its own. Chains of a step with products have no others: the
    ones of BLAS keep their processors busy for a while after each product.

    Parameters
    ----------
    count : int
        At least 1, which is for no threads beside the one that calls. The default is 2, the
        number of processors that the process may use if that is less, or what the environment
        variable ``OMP_NUM_THREADS`` says if that is less. A plan that is recorded already does
        not take more threads than it was recorded for.

    Raises
    ------
    UsageError
        If ``count`` is not a whole number from 1 on.

    Examples
    --------
    >>> import tinygraph as tg
    >>> before = tg.get_num_threads()
    >>> tg.set_num_threads(1)
    >>> tg.get_num_threads()
    1
    >>> tg.set_num_threads(before)
    """
    _helpers.chosen = whole("set_num_threads", "count", count, 1)


def _default() -> int:
    """Return the number of processors, at most :data:`MOST` or what the environment says."""
    if hasattr(os, "sched_getaffinity"):
        processors = len(os.sched_getaffinity(0))
    else:
        processors = os.cpu_count() or 1
    said = os.environ.get("OMP_NUM_THREADS", "")
    return min(processors, MOST, int(said) if said.isdecimal() and int(said) else MOST)


def threads_now() -> int:
    """Return how many threads may work here and now: one, inside of a share of other work."""
    return 1 if _alone.get() else get_num_threads()


def share(work: Callable[[int, int], Any], count: int, threads: int) -> None:
    """Call ``work(thread, k)`` once for each k below ``count``, from several threads.

    Each takes the lowest number that is left as soon as it is free, so that none waits for a
    slower one. Helpers run in copies of the caller's context.

    Parameters
    ----------
    work : callable
        Its first argument is the number of the thread, for memory of its own; the caller is 0.
    count : int
    threads : int
        At most; helpers that are busy elsewhere are not waited for.

    Raises
    ------
    Exception
        The caller's, or else that of the first thread that failed, when none works any more;
        numbers that were left then are not taken.
    """
    left = deque(range(count))

    def take(thread: int) -> None:
        work_alone(True)
        try:
            while left:
                try:
                    number = left.popleft()
                except IndexError:  # another thread was quicker
                    return
                work(thread, number)
        except BaseException:
            left.clear()
            raise

    helpers: list[Future[None]] = []
    try:
        if min(threads, count) > 1:
            pool = _helpers.get(threads - 1)
            for thread in range(1, min(threads, count)):
                helpers.append(pool.submit(copy_context().run, take, thread))
    except RuntimeError:  # the interpreter ends, or the system has no more threads
        pass
    try:
        copy_context().run(take, 0)
    finally:
        started = [helper for helper in helpers if not helper.cancel()]
        wait_for(started)
    for helper in started:
        helper.result()


def wait_for(futures: Sequence[Future[Any]]) -> None:
    """Wait until all are done, also if Ctrl-C is pressed meanwhile: they write to shared memory."""
    interrupted: BaseException | None = None
    for future in futures:
        while not future.done():
            try:
                future.exception()
            except BaseException as error:
                interrupted = error
    if interrupted is not None:
        raise interrupted
