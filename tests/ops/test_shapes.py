"""Functions on shapes against NumPy's own of the same name, over drawn arguments."""

from __future__ import annotations

import math

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view

import tinygraph as tg

SHAPES = hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4)


def numbered(shape, dtype=np.float64):
    return np.arange(math.prod(shape), dtype=dtype).reshape(shape)


def agree(ours, theirs, shape, *args, **kwargs):
    """Call both; compare all results with their shapes, or both raise."""
    a = numbered(shape)
    try:
        wanted = theirs(a, *args, **kwargs)
    except (ValueError, IndexError, TypeError, ZeroDivisionError):
        with pytest.raises(tg.TinygraphError):
            ours(tg.tensor(a), *args, **kwargs)
        return
    found = ours(tg.tensor(a), *args, **kwargs)
    several = isinstance(wanted, list | tuple)
    assert isinstance(found, list | tuple) == several
    for f, w in zip(*((found, wanted) if several else ([found], [wanted])), strict=True):
        np.testing.assert_array_equal(f.numpy(), w, strict=True)


AXIS = st.integers(-4, 4)
COUNT = st.integers(-1, 5)


@given(SHAPES, st.one_of(COUNT, st.lists(st.integers(-5, 5), max_size=3)), AXIS)
@pytest.mark.parametrize("name", ["split", "array_split"])
def test_splits(name, shape, sections, axis):
    agree(getattr(tg, name), getattr(np, name), shape, sections, axis)


@given(SHAPES, AXIS)
def test_unbind_takes_apart_what_stack_joins(shape, axis):
    if not -len(shape) <= axis < len(shape) or not shape[axis]:
        return
    x = tg.tensor(numbered(shape))
    np.testing.assert_array_equal(tg.stack(tg.unbind(x, axis), axis).numpy(), x.numpy())


@given(SHAPES, st.one_of(st.none(), AXIS, st.tuples(AXIS, AXIS)))
def test_flip(shape, axis):
    agree(tg.flip, np.flip, shape, axis)


@given(SHAPES, st.one_of(COUNT, st.tuples(COUNT, COUNT)), st.one_of(st.none(), AXIS))
def test_roll(shape, shift, axis):
    agree(tg.roll, np.roll, shape, shift, axis)


@given(SHAPES, COUNT, st.tuples(AXIS, AXIS))
def test_rot90(shape, k, axes):
    agree(tg.rot90, np.rot90, shape, k, axes)


@given(SHAPES, st.one_of(COUNT, st.lists(COUNT, max_size=4)), st.one_of(st.none(), AXIS))
def test_repeat(shape, repeats, axis):
    if 0 in shape and -1 in np.atleast_1d(repeats):
        return  # NumPy lets nothing be repeated −1 times
    agree(tg.repeat, np.repeat, shape, repeats, axis)


@given(SHAPES, st.one_of(st.integers(0, 3), st.lists(st.integers(0, 3), max_size=5)))
def test_tile(shape, reps):
    agree(tg.tile, np.tile, shape, reps)


@given(SHAPES, st.lists(AXIS, max_size=3), st.lists(AXIS, max_size=3))
def test_moveaxis(shape, source, destination):
    agree(tg.moveaxis, np.moveaxis, shape, source, destination)


@given(SHAPES, AXIS, AXIS, AXIS)
def test_diagonal(shape, offset, axis1, axis2):
    agree(tg.diagonal, np.diagonal, shape, offset, axis1, axis2)


@given(SHAPES, AXIS)
@pytest.mark.parametrize("name", ["tril", "triu"])
def test_triangles(name, shape, k):
    agree(getattr(tg, name), getattr(np, name), shape, k)


WIDTH = st.integers(0, 6)


@given(
    SHAPES,
    st.one_of(WIDTH, st.tuples(WIDTH, WIDTH)),
    st.sampled_from(["constant", "edge", "reflect", "symmetric", "wrap"]),
)
def test_pad(shape, width, mode):
    agree(tg.pad, np.pad, shape, width, mode)


@given(hnp.array_shapes(max_dims=4, max_side=4), st.data())
def test_take_and_take_along_axis(shape, data):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    n = shape[axis]
    elements = st.integers(-n, n)  # n itself is out of range
    lengths = data.draw(hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3))
    agree(
        tg.take, np.take, shape, data.draw(hnp.arrays(np.int64, lengths, elements=elements)), axis
    )
    along = list(shape)
    along[axis] = data.draw(st.integers(0, 3))
    along = [data.draw(st.sampled_from([m, 1])) if m else m for m in along]
    index = data.draw(hnp.arrays(np.int64, along, elements=elements))
    agree(tg.take_along_axis, np.take_along_axis, shape, index, axis)


@given(SHAPES, st.data())
def test_unfold_is_a_strided_sliding_window_view(shape, data):
    count = data.draw(st.integers(1, min(2, len(shape))))
    kernel, stride, dilation = (
        tuple(data.draw(st.integers(1, 3)) for _ in range(count)) for _ in range(3)
    )

    def theirs(a):
        spans = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))
        axes = tuple(range(-count, 0))
        windows = sliding_window_view(a, spans, axes)
        steps = [slice(None, None, n) for n in (*stride, *dilation)]
        return windows[(..., *steps)]

    def ours(x):
        return tg.unfold(x, kernel, stride, dilation)

    agree(ours, theirs, shape)
    x = numbered(shape)
    try:
        patches = ours(x)
    except tg.ShapeError:
        return
    g = np.sin(numbered(patches.shape))
    folded = tg.fold(g, shape[-count:], stride, dilation)  # ⟨unfold(x), g⟩ = ⟨x, fold(g)⟩
    np.testing.assert_allclose((patches * g).sum(), (x * folded).sum(), rtol=1e-12, atol=1e-12)


def test_blocks_of_a_big_fold_give_the_same():
    shape = (40, 3, 32, 33)
    g = np.random.default_rng(0).normal(size=(40, 3, 15, 31, 3, 3))
    assert g.nbytes > 2 * tg.ops.window.BLOCK
    whole = tg.fold(g, shape[-2:], (2, 1))
    parts = np.concatenate([tg.fold(g[k : k + 1], shape[-2:], (2, 1)) for k in range(40)])
    np.testing.assert_array_equal(whole, parts)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64, np.bool_])
@pytest.mark.parametrize(
    "call",
    [
        lambda t: tg.flatten(t), lambda t: tg.flip(t), lambda t: tg.roll(t, 1),
        lambda t: tg.repeat(t, 2), lambda t: tg.tile(t, 2), lambda t: tg.pad(t, 1, "edge"),
        lambda t: tg.tril(t), lambda t: tg.triu(t), lambda t: tg.diag(t),
        lambda t: tg.diag_embed(t), lambda t: tg.unfold(t, 2), lambda t: tg.vstack([t, t]),
        lambda t: tg.take(t, [0]), lambda t: tg.gather(t, [[0, 1]]), lambda t: tg.split(t, 2)[0],
        lambda t: tg.index_put(t, 0, t[1]), lambda t: tg.scatter(t, [[0, 1]], t),
    ],
)  # fmt: skip
def test_the_dtype_stays(call, dtype):
    t = tg.tensor(np.array([[0, 1], [1, 0]], dtype))
    assert call(t).dtype == dtype
    assert call(t.numpy()).dtype == dtype


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["tril", "triu"])
def test_triangles_drop_nan_and_inf_forward_and_backward(name, dtype):
    a = np.array([[1, np.nan], [np.inf, 2]], dtype)
    a = a if name == "tril" else a.T
    x = tg.tensor(a, requires_grad=True)
    y = getattr(tg, name)(x)
    np.testing.assert_array_equal(y.numpy(), getattr(np, name)(a))
    (g,) = tg.grad(y, [x], np.full((2, 2), np.inf, dtype))
    np.testing.assert_array_equal(g.numpy(), getattr(np, name)(np.full((2, 2), np.inf)))


@pytest.mark.parametrize(
    ("call", "shape"),
    [
        (np.fliplr, (2, 3)), (np.flipud, (2, 3)), (np.ravel, (2, 3)), (np.diag, (2, 2)),
        (lambda a: np.hstack([a, a]), (2, 1)), (lambda a: np.vstack([a, a]), (2,)),
        (lambda a: np.meshgrid(a, a)[0], (2,)), (lambda a: np.split(a, 2)[1], (4,)),
        (lambda a: np.atleast_2d(a, a)[1], (3,)), (lambda a: np.take(a, [[1, 0]], axis=-1), (2, 2)),
        (lambda a: np.pad(a, 2, mode="wrap"), (3,)), (lambda a: np.roll(a, (1, 2), (0, 1)), (2, 3)),
    ],
)  # fmt: skip
def test_numpys_functions_keep_the_gradient(call, shape):
    a = numbered(shape)
    x = tg.tensor(a, requires_grad=True)
    y = call(x)
    assert isinstance(y, tg.Tensor) and y.requires_grad
    np.testing.assert_array_equal(y.numpy(), call(a), strict=True)


def test_functions_of_several_results_are_one_composite_each():
    parts = tg.split(tg.ones(6, requires_grad=True), 3)
    assert [s.path for s in tg.graph(*parts).scopes] == ["split"]
    assert tg.graph(*parts).counts == {"getitem": 3}
