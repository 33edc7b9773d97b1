"""Indexing equals NumPy's: values, gradients, errors, views; hypothesis draws the mixtures."""

from __future__ import annotations

import math

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph as tg

SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3)


@st.composite
def integer_arrays(draw, length):
    """Draw an index array for an axis: 0-d, of one or two axes, perhaps out of range."""
    shape = draw(st.sampled_from([(), (1,), (2,), (0,), (2, 1), (1, 2), (2, 2)]))
    low, high = -length - draw(st.sampled_from([0, 0, 0, 1])), max(length - 1, 0)
    dtype = draw(st.sampled_from([np.int64, np.int32, np.int8]))
    array = draw(hnp.arrays(dtype, shape, elements=st.integers(low, high)))
    return draw(st.sampled_from([array, array.tolist(), tg.tensor(array)]))


@st.composite
def parts(draw, lengths):
    """Draw one part of an index for the axes that remain, and how many of them it uses."""
    kind = draw(st.sampled_from(["slice", "slice", "integer", "array", "array", "mask", "new"]))
    if kind == "new":
        return None, 0
    if not lengths:
        return draw(st.sampled_from([None, 0])), 0
    n = lengths[0]
    if kind == "slice":
        return draw(st.slices(n)), 1
    if kind == "integer":
        return draw(st.integers(-n, max(n - 1, 0))), 1
    if kind == "array":
        return draw(integer_arrays(n)), 1
    count = draw(st.integers(1, min(2, len(lengths))))
    mask = draw(hnp.arrays(np.bool_, lengths[:count]))
    return draw(st.sampled_from([mask, tg.tensor(mask)])), count


@st.composite
def mixtures(draw):
    shape = draw(SHAPES)
    index, used = [], 0
    for _ in range(draw(st.integers(0, 4))):
        if draw(st.integers(0, 5)) == 0 and not any(p is ... for p in index):
            index.append(...)
            used = draw(st.integers(used, len(shape)))
        part, count = draw(parts(shape[used:]))
        index.append(part)
        used += count
    single = len(index) == 1 and not isinstance(index[0], tuple) and draw(st.booleans())
    return shape, index[0] if single else tuple(index)


def plain(index):
    """Return the index with arrays in the place of tensors."""
    if isinstance(index, tuple):
        return tuple(map(plain, index))
    array = index.numpy() if isinstance(index, tg.Tensor) else index
    return np.array(array, np.int64) if isinstance(array, list | int) else array


def numbered(shape):
    return np.arange(1.0, math.prod(shape) + 1).reshape(shape)


@given(mixtures())
def test_mixtures_are_numpys(case):
    shape, index = case
    a = numbered(shape)
    x = tg.tensor(a, requires_grad=True)
    try:
        wanted = a[plain(index)]
    except IndexError:
        with pytest.raises(tg.TinygraphError):
            x[index]
        return
    y = x[index]
    np.testing.assert_array_equal(y.numpy(), wanted, strict=True)
    g = np.cos(numbered(y.shape))
    expected = np.zeros(shape)
    np.add.at(expected, plain(index), g)
    (gx,) = tg.grad(y, [x], g)
    np.testing.assert_array_equal(gx.numpy(), expected)
    np.testing.assert_array_equal(tg.graph(y).evaluate(feed={x: -a}), -np.asarray(wanted))


@given(mixtures(), st.booleans())
def test_index_put_is_numpys_assignment(case, accumulate):
    shape, index = case
    a = numbered(shape)
    try:
        selected = a[plain(index)].shape
    except IndexError:
        with pytest.raises(tg.TinygraphError):
            tg.index_put(tg.tensor(a), index, 0.0)
        return
    values, wanted = -numbered(selected), a.copy()
    if accumulate:
        np.add.at(wanted, plain(index), values)
    else:
        wanted[plain(index)] = values
    x, v = tg.tensor(a, requires_grad=True), tg.tensor(values, requires_grad=True)
    y = tg.index_put(x, index, v, accumulate)
    np.testing.assert_array_equal(y.numpy(), wanted)
    gx, gv = tg.grad(y.sum(), [x, v], allow_unused=True)
    assert float(gx.sum() + gv.sum()) == a.size + accumulate * values.size
    if not accumulate:  # every element of the result is one of x or of values
        np.testing.assert_array_equal(gx.numpy(), wanted == a)
        kept = np.isin(values, wanted)
        np.testing.assert_array_equal(gv.numpy(), kept)


X = np.arange(24.0).reshape(2, 3, 4)
EXPLICIT = {
    "arrays apart": (np.array([0, 1]), slice(None), np.array([1, 2])),
    "arrays apart, with an integer": (0, slice(None), np.array([1, 2])),
    "integer array, integer": (np.array([0, 1]), 1),
    "arrays around a new axis": (np.array([0, 1]), None, np.array([1, 2])),
    "ellipsis between": (np.array([0]), ..., np.array([1, 2])),
    "two 0-d arrays": (np.array(1), np.array(2)),
    "0-d array and slice": (slice(None), np.array(2), slice(None, None, 2)),
    "an empty list": [],
    "an empty list of an axis": (slice(None), []),
    "a list of lists": [[0, 1], [1, 0]],
    "a mask of two axes": X[..., 0] > 4,
    "a mask at the end": (slice(None), X[0] > 4),
    "a mask after an ellipsis": (..., np.array([True, False, True, False])),
    "a mask and an array": (np.array([True, True]), np.array([0, 2])),
    "a mask, apart from an array": (np.array([True, True]), slice(None), np.array([0, 2])),
    "a mask of everything": X > 3,
    "nothing": (),
    "ellipsis": ...,
    "unsigned": np.array([1, 0], np.uint64),
    "columns of a whole slice": (slice(None), slice(None), np.array([3, 3, 0])),
    "a partial slice and an array": (slice(1), np.array([2, 2])),
}


@pytest.mark.parametrize("name", EXPLICIT)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_each_mixture(name, dtype):
    index = EXPLICIT[name]
    a = X.astype(dtype)
    x = tg.tensor(a, requires_grad=True)
    y = x[index]
    wanted = a[np.array(index, np.int64) if isinstance(index, list) else index]
    np.testing.assert_array_equal(y.numpy(), wanted, strict=True)
    g = np.cos(np.arange(y.size, dtype=dtype)).reshape(y.shape)
    expected = np.zeros_like(a)
    np.add.at(expected, np.array(index, int) if isinstance(index, list) else index, g)
    (gx,) = tg.grad(y, [x], g)
    np.testing.assert_allclose(gx.numpy(), expected, rtol=1e-6)
    assert gx.dtype == dtype


def test_tensors_index_like_arrays_and_follow_the_graph():
    x = tg.tensor([10.0, 20.0, 30.0], requires_grad=True)
    places = tg.tensor([2, 0])
    y = x[places] * 1.0
    replayed = tg.graph(y).evaluate(feed={places: np.array([1, 1])})
    assert replayed.tolist() == [20.0, 20.0]
    assert x[[tg.tensor(1), tg.tensor(2)]].numpy().tolist() == [20.0, 30.0]
    assert x[tg.tensor(1) : tg.tensor(3)].numpy().tolist() == [20.0, 30.0]


@pytest.mark.parametrize("shape", [(), (2, 3)])
@pytest.mark.parametrize("truth", [True, False])
def test_a_mask_without_axes_makes_one(shape, truth):
    a = numbered(shape)
    x = tg.tensor(a, requires_grad=True)
    for mask in (np.array(truth), tg.tensor(truth)):
        np.testing.assert_array_equal(x[mask].numpy(), a[np.array(truth)], strict=True)
    assert tg.grad(x[x.sum() < 1000].sum(), [x])[0].numpy().tolist() == np.ones(shape).tolist()


def test_scatter_follows_a_fresh_index_through_the_graph():
    x, v, g = (tg.tensor(a, requires_grad=True) for a in ([0.0] * 3, [1.0, 2.0], [1.0] * 3))
    index = tg.tensor([0, 1])
    y = tg.scatter(x, index, v)
    gx, gv = tg.grad(y, [x, v], g, create_graph=True)
    assert [gx.numpy().tolist(), gv.numpy().tolist()] == [[0, 0, 1], [1, 1]]
    found = tg.graph(y, gx, gv).evaluate([y, gx, gv], {index: np.array([2, 2])})
    assert [f.tolist() for f in found] == [[0, 0, 2], [1, 1, 0], [0, 1]]


# ---- many places -------------------------------------------------------------------------------

PLACED = {
    "rows of a table": ((50, 7), lambda rng: (rng.integers(-50, 50, 400),)),
    "wide rows": ((5, 40_000), lambda rng: (rng.integers(0, 5, 9),)),
    "columns": ((30, 20), lambda rng: (slice(None), rng.integers(0, 20, 700))),
    "the middle": ((3, 9, 5), lambda rng: (slice(None), rng.integers(-9, 9, (40, 30)))),
    "one long axis": ((10,), lambda rng: (rng.integers(0, 10, 100_000),)),
    "pairs": ((30, 20), lambda rng: (rng.integers(0, 30, 900), rng.integers(-20, 20, 900))),
    "pairs behind": ((4, 5, 6), lambda rng: (..., rng.integers(0, 5, 99), rng.integers(0, 6, 99))),
    "a grid": ((30, 20), lambda rng: (rng.integers(0, 30, (50, 1)), rng.integers(0, 20, 60))),
    "apart": ((8, 3, 9), lambda rng: (rng.integers(0, 8, 99), slice(1, 3), rng.integers(0, 9, 99))),
}  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64])
@pytest.mark.parametrize("name", PLACED)
def test_the_gradient_of_many_places_adds_in_order(name, dtype):
    shape, draw = PLACED[name]
    rng = np.random.default_rng(0)
    index = draw(rng)
    selected = np.zeros(shape)[index].shape
    g = (10 * rng.normal(size=selected)).astype(dtype)
    exact = np.zeros(shape)
    np.add.at(exact, index, g.astype(np.float64))
    template, arrays = tg.ops.index.split_index("", np.zeros(shape), index)
    found = tg.ops.index.place_add(g, *arrays, index=template, shape=shape)
    assert found.dtype == dtype and found.shape == shape
    if dtype in (np.float64, np.int64):
        np.testing.assert_array_equal(found, exact)
    else:
        scale = np.abs(exact).max()
        np.testing.assert_allclose(found, exact, rtol=0, atol=scale * np.finfo(dtype).eps)


def test_float32_keeps_its_accuracy_where_a_million_meet_in_few_places():
    index = np.random.default_rng(0).integers(0, 3, 1_000_000)
    x = tg.zeros(3, requires_grad=True)
    g = np.full(index.shape, 0.1, np.float32)
    (found,) = tg.grad(x[index], [x], g)
    exact = np.bincount(index) * np.float64(np.float32(0.1))
    np.testing.assert_allclose(found.numpy(), exact, rtol=1e-6)


# ---- views -------------------------------------------------------------------------------------

VIEWS = {
    "slice": lambda t: t[1:, ::2],
    "reversed": lambda t: t[::-1],
    "new axis": lambda t: t[None, ..., None],
    "flatten": lambda t: tg.flatten(t),
    "unflatten": lambda t: tg.unflatten(t, 1, (2, 2)),
    "permute": lambda t: t.permute(1, 0),
    "moveaxis": lambda t: tg.moveaxis(t, 0, 1),
    "flip": lambda t: tg.flip(t),
    "rot90": lambda t: tg.rot90(t),
    "split": lambda t: tg.split(t, 2, 1)[1],
    "chunk": lambda t: tg.chunk(t, 2)[0],
    "unbind": lambda t: tg.unbind(t)[1],
    "diagonal": lambda t: tg.diagonal(t),
    "diag": lambda t: tg.diag(t, 1),
    "broadcast_to": lambda t: t.broadcast_to(2, 3, 4),
    "unfold": lambda t: tg.unfold(t, 2),
    "unfold of a view": lambda t: tg.unfold(t[:, 1:], (2, 2), dilation=(1, 2)),
    "view of unfold": lambda t: tg.unfold(t, 2)[..., 0],
    "meshgrid": lambda t: tg.meshgrid(t[0], t[1])[0],
    "atleast_2d": lambda t: tg.atleast_2d(t[0]),
}


@pytest.mark.parametrize("name", VIEWS)
def test_views_share_memory_and_notice_a_write(name):
    t = tg.tensor(np.arange(1.0, 13.0).reshape(3, 4), requires_grad=True)
    view = VIEWS[name](t)
    assert np.shares_memory(view.numpy(), t.numpy())
    with pytest.raises(tg.GradientError, match="result of an operation"):
        view[...] = 0.0
    y = (view * view).sum()
    with tg.no_grad():
        t[...] = 5.0
    with pytest.raises(tg.VersionError, match="'mul' needs input"):
        y.backward()


def test_a_gradient_that_is_a_view_becomes_the_leafs_own():
    x = tg.tensor(np.ones((3, 2)), requires_grad=True)
    upstream = np.arange(4.0)
    tg.fold(x, 4).backward(upstream)
    assert x.grad.flags.writeable and not np.shares_memory(x.grad, upstream)
    assert x.grad.tolist() == [[0, 1], [1, 2], [2, 3]]
