"""Work by channel: pieces of any number and length, both orders of memory, far from zero."""

from __future__ import annotations

import numpy as np
import pytest

import tinygraph as tg
from tinygraph.core.layout import LARGE, empty_channels_last, is_channels_last
from tinygraph.ops import by_channel

MOMENTS, AFFINE, SUMS, MIX = (
    tg.REGISTRY[f"channel_{n}"] for n in ("moments", "affine", "sums", "mix")
)
F = tg.nn.functional


def drawn(*shape, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).normal(1.0, 2.0, shape).astype(dtype)


def last(x):
    y = empty_channels_last(x.shape, x.dtype)
    np.copyto(y, x)
    return y


def layouts(x):
    if x.ndim > 2:
        yield last(x)
    yield x
    yield x[::-1].copy()[::-1]


SHAPES = [(7, 3), (5, 700), (4, 3, 11), (3, 2, 5, 7), (2, 600, 2, 3), (1, 5, 30), (6, 1, 4, 4)]


@pytest.mark.parametrize("sizes", [None, (40, 16), (7, 1)], ids=["usual", "small", "tiny"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_pieces_of_any_length(shape, sizes, monkeypatch):
    if sizes is not None:
        monkeypatch.setattr(by_channel, "PIECE", sizes[0])
        monkeypatch.setattr(by_channel, "LONG_ROW", sizes[1])
    x, g = drawn(*shape), drawn(*shape, seed=1)
    c, s, t = (drawn(shape[1], seed=k) for k in (2, 3, 4))
    axes = (0, *range(2, x.ndim))

    def column(v):
        return v.reshape(-1, *[1] * (x.ndim - 2))

    for a in layouts(x):
        m, rest, v = MOMENTS(a)
        np.testing.assert_allclose(m, x.mean(axes), 1e-12, 1e-12)
        np.testing.assert_allclose(v, x.var(axes), 1e-12, 1e-12)
        assert np.abs(rest).max() < 1e-15
        wanted = (x - column(c)) * column(s) + column(t)
        y = AFFINE(a, c, s, t)
        np.testing.assert_allclose(y, wanted, 1e-12, 1e-12)
        assert is_channels_last(y) == is_channels_last(a)
        for b in layouts(g):
            total, product = SUMS(b, a, c)
            np.testing.assert_allclose(total, g.sum(axes), 1e-11, 1e-11)
            np.testing.assert_allclose(product, (g * (x - column(c))).sum(axes), 1e-11, 1e-11)
            np.testing.assert_allclose(MIX(b, a, c, t, s, t), g * column(t) + wanted, 1e-12, 1e-12)
        for out in layouts(np.full(shape, np.nan)):
            AFFINE.into(out, a, c, s, t)
            np.testing.assert_array_equal(out, y)


def test_moments_of_float32_far_from_zero_and_of_constants():
    x = drawn(40, 3, 20, 20, dtype=np.float32) + np.float32(1000)
    for a in layouts(x):
        m, rest, v = MOMENTS(a)
        wide = x.astype(np.float64)
        np.testing.assert_allclose(m.astype(np.float64) + rest, wide.mean((0, 2, 3)), 1e-9)
        np.testing.assert_allclose(v, wide.var((0, 2, 3)), 1e-5)
        m, rest, v = MOMENTS(np.full_like(a, 0.7))
        assert m.tolist() == [np.float32(0.7)] * 3 and not rest.any() and not v.any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_batch_norm_is_the_same_in_both_orders_of_memory(dtype):
    x, g = drawn(6, 5, 20, 20, dtype=dtype), drawn(6, 5, 20, 20, dtype=dtype, seed=1)
    tolerance = 1e-12 if dtype == np.float64 else 2e-5
    found = []
    for change in (np.array, last):
        tg.manual_seed(0)
        norm = tg.nn.BatchNorm2d(5).astype(dtype)
        norm.weight.data = drawn(5, dtype=dtype, seed=2)
        leaf = tg.from_numpy(change(x))
        leaf.requires_grad = True
        y = norm(leaf)
        grads = tg.grad(y, [leaf, norm.weight, norm.bias], g)
        found.append([y.data, *(t.data for t in grads), *norm.state_dict().values()])
    assert is_channels_last(found[1][0]) and is_channels_last(found[1][1])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, tolerance, tolerance)


def test_two_orders_of_memory_give_one():
    """A sum of both has the channels last; a gradient lies in memory as its tensor does."""
    x = tg.tensor(drawn(4, 8, 16, 16, dtype=np.float32), requires_grad=True)
    y = tg.from_numpy(last(drawn(4, 8, 16, 16, dtype=np.float32, seed=1)))
    y.requires_grad = True
    assert x.size > LARGE
    for z in (x + y, y - x, x * y, x / y):
        assert is_channels_last(z.data)
    np.testing.assert_array_equal((x - y).data, x.data - y.data)
    np.testing.assert_array_equal((y - x).data, y.data - x.data)
    z = tg.relu(y)
    upstream = np.ones(z.shape, np.float32)  # in the usual order
    for found in tg.grad(z * 2, [y, z], upstream):
        assert is_channels_last(found.data)
    (g,) = tg.grad(tg.relu(y).sum(), [y], create_graph=True)
    assert is_channels_last(g.data) and g.op is not None


def test_small_arrays_stay_as_they_are():
    x, y = tg.tensor(drawn(2, 2, 3, 3)), tg.from_numpy(last(drawn(2, 2, 3, 3)))
    np.testing.assert_array_equal((x + y).data, x.data + y.data)


CASES = {
    "a vector": (lambda: MOMENTS(tg.ones(3)), "channel_moments (N, C, …) (3,)"),
    "another length": (
        lambda: AFFINE(tg.ones(2, 3), tg.ones(2), 1.0, 0.0), "channel_affine 3 channels (2,)",
    ),
    "two shapes": (lambda: SUMS(tg.ones(2, 3), tg.ones(3, 3), 0.0), "channel_sums (2, 3) (3, 3)"),
    "two shapes to mix": (
        lambda: MIX(tg.ones(2, 3), tg.ones(3, 3), 0.0, 1.0, 1.0, 0.0), "channel_mix (2, 3) (3, 3)",
    ),
    "other moments": (
        lambda: tg.REGISTRY["channel_normalize"](tg.ones(2, 3), tg.ones(3, 2), 1.0, 0.0),
        "channel_moments(x) (3, 3) (3, 2)",
    ),
    "a negative eps": (
        lambda: tg.REGISTRY["channel_normalize"](tg.ones(2, 3), tg.ones(3, 3), 1.0, 0.0, eps=-1),
        "channel_normalize eps",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_explained(case):
    action, words = CASES[case]
    with pytest.raises(tg.TinygraphError) as caught:
        action()
    assert all(word in str(caught.value) for word in words.split(" ")), caught.value


def test_the_gradient_of_a_leaf_is_in_the_usual_order():
    x = tg.from_numpy(last(drawn(2, 5, 7, 6)))
    x.requires_grad = True
    (x * x).sum().backward()
    first = x.grad.copy()
    np.testing.assert_array_equal(first, 2 * x.data)
    (x * x).sum().backward()
    np.testing.assert_array_equal(x.grad, 2 * first)
    assert x.grad.flags.c_contiguous
