"""Products of a chain of matrices, in the order that takes the fewest multiplications."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.errors import ShapeError, UsageError, compose_message, describe, describe_all
from ..core.modes import module_path
from ..core.op import composite
from ..core.tensor import Tensor
from .linalg import matmul
from .operands import operands


@composite("a₁ @ a₂ @ …, in the cheapest order", numpy=[np.linalg.multi_dot])
def multi_dot(arrays: Sequence[Any]) -> Tensor:
    """Multiply a chain of matrices in the order that takes the fewest multiplications.

    Parameters
    ----------
    arrays : sequence of Tensor or ndarray
        At least two; the first may be a row vector and the last a column vector.

    Raises
    ------
    ShapeError
        If neighbours do not fit, or one is no matrix.
    UsageError
        If there are fewer than two.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.multi_dot([tg.ones(10, 2), tg.ones(2, 10), tg.ones(10)]).shape
    (10,)
    """
    chain = operands("multi_dot", arrays)
    if len(chain) < 2:
        raise UsageError(f"multi_dot needs at least two matrices, received {len(chain)}.")
    _check_chain(chain)
    ends = [1 if chain[0].ndim == 1 else chain[0].shape[0]]
    sizes = ends + [x.shape[0] for x in chain[1:]]
    sizes.append(1 if chain[-1].ndim == 1 else chain[-1].shape[1])
    splits = _cheapest(sizes)

    def product(i: int, j: int) -> Any:
        if i == j:
            return chain[i]
        k = splits[i, j]
        return matmul(product(i, k), product(k + 1, j))

    return product(0, len(chain) - 1)  # type: ignore[no-any-return]


def _check_chain(chain: list[Any]) -> None:
    last = len(chain) - 1
    for i, x in enumerate(chain):
        if x.ndim != 2 and not (x.ndim == 1 and i in (0, last)):
            raise ShapeError(
                compose_message(
                    f"multi_dot: number {i} of the chain must be a matrix (vectors only stand at "
                    "the ends)",
                    describe(x),
                )
            )
        if i and chain[i - 1].shape[-1] != x.shape[0]:
            raise ShapeError(
                compose_message(
                    f"multi_dot: numbers {i - 1} and {i} of the chain do not fit, "
                    f"{chain[i - 1].shape[-1]} ≠ {x.shape[0]}",
                    describe_all(chain),
                    "transpose one of them",
                    module_path(),
                )
            )


def _cheapest(sizes: list[int]) -> dict[tuple[int, int], int]:
    """Return where to split the chain from i to j (Cormen, Algorithms, matrix chains)."""
    count = len(sizes) - 1
    cost = {(i, i): 0 for i in range(count)}
    split = {}
    for length in range(1, count):
        for i in range(count - length):
            j = i + length
            prices = {
                k: cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1]
                for k in range(i, j)
            }
            split[i, j] = min(prices, key=prices.__getitem__)
            cost[i, j] = prices[split[i, j]]
    return split
