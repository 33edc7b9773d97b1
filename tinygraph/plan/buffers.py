"""Memory of a replay: each temporary value has its place until its last reader is done.

All places lie in one block of memory. The largest are given out first, each in the smallest gap
that nothing leaves it no room in while it is needed: for training steps the block is then as
large as what must exist at once, or hardly larger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from .patterns import ALIGNMENT, aligned, lay_out, same_layout, size_of
from .values import Role, Step, Value

STAGGER = 5 * ALIGNMENT
"""Bytes between large neighbours: arrays a power of two apart would fight for the same lines of
the cache."""

PAGE = 4096


@dataclass(eq=False, slots=True)
class Place:
    """Memory for values that follow each other in place.

    Attributes
    ----------
    size : int
        In bytes.
    first, last : int
        The steps between which it is needed.
    values : list of Value
    start : int
        Where it begins in the block.
    """

    size: int
    first: int
    last: int
    values: list[Value] = field(default_factory=list)
    start: int = 0


class Pool:
    """The memory of all places.

    Attributes
    ----------
    nbytes : int
        Its size.
    least : int
        Bytes of what must exist at once: no sharing could do with less.
    """

    def __init__(self, places: Sequence[Place]) -> None:
        self.nbytes = arrange(places)
        self.least = _most_at_once(places)
        memory = aligned(self.nbytes)
        for place in places:
            part = memory[place.start : place.start + place.size]
            for value in place.values:
                value.bound = lay_out(value.array, part)


def allocate(steps: Sequence[Step], kept: Sequence[Value]) -> Pool:
    """Give every temporary value of ``steps`` its array; those of ``kept`` live to the end."""
    return Pool(_places(steps, kept))


def _places(steps: Sequence[Step], kept: Sequence[Value]) -> list[Place]:
    places: list[Place] = []
    place_of: dict[Value, Place] = {}
    last = _last_reads(steps, kept)
    for number, step in enumerate(steps):
        dying = {v.owner for v in step.values() if last.get(v.owner) == number}
        for out in step.outs:
            if out.role is not Role.TEMPORARY or out.owner is not out or out.bound is not None:
                continue
            heir = _in_place(step, out, dying & place_of.keys())
            if heir is None:
                place = Place(size_of(out.array), number, number)
                places.append(place)
            else:
                dying.discard(heir)
                place = place_of[heir]
            place.values.append(out)
            place.last = last.get(out, number)
            place_of[out] = place
    return places


def _last_reads(steps: Sequence[Step], kept: Sequence[Value]) -> dict[Value, int]:
    last: dict[Value, int] = {}
    for number, step in enumerate(steps):
        for value in step.values():
            last[value.owner] = number
    for value in kept:
        last[value.owner] = len(steps)
    return last


def _in_place(step: Step, out: Value, dying: set[Value]) -> Value | None:
    """Return the input whose memory the result can take over, element by element."""
    if step.op is None or not step.op.in_place:
        return None
    for x in step.inputs:
        if isinstance(x, Value) and x in dying and same_layout(x.array, out.array):
            others = [v for v in step.inputs if isinstance(v, Value) and v is not x]
            if all(v.owner is not x for v in others):
                return x
    return None


def arrange(places: Sequence[Place]) -> int:
    """Choose where each place begins, and return the bytes that all of them take."""
    first, last, start, stop = np.zeros((4, len(places)), np.int64)
    for k, place in enumerate(sorted(places, key=lambda p: (-p.size, p.first))):
        room = _rounded(place.size)
        beside = np.nonzero((first[:k] <= place.last) & (last[:k] >= place.first))[0]
        beside = beside[np.argsort(start[beside])]
        free = np.concatenate([[0], np.maximum.accumulate(stop[beside])])
        gaps = start[beside] - free[:-1]
        fitting = np.nonzero(gaps >= room)[0]
        best = fitting[np.argmin(gaps[fitting])] if len(fitting) else -1
        place.start = int(free[best])
        first[k], last[k] = place.first, place.last
        start[k], stop[k] = place.start, place.start + room
    return int(stop.max(initial=0))


def _rounded(size: int) -> int:
    lines = -(-size // ALIGNMENT) * ALIGNMENT
    return lines + STAGGER if size >= PAGE else lines


def _most_at_once(places: Sequence[Place]) -> int:
    if not places:
        return 0
    change = np.zeros(max(p.last for p in places) + 2, np.int64)
    for place in places:
        change[place.first] += place.size
        change[place.last + 1] -= place.size
    return int(change.cumsum().max())
