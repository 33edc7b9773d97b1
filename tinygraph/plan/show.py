"""A plan to look at: what runs, how long each step takes, and how much memory it has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from ..core.graph import Graph
from ..core.storage import Array
from ..core.tensor import Tensor
from .bind import Call
from .record import point
from .undo import Undo
from .values import Role, Step, Value

REPEATS = 5
"""Replays that a time is the least of."""


class Row(NamedTuple):
    """One step of a plan: the op, its module, the result, its bytes, and its time.

    The module of a step of the backward pass is that whose derivative it computes, as in ``∂ 0``.
    """

    op: str
    module: str
    shape: tuple[int, ...] | None
    dtype: str
    nbytes: int
    seconds: float | None


class Listing:
    """The steps of a plan as a table.

    Attributes
    ----------
    rows : list of Row
    nbytes : int
        Bytes of all buffers: the peak, since they are made once.
    unshared : int
        Bytes that the results would take, each with memory of its own.
    """

    def __init__(self, rows: list[Row], nbytes: int, views: int) -> None:
        self.rows = rows
        self.nbytes = nbytes
        self.views = views
        self.unshared = sum(row.nbytes for row in rows)

    @property
    def seconds(self) -> float:
        """Time of all steps."""
        return sum(row.seconds or 0.0 for row in self.rows)

    def __str__(self) -> str:
        head = ("op", "module", "result", "bytes", "µs", "%")
        total = self.seconds
        cells = [head, *(_cells(row, total) for row in self.rows)]
        widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
        lines = []
        for number, row in enumerate(cells):
            texts = [row[i].ljust(widths[i]) for i in range(3)]
            numbers = [row[i].rjust(widths[i]) for i in range(3, len(head))]
            label = f"{number:>4}  " if number else " " * 6
            lines.append((label + "  ".join([*texts, *numbers])).rstrip())
        timed = f", {total * 1e6:,.1f} µs" if total else ""
        lines.append(
            f"{len(self.rows)} steps{timed}; {self.views} views made beforehand; "
            f"{self.nbytes:,} bytes of buffers at the peak ({self.unshared:,} without sharing)"
        )
        return "\n".join(lines)

    __repr__ = __str__


def _cells(row: Row, total: float) -> tuple[str, ...]:
    result = "" if row.shape is None else f"{row.shape} {row.dtype}"
    seconds = row.seconds
    time = "—" if seconds is None else f"{seconds * 1e6:,.1f}"
    share = f"{100 * seconds / total:.0f}" if seconds is not None and total else ""
    return row.op, row.module, result, f"{row.nbytes:,}" if row.nbytes else "", time, share


def listing(steps: Sequence[Step], calls: Sequence[Call], nbytes: int, views: int,
            ready: bool) -> Listing:  # fmt: skip
    """Describe steps; with their times if arguments have been entered (``ready``)."""
    times = _times(steps, calls) if ready else [None] * len(steps)
    rows: list[Row] = []
    for i, (step, seconds) in enumerate(zip(steps, times, strict=True)):
        if i and step is steps[i - 1]:  # another call of the same step
            rows[-1] = rows[-1]._replace(seconds=seconds and seconds + (rows[-1].seconds or 0))
            continue
        out = step.outs[0] if step.outs else None
        rows.append(
            Row(
                step.name,
                _module(step),
                None if out is None else out.array.shape,
                "" if out is None else str(out.array.dtype),
                sum(v.array.nbytes for v in step.outs),
                seconds,
            )
        )
    return Listing(rows, nbytes, views)


def _module(step: Step) -> str:
    """Return the path of the module that a step belongs to, or whose derivative it computes."""
    for scope, mark in ((step.scope, ""), (step.rule_of, "∂ ")):
        path = scope.module_path() if scope else ""
        if path:
            return mark + path
    return ""


def _times(steps: Sequence[Step], calls: Sequence[Call]) -> list[float | None]:
    """Time each call in several replays, all of whose effects are taken back."""
    best = [float("inf")] * len(calls)
    with _taken_back(steps), np.errstate(all="ignore"):
        for _ in range(REPEATS):
            for i, (function, arguments) in enumerate(calls):
                start = perf_counter()
                function(*arguments)
                best[i] = min(best[i], perf_counter() - start)
    return list(best)


@contextmanager
def _taken_back(steps: Sequence[Step]) -> Iterator[None]:
    undo = Undo()
    for step in steps:
        undo.remember(step.changes)
        undo.generator(step.attrs.get("generator"))
        if step.call is point:
            for leaf, _ in step.inputs[0]:
                undo.gradient(leaf)
        elif step.op is not None and step.op.kind == "state":
            undo.remember([v.bound for v in step.values() if v.bound is not None])
    try:
        yield
    finally:
        undo.take_back()


def seconds_of(
    steps: Sequence[Step], calls: Sequence[Call], tensors: dict[Value, Tensor]
) -> dict[Tensor, float]:
    """Return the time of each result; that of a block is its last one's."""
    seconds: dict[Tensor, float] = {}
    for step, time in zip(steps, _times(steps, calls), strict=True):
        outs = (step.inner[-1] if step.inner else step).outs
        if time is not None and outs and outs[0] in tensors:
            result = tensors[outs[0]]
            seconds[result] = seconds.get(result, 0.0) + time
    return seconds


def graph_of(steps: Sequence[Step], outputs: Sequence[Value]) -> tuple[Graph, dict[Value, Tensor]]:
    """Return the steps as a Graph, for pictures, and the tensor of each value.

    Its values are what is in the buffers now.
    """
    tensors: dict[Value, Tensor] = {}

    def tensor(x: Any) -> Any:
        if not isinstance(x, Value):
            return x
        if x not in tensors:
            tensors[x] = Tensor(_array(x))
            tensors[x].name = _name(x)
        return tensors[x]

    single = [inner for step in steps for inner in step.inner or (step,)]
    read = {v for step in single for v in step.values()}
    points = [pair for step in steps if step.call is point for pair in step.inputs[0]]
    gradients = {id(gradient) for _, gradient in points if gradient is not None}
    # gradients that are computed where they are stored have no reader
    ends = [*outputs, *(v for step in single for v in step.outs if v not in read)]
    for step in single:
        if step.op is not None and step.outs:
            inputs = tuple(map(tensor, step.inputs))
            out = step.outs[0]
            tensors[out] = Tensor(_array(out), False, step.op, inputs, step.attrs, step.scope)
            if id(out.bound) in gradients:
                tensors[out].name = "gradient"
        elif step.effect:
            ends += [v for v in step.values() if v.role is Role.TEMPORARY]
    return Graph([tensor(v) for v in dict.fromkeys(ends)]), tensors


def _name(value: Value) -> str | None:
    if value.role is Role.INPUT and value.position >= 0:
        return f"argument {value.position + 1}"
    return value.role.value if value.role is not Role.TEMPORARY else None


def _array(value: Value) -> Array:
    return value.array if value.bound is None else value.bound
