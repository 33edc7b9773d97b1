"""Arrays (N, C, …) cut into pieces that stay in cache, for work channel by channel.

Memory with the channels last is cut into rows of several pixels, any other into maps; the
vectors with a number for each channel are brought into the form that broadcasts along both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.layout import channels_last, empty_beside, is_channels_last, rows_of_elements
from ..core.storage import Array
from ..core.sums import sum_axes

PIECE = 2**18
"""Numbers of a piece: a few of them stay in cache, and two threads seldom wait for each other."""
LONG_ROW = 512
"""Shorter rows are taken several at a time: a row costs NumPy as much as a hundred numbers."""


def as_maps(x: Array) -> Array:
    """Return (N, C, …) as a contiguous (N, C, pixels)."""
    if is_channels_last(x):
        x = rows_of_elements(x)
    return np.ascontiguousarray(x).reshape(*x.shape[:2], math.prod(x.shape[2:]))


class Maps:
    """Pieces (n, c, pixels); vectors (c, 1)."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        batch, self.channels = shape[:2]
        pixels = max(1, math.prod(shape[2:]))
        across = min(self.channels, max(1, PIECE // pixels))
        down = max(1, PIECE // (pixels * across)) if across == self.channels else 1
        self.cuts = [
            (slice(n, n + down), slice(c, c + across))
            for n in range(0, batch, down)
            for c in range(0, self.channels, across)
        ]

    def pieces(self, x: Array) -> list[Array]:
        maps = as_maps(x)
        return [maps[cut] for cut in self.cuts]

    def vectors(self, v: Array) -> list[Array]:
        column = v[:, None]
        return [column[c] for _, c in self.cuts]

    def total(self, pieces: Sequence[Array]) -> Array:
        """Add up the sums of pieces, (n, c), by channel in float64."""
        result: Array = np.zeros(self.channels)
        for (_, c), piece in zip(self.cuts, pieces, strict=True):
            result[c] += np.add.reduce(piece, axis=0, dtype=np.float64)
        return result

    @staticmethod
    def sum(piece: Array) -> Array:
        return sum_axes(piece, (2,))


class Rows:
    """Pieces (rows, pixels · C); vectors repeated for each pixel of a row."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.channels = shape[1]
        pixels = math.prod(shape) // max(self.channels, 1)
        self.beside = max(1, min(LONG_ROW // max(self.channels, 1), pixels))
        self.width = self.beside * self.channels
        long = pixels // self.beside * self.width
        step = max(1, PIECE // max(self.width, 1)) * self.width
        self.cuts = [slice(i, min(i + step, long)) for i in range(0, long, max(step, 1))]
        if long < math.prod(shape):
            self.cuts.append(slice(long, math.prod(shape)))  # less than one row

    def pieces(self, x: Array) -> list[Array]:
        flat = channels_last(x).reshape(-1)
        return [flat[cut].reshape(-1, min(self.width, cut.stop - cut.start)) for cut in self.cuts]

    def vectors(self, v: Array) -> list[Array]:
        wide = np.tile(v, self.beside)
        return [wide[: cut.stop - cut.start] for cut in self.cuts]

    def total(self, pieces: Sequence[Array]) -> Array:
        """Add up the sums of pieces by channel in float64."""
        result: Array = np.zeros(self.channels)
        for piece in pieces:
            rows = piece.reshape(-1, self.channels)
            result += np.add.reduce(rows, axis=0, dtype=np.float64)
        return result

    @staticmethod
    def sum(piece: Array) -> Array:
        return sum_axes(piece, (0,))


def cut_like(x: Array) -> Maps | Rows:
    """Return how to cut ``x``, and arrays of its shape, by the order of its memory."""
    in_rows = x.ndim == 2 or is_channels_last(x)
    return Rows(x.shape) if in_rows else Maps(x.shape)


def target(x: Array, dtype: Any, out: Array | None) -> Array:
    """Return ``out`` if its pieces are views of it, else new memory in the order of ``x``'s."""
    plain = out is not None and (out.flags.c_contiguous or is_channels_last(out))
    if out is not None and plain and is_channels_last(out) == is_channels_last(x):
        return out
    return empty_beside(x, x.shape, dtype)
