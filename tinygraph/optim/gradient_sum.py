"""Sums of gradients: one reduction over the flat vectors of an optimizer.

Batches that are gathered for one update and workers that share a batch both end here; a
reduction over machines would, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..core.storage import Array
from ..core.tensor import Tensor
from ..ops.state import CHUNK
from .flat import FlatParameters
from .optimizer import Optimizer


class Share:
    """A gradient in memory of its own, laid out like the flat vectors of an optimizer.

    Attributes
    ----------
    vectors : list of ndarray
        One for each flat vector.
    places : list of (Tensor, ndarray)
        Each parameter with the part of a vector that its gradient goes to.
    present : sequence of bool
        Which parameters have a gradient.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self.vectors = [np.zeros_like(flat.grad) for flat in optimizer.flat]
        self.places: list[tuple[Tensor, Array]] = [
            pair
            for flat, vector in zip(optimizer.flat, self.vectors, strict=True)
            for pair in zip(flat.parameters, flat.split(vector), strict=True)
        ]
        self.present: Sequence[bool] = (False,) * len(self.places)


class GradientSum:
    """Adds shares, each with a factor, in the gradient memory of an optimizer.

    Parameters
    ----------
    optimizer : Optimizer
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self._flats = optimizer.flat

    def clear(self) -> None:
        """Begin anew: no parameter has a gradient."""
        for flat in self._flats:
            for p in flat.parameters:
                p._grad = None

    def add(self, share: Share, factor: float) -> None:
        """Add a gradient, multiplied; the memory of the share is used up."""
        start = 0
        for flat, vector in zip(self._flats, share.vectors, strict=True):
            present = share.present[start : start + len(flat.parameters)]
            for run, fresh in _runs(flat, present):
                _add(flat.grad[run], vector[run], factor, fresh)
            for p, has_one in zip(flat.parameters, present, strict=True):
                if has_one:
                    p._grad = p._grad_buffer
            start += len(present)

    def multiply(self, factor: float) -> None:
        """Multiply the sum."""
        if factor != 1:
            for flat in self._flats:
                flat.grad *= factor


def _runs(flat: FlatParameters, present: Sequence[bool]) -> Iterator[tuple[slice, bool]]:
    """Yield the stretches that get something, and whether it is the first there."""
    kinds = [
        (has_one, p._grad is None) for has_one, p in zip(present, flat.parameters, strict=True)
    ]
    begin = 0
    for i in range(1, len(kinds) + 1):
        if i == len(kinds) or kinds[i] != kinds[begin]:
            if kinds[begin][0]:
                yield slice(flat.starts[begin], flat.starts[i]), kinds[begin][1]
            begin = i


def _add(total: Array, gradient: Array, factor: float, first: bool) -> None:
    """``total += factor · gradient``, or ``total = …`` for the first."""
    for start in range(0, total.size, CHUNK):
        t, g = total[start : start + CHUNK], gradient[start : start + CHUNK]
        if first:
            np.multiply(g, factor, out=t)
            continue
        if factor != 1:
            np.multiply(g, factor, out=g)
        np.add(t, g, out=t)
