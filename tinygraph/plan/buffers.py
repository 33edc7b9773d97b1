"""Memory of a replay: each temporary value lives in a buffer until its last reader is done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.storage import Array
from .values import Role, Step, Value, same_layout

ALIGNMENT = 64
"""Bytes of a cache line."""


def lay_out(pattern: Array, memory: Array | None = None) -> Array:
    """Return an array with the shape, dtype and strides of ``pattern``, in ``memory`` (bytes)."""
    low, high = _extent(pattern)
    if memory is None:
        memory = aligned(high - low)
    return np.ndarray(pattern.shape, pattern.dtype, memory, -low, pattern.strides)


def _extent(pattern: Array) -> tuple[int, int]:
    """Return the range of byte offsets, from the first element, that an array covers."""
    if pattern.size == 0:
        return 0, 0
    steps = [(n - 1) * s for n, s in zip(pattern.shape, pattern.strides, strict=True)]
    low = sum(s for s in steps if s < 0)
    return low, sum(s for s in steps if s > 0) + pattern.itemsize


def size_of(pattern: Array) -> int:
    """Return the bytes that an array covers."""
    low, high = _extent(pattern)
    return high - low


def aligned(size: int) -> Array:
    """Return ``size`` bytes that begin at a cache line."""
    memory = np.empty(size + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + size]


def distinct(array: Array) -> Array:
    """Return the elements of an array that lie at places of their own (broadcast axes once)."""
    if array.size == 0:
        return array
    index = [slice(0, 1) if s == 0 else slice(None) for s in array.strides]
    return array[(..., *index)]  # the dots keep a 0-d array one


def frozen(array: Array) -> Array:
    """Return a copy with the same strides."""
    copy = lay_out(array)
    np.copyto(distinct(copy), distinct(array))
    return copy


class Pool:
    """Buffers by size; freed ones are given out again."""

    def __init__(self) -> None:
        self.buffers: list[Array] = []
        self._free: list[Array] = []
        self.in_use = self.peak = 0

    def take(self, size: int) -> Array:
        """Return the smallest free buffer that fits (and is not twice too large), or a new one."""
        fitting = [b for b in self._free if size <= b.size <= 2 * size + 1024]
        buffer = min(fitting, key=lambda b: b.size, default=None)
        if buffer is None:
            buffer = aligned(size)
            self.buffers.append(buffer)
        else:
            self._free = [b for b in self._free if b is not buffer]
        self.in_use += buffer.size
        self.peak = max(self.peak, self.in_use)
        return buffer

    def give_back(self, buffer: Array) -> None:
        """Let another value have the buffer."""
        self.in_use -= buffer.size
        self._free.append(buffer)

    @property
    def nbytes(self) -> int:
        """Bytes of all buffers."""
        return sum(b.size for b in self.buffers)


def allocate(steps: Sequence[Step], kept: Sequence[Value]) -> Pool:
    """Give every temporary value of ``steps`` its array; those of ``kept`` live to the end."""
    pool = Pool()
    last = _last_reads(steps, kept)
    memory: dict[Value, Array] = {}
    for number, step in enumerate(steps):
        dying = {v.owner for v in step.values() if last.get(v.owner) == number}
        for out in step.outs:
            if out.role is not Role.TEMPORARY or out.owner is not out or out.bound is not None:
                continue
            heir = _in_place(step, out, dying, memory)
            if heir is None:
                memory[out] = pool.take(size_of(out.array))
                out.bound = lay_out(out.array, memory[out])
            else:
                dying.discard(heir)
                memory[out] = memory.pop(heir)
                out.bound = heir.bound
            if out not in last:
                dying.add(out)
        for value in dying:
            if value in memory:
                pool.give_back(memory.pop(value))
    return pool


def _last_reads(steps: Sequence[Step], kept: Sequence[Value]) -> dict[Value, int]:
    last: dict[Value, int] = {}
    for number, step in enumerate(steps):
        for value in step.values():
            last[value.owner] = number
    for value in kept:
        last[value.owner] = len(steps)
    return last


def _in_place(step: Step, out: Value, dying: set[Value], memory: dict[Value, Any]) -> Value | None:
    """Return the input whose memory the result can take over, element by element."""
    if step.op is None or not step.op.in_place:
        return None
    for x in step.inputs:
        if isinstance(x, Value) and x in dying and x in memory and same_layout(x.array, out.array):
            others = [v for v in step.inputs if isinstance(v, Value) and v is not x]
            if all(v.owner is not x for v in others):
                return x
    return None
