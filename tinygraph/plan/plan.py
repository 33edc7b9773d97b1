"""A plan: the flat program of one recorded run, its buffers, and how it is run again."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.errors import CompileError
from ..core.graph import Graph
from ..core.storage import Array, mark_all
from ..core.tensor import Tensor, own_gradient
from .bind import Program
from .blocks import Block, join_elementwise
from .buffers import allocate
from .kernels import join_casts
from .passes import (
    check_closed,
    merge_pointers,
    straight_to_gradients,
    without_dead,
    without_repeats,
)
from .record import Recorder
from .show import Listing, graph_of, listing
from .signature import rebuild
from .values import Role, Value


class Output:
    """Place of a tensor in what the function returns."""

    def __init__(self, number: int) -> None:
        self.number = number


class Plan:
    """One recorded run as a list of calls on preallocated arrays.

    Attributes
    ----------
    steps : list of Step
        What runs, in order.
    nbytes : int
        Bytes of all buffers.
    """

    def __init__(
        self, recorder: Recorder, result: Any, stand_ins: Sequence[Tensor], copy: bool
    ) -> None:
        self.guards = recorder.guards
        self._copy = copy
        self._storages = list(recorder.storages.values())
        self._lock = threading.RLock()
        self._running = False
        outputs: list[Value] = []
        self._tensors: list[Any] = []

        def output(x: Any) -> Any:
            if isinstance(x, np.ndarray):
                return x  # made from Python values: frozen
            outputs.append(recorder.value_of(x))
            self._tensors.append(x if outputs[-1].role is Role.LEAF else None)
            return Output(len(outputs) - 1)

        self._template = rebuild(result, output)
        self._gradients = [_gradient_of(recorder, t) for t in stand_ins]
        self._gives_gradients = any(dropped or g for dropped, g in self._gradients)
        kept = [*outputs, *(g for _, g in self._gradients if g is not None)]
        steps = without_repeats(recorder.steps, kept)
        steps = without_dead(steps, kept)
        steps = join_casts(steps, kept)
        steps = merge_pointers(straight_to_gradients(steps, kept))
        steps = join_elementwise(steps, kept)
        check_closed(steps, kept)
        self.steps = steps
        self.pool = allocate(steps, kept)
        blocks = [step.call for step in steps if isinstance(step.call, Block)]
        self.nbytes = self.pool.nbytes + sum(block.pool.nbytes for block in blocks)
        self._program = Program(steps, len(stand_ins))
        self._results = self._program.arguments(kept)
        self._calls = self._program.calls
        self._kept = kept
        self._ready = False
        self._release(kept)

    def _release(self, kept: Sequence[Value]) -> None:
        """Let the arrays of the recorded run go; replays have their own."""
        for step in self.steps:
            for value in (*step.values(), *step.outs):
                if value.bound is not None:
                    value.array = value.bound
                else:
                    shape, dtype = value.array.shape, value.array.dtype
                    value.array = np.broadcast_to(np.empty((), dtype), shape)

    def first(self, result: Any, tensors: Sequence[Tensor | None], stand_ins: Any) -> Any:
        """Return what the recorded run returned, as a replay does."""
        for tensor, (dropped, value), stand_in in zip(
            tensors, self._gradients, stand_ins, strict=True
        ):
            if tensor is not None and dropped:
                tensor._grad = None
            if tensor is not None and value is not None:
                own_gradient(tensor, stand_in._grad)
        numbers = iter(self._tensors)

        def output(x: Any) -> Any:
            if isinstance(x, np.ndarray):
                return x
            leaf = next(numbers)
            return Tensor(x._data.copy(order="K")) if leaf is None else leaf

        return rebuild(result, output)

    # ---- running ---------------------------------------------------------------------------

    def run(self, arrays: Sequence[Array], tensors: Sequence[Tensor | None]) -> Any:
        """Replay with the arrays of the arguments."""
        with self._lock:
            if self._running:
                raise CompileError(
                    "A compiled function calls itself, with the same signature, through code that "
                    "its plan cannot look into. Fix: call the function that was compiled."
                )
            for array, places in zip(arrays, self._program.places, strict=True):
                for arguments, number in places:
                    arguments[number] = array
            for look, seen, places in self._program.views:
                view = look(*seen)
                for arguments, number in places:
                    arguments[number] = view
            self._running = True
            try:
                with np.errstate(all="ignore"):
                    for function, arguments in self._calls:
                        function(*arguments)
            finally:
                self._running = False
                if self._storages:
                    mark_all(self._storages)
            self._ready = True
            if self._gives_gradients:
                self._give_gradients(tensors)
            return self._outputs(tensors)

    # ---- looking at it ---------------------------------------------------------------------

    def show(self) -> Listing:
        """Return a table of the steps that prints: op, module, result, bytes and time.

        Times are the least of a few replays with the arguments of the last call, whose effects
        are taken back; before the first replay there are none.
        """
        with self._lock:
            program = self._program
            views = sum(step.is_view for step in self.steps) - sum(s.is_view for s in program.steps)
            return listing(program.steps, program.calls, self.nbytes, views, self._ready)

    def graph(self) -> Graph:
        """Return the plan as a graph: ``tg.draw(plan)`` draws it."""
        return graph_of(self.steps, self._kept)

    def __repr__(self) -> str:
        return f"<plan of {len(self._calls)} steps, {self.nbytes} bytes of buffers>"

    # ---- what it returns --------------------------------------------------------------------

    def _outputs(self, tensors: Sequence[Tensor | None]) -> Any:
        template = self._template
        if type(template) is Output:
            return self._output(template)
        return _fill(template, self._output) if template is not None else None

    def _output(self, place: Output) -> Tensor:
        leaf = self._tensors[place.number]
        if leaf is not None:
            return leaf  # type: ignore[no-any-return]
        array = self._results[place.number]
        return Tensor(array.copy(order="K") if self._copy else array)

    def _give_gradients(self, tensors: Sequence[Tensor | None]) -> None:
        """Put the gradients of arguments where the caller finds them."""
        for tensor, (dropped, value) in zip(tensors, self._gradients, strict=True):
            if isinstance(tensor, Tensor):
                if dropped:
                    tensor._grad = None
                if value is not None:
                    assert value.bound is not None
                    own_gradient(tensor, value.bound)


def _gradient_of(recorder: Recorder, stand_in: Tensor) -> tuple[bool, Value | None]:
    """Return whether the run dropped the gradient of an argument, and the one it made."""
    dropped = stand_in in recorder.guards.settled
    if stand_in._grad is None:
        return dropped, None
    return dropped, recorder.memory(stand_in._grad)


def _fill(template: Any, make: Any) -> Any:
    if type(template) is Output:
        return make(template)
    if isinstance(template, tuple) and hasattr(template, "_fields"):
        return type(template)(*(_fill(item, make) for item in template))
    if isinstance(template, tuple | list):
        return type(template)(_fill(item, make) for item in template)
    if isinstance(template, dict):
        return {name: _fill(item, make) for name, item in template.items()}
    return template
