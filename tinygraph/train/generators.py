"""Generators: all that a run draws from, and streams of their own for workers."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from ..nn import Module
from ..ops.random import Generator, default_generator


class Spawner:
    """Gives each worker a generator of its own in the place of one that all of them would share.

    At the first draw of a call, every worker's stream is seeded with a number drawn from the
    shared generator. So a run is a function of the shared generators' states alone: it repeats
    after ``manual_seed``, and a checkpoint need not know of workers.

    Parameters
    ----------
    workers : int
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._clock = _Clock()
        self._children: dict[int, list[_Child]] = {}

    def begin(self) -> None:
        """Begin a call: streams are seeded anew."""
        self._clock.call += 1

    def of(self, worker: int, shared: Generator) -> Generator:
        """Return what ``worker`` draws from in the place of ``shared``."""
        if isinstance(shared, _Child):
            return shared
        with self._clock.lock:
            children = self._children.get(id(shared))
            if children is None:
                seeds = _Seeds(shared, self._workers, self._clock)
                children = [_Child(seeds, number) for number in range(self._workers)]
                self._children[id(shared)] = children
        return children[worker]


class _Clock:
    """The number of the call, and what threads lock while they draw seeds."""

    def __init__(self) -> None:
        self.call = 0
        self.lock = threading.Lock()


class _Seeds:
    """The seeds that workers get from a generator that they share, new ones in each call."""

    def __init__(self, shared: Generator, workers: int, clock: _Clock) -> None:
        self.clock = clock
        self._shared = shared
        self._workers = workers
        self._drawn_at = 0
        self._seeds: list[int] = []

    def of(self, worker: int) -> int:
        """Return the seed of a worker in this call."""
        with self.clock.lock:
            if self._drawn_at != self.clock.call:
                self._seeds = self._shared.numpy.integers(2**63, size=self._workers).tolist()
                self._drawn_at = self.clock.call
        return self._seeds[worker]


class _Child(Generator):
    """A worker's generator; is seeded anew at its first draw in a call."""

    def __init__(self, seeds: _Seeds, worker: int) -> None:
        super().__init__(0)
        self._seeds = seeds
        self._worker = worker
        self._seeded_at = 0

    @property
    def numpy(self) -> np.random.Generator:
        if self._seeded_at != self._seeds.clock.call:
            self._seeded_at = self._seeds.clock.call
            self.manual_seed(self._seeds.of(self._worker))
        return self._source

    def get_state(self) -> dict[str, Any]:
        return dict(self.numpy.bit_generator.state)


def generators_in(model: Module, *others: Any) -> list[Generator]:
    """Return tinygraph's own generator and those that are attributes of modules or others."""
    found: dict[int, Generator] = {id(default_generator): default_generator}
    for owner in (*model.modules(), *others):
        for value in vars(owner).values() if hasattr(owner, "__dict__") else ():
            if isinstance(value, Generator):
                found[id(value)] = value
    return list(found.values())


class Snapshot:
    """The states of some generators, to be put back: looking ahead must not draw."""

    def __init__(self, generators: list[Generator]) -> None:
        self._states = [(g, g.get_state()) for g in generators]

    def restore(self) -> None:
        """Put them back."""
        for generator, state in self._states:
            generator.set_state(state)
