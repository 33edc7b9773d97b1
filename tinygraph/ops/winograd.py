"""Winograd's convolution F(4×4, 3×3): 36 products in the place of 144, in float32.

An image is cut into overlapping tiles of 6×6, which give 4×4 results each:

    y = Aᵀ [ (G w Gᵀ) ⊙ (Bᵀ d B) ] A          summed over channels inside the brackets

so that each of the 36 places of a tile is a product of matrices (tiles × C) @ (C × C'). The
gradient by the weights is the adjoint of the same pipeline, Gᵀ [ (A g Aᵀ) (Bᵀ d B) ] G; the
gradient by the image is the convolution of g with the kernels turned round.

Source: A. Lavin and S. Gray, Fast algorithms for convolutional neural networks, 2015. Images are
(H, W, N, C) in memory: rows and columns of a tile are then transformed by products of 6×6
matrices with what lies in memory, and nothing has to be gathered.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..core.storage import Array

STEP, SIDE = 4, 6
PLACES = SIDE * SIDE
CENTRE = SIDE + 1
"""The place of M that Aᵀ M A copies to every element of the result: where a bias is added."""

B_T: Array = np.array(
    [[4, 0, -5, 0, 1, 0], [0, -4, -4, 1, 1, 0], [0, 4, -4, -1, 1, 0],
     [0, -2, -1, 2, 1, 0], [0, 2, -1, -2, 1, 0], [0, 4, 0, -5, 0, 1]], np.float32,
)  # fmt: skip
A_T: Array = np.array(
    [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]],
    np.float32,
)
A: Array = np.ascontiguousarray(A_T.T)
G: Array = np.array(
    [[1 / 4, 0, 0], [-1 / 6, -1 / 6, -1 / 6], [-1 / 6, 1 / 6, -1 / 6],
     [1 / 24, 1 / 12, 1 / 6], [1 / 24, -1 / 12, 1 / 6], [0, 0, 1]],
)  # fmt: skip
G_G: Array = np.kron(G, G).astype(np.float32)
"""G w Gᵀ as one matrix, 36 × 9."""

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

    def take(self, name: str, *shape: int) -> Array:
        size = int(np.prod(shape))
        memory = self._memory.get(name)
        if memory is None or memory.size < size:
            memory = self._memory[name] = np.empty(size, np.float32)
        return memory[:size].reshape(shape)


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


def _from_tiles(places: Array, result: Array, scratch: _Scratch) -> None:
    """Write ``Aᵀ m A`` for a run of tiles m, (36, tiles, F), into ``result`` (≤ 4, W, F)."""
    tiles, numbers = places.shape[1:]
    columns = scratch.take("columns", SIDE, tiles, STEP, numbers)
    np.matmul(A_T, places.reshape(SIDE, SIDE, tiles, numbers).transpose(0, 2, 1, 3), out=columns)
    rows = columns.reshape(SIDE, tiles * STEP, numbers).transpose(1, 0, 2)
    np.matmul(A_T[: len(result)], rows[: result.shape[1]], out=result.transpose(1, 0, 2))


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
        if bias is not None:
            product[CENTRE] += bias
        _from_tiles(product.reshape(PLACES, block.tiles, -1), block.of(result, k), scratch)


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
