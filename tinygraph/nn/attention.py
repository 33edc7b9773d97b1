"""Multi-head attention: attention in several subspaces at once."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.dtypes import as_array
from ..core.errors import ShapeError, UsageError, compose_message, describe
from ..core.modes import get_default_dtype, module_path
from ..core.tensor import Tensor
from ..ops.attention import attend, checked_mask
from ..ops.elementwise import where
from ..ops.logic import logical_not, logical_or
from ..ops.reduce import mean
from . import functional as F
from . import init
from .checks import check_features, checked_flag, checked_probability, checked_size
from .linear import Linear
from .module import Module
from .parameter import Parameter


class MultiheadAttention(Module):
    """Attention in ``num_heads`` subspaces, joined by a last affine map.

    ``MHA(q, k, v) = [head₁ … head_H] W_Oᵀ + b_O`` with
    ``head_i = softmax(q_i k_iᵀ / √(E/H)) v_i`` and ``q_i, k_i, v_i`` affine in the inputs.

    Parameters
    ----------
    embed_dim : int
        E, the length of queries and results.
    num_heads : int
        H; divides E.
    dropout : float
        Probability of a weight to be dropped, in training.
    bias : bool
        Whether the affine maps have biases.
    kdim, vdim : int, optional
        Lengths of keys and values; E by default.
    batch_first : bool
        Inputs are (N, L, E), our default, or (L, N, E) if False.

    Attributes
    ----------
    in_proj_weight : Parameter, shape (3E, E), or None
        W_Q, W_K and W_V, one below the other (transposed, if you write QW). With kdim or vdim
        there are ``q_proj_weight``, ``k_proj_weight``, ``v_proj_weight`` instead.
    in_proj_bias : Parameter, shape (3E,), or None
    out_proj : Linear

    Notes
    -----
    Source: Vaswani et al. 2017, Attention is all you need. Names and state dict are those of
    PyTorch. What differs: ``batch_first``; weights are returned on request; key and value
    default to the query; ``is_causal`` needs no mask beside it; a query that may attend to
    nothing gives zeros before ``out_proj``, not nan. Masks mean what they mean in PyTorch: in
    this class True *closes*, in ``scaled_dot_product_attention`` True opens.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> attention = nn.MultiheadAttention(8, num_heads=2)
    >>> x = tg.rand(4, 5, 8)
    >>> y, weights = attention(x, need_weights=True)
    >>> y.shape, weights.shape
    ((4, 5, 8), (4, 5, 5))
    """

    in_proj_weight: Parameter | None
    in_proj_bias: Parameter | None

    def __init__(
        self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True, *,
        kdim: int | None = None, vdim: int | None = None, batch_first: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        who = "MultiheadAttention"
        e = self.embed_dim = checked_size(who, "embed_dim", embed_dim)
        self.num_heads = checked_size(who, "num_heads", num_heads)
        if e % self.num_heads:
            raise UsageError(
                f"{who}: num_heads divides embed_dim, received {num_heads} for {embed_dim}. "
                "Fix: a divisor, or another embed_dim."
            )
        self.head_dim = e // self.num_heads
        self.dropout = checked_probability(who, "dropout", dropout)
        self.kdim = e if kdim is None else checked_size(who, "kdim", kdim)
        self.vdim = e if vdim is None else checked_size(who, "vdim", vdim)
        self.batch_first = checked_flag(who, "batch_first", batch_first)
        dtype = get_default_dtype()
        self.in_proj_weight = None
        if self.kdim == self.vdim == e:
            self.in_proj_weight = Parameter(np.empty((3 * e, e), dtype))
        else:
            self.q_proj_weight = Parameter(np.empty((e, e), dtype))
            self.k_proj_weight = Parameter(np.empty((e, self.kdim), dtype))
            self.v_proj_weight = Parameter(np.empty((e, self.vdim), dtype))
        wanted = checked_flag(who, "bias", bias)
        self.in_proj_bias = Parameter(np.zeros(3 * e, dtype)) if wanted else None
        self.out_proj = Linear(e, e, bias=wanted)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new initial values: Xavier's uniform for the inner weights, biases 0."""
        for name, weight in self._parameters.items():
            if name.endswith("weight"):
                init.xavier_uniform_(weight)
        self.out_proj.reset_parameters()
        for bias in (self.in_proj_bias, self.out_proj.bias):
            if bias is not None:
                init.zeros_(bias)

    def forward(
        self, query: Any, key: Any = None, value: Any = None, key_padding_mask: Any = None,
        need_weights: bool = False, attn_mask: Any = None, average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:  # fmt: skip
        """Attend from each query to the keys.

        Parameters
        ----------
        query : Tensor, shape (N, L, embed_dim), or (L, embed_dim) without a batch
        key : Tensor, shape (N, S, kdim), optional
            The query by default: self-attention.
        value : Tensor, shape (N, S, vdim), optional
            The key by default.
        key_padding_mask : Tensor or ndarray, shape (N, S), optional
            True for keys to ignore; floats are added to the scores.
        need_weights : bool
            Return the weights too.
        attn_mask : Tensor or ndarray, shape (L, S), (N · num_heads, L, S) or \
(N or 1, num_heads or 1, L, S), optional
            True where a query may *not* attend to a key; floats are added to the scores. A
            query that may attend to nothing gets zeros.
        average_attn_weights : bool
            Return the mean of the weights over the heads; else those of each head.
        is_causal : bool
            Query i attends to the keys 0 … i only.

        Returns
        -------
        (Tensor, Tensor or None)
            Results of the query's shape, and weights (N, L, S) or (N, num_heads, L, S).
        """
        for name, flag in (
            ("need_weights", need_weights), ("average_attn_weights", average_attn_weights),
            ("is_causal", is_causal),
        ):  # fmt: skip
            checked_flag("MultiheadAttention", name, flag)
        key = query if key is None else key
        value = key if value is None else value
        wanted = [self.embed_dim, self.kdim, self.vdim]
        for x, length in zip((query, key, value), wanted, strict=True):
            check_features(self, x, length, self.out_proj.weight)
        unbatched, inputs = self._as_batches(query, key, value)
        q, k, v = (self._split_heads(x, i) for i, x in enumerate(inputs))
        shape = (q.shape[0], self.num_heads, q.shape[2], k.shape[2])
        mask = self._joined_mask(attn_mask, key_padding_mask, unbatched, shape)
        heads, weights = attend(q, k, v, mask, is_causal, self.dropout * self.training, None)
        y = self.out_proj(heads.swapaxes(1, 2).reshape(shape[0], shape[2], self.embed_dim))
        y = y if self.batch_first or unbatched else y.swapaxes(0, 1)
        if not need_weights:
            return (y[0] if unbatched else y), None
        weights = mean(weights, axis=1) if average_attn_weights else weights
        return (y[0], weights[0]) if unbatched else (y, weights)

    def _as_batches(self, *inputs: Any) -> tuple[bool, list[Any]]:
        """Return query, key and value as (N, L, features), and whether the batch was missing."""
        ndims = {x.ndim for x in inputs}
        batches = [x.shape[0 if self.batch_first else 1] for x in inputs if x.ndim == 3]
        if ndims not in ({2}, {3}) or len(set(batches)) > 1:
            raise self._misfit("query, key and value have shape (N, L, features)", *inputs)
        if ndims == {3} and not self.batch_first:
            inputs = tuple(x.swapaxes(0, 1) for x in inputs)
        if ndims == {2}:
            inputs = tuple(x[None] for x in inputs)
        if inputs[1].shape[1] != inputs[2].shape[1]:
            raise self._misfit("there is one value for each key", *inputs[1:])
        return ndims == {2}, list(inputs)

    def _misfit(self, what: str, *given: Any) -> ShapeError:
        shapes = " and ".join(describe(x) for x in given)
        fix = "(L, N, features) with batch_first=False" if len(given) == 3 else ""
        return ShapeError(
            compose_message(f"MultiheadAttention: {what}", shapes, fix, module_path())
        )

    def _split_heads(self, x: Any, part: int) -> Tensor:
        """Map queries (0), keys (1) or values (2) and return them by heads, (N, H, L, E/H)."""
        e = self.embed_dim
        rows = slice(part * e, (part + 1) * e)
        if self.in_proj_weight is not None:
            weight: Tensor = self.in_proj_weight[rows]
        else:
            weight = (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)[part]
        bias = None if self.in_proj_bias is None else self.in_proj_bias[rows]
        mapped = F.linear(x, weight, bias)
        return mapped.reshape(*x.shape[:2], self.num_heads, self.head_dim).swapaxes(1, 2)

    def _joined_mask(self, mask: Any, padding: Any, unbatched: bool, shape: Any) -> Any:
        """Return both masks as one for ``attend``: True where a query may attend, or added."""
        closed: list[Any] = []
        added: list[Any] = []
        for given in (
            self._score_mask(mask, shape),
            self._padding_mask(padding, unbatched, shape),
        ):
            if given is not None:
                (closed if given.dtype == np.bool_ else added).append(given)
        if not added:
            closed = [logical_or(*closed)] if len(closed) == 2 else closed
            return logical_not(closed[0]) if closed else None
        total = added[0] if len(added) == 1 else added[0] + added[1]
        return where(closed[0], -math.inf, total) if closed else total

    def _score_mask(self, mask: Any, shape: Any) -> Any:
        """Return attn_mask so that it broadcasts to (N, heads, L, S)."""
        if mask is None:
            return None
        n, heads, queries, keys = shape
        mask = mask if isinstance(mask, Tensor | np.ndarray) else as_array(mask)
        if mask.ndim == 3 and mask.shape[0] == n * heads:
            mask = mask.reshape(n, heads, *mask.shape[1:])
        elif mask.ndim == 3:
            raise self._misfit(f"attn_mask has shape {(queries, keys)} or {shape}", mask)
        return checked_mask("MultiheadAttention", "attn_mask", mask, shape)

    def _padding_mask(self, padding: Any, unbatched: bool, shape: Any) -> Any:
        """Return key_padding_mask as (N, 1, 1, S)."""
        if padding is None:
            return None
        n, _, _, keys = shape
        padding = padding if isinstance(padding, Tensor | np.ndarray) else as_array(padding)
        if padding.shape != ((keys,) if unbatched else (n, keys)):
            raise self._misfit(f"key_padding_mask has shape {(n, keys)}", padding)
        return checked_mask(
            "MultiheadAttention", "key_padding_mask", padding.reshape(n, 1, 1, keys), shape
        )

    def extra_repr(self) -> str:
        return f"embed_dim={self.embed_dim}, num_heads={self.num_heads}, dropout={self.dropout}"
