"""The affine map z ↦ Wz + b."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.errors import UsageError
from ..core.modes import get_default_dtype
from ..core.tensor import Tensor
from . import functional as F
from . import init
from .checks import check_features
from .module import Module
from .parameter import Parameter


class Linear(Module):
    """Affine map of the last axis: ``y = x Wᵀ + b``.

    Affine, not linear: MM(a z₁ + b z₂) = a MM(z₁) + b MM(z₂) holds only without a bias or
    for a + b = 1.

    Parameters
    ----------
    in_features, out_features : int
        Lengths of the last axis before and after.
    bias : bool
        Whether to add b.

    Attributes
    ----------
    weight : Parameter, shape (out_features, in_features)
    bias : Parameter, shape (out_features,), or None
        Both drawn from U(−1/√in_features, 1/√in_features), as in PyTorch.

    Raises
    ------
    ShapeError, DtypeError
        If the input's last axis or dtype does not fit; the message names the module's path.

    Notes
    -----
    It has n·m + n parameters, and is linear only without its bias.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.Linear(2, 3)(tg.ones(5, 2)).shape
    (5, 3)
    """

    bias: Parameter | None

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        super().__init__()
        for name, value in (("in_features", in_features), ("out_features", out_features)):
            whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
            if not whole or value < 0:
                raise UsageError(f"Linear: {name} is a whole number from 0 on, received {value!r}.")
        if not isinstance(bias, bool | np.bool_):
            raise UsageError(f"Linear: bias is True or False, received {bias!r}.")
        self.in_features = int(in_features)
        self.out_features = int(out_features)
        dtype = get_default_dtype()
        self.weight = Parameter(np.empty((out_features, in_features), dtype))
        self.bias = Parameter(np.empty(out_features, dtype)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new initial values."""
        bound = 1 / math.sqrt(self.in_features) if self.in_features else 0.0
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, x: Any) -> Tensor:
        check_features(self, x, self.in_features, self.weight)
        return F.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )
