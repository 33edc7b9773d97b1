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
        self.workers = workers
        self.call = 0
        self.lock = threading.Lock()
        self._families: dict[int, _Family] = {}

    def begin(self) -> None:
        """Begin a call: streams are seeded anew."""
        self.call += 1

    def of(self, worker: int, shared: Generator) -> Generator:
        """Return what ``worker`` draws from in the place of ``shared``."""
        if isinstance(shared, _Child):
            return shared
        with self.lock:
            family = self._families.get(id(shared))
            if family is None:
                family = self._families[id(shared)] = _Family(self, shared)
        return family.children[worker]


class _Family:
    """One shared generator with those that stand for it."""

    def __init__(self, spawner: Spawner, parent: Generator) -> None:
        self._spawner = spawner
        self._parent = parent
        self._seeded_at = 0
        self.children = [_Child(self) for _ in range(spawner.workers)]

    def seed(self) -> None:
        """Seed the children, once in a call."""
        if self._seeded_at == self._spawner.call:
            return
        with self._spawner.lock:
            if self._seeded_at != self._spawner.call:
                seeds = self._parent.numpy.integers(2**63, size=len(self.children))
                for child, seed in zip(self.children, seeds.tolist(), strict=True):
                    child.manual_seed(seed)
                self._seeded_at = self._spawner.call


class _Child(Generator):
    """A worker's generator; asks to be seeded before it draws."""

    def __init__(self, family: _Family) -> None:
        super().__init__(0)
        self._family = family

    @property
    def numpy(self) -> np.random.Generator:
        self._family.seed()
        return self._source

    def get_state(self) -> dict[str, Any]:
        self._family.seed()
        return super().get_state()


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
