"""Truth values, element by element; no gradient. The signs & | ^ ~ belong to the bitwise ops,
which are the logical ones where both operands are boolean."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import DtypeError, compose_message, describe_all
from ..core.modes import module_path
from ..core.op import Op, op

logical_and = op(
    "logical_and", np.logical_and, label="and", formula="logical_and(a, b)",
    doc="Tell where both are true (not 0).",
)  # fmt: skip
logical_or = op(
    "logical_or", np.logical_or, label="or", formula="logical_or(a, b)",
    doc="Tell where at least one is true (not 0).",
)  # fmt: skip
logical_xor = op(
    "logical_xor", np.logical_xor, label="xor", formula="logical_xor(a, b)",
    doc="Tell where exactly one is true (not 0).",
)  # fmt: skip
logical_not = op(
    "logical_not", np.logical_not, label="not", formula="logical_not(x)",
    doc="Tell where x is false (0).",
)  # fmt: skip


def _bitwise(name: str, ufunc: np.ufunc, formula: str, doc: str) -> Op:
    def check(*operands: Any) -> dict[str, Any]:
        if any(isinstance(x, float) or _kind(x) == "f" for x in operands):
            raise DtypeError(
                compose_message(
                    f"{name}: {formula} takes booleans and integers",
                    describe_all(operands),
                    "compare first, (x > 0) & (y > 0), with the parentheses; "
                    "tg.logical_and and its like take floats",
                    module_path(),
                )
            )
        return {}

    return op(name, ufunc, label=formula.strip("abx "), formula=formula, prepare=check, doc=doc)


def _kind(x: Any) -> str:
    return x.dtype.kind if hasattr(x, "dtype") else ""


bitwise_and = _bitwise("bitwise_and", np.bitwise_and, "a & b", "And, bit by bit.")
bitwise_or = _bitwise("bitwise_or", np.bitwise_or, "a | b", "Or, bit by bit.")
bitwise_xor = _bitwise("bitwise_xor", np.bitwise_xor, "a ^ b", "Exclusive or, bit by bit.")
bitwise_not = _bitwise("bitwise_not", np.bitwise_not, "~x", "Not, bit by bit.")
