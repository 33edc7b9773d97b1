"""Rewrites of a recording; none changes a bit of what it computes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.errors import TinygraphError
from .patterns import same_layout
from .record import point
from .values import Role, Step, Value


def without_repeats(steps: Sequence[Step], outputs: list[Value]) -> list[Step]:
    """Compute equal things once: the same op of the same values, with no write in between.

    A product with 1 is its other factor.
    """
    first: dict[Any, Step] = {}
    same: dict[Value, Value] = {}
    kept = []
    late = _read_late(steps, outputs)
    for step in steps:
        step.inputs = tuple(same.get(x, x) if isinstance(x, Value) else x for x in step.inputs)
        step.keeps = tuple(same.get(x, x) for x in step.keeps)
        for out in step.outs:
            out.owner = same.get(out.owner, out.owner)
        if step.effect:
            if step.writes:  # what was read from that memory is to be read again
                first = {k: s for k, s in first.items() if s.is_view or not s.outs[0].varies}
            kept.append(step)
            continue
        unchanged = _times_one(step, late)
        if unchanged is not None:
            same[step.outs[0]] = unchanged
            continue
        key = _key(step)
        earlier = first.get(key) if key is not None else None
        if earlier is None:
            kept.append(step)
            if key is not None:
                first[key] = step
        else:
            same[step.outs[0]] = earlier.outs[0]
    outputs[:] = [same.get(v, v) for v in outputs]
    return kept


def _read_late(steps: Sequence[Step], outputs: Sequence[Value]) -> set[Value]:
    """Return the values that others than elementwise steps read, or that are read after a write."""
    late, written = {w for v in outputs for w in (v, v.owner)}, False
    for step in steps:
        written |= step.writes
        if written or step.op is None or step.op.kind != "elementwise":
            late |= {w for v in step.values() for w in (v, v.owner)}
    return late


def _times_one(step: Step, late: set[Value]) -> Value | None:
    """Return the factor that a product with 1 leaves as it is (a backward pass begins with 1).

    Memory of the caller stands for the product only as long as nobody can write to it.
    """
    if step.op is None or step.op.name != "mul" or len(step.inputs) != 2:
        return None
    for one, x in (step.inputs, step.inputs[::-1]):
        constant = isinstance(one, Value) and one.role is Role.CONSTANT and one.bound is not None
        if (
            constant
            and isinstance(x, Value)
            and (
                x.role is Role.TEMPORARY
                or (x.role in (Role.INPUT, Role.LEAF) and step.outs[0] not in late)
            )
        ):
            single = one.array.size == 1 or not any(one.array.strides)
            alike = same_layout(x.array, step.outs[0].array)
            if single and alike and one.array.size and one.array.flat[0] == 1:
                return x
    return None


def _key(step: Step) -> Any:
    """Return what two steps have in common if they compute the same, None if unsure."""
    inputs = tuple(x if isinstance(x, Value) else (type(x), repr(x)) for x in step.inputs)
    key = (step.op, inputs, tuple(sorted(step.attrs.items())))
    try:
        hash(key)
    except TypeError:
        return None
    return key


def without_dead(steps: Sequence[Step], outputs: Sequence[Value]) -> list[Step]:
    """Leave out what nobody reads."""
    needed: set[Value] = {w for v in outputs for w in (v, v.owner)}
    kept = []
    for step in reversed(steps):
        if step.effect or any(out in needed for out in step.outs):
            kept.append(step)
            for value in step.values():
                needed |= {value, value.owner}
    return kept[::-1]


def straight_to_gradients(steps: Sequence[Step], outputs: Sequence[Value]) -> list[Step]:
    """Let a gradient be computed where it is stored, if nothing needs it elsewhere."""
    makers = {out: i for i, step in enumerate(steps) for out in step.outs}
    readers: dict[Value, int] = {}
    for step in steps:
        for value in step.values():
            readers[value.owner] = readers.get(value.owner, 0) + 1
    kept = []
    for number, step in enumerate(steps):
        if step.call is np.copyto and step.name == "store gradient":
            target, value = step.inputs
            maker = makers.get(value)
            free = (
                maker is not None
                and value.role is Role.TEMPORARY
                and value.owner is value
                and readers[value] == 1
                and value not in outputs
                and len(steps[maker].outs) == 1
                and same_layout(target.array, value.array)
            )
            if free and maker is not None and not _touched(steps[maker + 1 : number], target):
                value.bound = target.array
                continue
        kept.append(step)
    return kept


def _touched(between: Sequence[Step], target: Value) -> bool:
    """Tell whether a step may read or write the memory of ``target``."""
    for step in between:
        if not step.writes:
            continue
        if step.name != "store gradient" or step.inputs[0] is target:
            return True
    return False


def merge_pointers(steps: Sequence[Step]) -> list[Step]:
    """Let neighbours that set gradients of leaves be one step."""
    kept: list[Step] = []
    for step in steps:
        if step.call is point and kept and kept[-1].call is point:
            step.inputs = ([*kept.pop().inputs[0], *step.inputs[0]],)
        kept.append(step)
    return kept


def check_closed(steps: Sequence[Step], outputs: Sequence[Value]) -> None:
    """Raise if a value is read that no step makes: a fault of the recorder, found early."""
    made = {out for step in steps for out in step.outs}
    for value in [*outputs, *(v for step in steps for v in step.values())]:
        if value.role is Role.TEMPORARY and value not in made:
            raise TinygraphError(f"The recording reads a value that nothing makes: {value.array!r}")
