"""Where a forward pass stopped: the error carries the graph up to the call that failed.

``error.graph()`` gives it and ``tg.draw(error)`` draws it. Only what met there is noted; the
graph is built when it is asked for, and a forward pass that succeeds never comes here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from .modes import Scope, current_scope


class Failure:
    """The call that failed; calling it gives the :class:`Graph` that ends there.

    Attributes
    ----------
    called : Op, Composite or Module
    operands : tuple
        As they met: tensors, arrays, numbers, or whatever was given.
    attrs : dict
        The op's attributes.
    scope : Scope or None
        The module or composite call around.
    message : str
        What the error said.
    """

    as_graph: ClassVar[Callable[[Failure], Any]]
    """Set by graph.py: graphs know ops, and ops know this file."""

    def __init__(
        self, called: Any, operands: tuple[Any, ...], attrs: dict[str, Any], message: str
    ) -> None:
        self.called = called
        self.operands = operands
        self.attrs = attrs
        self.scope: Scope | None = current_scope()
        self.message = message

    def __call__(self) -> Any:
        return Failure.as_graph(self)

    def __reduce__(self) -> tuple[Any, ...]:
        """An error that is sent to another process, or copied, leaves its graph behind."""
        return type(None), ()


def note_failure(
    error: BaseException,
    called: Any,
    operands: tuple[Any, ...],
    attrs: dict[str, Any] | None = None,
) -> None:
    """Note on an error which call raised it; the innermost call comes first, and stays."""
    error.__dict__.setdefault("graph", Failure(called, operands, attrs or {}, str(error)))
