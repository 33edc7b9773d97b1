"""Rounding, division with a remainder, and what is not a finite number."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import UsageError, compose_message, describe
from ..core.op import Op, op
from ..core.storage import Array
from .elementwise import as_number, where

STEPS = "the derivative is 0 everywhere, also at the jumps"

# ---- to whole numbers: steps, so the derivative is 0 -------------------------------------------


def _step(name: str, ufunc: np.ufunc, doc: str) -> Op:
    return op(
        name, ufunc, formula=f"{name}(x)", local=["0"], vjps=[lambda g, y, x: g * 0.0],
        kinks=STEPS, doc=doc,
    )  # fmt: skip


floor = _step("floor", np.floor, "Round down to a whole number.")
ceil = _step("ceil", np.ceil, "Round up to a whole number.")
trunc = _step("trunc", np.trunc, "Round towards 0 to a whole number.")


def _round(x: Any, *, decimals: int = 0, out: Array | None = None) -> Any:
    return np.round(x, decimals, out=out)


def _check_decimals(x: Any, *, decimals: Any) -> dict[str, Any]:
    if isinstance(decimals, bool) or not isinstance(decimals, int | np.integer):
        raise UsageError(
            compose_message("round: decimals is a whole number", describe(decimals), "decimals=2")
        )
    return {"decimals": int(decimals)}


round: Op = op(
    "round", _round, formula="round(x, decimals)", local=["0"],
    vjps=[lambda g, y, x, *, decimals: g * 0.0],
    prepare=_check_decimals, numpy=[np.round, np.around], quiet=True, kinks=STEPS,
    doc="Round to a number of decimals; halves go to the even neighbour.",
)  # fmt: skip

# ---- division with a remainder -----------------------------------------------------------------

floor_divide = op(
    "floor_divide", np.floor_divide, label="//", formula="floor(a / b)", local=["0", "0"],
    vjps=[lambda g, y, a, b: g * 0.0, lambda g, y, a, b: g * 0.0], quiet=True, kinks=STEPS,
    doc="Divide and round down.",
)  # fmt: skip

remainder = op(
    "remainder", np.remainder, label="%", formula="a − floor(a / b) · b",
    local=["1", "−floor(a / b)"], saves="a b",
    vjps=[lambda g, y, a, b: g, lambda g, y, a, b: -(g * floor_divide(a, b))],
    quiet=True, kinks="at the jumps as beside them",
    doc="Return what floor division leaves; it has the sign of b.",
)  # fmt: skip

fmod = op(
    "fmod", np.fmod, formula="a − trunc(a / b) · b", local=["1", "−trunc(a / b)"], saves="y a b",
    # (a − y) / b is whole up to rounding, while a / b may round across the jump
    vjps=[lambda g, y, a, b: g, lambda g, y, a, b: -(g * round((a - y) / b))],
    quiet=True, kinks="at the jumps as beside them",
    doc="Return what division rounded towards 0 leaves; it has the sign of a.",
)  # fmt: skip

# ---- infinities and nan ------------------------------------------------------------------------

isnan = op("isnan", np.isnan, formula="isnan(x)", doc="Tell where x is nan.")
isinf = op("isinf", np.isinf, formula="isinf(x)", doc="Tell where x is inf or −inf.")
isfinite = op(
    "isfinite", np.isfinite, formula="isfinite(x)", doc="Tell where x is neither nan nor infinite."
)


def _nan_to_num(x: Any, *, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


def _check_replacements(x: Any, **attrs: Any) -> dict[str, Any]:
    if attrs["nan"] is None or any(isinstance(v, bool) for v in attrs.values()):
        raise UsageError(f"nan_to_num: replacements are numbers. Received {attrs}. Fix: nan=0.0.")
    fix = "tg.where(tg.isnan(x), a, x) takes tensors"
    return {k: v if v is None else as_number("nan_to_num", v, fix) for k, v in attrs.items()}


nan_to_num = op(
    "nan_to_num", _nan_to_num, local=["isfinite(x)"], saves="x",
    formula="where(isnan(x), nan, where(isfinite(x), x, where(x > 0, posinf, neginf)))",
    vjps=[lambda g, y, x, **_: where(isfinite(x), g, 0.0)],
    prepare=_check_replacements, numpy=[np.nan_to_num], kinks="replaced elements get 0",
    doc="Replace nan, and the infinities by the largest numbers of the dtype or what is given.",
)  # fmt: skip
