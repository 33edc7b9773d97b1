"""Shapes, indices and windows equal PyTorch's: values and gradients, in float64."""

from __future__ import annotations

import numpy as np
import pytest

import tinygraph as tg

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]
F = torch.nn.functional


def draw(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def agree(ours, theirs, *shapes):
    """Compare the values of all results, and the gradients of a weighted sum of them."""
    arrays = [draw(s, k) for k, s in enumerate(shapes)]
    xs = [tg.tensor(a, requires_grad=True) for a in arrays]
    us = [torch.tensor(a, requires_grad=True) for a in arrays]
    found, wanted = ours(*xs), theirs(*us)
    several = isinstance(found, tuple | list)
    pairs = list(zip(*((found, wanted) if several else ([found], [wanted])), strict=True))
    for k, (y, v) in enumerate(pairs):
        np.testing.assert_allclose(y.data, v.detach().numpy(), 1e-9, 1e-9, strict=True)
        weights = draw(y.shape, 9 + k)
        (y * weights).sum().backward(retain_graph=True)
        (v * torch.tensor(weights)).sum().backward(retain_graph=True)
    for x, u in zip(xs, us, strict=True):
        np.testing.assert_allclose(x.grad, u.grad.numpy(), 1e-9, 1e-9)


def index(*shape, high, seed=0):
    return np.random.default_rng(seed).integers(0, high, shape)


I34, I5 = index(3, 4, high=5), index(5, high=4)
MASK = draw((4, 5), 7) > 0
T = torch.tensor

CALLS = {
    "flatten": (lambda x: tg.flatten(x, 1), lambda x: torch.flatten(x, 1), (2, 3, 4)),
    "flatten 0-d": (tg.flatten, torch.flatten, ()),
    "unflatten": (
        lambda x: tg.unflatten(x, 1, (2, -1)), lambda x: torch.unflatten(x, 1, (2, -1)), (3, 8)
    ),
    "permute": (lambda x: x.permute(2, 0, 1), lambda x: x.permute(2, 0, 1), (2, 3, 4)),
    "moveaxis": (
        lambda x: tg.moveaxis(x, (0, 1), (-1, 0)), lambda x: torch.moveaxis(x, (0, 1), (-1, 0)),
        (2, 3, 4),
    ),
    "flip": (lambda x: tg.flip(x, (0, 2)), lambda x: torch.flip(x, (0, 2)), (2, 3, 4)),
    "roll": (
        lambda x: tg.roll(x, (1, -2), (0, 1)), lambda x: torch.roll(x, (1, -2), (0, 1)), (4, 5)
    ),
    "roll flat": (lambda x: tg.roll(x, 3), lambda x: torch.roll(x, 3), (4, 5)),
    "rot90": (lambda x: tg.rot90(x, 3, (1, 2)), lambda x: torch.rot90(x, 3, (1, 2)), (2, 3, 4)),
    "repeat": (
        lambda x: tg.repeat(x, 3, 1), lambda x: torch.repeat_interleave(x, 3, 1), (2, 3, 4)
    ),
    "repeat each": (
        lambda x: tg.repeat(x, [2, 0, 1], 1),
        lambda x: torch.repeat_interleave(x, T([2, 0, 1]), 1),
        (2, 3),
    ),
    "tile": (lambda x: tg.tile(x, (2, 1, 3)), lambda x: torch.tile(x, (2, 1, 3)), (2, 3)),
    "atleast_2d": (tg.atleast_2d, torch.atleast_2d, (3,)),
    "hstack": (lambda *x: tg.hstack(x), lambda *x: torch.hstack(x), (2, 3), (2, 1)),
    "vstack": (lambda *x: tg.vstack(x), lambda *x: torch.vstack(x), (3,), (2, 3)),
    "meshgrid xy": (
        tg.meshgrid, lambda *x: torch.meshgrid(*x, indexing="xy"), (3,), (4,), (2,)
    ),
    "meshgrid ij": (
        lambda *x: tg.meshgrid(*x, indexing="ij"),
        lambda *x: torch.meshgrid(*x, indexing="ij"), (3,), (4,),
    ),
    "chunk": (lambda x: tg.chunk(x, 3, 1), lambda x: torch.chunk(x, 3, 1), (2, 7)),
    "chunk, fewer": (lambda x: tg.chunk(x, 4), lambda x: torch.chunk(x, 4), (6, 2)),
    "tensor_split": (
        lambda x: tg.tensor_split(x, 3), lambda x: torch.tensor_split(x, 3), (7, 2)
    ),
    "tensor_split at": (
        lambda x: tg.tensor_split(x, [1, 5], -1), lambda x: torch.tensor_split(x, (1, 5), -1),
        (2, 7),
    ),
    "unbind": (lambda x: tg.unbind(x, 1), lambda x: torch.unbind(x, 1), (2, 3, 2)),
    "pad constant": (
        lambda x: tg.pad(x, ((0, 0), (1, 2)), constant_values=3.0),
        lambda x: F.pad(x, (1, 2), value=3.0), (2, 3),
    ),
    "take": (lambda x: tg.take(x, I34), lambda x: torch.take(x, T(I34)), (4, 5)),
    "index": (
        lambda x: x[:, I34, None, ::2], lambda x: x[:, T(I34), None, ::2], (2, 5, 6)
    ),
    "index apart": (
        lambda x: x[I5, :, I5 - 2], lambda x: x[T(I5), :, T(I5 - 2)], (4, 3, 5)
    ),
    "index by a mask": (lambda x: x[MASK], lambda x: x[T(MASK)], (4, 5, 2)),
    "gather": (lambda x: tg.gather(x, I34, 1), lambda x: torch.gather(x, 1, T(I34)), (3, 5)),
    "gather, shorter": (
        lambda x: tg.gather(x, I34), lambda x: torch.gather(x, 0, T(I34)), (5, 6)
    ),
    "take_along_axis": (
        lambda x: tg.take_along_axis(x, I34, 1),
        lambda x: torch.take_along_dim(x, T(I34), 1), (3, 5),
    ),
    "scatter_add": (
        lambda x, v: tg.scatter_add(x, I34, v, 1),
        lambda x, v: torch.scatter_add(x, 1, T(I34), v), (3, 5), (3, 4),
    ),
    "scatter_add, shorter": (
        lambda x, v: tg.scatter_add(x, I34, v),
        lambda x, v: torch.scatter_add(x, 0, T(I34), v[:3, :4]),
        (5, 4), (6, 5),
    ),
    "index_add": (
        lambda x, v: tg.index_add(x, I5, v, 1), lambda x, v: torch.index_add(x, 1, T(I5), v),
        (3, 4), (3, 5),
    ),
    "index_put": (
        lambda x, v: tg.index_put(x, (np.array([0, 2]), np.array([1, 1])), v),
        lambda x, v: torch.index_put(x, (T([0, 2]), T([1, 1])), v), (3, 4), (2,),
    ),
    "index_put, added": (
        lambda x, v: tg.index_put(x, (I5, I5 - 2), v, accumulate=True),
        lambda x, v: torch.index_put(x, (T(I5), T(I5 - 2)), v, accumulate=True), (4, 5), (5,),
    ),
    "masked_select": (
        lambda x: tg.masked_select(x, MASK), lambda x: torch.masked_select(x, T(MASK)), (4, 1)
    ),
    "diag": (lambda x: tg.diag(x, 1), lambda x: torch.diag(x, 1), (3, 5)),
    "diag of a vector": (lambda x: tg.diag(x, -2), lambda x: torch.diag(x, -2), (3,)),
    "diagonal": (
        lambda x: tg.diagonal(x, -1, 2, 0), lambda x: torch.diagonal(x, -1, 2, 0), (3, 4, 5)
    ),
    "diag_embed": (
        lambda x: tg.diag_embed(x, 1, 0, 2), lambda x: torch.diag_embed(x, 1, 0, 2), (3, 4)
    ),
    "tril": (lambda x: tg.tril(x, 1), lambda x: torch.tril(x, 1), (2, 3, 4)),
    "triu": (lambda x: tg.triu(x, -1), lambda x: torch.triu(x, -1), (2, 4, 3)),
    "unfold": (
        lambda x: tg.unfold(x, 3, 2), lambda x: x.unfold(-1, 3, 2), (2, 8)
    ),
    "unfold twice": (
        lambda x: tg.unfold(x, (3, 2), (2, 1)), lambda x: x.unfold(-2, 3, 2).unfold(-2, 2, 1),
        (2, 3, 8, 7),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_function(name):
    ours, theirs, *shapes = CALLS[name]
    agree(ours, theirs, *shapes)


@pytest.mark.parametrize("mode", ["reflect", "edge", "wrap"])
@pytest.mark.parametrize("shape, width", [((2, 3, 6), (2, 1)), ((1, 2, 4, 5), (1, 2, 3, 1))])
def test_pad_modes(mode, shape, width):
    name = {"edge": "replicate", "wrap": "circular"}.get(mode, mode)
    pairs = ((0, 0), (0, 0), *[width[i : i + 2] for i in range(0, len(width), 2)][::-1])
    agree(lambda x: tg.pad(x, pairs, mode), lambda x: F.pad(x, width, name), shape)


@pytest.mark.parametrize(
    "options", [{}, {"stride": 2}, {"dilation": 2}, {"stride": (2, 3)}], ids=str
)
def test_patches_of_pictures(options):
    """PyTorch's unfold flattens the patches: the same numbers in another arrangement."""

    def patches(x):
        y = tg.unfold(x, (3, 2), **options)
        return y.permute(0, 1, 4, 5, 2, 3).reshape(2, 3 * 6, -1)

    agree(patches, lambda x: F.unfold(x, (3, 2), **options), (2, 3, 8, 9))
    columns = F.unfold(torch.zeros(2, 3, 8, 9), (3, 2), **options).shape
    outer = tg.unfold(np.zeros((8, 9)), (3, 2), **options).shape[:2]

    def back(x):
        y = x.reshape(2, 3, 3, 2, *outer).permute(0, 1, 4, 5, 2, 3)
        return tg.fold(y, (8, 9), **options)

    agree(back, lambda x: F.fold(x, (8, 9), (3, 2), **options), tuple(columns))


def test_scatter_is_pytorchs_where_no_place_repeats():
    places = np.array([[2, 0, 1], [4, 3, 0]])
    agree(
        lambda x, v: tg.scatter(x, places, v, 1), lambda x, v: torch.scatter(x, 1, T(places), v),
        (2, 5), (2, 3),
    )  # fmt: skip
