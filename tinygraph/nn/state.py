"""The state of a module by path: all of it out, or checked and all of it in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.errors import UsageError, compose_message, describe, shorten
from ..core.storage import Array
from ..core.tensor import Tensor
from .parameter import Buffer

if TYPE_CHECKING:
    from .module import Module


def state_of(root: Module) -> dict[str, Tensor]:
    """Return parameters and persistent buffers by path; shared ones under each name."""
    state: dict[str, Tensor] = {}
    for prefix, module in _named_modules_with_repeats(root):
        own: dict[str, Any] = {**module._parameters, **module._buffers}
        for name, t in own.items():
            if not isinstance(t, Buffer) or t.persistent:
                state[prefix + name] = t
    return state


def load_state(root: Module, state: Mapping[str, Any], strict: bool) -> None:
    """Copy ``state`` into the module after all of it was checked."""
    if not isinstance(state, Mapping):
        raise UsageError(
            compose_message(
                "load_state_dict takes a dict from path to array",
                describe(state),
                "other_model.state_dict()",
            )
        )
    own = state_of(root)
    problems: list[str] = []
    if strict:
        problems += [f"missing {name}" for name in own if name not in state]
        problems += [f"unexpected {name}" for name in state if name not in own]
    arrays: dict[str, Array] = {}
    for name, t in own.items():
        if name in state:
            array, problem = _fitting(state[name], t)
            arrays[name] = array
            problems += [f"{name} {problem}"] if problem else []
    if problems:
        raise UsageError(f"load_state_dict changed nothing: {'; '.join(problems)}.")
    for name, array in arrays.items():
        own[name].data = array


def _fitting(value: Any, t: Tensor) -> tuple[Array, str]:
    """Return a copy of ``value`` (it may be a view of what is written) and what is wrong."""
    try:
        array: Array = np.array(np.asarray(value._data if isinstance(value, Tensor) else value))
    except (ValueError, TypeError) as error:
        return np.empty(0), f"is not an array ({shorten(str(error))})"
    if array.dtype.kind not in ("fiub" if t.dtype.kind == "f" else "iub"):
        return array, f"has dtype {array.dtype}, the module needs {t.dtype}"
    if array.shape != t.shape:
        return array, f"has shape {array.shape}, the module needs {t.shape}"
    return array, ""


def _named_modules_with_repeats(root: Module) -> Iterator[tuple[str, Module]]:
    """Yield each module under each of its names, as state dicts list shared modules."""
    stack = [("", root)]
    while stack:
        prefix, module = stack.pop()
        yield prefix, module
        stack.extend((f"{prefix}{n}.", m) for n, m in reversed(module._modules.items()))
