"""Which of several ways a computation goes, for those who watch: see ``tg.kernels.watch``."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, NamedTuple

from .storage import Array

Entries = list[tuple[Any, str]]

log: ContextVar[Entries | None] = ContextVar("kernel_log", default=None)
"""Where choices are written down in this thread or task: pairs of a job and a name."""


class RowJob(NamedTuple):
    """A sum, or an op on rows: what a way is chosen for.

    Attributes
    ----------
    op : str
    shape : tuple of int
    order : tuple of int
        The axes from the one whose neighbours lie farthest apart in memory to the nearest.
    axis : tuple of int
        What is added up or normalized together.
    dtype : dtype
    """

    op: str
    shape: tuple[int, ...]
    order: tuple[int, ...]
    axis: tuple[int, ...]
    dtype: Any

    def __str__(self) -> str:
        natural = self.order == tuple(range(len(self.shape)))
        memory = "" if natural else f", in memory {self.order}"
        return f"{self.op}: {self.shape} over {self.axis}{memory}, {self.dtype}"


def order_of(x: Array) -> tuple[int, ...]:
    """Return the axes of ``x`` from the largest step in memory to the smallest."""
    strides = x.strides
    return tuple(sorted(range(x.ndim), key=lambda a: -strides[a]))


def note(op: str, x: Array, axis: tuple[int, ...], name: str) -> None:
    """Write a choice down, if somebody watches."""
    entries = log.get()
    if entries is not None:
        entries.append((RowJob(op, x.shape, order_of(x), axis, x.dtype), name))
