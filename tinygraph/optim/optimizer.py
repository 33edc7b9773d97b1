"""The base of all optimizers: parameter groups, zero_grad, state, and one flat update."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..core.calls import explain_calls
from ..core.errors import UsageError
from ..core.recording import RECORDERS, run_again
from ..core.storage import Array
from ..core.tensor import Tensor, drop_gradients, has_gradient
from .flat import FlatParameters
from .groups import Check, Group, as_groups, check_number
from .state import checked_state


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
    param_groups : tuple of dict
        The groups; their options (``lr`` …) may be changed between steps.
    closed : bool
        Whether :meth:`close` was called.

    Raises
    ------
    UsageError
        For options out of range, or tensors that cannot be trained; nothing is packed then.
    """

    buffer_names: tuple[str, ...] = ()
    """State vectors that the formula keeps for each parameter."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        explain_calls(cls)

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        who = type(self).__name__
        groups = as_groups(params, defaults, who)
        for group in groups:
            self.check_options(group)
        check = _weakly(self)
        self.param_groups = tuple(Group(group, who, check) for group in groups)
        self._packs = [_pack(group["params"], self._buffers_of(group)) for group in groups]
        self.closed = False

    def check_options(self, group: Mapping[str, Any]) -> None:
        """Raise UsageError on options out of range."""
        check_number(type(self).__name__, group, *({"lr", "weight_decay"} & set(group)))

    def first_value(self, group: Mapping[str, Any], name: str) -> float:
        """Return what the state vector ``name`` is filled with before the first step."""
        return 0.0

    def _buffers_of(self, group: Mapping[str, Any]) -> dict[str, float]:
        return {name: self.first_value(group, name) for name in self.buffer_names}

    def update(self, group: Group, data: Array, grad: Array, state: list[Array], step: int) -> None:
        """Change ``data`` in place by one step; ``step`` counts from 1.

        The optimizers here call the formula behind their op: a step is taken once, without
        tensors, and workers have no turns to wait for.
        """
        raise UsageError(f"{type(self).__name__} defines no update.")

    def step(self) -> None:
        """Update every parameter that has a gradient.

        Raises
        ------
        UsageError
            After :meth:`close`.
        """
        if self.closed:
            raise self._is_closed("step")
        if RECORDERS:
            self._recorded_step()
            return
        with np.errstate(all="ignore"):  # as in a replay: what diverges shows in the loss
            self._step()

    def _recorded_step(self) -> None:
        """Tell a recorder what a step asks and changes; a replay takes the step again."""
        for group in self.param_groups:
            for p in group["params"]:
                has_gradient(p)
        packs = [pack for packs in self._packs for pack in packs]
        changed = [x for flat, buffers in packs for x in (flat.data, flat.steps, *buffers)]
        run_again(self._step, f"{type(self).__name__}.step", changed)

    def _step(self) -> None:
        for group, packs in zip(self.param_groups, self._packs, strict=True):
            for flat, buffers in packs:
                if flat.all_alike():  # as nearly always: the vectors as they are
                    self.update(group, flat.data, flat.grad, buffers, flat.steps[0] + 1)
                    flat.count_step_of_all()
                    continue
                for run, steps in flat.runs():
                    state = [b[run] for b in buffers]
                    self.update(group, flat.data[run], flat.grad[run], state, steps + 1)
                flat.count_step()

    def zero_grad(self) -> None:
        """Set all gradients to None, so that the next backward pass starts afresh."""
        for group in self.param_groups:
            drop_gradients(group["params"])

    def close(self) -> None:
        """Unpack the parameters; the optimizer cannot be used afterwards."""
        for packs in self._packs:
            for flat, _ in packs:
                flat.release()
        self._packs = [[] for _ in self.param_groups]
        self.closed = True

    def _is_closed(self, action: str) -> UsageError:
        who = type(self).__name__
        return UsageError(f"{who}.{action}: this optimizer was closed. Fix: build a new one.")

    def __reduce__(self) -> Any:
        who = type(self).__name__
        raise UsageError(
            f"{who} cannot be copied or pickled: its parameters are views into its memory. "
            f"Fix: {who}(copied_model.parameters()), then load_state_dict(optimizer.state_dict())."
        )

    @property
    def flat(self) -> list[FlatParameters]:
        """The packed vectors, in the order of the groups."""
        return [flat for packs in self._packs for flat, _ in packs]

    # ---- state ------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Return options and state by parameter number, as PyTorch does."""
        if self.closed:
            raise self._is_closed("state_dict")
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
            {**group, "params": [numbers[p] for p in group["params"]]}
            for group in self.param_groups
        ]
        return {"state": dict(sorted(state.items())), "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a state of :meth:`state_dict`; checked before anything is changed.

        Raises
        ------
        UsageError
            If groups, numbers, names or shapes do not fit.
        """
        if self.closed:
            raise self._is_closed("load_state_dict")
        who = type(self).__name__
        options, state = checked_state(
            who, state_dict, self.param_groups, self.buffer_names, self.check_options
        )
        for group, saved in zip(self.param_groups, options, strict=True):
            group.update(saved)
        numbers = _numbers(self.param_groups)
        for group, packs in zip(self.param_groups, self._packs, strict=True):
            fresh = {"step": 0, **self._buffers_of(group)}
            for flat, buffers in packs:
                parts = [flat.split(b) for b in buffers]
                for i, p in enumerate(flat.parameters):
                    entry = state.get(numbers[p], fresh)
                    flat.steps[i] = entry["step"]
                    for name, part in zip(self.buffer_names, parts, strict=True):
                        part[i][...] = entry[name]

    def __repr__(self) -> str:
        options = {k: v for k, v in self.param_groups[0].items() if k != "params"}
        inside = ", ".join(f"{k}={v}" for k, v in options.items())
        return f"{type(self).__name__}({inside})"


def _weakly(optimizer: Optimizer) -> Check:
    """Return check_options without keeping the optimizer alive: no cycle with its groups."""
    method = weakref.WeakMethod(optimizer.check_options)

    def check(group: Mapping[str, Any]) -> None:
        check_options = method()
        if check_options is not None:
            check_options(group)

    return check


def _pack(
    params: Iterable[Tensor], first_values: Mapping[str, float]
) -> list[tuple[FlatParameters, list[Array]]]:
    by_dtype: dict[Any, list[Tensor]] = {}
    for p in params:
        by_dtype.setdefault(p.dtype, []).append(p)
    packs = []
    for same in by_dtype.values():
        flat = FlatParameters(same)
        packs.append((flat, [np.full_like(flat.data, v) for v in first_values.values()]))
    return packs


def _numbers(groups: Sequence[Group]) -> dict[Tensor, int]:
    return {p: i for i, p in enumerate(p for g in groups for p in g["params"])}
