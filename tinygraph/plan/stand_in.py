"""Whether the checks of an op look at values: a replay, which has new ones, must run them again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from numpy.lib.mixins import NDArrayOperatorsMixin

from ..core.storage import Array


class WantsValues(Exception):
    """More was asked of an operand than its shape and dtype."""


class StandIn(NDArrayOperatorsMixin):
    """What may be asked of an array without looking at its values; anything else raises."""

    def __init__(self, array: Array) -> None:
        self.shape, self.dtype, self.ndim, self.size = (
            array.shape, array.dtype, array.ndim, array.size,
        )  # fmt: skip

    def __len__(self) -> int:
        return int(self.shape[0])

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise WantsValues

    __getattr__ = __getitem__ = __iter__ = __bool__ = __int__ = __float__ = __index__ = _refuse
    __array__ = __array_function__ = _refuse
    __array_ufunc__ = _refuse  # all operators end here


def looks_at_values(
    prepare: Callable[..., Any], operands: Sequence[Any], attrs: dict[str, Any]
) -> bool:
    """Tell whether ``prepare``, which has passed, asks for values of the stand-ins given."""
    try:
        prepare(*operands, **attrs)
    except WantsValues:
        return True
    return False
