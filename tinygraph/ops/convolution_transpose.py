"""Transposed convolutions as PyTorch calls them: with a bias, output padding, unbatched."""

from __future__ import annotations

from typing import Any

from ..core.errors import ShapeError, UsageError, compose_message, describe
from ..core.modes import module_path
from ..core.op import composite
from ..core.tensor import Tensor
from .conv import conv_transpose
from .convolution import batched
from .operands import operand
from .padding import pad
from .shape import reshape
from .sliding import Sliding, sliding
from .window import Sizes, window_sizes


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
    x, single = batched(who, axes, operand(who, input), weight)
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
