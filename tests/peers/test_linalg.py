"""Reductions, scans, sorting and linear algebra equal PyTorch's, in float64."""

from __future__ import annotations

import numpy as np
import pytest

import tinygraph as tg

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]

RNG = np.random.default_rng(0)
SHAPES = [(5,), (4, 7), (2, 3, 5), (1, 1), (0, 3)]
ZEROS = np.array([[0.0, 2.0, -1.5], [0.0, 3.0, 0.0], [1.0, -2.0, 0.5]])


def compare(ours, theirs, *arrays):
    """Compare the values, and the gradients of a weighted sum."""
    xs = [tg.tensor(a, requires_grad=True) for a in arrays]
    us = [torch.tensor(a, requires_grad=True) for a in arrays]
    y, v = ours(*xs), theirs(*us)
    np.testing.assert_allclose(y.data, v.detach().numpy(), 1e-9, 1e-9)
    weights = np.random.default_rng(9).uniform(0.5, 1.5, y.shape)
    found = tg.grad(y, xs, weights)
    wanted = torch.autograd.grad(v, us, torch.tensor(weights))
    for x, u in zip(found, wanted, strict=True):
        np.testing.assert_allclose(x.data, u.detach().numpy(), 1e-9, 1e-9)


def both(name, **more):
    """Return our function and PyTorch's along one axis."""
    theirs = {"keepdims": "keepdim", "ddof": "correction"}
    return (
        lambda x: getattr(tg, name)(x, axis=-1, **more),
        lambda u: getattr(torch, name)(u, dim=-1, **{theirs[k]: v for k, v in more.items()}),
    )


ALONG = {
    "prod": both("prod"),
    "prod, kept": both("prod", keepdims=True),
    "std": both("std", ddof=1),
    "population": both("std", ddof=0, keepdims=True),
    "nansum": both("nansum"),
    "nanmean": both("nanmean"),
    "cumsum": both("cumsum"),
    "cumprod": both("cumprod"),
    "logcumsumexp": both("logcumsumexp"),
    "cummax": (lambda x: tg.cummax(x, -1), lambda u: torch.cummax(u, -1).values),
    "sort": (tg.sort, lambda u: torch.sort(u).values),
    "sort downwards": (
        lambda x: tg.sort(x, descending=True),
        lambda u: torch.sort(u, descending=True).values,
    ),
    "diff": both("diff"),
    "amax": (lambda x: tg.max(x, axis=-1), lambda u: torch.amax(u, -1)),
}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", ALONG)
def test_along_the_last_axis(name, shape):
    if shape[-1] > 1 or name not in ("std",):
        compare(*ALONG[name], RNG.normal(size=shape))


@pytest.mark.parametrize("name", ["prod", "cumprod", "cumsum"])
def test_zeros(name):
    compare(*both(name), ZEROS)


def test_whole_tensors():
    for shape in SHAPES:
        compare(tg.prod, torch.prod, RNG.normal(size=shape))
    compare(tg.prod, torch.prod, ZEROS[1:])
    compare(tg.median, torch.median, RNG.normal(size=(3, 5)))
    compare(tg.trace, torch.trace, RNG.normal(size=(3, 5)))


def test_not_a_number():
    x = np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, 2.0]])
    compare(*both("nansum"), x)
    compare(*both("nanmean"), x)
    compare(lambda x: tg.median(x, axis=1), lambda u: torch.median(u, 1).values, x)


@pytest.mark.parametrize(("k", "largest"), [(1, True), (3, True), (2, False)])
def test_topk(k, largest):
    x = RNG.normal(size=(4, 5))
    compare(
        lambda x: tg.topk(x, k, 0, largest).values,
        lambda u: torch.topk(u, k, 0, largest).values,
        x,
    )
    ours = tg.topk(x, k, largest=largest).indices
    assert (ours == torch.topk(torch.tensor(x), k, largest=largest).indices.numpy()).all()


@pytest.mark.parametrize("order", [0.5, 1, 2, 3, -1, -2.5, np.inf, -np.inf])
@pytest.mark.parametrize("axis", [0, -1])
def test_norms_of_vectors(order, axis):
    compare(
        lambda x: tg.norm(x, order, axis),
        lambda u: torch.linalg.vector_norm(u, order, axis),
        RNG.normal(size=(3, 4)),
    )


@pytest.mark.parametrize("order", [0.5, 1, 2, 3, np.inf])
def test_norms_of_zero(order):
    compare(lambda x: tg.norm(x, order), lambda u: torch.linalg.norm(u, order), np.zeros(4))


@pytest.mark.parametrize("order", ["fro", 1, -1, np.inf, -np.inf])
@pytest.mark.parametrize("axis", [(0, 1), (2, 0), (-2, -1)])
def test_norms_of_matrices(order, axis):
    compare(
        lambda x: tg.norm(x, order, axis),
        lambda u: torch.linalg.norm(u, order, axis),
        RNG.normal(size=(3, 4, 2)),
    )


EINSUM = {
    "ij,jk->ik": [(3, 4), (4, 5)],
    "bij,bjk->bik": [(2, 3, 4), (2, 4, 5)],
    "bhqd,bhkd->bhqk": [(2, 3, 4, 5), (2, 3, 6, 5)],
    "...ij,...jk->...ik": [(2, 1, 3, 4), (5, 4, 2)],
    "ii->i": [(4, 4)],
    "ii": [(4, 4)],
    "ij,ij,ij->": [(3, 4)] * 3,
    "i,j,k->ijk": [(2,), (3,), (4,)],
    "ijk,kjl,lm->im": [(2, 3, 4), (4, 3, 2), (2, 5)],
    "ij->j": [(3, 4)],
    "i,i": [(3,), (3,)],
}


@pytest.mark.parametrize("text", EINSUM)
def test_einsum(text):
    arrays = [RNG.normal(size=s) for s in EINSUM[text]]
    compare(lambda *xs: tg.einsum(text, *xs), lambda *us: torch.einsum(text, *us), *arrays)


PRODUCTS = {
    "outer": [((3,), (4,))],
    "inner": [((3,), (3,)), ((2, 3), (4, 3)), ((), (2, 3))],
    "kron": [((2, 3), (3, 2)), ((2,), (2, 3)), ((2, 1, 2), (3, 2))],
    "tensordot": [((2, 3, 4), (3, 4, 5))],
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_products(name):
    for a, b in PRODUCTS[name]:
        compare(getattr(tg, name), getattr(torch, name), RNG.normal(size=a), RNG.normal(size=b))


def test_multi_dot():
    arrays = [RNG.normal(size=s) for s in [(3,), (3, 4), (4, 2), (2, 5)]]
    compare(lambda *xs: tg.multi_dot(xs), lambda *us: torch.linalg.multi_dot(us), *arrays)


BATCHES = [(1, 1), (2, 2), (5, 5), (3, 4, 4), (2, 1, 3, 3), (0, 2, 2)]


def regular(shape):
    return RNG.normal(size=shape) + 3 * np.eye(shape[-1])


@pytest.mark.parametrize("shape", BATCHES, ids=str)
@pytest.mark.parametrize("name", ["det", "inv", "logdet"])
def test_functions_of_matrices(name, shape):
    ours, theirs = getattr(tg, name, None), getattr(torch.linalg, name, None)
    if name == "logdet":
        ours, theirs = lambda x: tg.slogdet(x)[1], lambda u: torch.linalg.slogdet(u)[1]
    compare(ours, theirs, regular(shape))


@pytest.mark.parametrize("shape", BATCHES, ids=str)
@pytest.mark.parametrize("upper", [False, True])
def test_cholesky(shape, upper):
    root = regular(shape)
    compare(
        lambda x: tg.cholesky(x, upper=upper),
        lambda u: torch.linalg.cholesky(u, upper=upper),
        root @ np.swapaxes(root, -1, -2),
    )


SYSTEMS = [
    ((3, 3), (3,)),
    ((3, 3), (3, 2)),
    ((2, 3, 3), (2, 3, 2)),
    ((2, 1, 3, 3), (4, 3, 1)),
    ((3, 3), (2, 3, 1)),
]


@pytest.mark.parametrize(("a", "b"), SYSTEMS, ids=str)
def test_solve(a, b):
    compare(tg.solve, torch.linalg.solve, regular(a), RNG.normal(size=b))


SECOND = {"det": regular((3, 3)), "inv": regular((2, 2)), "cumprod": ZEROS, "prod": ZEROS}


@pytest.mark.parametrize("name", SECOND)
def test_second_derivatives(name):
    a, more = SECOND[name], (0,) if name == "cumprod" else ()
    f, theirs = getattr(tg, name), getattr(torch.linalg, name, None) or getattr(torch, name)
    weights = RNG.normal(size=np.shape(f(a, *more)))
    ours = tg.hessian(lambda x: (f(x, *more) * weights).sum(), a)
    wanted = torch.autograd.functional.hessian(
        lambda u: (theirs(u, *more) * torch.tensor(weights)).sum(), torch.tensor(a)
    )
    np.testing.assert_allclose(ours.numpy(), wanted.numpy(), 1e-9, 1e-9)
