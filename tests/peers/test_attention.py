"""Attention, transformer blocks and embeddings equal PyTorch's, with all masks."""

from __future__ import annotations

import numpy as np
import pytest
from peers_common import both, close, compare, load, move_back

import tinygraph as tg
from tinygraph import nn

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]

MATH = torch.nn.attention.SDPBackend.MATH
F, G = nn.functional, torch.nn.functional
RNG = np.random.default_rng(0)
ALLOWED = RNG.random((4, 5)) < 0.7
ALLOWED[:, 0] = True
CLOSED = ALLOWED.copy()
CLOSED[2] = False  # a query that may attend to nothing
ADDED = RNG.normal(size=(4, 5))
PADDED = np.zeros((2, 5), bool)
PADDED[0, 3:] = True
SHAPES = {
    "matrices": ((4, 3), (5, 3), (5, 2)),
    "batch": ((2, 4, 3), (2, 5, 3), (2, 5, 2)),
    "heads": ((2, 2, 4, 3), (2, 2, 5, 3), (2, 2, 5, 6)),
    "one query": ((2, 1, 3), (2, 5, 3), (2, 5, 3)),
    "empty batch": ((0, 4, 3), (0, 5, 3), (0, 5, 3)),
}
MASKS = {
    "none": {},
    "boolean": {"attn_mask": ALLOWED},
    "closed": {"attn_mask": CLOSED},
    "added": {"attn_mask": ADDED},
    "causal": {"is_causal": True},
    "scaled": {"scale": 0.3},
}


@pytest.mark.parametrize("second_order", [False, True], ids=["first", "second"])
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("shapes", SHAPES)
def test_scaled_dot_product_attention(shapes, mask, second_order):
    if shapes == "one query" and "attn_mask" in MASKS[mask]:
        options = {"attn_mask": MASKS[mask]["attn_mask"][2:3]}
    else:
        options = MASKS[mask]
    theirs = {k: torch.tensor(v) if k == "attn_mask" else v for k, v in options.items()}
    empty = torch.nn.Identity()
    with torch.nn.attention.sdpa_kernel(MATH):
        compare(
            nn.Identity(), empty, SHAPES[shapes], second_order,
            lambda q, k, v: F.scaled_dot_product_attention(q, k, v, **options),
            lambda q, k, v: G.scaled_dot_product_attention(q, k, v, **theirs),
        )  # fmt: skip


def test_the_gradient_of_an_added_mask():
    q, k, v = (RNG.normal(size=s) for s in SHAPES["heads"])
    bias = tg.tensor(RNG.normal(size=(2, 4, 5)), requires_grad=True)
    other = torch.tensor(bias.data, requires_grad=True)
    (F.scaled_dot_product_attention(q, k, v, attn_mask=bias) ** 2).sum().backward()
    theirs = G.scaled_dot_product_attention(*map(torch.tensor, (q, k, v)), attn_mask=other)
    (theirs**2).sum().backward()
    close(bias.grad, other.grad)


# ---- MultiheadAttention: True closes, in both ----------------------------------------------------

HEADS = RNG.random((4, 4, 5)) < 0.7
HEADS[..., 0] = True
MHA_MASKS = {
    "none": {},
    "boolean": {"attn_mask": ~ALLOWED},
    "by head": {"attn_mask": ~HEADS},
    "added": {"attn_mask": ADDED},
    "padding": {"key_padding_mask": PADDED},
    "boolean and padding": {"attn_mask": ~ALLOWED, "key_padding_mask": PADDED},
    "added and padding": {"attn_mask": ADDED, "key_padding_mask": np.where(PADDED, -np.inf, 0.0)},
    "by head and padding": {"attn_mask": ~HEADS, "key_padding_mask": PADDED},
    "added padding": {"key_padding_mask": RNG.normal(size=(2, 5))},
}


def in_torch(options):
    return {k: torch.tensor(v) for k, v in options.items()}


OPTIONS = [{}, {"bias": False}, {"kdim": 3, "vdim": 7}, {"kdim": 3, "bias": False}]


@pytest.mark.parametrize("average", [True, False], ids=["mean", "heads"])
@pytest.mark.parametrize("mask", MHA_MASKS)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_multihead_attention(options, mask, average):
    ours, theirs = both("MultiheadAttention", 6, 2, batch_first=True, **options)
    shapes = [(2, 4, 6), (2, 5, options.get("kdim", 6)), (2, 5, options.get("vdim", 6))]
    masks = MHA_MASKS[mask]
    common = {"need_weights": True, "average_attn_weights": average}
    compare(
        ours, theirs, shapes, True,
        lambda *x: ours(*x, **masks, **common),
        lambda *x: theirs(*x, **in_torch(masks), **common),
    )  # fmt: skip
    move_back(ours, theirs)
    load(ours, theirs)


@pytest.mark.parametrize("shape", [(3, 4, 6), (4, 6), (0, 4, 6), (1, 1, 6)], ids=str)
@pytest.mark.parametrize("batch_first", [True, False])
def test_self_attention_over_shapes(shape, batch_first):
    ours, theirs = both("MultiheadAttention", 6, 3, batch_first=batch_first)
    steps = shape[-2] if batch_first or len(shape) == 2 else shape[0]
    causal = torch.triu(torch.ones(steps, steps, dtype=torch.bool), 1)
    compare(
        ours, theirs, [shape], False, lambda x: ours(x, is_causal=True),
        lambda x: theirs(x, x, x, need_weights=False, attn_mask=causal, is_causal=True),
    )  # fmt: skip


# ---- TransformerBlock ----------------------------------------------------------------------------


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("norm", ["post", "pre"])
@pytest.mark.parametrize("mode", ["train", "eval"])
def test_transformer_block(norm, activation, masked, mode):
    theirs = torch.nn.TransformerEncoderLayer(
        6, 2, 8, dropout=0.0, activation=activation, batch_first=True, norm_first=norm == "pre"
    ).double()
    with tg.default_dtype(np.float64):
        ours = nn.TransformerBlock(6, 2, 8, norm=norm, skip_from="norm", activation=activation)
    load(ours, theirs)
    getattr(theirs, mode)(), getattr(ours, mode)()
    later = ~np.tri(5, dtype=bool)
    options = {"key_padding_mask": PADDED, "attn_mask": later} if masked else {}
    given = {"src_key_padding_mask": torch.tensor(PADDED), "src_mask": torch.tensor(later)}
    with torch.nn.attention.sdpa_kernel(MATH):  # the fast kernels have no second derivative
        compare(
            ours, theirs, [(2, 5, 6)], True, lambda x: ours(x, **options),
            lambda x: theirs(x, **(given if masked else {})),
        )  # fmt: skip
    move_back(ours, theirs)


# ---- Embedding -----------------------------------------------------------------------------------


@pytest.mark.parametrize("padding", [None, 0, -2])
@pytest.mark.parametrize("shape", [(4,), (2, 3), (0, 3), ()], ids=str)
def test_embedding(shape, padding):
    ours, theirs = both("Embedding", 5, 3, padding_idx=padding)
    indices = np.asarray(RNG.integers(0, 5, shape))
    y, u = ours(indices), theirs(torch.tensor(indices))
    close(y.data, u)
    (y * y).sum().backward()
    (u * u).sum().backward()
    close(ours.weight.grad, theirs.weight.grad)
    assert repr(ours) == repr(theirs)


def test_both_refuse_indices_out_of_range():
    ours, theirs = both("Embedding", 5, 3)
    for wrong in (5, -1):
        with pytest.raises(IndexError):
            theirs(torch.tensor([wrong]))
        with pytest.raises(IndexError, match=f"index {wrong}"):
            ours(np.array([wrong]))
