"""Dropout: a random op draws the mask, a multiplication applies it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import UsageError, compose_message, describe
from ..core.modes import get_default_dtype
from ..core.op import composite, op
from ..core.storage import Array
from ..core.structure import cast
from ..core.tensor import Tensor
from .elementwise import mul
from .operands import operand
from .random import Generator, chosen_generator


def _mask(x: Any, *, p: float, generator: Generator) -> Any:
    """Draw in float32 whatever the dtype of ``x``: equal seeds drop the same elements."""
    x = np.asarray(x)
    kept = generator.numpy.random(x.shape, dtype=np.float32) >= p
    mask: Array = np.asarray(kept).astype(x.dtype)
    mask *= 1 / (1 - p) if p < 1 else 0.0
    return mask


dropout_mask = op(
    "dropout_mask", _mask, kind="random", label="~",
    formula="0 with probability p, else 1 / (1 − p)",
    doc="Draw a mask of the shape and dtype of x, with mean 1.",
)  # fmt: skip


@composite("x · mask, mask 0 with probability p, else 1 / (1 − p)")
def dropout(
    x: Any, p: float = 0.5, training: bool = True, generator: Generator | None = None
) -> Tensor:
    """Set elements to 0 at random and scale the others, so that the mean stays.

    Parameters
    ----------
    x : Tensor or ndarray
        Integers become floats.
    p : float
        The probability of each element to become 0; the others are divided by 1 − p.
    training : bool
        False returns ``x`` itself.
    generator : Generator, optional
        Where the mask is drawn from; tinygraph's own by default.

    Returns
    -------
    Tensor
        Of the shape of ``x``. The gradient passes the same mask.

    Raises
    ------
    UsageError
        If ``p`` does not lie between 0 and 1.

    Notes
    -----
    Source: Srivastava et al. 2014, Dropout: a simple way to prevent overfitting.

    Examples
    --------
    >>> import tinygraph as tg
    >>> y = tg.dropout(tg.ones(1000), p=0.25, generator=tg.Generator(0))
    >>> sorted(set(y.numpy().tolist()))
    [0.0, 1.3333333730697632]
    """
    real = isinstance(p, int | float | np.number) and not isinstance(p, bool)
    if not real or not 0 <= p <= 1:
        raise UsageError(
            compose_message("dropout: p is a probability, from 0 to 1", describe(p), "p=0.5")
        )
    if not isinstance(training, bool | np.bool_):
        raise UsageError(
            compose_message(
                "dropout: training is True or False", describe(training), "training=self.training"
            )
        )
    source = chosen_generator(generator)
    x = operand("dropout", x)
    if not training or p == 0:
        return x  # type: ignore[no-any-return]
    if x.dtype.kind != "f":
        x = cast(x, dtype=get_default_dtype())
    return mul(x, dropout_mask(x, p=float(p), generator=source))
