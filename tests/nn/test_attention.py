"""Attention and transformer blocks: formulas and masks."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn
from tinygraph.check import gradcheck, gradgradcheck

F = nn.functional
FLOATS = (np.float32, np.float64)
RTOL = {np.float32: 1e-5, np.float64: 1e-11}


def draw(*shape, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def softmax(s):
    e = np.exp(s - s.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def made(module, dtype=np.float64):
    """Return the module with parameters that are not 0 or 1."""
    module.astype(dtype)
    for k, p in enumerate(module.parameters()):
        p.data = 0.5 * draw(*p.shape, dtype=dtype, seed=k)
    return module


# ---- masks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("kind", ["boolean", "added"])
def test_a_query_that_may_attend_to_nothing_gives_zeros_with_gradient_zero(kind, dtype):
    q, k, v = (tg.tensor(draw(2, 3, 4, dtype=dtype, seed=s), requires_grad=True) for s in range(3))
    mask = np.ones((3, 3), bool)
    mask[1] = False
    given = mask if kind == "boolean" else np.where(mask, 0.0, -np.inf).astype(dtype)
    y = F.scaled_dot_product_attention(q, k, v, attn_mask=given)
    assert y.dtype == dtype and not y.data[:, 1].any() and y.data[:, 0].all()
    y.sum().backward()
    assert not q.grad[:, 1].any() and q.grad[:, 0].any()
    assert all(np.isfinite(t.grad).all() for t in (q, k, v))
    closed = F.scaled_dot_product_attention(q, k, v, attn_mask=np.zeros((3, 3), bool))
    gradients = tg.grad(closed.sum(), [q, k, v])
    assert not closed.data.any() and not any(g.data.any() for g in gradients)


def test_masked_keys_do_not_count_at_all():
    q, k, v = draw(4, 3), draw(5, 3, seed=1), draw(5, 2, seed=2)
    mask = np.array([True, True, False, True, False])
    whole = F.scaled_dot_product_attention(q, k, v, attn_mask=mask[None])
    np.testing.assert_allclose(whole, F.scaled_dot_product_attention(q, k[mask], v[mask]), 1e-12)


def test_causal_results_do_not_change_with_what_comes_later():
    x = draw(2, 6, 3)
    later = x.copy()
    later[:, 4:] += 1
    a, b = (F.scaled_dot_product_attention(z, z, z, is_causal=True) for z in (x, later))
    np.testing.assert_array_equal(a[:, :4], b[:, :4])
    assert np.abs(a[:, 4:] - b[:, 4:]).min() > 0
    np.testing.assert_allclose(a[:, 0], x[:, 0], 1e-12)


def test_the_mask_may_be_a_tensor_that_is_learned():
    bias = tg.tensor(draw(3, 3), requires_grad=True)
    x = draw(3, 2)
    assert gradcheck(
        lambda b: F.scaled_dot_product_attention(x, x, tg.tensor(x), attn_mask=b), bias.data
    )


def test_a_mask_of_float64_does_not_widen_float32():
    x = draw(3, 2, dtype=np.float32)
    y = F.scaled_dot_product_attention(tg.tensor(x), x, x, attn_mask=np.zeros((3, 3)))
    assert y.dtype == np.float32


@pytest.mark.parametrize("dtype", FLOATS)
def test_scores_of_a_thousand_do_not_overflow(dtype):
    q = tg.tensor(np.array([[1e3], [-1e3]], dtype), requires_grad=True)
    y = F.scaled_dot_product_attention(q, np.array([[1.0], [2.0]], dtype), np.eye(2, dtype=dtype))
    np.testing.assert_allclose(y.data, [[0, 1], [1, 0]], atol=1e-12)
    y.sum().backward()
    assert np.isfinite(q.grad).all()


def test_derivatives_of_two_orders_with_masks():
    q, k, v = draw(2, 2, 3), draw(2, 4, 3, seed=1), draw(2, 4, 2, seed=2)
    mask = np.array([[True, False, True, True], [False] * 4])
    for options in ({}, {"attn_mask": mask}, {"is_causal": True}):
        f = lambda *x, o=options: F.scaled_dot_product_attention(*x, **o)  # noqa: E731
        assert gradcheck(f, (q, k, v)) and gradgradcheck(f, (q, k, v), atol=1e-6, rtol=1e-6)


def test_dropout_of_the_weights_keeps_their_mean():
    tg.manual_seed(0)
    x = np.ones((1, 4000, 1), np.float32)
    y = F.scaled_dot_product_attention(x[:, :200], x, x, dropout_p=0.5)
    assert y.std() > 0.005 and abs(y.mean() - 1) < 0.01


# ---- MultiheadAttention --------------------------------------------------------------------------


def reference(m, q, k, v, allowed=True):
    """MHA by its formula, head by head, with weights on the right, x W."""
    e, d = m.embed_dim, m.head_dim
    w, b = m.in_proj_weight.data, m.in_proj_bias.data
    heads, weights = [], []
    for h in range(m.num_heads):
        parts = []
        for i, x in enumerate((q, k, v)):
            rows = slice(i * e + h * d, i * e + (h + 1) * d)
            parts.append(x @ w[rows].T + b[rows])
        s = np.where(allowed, parts[0] @ parts[1].swapaxes(-1, -2) / math.sqrt(d), -np.inf)
        weights.append(softmax(s))
        heads.append(weights[-1] @ parts[2])
    y = np.concatenate(heads, -1) @ m.out_proj.weight.data.T + m.out_proj.bias.data
    return y, np.stack(weights, 1)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("batch", [0, 1, 3])
@pytest.mark.parametrize("cross", [False, True])
def test_multihead_attention_is_its_formula(cross, batch, dtype):
    m = made(nn.MultiheadAttention(6, 2), dtype)
    q = draw(batch, 4, 6, dtype=dtype)
    k, v = (draw(batch, 5, 6, dtype=dtype, seed=s) for s in (1, 2)) if cross else (q, q)
    y, weights = m(tg.tensor(q), k, v, need_weights=True, average_attn_weights=False)
    assert y.dtype == dtype and weights.shape == (batch, 2, 4, k.shape[1])
    if batch:
        expected, expected_weights = reference(m, q, k, v)
        np.testing.assert_allclose(y.data, expected, RTOL[dtype], RTOL[dtype])
        np.testing.assert_allclose(weights.data, expected_weights, RTOL[dtype], RTOL[dtype])
    np.testing.assert_allclose(weights.data.sum(-1), 1, 1e-6)  # over the last axis
    mean = m(tg.tensor(q), k, v, need_weights=True)[1]
    np.testing.assert_allclose(mean.data, weights.data.mean(1), 1e-6)
    assert m(tg.tensor(q))[1] is None


def test_padding_and_masks_are_combined():
    m = made(nn.MultiheadAttention(6, 2))
    x = draw(2, 4, 6)
    padding = np.array([[False, False, True, True], [False] * 4])
    later = ~np.tri(4, dtype=bool)
    allowed = ~later & ~padding[:, None]
    expected = reference(m, x, x, x, allowed)[0]
    for options in (
        {"key_padding_mask": padding, "is_causal": True},
        {"key_padding_mask": padding, "attn_mask": later},
        {"key_padding_mask": padding, "attn_mask": np.where(np.tri(4, dtype=bool), 0, -np.inf)},
        {"attn_mask": ~allowed[:, None]},
        {"attn_mask": np.repeat(~allowed, 2, axis=0)},
        {"key_padding_mask": tg.tensor(padding), "attn_mask": tg.tensor(later)},
        {"key_padding_mask": np.where(padding, -np.inf, 0), "attn_mask": later},
    ):
        np.testing.assert_allclose(m(tg.tensor(x), **options)[0].data, expected, 1e-11)
    everything = np.ones((2, 4), bool)
    y = m(tg.tensor(x, requires_grad=True), key_padding_mask=everything)[0]
    np.testing.assert_array_equal(y.data, np.broadcast_to(m.out_proj.bias.data, y.shape))


@tg.no_grad()
def test_true_closes_in_the_class_and_opens_in_the_function():
    """As in PyTorch, where the two have opposite meanings."""
    m = made(nn.MultiheadAttention(4, 1))
    x, mask = draw(1, 3, 4), ~np.eye(3, dtype=bool)
    _, weights = m(x, attn_mask=mask, need_weights=True)
    np.testing.assert_array_equal(weights[0], np.eye(3))
    np.testing.assert_array_equal(F.scaled_dot_product_attention(x, x, x, attn_mask=~mask), x)
    _, weights = m(x, key_padding_mask=mask[:1], need_weights=True)
    np.testing.assert_array_equal(weights[0], [[1, 0, 0]] * 3)


@tg.no_grad()
def test_layouts_give_the_same():
    m = made(nn.MultiheadAttention(6, 2))
    x = draw(3, 4, 6)
    y = m(x)[0]
    other = made(nn.MultiheadAttention(6, 2, batch_first=False))
    np.testing.assert_allclose(other(x.swapaxes(0, 1))[0].swapaxes(0, 1), y, 1e-12)
    single, weights = m(x[0], need_weights=True)
    np.testing.assert_allclose(single, y[0], 1e-12)
    assert weights.shape == (4, 4)


@tg.no_grad()
def test_dropout_acts_in_training_only():
    m = made(nn.MultiheadAttention(6, 2, dropout=0.5))
    x = draw(2, 5, 6)
    tg.manual_seed(0)
    assert np.abs(m(x)[0] - m(x)[0]).max() > 0
    m.eval()
    np.testing.assert_array_equal(m(x)[0], m(x)[0])
    np.testing.assert_allclose(m(x)[0], reference(m, x, x, x)[0], 1e-11)


def test_initial_values():
    tg.manual_seed(0)
    m = nn.MultiheadAttention(64, 4)
    bound = math.sqrt(6 / (4 * 64))
    assert np.abs(m.in_proj_weight.data).max() <= bound
    assert m.in_proj_weight.data.std() == pytest.approx(bound / math.sqrt(3), rel=0.05)
    assert not m.in_proj_bias.data.any() and not m.out_proj.bias.data.any()
    assert np.abs(m.out_proj.weight.data).max() <= 1 / 8
    assert sum(p.size for p in m.parameters()) == 4 * 64 * 64 + 4 * 64


@pytest.mark.parametrize(
    "action, words",
    [
        (lambda m: m(tg.ones(2, 4, 5)), r"\(…, 6\).*\(2, 4, 5\)"),
        (lambda m: m(tg.ones(6)), r"\(N, L, features\)"),
        (lambda m: m(tg.ones(2, 4, 6), tg.ones(3, 4, 6)), r"\(N, L, features\).*\(3, 4, 6\)"),
        (lambda m: m(tg.ones(2, 4, 6), tg.ones(4, 6)), r"\(N, L, features\)"),
        (lambda m: m(*[tg.ones(2, n, 6) for n in (4, 5, 3)]), "one value for each key"),
        (
            lambda m: m(tg.ones(2, 4, 6), key_padding_mask=np.ones((2, 5), bool)),
            r"\(2, 4\).*\(2, 5\)",
        ),
        (lambda m: m(tg.ones(2, 4, 6), key_padding_mask=np.ones((2, 4), int)), "int64.*bool"),
        (lambda m: m(tg.ones(2, 4, 6), attn_mask=np.ones((4, 4), int)), "int64.*bool"),
        (lambda m: m(tg.ones(2, 4, 6), attn_mask=np.ones((4, 5), bool)), r"attn_mask.*\(4, 5\)"),
        (lambda m: m(tg.ones(2, 4, 6), attn_mask=np.ones((2, 4, 4), bool)), "attn_mask"),
        (lambda m: m(np.ones((2, 4, 6))), "astype"),
        (lambda m: m("text"), "tensors"),
    ],
)
def test_bad_input_names_the_place(action, words):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = nn.MultiheadAttention(6, 2)

        def forward(self, f):
            return f(self.attention)

    with pytest.raises(tg.TinygraphError, match=words + ".*In module attention"):
        Net()(action)


@pytest.mark.parametrize(
    "build",
    [
        lambda: nn.MultiheadAttention(6, 4),
        lambda: nn.MultiheadAttention(6, 0),
        lambda: nn.MultiheadAttention(6, 2, dropout=2),
        lambda: nn.MultiheadAttention(6, 2, bias=3),
        lambda: nn.TransformerBlock(6, 2, norm="middle"),
        lambda: nn.TransformerBlock(6, 4),
        lambda: nn.TransformerBlock(6, 2, skip_from="x"),
        lambda: nn.TransformerBlock(6, 2, ffn_dim=0),
        lambda: nn.TransformerBlock(6, 2, activation="swish"),
        lambda: nn.TransformerBlock(6, 2, activation=nn.ReLU),
        lambda: F.scaled_dot_product_attention(tg.ones(2, 3), tg.ones(2, 4), tg.ones(2, 3)),
        lambda: F.scaled_dot_product_attention(tg.ones(2, 3), tg.ones(2, 3), tg.ones(4, 3)),
        lambda: F.scaled_dot_product_attention(tg.ones(3), tg.ones(2, 3), tg.ones(2, 3)),
        lambda: F.scaled_dot_product_attention(tg.ones(2, 2, 3), tg.ones(4, 2, 3), tg.ones(2, 3)),
        lambda: F.scaled_dot_product_attention(*[tg.ones(2, 3)] * 3, dropout_p=2.0),
        lambda: F.scaled_dot_product_attention(
            *[tg.ones(2, 3)] * 3, attn_mask=np.ones((3, 3), bool)
        ),
    ],
)
def test_wrong_arguments(build):
    with pytest.raises(tg.TinygraphError):
        build()


# ---- TransformerBlock ----------------------------------------------------------------------------


def layer_norm(x, module):
    z = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + module.eps)
    return z * module.weight.data + module.bias.data


def block_reference(b, x):
    def mha(z):
        return reference(b.self_attn, z, z, z)[0]

    def ffn(z):
        hidden = np.maximum(z @ b.linear1.weight.data.T + b.linear1.bias.data, 0)
        return hidden @ b.linear2.weight.data.T + b.linear2.bias.data

    if b.norm == "pre":
        a = x + mha(layer_norm(x, b.norm1))
        return a + ffn(layer_norm(a, b.norm2))
    a = layer_norm(x + mha(x), b.norm1)
    return layer_norm((x if b.skip_from == "input" else a) + ffn(a), b.norm2)


@pytest.mark.parametrize("options", [{}, {"skip_from": "norm"}, {"norm": "pre"}], ids=str)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("batch", [0, 1, 3])
def test_the_block_is_its_formula(options, batch, dtype):
    block = made(nn.TransformerBlock(6, 2, 8, **options), dtype)
    x = draw(batch, 4, 6, dtype=dtype)
    y = block(tg.tensor(x, requires_grad=True))
    assert y.dtype == dtype and y.shape == x.shape
    if batch:
        np.testing.assert_allclose(y.data, block_reference(block, x), RTOL[dtype], RTOL[dtype])
    y.sum().backward()
    assert all(p.grad is not None and np.isfinite(p.grad).all() for p in block.parameters())


def test_the_default_is_the_documented_formula_and_not_the_original_paper():
    """LN₂(x + FFN(LN₁(x + MHA(x)))): the second skip starts from x."""
    block = made(nn.TransformerBlock(6, 2))
    assert (block.norm, block.skip_from, block.linear1.out_features) == ("post", "input", 24)
    x = draw(2, 4, 6)
    original = made(nn.TransformerBlock(6, 2, skip_from="norm"))
    assert np.abs(block(x) - original(x)).max() > 0.01


@tg.no_grad()
def test_the_block_takes_masks_and_activations():
    block = made(nn.TransformerBlock(6, 2, 8, activation=nn.Tanh()))
    x = draw(2, 4, 6)
    later = x.copy()
    later[:, 3] += 1
    np.testing.assert_array_equal(
        block(x, is_causal=True)[:, :3], block(later, attn_mask=~np.tri(4, dtype=bool))[:, :3]
    )
    padding = np.zeros((2, 4), bool)
    padding[:, 3] = True
    np.testing.assert_array_equal(
        block(x, key_padding_mask=padding)[:, :3], block(later, key_padding_mask=padding)[:, :3]
    )
    assert "activation" in repr(block) and len(block.state_dict()) == 12
    smooth = made(nn.TransformerBlock(6, 2, 8, activation="gelu"))
    assert np.abs(smooth(x) - block(x)).max() > 0


@tg.no_grad()
def test_the_block_drops_in_training_only():
    tg.manual_seed(0)
    block = made(nn.TransformerBlock(6, 2, 8, dropout=0.3))
    x = draw(2, 4, 6)
    assert np.abs(block(x) - block(x)).max() > 0
    block.eval()
    np.testing.assert_allclose(block(x), block_reference(block, x), 1e-11)
