"""Chains of elementwise steps on large arrays run block by block, so that they stay in cache.

Of a value that only its own chain reads, no more than one block ever exists.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.storage import Array
from .bind import arguments_of
from .buffers import allocate
from .kernels import kernels
from .values import Role, Step, Value

BLOCK = 32_768
"""Elements of a block: a handful of them stay in the second-level cache."""

LEAST = 2 * BLOCK
"""Elements that a chain must have for blocks to pay."""


def join_elementwise(steps: Sequence[Step], outputs: Sequence[Value]) -> list[Step]:
    """Join neighbours that work element by element on arrays that lie alike in memory.

    Steps without effects in between move before or behind the chain.
    """
    done: list[Step] = []
    chain: list[Step] = []
    behind: list[Step] = []
    made_in_chain: set[Value] = set()
    made_behind: set[Value] = set()

    def flush() -> None:
        if len(chain) > 1:
            done.append(_joined(chain, behind, steps, outputs))
        else:
            done.extend(chain)
        done.extend(behind)
        for group in (chain, behind, made_in_chain, made_behind):
            group.clear()

    for step in steps:
        owners = {v.owner for v in step.values()} | set(step.values())
        if step.effect:
            flush()
            done.append(step)
        elif _is_long(step) and not owners & made_behind and _agrees(step, chain):
            chain.append(step)
            made_in_chain.update(step.outs)
        elif not owners & (made_in_chain | made_behind) and not _is_long(step):
            done.append(step)
        elif _is_long(step):
            flush()
            chain.append(step)
            made_in_chain.update(step.outs)
        else:
            behind.append(step)
            made_behind.update(step.outs)
    flush()
    return done


def _is_long(step: Step) -> bool:
    if step.op is None or step.op.kind not in ("elementwise", "cast") or len(step.outs) != 1:
        return False
    out = step.outs[0]
    large = out.array.size >= LEAST and out.owner is out and _has_no_gaps(out.array)
    return large and all(
        _is_single(v.array) or _lie_alike(v.array, out.array) for v in step.values()
    )


def _has_no_gaps(array: Array) -> bool:
    """Tell whether an array fills its memory, in whatever order of its axes."""
    order = sorted(range(array.ndim), key=lambda a: -array.strides[a])
    return bool(array.transpose(order).flags.c_contiguous)


def _lie_alike(a: Array, b: Array) -> bool:
    """Tell whether elements of equal index lie at equal places in memory."""
    return a.shape == b.shape and [s // a.itemsize for s in a.strides] == [
        s // b.itemsize for s in b.strides
    ]


def _is_single(array: Array) -> bool:
    """Tell whether an array is one element, perhaps repeated."""
    return array.size == 1 or not any(array.strides)


def _agrees(step: Step, chain: Sequence[Step]) -> bool:
    return not chain or _lie_alike(chain[0].outs[0].array, step.outs[0].array)


def _joined(
    chain: Sequence[Step], behind: Sequence[Step], steps: Sequence[Step], outputs: Sequence[Value]
) -> Step:
    inside = set(map(id, chain))
    made = [step.outs[0] for step in chain]
    read: set[Value] = {w for v in outputs for w in (v, v.owner)}
    for step in steps:
        if id(step) not in inside:
            read |= {w for v in step.values() for w in (v, v.owner)}
    outs = tuple(v for v in made if v in read or v.bound is not None)
    inputs = tuple(dict.fromkeys(v for step in chain for v in step.values() if v not in set(made)))
    names = ", ".join(step.name for step in chain[:3]) + (", …" if len(chain) > 3 else "")
    return Step(
        Block(chain, inputs, outs), inputs, outs, name=f"block of {len(chain)}: {names}",
        inner=tuple(chain),
    )  # fmt: skip


class Block:
    """A chain of steps; called with the arrays of its inputs and of its results."""

    def __init__(self, chain: Sequence[Step], inputs: Sequence[Value], outs: Sequence[Value]):
        twins: dict[Value, Value] = {}
        for v in (*inputs, *outs, *(step.outs[0] for step in chain)):
            if v not in twins:
                pattern = _single(v.array) if v in inputs and _is_single(v.array) else None
                outer = v in inputs or v in outs
                pattern = np.empty(BLOCK, v.array.dtype) if pattern is None else pattern
                twins[v] = Value(pattern, Role.MEMORY if outer else Role.TEMPORARY)
        self._size = chain[0].outs[0].array.size
        self._outer = [twins[v] for v in (*inputs, *outs)]
        self._locals = [t for t in twins.values() if t.role is Role.TEMPORARY]
        self._steps = [
            Step(
                step.call, tuple(twins[x] if isinstance(x, Value) else x for x in step.inputs),
                (twins[step.outs[0]],), step.op, step.attrs,
            )
            for step in chain
        ]  # fmt: skip
        for twin in self._outer:
            twin.bound = twin.array
        self.pool = allocate(self._steps, ())
        self._scratch = [t.bound for t in self._locals]
        self._calls: list[Any] = []
        self._entered: list[Array | None] = [None] * len(self._outer)
        self._places: list[list[list[Any]]] = []

    def __call__(self, *arrays: Array) -> None:
        if not self._calls:
            self._build(arrays)
        for k, array in enumerate(arrays):
            if array is not self._entered[k]:
                self._enter(k, array)
        for function, arguments in self._calls:
            function(*arguments)

    def _ranges(self) -> list[tuple[int, int]]:
        return [(i, min(i + BLOCK, self._size)) for i in range(0, self._size, BLOCK)]

    def _build(self, arrays: Sequence[Array]) -> None:
        """Make the calls of all blocks, and note where slices of the outer arrays stand."""
        self._places = [[] for _ in self._outer]
        for start, stop in self._ranges():
            for twin, array in zip(self._outer, arrays, strict=True):
                twin.bound = _part(array, start, stop)
            for twin, scratch in zip(self._locals, self._scratch, strict=True):
                assert scratch is not None
                twin.bound = scratch[: stop - start]
            places: dict[Value, list[Any]] = {twin: [] for twin in self._outer}
            for step in self._steps:
                for function, operands in kernels(step):
                    self._calls.append((function, arguments_of(operands, places)))
            for k, twin in enumerate(self._outer):
                self._places[k].append(places[twin])
        self._entered = list(arrays)

    def _enter(self, k: int, array: Array) -> None:
        self._entered[k] = array
        for (start, stop), places in zip(self._ranges(), self._places[k], strict=True):
            part = _part(array, start, stop)
            for arguments, number in places:
                arguments[number] = part


def _part(array: Array, start: int, stop: int) -> Array:
    return _single(array) if _is_single(array) else array.ravel(order="K")[start:stop]


def _single(array: Array) -> Array:
    """Return the one element of an array as a 0-d array."""
    index: Any = (*(0,) * array.ndim, ...)  # the dots keep it an array
    one: Array = array[index]
    return one
