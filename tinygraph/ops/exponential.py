"""Powers of 2, logarithms of other bases, roots, and sums and products of logarithms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.errors import UsageError, compose_message, describe
from ..core.op import composite, op
from ..core.structure import cast
from ..core.tensor import Tensor
from .activation import sigmoid
from .creation import check_finite
from .elementwise import clip, exp, log, where
from .rounding import isinf

LOG_2 = math.log(2)
LOG_10 = math.log(10)

# ---- one operand ------------------------------------------------------------------------------

exp2 = op(
    "exp2", np.exp2, formula="2 ** x", local=["log(2) · y"], saves="y",
    vjps=[lambda g, y, x: g * (LOG_2 * y)], quiet=True,
    doc="Raise 2 to the power x.",
)  # fmt: skip

expm1 = op(
    "expm1", np.expm1, formula="exp(x) − 1", local=["exp(x)"], saves="x",
    vjps=[lambda g, y, x: g * exp(x)], quiet=True,
    doc="Compute exp(x) − 1, accurately also near 0.",
)  # fmt: skip

log2 = op(
    "log2", np.log2, formula="log(x) / log(2)", local=["1 / (log(2) · x)"], saves="x",
    vjps=[lambda g, y, x: g / (LOG_2 * x)], quiet=True, kinks="the derivative at 0 is inf",
    doc="Take the logarithm to base 2; 0 gives −inf, negative numbers nan.",
)  # fmt: skip

log10 = op(
    "log10", np.log10, formula="log(x) / log(10)", local=["1 / (log(10) · x)"], saves="x",
    vjps=[lambda g, y, x: g / (LOG_10 * x)], quiet=True, kinks="the derivative at 0 is inf",
    doc="Take the logarithm to base 10; 0 gives −inf, negative numbers nan.",
)  # fmt: skip

log1p = op(
    "log1p", np.log1p, formula="log(1 + x)", local=["1 / (1 + x)"], saves="x",
    vjps=[lambda g, y, x: g / (1 + x)], quiet=True, kinks="the derivative at −1 is inf",
    doc="Compute log(1 + x), accurately also near 0.",
)  # fmt: skip

rsqrt = op(
    "rsqrt", lambda x: 1 / np.sqrt(x), formula="1 / sqrt(x)", local=["−½ · y ** 3"], saves="y",
    vjps=[lambda g, y, x: g * (-0.5 * (y * y * y))], quiet=True,
    kinks="the value at 0 is inf, the derivative −inf",
    doc="Take one over the square root; negative numbers give nan.",
)  # fmt: skip

reciprocal = op(
    "reciprocal", np.reciprocal, label="1/x", formula="1 / x", local=["−y²"], saves="y",
    vjps=[lambda g, y, x: -(g * (y * y))], quiet=True,
    kinks="the value at 0 is inf, the derivative −inf",
    doc="Compute 1 / x. As in NumPy, integers stay integers (1 / 2 is 0): write 1 / x for those.",
)  # fmt: skip


def _logit(x: Any) -> Any:
    """Compute log(x / (1 − x)); around ½, where that loses digits, by log1p of what is over 1."""
    x = np.asarray(x)
    x = x if x.dtype.kind == "f" else x.astype(np.float64)
    middle = np.log1p((2 * x - 1) / (1 - x))
    return np.where(np.abs(x - 0.5) < 0.25, middle, np.log(x / (1 - x)))


logit_exact = op(
    "logit_exact", _logit, label="logit", formula="log(x / (1 − x))",
    local=["1 / (x · (1 − x))"], saves="x",
    vjps=[lambda g, y, x: g / (x * (1 - x))], quiet=True,
    kinks="the derivative at 0 and at 1 is inf",
    doc="Undo sigmoid: the log of the odds; −inf at 0, inf at 1, nan outside.",
)  # fmt: skip


@composite("log(x / (1 − x)), of x limited to [eps, 1 − eps]", kinks="at the limits as clip")
def logit(x: Any, eps: float | None = None) -> Tensor:
    """Log of the odds, log(x / (1 − x)): the inverse of sigmoid.

    Parameters
    ----------
    x : Tensor or ndarray
        Probabilities; 0 gives −inf, 1 inf, and numbers outside [0, 1] nan.
    eps : float or None
        Limit ``x`` to [eps, 1 − eps] first, as in PyTorch.

    Returns
    -------
    Tensor
        Of the shape of ``x``.

    Raises
    ------
    UsageError
        If ``eps`` does not lie between 0 and ½.

    Examples
    --------
    >>> import tinygraph as tg
    >>> float(tg.logit(tg.tensor(0.5)))
    0.0
    """
    if eps is None:
        return logit_exact(x)
    check_finite("logit", eps=eps)
    if not 0 <= eps <= 0.5:
        raise UsageError(
            compose_message("logit: eps lies between 0 and ½", describe(eps), "eps=1e-6")
        )
    return logit_exact(clip(x, min=eps, max=1 - eps))


# ---- two operands -----------------------------------------------------------------------------


def _replace(mask: Any, value: float, x: Any, g: Any) -> Any:
    """Return ``x`` with ``value`` under the mask, in the dtype of the gradient."""
    return where(mask, value, x if hasattr(x, "dtype") else cast(x, dtype=g.dtype))


def _log_ratio(g: Any, a: Any, b: Any) -> Any:
    """Return a − b, and 0 for two equal infinities."""
    same = isinf(a) * (a == b)
    return _replace(same, 0.0, a, g) - _replace(same, 0.0, b, g)


logaddexp = op(
    "logaddexp", np.logaddexp, formula="log(exp(a) + exp(b))", saves="a b",
    local=["sigmoid(a − b)", "sigmoid(b − a)"],
    vjps=[
        lambda g, y, a, b: g * sigmoid(_log_ratio(g, a, b)),
        lambda g, y, a, b: g * sigmoid(_log_ratio(g, b, a)),
    ],
    quiet=True, kinks="two equal infinities get ½ each, as any equal operands",
    doc="Add two numbers given by their logarithms, without overflow; −inf stands for 0.",
)  # fmt: skip


def _xlogy(a: Any, b: Any) -> Any:
    b = np.asarray(b, dtype=np.result_type(a, b))  # the log of a Python number is not weak
    return np.where(np.equal(a, 0) & (b == b), 0.0, a * np.log(b))


def _log_argument(g: Any, a: Any, b: Any) -> Any:
    """Return ``b``, and a harmless 1 where a = 0 makes the logarithm of b ≤ 0 count as 0."""
    return _replace((a == 0) * (b <= 0), 1.0, b, g)


xlogy = op(
    "xlogy", _xlogy, formula="a · log(b)", local=["log(b)", "a / b"], saves="a b",
    vjps=[
        lambda g, y, a, b: g * log(_log_argument(g, a, b)),
        lambda g, y, a, b: g * (a / _log_argument(g, a, b)),
    ],
    quiet=True, kinks="0 where a = 0, whatever b; for a = 0 and b ≤ 0 both derivatives are 0",
    doc="Multiply a by log(b); 0 · log(0) is 0, as entropies need it.",
)  # fmt: skip
