"""Group, instance and batch normalization: by channels, axis 1. What differs is the mean's axes:

group     groups of channels of each element       N, G, [C/G, H, W]
instance  each channel of each element             N, C, [H, W]
batch     each channel over the whole batch        [N], C, [H, W]
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.errors import ShapeError, UsageError, compose_message, describe
from ..core.modes import module_path, no_grad
from ..core.op import composite
from ..core.tensor import Tensor
from .channel import channel_affine, channel_moments
from .channel_normalize import channel_normalize
from .exponential import rsqrt
from .operands import operand
from .reduce import mean, var
from .shape import reshape
from .standardize import Axes, affine, checked_eps, count_along, normalize
from .state import running_update


def _later_axes(who: str, x: Any, **vectors: Any) -> Axes:
    """Check that ``x`` is (N, C, …) and the vectors (C,); return the axes after the channels."""
    if x.ndim < 2:
        what, fix = f"{who} wants inputs of shape (N, C, …)", "x[None] for one element"
        raise ShapeError(compose_message(what, describe(x), fix, module_path()))
    for name, vector in vectors.items():
        if vector is not None and vector.shape != (x.shape[1],):
            raise ShapeError(
                compose_message(
                    f"{who}: {name} has one number for each channel, shape ({x.shape[1]},)",
                    f"{describe(vector)} for the input {describe(x)}",
                    "the channels are axis 1: (N, C, …)",
                    module_path(),
                )
            )
    return tuple(range(2, x.ndim))


def _per_channel(vector: Any, ndim: int) -> Any:
    """Return a vector (C,) as (C, 1, …): it broadcasts along axis 1."""
    if vector is None or ndim == 2:
        return vector
    return reshape(vector, shape=(vector.shape[0], *(1,) * (ndim - 2)))


def _channel_affine(x: Any, weight: Any, bias: Any) -> Any:
    return affine(x, _per_channel(weight, x.ndim), _per_channel(bias, x.ndim))


@composite("(x − mean(x)) / √(var(x) + eps) · weight + bias, by groups of channels")
def group_norm(
    input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Tensor:
    """Normalize groups of channels of each element to mean 0 and variance 1.

    Parameters
    ----------
    input : Tensor or ndarray, shape (N, C, …)
    num_groups : int
        Divides C. With 1 all of an element is normalized together, with C each channel by
        itself, as ``instance_norm`` does.
    weight, bias : Tensor, shape (C,), optional
        Scale and shift applied after; none by default.
    eps : float
        Added to the variance.

    Returns
    -------
    Tensor
        Of the shape of ``input``.

    Raises
    ------
    ShapeError
        If the shapes do not fit.

    Notes
    -----
    Source: Wu and He 2018, Group normalization.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.nn.functional.group_norm(tg.tensor([[1.0, 3.0, 0.0, 8.0]]), 2, eps=0)
    tensor([[-1.,  1., -1.,  1.]])
    """
    x = operand("group_norm", input)
    _later_axes("group_norm", x, weight=weight, bias=bias)
    whole = isinstance(num_groups, int | np.integer) and not isinstance(num_groups, bool)
    if not whole or num_groups < 1 or x.shape[1] % num_groups:
        raise ShapeError(
            compose_message(
                f"group_norm: the number of groups divides the {x.shape[1]} channels",
                f"num_groups={num_groups!r} for {describe(x)}",
                "the channels are axis 1: (N, C, …)",
                module_path(),
            )
        )
    size = math.prod(x.shape[1:]) // int(num_groups)
    rows = reshape(x, shape=(x.shape[0], int(num_groups), size))
    normal = reshape(normalize(rows, axis=-1, eps=eps), shape=x.shape)
    return _channel_affine(normal, weight, bias)  # type: ignore[no-any-return]


@composite("(x − mean(x)) / √(var(x) + eps) · weight + bias, by elements and channels")
def instance_norm(
    input: Any, running_mean: Any = None, running_var: Any = None, weight: Any = None,
    bias: Any = None, use_input_stats: bool = True, momentum: Any = 0.1, eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """Normalize each channel of each element to mean 0 and variance 1.

    Parameters
    ----------
    input : Tensor or ndarray, shape (N, C, …)
    running_mean, running_var : Tensor, shape (C,), or None
        As for :func:`batch_norm`; what is blended in is the average over the batch.
    use_input_stats : bool
        False normalizes with the running statistics.
    weight, bias, momentum, eps
        As for :func:`batch_norm`.

    Returns
    -------
    Tensor
        Of the shape of ``input``.

    Raises
    ------
    ShapeError
        If the shapes do not fit, or a channel has one value only.

    Notes
    -----
    Source: Ulyanov, Vedaldi and Lempitsky 2016, Instance normalization.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.nn.functional.instance_norm(tg.tensor([[[1.0, 3.0], [0.0, 8.0]]]), eps=0)
    tensor([[[-1.,  1.],
             [-1.,  1.]]])
    """
    return _with_statistics(  # type: ignore[no-any-return]
        "instance_norm", input, running_mean, running_var, weight, bias, use_input_stats,
        momentum, eps,
    )  # fmt: skip


@composite("(x − mean(x)) / √(var(x) + eps) · weight + bias, by channels")
def batch_norm(
    input: Any, running_mean: Any, running_var: Any, weight: Any = None, bias: Any = None,
    training: bool = False, momentum: Any = 0.1, eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """Normalize each channel over the batch to mean 0 and variance 1.

    Parameters
    ----------
    input : Tensor or ndarray, shape (N, C, …)
    running_mean, running_var : Tensor, shape (C,), or None
        What ``training=False`` normalizes with. With ``training=True`` they are updated in
        place: ``r ← (1 − momentum) · r + momentum · statistic``, the variance with n − 1;
        an empty batch changes nothing.
    weight, bias : Tensor, shape (C,), optional
        Scale and shift applied after; none by default.
    training : bool
        Normalize with the statistics of this batch.
    momentum : float
        Weight of the new statistics.
    eps : float
        Added to the variance.

    Returns
    -------
    Tensor
        Of the shape of ``input``.

    Raises
    ------
    ShapeError
        If the shapes do not fit, or in training a channel has one value only; the running
        statistics stay as they were.

    Notes
    -----
    Source: Ioffe and Szegedy 2015, Batch normalization.

    Examples
    --------
    >>> import tinygraph as tg
    >>> x = tg.tensor([[1.0], [3.0]])
    >>> tg.nn.functional.batch_norm(x, None, None, training=True, eps=0)
    tensor([[-1.],
            [ 1.]])
    """
    return _with_statistics(  # type: ignore[no-any-return]
        "batch_norm", input, running_mean, running_var, weight, bias, training, momentum, eps
    )


def _with_statistics(
    who: str, x: Any, running_mean: Any, running_var: Any, weight: Any, bias: Any,
    own: bool, momentum: Any, eps: float,
) -> Any:  # fmt: skip
    """Normalize with the input's own statistics and blend them in, or with the running ones."""
    x, eps = operand(who, x), checked_eps(who, eps)
    running = {"running_mean": running_mean, "running_var": running_var}
    axes = _later_axes(who, x, **running, weight=weight, bias=bias)
    kept = running_mean is not None and running_var is not None
    if not own:
        if not kept:
            what = f"{who} without the input's own statistics needs running_mean and running_var"
            raise UsageError(compose_message(what, "None", "training=True", module_path()))
        return _normalized(x, running_mean, running_var, weight, bias, eps)
    axes = (0, *axes) if who == "batch_norm" else axes
    _check_several(who, x, axes)
    if who == "batch_norm":
        moments = channel_moments(x)
        scale, shift = (1.0 if weight is None else weight), (0.0 if bias is None else bias)
        result = channel_normalize(x, moments, scale, shift, eps=eps)
    else:
        result = _channel_affine(normalize(x, axis=axes, eps=eps), weight, bias)
    if kept and math.prod(x.shape):
        count = count_along(x, axes)
        with no_grad():
            if who == "batch_norm":
                fresh = moments[0], moments[2]
            else:  # an average over the batch of its elements' statistics
                fresh = mean(mean(x, axis=axes), axis=0), mean(var(x, axis=axes), axis=0)
            running_update(
                running_mean, running_var, *fresh, momentum, correction=count / (count - 1)
            )
        for statistic in (running_mean, running_var):
            if isinstance(statistic, Tensor):
                statistic.mark_written()
    return result


def _normalized(x: Any, m: Any, v: Any, weight: Any, bias: Any, eps: float) -> Any:
    """Return ``(x − m) / √(v + eps) · weight + bias``, by channels."""
    scale = rsqrt(v + eps)
    if weight is not None:
        scale = scale * weight
    return channel_affine(x, m, scale, 0.0 if bias is None else bias)


def _check_several(who: str, x: Any, axes: Axes) -> None:
    """Raise if each mean would be over a single value: the result could only be 0."""
    if count_along(x, axes) == 1 and math.prod(x.shape):
        raise ShapeError(
            compose_message(
                f"{who}: a channel's own mean and variance need more than one value",
                describe(x),
                "a batch of two or more, model.eval(), or GroupNorm",
                module_path(),
            )
        )
