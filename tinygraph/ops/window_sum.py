"""Sums over windows, and numbers spread over them: each is the other's derivative."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import ShapeError, compose_message, describe
from ..core.layout import empty_beside
from ..core.modes import module_path
from ..core.op import Op, op
from ..core.storage import Array
from .window import Sizes, check_windows, positions, window_sizes
from .window_max import combine_windows, window_slices


def _sum_windows(
    x: Any, *, kernel_size: Sizes, stride: Any = 1, dilation: Any = 1, out: Array | None = None
) -> Array:
    return combine_windows(np.add, x, kernel_size, stride, dilation, out)


sum_windows: Op = op(
    "sum_windows", _sum_windows, kind="reduce", label="Σ",
    formula="y[i] = Σ over k of x[i · stride + k · dilation]", local=["1 in the window, 0 outside"],
    vjps=[
        lambda g, y, x, *, kernel_size, stride, dilation: spread_windows(
            g, size=x.shape[x.ndim - len(kernel_size):], kernel_size=kernel_size,
            stride=stride, dilation=dilation,
        )
    ],
    prepare=check_windows("sum_windows"),
    doc="Add the elements of every window along the last axes.",
)  # fmt: skip


def _check_spread(
    x: Any, *, size: Any, kernel_size: Any, stride: Any, dilation: Any
) -> dict[str, Any]:
    kernel = window_sizes("spread_windows", "kernel_size", kernel_size)
    given = {"size": size, "stride": stride, "dilation": dilation}
    sizes = {k: window_sizes("spread_windows", k, v, len(kernel)) for k, v in given.items()}
    spans = zip(sizes["size"], kernel, sizes["stride"], sizes["dilation"], strict=True)
    outer = tuple(positions(*span) for span in spans)
    if x.shape[max(0, x.ndim - len(kernel)) :] != outer:
        raise ShapeError(
            compose_message(
                f"spread_windows: x has one element for each of the {outer} windows over "
                f"{sizes['size']}",
                describe(x),
                "x.shape as sum_windows makes it",
                module_path(),
            )
        )
    return {**sizes, "kernel_size": kernel}


def _spread_windows(
    x: Any, *, size: Sizes, kernel_size: Sizes, stride: Any = 1, dilation: Any = 1
) -> Array:
    x = np.asarray(x)
    spans = zip(size, kernel_size, stride, dilation, strict=True)
    for axis, (length, kernel, step, gap) in enumerate(spans, -len(size)):
        later: Any = (slice(None),) * (-1 - axis)
        result = empty_beside(x, (*x.shape[:axis], length, *x.shape[x.ndim + axis + 1 :]))
        result.fill(0)
        for part in window_slices(length, kernel, step, gap):
            index: Any = (..., part, *later)
            result[index] += x
        x = result
    return np.asarray(x)


spread_windows: Op = op(
    "spread_windows", _spread_windows, kind="index", label="spread",
    formula="y[i · stride + k · dilation] += x[i] for every k", local=["the sum over the window"],
    vjps=[
        lambda g, y, x, *, size, kernel_size, stride, dilation: sum_windows(
            g, kernel_size=kernel_size, stride=stride, dilation=dilation
        )
    ],
    prepare=_check_spread,
    doc="Add every window's number to all of its elements: the adjoint of ``sum_windows``.",
)  # fmt: skip
