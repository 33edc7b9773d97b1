"""Convolution as patches and a product of matrices: the plain version, kept as the reference.

x (N, C, …), weight (C', C/groups, k…), y (N, C', positions…). With G groups everything is a
batch of products over n and g:

    y       = weight (C'/G, C/G·K) @ patches (C/G·K, P)
    patches = weightᵀ @ gradient,  folded back: the gradient by x
    weight  = gradient @ patchesᵀ, added up over n

P counts the positions and K the elements of a kernel.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.storage import Array
from .sliding import Sliding
from .window import Sizes, fold, unfold


def pad(x: Array, window: Sliding) -> Array:
    """Surround the last axes with zeros."""
    border = ((0, 0), (0, 0), *window.padding)
    return np.pad(x, border) if any(map(any, window.padding)) else x


def patches(x: Array, kernel: Sizes, window: Sliding) -> Array:
    """Return the patches as columns, (N, G, C/G·K, P)."""
    found: Array = unfold.forward(pad(x, window), kernel_size=kernel, stride=window.stride,
                   dilation=window.dilation)  # fmt: skip
    n, c, axes = x.shape[0], x.shape[1], len(kernel)
    places = found.shape[2 : 2 + axes]
    order = (0, 1, *range(2 + axes, 2 + 2 * axes), *range(2, 2 + axes))
    rows, count = c // window.groups * math.prod(kernel), math.prod(places)
    return found.transpose(order).reshape(n, window.groups, rows, count)


def by_groups(weight: Array, groups: int) -> Array:
    """Return the kernels as matrices, (G, C'/G, C/G·K)."""
    rows = weight.shape[0] // groups
    return weight.reshape(groups, rows, math.prod(weight.shape[1:]))


def conv(x: Array, weight: Array, window: Sliding) -> Array:
    """Return the convolution."""
    kernel = weight.shape[2:]
    places = window.positions(x.shape[2:], kernel)
    y: Array = np.matmul(by_groups(weight, window.groups), patches(x, kernel, window))
    return y.reshape(x.shape[0], weight.shape[0], *places)


def conv_transpose(g: Array, weight: Array, size: Sizes, window: Sliding) -> Array:
    """Return the gradient of the convolution by an x whose last axes are ``size``."""
    n, groups, kernel, places = g.shape[0], window.groups, weight.shape[2:], g.shape[2:]
    rows = g.reshape(n, groups, g.shape[1] // groups, math.prod(places))
    columns = np.matmul(by_groups(weight, groups).mT, rows)
    channels = weight.shape[1] * groups
    axes = len(kernel)
    order = (0, 1, *range(2 + axes, 2 + 2 * axes), *range(2, 2 + axes))
    y: Array = fold.forward(columns.reshape(n, channels, *kernel, *places).transpose(order),
             size=window.padded(size), stride=window.stride, dilation=window.dilation)  # fmt: skip
    bounds = zip(window.padding, size, strict=True)
    inner: tuple[Any, ...] = (..., *(slice(a, a + n) for (a, _), n in bounds))
    return y[inner]  # type: ignore[no-any-return]


def conv_weight(x: Array, g: Array, kernel: Sizes, window: Sliding) -> Array:
    """Return the gradient of the convolution by the weights."""
    n, groups = x.shape[0], window.groups
    rows = g.reshape(n, groups, g.shape[1] // groups, math.prod(g.shape[2:]))
    found: Array = np.add.reduce(np.matmul(rows, patches(x, kernel, window).mT), axis=0)
    return found.reshape(g.shape[1], x.shape[1] // groups, *kernel)
