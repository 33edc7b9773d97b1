"""Work channel by channel on (N, C, …): what batch normalization is made of.

`channel_moments` gives mean and variance, `channel_affine` shifts and scales with a number for
each channel, `channel_sums` adds up products. Each is the others' derivative, so that there are
derivatives of any order; each goes through memory once or twice, in pieces that stay in cache.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.errors import ShapeError, compose_message, describe, describe_all
from ..core.modes import module_path
from ..core.op import Op, op
from ..core.storage import Array
from ..core.structure import broadcast_to, sum_to
from .by_channel import cut_like, target
from .reduce import as_floating


def check_maps(who: str, x: Any) -> dict[str, Any]:
    if x.ndim < 2:
        what, fix = f"{who} wants (N, C, …)", "x[None] for one element"
        raise ShapeError(compose_message(what, describe(x), fix, module_path()))
    return {}


def check_vectors(who: str, x: Any, *vectors: Any) -> dict[str, Any]:
    check_maps(who, x)
    for v in vectors:
        if v.shape not in ((), x.shape[1:2], (2, *x.shape[1:2])):
            raise ShapeError(
                compose_message(
                    f"{who}: vectors have one number for each of the {x.shape[1]} channels",
                    describe_all([v, x]),
                    "the channels are axis 1: (N, C, …)",
                    module_path(),
                )
            )
    return {}


def vector(v: Any, x: Array) -> Any:
    """Return a number for each channel."""
    return v if np.ndim(v) else np.full(x.shape[1], v, x.dtype)


def is_split(center: Any) -> bool:
    """Tell whether it is means and what rounding took from them."""
    return getattr(center, "ndim", 0) == 2


def is_zero(v: Any) -> bool:
    return np.ndim(v) == 0 and v == 0


def dtype_of(*operands: Any) -> Any:
    """Return the dtype of a result: numbers do not widen it."""
    return np.result_type(*[v for v in operands if np.ndim(v)])


# ---- mean and variance ---------------------------------------------------------------------------


def _channel_moments(x: Any) -> Array:
    """The mean from deviations from the first element, so that a constant has the variance 0."""
    x = as_floating(x)
    cut, count = cut_like(x), max(x.size // max(x.shape[1], 1), 1)
    result: Array = np.zeros((3, x.shape[1]), x.dtype)
    if not x.size:
        return result
    pieces = cut.pieces(x)
    first = x[(0, slice(None), *(0,) * (x.ndim - 2))]
    sums = [cut.sum(p - v) for p, v in zip(pieces, cut.vectors(first), strict=True)]
    mean = first + cut.total(sums) / count
    result[0] = mean
    result[1] = mean - result[0]
    squares = []
    for p, v in zip(pieces, cut.vectors(result[0]), strict=True):
        deviation = p - v
        deviation *= deviation
        squares.append(cut.sum(deviation))
    result[2] = cut.total(squares) / count
    return result


def _channel_moments_vjp(g: Any, y: Any, x: Any) -> Any:
    count = max(math.prod(x.shape) // max(x.shape[1], 1), 1)
    return channel_affine(x, y[0], g[2] * (2 / count), g[0] / count)


channel_moments: Op = op(
    "channel_moments", _channel_moments, kind="reduce", label="μ, σ²", quiet=True, saves="y x",
    formula="[mean(x), its rounding, var(x)] by channel",
    local=["(G[0] + 2 · G[2] · (x − mean(x))) / n"],
    vjps=[_channel_moments_vjp], prepare=lambda x: check_maps("channel_moments", x),
    doc="""Take mean and variance of each channel of (N, C, …), over all other axes.

Parameters
----------
x : Tensor or ndarray, shape (N, C, …)

Returns
-------
Tensor, shape (3, C)
    The means; what rounding took from them; and the variances about them (ddof 0, in a second
    pass). Zeros if there are no elements.

Raises
------
ShapeError
    If there are fewer than two axes.

Examples
--------
>>> import tinygraph as tg
>>> tg.REGISTRY["channel_moments"](tg.tensor([[1.0, 5.0], [3.0, 5.0]]))
tensor([[2., 5.],
        [0., 0.],
        [1., 0.]])
""",
)  # fmt: skip

# ---- shift and scale -----------------------------------------------------------------------------


def _channel_affine(
    x: Any, center: Any, scale: Any, shift: Any, *, out: Array | None = None
) -> Array:
    x = np.asarray(x)
    if is_split(center):
        center, shift = center[0], vector(shift, x) - center[1] * scale
    centered, shifted = not is_zero(center), not is_zero(shift)
    cut, y = cut_like(x), target(x, dtype_of(x, center, scale, shift), out)
    vectors = [cut.vectors(vector(v, x)) for v in (center, scale, shift)]
    for p, q, c, a, b in zip(cut.pieces(x), cut.pieces(y), *vectors, strict=True):
        if centered:
            np.subtract(p, c, out=q)
        np.multiply(q if centered else p, a, out=q)
        if shifted:
            np.add(q, b, out=q)
    if out is None or y is out:
        return y
    np.copyto(out, y)
    return out


def _like(center: Any, v: Any) -> Any:
    """Return the gradient by ``center``: of a mean and of what rounding took from it the same."""
    return broadcast_to(v, shape=center.shape) if center.ndim else sum_to(v, shape=())


def _channel_affine_vjp(
    g: Any, y: Any, x: Any, center: Any, scale: Any, shift: Any, *, needs: tuple[bool, ...]
) -> Any:
    by_x = channel_affine(g, 0.0, scale, 0.0) if needs[0] else None
    if not any(needs[1:]):
        return by_x, None, None, None
    split = is_split(center)
    sums = channel_sums(g, x, center[0] if split else center)
    total, product = sums[0], sums[1]
    if split:
        product = product - center[1] * total
    return (
        by_x,
        _like(center, -(scale * total)) if needs[1] else None,
        sum_to(product, shape=scale.shape) if needs[2] else None,
        sum_to(total, shape=shift.shape) if needs[3] else None,
    )


channel_affine: Op = op(
    "channel_affine", _channel_affine, kind="row", label="×+", quiet=True,
    saves="x center scale",
    formula="(x − center) · scale + shift, by channel",
    local=["scale", "−scale, added up by channel", "x − center, added up by channel",
           "1, added up by channel"],
    vjps=_channel_affine_vjp,
    prepare=lambda x, *vectors: check_vectors("channel_affine", x, *vectors),
    doc="""Shift and scale (N, C, …) with numbers for each channel.

Parameters
----------
x : Tensor or ndarray, shape (N, C, …)
center, scale, shift : Tensor or ndarray of shape (C,), or number
    ``center`` may be (2, C), as ``channel_moments`` gives it: a mean and what rounding took
    from it.

Returns
-------
Tensor
    Of the shape of ``x``.

Raises
------
ShapeError
    If the shapes do not fit.

Examples
--------
>>> import tinygraph as tg
>>> x = tg.tensor([[1.0, 5.0], [3.0, 6.0]])
>>> tg.REGISTRY["channel_affine"](x, tg.tensor([2.0, 5.0]), tg.tensor([10.0, 1.0]), 0.0)
tensor([[-10.,   0.],
        [ 10.,   1.]])
""",
)  # fmt: skip

# ---- sums ----------------------------------------------------------------------------------------


def _channel_sums(a: Any, b: Any, center: Any) -> Array:
    a, b = np.asarray(a), np.asarray(b)
    cut, centered = cut_like(b), not is_zero(center)
    totals, products = [], []
    vectors = cut.vectors(vector(center, b))
    for p, q, c in zip(cut.pieces(a), cut.pieces(b), vectors, strict=True):
        totals.append(cut.sum(p))
        product = q - c if centered else q * p
        if centered:
            product *= p
        products.append(cut.sum(product))
    result = np.array([cut.total(totals), cut.total(products)])
    return result.astype(dtype_of(a, b, center))


def _check_sums(a: Any, b: Any, center: Any) -> dict[str, Any]:
    if a.shape != b.shape:
        what, fix = "channel_sums: a and b have one shape", "a[…], b[…] of equal lengths"
        raise ShapeError(compose_message(what, describe_all([a, b]), fix, module_path()))
    return check_vectors("channel_sums", b, center)


channel_sums: Op = op(
    "channel_sums", _channel_sums, kind="reduce", label="Σ, ·", quiet=True,
    saves="y a b center", formula="[Σ a, Σ a · (b − center)] by channel",
    local=["G[0] + G[1] · (b − center)", "G[1] · a", "−G[1] · Σ a by channel"],
    vjps=[
        lambda g, y, a, b, center: channel_affine(b, center, g[1], g[0]),
        lambda g, y, a, b, center: channel_affine(a, 0.0, g[1], 0.0),
        lambda g, y, a, b, center: sum_to(-(g[1] * y[0]), shape=center.shape),
    ],
    prepare=_check_sums,
    doc="""Add up numbers and products channel by channel, in one go through memory.

Parameters
----------
a, b : Tensor or ndarray, shape (N, C, …)
center : Tensor or ndarray of shape (C,), or number
    Subtracted from ``b``.

Returns
-------
Tensor, shape (2, C)
    ``Σ a`` and ``Σ a · (b − center)``.

Raises
------
ShapeError
    If the shapes do not fit.

Examples
--------
>>> import tinygraph as tg
>>> a, b = tg.tensor([[1.0, 5.0], [3.0, 6.0]]), tg.tensor([[1.0, 0.0], [2.0, 1.0]])
>>> tg.REGISTRY["channel_sums"](a, b, 0.0)
tensor([[ 4., 11.],
        [ 7.,  6.]])
""",
)  # fmt: skip
