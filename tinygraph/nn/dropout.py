"""Dropout: noise in training, the identity in evaluation."""

from __future__ import annotations

from typing import Any

from ..core.errors import UsageError, compose_message, describe
from ..core.tensor import Tensor
from ..ops.random import Generator
from . import functional as F
from .checks import checked_probability
from .module import Module


class Dropout(Module):
    """In training, set elements to 0 with probability p and divide the others by 1 − p.

    The mean of each element stays, so evaluation (``model.eval()``) is the identity.

    Parameters
    ----------
    p : float
        The probability of an element to become 0, from 0 to 1.
    generator : Generator, optional
        Where the masks are drawn from; tinygraph's own (see `manual_seed`) by default.

    Raises
    ------
    UsageError
        If ``p`` is not a probability.

    Notes
    -----
    Source: N. Srivastava et al., Dropout, 2014.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> layer = nn.Dropout(0.5, generator=tg.Generator(0))
    >>> sorted(set(layer(tg.ones(100)).numpy().tolist()))
    [0.0, 2.0]
    >>> layer.eval()(tg.ones(2))
    tensor([1., 1.])
    """

    def __init__(self, p: float = 0.5, generator: Generator | None = None) -> None:
        super().__init__()
        if generator is not None and not isinstance(generator, Generator):
            raise UsageError(
                compose_message(
                    "Dropout: generator is a tg.Generator", describe(generator), "tg.Generator(0)"
                )
            )
        self.p = checked_probability("Dropout", "p", p)
        self.generator = generator

    def forward(self, x: Any) -> Tensor:
        return F.dropout(x, self.p, self.training, self.generator)

    def extra_repr(self) -> str:
        return f"p={self.p}"
