"""How large arrays are, and when a gradient counts as vanishing or exploding."""

from __future__ import annotations

import math

import numpy as np

from .storage import Array

VANISHING, EXPLODING = 1e-4, 1e3
"""Ratios to the gradient nearest to the output, beyond which one is conspicuous."""


def rms(array: Array) -> float:
    """Return the root mean square √(Σx²/n): a norm that does not grow with the number of elements.

    Examples
    --------
    >>> rms(np.array([3.0, -3.0, 3.0]))
    3.0
    """
    if array.size == 0:
        return math.nan
    with np.errstate(all="ignore"):
        return float(np.sqrt(np.mean(np.square(np.asarray(array, np.float64)))))


def size_in_words(size: float, reference: float) -> str:
    """Return what is conspicuous about the size of a gradient, "" if nothing is.

    Examples
    --------
    >>> size_in_words(1e-9, 0.1), size_in_words(0.2, 0.1), size_in_words(0.0, 0.1)
    ('vanishing', '', 'zero')
    """
    if size == 0:
        return "zero"
    if not math.isfinite(size):
        return "not finite"
    if reference and size < VANISHING * reference:
        return "vanishing"
    return "exploding" if reference and size > EXPLODING * reference else ""
