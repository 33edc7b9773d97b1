"""Run a model without dropout and with running statistics, then put it back."""

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
    with restored_modes(model):
        model.eval()
        yield


@contextmanager
def restored_modes(model: Module) -> Iterator[None]:
    """Give every module its own training or evaluation mode again afterwards.

    Examples
    --------
    >>> from tinygraph import nn
    >>> layer = nn.Dropout(0.5).eval()
    >>> with restored_modes(layer):
    ...     print(layer.train().training)
    True
    >>> layer.training
    False
    """
    before = [(module, module.training) for module in model.modules()]
    try:
        yield
    finally:
        for module, training in before:
            object.__setattr__(module, "training", training)
