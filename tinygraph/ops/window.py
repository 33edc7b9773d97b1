"""Sliding windows: unfold shows every patch as a view, fold adds patches back.

They are each other's derivative. Convolution and pooling stand on them.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ..core.errors import ShapeError, UsageError, compose_message, describe
from ..core.modes import module_path
from ..core.op import Op, op
from ..core.storage import Array

Sizes = tuple[int, ...]

BLOCK = 2**20
"""Bytes of patches that fold adds at a time: they stay in cache while all offsets go by."""


def window_sizes(
    who: str, name: str, value: Any, count: int | None = None, least: int = 1
) -> Sizes:
    """Return a whole number, or one for each windowed axis, as a tuple."""
    given = tuple(value) if isinstance(value, tuple | list) else (value,)
    if any(isinstance(n, bool) or not isinstance(n, int | np.integer) or n < least for n in given):
        raise UsageError(
            f"{who}: {name} is a whole number from {least} on, or one for each axis, "
            f"received {value!r}."
        )
    if count is not None and len(given) not in (1, count):
        raise UsageError(
            f"{who}: {name} has one number for each of the {count} windowed axes, "
            f"received {value!r}."
        )
    given = given * count if count is not None and len(given) == 1 else given
    return tuple(int(n) for n in given)


def positions(length: int, kernel: int, stride: int, dilation: int) -> int:
    """Return at how many places a kernel fits."""
    return (length - dilation * (kernel - 1) - 1) // stride + 1


def check_windows(who: str) -> Any:
    """Return the ``prepare`` of an op that slides a window along the last axes."""

    def check(x: Any, *others: Any, kernel_size: Any, stride: Any, dilation: Any) -> dict[str, Any]:
        kernel = window_sizes(who, "kernel_size", kernel_size)
        count = len(kernel)
        strides = window_sizes(who, "stride", stride, count)
        dilations = window_sizes(who, "dilation", dilation, count)
        lengths = x.shape[x.ndim - count :]
        if x.ndim < count or any(
            n < d * (k - 1) + 1 for n, k, d in zip(lengths, kernel, dilations, strict=True)
        ):
            raise ShapeError(
                compose_message(
                    f"{who}: a kernel of size {kernel} with dilation {dilations} does not fit into "
                    f"the last {count} axes",
                    describe(x),
                    "a smaller kernel, or tg.pad(x, …) first",
                    module_path(),
                )
            )
        return {"kernel_size": kernel, "stride": strides, "dilation": dilations}

    return check


def _unfold(x: Any, *, kernel_size: Sizes, stride: Any = 1, dilation: Any = 1) -> Array:
    x = np.asarray(x)
    first = x.ndim - len(kernel_size)
    steps = x.strides[first:]
    spans = zip(x.shape[first:], kernel_size, stride, dilation, strict=True)
    outer = tuple(positions(n, k, s, d) for n, k, s, d in spans)
    return as_strided(
        x,
        x.shape[:first] + outer + kernel_size,
        x.strides[:first]
        + tuple(b * s for b, s in zip(steps, stride, strict=True))
        + tuple(b * d for b, d in zip(steps, dilation, strict=True)),
        writeable=False,  # elements stand in several windows
    )


unfold: Op = op(
    "unfold", _unfold, kind="view", label="patches",
    formula="y[…, i, k] = x[…, i · stride + k · dilation]", local=["fold the patches back"],
    vjps=[
        lambda g, y, x, *, kernel_size, stride, dilation: fold(
            g, size=x.shape[x.ndim - len(kernel_size):], stride=stride, dilation=dilation
        )
    ],
    prepare=check_windows("unfold"),
    doc="""Show all windows of a kernel's size along the last axes, as a view without copying.

For ``(…, H, W)`` and a kernel of ``(h, w)`` the result is ``(…, H', W', h, w)``, with
``H' = (H − dilation · (h − 1) − 1) // stride + 1`` positions. One number as kernel size slides
along the last axis only, a pair along the last two. Windows lie inside: pad first. (PyTorch's
``F.unfold`` also copies and flattens: that is a transpose and a reshape of this.)

Parameters
----------
x : Tensor or ndarray
kernel_size : int or tuple of int
    The lengths of the window; as many as axes that it slides along.
stride : int or tuple of int, default 1
    From one position to the next.
dilation : int or tuple of int, default 1
    From one element of the window to the next.

Returns
-------
Tensor
    An ndarray if ``x`` is one; read-only, as its elements share memory.

Raises
------
ShapeError
    If the kernel does not fit into the axes.
UsageError
    If a size is not a whole number from 1 on.

Examples
--------
>>> import tinygraph as tg
>>> tg.unfold(tg.tensor([1.0, 2.0, 3.0, 4.0]), 2)
tensor([[1., 2.],
        [2., 3.],
        [3., 4.]])
""",
)  # fmt: skip


def _check_fold(x: Any, *, size: Any, stride: Any, dilation: Any) -> dict[str, Any]:
    lengths = window_sizes("fold", "size", size)
    count = len(lengths)
    strides = window_sizes("fold", "stride", stride, count)
    dilations = window_sizes("fold", "dilation", dilation, count)
    fits = x.ndim >= 2 * count
    if fits:
        outer, kernel = x.shape[-2 * count : -count], x.shape[-count:]
        spans = zip(lengths, kernel, strides, dilations, strict=True)
        fits = 0 not in kernel and outer == tuple(positions(*span) for span in spans)
    if not fits:
        raise ShapeError(
            compose_message(
                f"fold: x has the positions and then the offsets of windows over {lengths} "
                f"with stride {strides} and dilation {dilations}",
                describe(x),
                "x.shape as tg.unfold makes it",
                module_path(),
            )
        )
    return {"size": lengths, "stride": strides, "dilation": dilations}


def _fold(
    x: Any, *, size: Sizes, stride: Any = 1, dilation: Any = 1, out: Array | None = None
) -> Array:
    x = np.asarray(x)
    count = len(size)
    lead, outer, kernel = x.shape[: -2 * count], x.shape[-2 * count : -count], x.shape[-count:]
    if out is None:
        out = np.zeros(lead + size, x.dtype)
    else:
        out.fill(0)
    targets = {}
    for offsets in itertools.product(*map(range, kernel)):
        spans = zip(offsets, outer, stride, dilation, strict=True)
        targets[..., *offsets] = (
            ...,
            *(slice(k * d, k * d + (n - 1) * s + 1, s) for k, n, s, d in spans),
        )
    for block in _blocks(x, len(lead)):
        patches, result = x[block], out[block]
        for offset, target in targets.items():
            result[target] += patches[offset]
    return out


def _blocks(x: Array, lead: int) -> Any:
    """Yield slices of the first axis that hold BLOCK bytes each."""
    if lead == 0 or x.nbytes <= BLOCK:
        yield ...
        return
    rows = max(1, BLOCK * len(x) // x.nbytes)
    for start in range(0, len(x), rows):
        yield slice(start, start + rows)


fold: Op = op(
    "fold", _fold, kind="index", label="Σ patches",
    formula="y[…, i · stride + k · dilation] += x[…, i, k]", local=["the patches of the gradient"],
    vjps=[
        lambda g, y, x, *, size, stride, dilation: unfold(
            g, kernel_size=x.shape[x.ndim - len(size):], stride=stride, dilation=dilation
        )
    ],
    prepare=_check_fold,
    doc="""Add windows back to where they were taken: the adjoint of unfold.

Parameters
----------
x : Tensor or ndarray
    ``(…, H', W', h, w)``, as :func:`unfold` makes it.
size : int or tuple of int
    The lengths of the windowed axes of the result, ``(H, W)``.
stride : int or tuple of int, default 1
    From one position to the next.
dilation : int or tuple of int, default 1
    From one element of the window to the next.

Returns
-------
Tensor
    ``(…, H, W)``; an ndarray if ``x`` is one.

Raises
------
ShapeError
    If ``x`` has other positions or offsets.
UsageError
    If a size is not a whole number from 1 on.

Examples
--------
>>> import tinygraph as tg
>>> tg.fold(tg.ones(3, 2), 4)
tensor([1., 2., 2., 1.])
""",
)  # fmt: skip
