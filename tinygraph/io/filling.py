"""Bringing the content of a checkpoint into a model, an optimizer and so on: all or nothing."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from ..core.errors import CheckpointError
from ..core.storage import Array
from ..core.tensor import Tensor


def fill(
    model: Any,
    weights: Mapping[str, Array],
    strict: bool,
    holders: Sequence[tuple[str, Any, Any]],
    generators: Sequence[tuple[Any, Any]],
) -> None:
    """Load everything, or list all that does not fit and leave everything as it was.

    Parameters
    ----------
    model : object with state_dict and load_state_dict, or None
    holders : triples of name, object and state
        The objects have ``state_dict`` and ``load_state_dict``: optimizer, schedule.
    generators : pairs of generator and state
    """
    problems = [] if model is None else misfits(model, weights, strict)
    # Only a holder can tell whether a state fits, by loading it; the old one goes back if
    # anything else is wrong.
    undo = [partial(holder.load_state_dict, holder.state_dict()) for _, holder, _ in holders]
    for name, holder, state in holders:
        problems += _refusal(name, partial(holder.load_state_dict, state))
    for i, (generator, state) in enumerate(generators):
        problems += _refusal(f"generator {i}", partial(copy.deepcopy(generator).set_state, state))
    if model is not None and not problems:
        options = {} if strict else {"strict": False}
        problems += _refusal("model", partial(model.load_state_dict, weights, **options))
    if problems:
        for load_old in reversed(undo):
            load_old()
        raise CheckpointError(f"it does not fit, nothing was changed: {'; '.join(problems)}")
    for generator, state in generators:
        generator.set_state(state)


def misfits(model: Any, weights: Mapping[str, Array], strict: bool) -> list[str]:
    """List the names that are missing, unexpected, or of another shape or kind of dtype."""
    own = model.state_dict()
    problems = []
    if strict:
        problems += [f"missing {name}" for name in own if name not in weights]
        problems += [f"unexpected {name}" for name in weights if name not in own]
    for name, value in own.items():
        if name in weights:
            have = weights[name]
            want = value.data if isinstance(value, Tensor) else np.asarray(value)
            if have.shape != want.shape:
                problems.append(f"{name} has shape {have.shape}, the model needs {want.shape}")
            elif have.dtype.kind == "f" and want.dtype.kind != "f":
                problems.append(f"{name} has dtype {have.dtype}, the model needs {want.dtype}")
    return problems


def _refusal(name: str, load: Callable[[], Any]) -> list[str]:
    """Return what ``load`` raises, whatever it is: the state may come from an enemy."""
    try:
        load()
    except Exception as error:
        return [f"{name}: {type(error).__name__}: {str(error).rstrip('.')}"]
    return []
