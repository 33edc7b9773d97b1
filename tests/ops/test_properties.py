"""hypothesis: broadcasting, indexing and random graphs, against NumPy and differences."""

from __future__ import annotations

import math

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph as tg

BINARY = {
    "add": (tg.add, np.add),
    "sub": (tg.sub, np.subtract),
    "mul": (tg.mul, np.multiply),
    "div": (tg.div, np.true_divide),
    "maximum": (tg.maximum, np.maximum),
}


def numbers(shape, seed=0):
    rng = np.random.default_rng(seed)
    size = math.prod(shape)
    return rng.permutation(np.linspace(0.5, 2.0, size) if size else np.zeros(0)).reshape(shape)


@pytest.mark.parametrize("name", BINARY)
@given(shapes=hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=3))
def test_broadcasting(name, shapes):
    op, reference = BINARY[name]
    a, b = numbers(shapes.input_shapes[0]), numbers(shapes.input_shapes[1], 1) + 0.013
    x, y = tg.tensor(a, requires_grad=True), tg.tensor(b, requires_grad=True)
    z = op(x, y)
    np.testing.assert_array_equal(z.numpy(), reference(a, b))
    assert z.shape == shapes.result_shape
    g = numbers(z.shape, 2)
    gx, gy = tg.grad(z, [x, y], g)
    wide = [np.broadcast_to(v, z.shape).copy() for v in (a, b)]
    full = tg.grad(op(*(ws := [tg.tensor(w, requires_grad=True) for w in wide])), ws, g)
    for got, whole, shape in zip((gx, gy), full, shapes.input_shapes, strict=True):
        wanted = whole.numpy().sum(tuple(range(whole.ndim - len(shape))))
        ones = tuple(i for i, n in enumerate(shape) if n == 1)
        np.testing.assert_allclose(got.numpy(), wanted.sum(ones, keepdims=True), rtol=1e-12)


SHAPES = hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4)


@st.composite
def arrays_and_basic_indices(draw):
    shape = draw(SHAPES)
    return shape, draw(hnp.basic_indices(shape, allow_newaxis=True))


@st.composite
def arrays_and_integer_indices(draw):
    shape = draw(SHAPES)
    index = draw(hnp.integer_array_indices(shape))
    keep = draw(st.integers(1, len(index)))
    return shape, index[:keep]


@st.composite
def arrays_and_masks(draw):
    shape = draw(SHAPES)
    axes = draw(st.integers(1, len(shape)))
    return shape, draw(hnp.arrays(np.bool_, shape[:axes]))


def check_index(shape, index):
    a = np.arange(math.prod(shape), dtype=np.float64).reshape(shape)
    x = tg.tensor(a, requires_grad=True)
    y = x[index]
    wanted = a[index]
    np.testing.assert_array_equal(y.numpy(), wanted)
    g = numbers(y.shape) + 1
    expected = np.zeros(shape)
    np.add.at(expected, index, g)
    (gx,) = tg.grad(y, [x], g)
    np.testing.assert_allclose(gx.numpy(), expected, rtol=1e-12)
    again = tg.graph(y).evaluate(feed={x: a + 1})
    np.testing.assert_array_equal(again, (a + 1)[index])


@given(arrays_and_basic_indices())
def test_basic_indexing(case):
    check_index(*case)


@given(arrays_and_integer_indices())
def test_indexing_by_integer_arrays(case):
    check_index(*case)


@given(arrays_and_masks())
def test_indexing_by_masks(case):
    check_index(*case)


@given(arrays_and_integer_indices(), st.data())
def test_mixed_indexing(case, data):
    shape, index = case
    mixed = list(index)
    if len(mixed) < len(shape):
        mixed.append(data.draw(st.sampled_from([slice(None), slice(1), None, ...])))
    check_index(shape, tuple(mixed))


@given(arrays_and_basic_indices(), st.integers(-5, 5))
def test_writing_by_index_is_numpys(case, value):
    shape, index = case
    a = numbers(shape)
    t = tg.tensor(a)
    a[index] = value
    t[index] = value
    np.testing.assert_array_equal(t.numpy(), a)


@given(SHAPES, st.data())
def test_reductions_over_any_axes(shape, data):
    count = data.draw(st.integers(0, len(shape)))
    axes = tuple(data.draw(st.permutations(range(len(shape))))[:count])
    signed = tuple(a - len(shape) * data.draw(st.booleans()) for a in axes)
    keep = data.draw(st.booleans())
    a = numbers(shape)
    for ours, theirs in ((tg.sum, np.sum), (tg.mean, np.mean), (tg.max, np.max)):
        got = ours(tg.tensor(a), axis=signed, keepdims=keep)
        np.testing.assert_allclose(got.numpy(), theirs(a, axis=axes, keepdims=keep), rtol=1e-12)
