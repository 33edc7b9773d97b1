"""The base of all optimizers: parameter groups, zero_grad, state, and one flat update."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..core.errors import UsageError
from ..core.tensor import Array, Tensor
from .flat import FlatParameters, check_parameters

Group = dict[str, Any]


class Optimizer:
    """Updates parameters from their gradients; subclasses hold one formula each.

    Building one packs the parameters, per group and dtype, into one vector; ``close()``
    unpacks them. A parameter has one live optimizer.

    Parameters
    ----------
    params : iterable of Tensor, or of dicts
        A dict is a group with options of its own: ``{"params": …, "lr": 0.1}``.
    defaults : dict
        The options of groups that do not set them.

    Attributes
    ----------
    param_groups : list of dict
        The groups; their options (``lr`` …) may be changed between steps.
    """

    buffer_names: tuple[str, ...] = ()
    """State vectors that the formula keeps for each parameter."""

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        self.param_groups = _as_groups(params, defaults, type(self).__name__)
        for group in self.param_groups:
            self.check_options(group)
        check_parameters([p for group in self.param_groups for p in group["params"]])
        self._packs = [_pack(group["params"], self.buffer_names) for group in self.param_groups]

    def check_options(self, group: Group) -> None:
        """Raise UsageError on options out of range."""
        check_nonnegative(type(self).__name__, group, "lr", "weight_decay")

    def update(self, group: Group, data: Array, grad: Array, state: list[Array], step: int) -> None:
        """Change ``data`` in place by one step; ``step`` counts from 1."""
        raise UsageError(f"{type(self).__name__} defines no update.")

    def step(self) -> None:
        """Update every parameter that has a gradient."""
        for group, packs in zip(self.param_groups, self._packs, strict=True):
            for flat, buffers in packs:
                for run, steps in flat.runs():
                    state = [b[run] for b in buffers]
                    self.update(group, flat.data[run], flat.grad[run], state, steps + 1)
                flat.count_step()

    def zero_grad(self) -> None:
        """Set all gradients to None, so that the next backward pass starts afresh."""
        for group in self.param_groups:
            for p in group["params"]:
                p._grad = None

    def close(self) -> None:
        """Unpack the parameters; the optimizer is of no use afterwards."""
        for packs in self._packs:
            for flat, _ in packs:
                flat.release()
        self._packs = [[] for _ in self.param_groups]

    @property
    def flat(self) -> list[FlatParameters]:
        """The packed vectors, in the order of the groups."""
        return [flat for packs in self._packs for flat, _ in packs]

    # ---- state ------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Return options and state by parameter number, as PyTorch does."""
        numbers = _numbers(self.param_groups)
        state: dict[int, dict[str, Any]] = {}
        for flat, buffers in (pack for packs in self._packs for pack in packs):
            parts = [flat.split(b) for b in buffers]
            for i, p in enumerate(flat.parameters):
                if flat.steps[i]:
                    entry: dict[str, Any] = {"step": flat.steps[i]}
                    for name, part in zip(self.buffer_names, parts, strict=True):
                        entry[name] = part[i].copy()
                    state[numbers[p]] = entry
        groups = [
            {**{k: v for k, v in g.items() if k != "params"}, "params": [numbers[p] for p in g["params"]]}
            for g in self.param_groups
        ]
        return {"state": dict(sorted(state.items())), "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a state of :meth:`state_dict`; checked before anything is changed.

        Raises
        ------
        UsageError
            If groups, numbers, names or shapes do not fit.
        """
        groups, state = self._checked_state(state_dict)
        for group, saved in zip(self.param_groups, groups, strict=True):
            group.update({k: v for k, v in saved.items() if k != "params"})
        numbers = _numbers(self.param_groups)
        for flat, buffers in (pack for packs in self._packs for pack in packs):
            parts = [flat.split(b) for b in buffers]
            for i, p in enumerate(flat.parameters):
                entry = state.get(numbers[p], {})
                flat.steps[i] = int(entry.get("step", 0))
                for name, part in zip(self.buffer_names, parts, strict=True):
                    part[i][...] = entry.get(name, 0)

    def _checked_state(self, state_dict: Mapping[str, Any]) -> tuple[list[Any], dict[int, Any]]:
        try:
            groups, state = list(state_dict["param_groups"]), dict(state_dict["state"])
        except (KeyError, TypeError) as error:
            raise UsageError("An optimizer's state has 'state' and 'param_groups'.") from error
        sizes = [len(g["params"]) for g in self.param_groups]
        given = [len(g["params"]) for g in groups]
        if sizes != given:
            raise UsageError(
                f"The state has groups of {given} parameters, this optimizer of {sizes}."
            )
        for group in groups:
            self.check_options(group)
        parameters = [p for g in self.param_groups for p in g["params"]]
        for number, entry in state.items():
            for name in self.buffer_names:
                if np.shape(entry.get(name)) != parameters[int(number)].shape:
                    raise UsageError(
                        f"State {name!r} of parameter {number} has shape "
                        f"{np.shape(entry.get(name))}, needed is {parameters[int(number)].shape}."
                    )
        return groups, {int(k): v for k, v in state.items()}

    def __repr__(self) -> str:
        options = {k: v for k, v in self.param_groups[0].items() if k != "params"}
        inside = ", ".join(f"{k}={v}" for k, v in options.items())
        return f"{type(self).__name__}({inside})"


def check_nonnegative(who: str, group: Group, *names: str) -> None:
    """Raise unless the named options are finite numbers from 0 on."""
    for name in names:
        value = group[name]
        number = isinstance(value, int | float | np.floating) and not isinstance(value, bool)
        if not number or not 0 <= value < float("inf"):
            raise UsageError(f"{who}: {name} is a finite number from 0 on, received {value!r}.")


def _as_groups(params: Iterable[Any], defaults: dict[str, Any], who: str) -> list[Group]:
    if isinstance(params, Tensor):
        raise UsageError(f"{who} takes a list of tensors. Fix: {who}([w], …).")
    entries = list(params)
    if not entries:
        raise UsageError(f"{who} got no parameters. Fix: model.parameters() of a model that has some.")
    if not isinstance(entries[0], dict):
        entries = [{"params": entries}]
    groups = []
    for entry in entries:
        unknown = set(entry) - {"params", *defaults}
        if "params" not in entry or unknown:
            raise UsageError(
                f"{who}: a group has 'params' and may have {', '.join(defaults)}; "
                f"received {', '.join(map(str, entry))}."
            )
        own = entry["params"]
        groups.append({**defaults, **entry, "params": [own] if isinstance(own, Tensor) else list(own)})
    return groups


def _pack(params: list[Tensor], names: tuple[str, ...]) -> list[tuple[FlatParameters, list[Array]]]:
    by_dtype: dict[Any, list[Tensor]] = {}
    for p in params:
        by_dtype.setdefault(p.dtype, []).append(p)
    packs = []
    for same in by_dtype.values():
        flat = FlatParameters(same)
        packs.append((flat, [np.zeros_like(flat.data) for _ in names]))
    return packs


def _numbers(groups: list[Group]) -> dict[Tensor, int]:
    return {p: i for i, p in enumerate(p for g in groups for p in g["params"])}
