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
from .bind import Call, Program
from .block import Block
from .blocks import join_elementwise
from .buffers import allocate
from .fresh import Fresh, renewable
from .kernels import join_casts
from .outputs import Outputs
from .passes import (
    check_closed,
    merge_pointers,
    straight_to_gradients,
    without_dead,
    without_repeats,
)
from .record import Recorder
from .show import Listing, graph_of, listing, seconds_of
from .values import Value


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
        self, recorder: Recorder, outputs: Outputs, arguments: Sequence[ArgumentGradient]
    ) -> None:
        self.guards = recorder.guards
        self._storages = list(recorder.storages.values())
        self._lock = threading.RLock()
        self._running = False
        self._outputs = outputs
        self._gradients = arguments
        self._gives_gradients = any(g.dropped or g.value is not None for g in arguments)
        kept = [*outputs.values, *(g.value for g in arguments if g.value is not None)]
        steps = without_repeats(recorder.steps, kept)
        steps = without_dead(steps, kept)
        steps = join_casts(steps, kept)
        steps = merge_pointers(straight_to_gradients(steps, kept))
        steps = join_elementwise(steps, kept)
        check_closed(steps, kept)
        self.steps = steps
        self.pool = allocate(steps, kept)
        blocks = [step.call for step in steps if isinstance(step.call, Block)]
        self.nbytes = self.pool.nbytes + sum(block.nbytes for block in blocks)
        self._program = Program(steps, len(arguments))
        outputs.arrays = self._program.arguments(kept)
        self._calls = self._program.calls
        self._fresh = renewable([g.value for g in arguments if g.value], steps, self._calls)
        for gradient in arguments:
            gradient.fresh = next((f for f in self._fresh if f.value is gradient.value), None)
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
            self._renew()
            self._running = True
            try:
                _run_all(self._calls)
            finally:
                self._running = False
                if self._storages:
                    mark_all(self._storages)
            self._ready = True
            if self._gives_gradients:
                self._give_gradients(tensors)
            return self._outputs()

    # ---- looking at it ---------------------------------------------------------------------

    def show(self) -> Listing:
        """Return a table of the steps that prints: op, module, result, bytes and time.

        Times are the least of a few replays with the arguments of the last call, whose effects
        are taken back; before the first replay there are none.
        """
        with self._lock:
            program = self._program
            self._renew()
            views = sum(step.is_view for step in self.steps) - sum(s.is_view for s in program.steps)
            return listing(program.steps, program.calls, self.nbytes, views, self._ready)

    def graph(self) -> Graph:
        """Return the plan as a graph: ``tg.draw(plan, show=("bytes", "time"))`` draws it."""
        graph, tensors = graph_of(self.steps, self._kept)

        def seconds() -> dict[Tensor, float]:
            with self._lock:
                self._renew()
                steps, calls = self._program.steps, self._program.calls
                return seconds_of(steps, calls, tensors) if self._ready else {}

        graph.timer = seconds
        return graph

    def __repr__(self) -> str:
        return f"<plan of {len(self._calls)} steps, {self.nbytes} bytes of buffers>"

    def _renew(self) -> None:
        """Leave what callers were given alone."""
        for gradient in self._fresh:
            gradient.renew()

    def _give_gradients(self, tensors: Sequence[Tensor | None]) -> None:
        """Put the gradients of arguments where the caller finds them."""
        for tensor, gradient in zip(tensors, self._gradients, strict=True):
            if isinstance(tensor, Tensor):
                gradient.give(tensor)


@np.errstate(all="ignore")
def _run_all(calls: Sequence[Call]) -> None:
    for function, arguments in calls:
        function(*arguments)


class ArgumentGradient:
    """What becomes of the gradient of an argument; of one that is given once more, nothing.

    Attributes
    ----------
    dropped : bool
        Whether the run forgets the one that the argument came with.
    value : Value or None
        The one that it makes.
    fresh : Fresh or None
        Its memory, if that is new at each replay.
    """

    def __init__(self, recorder: Recorder, stand_in: Tensor | None) -> None:
        made = None if stand_in is None else stand_in._grad
        self.dropped = stand_in in recorder.guards.settled
        self.value = None if made is None else recorder.memory(made)
        self.fresh: Fresh | None = None

    def give(self, tensor: Tensor, made: Array | None = None) -> None:
        """Put it where the caller finds it; ``made`` by the recorded run, or by a replay."""
        if self.dropped:
            tensor._grad = None
        if self.value is not None:
            if made is None and self.fresh is not None and self.fresh.give(tensor):
                return
            gradient = self.value.bound if made is None else made
            assert gradient is not None
            own_gradient(tensor, gradient)
