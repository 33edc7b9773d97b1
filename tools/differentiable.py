"""Write the page "what is differentiable": NumPy's list against ours, from the registry."""

from __future__ import annotations

import numpy as np

from tinygraph.core.op import Op
from tinygraph.core.registry import NUMPY_FUNCTIONS

INTRODUCTION = """\
# What is differentiable

A NumPy function called on a tensor is the tinygraph op of the same meaning: the result is a tensor
and keeps the gradient. This page compares the lists: every ufunc and every dispatched function of
`numpy` and `numpy.linalg` (NumPy {version}) against the registry.

What is not listed as ours raises a `UsageError` that says how to detach; nothing loses a gradient
in silence. Ours under other names (activations, losses, `gather`, `scatter`, windows, …) are in the
[table of ops](ops.md).
"""

NOT_NUMERIC = {
    "array2string", "array_repr", "array_str", "save", "savez", "savez_compressed", "savetxt",
    "load", "loadtxt", "genfromtxt", "may_share_memory", "shares_memory", "result_type",
    "can_cast", "min_scalar_type", "copyto", "putmask", "put", "place", "put_along_axis",
    "busday_count", "busday_offset", "is_busday", "datetime_as_string", "packbits", "unpackbits",
    "einsum_path", "fill_diagonal", "iscomplexobj", "isrealobj", "common_type", "require",
}  # fmt: skip
"""Dispatched functions that compute nothing a tensor could hold."""


def numpy_functions() -> dict[str, object]:
    """Return NumPy's ufuncs and dispatched functions by their names; each function once."""
    found: dict[str, object] = {}
    seen: set[int] = set()
    for prefix, module in (("np", np), ("np.linalg", np.linalg)):
        for name in sorted(module.__all__):
            function = getattr(module, name)
            dispatched = type(function).__name__ == "_ArrayFunctionDispatcher"
            known = id(function) in seen or name in NOT_NUMERIC
            if (isinstance(function, np.ufunc) or dispatched) and not known:
                seen.add(id(function))
                found[f"{prefix}.{name}"] = function
    return found


def has_gradient(record: object) -> str:
    """Tell what flows back through a record."""
    if isinstance(record, Op):
        return "yes" if record.vjps is not None else "no gradient by nature"
    return "yes, a composition"


def page() -> str:
    """Return the page as Markdown."""
    ours, missing = [], []
    for name, function in numpy_functions().items():
        record = NUMPY_FUNCTIONS.get(function)  # type: ignore[call-overload]
        if record is None:
            missing.append(f"`{name}`")
        else:
            called = getattr(record, "name", record.__name__)
            ours.append(f"| `{name}` | `tg.{called}` | {has_gradient(record)} |")
    total = len(ours) + len(missing)
    return "\n".join(
        [
            INTRODUCTION.format(version=".".join(np.__version__.split(".")[:2])),
            f"## Ours: {len(ours)} of {total}\n",
            "| NumPy | tinygraph | gradient |\n| --- | --- | --- |",
            *ours,
            f"\n## Without a counterpart: {len(missing)}\n",
            ", ".join(missing) + ".\n",
        ]
    )
