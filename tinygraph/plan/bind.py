"""From steps to calls: each a function and its arguments, the array for the result among them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from .kernels import kernels
from .patterns import memory_of, same_layout
from .values import Role, Step, Value

Call = tuple[Callable[..., Any], Sequence[Any]]
Place = tuple[list[Any], int]


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
                for function, operands in kernels(step):
                    self.calls.append((function, self.arguments(operands)))
                    self.steps.append(step)
        self._fix_arguments()

    def _fix_arguments(self) -> None:
        """Make tuples of the arguments that never change: Python calls with them faster."""
        every = [*self.places, *self._changing.values()]
        changing = {id(arguments) for places in every for arguments, _ in places}
        self.calls = [(f, a if id(a) in changing else tuple(a)) for f, a in self.calls]

    def arguments(self, inputs: Sequence[Any]) -> list[Any]:
        """Return the arrays of values; those that change are entered at each call."""
        for x in inputs:
            if isinstance(x, Value):
                _bind_memory(x)
        changing = [x for x in inputs if isinstance(x, Value) and x.bound is None]
        return arguments_of(inputs, {x: self._places_of(x) for x in changing})

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


def arguments_of(inputs: Sequence[Any], places: dict[Value, list[Place]]) -> list[Any]:
    """Return the arrays of values, and note in ``places`` where its values stand."""
    arguments: list[Any] = []
    for x in inputs:
        if isinstance(x, Value):
            if x in places:
                places[x].append((arguments, len(arguments)))
            arguments.append(x.bound)
        else:
            arguments.append(x)
    return arguments


def _bind_memory(value: Value) -> None:
    if value.bound is None and value.role in (Role.LEAF, Role.MEMORY):
        value.bound = value.array
