"""Ctrl-C during training: the first one ends it after the current batch."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Interruption:
    """Whether Ctrl-C was pressed."""

    requested = False


@contextmanager
def deferred_interrupt() -> Iterator[Interruption]:
    """Note the first Ctrl-C instead of raising; the second raises KeyboardInterrupt.

    An exception in the middle of an update would leave half of the parameters updated. In
    other threads than the main one, and where the program has a handler of its own, nothing
    is changed.
    """
    interruption = Interruption()
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield interruption
        return

    def note(number: int, frame: Any) -> None:
        if interruption.requested:
            signal.default_int_handler(number, frame)
        interruption.requested = True

    signal.signal(signal.SIGINT, note)
    try:
        yield interruption
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
