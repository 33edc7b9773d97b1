"""Linear algebra, sorting and scans: what the generated tests do not see."""

from __future__ import annotations

import itertools

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph as tg
from tinygraph.check import gradcheck

RNG = np.random.default_rng(0)


def ops_of(t):
    return [n.op.name for n in tg.graph(t).nodes if n.op]


# ---- einsum --------------------------------------------------------------------------------------


TWO = "ij,jk->ik ij,jk->ki bij,bjk->bik ij,ij->i ijk,jil->kl i,i-> ij,kj->"


@pytest.mark.parametrize("text", TWO.split())
def test_contractions_of_two_operands_are_one_matrix_product(text):
    terms = text.split("->")[0].split(",")
    a, b = (tg.tensor(RNG.normal(size=(2,) * len(t)), requires_grad=True) for t in terms)
    names = ops_of(tg.einsum(text, a, b))
    assert names.count("matmul") == 1 and "mul" not in names


def test_a_plain_matrix_product_by_einsum_is_nothing_else():
    a, b = tg.ones(2, 3, requires_grad=True), tg.ones(3, 4)
    assert ops_of(tg.einsum("ij,jk->ik", a, b)) == ["matmul"]


@st.composite
def contractions(draw):
    """Draw one to three operands with labels of length 0 to 3, some of length 1 instead."""
    sizes = {k: draw(st.integers(0, 3)) for k in "abcd"}
    count = draw(st.integers(1, 3))
    terms = [draw(st.text("abcd", max_size=3)) for _ in range(count)]
    present = sorted(set("".join(terms)))
    result = "".join(draw(st.permutations(present)))[: draw(st.integers(0, len(present)))]
    alone = [k for k in present if draw(st.integers(0, 5)) == 0]
    shapes = []
    for i, t in enumerate(terms):
        shapes.append(tuple(1 if k in alone and i == 0 else sizes[k] for k in t))
    explicit = draw(st.booleans())
    return ",".join(terms) + ("->" + result if explicit else ""), shapes


@given(contractions())
def test_einsum_is_numpys(case):
    text, shapes = case
    arrays = [np.random.default_rng(i).normal(size=s) for i, s in enumerate(shapes)]
    wanted = np.einsum(text, *arrays)
    leaves = [tg.tensor(a, requires_grad=True) for a in arrays]
    got = tg.einsum(text, *leaves)
    assert got.shape == np.shape(wanted)
    np.testing.assert_allclose(got.numpy(), wanted, rtol=1e-10, atol=1e-12)
    assert gradcheck(lambda *xs: tg.einsum(text, *xs), tuple(arrays))


@given(hnp.array_shapes(min_dims=0, max_dims=3, max_side=3), st.data())
def test_tensordot_is_numpys(shape, data):
    pairs = data.draw(st.integers(0, len(shape)))
    over_a = data.draw(st.permutations(range(len(shape))))[:pairs]
    rest = data.draw(hnp.array_shapes(min_dims=0, max_dims=2, max_side=3))
    order = data.draw(st.permutations(range(pairs + len(rest))))
    lengths = [shape[i] for i in over_a] + list(rest)
    b = RNG.normal(size=[lengths[i] for i in order])
    over_b = [order.index(i) for i in range(pairs)]
    a = RNG.normal(size=shape)
    got = tg.tensordot(tg.tensor(a), tg.tensor(b), axes=(over_a, over_b))
    np.testing.assert_allclose(got.numpy(), np.tensordot(a, b, (over_a, over_b)), atol=1e-12)


# ---- sorting -------------------------------------------------------------------------------------

TIED = hnp.arrays(np.float64, hnp.array_shapes(max_dims=3, max_side=6), elements=st.integers(0, 3))


@given(TIED, st.data())
def test_topk_is_the_head_of_a_stable_sort(x, data):
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    k = data.draw(st.integers(0, x.shape[axis]))
    largest = data.draw(st.booleans())
    x[x == data.draw(st.sampled_from([3.0, 9.0]))] = data.draw(st.sampled_from([np.nan, np.inf]))
    order = tg.argsort(x, axis=axis, descending=largest)
    wanted = np.take(order, range(k), axis)
    values, indices = tg.topk(tg.tensor(x), k, axis, largest)
    np.testing.assert_array_equal(indices.numpy(), wanted)
    np.testing.assert_array_equal(values.numpy(), np.take_along_axis(x, wanted, axis))


@given(TIED)
def test_the_gradient_of_the_median_goes_to_the_first_of_equals(x):
    leaf = tg.tensor(x, requires_grad=True)
    y = tg.median(leaf, axis=-1)
    np.testing.assert_array_equal(y.numpy(), np.median(x, axis=-1))
    y.sum().backward()
    n = x.shape[-1]
    for row, share in zip(x.reshape(-1, n), leaf.grad.reshape(-1, n), strict=True):
        low, high = np.sort(row)[[(n - 1) // 2, n // 2]]
        equal = np.flatnonzero(row == low)
        places = list(equal[:1] if n % 2 else equal[:2])
        if high != low:
            places = [equal[0], np.flatnonzero(row == high)[0]]
        wanted = np.zeros(n)
        np.add.at(wanted, places, 1 / len(places))
        np.testing.assert_array_equal(share, wanted)


# ---- chains --------------------------------------------------------------------------------------


def test_multi_dot_takes_the_cheapest_order():
    sizes = [30, 35, 15, 5, 10, 20, 25]  # Cormen, Leiserson, Rivest, Stein: ((a(bc))((de)f))
    chain = [tg.ones(n, m, requires_grad=True) for n, m in itertools.pairwise(sizes)]
    result = tg.multi_dot(chain)
    inner = {n.tensor.shape for n in tg.graph(result).nodes if n.op}
    assert inner == {(35, 5), (30, 5), (5, 20), (5, 25), (30, 25)}


# ---- matrices ------------------------------------------------------------------------------------


def test_the_second_derivative_of_det_is_right_for_a_singular_matrix():
    second = tg.hessian(tg.det, np.ones((2, 2))).numpy().reshape(4, 4)
    np.testing.assert_allclose(second, np.fliplr(np.diag([1.0, -1.0, -1.0, 1.0])), atol=1e-14)


def test_the_third_derivative_of_det():
    a = RNG.normal(size=(3, 3))
    step = 1e-5
    directions = RNG.normal(size=(3, 3))

    def curvature(x):
        return tg.hessian(tg.det, x).numpy()

    wanted = (curvature(a + step * directions) - curvature(a - step * directions)) / (2 * step)
    x = tg.tensor(a, requires_grad=True)
    first = tg.grad(tg.det(x), x, create_graph=True)
    for place in np.ndindex(3, 3):
        second = tg.grad(first[place], x, create_graph=True)
        third = [tg.grad(second[q], x) for q in np.ndindex(3, 3)]
        got = [0.0 if t is None else float((t.numpy() * directions).sum()) for t in third]
        np.testing.assert_allclose(np.reshape(got, (3, 3)), wanted[place], atol=1e-8)


def test_cholesky_of_a_product_goes_back_to_its_root():
    root = np.tril(RNG.normal(size=(3, 3)), -1) + np.diag(1 + 3 * RNG.random(3))  # unique: > 0
    leaf = tg.tensor(root, requires_grad=True)
    g = RNG.normal(size=(3, 3))
    (found,) = tg.grad(tg.cholesky(leaf @ leaf.mT), [leaf], g)
    np.testing.assert_allclose(np.tril(found.numpy()), np.tril(g), atol=1e-12)


def test_cholesky_makes_its_operand_symmetric():
    a = np.array([[4.0, 1.0], [3.0, 5.0]])
    np.testing.assert_array_equal(tg.cholesky(a), np.linalg.cholesky((a + a.T) / 2))


@pytest.mark.parametrize(("place", "shape"), [((), ()), ((1,), (3,)), ((1, 2), (2, 3))], ids=str)
def test_the_singular_matrix_of_a_batch_is_named(place, shape):
    batch = np.broadcast_to(2 * np.eye(2), (*shape, 2, 2)).copy()
    batch[place] = [[1.0, 2.0], [2.0, 4.0]]
    words = {0: "2×2 matrix is", 1: "matrix 1 of the batch", 2: r"matrix \(1, 2\) of the batch"}
    for f in (tg.inv, lambda x: tg.solve(x, np.ones(2))):
        with pytest.raises(tg.LinAlgError, match=words[len(place)]) as caught:
            f(tg.tensor(batch))
        assert isinstance(caught.value, np.linalg.LinAlgError)
    batch[place] = -np.eye(2)
    with pytest.raises(tg.LinAlgError, match=words[len(place)] + ".*not positive definite|is not"):
        tg.cholesky(tg.tensor(batch))


# ---- several results, NumPy's names, methods -----------------------------------------------------


def test_results_have_names():
    x = tg.tensor([1.0, 3.0, 2.0], requires_grad=True)
    top = tg.topk(x, 2)
    assert top.values.numpy().tolist() == [3.0, 2.0]
    assert top.indices.numpy().tolist() == [1, 2]
    assert top.values.requires_grad and not top.indices.requires_grad
    result = np.linalg.slogdet(tg.tensor(2 * np.eye(2), requires_grad=True))
    assert result.logabsdet.requires_grad and not result.sign.requires_grad


A = RNG.normal(size=(3, 3)) + 3 * np.eye(3)
NUMPY = {
    "cumsum": lambda x: np.cumsum(x, axis=0),
    "cumprod": lambda x: np.cumprod(x, 1),
    "sort": lambda x: np.sort(x, axis=0),
    "argsort": np.argsort,
    "amax": lambda x: np.amax(x, axis=1),
    "amin": lambda x: np.amin(x, axis=1),
    "linalg.matmul": lambda x: np.linalg.matmul(x, x),
    "linalg.outer": lambda x: np.linalg.outer(x[0], x[1]),
    "linalg.tensordot": lambda x: np.linalg.tensordot(x, x, axes=1),
    "linalg.norm": lambda x: np.linalg.norm(x, 1, axis=0),
    "norm 0": lambda x: np.linalg.norm(x, 0, axis=0),
    "linalg.multi_dot": lambda x: np.linalg.multi_dot([x, x, x]),
    "einsum": lambda x: np.einsum("ii", x),
    "median": lambda x: np.median(x, axis=(0, 1), keepdims=True),
    "std": lambda x: np.std(x, axis=1, ddof=1),
    "nanmean": lambda x: np.nanmean(x, axis=1),
    "trace": lambda x: np.trace(x, offset=1),
    "diff": lambda x: np.diff(x, n=2, prepend=0),
}


@pytest.mark.parametrize("f", NUMPY.values(), ids=NUMPY)
def test_numpys_functions_stay_tensors(f):
    got = f(tg.tensor(A))
    assert isinstance(got, tg.Tensor)
    np.testing.assert_allclose(got.numpy(), f(A), rtol=1e-12)


def test_the_namespace_of_numpys_linear_algebra():
    for name in tg.linalg.__all__:
        assert hasattr(np.linalg, name) and getattr(tg, name) is getattr(tg.linalg, name)


METHODS = (
    "all any argsort count_nonzero cumprod cumsum cummax det diff inv logcumsumexp median "
    "nanmean nansum norm prod sort std trace"
)


@pytest.mark.parametrize("name", METHODS.split())
def test_methods(name):
    x = tg.tensor(A)
    np.testing.assert_array_equal(getattr(x, name)().numpy(), getattr(tg, name)(x).numpy())


def test_methods_with_operands():
    x = tg.tensor(A)
    for name in ("dot", "inner", "outer"):
        np.testing.assert_allclose(getattr(x, name)(x[0]).numpy(), getattr(np, name)(A, A[0]))
    assert x.topk(2).values.shape == (3, 2)


def test_order_zero_counts_without_a_gradient():
    x = tg.tensor([0.0, 2.0], requires_grad=True)
    y = tg.norm(x, 0)
    assert float(y) == 1.0 and y.dtype == x.dtype and not y.requires_grad


@pytest.mark.parametrize("shapes", [((1, 16), (16, 5)), ((5, 16), (16, 1)), ((6, 7), (7, 8))])
def test_the_rules_of_a_product_multiply_as_the_op_does(shapes):
    """NumPy's `@` and `dot` differ in the last bit where memory has gaps; the op uses one."""
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((m, 2 * n))[:, ::2] for m, n in shapes)
    y = a @ b
    g = np.repeat(rng.standard_normal(y.shape), 2, axis=1)[:, ::2]
    for rule in tg.matmul.vjps:
        arrays = rule(g, y, a, b)
        tensors = rule(*map(tg.from_numpy, (g, y, a, b)))
        assert arrays.tobytes() == tensors.numpy().tobytes()
