"""Layer and RMS normalization: over the last axes of each element, N, …, [D]."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.errors import ShapeError, compose_message, describe
from ..core.modes import module_path
from ..core.op import composite
from ..core.tensor import Tensor
from .operands import operand
from .standardize import Axes, affine, normalize


def _last_axes(who: str, x: Any, shape: Any, **tensors: Any) -> Axes:
    """Return the axes of ``normalized_shape``, after checking that all shapes fit."""
    lengths = (int(shape),) if isinstance(shape, int | np.integer) else tuple(shape)
    found = {"input": x.shape[-len(lengths) :] if lengths else None}
    found |= {k: t.shape for k, t in tensors.items() if t is not None}
    for name, part in found.items():
        if part != lengths:
            wanted = ", ".join(map(str, lengths))
            raise ShapeError(
                compose_message(
                    f"{who}: the input has shape (…, {wanted}), weight and bias ({wanted})",
                    f"{name} {describe(x if name == 'input' else tensors[name])}",
                    "normalized_shape names the last axes of the input",
                    module_path(),
                )
            )
    return tuple(range(x.ndim - len(lengths), x.ndim))


@composite("(x − mean(x)) / √(var(x) + eps) · weight + bias")
def layer_norm(
    input: Any, normalized_shape: int | Sequence[int], weight: Any = None, bias: Any = None,
    eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """Normalize the last axes of each element to mean 0 and variance 1.

    Parameters
    ----------
    input : Tensor or ndarray, shape (…, ``*normalized_shape``)
    normalized_shape : int or tuple of int
        Lengths of the axes to normalize together.
    weight, bias : Tensor of shape normalized_shape, optional
        Scale and shift applied after; none by default.
    eps : float
        Added to the variance. With 0 a constant row gives nan; else it gives the bias.

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
    Source: Ba, Kiros and Hinton 2016, Layer normalization.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.nn.functional.layer_norm(tg.tensor([1.0, 3.0]), 2, eps=0)
    tensor([-1.,  1.])
    """
    x = operand("layer_norm", input)
    axes = _last_axes("layer_norm", x, normalized_shape, weight=weight, bias=bias)
    return affine(normalize(x, axis=axes, eps=eps), weight, bias)  # type: ignore[no-any-return]


@composite("x / √(mean(x²) + eps) · weight")
def rms_norm(
    input: Any, normalized_shape: int | Sequence[int], weight: Any = None, eps: float | None = None
) -> Tensor:
    """Divide the last axes of each element by their root mean square.

    Parameters
    ----------
    input : Tensor or ndarray, shape (…, ``*normalized_shape``)
    normalized_shape : int or tuple of int
        Lengths of the axes to normalize together.
    weight : Tensor of shape normalized_shape, optional
        Scale applied after; none by default.
    eps : float, optional
        Added to the mean square; the machine epsilon of the input's dtype by default.

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
    Source: Zhang and Sennrich 2019, Root mean square layer normalization.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.nn.functional.rms_norm(tg.tensor([3.0, 3.0]), 2, eps=0)
    tensor([1., 1.])
    """
    x = operand("rms_norm", input)
    axes = _last_axes("rms_norm", x, normalized_shape, weight=weight)
    if eps is None:
        eps = float(np.finfo(x.dtype if x.dtype.kind == "f" else np.float32).eps)
    return affine(normalize(x, axis=axes, eps=eps, center=False), weight, None)  # type: ignore[no-any-return]
