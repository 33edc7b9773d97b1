"""What the matrix products of a step cost by themselves: no NumPy program can be below."""

from __future__ import annotations

import time
from collections.abc import Iterable

import numpy as np


def time_of_products(products: Iterable[tuple[int, int, int, int]], rounds: int = 7) -> float:
    """Return the seconds of (rows, inner, columns, times) products, at the best of rounds.

    Buffers are reused and stay in cache; BLAS uses the threads it wants.
    """
    total = 0.0
    for rows, inner, columns, times in products:
        a, b = np.ones((rows, inner), np.float32), np.ones((inner, columns), np.float32)
        out = np.empty((rows, columns), np.float32)
        best = float("inf")
        for _ in range(rounds):
            start = time.perf_counter()
            np.dot(a, b, out)
            best = min(best, time.perf_counter() - start)
        total += best * times
    return total
