"""What an expression may call: tinygraph's differentiable ops, and functions made of them."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

from ..core.op import Composite, Op
from ..core.registry import REGISTRY
from .text import shorten

REFUSED_KINDS = ("random", "state", "opaque", "cast")
REFUSED_MODULES = ("creation", "random", "state", "dropout", "truth", "syntax", "clip_state")
METADATA = {"indices_or_sections", "output_size", "output_padding", "scale_factor", "ceil_mode",
            "k", "n", "reps", "repeats", "sections", "chunks", "offset", "shift"}  # fmt: skip


@cache
def functions() -> dict[str, Callable[..., Any]]:
    """Return the functions an expression may call, by name: tinygraph's differentiable ops."""
    import tinygraph
    from tinygraph.nn import functional

    found: dict[str, Callable[..., Any]] = {}
    for name, record in REGISTRY.items():
        found[name] = record
    for place in (functional, tinygraph):
        found.update({k: v for k, v in vars(place).items() if callable(v) and _is_allowed(v)})
    return {name: f for name, f in found.items() if not name.startswith("_") and _is_allowed(f)}


def _is_allowed(function: Any) -> bool:
    """Tell whether a function only computes: no randomness, no state, nothing of a user's."""
    is_record = isinstance(function, Op | Composite)
    module = str(function.module if is_record else getattr(function, "__module__", ""))
    part = module.rpartition(".")[2]
    if not module.startswith(("tinygraph.ops.", "tinygraph.core.structure")):
        return False
    if part in REFUSED_MODULES or isinstance(function, type):
        return False
    if isinstance(function, Op):
        return function.kind not in REFUSED_KINDS
    return isinstance(function, Composite) or inspect.isfunction(function)


@cache
def parameters(function: Any) -> list[str]:
    """Return the names of a function's parameters, in order."""
    if isinstance(function, Op):
        return [*function.input_names, *([function.rest_name] if function.variadic else []),
                *function.attr_names]  # fmt: skip
    target = function.function if isinstance(function, Composite) else function
    return list(inspect.signature(target).parameters)


@cache
def attributes(function: Any) -> frozenset[str]:
    """Return the parameters of a function that take numbers and words as they are.

    Those of an op are in its record. A function made of ops has the same names for the same
    things; what it calls otherwise is annotated (``int``, ``str``) or in :data:`METADATA`.
    """
    if isinstance(function, Op):
        return frozenset(function.attr_names)
    ops = [r for r in REGISTRY.values() if isinstance(r, Op)]
    known = {n for r in ops for n in r.attr_names} - {n for r in ops for n in r.input_names}
    target = function.function if isinstance(function, Composite) else function
    annotated = {
        p.name for p in inspect.signature(target).parameters.values()
        if p.annotation is not p.empty and "Any" not in str(p.annotation)
    }  # fmt: skip
    return frozenset((known | annotated | METADATA) & set(parameters(function)))


def unknown(name: str) -> str:
    """Say that there is no such function, and which one is close."""
    close = difflib.get_close_matches(name, functions(), n=1)
    hint = f"Fix: {close[0]}(…)" if close else "The table of ops in the docs lists all"
    return f"there is no function {shorten(name)}. {hint}"
