"""Splitting a dataset at random, in given or equal proportions of each class."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.errors import ShapeError, UsageError, compose_message, describe
from ..core.storage import Array
from ..core.tensor import Tensor
from ..ops.random import Generator, permutation
from .dataset import Dataset, Subset


def random_split(
    dataset: Dataset,
    lengths: Sequence[float],
    generator: Generator | None = None,
    *,
    stratify: Any = None,
) -> list[Subset]:
    """Split a dataset at random into parts that do not overlap.

    Parameters
    ----------
    dataset : Dataset
    lengths : list of int, or list of float
        The length of each part, together that of the dataset; or their shares, together 1.
    generator : Generator, optional
        tinygraph's own by default.
    stratify : array of labels, optional
        One for each sample: each part gets its share of each label.

    Returns
    -------
    list of Subset

    Raises
    ------
    UsageError
        If lengths do not add up.
    ShapeError
        If there is not one label for each sample.

    Examples
    --------
    >>> import tinygraph as tg
    >>> train, test = tg.data.random_split(list("abcdefghij"), [0.8, 0.2], tg.Generator(0))
    >>> len(train), len(test), sorted([*train, *test])
    (8, 2, ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'])
    """
    sizes = _sizes(lengths, len(dataset))
    labels = None if stratify is None else _labels(stratify, len(dataset))
    order = permutation(len(dataset), generator).numpy()
    if labels is not None:
        order = _interleaved(order, labels)
    ends = np.cumsum(sizes)[:-1]
    return [Subset(dataset, part) for part in np.split(order, ends)]


def _sizes(lengths: Any, count: int) -> list[int]:
    values = list(lengths) if isinstance(lengths, Sequence | np.ndarray) else []
    numbers = all(
        isinstance(v, int | float | np.number) and not isinstance(v, bool) and v >= 0
        for v in values
    )
    if not values or isinstance(lengths, str) or not numbers:
        raise UsageError(
            compose_message("random_split takes lengths or shares", describe(lengths), "[0.8, 0.2]")
        )
    if all(isinstance(v, int | np.integer) for v in values) and sum(values) == count:
        return [int(v) for v in values]
    if not math.isclose(sum(values), 1):
        raise UsageError(
            f"random_split: lengths add up to {count}, the dataset's length, or shares to 1. "
            f"Received {values}, together {sum(values)}."
        )
    sizes = [math.floor(count * v) for v in values]
    for i in range(count - sum(sizes)):  # what is left over goes round, as in PyTorch
        sizes[i % len(sizes)] += 1
    return sizes


def _labels(stratify: Any, count: int) -> Array:
    labels = stratify._data if isinstance(stratify, Tensor) else np.asarray(stratify)
    if labels.shape != (count,):
        raise ShapeError(
            compose_message(
                f"random_split: stratify has one label for each of the {count} samples",
                describe(labels),
            )
        )
    return labels


def _interleaved(order: Array, labels: Array) -> Array:
    """Spread the samples of each label evenly over the order, so that any stretch has its share."""
    place = np.empty(len(order))
    shuffled = labels[order]
    for label in np.unique(shuffled):
        (found,) = np.nonzero(shuffled == label)
        place[found] = (np.arange(len(found)) + 0.5) / len(found)
    return order[np.argsort(place, kind="stable")]
