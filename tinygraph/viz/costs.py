"""What the cards of a picture cost: bytes, bytes kept for the backward pass, and time."""

from __future__ import annotations

import time
from collections.abc import Iterable

import numpy as np

from ..core.graph import Graph
from ..core.tensor import Tensor
from .fold import Group
from .kept import Kept
from .text import number

RUNS = 3
"""Each op is timed so often; the fastest run counts."""

NOT_AGAIN = ("random", "state", "opaque")
"""Kinds of ops that a second run would change: they are not timed."""


class Costs:
    """Lines about costs for cards.

    Parameters
    ----------
    graph : Graph
    show : collection of str
        ``"bytes"``, ``"time"`` and ``"saved"``, or some of them.
    """

    def __init__(self, graph: Graph, show: Iterable[str]) -> None:
        self.show = frozenset(show)
        self.kept = Kept(graph)
        self.times = times_of(graph) if "time" in self.show else {}
        self.total = self.kept.bytes_of(n.tensor for n in graph.nodes)

    def lines(self, group: Group) -> tuple[str, ...]:
        """Return what a card says about its costs."""
        results = [n.tensor for n in group.nodes if n.op is not None]
        lines = []
        if "bytes" in self.show:
            lines.append(bytes_in_words(sum(t.data.nbytes for t in group.exits)))
        if "saved" in self.show and results:
            kept = self.kept.bytes_of(results)
            lines += [f"▪ keeps {bytes_in_words(kept)}"] * bool(kept)
        timed = [self.times[t] for t in results if t in self.times]
        if timed:
            lines.append(seconds_in_words(sum(timed)))
        return tuple(lines)


def times_of(graph: Graph) -> dict[Tensor, float]:
    """Time the forward functions of a graph, each by itself, on the recorded values.

    Ops that draw or write are left out: a second run would change what they change.
    """
    if graph.timer is not None:
        return graph.timer()
    times = {}
    with np.errstate(all="ignore"):
        for node in graph.nodes:
            if node.op is None or node.op.kind in NOT_AGAIN:
                continue
            arrays = [x.data if isinstance(x, Tensor) else x for x in node.inputs]
            fastest = float("inf")
            for _ in range(RUNS):
                started = time.perf_counter()
                node.op.forward(*arrays, **node.attrs)
                fastest = min(fastest, time.perf_counter() - started)
            times[node.tensor] = fastest
    return times


def bytes_in_words(count: int) -> str:
    """Write a number of bytes.

    Examples
    --------
    >>> bytes_in_words(64), bytes_in_words(123_456)
    ('64 B', '123 kB')
    """
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= scale:
            return f"{number(count / scale, 3)} {unit}"
    return f"{count} B"


def seconds_in_words(seconds: float) -> str:
    """Write a time.

    Examples
    --------
    >>> seconds_in_words(0.0000123), seconds_in_words(0.25)
    ('12.3 µs', '250 ms')
    """
    for unit, scale in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= scale:
            return f"{number(seconds / scale, 3)} {unit}"
    return f"{number(seconds * 1e6, 3)} µs"
