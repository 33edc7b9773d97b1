"""evaluation: run a model without dropout and with running statistics, then put it back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .module import Module


@contextmanager
def evaluation(model: Module) -> Iterator[None]:
    """Set evaluation mode, and each module's own mode again afterwards.

    Examples
    --------
    >>> from tinygraph import nn
    >>> layer = nn.Dropout(0.5)
    >>> with evaluation(layer):
    ...     print(layer.training)
    False
    >>> layer.training
    True
    """
    before = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in before:
            object.__setattr__(module, "training", training)
