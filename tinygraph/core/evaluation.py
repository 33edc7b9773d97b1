"""Run a model for a look at it: example inputs, no dropout, running statistics; then put it back.

A model is anything with ``modules()``, ``parameters()`` and ``training``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from .dtypes import as_array
from .modes import get_default_dtype
from .tensor import Tensor


@contextmanager
def evaluation(model: Any) -> Iterator[None]:
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
def restored_modes(model: Any) -> Iterator[None]:
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


def example_inputs(model: Any, given: Any) -> list[Any]:
    """Return the arguments of a call, as tensors, from what stands for them.

    Parameters
    ----------
    model : Module or function
        Whose floating dtype zeros have.
    given : Tensor, ndarray, tuple of int, or list of them
        A tuple of lengths such as ``(64, 2)`` stands for zeros of that shape; a list holds
        several arguments.

    Examples
    --------
    >>> from tinygraph import nn
    >>> [x.shape for x in example_inputs(nn.Linear(2, 3), [(5, 2), 1.0])]
    [(5, 2), ()]
    """
    if isinstance(given, list):
        return [x for part in given for x in example_inputs(model, part)]
    if isinstance(given, tuple) and all(isinstance(n, int | np.integer) for n in given):
        floating = (p.dtype for p in getattr(model, "parameters", tuple)() if p.dtype.kind == "f")
        return [Tensor(np.zeros(given, next(floating, get_default_dtype())))]
    if isinstance(given, tuple):
        return [x for part in given for x in example_inputs(model, part)]
    if isinstance(given, Tensor):
        return [given]
    return [Tensor(as_array(given))]
