"""Modules side by side, and around: Parallel, Residual, Skip."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..core.errors import ShapeError, UsageError, compose_message, describe, describe_all
from ..core.modes import module_path
from ..ops.joining import concatenate
from .container import Sequential
from .module import Module
from .wrapping import as_module

COMBINATIONS = ("sum", "concat", "mean")


class Parallel(Module):
    """Modules applied to the same input, and their outputs combined.

    Parameters
    ----------
    *modules : Module or callable
        Named "0", "1", …; each gets all arguments of the call.
    combine : {"sum", "concat", "mean"} or callable
        "sum" and "mean" want outputs of one shape. A function (or module) gets the outputs
        as arguments: ``combine=lambda a, b: a * b`` is a gate.
    axis : int
        Where "concat" joins; the last axis by default, 1 for channels of images.

    Raises
    ------
    UsageError
        If there is no module, or ``combine`` is unknown.
    ShapeError
        In the call, if the outputs do not fit together.

    Notes
    -----
    ``f + g`` is ``Parallel(f, g)`` and ``f | g`` is ``Parallel(f, g, combine="concat")``.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.Parallel(nn.Linear(2, 3), nn.Linear(2, 4), combine="concat")(tg.ones(5, 2)).shape
    (5, 7)
    """

    joined_by: str | None = None
    """The sign that made it, + or |: the same sign extends it instead of nesting."""

    def __init__(
        self, *modules: Any, combine: str | Callable[..., Any] = "sum", axis: int = -1
    ) -> None:
        super().__init__()
        if not modules:
            raise UsageError("Parallel takes at least one module. Fix: nn.Parallel(f, g).")
        if not callable(combine) and combine not in COMBINATIONS:
            raise UsageError(
                compose_message(
                    "Parallel: combine is 'sum', 'concat', 'mean' or a function of the outputs",
                    describe(combine),
                )
            )
        if isinstance(axis, bool) or not isinstance(axis, int | np.integer):
            raise UsageError(
                compose_message("Parallel: axis is a whole number", describe(axis), "axis=-1")
            )
        for name, module in enumerate(modules):
            self.register_module(str(name), as_module(module, "Parallel"))
        self.branches = len(modules)
        self.combine = combine
        self.axis = int(axis)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        outputs = [module(*args, **kwargs) for module in self]
        if self.combine == "concat":
            return concatenate(outputs, axis=self.axis)
        if callable(self.combine):
            return self.combine(*outputs)
        _check_one_shape(self.combine, outputs)
        total = outputs[0]
        for output in outputs[1:]:
            total = total + output
        return total / len(outputs) if self.combine == "mean" else total

    def __len__(self) -> int:
        return self.branches

    def __iter__(self) -> Iterator[Module]:
        return (self._modules[str(i)] for i in range(self.branches))

    def __getitem__(self, index: int) -> Module:
        return list(self)[index]

    def extra_repr(self) -> str:
        if callable(self.combine):
            return f"combine={getattr(self.combine, '__name__', type(self.combine).__name__)}"
        axis = f", axis={self.axis}" if self.combine == "concat" else ""
        return f"combine={self.combine!r}{axis}"


def _check_one_shape(how: str, outputs: list[Any]) -> None:
    """Raise unless the outputs can be added without broadcasting."""
    shapes = {getattr(output, "shape", ()) for output in outputs}
    if len(shapes) > 1:
        raise ShapeError(
            compose_message(
                f"Parallel: combine={how!r} wants outputs of one shape",
                describe_all(outputs),
                "modules of equal width, or combine='concat'",
                module_path(),
            )
        )


def side_by_side(sign: str, first: Any, second: Any) -> Parallel:
    """Return ``first + second`` or ``first | second``; flatten what the same sign made."""
    parts: list[Module] = []
    for part in (as_module(first, sign), as_module(second, sign)):
        parts += part if isinstance(part, Parallel) and part.joined_by == sign else [part]
    model = Parallel(*parts, combine="sum" if sign == "+" else "concat")
    model.joined_by = sign
    return model


class Residual(Module):
    """``x + f(x)``: f learns the difference from the identity.

    The Jacobian is I + ∂f/∂x. That helps gradients through deep stacks but does not ensure
    them: it can be singular, and it can grow; a small last initialization of f keeps it
    near the identity at first.

    Parameters
    ----------
    f : Module or callable
        Its output must have the shape of its input.

    Raises
    ------
    ShapeError
        In the call, if f changes the shape; nothing is broadcast.

    Notes
    -----
    Source: K. He et al., Deep residual learning for image recognition, 2015.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.Residual(nn.ReLU())(tg.tensor([-1.0, 2.0]))
    tensor([-1.,  4.])
    """

    def __init__(self, f: Any) -> None:
        super().__init__()
        self.f = as_module(f, type(self).__name__)

    def forward(self, x: Any) -> Any:
        change = self.f(x)
        if getattr(change, "shape", ()) != getattr(x, "shape", ()):
            raise ShapeError(
                compose_message(
                    f"{type(self).__name__}: f(x) must have the shape of x",
                    describe_all([change, x]),
                    "equal widths, or a projection on the skip: nn.Parallel(f, nn.Linear(…))",
                    module_path(),
                )
            )
        return x + change


class Skip(Residual):
    """``x + f_n(… f_1(x))``: the skip connection around several modules.

    ``Skip(f, g)`` is ``Residual(Sequential(f, g))``.

    Parameters
    ----------
    *modules : Module or callable

    Examples
    --------
    >>> from tinygraph import nn
    >>> nn.Skip(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    Skip(
      (f): Sequential(
        (0): Linear(in_features=2, out_features=3, bias=True)
        (1): ReLU()
        (2): Linear(in_features=3, out_features=2, bias=True)
      )
    )
    """

    def __init__(self, *modules: Any) -> None:
        super().__init__(Sequential(*modules))
