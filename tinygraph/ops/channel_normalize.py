"""Batch normalization in one op, and its derivative in one: two passes where a chain makes ten."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.errors import ShapeError, compose_message, describe_all
from ..core.modes import module_path
from ..core.op import Op, op
from ..core.storage import Array
from ..core.structure import sum_to
from .by_channel import cut_like, target
from .channel import channel_affine, channel_sums, check_maps, check_vectors, dtype_of, vector
from .exponential import rsqrt
from .standardize import checked_eps


def _channel_normalize(
    x: Any, moments: Any, weight: Any, bias: Any, *, eps: float = 1e-5, out: Array | None = None
) -> Array:
    scale = vector(weight, moments) / np.sqrt(moments[2] + eps)
    return channel_affine.raw_forward(x, moments[:2], scale, bias, out=out)  # type: ignore[no-any-return]


def _channel_normalize_vjp(
    g: Any, y: Any, x: Any, moments: Any, weight: Any, bias: Any, *, needs: Any, eps: float
) -> Any:
    """What x changes by way of its moments is in the gradient by x."""
    sums = channel_sums(g, x, moments[0])
    root = rsqrt(moments[2] + eps)
    by_x = None
    if needs[0]:
        scale = weight * root
        part = scale * (-1 / max(math.prod(x.shape) // max(x.shape[1], 1), 1))
        by_x = channel_mix(g, x, moments[0], scale, part * (root * root) * sums[1], part * sums[0])
    return (
        by_x,
        None,
        sum_to(root * sums[1], shape=weight.shape) if needs[2] else None,
        sum_to(sums[0], shape=bias.shape) if needs[3] else None,
    )


def _check_normalize(x: Any, moments: Any, weight: Any, bias: Any, *, eps: Any) -> dict[str, Any]:
    check_vectors("channel_normalize", x, weight, bias)
    if moments.shape != (3, x.shape[1]):
        what = f"channel_normalize: moments are channel_moments(x), (3, {x.shape[1]})"
        raise ShapeError(compose_message(what, describe_all([moments, x]), "", module_path()))
    return {"eps": checked_eps("channel_normalize", eps)}


channel_normalize: Op = op(
    "channel_normalize", _channel_normalize, kind="row", label="norm", quiet=True,
    saves="x moments weight", vjps=_channel_normalize_vjp, prepare=_check_normalize,
    formula="(x − mean) / √(var + eps) · weight + bias, by channel", discrete={1},
    local=["(G − mean(G) − y₀ · mean(G · y₀)) · weight / √(var + eps), y₀ normal", "",
           "Σ G · y₀ by channel", "Σ G by channel"],
    doc="""Normalize (N, C, …) with its own moments by channel, then scale and shift.

The gradient by ``x`` is the whole one: it has what ``x`` changes by way of its moments, for
which there is no gradient of their own.

Parameters
----------
x : Tensor or ndarray, shape (N, C, …)
moments : Tensor or ndarray, shape (3, C)
    ``channel_moments(x)``.
weight, bias : Tensor or ndarray of shape (C,), or number
eps : float, default 1e-5
    Added to the variance.

Returns
-------
Tensor
    Of the shape of ``x``.

Raises
------
ShapeError
    If the shapes do not fit.
UsageError
    If ``eps`` is negative.

Examples
--------
>>> import tinygraph as tg
>>> x = tg.tensor([[1.0, 5.0], [3.0, 6.0]])
>>> moments = tg.REGISTRY["channel_moments"](x)
>>> tg.REGISTRY["channel_normalize"](x, moments, 1.0, 0.0, eps=0)
tensor([[-1., -1.],
        [ 1.,  1.]])
""",
)  # fmt: skip

# ---- its derivative ------------------------------------------------------------------------------


def _channel_mix(
    a: Any, b: Any, center: Any, scale_a: Any, scale_b: Any, shift: Any, *, out: Array | None = None
) -> Array:
    a, b = np.asarray(a), np.asarray(b)
    cut, y = cut_like(b), target(b, dtype_of(a, b, center, scale_a, scale_b, shift), out)
    vectors = [cut.vectors(vector(v, b)) for v in (center, scale_a, scale_b, shift)]
    for p, q, r, c, s, t, d in zip(
        cut.pieces(a), cut.pieces(b), cut.pieces(y), *vectors, strict=True
    ):
        other = q - c
        other *= t
        other += d
        np.multiply(p, s, out=r)
        r += other
    if out is None or y is out:
        return y
    np.copyto(out, y)
    return out


def _channel_mix_vjp(
    g: Any, y: Any, a: Any, b: Any, center: Any, scale_a: Any, scale_b: Any, shift: Any, *,
    needs: Any,
) -> Any:  # fmt: skip
    sums = channel_sums(g, b, center)
    by_scale_a = channel_sums(g, a, 0.0)[1] if needs[3] else None
    found = (-(scale_b * sums[0]), by_scale_a, sums[1], sums[0])
    vectors = (center, scale_a, scale_b, shift)
    return (
        channel_affine(g, 0.0, scale_a, 0.0) if needs[0] else None,
        channel_affine(g, 0.0, scale_b, 0.0) if needs[1] else None,
        *(
            sum_to(v, shape=w.shape) if need else None
            for v, w, need in zip(found, vectors, needs[2:], strict=True)
        ),
    )


def _check_mix(a: Any, b: Any, *vectors: Any) -> dict[str, Any]:
    check_maps("channel_mix", a)
    if a.shape != b.shape:
        what, fix = "channel_mix: a and b have one shape", "a[…], b[…] of equal lengths"
        raise ShapeError(compose_message(what, describe_all([a, b]), fix, module_path()))
    return check_vectors("channel_mix", b, *vectors)


channel_mix: Op = op(
    "channel_mix", _channel_mix, kind="row", label="mix", quiet=True,
    saves="a b center scale_a scale_b", vjps=_channel_mix_vjp, prepare=_check_mix,
    formula="a · scale_a + (b − center) · scale_b + shift, by channel",
    local=["scale_a", "scale_b", "−scale_b, added up by channel", "Σ G · a by channel",
           "Σ G · (b − center) by channel", "Σ G by channel"],
    doc="""Add two maps (N, C, …), each scaled with a number for each channel, and shift.

Parameters
----------
a, b : Tensor or ndarray, shape (N, C, …)
center, scale_a, scale_b, shift : Tensor or ndarray of shape (C,), or number

Returns
-------
Tensor
    ``a · scale_a + (b − center) · scale_b + shift``.

Raises
------
ShapeError
    If the shapes do not fit.

Examples
--------
>>> import tinygraph as tg
>>> a, b = tg.tensor([[1.0], [3.0]]), tg.tensor([[5.0], [6.0]])
>>> tg.REGISTRY["channel_mix"](a, b, 5.0, 10.0, 1.0, 0.5)
tensor([[10.5],
        [31.5]])
""",
)  # fmt: skip
