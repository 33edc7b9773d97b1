"""Samples and references of convolutions: sums of products, element by element."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from op_samples import samples, values

from tinygraph.check import Sample

Array = np.ndarray


def _each(value: Any, axes: int) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value,) * axes


def _border(padding: Any, kernel: Any, dilation: Any) -> list[tuple[int, int]]:
    if padding == "same":
        total = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        return [(t // 2, t - t // 2) for t in total]
    if padding == "valid":
        padding = 0
    return [p if isinstance(p, tuple) else (p, p) for p in _each(padding, len(kernel))]


def products(
    size: Any, weight_shape: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> Any:
    """Yield (o, c, c in its group, k, i, place): which weight meets which element for y[o, i]."""
    outputs, inner, *kernel = weight_shape
    axes = len(kernel)
    strides, dilations = _each(stride, axes), _each(dilation, axes)
    border = _border(padding, kernel, dilations)
    spans = zip(size, kernel, strides, dilations, border, strict=True)
    counts = [len(range(-a, n + b - d * (k - 1), s)) for n, k, s, d, (a, b) in spans]
    for o, c in itertools.product(range(outputs), range(inner)):
        channel = o // (outputs // groups) * inner + c
        for i in itertools.product(*map(range, counts)):
            for k in itertools.product(*map(range, kernel)):
                place = tuple(
                    j * s + m * d - a
                    for j, s, m, d, (a, _) in zip(i, strides, k, dilations, border, strict=True)
                )
                if all(0 <= p < n for p, n in zip(place, size, strict=True)):
                    yield o, channel, c, k, i, place


def places(size: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> tuple[int, ...]:
    axes = len(kernel)
    dilations = _each(dilation, axes)
    border = _border(padding, kernel, dilations)
    spans = zip(size, kernel, _each(stride, axes), dilations, border, strict=True)
    return tuple(len(range(-a, n + b - d * (k - 1), s)) for n, k, s, d, (a, b) in spans)


def convolved(
    x: Array, weight: Array, bias: Any = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> Array:  # fmt: skip
    """y[n, o, i] += weight[o, c, k] · x[n, c, place]."""
    if x.ndim == weight.ndim - 1:
        return convolved(x[None], weight, bias, stride, padding, dilation, groups)[0]
    size = x.shape[2:]
    shape = places(size, weight.shape[2:], stride, padding, dilation)
    y = np.zeros((x.shape[0], weight.shape[0], *shape), x.dtype)
    for o, channel, c, k, i, place in products(
        size, weight.shape, stride, padding, dilation, groups
    ):
        y[:, o, *i] += weight[o, c, *k] * x[:, channel, *place]
    return y if bias is None else y + bias.reshape(-1, *[1] * len(size))


def spread(
    x: Array, weight: Array, size: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    groups: int = 1,
) -> Array:  # fmt: skip
    """y[n, c, place] += weight[o, c, k] · x[n, o, i]."""
    size = _each(size, weight.ndim - 2)
    y = np.zeros((x.shape[0], weight.shape[1] * groups, *size), x.dtype)
    for o, channel, c, k, i, place in products(
        size, weight.shape, stride, padding, dilation, groups
    ):
        if all(j < n for j, n in zip(i, x.shape[2:], strict=True)):
            y[:, channel, *place] += weight[o, c, *k] * x[:, o, *i]
    return y


def correlated(
    x: Array, grad: Array, kernel_size: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    groups: int = 1,
) -> Array:  # fmt: skip
    """y[o, c, k] += Σ_n grad[n, o, i] · x[n, c, place]."""
    kernel = _each(kernel_size, x.ndim - 2)
    y = np.zeros((grad.shape[1], x.shape[1] // groups, *kernel), x.dtype)
    for o, channel, c, k, i, place in products(
        x.shape[2:], y.shape, stride, padding, dilation, groups
    ):
        y[o, c, *k] += (grad[:, o, *i] * x[:, channel, *place]).sum()
    return y


def spread_with_bias(
    x: Array, weight: Array, bias: Any = None, stride: Any = 1, padding: Any = 0,
    output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
) -> Array:  # fmt: skip
    """The transposed convolution with PyTorch's arguments: all that lands in the result."""
    axes = weight.ndim - 2
    if x.ndim == axes + 1:
        return spread_with_bias(
            x[None], weight, bias, stride, padding, output_padding, groups, dilation
        )[0]
    spans = zip(x.shape[2:], weight.shape[2:], _each(stride, axes), _each(padding, axes),
                _each(output_padding, axes), _each(dilation, axes), strict=True)  # fmt: skip
    size = tuple((n - 1) * s - 2 * p + d * (k - 1) + e + 1 for n, k, s, p, e, d in spans)
    y = spread(x, weight, size, stride, padding, dilation, groups)
    return y if bias is None else y + bias.reshape(-1, *[1] * axes)


def matrix(
    weight: Array, size: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    groups: int = 1, axes: int = 1,
) -> Array:  # fmt: skip
    """Q[(o, i), (c, place)] = weight[o, c, k]."""
    weight = weight[None, None] if weight.ndim == axes else weight
    size = _each(size, axes)
    shape = places(size, weight.shape[2:], stride, padding, dilation)
    q = np.zeros((weight.shape[0], *shape, weight.shape[1] * groups, *size), weight.dtype)
    for o, channel, c, k, i, place in products(
        size, weight.shape, stride, padding, dilation, groups
    ):
        q[o, *i, channel, *place] += weight[o, c, *k]
    return q.reshape(weight.shape[0] * int(np.prod(shape)), -1)


def near(label: str, shape: tuple[int, ...]) -> Array:
    """Draw values of moderate size: sums of products stay near 1."""
    return values(label, shape, -1.2, 1.3)


LINE, TWO = near("line", (2, 2, 5)), near("two", (2, 2, 3))
IMAGE, FILTERS = near("image", (1, 2, 4, 3)), near("filters", (2, 2, 2, 2))
TALL = near("tall", (2, 1, 3, 2))
WINDOWS = {
    "plain": {},
    "stride": {"stride": 2},
    "padding": {"padding": 1},
    "one side": {"padding": ((0, 2),)},
    "dilation": {"dilation": 2},
    "groups": {"groups": 2},
    "stride, a rest and padding": {"stride": 3, "padding": 2},
}
WINDOWS_2D = {
    "image": {},
    "image, same": {"padding": "same"},
    "image, all": {"stride": (2, 1), "padding": (1, 0), "dilation": (1, 2)},
}


def conv_samples(*more: Array) -> list[Sample]:
    found = []
    for name, window in WINDOWS.items():
        found.append(Sample(name, (LINE, TWO[:, : 2 // window.get("groups", 1)], *more), window))
    found += [Sample(name, (IMAGE, FILTERS, *more), w) for name, w in WINDOWS_2D.items()]
    return [
        *found,
        Sample("image, groups", (IMAGE, TALL, *more), {"groups": 2, "padding": ((1, 0), (0, 1))}),
        Sample("empty batch", (np.zeros((0, 2, 4)), TWO, *more)),
        Sample("the whole line", (LINE[:1, :, :3], TWO, *more)),
    ]


BIAS = near("bias", (2,))
samples(
    "conv",
    lambda x, weight, **window: convolved(x, weight, None, **window),
    *conv_samples(),
)
samples("conv_bias", convolved, *conv_samples(BIAS))
samples(
    "conv_transpose",
    spread,
    Sample("plain", (near("t", (2, 2, 3)), TWO), {"size": 5}),
    Sample("stride with a rest", (near("ts", (2, 2, 2)), TWO), {"size": 6, "stride": 2}),
    Sample("padding", (near("tp", (1, 2, 4)), TWO), {"size": 4, "padding": 1}),
    Sample("one side", (near("t1", (1, 2, 3)), TWO), {"size": 3, "padding": ((0, 2),)}),
    Sample("dilation", (near("td", (1, 2, 2)), TWO), {"size": 6, "dilation": 2}),
    Sample("groups", (near("tg", (2, 2, 3)), TWO[:, :1]), {"size": 5, "groups": 2}),
    Sample("image", (near("ti", (1, 2, 3, 2)), FILTERS), {"size": (4, 3)}),
    Sample(
        "image, all", (near("ta", (1, 2, 2, 3)), TALL),
        {"size": (4, 4), "stride": (2, 1), "padding": (1, 0), "dilation": 1, "groups": 2},
    ),
    Sample("empty batch", (np.zeros((0, 2, 3)), TWO), {"size": 5}),
)  # fmt: skip
samples(
    "conv_weight",
    correlated,
    Sample("plain", (LINE, near("g", (2, 2, 3))), {"kernel_size": 3}),
    Sample("stride with a rest", (LINE, near("gs", (2, 1, 2))), {"kernel_size": 2, "stride": 2}),
    Sample("padding", (LINE, near("gp", (2, 1, 6))), {"kernel_size": 2, "padding": 1}),
    Sample("dilation", (LINE, near("gd", (2, 1, 1))), {"kernel_size": 3, "dilation": 2}),
    Sample("groups", (LINE, near("gg", (2, 2, 3))), {"kernel_size": 3, "groups": 2}),
    Sample("image", (IMAGE, near("gi", (1, 2, 3, 2))), {"kernel_size": (2, 2)}),
    Sample(
        "image, all", (IMAGE, near("ga", (1, 2, 2, 3))),
        {"kernel_size": (3, 1), "stride": (2, 1), "padding": ((1, 0), (0, 0)), "groups": 2},
    ),
    Sample("empty batch", (np.zeros((0, 2, 4)), np.zeros((0, 1, 3))), {"kernel_size": 2}),
)  # fmt: skip

# ---- the functions -------------------------------------------------------------------------------

LINE_OF, IMAGE_OF = near("line of one", (2, 5)), near("image of one", (2, 3, 3))
samples(
    "conv1d",
    convolved,
    Sample("plain", (LINE, TWO)),
    Sample("bias, same", (LINE, TWO, BIAS), {"padding": "same"}),
    Sample("even kernel, same", (LINE, TWO[..., :2]), {"padding": "same"}),
    Sample("all", (LINE, TWO[:, :1], BIAS), {"stride": 2, "padding": 3, "groups": 2}),
    Sample("no batch", (LINE_OF, TWO, BIAS), {"dilation": 2}),
    Sample("empty batch", (np.zeros((0, 2, 5)), TWO, BIAS)),
)
samples(
    "conv2d",
    convolved,
    Sample("plain", (IMAGE, FILTERS)),
    Sample("bias, same", (IMAGE, FILTERS, BIAS), {"padding": "same", "dilation": (2, 1)}),
    Sample("all", (IMAGE, TALL, BIAS), {"stride": (1, 2), "padding": (2, 1), "groups": 2}),
    Sample("no batch", (IMAGE_OF, FILTERS, BIAS), {"padding": "valid"}),
)
samples(
    "conv_transpose1d",
    spread_with_bias,
    Sample("plain", (LINE, TWO)),
    Sample("stride", (LINE, TWO, BIAS), {"stride": 2, "padding": 1, "output_padding": 1}),
    Sample("groups", (LINE, TWO[:, :1], BIAS), {"groups": 2, "dilation": 2}),
    Sample("a long rest", (LINE_OF, TWO), {"output_padding": 2, "padding": 1, "dilation": 3}),
    Sample("a rest beyond", (LINE_OF, TWO, BIAS), {"output_padding": 2, "dilation": 3}),
)
samples(
    "conv_transpose2d",
    spread_with_bias,
    Sample("plain", (IMAGE, FILTERS)),
    Sample("all", (IMAGE_OF, TALL, BIAS), {"stride": (1, 2), "padding": (1, 0), "groups": 2}),
    Sample("rest", (IMAGE, FILTERS), {"stride": 2, "output_padding": (1, 0), "padding": 1}),
)
samples(
    "conv1d_matrix",
    matrix,
    Sample("one kernel", (near("q", (3,)), 4), {"padding": "same"}),
    Sample("channels", (TWO, 5), {"stride": 2, "padding": 1}),
    Sample("groups", (TWO[:, :1], 4), {"groups": 2, "dilation": 1}),
)
samples(
    "conv2d_matrix",
    lambda *args, **window: matrix(*args, **window, axes=2),
    Sample("one kernel", (near("q2", (2, 2)), (2, 3))),
    Sample("channels", (FILTERS, 2), {"padding": 1, "stride": (2, 1)}),
)
