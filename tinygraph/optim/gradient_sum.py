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

    def add(self, shares: Sequence[tuple[Share, float]]) -> None:
        """Add gradients, each with its factor; the memory of the shares is used up."""
        start = 0
        for k, flat in enumerate(self._flats):
            stop = start + len(flat.parameters)
            present = [share.present[start:stop] for share, _ in shares]
            if shares and all(map(all, present)) and _without_gradients(flat):  # as nearly always
                _add(flat.grad, [(share.vectors[k], w) for share, w in shares], first=True)
                _point(flat, (True,) * len(flat.parameters))
            else:
                for (share, factor), has_one in zip(shares, present, strict=True):
                    for run, first in _runs(flat, has_one):
                        _add(flat.grad[run], [(share.vectors[k][run], factor)], first)
                    _point(flat, has_one)
            start = stop

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


def _without_gradients(flat: FlatParameters) -> bool:
    return all(p._grad is None for p in flat.parameters)


def _point(flat: FlatParameters, present: Sequence[bool]) -> None:
    """Let parameters hold what was added for them."""
    for p, has_one in zip(flat.parameters, present, strict=True):
        if has_one:
            p._grad = p._grad_buffer


def _add(total: Array, gradients: Sequence[tuple[Array, float]], first: bool) -> None:
    """``total += Σ factor · gradient``, or ``total = …`` if nothing was there before.

    All of it for a piece that stays in cache, then for the next.
    """
    for start in range(0, total.size, CHUNK):
        piece = slice(start, start + CHUNK)
        t, empty = total[piece], first
        for gradient, factor in gradients:
            g = gradient[piece]
            if empty:
                np.multiply(g, factor, out=t)
            else:
                np.add(t, np.multiply(g, factor, out=g) if factor != 1 else g, out=t)
            empty = False
