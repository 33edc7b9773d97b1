"""Mean 0 and standard deviation 1, learnt on the training data."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.dtypes import as_array
from ..core.errors import ShapeError, compose_message, describe
from ..core.modes import get_default_dtype
from ..core.storage import Array
from ..core.tensor import Tensor


class Standardize:
    """``(x − mean) / std`` for each feature, with mean and std of the training data.

    Parameters
    ----------
    training : array (N, …)
        What mean and standard deviation (ddof=0) are learnt from, along axis 0, in float64. A
        feature that is constant there is only centred.

    Attributes
    ----------
    mean, std : ndarray (…)

    Raises
    ------
    ShapeError
        Without rows; later for data with other features.

    Examples
    --------
    >>> import numpy as np, tinygraph as tg
    >>> standardize = tg.data.Standardize(np.array([[1.0, 10.0], [3.0, 30.0]]))
    >>> standardize(np.array([[2.0, 40.0]]))
    array([[0., 2.]])
    >>> standardize.inverse(np.array([[0.0, 2.0]]))
    array([[ 2., 40.]])
    """

    def __init__(self, training: Any) -> None:
        values = _values(training)
        if values.ndim == 0 or len(values) == 0:
            raise ShapeError(
                compose_message("Standardize learns from one row or more", describe(values))
            )
        self.mean = values.mean(axis=0, dtype=np.float64)
        std = values.std(axis=0, dtype=np.float64)
        # The mean of equal values may be off by rounding: such a feature has no spread either.
        spread = std > 1e-12 * np.abs(self.mean)
        self.std = np.where(spread | np.isnan(std), std, 1.0)

    def __call__(self, values: Any) -> Array:
        """Return standardized data; floating arrays keep their dtype."""
        x = self._checked(values)
        return np.asarray((x - self.mean) / self.std, dtype=_floating(x))

    def inverse(self, values: Any) -> Array:
        """Return standardized data in the original units."""
        x = self._checked(values)
        return np.asarray(x * self.std + self.mean, dtype=_floating(x))

    def _checked(self, values: Any) -> Array:
        x = _values(values)
        if x.shape[1:] != self.mean.shape or x.ndim == 0:
            raise ShapeError(
                compose_message(
                    f"Standardize was made for features of shape {self.mean.shape}",
                    describe(x),
                    "rows along axis 0",
                )
            )
        return x

    def __repr__(self) -> str:
        return f"Standardize(features of shape {self.mean.shape})"


def _values(values: Any) -> Array:
    return values._data if isinstance(values, Tensor) else as_array(values)


def _floating(x: Array) -> np.dtype[Any]:
    return x.dtype if x.dtype.kind == "f" else get_default_dtype()
