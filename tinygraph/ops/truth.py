"""Reductions of truth values: any, all, and how many; none has a gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.op import Op, op
from .reduce import check_reduce


def _truth(function: Callable[..., Any], formula: str, doc: str) -> Op:
    """Define the op of a NumPy function that takes axis and keepdims."""
    name = function.__name__

    def forward(x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
        return function(x, axis=axis, keepdims=keepdims)

    return op(
        name, forward, kind="reduce", formula=formula, prepare=check_reduce(name),
        numpy=[function], doc=doc,
    )  # fmt: skip


any = _truth(
    np.any, "1 if some element is not 0", "Tell along axes (default: all) if any element is true."
)
all = _truth(
    np.all, "1 if no element is 0", "Tell along axes (default: all) if all elements are true."
)
count_nonzero = _truth(
    np.count_nonzero, "how many elements are not 0", "Count along axes the elements that are not 0."
)
