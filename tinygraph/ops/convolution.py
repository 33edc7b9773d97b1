"""Convolutions as PyTorch calls them: with a bias, and unbatched."""

from __future__ import annotations

from typing import Any

from ..core.errors import ShapeError, compose_message, describe_all
from ..core.modes import module_path
from ..core.op import composite
from ..core.tensor import Tensor
from .conv import LAYOUT, conv, conv_bias
from .operands import operand
from .shape import expand_dims


def batched(who: str, axes: int, x: Any, weight: Any) -> tuple[Any, bool]:
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
    x, single = batched(who, axes, operand(who, input), weight)
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
