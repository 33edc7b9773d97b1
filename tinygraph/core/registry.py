"""All ops and composites by name: what the readers read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from .errors import UsageError

if TYPE_CHECKING:
    from .op import Composite, Op

REGISTRY: dict[str, Op | Composite] = {}
"""Every record by its name, in order of definition."""

NUMPY_FUNCTIONS: dict[Callable[..., Any], Op | Composite] = {}
"""The NumPy functions and ufuncs that dispatch to a record."""

R = TypeVar("R", bound="Op | Composite")


def register(record: R) -> R:
    """Enter a record under its name; a user's op may be redefined, ours may not."""
    old = REGISTRY.get(record.name)
    if old is not None and is_builtin(old):
        raise UsageError(f"An op named {record.name!r} exists in tinygraph. Fix: another name.")
    REGISTRY[record.name] = record
    for function in record.numpy:
        if NUMPY_FUNCTIONS.get(function) in (None, old):
            NUMPY_FUNCTIONS[function] = record
    return record


def lookup(name: str) -> Op | Composite:
    """Return the record of this name."""
    return REGISTRY[name]


def is_builtin(record: Op | Composite) -> bool:
    """Tell whether tinygraph itself defined the record."""
    return record.module.startswith("tinygraph.")
