"""Claims about attention and transformer blocks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ... import nn
from ...nn import functional as F
from .claim import Fact, about, claim, draw, exactly, gap, more, raw, zero

TOPIC = "Attention and transformer blocks"
ORDER = np.array([3, 0, 4, 1, 2])


@claim(
    TOPIC,
    "Softmax is applied to the rows of QKᵀ.",
    "holds",
    "To the last axis: the weights of each query are not negative and add up to 1, so that each "
    "result lies between the smallest and the largest value. Columns do not add up to 1.",
)
def softmax_over_rows() -> list[Fact]:
    q, k, v = draw(5, 4), draw(6, 4, seed=1), draw(6, 3, seed=2)
    weights = raw(F.softmax(q @ k.T / 2, axis=-1))
    y = raw(F.scaled_dot_product_attention(q, k, v))
    inside = (v.min(0) <= y) & (y <= v.max(0))
    return [
        zero("sums of rows − 1", np.abs(weights.sum(-1) - 1).max()),
        exactly("all weights positive", bool((weights > 0).all()), True),
        more("sums of columns − 1", np.abs(weights.sum(0) - 1).max(), 0.1),
        zero("weights · v − attention", gap(weights @ v, y)),
        exactly("all results between the values", bool(inside.all()), True),
    ]


@claim(
    TOPIC,
    "The scores are divided by √d_k.",
    "holds",
    "Because the variance of q · k is d_k if the components are independent with variance 1. "
    "Undivided, softmax gives nearly all weight to one key and its gradient vanishes. 2000 "
    "queries, 16 keys:",
)
def scores_are_divided_by_the_root() -> list[Fact]:
    facts = []
    for d in (4, 64, 1024):
        spread = (draw(4000, d) * draw(4000, d, seed=1)).sum(-1).var()
        facts.append(about(f"variance of q · k, d_k = {d}", spread, d, 4, within=0.1))
    scores = draw(2000, 256) @ draw(16, 256, seed=1).T
    for name, s, most, slope in (
        ("undivided", scores, 0.92, 0.05), ("divided by √d_k", scores / 16, 0.25, 0.17),
    ):  # fmt: skip
        top = raw(F.softmax(s)).max(-1)
        facts += [
            about(f"largest weight, d_k = 256, {name}", top.mean(), most, 2, within=0.1),
            about(f"its slope y(1 − y), {name}", (top * (1 - top)).mean(), slope, 2, within=0.2),
        ]
    return facts


@claim(
    TOPIC,
    "Attention knows the order of its inputs.",
    "wrong",
    "Without positions a permutation of the inputs permutes the results and changes nothing else. "
    "Positional encodings, or a causal mask, tell the order.",
)
def attention_is_permutation_equivariant() -> list[Fact]:
    attention, x = nn.MultiheadAttention(6, 2), draw(1, 5, 6)
    encode = nn.SinusoidalEncoding(6, 10)

    def change(f: Any) -> float:
        return gap(f(x[:, ORDER]), raw(f(x))[:, ORDER])

    return [
        zero("difference after a permutation", change(lambda z: attention(z)[0])),
        more("with positional encodings", change(lambda z: attention(encode(z))[0]), 0.01),
        more("with a causal mask", change(lambda z: attention(z, is_causal=True)[0]), 0.01),
    ]


@claim(
    TOPIC,
    "More heads need more parameters.",
    "wrong",
    "The heads share the E features: 4E² + 4E parameters with biases, whatever their number.",
)
def heads_share_the_features() -> list[Fact]:
    counts = [sum(p.size for p in nn.MultiheadAttention(64, h).parameters()) for h in (1, 4, 16)]
    return [exactly("E = 64 with 1, 4 and 16 heads", counts, 3 * [4 * 64**2 + 4 * 64])]


@claim(
    TOPIC,
    "head_i = Attention(QW_i^Q, KW_i^K, VW_i^V), and the joined heads times W^O are the result.",
    "holds",
    "With rows for queries; W_i^Q is the transpose of the i-th part of the stored weight.",
)
def multi_head_attention_by_its_formula() -> list[Fact]:
    m, x = nn.MultiheadAttention(6, 2, bias=False), draw(4, 6)
    stored = raw(m.in_proj_weight)
    heads = []
    for i in range(2):
        q, k, v = (x @ stored[6 * part + 3 * i :][:3].T for part in range(3))
        scores = np.exp(q @ k.T / math.sqrt(3))
        heads.append(scores / scores.sum(-1, keepdims=True) @ v)
    joined = np.concatenate(heads, -1) @ raw(m.out_proj.weight).T
    return [zero("difference", gap(m(x)[0], joined))]


@claim(
    TOPIC,
    "A transformer block is LN₂(x + FFN(LN₁(x + MHA(x)))).",
    "holds if",
    "the second skip is meant to start from the block's input. In the original transformer it "
    "starts from a = LN₁(x + MHA(x)): LN₂(a + FFN(a)). Most models of today put the norms first, "
    "a + FFN(LN₂(a)) with a = x + MHA(LN₁(x)): then x goes through unchanged.",
)
def where_the_second_skip_starts() -> list[Fact]:
    x, blocks = draw(2, 4, 6), {}
    options: dict[str, dict[str, Any]] = {
        "input": {}, "norm": {"skip_from": "norm"}, "pre": {"norm": "pre"},
    }  # fmt: skip
    for name, given in options.items():
        block = blocks[name] = nn.TransformerBlock(6, 2, **given)
        block.load_state_dict(blocks["input"].state_dict())
    b = blocks["input"]
    a = b.norm1(x + b.self_attn(x)[0])
    ffn = b.linear2(F.relu(b.linear1(a)))
    for last in (blocks["pre"].self_attn.out_proj, blocks["pre"].linear2):
        last.load_state_dict({k: 0 * v for k, v in last.state_dict().items()})
    return [
        zero("our default − LN₂(x + FFN(a))", gap(b(x), b.norm2(x + ffn))),
        zero('skip_from="norm" − LN₂(a + FFN(a))', gap(blocks["norm"](x), b.norm2(a + ffn))),
        more("difference of the two", gap(b(x), blocks["norm"](x)), 0.1),
        exactly('norm="pre" with last weights 0: the identity', gap(blocks["pre"](x), x), 0.0),
    ]


@claim(
    TOPIC,
    "FFN is a feed-forward network over the sequence.",
    "wrong",
    "It is the same small network for each element by itself, W₂σ(W₁x + b₁) + b₂; only attention "
    "moves information between elements.",
)
def ffn_sees_one_element() -> list[Fact]:
    b, x = nn.TransformerBlock(6, 2), draw(1, 5, 6)
    other = x.copy()
    other[:, 2] += 1

    def ffn(z: Any) -> Any:
        return raw(b.linear2(F.relu(b.linear1(z))))

    def changed(f: Any) -> list[int]:
        """Return which results change with element 2."""
        change = np.abs(raw(f(other)) - raw(f(x))).max((0, 2))
        return list(np.flatnonzero(change > 1e-12).tolist())

    return [
        exactly("results of FFN that change with element 2", changed(ffn), [2]),
        exactly("of attention", changed(lambda z: b.self_attn(z)[0]), [0, 1, 2, 3, 4]),
    ]
