"""What the core tells a recorder, which writes down a run so that it can be replayed.

Results of ops reach it as they reach every watcher. Here is the rest: writes and draws, checks
of values, gradients that leaves receive, and reads that a replay could not repeat. While
nothing records, all of it costs one look at an empty list.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .errors import CompileError, compose_message, describe
from .lines import user_line
from .modes import current_modes, module_path

RECORDERS: list[Any] = []
"""The recorders at work, in any thread; which one is meant, the modes of the context know."""


def active_recorder() -> Any:
    """Return the recorder of this context, None if nothing is recorded here."""
    return current_modes().recorder if RECORDERS else None


def refuse(what: str, tensor: Any = None, fix: str = "") -> None:
    """Raise CompileError if a value is read here that a replay would not read again.

    Tensors that the recorded function made from Python values alone may be read.
    """
    recorder = active_recorder()
    if recorder is None or (tensor is not None and recorder.is_constant(tensor)):
        return
    raise CompileError(
        compose_message(
            f"A compiled function cannot use {what}: a replay would not see the new value. "
            f"It stands at {user_line()}",
            "" if tensor is None else describe(tensor),
            fix or "return the tensor and read it outside, or use ops (tg.where for a choice)",
            module_path(),
        )
    )


def values_of(x: Any, what: str) -> Any:
    """Return the array of a tensor for Python code that decides by its values; see refuse."""
    data = getattr(x, "_data", None)
    if data is None:
        return x
    if RECORDERS:
        refuse(what, x)
    return data


def run_again(function: Callable[[], Any], name: str, changed: Sequence[Any]) -> Any:
    """Call ``function()``, which changes the arrays and lists ``changed``, now and at every replay.

    For what reads its numbers anew each time, as the step of an optimizer does.
    """
    recorder = active_recorder()
    return function() if recorder is None else recorder.again(function, name, changed)


def run_check(check: Callable[..., Any], *operands: Any) -> None:
    """Call ``check`` on the operands' arrays, now and at every replay: it raises or returns."""
    check(*[getattr(x, "_data", x) for x in operands])
    recorder = active_recorder()
    if recorder is not None:
        recorder.check(check, operands)
