"""tg.Function: a pair of forward and backward, as lecture slides write it."""

from __future__ import annotations

from typing import Any

import numpy as np

from .apply import apply
from .errors import GradientError, UsageError, compose_message
from .op import Op
from .recording import RECORDERS, active_recorder
from .storage import Array
from .tensor import Tensor


class Context:
    """Carries values from ``forward`` to ``backward``: any attribute, or what is saved."""

    saved: tuple[Array, ...] = ()

    def save_for_backward(self, *arrays: Array) -> None:
        """Keep arrays for the backward pass, as ``ctx.saved``."""
        self.saved = arrays

    @property
    def saved_tensors(self) -> tuple[Array, ...]:
        """What was saved, by PyTorch's name for it; these are arrays."""
        return self.saved


class Function:
    """An opaque operation with a hand-written backward pass; arrays in, arrays out.

    Subclass with two static methods, and call ``YourFunction.apply(*tensors)``. First order
    only: the graph cannot look inside, so a second derivative raises. :func:`tinygraph.op`
    has no such limit.

    Examples
    --------
    >>> import numpy as np, tinygraph as tg
    >>> class Square(tg.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         (x,) = ctx.saved
    ...         return g * 2 * x
    >>> x = tg.tensor(3.0, requires_grad=True)
    >>> Square.apply(x).backward()
    >>> float(x.grad)
    6.0
    """

    _op: Op | None = None

    @staticmethod
    def forward(ctx: Any, *arrays: Any) -> Any:
        """Compute the result as an array."""
        raise UsageError("A tg.Function defines forward(ctx, *arrays).")

    @staticmethod
    def backward(ctx: Any, g: Array) -> Any:
        """Return the gradient of each input (a tuple for several, None where there is none)."""
        raise UsageError("A tg.Function defines backward(ctx, g).")

    @classmethod
    def apply(cls, *inputs: Any) -> Tensor:
        """Run forward and record one opaque node."""
        if "_op" not in cls.__dict__:
            cls._op = _FunctionOp(cls)
        assert cls._op is not None
        return cls._op(*inputs)


class _FunctionOp(Op):
    """The record of a Function; every call gets a fresh context."""

    def __init__(self, function: type[Function]) -> None:
        def forward(*arrays: Any, ctx: Context) -> Array:
            return np.asarray(function.forward(ctx, *arrays))

        def vjp(g: Any, y: Any, *inputs: Any, needs: tuple[bool, ...], ctx: Context) -> Any:
            recorder = active_recorder() if RECORDERS else None
            if recorder is not None and recorder.first_order:
                return recorder.opaque_vjp(function.backward, ctx, g, inputs)
            if isinstance(g, Tensor):
                raise GradientError(
                    compose_message(
                        f"{function.__name__} is a tg.Function: first order only",
                        "create_graph=True",
                        "define it with tg.op; then its VJP is part of the graph",
                    )
                )
            result = function.backward(ctx, g)
            return result if isinstance(result, tuple) else (result,)

        name = function.__name__
        super().__init__(name, forward, vjp, kind="opaque", module=function.__module__)

    def __call__(self, *inputs: Any, ctx: Context | None = None) -> Tensor:
        return apply(self, inputs, {"ctx": Context()})  # type: ignore[no-any-return]
