"""From steps to calls: each a function and its arguments, the array for the result among them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from ..core.storage import Array
from .buffers import distinct
from .values import Role, Step, Value, memory_of, same_layout

Call = tuple[Callable[..., Any], list[Any]]
Place = tuple[list[Any], int]
WARNS_ON_POSITIONAL_OUT = (np.maximum, np.minimum)


class Program:
    """The calls of a replay, and where arrays that change with each call stand in them.

    Attributes
    ----------
    calls : list of (function, list of arguments)
        Run one after the other.
    views : list of (function, arguments, places)
        Views of the arguments of the call: made anew before the calls.
    places : list of list of (arguments, number)
        For each argument of the call, where its array goes.
    steps : list of Step
        The step behind each call.
    """

    def __init__(self, steps: Sequence[Step], inputs: int) -> None:
        self.calls: list[Call] = []
        self.views: list[tuple[Callable[..., Any], list[Any], list[Place]]] = []
        self.places: list[list[Place]] = [[] for _ in range(inputs)]
        self.steps: list[Step] = []
        self._changing: dict[Value, list[Place]] = {}
        for step in steps:
            for value in step.values():
                _bind_memory(value)
            if not (step.is_view and self._bind_view(step)):
                function, more = kernel(step)
                arguments = self.arguments(step.inputs)
                arguments.extend(more)
                self.calls.append((function, arguments))
                self.steps.append(step)

    def arguments(self, inputs: Sequence[Any]) -> list[Any]:
        """Return the arrays of values; those that change are entered at each call."""
        arguments: list[Any] = []
        for x in inputs:
            if isinstance(x, Value):
                _bind_memory(x)
                if x.bound is None:
                    self._places_of(x).append((arguments, len(arguments)))
                arguments.append(x.bound)
            else:
                arguments.append(x)
        return arguments

    def _places_of(self, value: Value) -> list[Place]:
        if value.role is Role.INPUT:
            return self.places[value.position]
        return self._changing[value]

    def _bind_view(self, step: Step) -> bool:
        """Make a view once, or, of an argument of the call, before the calls."""
        out = step.outs[0]
        look = partial(step.call, **step.attrs) if step.attrs else step.call
        if out.owner.role is Role.INPUT:
            places = self._changing[out] = []
            self.views.append((look, self.arguments(step.inputs), places))
            return True
        view = look(*self.arguments(step.inputs))
        owner = out.owner.bound
        if memory_of(view) is not memory_of(owner) or not same_layout(view, out.array):
            return False
        out.bound = view
        return True


def _bind_memory(value: Value) -> None:
    if value.bound is None and value.role in (Role.LEAF, Role.MEMORY):
        value.bound = value.array


def kernel(step: Step) -> tuple[Callable[..., Any], list[Any]]:
    """Return the function that runs a step, and what follows its inputs."""
    call = partial(step.call, **step.attrs) if step.attrs else step.call
    if not step.outs:
        return call, []
    into = [out.bound for out in step.outs]
    if step.op is None:
        return call, into
    out = into[0]
    assert out is not None
    if not step.op.accepts_out or not _takes_result(step, out):
        return _copying(call, out), []
    if step.op.name == "matmul":
        return _product(step, out)
    if isinstance(step.call, np.ufunc) and step.call not in WARNS_ON_POSITIONAL_OUT:
        return step.call, [out]
    return partial(step.call, out=out, **step.attrs), []


def _takes_result(step: Step, out: Array) -> bool:
    """Tell whether the forward function can write into ``out``: distinct places, right dtype."""
    if distinct(out).size != out.size:
        return False
    kinds = [v.array.dtype.kind for v in step.inputs if isinstance(v, Value)]
    return out.dtype.kind != "f" or "f" in kinds


def _copying(call: Callable[..., Any], out: Array) -> Callable[..., Any]:
    """Return a function that copies the result of ``call`` into ``out``."""
    to, copyto = distinct(out), np.copyto
    if to.size == out.size:
        return lambda *inputs: copyto(to, call(*inputs))
    return lambda *inputs: copyto(to, distinct(call(*inputs)))


def _product(step: Step, out: Array) -> tuple[Callable[..., Any], list[Any]]:
    """Choose the product: `np.dot` has half the overhead of `np.matmul` for two matrices."""
    a, b = (x.array for x in step.inputs)
    if a.ndim == b.ndim == 2 and out.flags.c_contiguous and a.dtype == b.dtype == out.dtype:
        return np.dot, [out]
    return np.matmul, [out]
