"""Running a chain of elementwise steps block by block, so that it stays in cache.

Of a value that only its own chain reads, no more than one block for each thread ever exists.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from ..core.storage import Array
from ..core.sums import PIECE, total_of_pieces
from ..ops.threads import share, threads_now
from .bind import Call, arguments_of
from .buffers import allocate
from .kernels import Kernels, kernels
from .values import Role, Step, Value

BLOCK = PIECE
"""Elements of a block: a handful of them stay in cache, and a thread is busy with each long enough
that it seldom waits for Python's lock. Sums add the same pieces."""


class Block:
    """A chain of steps; called with the arrays of its inputs and of its results.

    Parameters
    ----------
    chain : sequence of Step
    totals : sequence of Step
        Sums and means of all numbers of a result of the chain.
    inputs, outs : sequence of Value
        What the chain reads from outside, and what others read of it.
    threads : int
        How many share it at most.

    Attributes
    ----------
    threads : int
        At most as many as there are blocks.
    movable : frozenset of Value
        Results that may be written to other memory at each call.
    nbytes : int
        Of the memory of all threads.
    """

    def __init__(
        self, chain: Sequence[Step], totals: Sequence[Step], inputs: Sequence[Value],
        outs: Sequence[Value], threads: int = 1,
    ) -> None:  # fmt: skip
        twins: dict[Value, Value] = {}
        for v in (*inputs, *outs, *(step.outs[0] for step in chain)):
            if v not in twins:
                pattern = _single(v.array) if v in inputs and is_single(v.array) else None
                outer = v in inputs or v in outs
                pattern = np.empty(BLOCK, v.array.dtype) if pattern is None else pattern
                twins[v] = Value(pattern, Role.MEMORY if outer else Role.TEMPORARY)
        size = chain[0].outs[0].array.size
        self._ranges = [(i, min(i + BLOCK, size)) for i in range(0, size, BLOCK)]
        self.threads = min(threads, len(self._ranges))
        self._outer = [twins[v] for v in (*inputs, *outs)]
        self._locals = [t for t in twins.values() if t.role is Role.TEMPORARY]
        self._steps = [
            Step(
                step.call, tuple(twins[x] if isinstance(x, Value) else x for x in step.inputs),
                (twins[step.outs[0]],), step.op, step.attrs,
            )
            for step in chain
        ]  # fmt: skip
        self._totals = [_Total(step, twins[step.inputs[0]], len(self._ranges)) for step in totals]
        for twin in self._outer:
            twin.bound = twin.array
        self.movable = frozenset(v for v in outs if self._shows(twins[v]))
        self.nbytes = 0
        self._scratch = [self._memory() for _ in range(self.threads)]
        self._calls: list[list[list[Call]]] = []  # of each thread, for each block
        self._entered: list[Array | None] = [None] * len(self._outer)
        self._places: list[list[list[Any]]] = []

    def _shows(self, twin: Value) -> bool:
        """Tell whether what a step writes to stands among the arguments of its calls."""
        (step,) = (step for step in self._steps if step.outs[0] is twin)
        return all(any(x is twin for x in operands) for _, operands in _movable_calls(step))

    def _memory(self) -> list[Array]:
        """Return arrays of one block for the values that nobody else reads."""
        for twin in self._locals:
            twin.bound = None
        summed = [total.twin for total in self._totals if total.twin in self._locals]
        self.nbytes += allocate(self._steps, summed).nbytes
        return [twin.bound for twin in self._locals if twin.bound is not None]

    def __call__(self, *arrays: Array) -> None:
        outer, results = arrays[: len(self._outer)], arrays[len(self._outer) :]
        if not self._calls:
            self._build(outer)
        for k, array in enumerate(outer):
            if array is not self._entered[k]:
                self._enter(k, array)
        share(self._run, len(self._ranges), min(self.threads, threads_now()))
        for total, out in zip(self._totals, results, strict=True):
            total.give(out)

    def _run(self, thread: int, number: int) -> None:
        for function, arguments in self._calls[thread][number]:
            function(*arguments)

    def _build(self, arrays: Sequence[Array]) -> None:
        """Make the calls of all blocks, and note where slices of the outer arrays stand."""
        self._places = [[[] for _ in self._ranges] for _ in self._outer]
        for memory in self._scratch:
            calls = []
            for number, (start, stop) in enumerate(self._ranges):
                for twin, array in zip(self._outer, arrays, strict=True):
                    twin.bound = _part(array, start, stop)
                for twin, scratch in zip(self._locals, memory, strict=True):
                    twin.bound = scratch[: stop - start]
                calls.append(self._calls_of(number))
            self._calls.append(calls)
        self._entered = list(arrays)
        for twin in self._outer:
            twin.bound = None  # these arrays are not to be kept

    def _calls_of(self, number: int) -> list[Call]:
        """Return the calls of a block, whose slices are bound."""
        places = {twin: of[number] for twin, of in zip(self._outer, self._places, strict=True)}
        made = [call for step in self._steps for call in _movable_calls(step)]
        made += [total.call(number) for total in self._totals]
        return [(function, arguments_of(operands, places)) for function, operands in made]

    def _enter(self, k: int, array: Array) -> None:
        self._entered[k] = array
        for (start, stop), places in zip(self._ranges, self._places[k], strict=True):
            part = _part(array, start, stop)
            for arguments, number in places:
                arguments[number] = part


def _movable_calls(step: Step) -> Kernels:
    """Return the calls of a step, in which the value that it makes stands for its array."""
    twin = step.outs[0]
    out, calls = twin.bound, []
    for function, operands in kernels(step):
        if isinstance(function, partial) and function.keywords.get("out") is out:
            keywords = {k: x for k, x in function.keywords.items() if k != "out"}
            function = partial(_write, partial(function.func, *function.args, **keywords))
            operands = (*operands, out)
        calls.append((function, tuple(twin if x is out else x for x in operands)))
    return calls


def _write(function: Any, *operands: Any) -> None:
    function(*operands[:-1], out=operands[-1])


class _Total:
    """The sum or mean of all numbers of a value, from the sums of its blocks.

    Parameters
    ----------
    step : Step
    twin : Value
        What is added up, within a block.
    count : int
        Of blocks.
    """

    def __init__(self, step: Step, twin: Value, count: int) -> None:
        x = step.inputs[0].array
        self.twin = twin
        self._sums = np.empty((count, 1), x.dtype)
        self._divisor = np.asarray(x.size, x.dtype) if step.name == "mean" else None

    def call(self, number: int) -> tuple[Any, tuple[Any, ...]]:
        """Return the function and arguments that add up a block."""
        return np.add.reduce, (self.twin, 0, None, self._sums[number, 0, ...])

    def give(self, out: Array) -> None:
        """Write the result."""
        out[...] = total_of_pieces(self._sums[:, 0])
        if self._divisor is not None:
            np.true_divide(out, self._divisor, out)


def _part(array: Array, start: int, stop: int) -> Array:
    return _single(array) if is_single(array) else array.ravel(order="K")[start:stop]


def is_single(array: Array) -> bool:
    """Tell whether an array is one element, perhaps repeated."""
    return array.size == 1 or not any(array.strides)


def _single(array: Array) -> Array:
    """Return the one element of an array as a 0-d array."""
    index: Any = (*(0,) * array.ndim, ...)  # the dots keep it an array
    one: Array = array[index]
    return one
