"""Winograd's convolution F(4×4, 3×3): 36 products in the place of 144, in float32.

An image is cut into overlapping tiles of 6×6, which give 4×4 results each:

    y = Aᵀ [ (G w Gᵀ) ⊙ (Bᵀ d B) ] A          summed over channels inside the brackets

so that each of the 36 places of a tile is a product of matrices (tiles × C) @ (C × C'). The
gradient by the weights is the adjoint of the same pipeline, Gᵀ [ (A g Aᵀ) (Bᵀ d B) ] G; the
gradient by the image is the convolution of g with the kernels turned round.

Sources: A. Lavin and S. Gray, Fast algorithms for convolutional neural networks, 2015; of the
points' influence on errors, B. Barabasz et al., Error analysis and improving the accuracy of
Winograd convolution, 2018. Images are (H, W, N, C) in memory: rows and columns of a tile are then
transformed by products of 6×6 matrices with what lies in memory, and nothing has to be gathered.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ..core.storage import Array

STEP, SIDE = 4, 6
PLACES = SIDE * SIDE
POINTS = (0.0, 1.5, -1.5, 0.625, -0.625)
"""Where polynomials are evaluated, beside infinity. With these the rounding errors of float32 grow
less than half as much as with 0, ±1, ±2; all numbers of A and B are exact."""


def _matrices() -> tuple[Array, Array, Array]:
    """Return Aᵀ (4 × 6), Bᵀ (6 × 6) and G (6 × 3) of Toom and Cook for the points."""
    a_t, b_t, g = np.zeros((STEP, SIDE)), np.zeros((SIDE, SIDE)), np.zeros((SIDE, 3))
    for i, p in enumerate(POINTS):
        others = [q for q in POINTS if q != p]
        a_t[:, i] = p ** np.arange(STEP)
        b_t[i, :-1] = np.poly(others)[::-1]
        g[i] = p ** np.arange(3) / np.prod(np.subtract(p, others))
    a_t[-1, -1] = g[-1, -1] = 1
    b_t[-1] = np.poly(POINTS)[::-1]
    return a_t, b_t, g


A_T, B_T, G = _matrices()
G_G: Array = np.kron(G, G).astype(np.float32)
"""G w Gᵀ as one matrix, 36 × 9."""
A_T, B_T = A_T.astype(np.float32), B_T.astype(np.float32)
A: Array = np.ascontiguousarray(A_T.T)
A_T_AND_ONE: Array = np.hstack([A_T, np.ones((STEP, 1), np.float32)])
"""Aᵀ with a column that adds a seventh row to all four: the bias."""

ROW = 2048
"""Numbers N · C of one pixel that a block takes: longer rows leave the cache."""
BLOCK = 8 * ROW
"""Numbers of one place that a block takes: 36 times as many are at work."""


class _Block:
    """Which part of the images is at work: elements of the batch, and a run of tiles in a row."""

    def __init__(self, first: int, last: int, row: int, column: int, tiles: int) -> None:
        self.first, self.last = first, last
        self.row, self.column, self.tiles = row, column, tiles

    def of(self, image: Array, channels: int) -> Array:
        """Return the 4 rows of the result that the block makes, or fewer at the end."""
        places = slice(self.first * channels, self.last * channels)
        columns = slice(self.column, self.column + STEP * self.tiles)
        return image[self.row : self.row + STEP, columns, places]


def _blocks(height: int, width: int, batch: int, channels: int) -> Iterator[_Block]:
    """Cut images into blocks of at most ``BLOCK`` numbers for each of the 36 places."""
    parts = -(-batch * channels // ROW)
    count = -(-batch // parts)
    across = max(1, BLOCK // (count * channels))
    tiles = -(-width // STEP)
    for first in range(0, batch, count):
        last = min(first + count, batch)
        for row in range(0, height, STEP):
            for tile in range(0, tiles, across):
                yield _Block(first, last, row, STEP * tile, min(across, tiles - tile))


class _Scratch:
    """Memory that the blocks share: made for the largest one, cut for each."""

    def __init__(self) -> None:
        self._memory: dict[str, Array] = {}
        self._views: dict[tuple[str, tuple[int, ...]], Array] = {}

    def take(self, name: str, *shape: int) -> Array:
        found = self._views.get((name, shape))
        if found is None:
            size = math.prod(shape)
            memory = self._memory.get(name)
            if memory is None or memory.size < size:
                memory = self._memory[name] = np.empty(size, np.float32)
            found = self._views[name, shape] = memory[:size].reshape(shape)
        return found


def _to_tiles(
    matrix: Array, image: Array, row: int, column: int, tiles: int, name: str, scratch: _Scratch
) -> Array:
    """Return ``matrix d matrixᵀ`` for a run of tiles d of ``image`` (H, W, F): (36, tiles, F).

    The first tile starts at ``row`` and ``column``, which may lie outside; there are zeros.
    """
    side, numbers = matrix.shape[1], image.shape[2]
    width = STEP * (tiles - 1) + side
    left, right = max(column, 0), min(column + width, image.shape[1])
    top, bottom = max(row, 0), min(row + side, image.shape[0])
    rows = scratch.take("rows " + name, SIDE, width, numbers)
    if left < right and top < bottom:
        rows[:, : left - column] = 0
        rows[:, right - column :] = 0
        np.matmul(
            matrix[:, top - row : bottom - row],
            image[top:bottom, left:right].transpose(1, 0, 2),
            out=rows[:, left - column : right - column].transpose(1, 0, 2),
        )
    else:
        rows.fill(0)
    found = scratch.take("tiles " + name, SIDE, SIDE, tiles, numbers)
    a, b, c = rows.strides
    runs = np.ndarray((SIDE, tiles, side, numbers), np.float32, rows, 0, (a, STEP * b, b, c))
    np.matmul(matrix, runs, out=found.transpose(0, 2, 1, 3))
    return found.reshape(PLACES, tiles, numbers)


def _from_tiles(places: Array, result: Array, scratch: _Scratch, bias: Array | None = None) -> None:
    """Write ``Aᵀ m A + bias`` for a run of tiles m, (36, tiles, F), into ``result`` (≤ 4, W, F)."""
    tiles, numbers = places.shape[1:]
    columns = scratch.take("columns", SIDE + 1, tiles * STEP, numbers)
    inner = columns[:SIDE].reshape(SIDE, tiles, STEP, numbers)
    np.matmul(A_T, places.reshape(SIDE, SIDE, tiles, numbers).transpose(0, 2, 1, 3), out=inner)
    matrix = A_T
    if bias is not None:
        columns[SIDE] = np.tile(bias, numbers // len(bias))
        matrix = A_T_AND_ONE
    rows = columns[: matrix.shape[1], : result.shape[1]].transpose(1, 0, 2)
    np.matmul(matrix[: len(result)], rows, out=result.transpose(1, 0, 2))


def correlate(
    x: Array, weight: Array, start: tuple[int, int], y: Array, bias: Array | None = None
) -> None:
    """Write into ``y`` (H', W', N, C') the correlation of ``x`` (H, W, N, C).

    ``y[i, j] = bias + Σ weight[:, :, k, l] · x[i + k + start[0], j + l + start[1]]``, with zeros
    outside; ``weight`` is (C', C, 3, 3).
    """
    (h, w, n, c), (height, width, _, k) = x.shape, y.shape
    kernels = np.ascontiguousarray(
        (G_G @ weight.reshape(k * c, 9).T).reshape(PLACES, k, c).transpose(0, 2, 1)
    )
    image, result, scratch = x.reshape(h, w, n * c), y.reshape(height, width, n * k), _Scratch()
    for block in _blocks(height, width, n, max(c, k)):
        part = image[:, :, block.first * c : block.last * c]
        row, column = block.row + start[0], block.column + start[1]
        found = _to_tiles(B_T, part, row, column, block.tiles, "x", scratch)
        count = block.tiles * (block.last - block.first)
        product = scratch.take("product", PLACES, count, k)
        np.matmul(found.reshape(PLACES, count, c), kernels, out=product)
        tiles = product.reshape(PLACES, block.tiles, -1)
        _from_tiles(tiles, block.of(result, k), scratch, bias)


def weight_gradient(x: Array, g: Array, start: tuple[int, int]) -> Array:
    """Return the gradient (C', C, 3, 3) of :func:`correlate` by its weight."""
    (h, w, n, c), (height, width, _, k) = x.shape, g.shape
    image, grad, scratch = x.reshape(h, w, n * c), g.reshape(height, width, n * k), _Scratch()
    total: Array = np.zeros((PLACES, c, k), np.float32)
    product = np.empty_like(total)
    for block in _blocks(height, width, n, max(c, k)):
        part = image[:, :, block.first * c : block.last * c]
        row, column = block.row + start[0], block.column + start[1]
        found = _to_tiles(B_T, part, row, column, block.tiles, "x", scratch)
        tiles = _to_tiles(A, block.of(grad, k), 0, 0, block.tiles, "g", scratch)
        count = block.tiles * (block.last - block.first)
        np.matmul(
            found.reshape(PLACES, count, c).transpose(0, 2, 1),
            tiles.reshape(PLACES, count, k),
            out=product,
        )
        total += product
    turned = total.transpose(2, 1, 0).reshape(k * c, PLACES)
    return (turned @ G_G).reshape(k, c, 3, 3)
