"""The confusion matrix: which classes are taken for which."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import IndexRangeError, UsageError, compose_message, describe
from ..core.storage import Array
from ..core.tensor import Tensor
from .classification import rows_of_classes


def confusion_matrix(
    prediction: Any, labels: Any, classes: int | None = None, ignore_index: int = -100
) -> Array:
    """Count how often each class (row) is taken for each class (column).

    Parameters
    ----------
    prediction : array or Tensor, shape (N, C), or (N,) of class numbers
        Scores, or the classes that were chosen.
    labels : array or Tensor of integers, shape (N,)
    classes : int, optional
        How many there are; by default C, or the largest number plus 1.
    ignore_index : int
        A label that does not count.

    Returns
    -------
    ndarray of int64, shape (classes, classes)

    Raises
    ------
    ShapeError, UsageError, IndexRangeError
        For shapes, dtypes or class numbers that do not fit.

    Examples
    --------
    >>> import numpy as np, tinygraph as tg
    >>> tg.train.confusion_matrix(np.array([0, 1, 1]), np.array([0, 0, 1]))
    array([[1, 1],
           [0, 1]])
    """
    chosen = _plain(prediction)
    actual = _plain(labels)
    numbers = chosen.shape == actual.shape and chosen.dtype.kind in "iu"
    scores = chosen[..., None] if numbers else chosen
    rows, actual = rows_of_classes("confusion_matrix", scores, actual, ignore_index)
    found = rows[:, 0] if numbers else rows.argmax(-1)
    count = classes
    if count is None:
        largest = max(int(actual.max(initial=0)), int(found.max(initial=0)))
        count = largest + 1 if numbers else max(largest + 1, rows.shape[-1])
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise UsageError(
            compose_message("confusion_matrix: classes is a whole number", describe(classes))
        )
    for numbers in (found, actual):
        if numbers.size and not 0 <= numbers.min() <= numbers.max() < count:
            raise IndexRangeError(
                f"confusion_matrix: classes are from 0 to {count - 1}. "
                f"Received {numbers.min()} to {numbers.max()}."
            )
    table = np.bincount(actual * count + found, minlength=count * count)
    return np.asarray(table.reshape(count, count))


def _plain(value: Any) -> Array:
    return np.asarray(value._data if isinstance(value, Tensor) else value)
