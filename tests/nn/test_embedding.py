"""Embedding and positional encodings."""

from __future__ import annotations

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn

F = nn.functional


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0,), (0, 2)], ids=str)
def test_embedding_takes_rows_and_gives_them_their_gradients(shape, dtype):
    table = nn.Embedding(5, 3).astype(dtype)
    indices = np.asarray(np.random.default_rng(0).integers(0, 5, shape))
    y = table(indices)
    assert y.dtype == dtype and y.shape == (*shape, 3)
    np.testing.assert_array_equal(y.data, table.weight.data[indices])
    g = np.random.default_rng(1).normal(size=y.shape).astype(dtype)
    y.backward(g)
    expected = np.zeros((5, 3))
    for place in np.ndindex(*shape):
        expected[indices[place]] += g[place]
    np.testing.assert_allclose(table.weight.grad, expected, 1e-6, 1e-7)
    np.testing.assert_array_equal(table(tg.tensor(indices)).data, y.data)


def test_padding_is_zero_at_first_and_gets_no_gradient():
    for padding in (2, -3):
        table = nn.Embedding(5, 3, padding_idx=padding)
        assert table.padding_idx == 2 and not table.weight.data[2].any()
        table(np.array([2, 2, 1])).sum().backward()
        assert table.weight.grad.sum(1).tolist() == [0, 3, 0, 0, 0]
        table.reset_parameters()
        assert not table.weight.data[2].any() and table.weight.data[1].any()


def test_from_pretrained():
    values = np.arange(6.0).reshape(3, 2)
    frozen = nn.Embedding.from_pretrained(values)
    assert not frozen.weight.requires_grad and list(frozen.state_dict()) == ["weight"]
    np.testing.assert_array_equal(frozen(np.array([1])), values[[1]])
    assert nn.Embedding.from_pretrained(tg.tensor(values), freeze=False).weight.requires_grad
    with pytest.raises(tg.ShapeError):
        nn.Embedding.from_pretrained(np.arange(6).reshape(3, 2))


@pytest.mark.parametrize(
    "indices, words",
    [
        ([5], "index 5"), ([0, -1], "index -1"), ([[99, 0]], "0 to 4 for 5 vectors.*index 99"),
        ([1.0], "integers.*dtype=int"), ([True], "bool"), ("text", "str"),
    ],
)  # fmt: skip
def test_indices_are_checked_with_their_value(indices, words):
    model = nn.Sequential(nn.Identity(), nn.Embedding(5, 3))
    given = indices if isinstance(indices, str) else np.array(indices)
    with pytest.raises(tg.TinygraphError, match=words) as caught:
        model(given)
    assert isinstance(given, str) or "In module 1" in str(caught.value)


@pytest.mark.parametrize(
    "build",
    [
        lambda: nn.Embedding(0, 3),
        lambda: nn.Embedding(3, 2.0),
        lambda: nn.Embedding(3, 2, 3),
        lambda: nn.Embedding(3, 2, "x"),
        lambda: F.embedding(np.array([0]), tg.ones(3)),
        lambda: F.embedding(np.array([0]), tg.ones(3, 2), padding_idx=True),
        lambda: nn.SinusoidalEncoding(0),
        lambda: nn.LearnedEncoding(4, 0),
        lambda: F.sinusoidal_positions(-1, 2),
        lambda: nn.LearnedEncoding(4, 3)(tg.ones(4, 4)),
        lambda: nn.SinusoidalEncoding(4)(tg.ones(4)),
        lambda: nn.SinusoidalEncoding(4)(tg.ones(2, 5)),
    ],
)
def test_wrong_arguments(build):
    with pytest.raises(tg.TinygraphError):
        build()


@pytest.mark.parametrize("dim", [1, 2, 5, 8])
def test_sinusoidal_positions_are_their_formula(dim):
    with tg.default_dtype(np.float64):
        table = F.sinusoidal_positions(7, dim).data
    for t in range(7):
        for i in range(dim):
            angle = t / 10_000 ** (2 * (i // 2) / dim)
            assert table[t, i] == pytest.approx(np.cos(angle) if i % 2 else np.sin(angle))


def test_a_shift_of_places_is_one_rotation():
    """P[t + k] = R_k P[t] with the same R_k for every t."""
    with tg.default_dtype(np.float64):
        table = F.sinusoidal_positions(50, 8).data
    k = 7
    rotation = np.linalg.lstsq(table[:-k], table[k:], rcond=None)[0]
    np.testing.assert_allclose(table[:-k] @ rotation, table[k:], atol=1e-10)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(8), atol=1e-8)


@pytest.mark.parametrize(
    "make", [lambda: nn.SinusoidalEncoding(4, 9), lambda: nn.LearnedEncoding(4, 9)]
)
def test_encodings_add_their_table(make):
    encode = make()
    x = tg.tensor(np.zeros((2, 5, 4), np.float32), requires_grad=True)
    y = encode(x)
    table = dict(encode.named_parameters(), **dict(encode.named_buffers())).popitem()[1]
    np.testing.assert_array_equal(y.data[1], table.data[:5])
    assert encode(x[:, :0]).shape == (2, 0, 4) and encode(x[:0]).shape == (0, 5, 4)
    y.sum().backward()
    assert x.grad.all()
    if isinstance(encode, nn.LearnedEncoding):
        assert encode.weight.grad.tolist() == [[2] * 4] * 5 + [[0] * 4] * 4
        assert 0.005 < np.abs(encode.weight.data).mean() < 0.05
    else:
        assert not encode.state_dict() and not list(encode.parameters())
