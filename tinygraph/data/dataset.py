"""Datasets: anything with a length and items; arrays; and a part of another."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np

from ..core.dtypes import as_array
from ..core.errors import IndexRangeError, ShapeError, UsageError, compose_message, describe
from ..core.storage import Array
from ..core.tensor import Tensor
from .collate import collate


@runtime_checkable
class Dataset(Protocol):
    """Anything with ``len(dataset)`` and ``dataset[i]``; a list will do.

    If it also has ``batch(rows)``, which returns the batch of an array of row numbers, a
    :class:`DataLoader` uses that instead of item after item.
    """

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Any: ...


class TensorDataset:
    """Arrays whose first axis counts the samples; an item is a tuple of rows.

    Parameters
    ----------
    *arrays : arrays, tensors or lists
        At least one; of equal length. Arrays and tensors are not copied.

    Raises
    ------
    UsageError
        Without an array, or for a tuple of arrays.
    ShapeError
        For unequal lengths, or a number instead of an array.
    IndexRangeError
        When a sample is asked for that is not there.

    Examples
    --------
    >>> import numpy as np, tinygraph as tg
    >>> dataset = tg.data.TensorDataset(np.zeros((3, 2)), np.array([0, 1, 1]))
    >>> len(dataset), dataset[1]
    (3, (array([0., 0.]), np.int64(1)))
    """

    def __init__(self, *arrays: Any) -> None:
        if not arrays:
            raise UsageError("TensorDataset takes at least one array. Fix: TensorDataset(x, y).")
        for array in arrays:
            if isinstance(array, tuple):
                raise UsageError(
                    compose_message(
                        "TensorDataset takes arrays, each by itself",
                        describe(array),
                        "TensorDataset(x, y), without parentheses around x and y",
                    )
                )
        self.arrays = tuple(a._data if isinstance(a, Tensor) else as_array(a) for a in arrays)
        for array in self.arrays:
            if array.ndim == 0 or len(array) != len(self.arrays[0]):
                raise ShapeError(
                    compose_message(
                        "The arrays of a TensorDataset have one length along axis 0",
                        " and ".join(describe(np.asarray(a)) for a in self.arrays),
                        "TensorDataset(x, y) with one label for each row of x",
                    )
                )

    def __len__(self) -> int:
        return len(self.arrays[0])

    def __getitem__(self, index: Any) -> tuple[Any, ...]:
        try:
            return tuple(array[index] for array in self.arrays)
        except IndexError:
            raise IndexRangeError(
                compose_message(
                    f"TensorDataset: a sample is a whole number below {len(self)}, the length",
                    describe(index),
                )
            ) from None

    def batch(self, rows: Array) -> tuple[Array, ...]:
        """Return copies of these rows of all arrays."""
        return tuple(array[rows] for array in self.arrays)

    def __repr__(self) -> str:
        return f"TensorDataset({', '.join(describe(a) for a in self.arrays)})"


class Subset:
    """Some samples of another dataset.

    Parameters
    ----------
    dataset : Dataset
    indices : sequence of int

    Raises
    ------
    IndexRangeError
        For indices out of range.

    Examples
    --------
    >>> import tinygraph as tg
    >>> part = tg.data.Subset(["a", "b", "c"], [2, 0])
    >>> list(part)
    ['c', 'a']

    A slice is a batch, as of a :class:`TensorDataset`:

    >>> x, y = tg.data.Subset(tg.data.TensorDataset([1.0, 2.0, 3.0], [0, 1, 0]), [2, 0])[:2]
    >>> x, y
    (array([3., 1.], dtype=float32), array([0, 0]))
    """

    def __init__(self, dataset: Dataset, indices: Any) -> None:
        self.dataset = dataset
        numbers = np.asarray(indices)
        if numbers.ndim != 1 or (numbers.size and numbers.dtype.kind not in "iu"):
            raise UsageError(
                compose_message("Subset takes a list of whole numbers", describe(numbers))
            )
        self.indices = numbers.astype(np.int64)
        if numbers.size and not -len(dataset) <= numbers.min() <= numbers.max() < len(dataset):
            raise IndexRangeError(
                f"Subset: indices lie below {len(dataset)}, the dataset's length. "
                f"Received {numbers.min()} to {numbers.max()}."
            )

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: Any) -> Any:
        """Return a sample, or for a slice or an array of indices their batch."""
        rows = self.indices[index]
        return self.dataset[int(rows)] if rows.ndim == 0 else read(self.dataset, rows)

    def batch(self, rows: Array) -> Any:
        """Return the batch of these samples."""
        return read(self.dataset, self.indices[rows])

    def __repr__(self) -> str:
        return f"Subset({len(self)} of {len(self.dataset)} samples)"


def read(dataset: Dataset, rows: Array) -> Any:
    """Return the batch of these rows: in one go if the dataset can, else sample by sample."""
    batch = getattr(dataset, "batch", None)
    if batch is not None:
        return batch(rows)
    return collate([dataset[i] for i in rows.tolist()])
