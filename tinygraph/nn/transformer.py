"""The transformer block, with its norms after or before, and its two ways to skip."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.errors import UsageError, compose_message
from ..core.tensor import Tensor
from . import functional as F
from .attention import MultiheadAttention
from .checks import checked_probability, checked_size
from .linear import Linear
from .module import Module
from .norm import LayerNorm
from .wrapping import as_module

ACTIVATIONS: dict[str, Callable[..., Any]] = {"relu": F.relu, "gelu": F.gelu}


class TransformerBlock(Module):
    """Self-attention, then a small network for each element, each with a skip and a norm.

    With ``FFN(x) = W₂ σ(W₁ x + b₁) + b₂`` and layer norms LN₁, LN₂:

    ======== ========== ================================================================
    norm     skip_from
    ======== ========== ================================================================
    "post"   "input"    ``LN₂(x + FFN(LN₁(x + MHA(x))))``, the default
    "post"   "norm"     ``LN₂(a + FFN(a))``, ``a = LN₁(x + MHA(x))``, the original paper's
    "pre"    (no role)  ``a + FFN(LN₂(a))``, ``a = x + MHA(LN₁(x))``
    ======== ========== ================================================================

    Parameters
    ----------
    dim : int
        Length of each element.
    heads : int
        Heads of the attention; divides ``dim``.
    ffn_dim : int, optional
        Hidden length of FFN; 4 · dim by default.
    norm : {"post", "pre"}
        Where the norms are: after the sums, or before attention and FFN.
    skip_from : {"input", "norm"}
        Where the second skip of "post" starts.
    activation : {"relu", "gelu"}, callable or Module
        σ of FFN.
    dropout : float
        Probability to drop, in training: attention weights, FFN's hidden elements, and what
        is added to the skips.
    layer_norm_eps : float
        Added to the variances.

    Notes
    -----
    Sources: Vaswani et al. 2017, Attention is all you need; Xiong et al. 2020 for "pre". The
    state dict is that of PyTorch's ``TransformerEncoderLayer``, which it equals for
    ``skip_from="norm"`` and for "pre" (with the same dropout, 0.1 by default there).

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.TransformerBlock(8, heads=2)(tg.rand(4, 5, 8)).shape
    (4, 5, 8)
    """

    def __init__(
        self, dim: int, heads: int, ffn_dim: int | None = None, norm: str = "post",
        skip_from: str = "input", activation: Any = "relu", dropout: float = 0.0,
        layer_norm_eps: float = 1e-5,
    ) -> None:  # fmt: skip
        super().__init__()
        who = "TransformerBlock"
        hidden = 4 * checked_size(who, "dim", dim) if ffn_dim is None else ffn_dim
        checked_size(who, "ffn_dim", hidden)
        self.norm = _one_of("norm", norm, "post", "pre")
        self.skip_from = _one_of("skip_from", skip_from, "input", "norm")
        self.dropout = checked_probability(who, "dropout", dropout)
        if isinstance(activation, str):
            _one_of("activation", activation, *ACTIVATIONS)
        self.self_attn = MultiheadAttention(dim, heads, dropout=dropout)
        self.linear1 = Linear(dim, hidden)
        self.linear2 = Linear(hidden, dim)
        self.norm1 = LayerNorm(dim, eps=layer_norm_eps)
        self.norm2 = LayerNorm(dim, eps=layer_norm_eps)
        if isinstance(activation, str):
            self.activation: Any = ACTIVATIONS[activation]
        else:
            self.activation = as_module(activation, who)

    def forward(
        self, x: Any, attn_mask: Any = None, key_padding_mask: Any = None, is_causal: bool = False
    ) -> Tensor:
        """Return a tensor of the shape of ``x``, (N, L, dim).

        The masks are those of :class:`MultiheadAttention`: ``attn_mask`` is True where a
        query may *not* attend, ``key_padding_mask`` where a key is to be ignored.
        """

        def attention(z: Any) -> Tensor:
            y, _ = self.self_attn(
                z, attn_mask=attn_mask, key_padding_mask=key_padding_mask, is_causal=is_causal
            )
            return self._drop(y)

        if self.norm == "pre":
            a = x + attention(self.norm1(x))
            return a + self._feed_forward(self.norm2(a))  # type: ignore[no-any-return]
        a = self.norm1(x + attention(x))
        skipped = x if self.skip_from == "input" else a
        return self.norm2(skipped + self._feed_forward(a))  # type: ignore[no-any-return]

    def _feed_forward(self, x: Any) -> Tensor:
        hidden = self._drop(self.activation(self.linear1(x)))
        return self._drop(self.linear2(hidden))

    def _drop(self, x: Any) -> Tensor:
        return F.dropout(x, self.dropout, self.training)

    def extra_repr(self) -> str:
        return f"norm={self.norm!r}, skip_from={self.skip_from!r}, dropout={self.dropout}"


def _one_of(name: str, value: Any, *allowed: str) -> str:
    if not isinstance(value, str) or value not in allowed:
        choices = " or ".join(map(repr, allowed))
        raise UsageError(compose_message(f"TransformerBlock: {name} is {choices}", repr(value)))
    return value
