"""Memory that tensors share, and the clock that says when it was written."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Iterable
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

next_index = itertools.count(1).__next__
"""The clock of the graph: numbers tensors in order of creation, and writes to storage."""


class Storage:
    """Memory shared by a leaf and its views; remembers when it was last written.

    ``written`` is a reading of the clock that also numbers the nodes: a value saved by
    node 12 has changed since if its storage was written at 15.
    """

    __slots__ = ("written", "memory", "__weakref__")

    last_written = 0
    """When anything was written last: a backward pass through newer nodes need not check."""

    def __init__(self, memory: Array | None = None) -> None:
        self.written = 0
        self.memory = memory

    def mark(self) -> None:
        """Note a write."""
        self.written = Storage.last_written = next_index()


def mark_all(storages: Iterable[Any]) -> None:
    """Note one write into all of ``storages``."""
    now = Storage.last_written = next_index()
    for storage in storages:
        storage.written = now


_storage_of_memory: weakref.WeakValueDictionary[int, Storage] = weakref.WeakValueDictionary()


def storage_of(array: Array) -> Storage:
    """Return the one Storage of the memory behind a user's ``array``."""
    memory = array
    while isinstance(memory.base, np.ndarray):
        memory = memory.base
    storage = _storage_of_memory.get(id(memory))
    if storage is None:
        storage = _storage_of_memory[id(memory)] = Storage(memory)
    return storage


gradient_memory: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
"""What holds packed parameters (an optimizer's vectors), by the id of its gradient vector."""
