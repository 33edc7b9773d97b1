"""The operations: one small record each, and the table that binds them to Tensor."""

from . import activation, creation, elementwise, index, linalg, random, reduce, shape, state, syntax

__all__ = [
    "activation", "creation", "elementwise", "index", "linalg", "random", "reduce", "shape",
    "state", "syntax",
]  # fmt: skip
