"""Standard deviation, and reductions that leave nan out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.op import composite
from ..core.tensor import Tensor
from .axes import Axes, all_axes
from .elementwise import div, where
from .norm import power_norm
from .operands import operand
from .reduce import mean, sum
from .truth import count_nonzero


@composite(
    "sqrt(Σ (x − mean(x))² / (n − ddof))",
    numpy=[np.std],
    kinks="the derivative of a constant row is 0",
)
def std(x: Any, axis: Axes = None, ddof: int = 0, keepdims: bool = False) -> Tensor:
    """Standard deviation along axes, in two passes; nan where n − ddof is not positive.

    Parameters
    ----------
    x : Tensor or ndarray
    axis : int, tuple of int or None
        Axes to reduce; None for all.
    ddof : int
        0 for the deviation of a population (default, as in NumPy), 1 for that of a sample.
    keepdims : bool
        Keep the reduced axes with length 1.

    Raises
    ------
    ShapeError
        If an axis does not exist.

    Examples
    --------
    >>> import tinygraph as tg
    >>> float(tg.std(tg.tensor([1.0, 3.0])))
    1.0
    """
    x = operand("std", x)
    axes = all_axes("std", axis, x.ndim)
    count = math.prod([x.shape[a] for a in axes]) - ddof
    centered = x - mean(x, axis=axes, keepdims=True)
    if count <= 0:
        return sum(centered, axis=axes, keepdims=keepdims) * math.nan
    return power_norm(centered, axis=axes, keepdims=keepdims) / math.sqrt(count)


@composite("Σ x, without nan", numpy=[np.nansum])
def nansum(x: Any, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Add the elements along axes, counting nan as 0; the gradient of a nan is 0.

    Parameters
    ----------
    x : Tensor or ndarray
    axis : int, tuple of int or None
        Axes to reduce; None for all.
    keepdims : bool
        Keep the reduced axes with length 1.

    Raises
    ------
    ShapeError
        If an axis does not exist.

    Examples
    --------
    >>> import math, tinygraph as tg
    >>> float(tg.nansum(tg.tensor([1.0, math.nan, 2.0])))
    3.0
    """
    x = operand("nansum", x)
    axes = all_axes("nansum", axis, x.ndim)
    return sum(where(x == x, x, 0), axis=axes, keepdims=keepdims)


@composite("Σ x / n, without nan", numpy=[np.nanmean])
def nanmean(x: Any, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Average the elements along axes that are not nan; nan, and no warning, if all are.

    Parameters
    ----------
    x : Tensor or ndarray
    axis : int, tuple of int or None
        Axes to reduce; None for all.
    keepdims : bool
        Keep the reduced axes with length 1.

    Raises
    ------
    ShapeError
        If an axis does not exist.

    Examples
    --------
    >>> import math, tinygraph as tg
    >>> float(tg.nanmean(tg.tensor([1.0, math.nan, 2.0])))
    1.5
    """
    x = operand("nanmean", x)
    axes = all_axes("nanmean", axis, x.ndim)
    count = count_nonzero(x == x, axis=axes, keepdims=keepdims)
    return div(nansum(x, axes, keepdims), count)
