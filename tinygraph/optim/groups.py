"""Parameter groups: which tensors an optimizer updates, and with which options."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from ..core.errors import UsageError, compose_message, describe
from ..core.tensor import Tensor, holder_of

Check = Callable[[Mapping[str, Any]], None]


class Group(dict[str, Any]):
    """The options of some parameters; whatever is assigned is checked first.

    Parameters
    ----------
    options : dict
        With ``"params"``.
    who : str
        The optimizer's name, for messages.
    check : callable
        Raises on options out of range; returns None when its optimizer is gone.
    """

    def __init__(self, options: Mapping[str, Any], who: str, check: Check) -> None:
        super().__init__(options)
        self.initial_lr: float | None = None  # before the first schedule
        self._who = who
        self._check = check

    def __setitem__(self, name: str, value: Any) -> None:
        self.update({name: value})

    def __ior__(self, changes: Any) -> Group:  # type: ignore[override,misc]
        self.update(changes)
        return self

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Change options, all or none."""
        changes = dict(*args, **kwargs)
        check_names(self._who, changes, [name for name in self if name != "params"])
        self._check({**self, **changes})
        super().update(changes)


def check_names(who: str, options: Iterable[Any], known: Iterable[str]) -> None:
    """Raise on options that ``who`` does not have."""
    known = list(known)
    unknown = [name for name in options if name not in known]
    if "params" in unknown:
        raise UsageError(f"{who}: the parameters of a group are packed. Fix: a new optimizer.")
    if unknown:
        raise UsageError(
            compose_message(
                f"{who} has the options {', '.join(known)}",
                ", ".join(map(repr, unknown)),
                "one of these names",
            )
        )


def check_number(
    who: str, group: Mapping[str, Any], *names: str, low: float = 0.0, high: float = math.inf
) -> None:
    """Raise unless the named options are numbers in [low, high)."""
    for name in names:
        value = group[name]
        number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
        if not number or not low <= value < high:
            wanted = "a finite number" if high == math.inf else f"a number below {high:g}"
            raise UsageError(
                compose_message(f"{who}: {name} is {wanted}, from {low:g} on", describe(value))
            )


def check_flag(who: str, group: Mapping[str, Any], name: str) -> None:
    """Raise unless the named option is True or False."""
    if not isinstance(group[name], bool | np.bool_):
        raise UsageError(f"{who}: {name} is True or False, received {group[name]!r}.")


def as_groups(params: Any, defaults: dict[str, Any], who: str) -> list[dict[str, Any]]:
    """Return what an optimizer was given as a list of complete groups, all checked."""
    entries = _listed(who, params)
    if not any(isinstance(entry, dict) for entry in entries):
        entries = [{"params": entries}]
    groups = []
    for entry in entries:
        if not isinstance(entry, dict) or "params" not in entry:
            raise UsageError(
                compose_message(
                    f"{who} takes tensors, or groups such as {{'params': …, 'lr': 0.1}}",
                    describe(entry),
                    "one kind or the other",
                )
            )
        check_names(who, [name for name in entry if name != "params"], defaults)
        own = entry["params"]
        tensors = [own] if isinstance(own, Tensor) else _listed(who, own)
        groups.append({**defaults, **entry, "params": tuple(tensors)})
    check_parameters([p for group in groups for p in group["params"]])
    return groups


def _listed(who: str, params: Any) -> list[Any]:
    fix = ""
    if hasattr(params, "named_parameters"):
        fix = f"{who}(model.parameters(), …)"
    elif isinstance(params, Tensor | np.ndarray):
        fix = f"{who}([w], …)"
    elif isinstance(params, Mapping):
        fix = f"a list of groups, {who}([{{'params': …}}]), or model.parameters()"
    elif isinstance(params, set | frozenset):
        fix = "a list: a set has no order, and a saved state needs one"
    elif not isinstance(params, Iterable) or isinstance(params, str):
        fix = "model.parameters()"
    if fix:
        raise UsageError(compose_message(f"{who} takes a list of tensors", describe(params), fix))
    entries = list(params)
    if not entries:
        raise UsageError(
            f"{who} got no parameters. Fix: model.parameters() of a model that has some; "
            "an iterator can be used once only."
        )
    return entries


def check_parameters(parameters: Iterable[Any]) -> None:
    """Raise unless all are floating leaves to train, each once, and free of other optimizers."""
    seen: set[int] = set()
    for i, p in enumerate(parameters):
        if not isinstance(p, Tensor):
            fix = "model.parameters()"
            _refuse(f"An optimizer takes tensors, entry {i} is none", p, fix)
        name = repr(p.name) if p.name else f"entry {i}"
        if p.op is not None:
            fix = "the leaf it was made from, or t.detach().requires_grad_()"
            _refuse(f"An optimizer takes leaves; {name} was made by '{p.op.name}'", p, fix)
        if p.dtype.kind != "f":
            _refuse(
                f"An optimizer takes floating tensors; {name} is none", p, "t.astype(np.float32)"
            )
        if type(p) is Tensor and not p.requires_grad:
            fix = "tg.tensor(…, requires_grad=True), or nn.Parameter(…)"
            _refuse(f"{name} does not require grad, so it would never be trained", p, fix)
        if id(p) in seen:
            raise UsageError(f"Parameter {name} stands twice in the optimizer's list. Fix: once.")
        seen.add(id(p))
        if holder_of(p) is not None:
            fix = "close() the other one first, or use it"
            _refuse(f"Parameter {name} has an optimizer already", p, fix)


def _refuse(what: str, received: Any, fix: str) -> None:
    raise UsageError(compose_message(what, describe(received), fix))
