"""Running a convolution: choose its kernel, bring the operands into the kernel's order, and go."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from ..core.layout import channels_last, empty_channels_last, pixels_first
from ..core.storage import Array
from . import conv_depthwise as depthwise
from . import conv_im2col as im2col
from . import conv_plain as plain
from . import conv_slabs as slabs
from . import winograd
from .kernels import DEPTHWISE, PLAIN, SLABS, WINOGRAD, Job, choose
from .sliding import REMEMBERED, Sliding
from .window import Sizes


def _alike(*arrays: Any) -> list[Any]:
    """Return the operands in one dtype; None stays."""
    if arrays[0].dtype == arrays[1].dtype and (len(arrays) == 2 or arrays[2] is None):
        return list(arrays)
    dtype = np.result_type(*[a for a in arrays if a is not None])
    return [a if a is None or a.dtype == dtype else a.astype(dtype) for a in arrays]


def _images(x: Array) -> Array:
    """Return (N, C, …) as (H, W, N, C): a view or a copy; a line is an image of one row."""
    found = channels_last(x)
    return found if found.ndim == 4 else found[None]


def _kernels(weight: Array) -> Array:
    return weight if weight.ndim == 4 else weight[:, :, None]


@functools.lru_cache(REMEMBERED)
def _over_images(window: Sliding) -> Sliding:
    """Return the window of a line as that of an image of one row."""
    if len(window.stride) == 2:
        return window
    return Sliding(
        (1, *window.stride), ((0, 0), *window.padding), (1, *window.dilation), window.groups
    )


def _along(window: Sliding) -> tuple[int, int]:
    """Return the stride along a line and the zeros before it."""
    return window.stride[0], window.padding[0][0]


def _target(shape: Sizes, dtype: Any, out: Array | None) -> Array:
    """Return where a kernel writes: ``out`` if its memory has the channels last, or new memory."""
    if out is not None and out.transpose(pixels_first(out.ndim)).flags.c_contiguous:
        return out
    return empty_channels_last(shape, dtype)


def _given(result: Array, out: Array | None) -> Array:
    """Return the result, in ``out`` if there is one."""
    if out is None or result is out:
        return result
    np.copyto(out, result)
    return out


def conv(
    x: Array, weight: Array, window: Sliding, out: Array | None = None, bias: Any = None
) -> Array:
    """Return the convolution of ``x`` (N, C, …), plus a bias for each channel."""
    x, weight, bias = _alike(x, weight, bias)
    job = Job.of("conv", x.shape, x.shape[2:], weight.shape, window, x.dtype)
    name, places = choose(job), job.positions
    if name == PLAIN:
        y = plain.conv(x, weight, window)
        if bias is not None:
            y += bias.reshape(-1, *(1,) * len(places))
        return _given(y, out)
    y = _target((len(x), len(weight), *places), x.dtype, out)
    if name == WINOGRAD:
        (top, _), (left, _) = window.padding
        winograd.correlate(_images(x), weight, (-top, -left), _images(y), bias)
    elif name == SLABS:
        slabs.conv(channels_last(x), weight, *_along(window), channels_last(y), bias)
    else:
        by_taps = depthwise if name == DEPTHWISE else im2col
        by_taps.conv(_images(x), _kernels(weight), _over_images(window), _images(y), bias)
    return _given(y, out)


def conv_transpose(
    g: Array, weight: Array, size: Sizes, window: Sliding, out: Array | None = None
) -> Array:
    """Return the gradient of the convolution by an x whose last axes are ``size``."""
    g, weight = _alike(g, weight)
    name = choose(Job.of("conv_transpose", g.shape, size, weight.shape, window, g.dtype))
    if name == PLAIN:
        return _given(plain.conv_transpose(g, weight, size, window), out)
    y = _target((len(g), weight.shape[1] * window.groups, *size), g.dtype, out)
    if name == WINOGRAD:
        (top, _), (left, _) = window.padding
        turned = weight.transpose(1, 0, 2, 3)[:, :, ::-1, ::-1]
        winograd.correlate(_images(g), turned, (top - 2, left - 2), _images(y))
    elif name == SLABS:
        slabs.conv_transpose(channels_last(g), weight, *_along(window), channels_last(y))
    else:
        by_taps = depthwise if name == DEPTHWISE else im2col
        by_taps.conv_transpose(_images(g), _kernels(weight), _over_images(window), _images(y))
    return _given(y, out)


def conv_weight(
    x: Array, g: Array, kernel: Sizes, window: Sliding, out: Array | None = None
) -> Array:
    """Return the gradient of the convolution by the weights."""
    x, g = _alike(x, g)
    shape = (g.shape[1], x.shape[1] // window.groups, *kernel)
    name = choose(Job.of("conv_weight", x.shape, x.shape[2:], shape, window, x.dtype))
    if name == PLAIN:
        return _given(plain.conv_weight(x, g, kernel, window), out)
    if name == WINOGRAD:
        (top, _), (left, _) = window.padding
        return _given(winograd.weight_gradient(_images(x), _images(g), (-top, -left)), out)
    if name == SLABS:
        found = slabs.conv_weight(channels_last(x), channels_last(g), kernel[0], *_along(window))
        return _given(found, out)
    lines = len(kernel) == 1
    by_taps = depthwise if name == DEPTHWISE else im2col
    found = by_taps.conv_weight(
        _images(x), _images(g), (1, *kernel) if lines else kernel, _over_images(window)
    )
    return _given(found.reshape(shape), out)
