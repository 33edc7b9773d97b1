"""Run a model for a look at it: example inputs, no dropout, running statistics; then put it back.

A model is anything with ``modules()``, ``parameters()`` and ``training``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from .dtypes import as_array
from .errors import ShapeError, UsageError, compose_message, shorten
from .modes import get_default_dtype
from .storage import Array
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
        Whose floating dtype zeros and floating arrays get, as in training.
    given : Tensor, ndarray, tuple of int, or list of them
        A tuple of lengths such as ``(64, 2)`` stands for zeros of that shape; a list holds
        several arguments. A Tensor is taken as it is.

    Examples
    --------
    >>> from tinygraph import nn
    >>> [x.shape for x in example_inputs(nn.Linear(2, 3), [(5, 2), 1.0])]
    [(5, 2), ()]
    """
    return list(_tensors_of(model, given, ()))


MOST_BYTES = 1 << 34
"""An example larger than this is a slip of the pen."""


def _tensors_of(model: Any, given: Any, around: tuple[int, ...]) -> Iterator[Tensor]:
    """Yield the tensors of one argument; ``around`` are the containers that it lies in."""
    if isinstance(given, tuple) and all(isinstance(n, int | np.integer) for n in given):
        yield Tensor(_zeros(model, given))
    elif isinstance(given, list | tuple):
        if id(given) in around:
            raise UsageError("An example input lies in itself. Fix: draw(model, (8, 2)).")
        for part in given:
            yield from _tensors_of(model, part, (*around, id(given)))
    else:
        yield given if isinstance(given, Tensor) else Tensor(_as_input(model, given))


def floating_dtype(model: Any) -> np.dtype[Any]:
    """Return the dtype of the model's first floating parameter or buffer, else the default.

    Examples
    --------
    >>> from tinygraph import nn
    >>> floating_dtype(nn.Linear(2, 3).astype("float64"))
    dtype('float64')
    """
    for kind in ("parameters", "buffers"):
        for t in getattr(model, kind, tuple)():
            if t.dtype.kind == "f":
                return t.dtype  # type: ignore[no-any-return]
    return get_default_dtype()


def _as_input(model: Any, given: Any) -> Array:
    array = as_array(given)
    return array.astype(floating_dtype(model), copy=False) if array.dtype.kind == "f" else array


def _zeros(model: Any, shape: tuple[int, ...]) -> Array:
    dtype = floating_dtype(model)
    if min(shape, default=0) < 0 or math.prod(map(int, shape)) * dtype.itemsize > MOST_BYTES:
        fix = "the shape of one small batch, such as (8, 2)"
        what = f"The lengths of an example are from 0 on, and below {MOST_BYTES >> 30} GiB in all"
        raise ShapeError(compose_message(what, shorten(str(shape)), fix))
    return np.zeros(shape, dtype)
