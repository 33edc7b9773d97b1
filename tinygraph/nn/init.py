"""Initial values of parameters, written in place."""

from __future__ import annotations

from ..core.errors import UsageError, compose_message, describe
from ..core.tensor import Tensor
from ..ops.random import Generator, uniform


def uniform_(tensor: Tensor, low: float, high: float, generator: Generator | None = None) -> Tensor:
    """Fill a leaf with draws from [low, high) and return it.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> t = nn.init.uniform_(tg.zeros(100), -0.1, 0.1)
    >>> bool(abs(t).max() <= 0.1)
    True
    """
    if not isinstance(tensor, Tensor):
        raise UsageError(
            compose_message("uniform_ fills a tensor", describe(tensor), "tg.rand(…) makes one")
        )
    values = uniform(tensor.shape, low=low, high=high, dtype=tensor.dtype, generator=generator)
    tensor.data = values
    return tensor
