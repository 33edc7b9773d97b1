"""Where a forward pass stopped, and why: the error carries the graph up to the call that failed.

``error.graph()`` gives it and ``tg.draw(error)`` draws it. Only what met there is noted; the
graph is built when it is asked for, and a forward pass that succeeds never comes here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .errors import (
    DtypeError,
    IndexRangeError,
    ShapeError,
    TinygraphError,
    UsageError,
    compose_message,
    describe_all,
)
from .modes import Scope, current_scope, module_path

if TYPE_CHECKING:
    from .op import Op


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


FROM_NUMPY = (ValueError, TypeError, IndexError, OverflowError)
"""The errors of NumPy that :func:`explain` turns into ours."""


def explain(
    op: Op, operands: tuple[Any, ...], arrays: Any, attrs: dict[str, Any], error: Exception
) -> Exception:
    """Turn an error of NumPy into one that names the op, the operands and the place."""
    kinds: list[tuple[type[Exception], type[TinygraphError]]] = [
        (IndexError, IndexRangeError),
        (TypeError, DtypeError),
        (OverflowError, DtypeError),
    ]
    cls = next((ours for theirs, ours in kinds if isinstance(error, theirs)), ShapeError)
    if op.kind == "opaque" and cls is DtypeError:
        cls = UsageError
    what = str(error).rstrip(".")
    fix = ""
    if op.kind == "elementwise" and cls is ShapeError and "broadcast" in what:
        what = "shapes must broadcast: aligned at the last axis, equal or 1"
        fix = "t.reshape(…) or t.expand_dims(axis) so that the axes line up"
    elif "negative integer powers" in what:
        fix = "t.astype(np.float32) for fractions"
    elif cls is DtypeError and any(getattr(a, "dtype", None) == np.bool_ for a in arrays):
        fix = "t.astype(np.float32) makes numbers of booleans"
    given = describe_all(arrays)
    if attrs:
        given += " with " + ", ".join(f"{k}={v!r}" for k, v in attrs.items())
    ours = cls(compose_message(f"{op.name}: {what}", given, fix, module_path()))
    note_failure(ours, op, operands, attrs)
    return ours
