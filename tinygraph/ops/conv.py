"""Convolution: three ops that are each other's derivatives, to any order.

    conv            y from x and weight
    conv_transpose  the gradient by x from that of y, and weight
    conv_weight     the gradient by weight from x, and that of y

Each is linear in both operands. They work along one axis (N, C, L) or two (N, C, H, W).
"""

from __future__ import annotations

from typing import Any

from ..core.errors import ShapeError, compose_message, describe_all
from ..core.modes import module_path
from ..core.op import Op, op
from ..core.storage import Array
from . import conv_run as run
from .reduce import sum
from .sliding import Sliding, checked_positions, remembered, sliding
from .window import Sizes, window_sizes

LAYOUT = {1: "(N, C, L)", 2: "(N, C, H, W)"}


def _misfit(who: str, wanted: str, operands: Any, fix: str) -> ShapeError:
    return ShapeError(
        compose_message(f"{who}: {wanted}", describe_all(operands), fix, module_path())
    )


def _check_pair(who: str, axes: int, a: Any, b: Any, wanted: str) -> None:
    """Raise unless both operands have a batch or output axis, channels, and ``axes`` more."""
    if axes not in LAYOUT or a.ndim != axes + 2 or b.ndim != axes + 2:
        fix = "x[None] if the batch axis is missing" if a.ndim == axes + 1 else "x.reshape(…)"
        raise _misfit(who, wanted, (a, b), fix)


def _check_groups(who: str, groups: int, channels: int, outputs: int) -> None:
    if channels % groups or outputs % groups:
        raise ShapeError(
            compose_message(
                f"{who}: groups divides the channels before and after",
                f"groups={groups} for {channels} and {outputs} channels",
                "a common divisor of both",
                module_path(),
            )
        )


def _attributes(window: Sliding) -> dict[str, Any]:
    return window._asdict()


def _check_conv(
    x: Any, weight: Any, *bias: Any, stride: Any, padding: Any, dilation: Any, groups: Any
) -> dict[str, Any]:
    axes = weight.ndim - 2
    who = f"conv{axes}d"
    shapes = f"x is {LAYOUT.get(axes, '(N, C, …)')} and weight (C', C/groups, k, …)"
    _check_pair(who, axes, x, weight, shapes)
    window = sliding(who, weight.shape[2:], stride, padding, dilation, groups)
    _check_groups(who, window.groups, x.shape[1], weight.shape[0])
    if weight.shape[1] * window.groups != x.shape[1]:
        wanted = (
            f"the weight is for {weight.shape[1] * window.groups} channels "
            f"({weight.shape[1]} in each of {window.groups} groups), the input has {x.shape[1]}"
        )
        raise _misfit(who, wanted, (x, weight), "channels are axis 1: (N, C, …)")
    if bias and bias[0].shape != weight.shape[:1]:
        wanted = f"the bias has one number for each output channel, shape ({weight.shape[0]},)"
        raise _misfit(who, wanted, (*bias, weight), "bias.reshape(-1), or another length")
    checked_positions(who, x, weight.shape[2:], window)
    return _attributes(window)


def _conv(
    x: Array, weight: Array, *, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    groups: int = 1, out: Array | None = None,
) -> Array:  # fmt: skip
    return run.conv(x, weight, Sliding(stride, padding, dilation, groups), out)


conv: Op = op(
    "conv", _conv, kind="window", label="∗", saves="x weight", prepare=remembered(_check_conv),
    formula="y[n, o, i] = Σ weight[o, c, k] · x[n, c, i · stride + k · dilation − padding]",
    local=["conv_transpose(G, weight)", "conv_weight(x, G)"],
    vjps=[
        lambda g, y, x, weight, **window: conv_transpose(g, weight, size=x.shape[2:], **window),
        lambda g, y, x, weight, **window: conv_weight(
            x, g, kernel_size=weight.shape[2:], **window
        ),
    ],
    doc="""Slide kernels over the last axes and add up products: a cross-correlation.

Parameters
----------
x : Tensor or ndarray
    ``(N, C, L)`` or ``(N, C, H, W)``.
weight : Tensor or ndarray
    ``(C', C/groups, k)`` or ``(C', C/groups, h, w)``.
stride : int or tuple of int, default 1
    From one position to the next.
padding : int, tuple of int, tuple of pairs, "same" or "valid", default 0
    Zeros around the input, on both sides or (before, after).
dilation : int or tuple of int, default 1
    From one element of the kernel to the next.
groups : int, default 1
    Parts of the channels that do not see each other.

Returns
-------
Tensor
    ``(N, C', …)`` with ``(L + before + after − dilation · (k − 1) − 1) // stride + 1``
    positions along each axis.

Raises
------
ShapeError
    If the operands do not fit each other, or the kernel not the input.
UsageError
    If an argument is not a whole number in its range.

Examples
--------
>>> import tinygraph as tg
>>> x, w = tg.tensor([[[1.0, 2.0, 4.0]]]), tg.tensor([[[1.0, -1.0]]])
>>> tg.REGISTRY["conv"](x, w)
tensor([[[-1., -2.]]])
""",
)  # fmt: skip


def _conv_bias(
    x: Array, weight: Array, bias: Array, *, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    groups: int = 1, out: Array | None = None,
) -> Array:  # fmt: skip
    return run.conv(x, weight, Sliding(stride, padding, dilation, groups), out, bias)


conv_bias: Op = op(
    "conv_bias", _conv_bias, kind="window", label="∗ + b", saves="x weight",
    prepare=remembered(_check_conv),
    formula="conv(x, weight)[n, o, i] + bias[o]",
    local=["conv_transpose(G, weight)", "conv_weight(x, G)", "Σ of G by channel"],
    vjps=[
        lambda g, y, x, weight, bias, **window: conv_transpose(
            g, weight, size=x.shape[2:], **window
        ),
        lambda g, y, x, weight, bias, **window: conv_weight(
            x, g, kernel_size=weight.shape[2:], **window
        ),
        lambda g, y, x, weight, bias, **window: sum(g, axis=(0, *range(2, g.ndim))),
    ],
    doc="""Convolution and a bias for each output channel, in one node.

Parameters
----------
x, weight, stride, padding, dilation, groups
    As for ``conv``.
bias : Tensor or ndarray
    ``(C',)``.

Returns
-------
Tensor
    ``(N, C', …)``, as ``conv``.

Raises
------
ShapeError, UsageError
    As ``conv``, and if the bias has another length.

Examples
--------
>>> import tinygraph as tg
>>> x, w = tg.tensor([[[1.0, 2.0, 4.0]]]), tg.tensor([[[1.0, -1.0]]])
>>> tg.REGISTRY["conv_bias"](x, w, tg.tensor([10.0]))
tensor([[[9., 8.]]])
""",
)  # fmt: skip


def _check_conv_transpose(
    x: Any, weight: Any, *, size: Any, stride: Any, padding: Any, dilation: Any, groups: Any
) -> dict[str, Any]:
    axes = weight.ndim - 2
    who = f"conv_transpose{axes}d"
    shapes = f"x is {LAYOUT.get(axes, '(N, C, …)')} and weight (C, C'/groups, k, …)"
    _check_pair(who, axes, x, weight, shapes)
    sizes = window_sizes(who, "size", size, axes, least=0)
    window = sliding(who, weight.shape[2:], stride, padding, dilation, groups)
    _check_groups(who, window.groups, x.shape[1], weight.shape[1] * window.groups)
    if x.shape[1] != weight.shape[0]:
        wanted = f"the weight is for {weight.shape[0]} channels, the input has {x.shape[1]}"
        raise _misfit(who, wanted, (x, weight), "channels are axis 1: (N, C, …)")
    places = window.positions(sizes, weight.shape[2:])
    if places != x.shape[2:]:
        wanted = f"the kernel has {places} positions in a result of size {sizes}"
        raise _misfit(who, wanted, (x, weight), "another size, or another stride or padding")
    return {"size": sizes, **_attributes(window)}


def _conv_transpose(
    x: Array, weight: Array, *, size: Sizes, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    groups: int = 1, out: Array | None = None,
) -> Array:  # fmt: skip
    window = Sliding(stride, padding, dilation, groups)
    return run.conv_transpose(x, weight, size, window, out)


conv_transpose: Op = op(
    "conv_transpose", _conv_transpose, kind="window", label="∗ᵀ", saves="x weight",
    prepare=remembered(_check_conv_transpose),
    formula="y[n, c, i · stride + k · dilation − padding] += weight[o, c, k] · x[n, o, i]",
    local=["conv(G, weight)", "conv_weight(G, x)"],
    vjps=[
        lambda g, y, x, weight, *, size, **window: conv(g, weight, **window),
        lambda g, y, x, weight, *, size, **window: conv_weight(
            g, x, kernel_size=weight.shape[2:], **window
        ),
    ],
    doc="""Spread each element with a kernel: the adjoint of ``conv`` by its input.

Parameters
----------
x : Tensor or ndarray
    ``(N, C, …)``.
weight : Tensor or ndarray
    ``(C, C'/groups, k…)``: that of the convolution from C' to C channels.
size : int or tuple of int
    The lengths of the result along the last axes; the kernel must have exactly the positions
    of ``x`` in it.
stride, padding, dilation, groups
    As for ``conv``.

Returns
-------
Tensor
    ``(N, C', *size)``.

Raises
------
ShapeError
    If the operands and the size do not fit each other.
UsageError
    If an argument is not a whole number in its range.

Examples
--------
>>> import tinygraph as tg
>>> x, w = tg.tensor([[[1.0, 2.0]]]), tg.tensor([[[1.0, -1.0]]])
>>> tg.REGISTRY["conv_transpose"](x, w, size=3)
tensor([[[ 1.,  1., -2.]]])
""",
)  # fmt: skip


def _check_conv_weight(
    x: Any, grad: Any, *, kernel_size: Any, stride: Any, padding: Any, dilation: Any, groups: Any
) -> dict[str, Any]:
    axes = x.ndim - 2
    _check_pair("conv_weight", axes, x, grad, "x is (N, C, …) and grad (N, C', positions…)")
    kernel = window_sizes("conv_weight", "kernel_size", kernel_size, axes)
    window = sliding("conv_weight", kernel, stride, padding, dilation, groups)
    _check_groups("conv_weight", window.groups, x.shape[1], grad.shape[1])
    places = checked_positions("conv_weight", x, kernel, window)
    if grad.shape[0] != x.shape[0] or grad.shape[2:] != places:
        wanted = f"grad has the batch of x and the kernel's positions, {(x.shape[0], '…', *places)}"
        raise _misfit("conv_weight", wanted, (x, grad), "the gradient of the convolution's result")
    return {"kernel_size": kernel, **_attributes(window)}


def _conv_weight(
    x: Array, grad: Array, *, kernel_size: Sizes, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1, out: Array | None = None,
) -> Array:  # fmt: skip
    window = Sliding(stride, padding, dilation, groups)
    return run.conv_weight(x, grad, kernel_size, window, out)


conv_weight: Op = op(
    "conv_weight", _conv_weight, kind="window", label="x ∗ g", saves="x grad",
    prepare=remembered(_check_conv_weight),
    formula="y[o, c, k] = Σ grad[n, o, i] · x[n, c, i · stride + k · dilation − padding]",
    local=["conv_transpose(grad, G)", "conv(x, G)"],
    vjps=[
        lambda g, y, x, grad, *, kernel_size, **window: conv_transpose(
            grad, g, size=x.shape[2:], **window
        ),
        lambda g, y, x, grad, *, kernel_size, **window: conv(x, g, **window),
    ],
    doc="""Correlate an input with the gradient of a convolution: its gradient by the weights.

Parameters
----------
x : Tensor or ndarray
    ``(N, C, …)``, the convolution's input.
grad : Tensor or ndarray
    ``(N, C', positions…)``, the gradient of its result.
kernel_size : int or tuple of int
    The lengths of the kernel.
stride, padding, dilation, groups
    As for ``conv``.

Returns
-------
Tensor
    ``(C', C/groups, *kernel_size)``.

Raises
------
ShapeError
    If the operands do not fit each other.
UsageError
    If an argument is not a whole number in its range.

Examples
--------
>>> import tinygraph as tg
>>> x, grad = tg.tensor([[[1.0, 2.0, 4.0]]]), tg.tensor([[[1.0, 10.0]]])
>>> tg.REGISTRY["conv_weight"](x, grad, kernel_size=2)
tensor([[[21., 42.]]])
""",
)  # fmt: skip
