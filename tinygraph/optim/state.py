"""The state of an optimizer as plain data: checked in whole before any of it is used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..core.errors import TinygraphError, UsageError, compose_message, describe
from ..core.storage import Array
from ..core.tensor import Tensor
from .groups import Check, check_names

Entry = dict[str, Any]


def checked_state(
    who: str,
    state_dict: Any,
    groups: Sequence[Mapping[str, Any]],
    buffer_names: Sequence[str],
    check_options: Check,
) -> tuple[list[dict[str, Any]], dict[int, Entry]]:
    """Return the options of each group and the entry of each parameter number.

    Raises
    ------
    UsageError
        With all problems at once.
    """
    given, entries = _parts(who, state_dict)
    problems = []
    sizes = [len(g["params"]) for g in groups]
    given_sizes = [len(g["params"]) for g in given]
    if sizes != given_sizes:
        problems.append(f"it has groups of {given_sizes} parameters, this optimizer of {sizes}")
    options = []
    for own, saved in zip(groups, given, strict=False):
        options.append({k: v for k, v in saved.items() if k != "params"})
        try:
            check_names(who, options[-1], [k for k in own if k != "params"])
            check_options({**own, **options[-1]})
        except TinygraphError as error:
            problems.append(str(error).rstrip("."))
    parameters = [p for g in groups for p in g["params"]]
    checked = {}
    for number, entry in entries.items():
        try:
            checked[int(number)] = _checked_entry(number, entry, parameters, buffer_names)
        except UsageError as error:
            problems.append(str(error).rstrip("."))
    if problems:
        raise UsageError(f"{who}.load_state_dict changed nothing: {'; '.join(problems)}.")
    return options, checked


def _parts(who: str, state_dict: Any) -> tuple[list[Mapping[str, Any]], Mapping[Any, Any]]:
    try:
        groups, entries = list(state_dict["param_groups"]), dict(state_dict["state"])
        if all(isinstance(len(g["params"]), int) and isinstance(g, Mapping) for g in groups):
            return groups, entries
    except (KeyError, TypeError, ValueError, IndexError):
        pass
    raise UsageError(
        compose_message(
            f"{who}.load_state_dict takes a dict with 'state' and 'param_groups'",
            describe(state_dict),
            "what optimizer.state_dict() returned",
        )
    )


def _checked_entry(
    number: Any, entry: Any, parameters: Sequence[Tensor], buffer_names: Sequence[str]
) -> Entry:
    where = f"the state of parameter {number!r}"
    if not isinstance(number, int | str) or not str(number).isdecimal():
        raise UsageError(f"{where} has no number")
    if int(number) >= len(parameters):
        raise UsageError(f"{where} is one too many, this optimizer has {len(parameters)}")
    if not isinstance(entry, Mapping) or set(entry) != {"step", *buffer_names}:
        has = ", ".join(map(str, entry)) if isinstance(entry, Mapping) else describe(entry)
        raise UsageError(f"{where} has {has}, needed are {', '.join(('step', *buffer_names))}")
    step = _array(where, entry["step"])
    if step.size != 1 or step.dtype.kind not in "fiu" or step != np.floor(step) or step < 1:
        raise UsageError(f"{where} has step {entry['step']!r}, needed is a whole number from 1 on")
    p = parameters[int(number)]
    result: Entry = {"step": int(step.item())}
    for name in buffer_names:
        value = _array(where, entry[name])
        if value.shape != p.shape or value.dtype.kind != "f":
            raise UsageError(f"{where} has {name} {describe(value)}, needed is {describe(p)}")
        result[name] = value
    return result


def _array(where: str, value: Any) -> Array:
    try:
        return np.asarray(value)
    except (ValueError, TypeError, RuntimeError) as error:
        raise UsageError(f"{where} is not made of numbers ({error})") from error
