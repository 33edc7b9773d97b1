"""Threads that share a batch take turns where they write: the order is that of the plan, not luck.

Within one call of the workers, all make their first write in the order of their numbers, then
their second ones, and so on. One that is done, or has failed, is not waited for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import Any


class Turns:
    """The writes of some workers in one call of them.

    Parameters
    ----------
    count : int
        How many workers there are.
    """

    def __init__(self, count: int) -> None:
        self._written = [0.0] * count  # how often each has; infinity when it is done
        self._changed = threading.Condition()

    def __len__(self) -> int:
        """Return the number of workers."""
        return len(self._written)

    def wait(self, worker: int) -> None:
        """Wait until it is this worker's turn."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_next(worker))

    def _is_next(self, worker: int) -> bool:
        own = self._written[worker]
        before, after = self._written[:worker], self._written[worker + 1 :]
        return all(n > own for n in before) and all(n >= own for n in after)

    def done(self, worker: int, altogether: bool = False) -> None:
        """Note a write, or that no more will come."""
        with self._changed:
            self._written[worker] += float("inf") if altogether else 1
            self._changed.notify_all()


_turn: ContextVar[tuple[Turns, int] | None] = ContextVar("tinygraph_turn", default=None)
set_turn = _turn.set
"""Let the state ops of this context be those of a worker: ``set_turn((turns, number))``."""


def in_turn(forward: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a function that writes to memory that workers may share."""

    @wraps(forward)
    def run(*arrays: Any, **attrs: Any) -> Any:
        turn = _turn.get()
        if turn is None:
            return forward(*arrays, **attrs)
        turns, worker = turn
        turns.wait(worker)
        try:
            return forward(*arrays, **attrs)
        finally:
            turns.done(worker)

    return run
