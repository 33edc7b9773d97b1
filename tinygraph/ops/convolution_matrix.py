"""The matrix Q of a convolution: what it does to every unit impulse, column by column."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.errors import ShapeError, compose_message, describe
from ..core.modes import module_path
from ..core.op import composite
from ..core.tensor import Tensor
from .conv import conv
from .operands import operand, whole
from .shape import matrix_transpose, reshape
from .window import window_sizes


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
