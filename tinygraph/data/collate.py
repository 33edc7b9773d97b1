"""Joining samples to a batch, and the dtype of a batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..core.dtypes import as_array
from ..core.errors import ShapeError, compose_message, describe
from ..core.storage import Array
from ..core.tensor import Tensor


def collate(samples: Sequence[Any]) -> Any:
    """Join samples to a batch: arrays and numbers are stacked along a new first axis.

    Parameters
    ----------
    samples : list
        Of like samples: arrays, tensors or numbers; tuples or dicts of them (joined part by
        part); or anything else, which is returned as the list.

    Raises
    ------
    ShapeError
        For samples of different shapes or kinds.

    Examples
    --------
    >>> import numpy as np, tinygraph as tg
    >>> tg.data.collate([(np.zeros(2), 0), (np.ones(2), 1)])
    (array([[0., 0.],
           [1., 1.]]), array([0, 1]))
    """
    if not samples:
        return []
    first = samples[0]
    if isinstance(first, Mapping):
        _check_parts(samples, first)
        return {key: collate([sample[key] for sample in samples]) for key in first}
    if isinstance(first, tuple | list):
        _check_parts(samples, first)
        return tuple(collate(part) for part in zip(*samples, strict=True))
    if isinstance(first, np.ndarray | np.generic | Tensor | bool | int | float):
        return _stacked(samples)
    return list(samples)


def _check_parts(samples: Sequence[Any], first: Any) -> None:
    for i, sample in enumerate(samples):
        fits = isinstance(sample, tuple | list) and len(sample) == len(first)
        if isinstance(first, Mapping):
            fits = isinstance(sample, Mapping) and set(sample) == set(first)
        if not fits:
            raise ShapeError(
                compose_message(
                    f"Samples of a batch have the same parts; sample {i} differs from the first",
                    f"{describe(sample)} and {describe(first)}",
                    "a collate_fn of your own",
                )
            )


def _stacked(samples: Sequence[Any]) -> Array:
    arrays = [s._data if isinstance(s, Tensor) else as_array(s) for s in samples]
    for i, array in enumerate(arrays):
        if array.shape != arrays[0].shape:
            raise ShapeError(
                compose_message(
                    f"Samples of a batch have one shape; sample {i} differs from the first",
                    f"{array.shape} and {arrays[0].shape}",
                    "pad or crop them, or a collate_fn of your own",
                )
            )
    return np.stack(arrays)


def map_arrays(batch: Any, function: Callable[[Array], Array]) -> Any:
    """Return ``batch`` with ``function`` applied to each array in its tuples, lists and dicts."""
    if isinstance(batch, np.ndarray):
        return function(batch)
    if isinstance(batch, Mapping):
        return {key: map_arrays(part, function) for key, part in batch.items()}
    if isinstance(batch, tuple | list):
        parts = [map_arrays(part, function) for part in batch]
        return type(batch)(*parts) if hasattr(batch, "_fields") else type(batch)(parts)
    return batch
