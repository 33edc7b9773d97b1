"""The largest element of every window, where it stands, and gradients sent there.

`argmax_windows` says which element of its window the maximum is; `pick_windows` reads those
elements and `place_windows` writes to them: each is the other's derivative, so `max_windows`
has derivatives of any order. In a tie the first element of the window is the maximum.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from operator import mul
from typing import Any

import numpy as np

from ..core.errors import ShapeError, compose_message, describe_all
from ..core.layout import beside, empty_beside
from ..core.modes import module_path
from ..core.op import Op, op
from ..core.storage import Array
from .window import Sizes, check_windows, positions, window_sizes


def window_slices(length: int, kernel: int, stride: int, dilation: int) -> list[slice]:
    """Return, for each element of a window, where it stands along an axis in all windows."""
    count = positions(length, kernel, stride, dilation)
    ends = (count - 1) * stride + 1
    return [slice(k * dilation, k * dilation + ends, stride) for k in range(kernel)]


def _offsets(lengths: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Iterator[Any]:
    """Yield, for each element of a window in row-major order, its index in all windows."""
    axes = map(window_slices, lengths, kernel, stride, dilation)
    for slices in itertools.product(*axes):
        yield (..., *slices)


def combine_windows(
    combine: np.ufunc, x: Any, kernel_size: Sizes, stride: Sizes, dilation: Sizes,
    out: Array | None = None,
) -> Array:  # fmt: skip
    """Combine the elements of each window, one axis after the other."""
    x = np.asarray(x)
    for axis, part in enumerate(zip(kernel_size, stride, dilation, strict=True), -len(kernel_size)):
        later = (slice(None),) * (-1 - axis)
        first, *others = [(..., s, *later) for s in window_slices(x.shape[axis], *part)]
        total = np.empty_like(x[first]) if out is None or axis < -1 else out
        if others:
            combine(x[first], x[others[0]], out=total)
        else:
            np.copyto(total, x[first])
        for index in others[1:]:
            combine(total, x[index], out=total)
        x = total
    return np.asarray(x)


def _max_windows(
    x: Any, *, kernel_size: Sizes, stride: Any = 1, dilation: Any = 1, out: Array | None = None
) -> Array:
    return combine_windows(np.maximum, x, kernel_size, stride, dilation, out)


def _max_vjp(g: Any, y: Any, x: Any, *, kernel_size: Sizes, stride: Sizes, dilation: Sizes) -> Any:
    where = argmax_windows(x, y, kernel_size=kernel_size, stride=stride, dilation=dilation)
    size = x.shape[x.ndim - len(kernel_size) :]
    return place_windows(
        g, where, size=size, kernel_size=kernel_size, stride=stride, dilation=dilation
    )


max_windows = op(
    "max_windows", _max_windows, kind="reduce", label="max",
    formula="y[i] = max over k of x[i · stride + k · dilation]", saves="y x",
    local=["1 at the first maximum of the window, 0 elsewhere"], vjps=[_max_vjp],
    prepare=check_windows("max_windows"), kinks="ties give the gradient to the first",
    doc="Take the largest element of every window along the last axes; nan wins.",
)  # fmt: skip


def _argmax_windows(
    x: Any, top: Any, *, kernel_size: Sizes, stride: Any = 1, dilation: Any = 1
) -> Array:
    """Count, window by window, the elements before the first that equals ``top``."""
    x, top = np.asarray(x), np.asarray(top)
    lengths = x.shape[x.ndim - len(kernel_size) :]
    *earlier, _ = _offsets(lengths, kernel_size, stride, dilation)
    counts: Any = np.uint8 if len(earlier) <= 255 else np.int32
    where: Array = np.zeros_like(top, counts)
    before, differs = np.ones_like(top, np.bool_), np.empty_like(top, np.bool_)
    for index in earlier:
        np.not_equal(x[index], top, out=differs)
        before &= differs
        where += before
    return where


argmax_windows = op(
    "argmax_windows", _argmax_windows, kind="index", label="arg max",
    formula="the first k with x[i · stride + k · dilation] = top[i]",
    prepare=check_windows("argmax_windows"),
    doc="""Find which element of each window equals ``top``, the first if there are several.

The elements of a window of (h, w) are counted row by row, 0 … h·w − 1; if none is equal (nan),
the last.
""",
)  # fmt: skip


def _pick_windows(
    x: Any, where: Any, *, kernel_size: Sizes, stride: Any = 1, dilation: Any = 1
) -> Array:
    x = np.asarray(x)
    lengths = x.shape[x.ndim - len(kernel_size) :]
    result = np.zeros(where.shape, x.dtype)
    for k, index in enumerate(_offsets(lengths, kernel_size, stride, dilation)):
        np.copyto(result, x[index], where=where == k)
    return result


pick_windows: Op = op(
    "pick_windows", _pick_windows, kind="index", label="pick", discrete={1},
    formula="y[i] = x[i · stride + where[i] · dilation]", saves="where",
    local=["1 at the element that where names, 0 elsewhere", ""],
    vjps=[
        lambda g, y, x, where, *, kernel_size, stride, dilation: place_windows(
            g, where, size=x.shape[x.ndim - len(kernel_size):], kernel_size=kernel_size,
            stride=stride, dilation=dilation,
        ),
        None,
    ],
    prepare=check_windows("pick_windows"),
    doc="Take one element of every window: the one that ``where`` names.",
)  # fmt: skip


def _check_place(
    g: Any, where: Any, *, size: Any, kernel_size: Any, stride: Any, dilation: Any
) -> dict[str, Any]:
    kernel = window_sizes("place_windows", "kernel_size", kernel_size)
    count = len(kernel)
    given = {"size": size, "stride": stride, "dilation": dilation}
    sizes = {k: window_sizes("place_windows", k, v, count) for k, v in given.items()}
    spans = zip(sizes["size"], kernel, sizes["stride"], sizes["dilation"], strict=True)
    outer = tuple(positions(*span) for span in spans)
    if g.shape != where.shape or g.shape[g.ndim - count :] != outer:
        raise ShapeError(
            compose_message(
                f"place_windows: x and where have one element for each of the {outer} windows "
                f"over {sizes['size']}",
                describe_all([g, where]),
                "the attributes that argmax_windows had",
                module_path(),
            )
        )
    return {**sizes, "kernel_size": kernel}


def _place_windows(
    x: Any, where: Any, *, size: Sizes, kernel_size: Sizes, stride: Any = 1, dilation: Any = 1,
    out: Array | None = None,
) -> Array:  # fmt: skip
    x = beside(where, np.asarray(x))
    shape = x.shape[: x.ndim - len(kernel_size)] + size
    result = empty_beside(where, shape, x.dtype) if out is None else out
    apart = all(s >= d * (k - 1) + 1 for k, s, d in zip(kernel_size, stride, dilation, strict=True))
    covered = tuple(map(mul, x.shape[x.ndim - len(size) :], stride))
    if not apart or kernel_size != stride or size != covered:
        result.fill(0)  # some elements are in several windows, or in none
    for k, index in enumerate(_offsets(size, kernel_size, stride, dilation)):
        if apart:
            np.multiply(x, where == k, out=result[index])
        else:
            result[index] += x * (where == k)
    return result


place_windows: Op = op(
    "place_windows", _place_windows, kind="index", label="place", discrete={1},
    formula="y[i · stride + where[i] · dilation] += x[i]", saves="where",
    local=["the element that where names", ""],
    vjps=[
        lambda g, y, x, where, *, size, kernel_size, stride, dilation: pick_windows(
            g, where, kernel_size=kernel_size, stride=stride, dilation=dilation
        ),
        None,
    ],
    prepare=_check_place,
    doc="Give every window's number to one of its elements: the adjoint of ``pick_windows``.",
)  # fmt: skip
