"""Differences of neighbours along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import ShapeError, compose_message, describe, describe_all
from ..core.modes import module_path
from ..core.op import composite
from ..core.structure import broadcast_to
from ..core.tensor import Tensor
from .along import part
from .axes import one_axis
from .elementwise import not_equal, sub
from .joining import concatenate_op
from .operands import operand, whole
from .products import alike


def _rest(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    """Return the lengths of the other axes, with a mark where the axis was."""
    return (*shape[:axis], -1, *shape[axis + 1 :])


@composite("x[k + 1] − x[k], n times", numpy=[np.diff])
def diff(x: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Tensor:
    """Take differences of neighbours along an axis, n times over.

    Parameters
    ----------
    x : Tensor or ndarray
    n : int
        How many times; 0 returns ``x`` itself.
    axis : int
        The axis to go along.
    prepend, append : Tensor, ndarray or number, optional
        What to put before and after ``x`` along the axis; a number counts once.

    Returns
    -------
    Tensor
        Shorter by n along the axis (not below 0). Booleans give whether neighbours differ.

    Raises
    ------
    ShapeError
        If the axis does not exist, or what is put before or after does not fit.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.diff(tg.tensor([1.0, 4.0, 9.0]))
    tensor([3., 5.])
    """
    count = whole("diff", "n", n)
    x = operand("diff", x)
    if x.ndim == 0:
        raise ShapeError(
            compose_message("diff: a 0-d tensor has no neighbours", describe(x), "tg.stack first")
        )
    axis = one_axis("diff", axis, x.ndim)
    if count == 0:
        return x  # type: ignore[no-any-return]
    ends = [alike("diff", x, v)[1] for v in (prepend, append) if v is not None]
    if ends:
        once = tuple(1 if i == axis else m for i, m in enumerate(x.shape))
        ends = [broadcast_to(v, shape=once) if v.ndim == 0 else v for v in ends]
        if any(_rest(v.shape, axis) != _rest(x.shape, axis) for v in ends):
            raise ShapeError(
                compose_message(
                    f"diff: what is put before or after must have the lengths of x but for axis "
                    f"{axis}",
                    describe_all([x, *ends]),
                    "reshape it, or give a number",
                    module_path(),
                )
            )
        before = [] if prepend is None else [ends.pop(0)]
        x = concatenate_op(*before, x, *ends, axis=axis)
    step = not_equal if x.dtype == np.bool_ else sub
    for _ in range(count):
        x = step(part(x, axis, slice(1, None)), part(x, axis, slice(0, -1)))
    return x  # type: ignore[no-any-return]
