"""Where a kernel slides: stride, padding and dilation, checked and brought into one form.

Along an axis of length L there are

    (L + before + after − dilation · (k − 1) − 1) // stride + 1

positions of a kernel of length k.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from ..core.errors import ShapeError, UsageError, compose_message, describe
from ..core.modes import module_path
from .operands import whole
from .window import Sizes, positions, window_sizes

Pairs = tuple[tuple[int, int], ...]

REMEMBERED = 1024
"""Combinations of shapes and arguments whose checks are not repeated."""

FORMULA = "(L + before + after − dilation · (k − 1) − 1) // stride + 1"
PADDINGS = ("same", "valid")


class Sliding(NamedTuple):
    """How kernels slide: what every kernel of a convolution is told.

    ``stride`` and ``dilation`` have a number for each axis, ``padding`` a pair (before,
    after); ``groups`` are the parts that the channels are split into.
    """

    stride: Sizes
    padding: Pairs
    dilation: Sizes
    groups: int = 1

    def padded(self, size: Sizes) -> Sizes:
        """Return the lengths with their borders."""
        return tuple(n + a + b for n, (a, b) in zip(size, self.padding, strict=True))

    def positions(self, size: Sizes, kernel: Sizes) -> Sizes:
        """Return at how many places a kernel stands along each axis; below 1 it does not fit."""
        spans = zip(self.padded(size), kernel, self.stride, self.dilation, strict=True)
        return tuple(positions(*span) for span in spans)


class Shaped(NamedTuple):
    """What a check sees of an operand."""

    shape: Sizes
    dtype: Any

    @property
    def ndim(self) -> int:
        return len(self.shape)


def remembered(check: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Return a check of shapes and arguments that is not repeated for the same ones."""
    known = functools.lru_cache(REMEMBERED, typed=True)(check)

    def prepare(*operands: Any, **arguments: Any) -> dict[str, Any]:
        shaped = [Shaped(x.shape, x.dtype) for x in operands]
        try:
            return dict(known(*shaped, **arguments))
        except TypeError:  # a list cannot be remembered
            return check(*shaped, **arguments)

    return prepare


def paddings(
    who: str, padding: Any, axes: int, kernel: Sizes, stride: Sizes, dilation: Sizes
) -> Pairs:
    """Return the border before and after each axis.

    ``padding`` is a number, one for each axis, a pair for each axis, "valid" (none) or "same"
    (as many positions as elements; the odd element of an even kernel comes after).
    """
    if isinstance(padding, str):
        if padding not in PADDINGS:
            raise UsageError(
                f"{who}: padding is a whole number, 'same' or 'valid', received {padding!r}."
            )
        if padding == "valid":
            return ((0, 0),) * axes
        if set(stride) != {1}:
            raise UsageError(
                compose_message(
                    f"{who}: padding='same' is not supported for strided convolutions",
                    f"stride={stride}",
                    "padding=k // 2 gives ⌈L / stride⌉ positions for an odd kernel",
                    module_path(),
                )
            )
        totals = (d * (k - 1) for k, d in zip(kernel, dilation, strict=True))
        return tuple((t // 2, t - t // 2) for t in totals)
    if type(padding) is tuple and padding and type(padding[0]) is tuple:
        return tuple(window_sizes(who, "padding", pair, 2, 0) for pair in padding)  # type: ignore[misc]
    return tuple((n, n) for n in window_sizes(who, "padding", padding, axes, least=0))


def sliding(
    who: str, kernel: Sizes, stride: Any, padding: Any, dilation: Any, groups: Any = 1
) -> Sliding:
    """Return the arguments of a convolution, checked and complete."""
    axes = len(kernel)
    strides = window_sizes(who, "stride", stride, axes)
    dilations = window_sizes(who, "dilation", dilation, axes)
    pairs = paddings(who, padding, axes, kernel, strides, dilations)
    return Sliding(strides, pairs, dilations, whole(who, "groups", groups, 1))


def checked_positions(who: str, x: Any, kernel: Sizes, window: Sliding) -> Sizes:
    """Return how many positions a kernel has in ``x`` (N, C, …); raise if there are none."""
    size = x.shape[-len(kernel) :]
    found = window.positions(size, kernel)
    for i, n in enumerate(found):
        if n >= 1 and kernel[i] >= 1:
            continue
        span = window.dilation[i] * (kernel[i] - 1) + 1
        missing = span - window.padded(size)[i]
        raise ShapeError(
            compose_message(
                f"{who}: the kernel does not fit. Along the axis of length L = {size[i]} there "
                f"are {FORMULA} positions, with k = {kernel[i]}, dilation = "
                f"{window.dilation[i]}, before, after = {window.padding[i]}, stride = "
                f"{window.stride[i]}; it spans {span}",
                describe(x),
                f"padding of {-(-missing // 2)} more, or a smaller kernel",
                module_path(),
            )
        )
    return found
