"""Attention: weighted means of values, the weights by how well queries and keys agree."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from ..core.dtypes import as_array
from ..core.errors import DtypeError, ShapeError, compose_message, describe, describe_all
from ..core.modes import module_path
from ..core.op import composite
from ..core.storage import Array
from ..core.structure import cast
from ..core.tensor import Tensor
from .dropout import dropout
from .elementwise import where
from .linalg import matmul
from .operands import operand
from .shape import matrix_transpose
from .softmax import masked_softmax


def _check_operands(q: Any, k: Any, v: Any) -> None:
    arrays = (q, k, v)
    fits = all(x.ndim >= 2 for x in arrays)
    fits = fits and q.shape[-1] == k.shape[-1] and k.shape[-2] == v.shape[-2]
    if fits:
        try:
            np.broadcast_shapes(*[x.shape[:-2] for x in arrays])
            return
        except ValueError:
            pass
    raise ShapeError(
        compose_message(
            "scaled_dot_product_attention: query (…, L, E), key (…, S, E) and value (…, S, D) "
            "must fit together",
            describe_all(arrays),
            "the last axes of query and key agree, the second to last of key and value",
            module_path(),
        )
    )


def checked_mask(who: str, name: str, mask: Any, shape: tuple[int, ...]) -> Any:
    """Return a mask that broadcasts to ``shape``, of booleans or floats."""
    mask = mask if isinstance(mask, Tensor | np.ndarray) else as_array(mask)
    if mask.dtype.kind not in "bf":
        raise DtypeError(
            compose_message(
                f"{who}: {name} is boolean or floating (added to the scores)",
                describe(mask),
                f"{name}.astype(bool)",
                module_path(),
            )
        )
    lengths = mask.shape[::-1]
    if mask.ndim > len(shape) or any(
        n not in (1, m) for n, m in zip(lengths, shape[::-1], strict=False)
    ):
        raise ShapeError(
            compose_message(
                f"{who}: {name} must broadcast to the scores, {shape}",
                describe(mask),
                "the last two axes are queries and keys",
                module_path(),
            )
        )
    return mask


@lru_cache(maxsize=8)
def causal_mask(queries: int, keys: int, dtype: Any) -> Array:
    """Return what to add to scores so that query i attends to the keys 0 … i: 0, or −inf after."""
    mask = np.where(np.tri(queries, keys, dtype=np.bool_), 0, -np.inf).astype(dtype)
    mask.setflags(write=False)
    return mask


def attend(
    q: Any, k: Any, v: Any, attn_mask: Any, is_causal: bool, dropout_p: float, scale: float | None
) -> tuple[Any, Any]:
    """Return the attended values and the weights."""
    who = "scaled_dot_product_attention"
    _check_operands(q, k, v)
    if scale is None:
        scale = 1 / math.sqrt(max(q.shape[-1], 1))
    scores = matmul(q * scale, matrix_transpose(k))
    if attn_mask is not None:
        mask = checked_mask(who, "attn_mask", attn_mask, scores.shape)
        if mask.dtype == np.bool_:
            mask = where(mask, 0.0, -math.inf)
        scores = scores + cast(mask, dtype=scores.dtype)
    if is_causal:
        scores = scores + causal_mask(*scores.shape[-2:], scores.dtype)
    weights = dropout(masked_softmax(scores), p=dropout_p)
    return matmul(weights, v), weights


@composite("softmax(q kᵀ · scale + mask) v")
def scaled_dot_product_attention(
    query: Any, key: Any, value: Any, attn_mask: Any = None, dropout_p: float = 0.0,
    is_causal: bool = False, scale: float | None = None,
) -> Tensor:  # fmt: skip
    """Mean of the values for each query, weighted by ``softmax(q · k · scale)``.

    Parameters
    ----------
    query : Tensor or ndarray, shape (…, L, E)
    key : Tensor or ndarray, shape (…, S, E)
    value : Tensor or ndarray, shape (…, S, D)
        The axes before broadcast: the batch, the heads.
    attn_mask : Tensor or ndarray, broadcasting to (…, L, S), optional
        Boolean: True where a query may attend to a key. (In ``nn.MultiheadAttention`` True
        means the opposite, as in PyTorch.) Floating: added to the scores (a mask of another
        dtype does not widen them).
        A query that may attend to nothing gives zeros, with gradient 0.
    dropout_p : float
        Probability of a weight to be dropped; pass 0 in evaluation.
    is_causal : bool
        Query i attends to the keys 0 … i only, beside what ``attn_mask`` says.
    scale : float, optional
        1/√E by default: the variance of q · k then stays 1 when that of their elements is.

    Returns
    -------
    Tensor, shape (…, L, D)

    Raises
    ------
    ShapeError, DtypeError
        If the shapes do not fit, or the mask is neither boolean nor floating.

    Notes
    -----
    Source: Vaswani et al. 2017, Attention is all you need.

    Examples
    --------
    >>> import tinygraph as tg
    >>> q, k = tg.zeros(1, 4), tg.zeros(2, 4)
    >>> tg.nn.functional.scaled_dot_product_attention(q, k, tg.tensor([[1.0], [3.0]]))
    tensor([[2.]])
    """
    who = "scaled_dot_product_attention"
    q, k, v = operand(who, query), operand(who, key), operand(who, value)
    return attend(q, k, v, attn_mask, is_causal, dropout_p, scale)[0]  # type: ignore[no-any-return]
