"""How much work a call is, counted: times depend on the machine, and are never asserted."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any


def calls(function: Callable[[], Any]) -> int:
    """Return how many functions, of Python and built in, are called while this one runs."""
    count = 0

    def note(frame: Any, event: str, arg: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(before)
    return count


def growth(function: Callable[[int], Any], size: int) -> float:
    """Return how many times as many calls twice the size takes: 2 if the work is linear."""
    function(size)  # what is made once is not counted
    return calls(lambda: function(2 * size)) / calls(lambda: function(size))
