"""Convolutions as PyTorch calls them: with a bias, transposed, unbatched, and as a matrix."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.errors import ShapeError, UsageError, compose_message, describe, describe_all
from ..core.modes import module_path
from ..core.op import composite
from ..core.tensor import Tensor
from .conv import LAYOUT, conv, conv_bias, conv_transpose
from .operands import operand, whole
from .padding import pad
from .shape import expand_dims, matrix_transpose, reshape
from .sliding import Sliding, sliding
from .window import Sizes, window_sizes


def _batched(who: str, axes: int, x: Any, weight: Any) -> tuple[Any, bool]:
    """Return (C, …) with a batch axis of length 1, and whether it was added."""
    if weight.ndim != axes + 2 or x.ndim not in (axes + 1, axes + 2):
        layout = LAYOUT[axes]
        raise ShapeError(
            compose_message(
                f"{who}: the input is {layout} or {layout.replace('N, ', '')}, the weight has "
                f"{axes + 2} axes",
                describe_all([x, weight]),
                "x[None] adds a batch axis, x[:, None] channels",
                module_path(),
            )
        )
    single = x.ndim == axes + 1
    return (expand_dims(x, axis=0) if single else x), single


def _convolution(
    axes: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any,
    groups: Any,
) -> Any:  # fmt: skip
    who = f"conv{axes}d"
    weight = operand(who, weight)
    x, single = _batched(who, axes, operand(who, input), weight)
    window = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    y = conv(x, weight, **window) if bias is None else conv_bias(x, weight, bias, **window)
    return y[0] if single else y


@composite("y[o, i] = bias[o] + Σ weight[o, c, k] · x[c, i · stride + k · dilation − padding]")
def conv1d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """Slide kernels along the last axis: a cross-correlation, as in PyTorch.

    ``np.convolve`` agrees only with the kernel flipped. Shifting the input shifts the output
    (equivariance) with stride 1 and away from the padding; the output is not invariant.

    Parameters
    ----------
    input : Tensor or ndarray, shape (N, C, L) or (C, L)
    weight : Tensor or ndarray, shape (C', C/groups, k)
    bias : Tensor or ndarray, shape (C',), optional
    stride : int
        From one position to the next.
    padding : int, "same" or "valid"
        Zeros on both sides. "same" keeps the length (stride 1 only; of an odd number of zeros
        one more comes after); "valid" is 0.
    dilation : int
        From one element of the kernel to the next.
    groups : int
        Parts of the channels that do not see each other; C groups are depthwise.

    Returns
    -------
    Tensor, shape (N, C', L') or (C', L')
        ``L' = (L + 2 · padding − dilation · (k − 1) − 1) // stride + 1``.

    Raises
    ------
    ShapeError
        If the operands do not fit each other, or the kernel not the input.
    UsageError
        If an argument is out of range, or padding is "same" with a stride.

    Examples
    --------
    >>> import tinygraph as tg
    >>> z, w = tg.tensor([[1.0, 2.0, 4.0, 8.0]]), tg.tensor([[[-1.0, 0.0, 1.0]]])
    >>> tg.nn.functional.conv1d(z, w, padding="same")
    tensor([[ 2.,  3.,  6., -4.]])
    """
    return _convolution(1, input, weight, bias, stride, padding, dilation, groups)  # type: ignore[no-any-return]


@composite("y[o, i] = bias[o] + Σ weight[o, c, k] · x[c, i · stride + k · dilation − padding]")
def conv2d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """Slide kernels over the last two axes: a cross-correlation, as in PyTorch.

    Parameters
    ----------
    input : Tensor or ndarray, shape (N, C, H, W) or (C, H, W)
    weight : Tensor or ndarray, shape (C', C/groups, h, w)
    bias : Tensor or ndarray, shape (C',), optional
    stride, dilation : int or pair of int
        As for :func:`conv1d`, for both axes or for each.
    padding : int, pair of int, "same" or "valid"
        As for :func:`conv1d`, for both axes or for each.
    groups : int
        Parts of the channels that do not see each other; C groups are depthwise.

    Returns
    -------
    Tensor, shape (N, C', H', W') or (C', H', W')
        ``H' = (H + 2 · padding − dilation · (h − 1) − 1) // stride + 1``.

    Raises
    ------
    ShapeError
        If the operands do not fit each other, or the kernel not the input.
    UsageError
        If an argument is out of range, or padding is "same" with a stride.

    Examples
    --------
    >>> import tinygraph as tg
    >>> x, w = tg.ones(1, 1, 3, 3), tg.ones(1, 1, 3, 3)
    >>> tg.nn.functional.conv2d(x, w, padding=1)
    tensor([[[[4., 6., 4.],
              [6., 9., 6.],
              [4., 6., 4.]]]])
    """
    return _convolution(2, input, weight, bias, stride, padding, dilation, groups)  # type: ignore[no-any-return]


def transposed_size(
    who: str, size: Sizes, kernel: Sizes, window: Sliding, output_padding: Any
) -> Sizes:
    """Return the lengths that a transposed convolution makes of ``size``."""
    extra = window_sizes(who, "output_padding", output_padding, len(kernel), least=0)
    for n, s, d in zip(extra, window.stride, window.dilation, strict=True):
        if n >= max(s, d):
            raise UsageError(
                f"{who}: output_padding must be smaller than stride or dilation, received "
                f"{output_padding!r} with stride={window.stride}, dilation={window.dilation}."
            )
    found = []
    for n, k, s, (a, b), d, e in zip(
        size, kernel, window.stride, window.padding, window.dilation, extra, strict=True
    ):
        found.append((n - 1) * s - a - b + d * (k - 1) + e + 1)
    if min(found) < 1:
        raise ShapeError(
            compose_message(
                f"{who}: the result would have size {tuple(found)} by (L − 1) · stride − 2 · "
                "padding + dilation · (k − 1) + output_padding + 1",
                f"lengths {size}, kernel {kernel}",
                "less padding",
                module_path(),
            )
        )
    return tuple(found)


def _transposed(
    axes: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any, output_padding: Any,
    groups: Any, dilation: Any,
) -> Any:  # fmt: skip
    who = f"conv_transpose{axes}d"
    weight = operand(who, weight)
    x, single = _batched(who, axes, operand(who, input), weight)
    kernel = weight.shape[2:]
    if isinstance(padding, str):
        raise UsageError(f"{who}: padding is a whole number, received {padding!r}.")
    window = sliding(who, kernel, stride, padding, dilation, groups)
    size = transposed_size(who, x.shape[2:], kernel, window, output_padding)
    if window.positions(size, kernel) == x.shape[2:]:
        y = conv_transpose(x, weight, size=size, **window._asdict())
    else:
        y = _completed(x, weight, size, window)
    if bias is not None:
        y = y + _column(who, bias, weight.shape[1] * window.groups, axes)
    return y[0] if single else y


def _completed(x: Any, weight: Any, size: Sizes, window: Sliding) -> Any:
    """Return a result that is longer than its kernel reaches: computed in full, then cut.

    An output_padding of a stride or more (it is below the dilation then) asks for elements
    that the border would have cut off, and for zeros beyond.
    """
    open_end = window._replace(padding=tuple((a, 0) for a, _ in window.padding))
    spans = zip(x.shape[2:], weight.shape[2:], open_end.stride, open_end.padding,
                open_end.dilation, strict=True)  # fmt: skip
    full = tuple((n - 1) * s + d * (k - 1) + 1 - a for n, k, s, (a, _), d in spans)
    y = conv_transpose(x, weight, size=full, **open_end._asdict())
    y = y[..., *(slice(n) for n in size)]
    missing = [(0, n - have) for n, have in zip(size, y.shape[2:], strict=True)]
    return pad(y, ((0, 0), (0, 0), *missing))


def _column(who: str, bias: Any, channels: int, axes: int) -> Any:
    """Return a bias as (C, 1, …), to be added along axis 1."""
    bias = operand(who, bias)
    if bias.shape != (channels,):
        raise ShapeError(
            compose_message(
                f"{who}: the bias has one number for each output channel, shape ({channels},)",
                describe(bias),
                "bias.reshape(-1), or another length",
                module_path(),
            )
        )
    return reshape(bias, shape=(channels, *(1,) * axes))


@composite("y[c, i · stride + k · dilation − padding] += weight[o, c, k] · x[o, i]; y + bias")
def conv_transpose1d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
    output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
) -> Tensor:  # fmt: skip
    """Spread each element with a kernel: the adjoint of ``conv1d``, for up-sampling.

    Parameters
    ----------
    input : Tensor or ndarray, shape (N, C, L) or (C, L)
    weight : Tensor or ndarray, shape (C, C'/groups, k)
    bias : Tensor or ndarray, shape (C',), optional
    stride, padding, groups, dilation
        Those of the convolution that it is the adjoint of: padding cuts the result.
    output_padding : int
        Added to the length after: of the lengths that the convolution maps to L, which.

    Returns
    -------
    Tensor, shape (N, C', L') or (C', L')
        ``L' = (L − 1) · stride − 2 · padding + dilation · (k − 1) + output_padding + 1``.

    Raises
    ------
    ShapeError
        If the operands do not fit each other, or nothing is left.
    UsageError
        If an argument is out of range.

    Notes
    -----
    Source: M. Zeiler et al., Deconvolutional networks, 2010. It is no inverse of ``conv1d``.

    Examples
    --------
    >>> import tinygraph as tg
    >>> z, w = tg.tensor([[1.0, 2.0]]), tg.tensor([[[1.0, 10.0, 100.0]]])
    >>> tg.nn.functional.conv_transpose1d(z, w, stride=2)
    tensor([[  1.,  10., 102.,  20., 200.]])
    """
    return _transposed(  # type: ignore[no-any-return]
        1, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


@composite("y[c, i · stride + k · dilation − padding] += weight[o, c, k] · x[o, i]; y + bias")
def conv_transpose2d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
    output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
) -> Tensor:  # fmt: skip
    """Spread each pixel with a kernel: the adjoint of ``conv2d``, for up-sampling.

    Parameters
    ----------
    input : Tensor or ndarray, shape (N, C, H, W) or (C, H, W)
    weight : Tensor or ndarray, shape (C, C'/groups, h, w)
    bias : Tensor or ndarray, shape (C',), optional
    stride, padding, output_padding, groups, dilation
        As for :func:`conv_transpose1d`, a number for both axes or a pair.

    Returns
    -------
    Tensor, shape (N, C', H', W') or (C', H', W')
        ``H' = (H − 1) · stride − 2 · padding + dilation · (h − 1) + output_padding + 1``.

    Raises
    ------
    ShapeError
        If the operands do not fit each other, or nothing is left.
    UsageError
        If an argument is out of range.

    Examples
    --------
    >>> import tinygraph as tg
    >>> x = tg.tensor([[[1.0, 2.0]]])
    >>> tg.nn.functional.conv_transpose2d(x, tg.ones(1, 1, 2, 2), stride=2)
    tensor([[[1., 1., 2., 2.],
             [1., 1., 2., 2.]]])
    """
    return _transposed(  # type: ignore[no-any-return]
        2, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


def _matrix(
    axes: int, weight: Any, size: Any, stride: Any, padding: Any, dilation: Any, groups: Any
) -> Any:
    """Convolve every unit impulse: the responses are the columns of Q."""
    who = f"conv{axes}d_matrix"
    weight = operand(who, weight)
    if weight.ndim == axes:  # one kernel between single channels
        weight = reshape(weight, shape=(1, 1, *weight.shape))
    if weight.ndim != axes + 2:
        raise ShapeError(
            compose_message(
                f"{who}: the weight is one kernel of {axes} axes, or (C', C/groups, k, …)",
                describe(weight),
                where=module_path(),
            )
        )
    sizes = window_sizes(who, "size", size, axes)
    channels = weight.shape[1] * whole(who, "groups", groups, 1)
    count = channels * math.prod(sizes)
    impulses = np.eye(count, dtype=weight.dtype).reshape(count, channels, *sizes)
    window = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    responses = conv(impulses, weight, **window)
    return matrix_transpose(reshape(responses, shape=(count, math.prod(responses.shape[1:]))))


@composite("Q with Q z = conv1d(z, weight)")
def conv1d_matrix(
    weight: Any, size: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Tensor:
    """Return the matrix Q of a 1-D convolution: ``Q @ z.reshape(-1) = conv1d(z).reshape(-1)``.

    It is banded, with the same numbers on each diagonal (a Toeplitz matrix) for stride 1:
    m² entries of which each row has k, from k parameters. With ``padding="same"`` its first
    row starts in the middle of the kernel. It is differentiable by the weight.

    Parameters
    ----------
    weight : Tensor or ndarray, shape (k,) or (C', C/groups, k)
    size : int
        The length L of z, which is (C, L) and is read channel by channel.
    stride, padding, dilation, groups
        As for :func:`conv1d`.

    Returns
    -------
    Tensor, shape (C' · L', C · L)

    Raises
    ------
    ShapeError, UsageError
        As :func:`conv1d`.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.nn.functional.conv1d_matrix(tg.tensor([1.0, 2.0, 3.0]), 4, padding="same")
    tensor([[2., 3., 0., 0.],
            [1., 2., 3., 0.],
            [0., 1., 2., 3.],
            [0., 0., 1., 2.]])
    """
    return _matrix(1, weight, size, stride, padding, dilation, groups)  # type: ignore[no-any-return]


@composite("Q with Q z = conv2d(z, weight)")
def conv2d_matrix(
    weight: Any, size: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Tensor:
    """Return the matrix Q of a 2-D convolution: ``Q @ z.reshape(-1) = conv2d(z).reshape(-1)``.

    Parameters
    ----------
    weight : Tensor or ndarray, shape (h, w) or (C', C/groups, h, w)
    size : int or pair of int
        The lengths H, W of z, which is (C, H, W) and is read channel by channel, row by row.
    stride, padding, dilation, groups
        As for :func:`conv2d`.

    Returns
    -------
    Tensor, shape (C' · H' · W', C · H · W)
        For m × m images of C channels m⁴ · C · C' entries, from k² · C · C' parameters.

    Raises
    ------
    ShapeError, UsageError
        As :func:`conv2d`.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.nn.functional.conv2d_matrix(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), (2, 3))
    tensor([[1., 2., 0., 3., 4., 0.],
            [0., 1., 2., 0., 3., 4.]])
    """
    return _matrix(2, weight, size, stride, padding, dilation, groups)  # type: ignore[no-any-return]
