"""Functions as modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.errors import UsageError, compose_message, describe
from ..core.tensor import Tensor
from .module import Module


class Lambda(Module):
    """A plain function as a module.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.Lambda(tg.relu)
    Lambda(relu)
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        if not callable(function):
            raise UsageError(
                compose_message("Lambda takes a function", describe(function), "nn.Lambda(tg.relu)")
            )
        self.function = function

    def forward(self, *args: Any) -> Any:
        return self.function(*args)

    def extra_repr(self) -> str:
        return str(getattr(self.function, "__name__", self.function))


def as_module(value: Any, who: str) -> Module:
    """Return a module as it is, and a callable wrapped."""
    if isinstance(value, Module):
        return value
    fix = "nn.Lambda(f), or def forward in a class of your own"
    if isinstance(value, type) and issubclass(value, Module):
        fix = f"call the class, {value.__name__}(…)"
    elif callable(value):
        return Lambda(value)
    elif isinstance(value, list | tuple):
        fix = f"{who}(*layers)" if who == "Sequential" else "nn.Sequential(*layers)"
    elif isinstance(value, Tensor | np.ndarray):
        fix = "model(x) applies a model to data"
    raise UsageError(compose_message(f"{who} takes modules or functions", describe(value), fix))
