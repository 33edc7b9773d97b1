"""Kernels of rows, and of several passes: right however they are cut, at every magnitude."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tinygraph as tg
from tinygraph.core.sums import PIECE, adds_at_once, adds_in_pieces, sum_axes
from tinygraph.ops import activation, attention, pieces, standardize
from tinygraph.ops.pieces import FEWEST, SHARED, constant

DTYPES = (np.float32, np.float64)
SOFTMAX_SLOPE = tg.REGISTRY["softmax_slope"]
MASKED_SOFTMAX, NORMALIZE, SLOPE, INVERSE_STD, SCALE_SHIFT, RESHAPE, LINEAR = (
    tg.REGISTRY[n]
    for n in (
        "masked_softmax", "normalize", "normalize_slope", "inverse_std", "scale_shift", "reshape",
        "linear",
    )
)  # fmt: skip


def drawn(*shape, dtype=np.float32, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


@pytest.fixture
def small_pieces(monkeypatch):
    monkeypatch.setattr(pieces, "PIECE", 64)


# ---- softmax -------------------------------------------------------------------------------------

SCORES = {
    "usual": lambda x: x,
    "large": lambda x: x + 1000,
    "far below 0": lambda x: x - 1000,
    "one row large": lambda x: x + 500 * (np.arange(len(x)) == 3)[:, None],
    "one row far below 0": lambda x: x - 90 * (np.arange(len(x)) == 5)[:, None],
    "wide": lambda x: 60 * x,
    "close to overflow": lambda x: x + 85,
}


def exact_softmax(x):
    e = np.exp(x.astype(np.float64) - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("move", SCORES.values(), ids=SCORES)
@pytest.mark.parametrize("f", [tg.softmax, MASKED_SOFTMAX], ids=["softmax", "masked"])
def test_softmax_is_right_at_every_magnitude(f, move, dtype, small_pieces):
    x = move(drawn(40, 6, dtype=dtype)).astype(dtype)
    y = f(tg.from_numpy(x)).numpy()
    assert y.dtype == dtype
    np.testing.assert_allclose(y, exact_softmax(x), rtol=40 * np.finfo(dtype).eps, atol=1e-32)
    np.testing.assert_allclose(y.sum(axis=-1), 1, rtol=8 * np.finfo(dtype).eps)


@pytest.mark.parametrize("layout", [np.ascontiguousarray, np.asfortranarray, lambda a: a[::-1]])
def test_rows_of_nothing_but_minus_infinity(layout, small_pieces):
    x = drawn(30, 7)
    x[4] = x[29] = -np.inf
    x[7, :6] = -np.inf
    x = layout(x)
    empty = np.all(x == -np.inf, axis=-1)
    weights = MASKED_SOFTMAX(x)
    assert not weights[empty].any() and empty.sum() == 2
    np.testing.assert_allclose(weights[~empty], exact_softmax(x[~empty]), rtol=1e-5)
    assert np.isnan(tg.softmax(x)[empty]).all()
    np.testing.assert_array_equal(tg.softmax(x)[~empty], weights[~empty])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", [np.ascontiguousarray, np.asfortranarray, lambda a: a[::-1]])
def test_the_gradient_of_softmax_in_one_go(layout, dtype, small_pieces):
    g, y = layout(drawn(50, 7, dtype=dtype)), layout(exact_softmax(drawn(50, 7)).astype(dtype))
    wide = [a.astype(np.float64) for a in (g, y)]
    wanted = (wide[0] - (wide[0] * wide[1]).sum(-1, keepdims=True)) * wide[1]
    found = SOFTMAX_SLOPE(g, y)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=8 * np.finfo(dtype).eps)
    for out in (np.empty_like(found), np.empty(found.shape, np.float64)):
        assert SOFTMAX_SLOPE.forward(g, y, out=out) is out
        np.testing.assert_allclose(out, wanted, rtol=0, atol=8 * np.finfo(dtype).eps)


def test_gradients_of_softmax_have_the_shape_of_its_result():
    with pytest.raises(tg.ShapeError, match="g and y have one shape"):
        SOFTMAX_SLOPE(np.ones((2, 3)), np.ones((3,)))


def test_softmax_of_nan_and_infinity_is_nan_in_their_rows_alone():
    x = drawn(5, 3)
    x[1, 1], x[2, 0] = np.nan, np.inf
    y = MASKED_SOFTMAX(x)
    assert np.isnan(y[1:3]).any(axis=-1).all()
    np.testing.assert_allclose(y[[0, 3, 4]], exact_softmax(x[[0, 3, 4]]), rtol=1e-5)


def test_the_causal_mask_is_made_once():
    mask = attention.causal_mask(3, 4, np.dtype(np.float32))
    np.testing.assert_array_equal(mask == 0, np.tri(3, 4, dtype=bool))
    assert mask is attention.causal_mask(3, 4, np.dtype(np.float32))
    with pytest.raises(ValueError, match="read-only"):
        mask[0] = 1


# ---- normalization -------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("offset", [0, 1e4])
def test_rows_are_normalized_as_any_axes_are(dtype, center, offset, small_pieces, monkeypatch):
    x = (drawn(50, 3, 8, dtype=np.float64) + offset).astype(dtype)
    g = drawn(50, 3, 8, dtype=dtype, seed=1)
    attrs = {"axis": (1, 2), "eps": 1e-5, "center": center}
    calls = (NORMALIZE, (x,)), (SLOPE, (g, x)), (INVERSE_STD, (x,))
    rows = [op(*given, **attrs) for op, given in calls]
    for (op, given), right in zip(calls, rows, strict=True):
        out = np.empty_like(right)
        op.into(out, *given, **attrs)
        np.testing.assert_array_equal(out, right)
    monkeypatch.setattr(standardize, "_as_rows", lambda x, axis: None)
    for (op, given), got in zip(calls, rows, strict=True):
        right = op(*given, **attrs)
        assert got.shape == right.shape and got.dtype == right.dtype == dtype
        np.testing.assert_allclose(got, right, rtol=30 * np.finfo(dtype).eps, atol=1e-6)


def test_the_gradient_of_normalize_has_one_shape():
    with pytest.raises(tg.ShapeError, match=r"normalize_slope: g and x have one shape.*\(2, 3\)"):
        SLOPE(drawn(3), drawn(2, 3))


@pytest.mark.parametrize("value", [0.1, 1234.567, -3e20])
def test_a_constant_row_is_normalized_to_zeros(value):
    x = np.full((600, 129), value, np.float32)
    np.testing.assert_array_equal(NORMALIZE(x), 0)
    np.testing.assert_allclose(INVERSE_STD(x), 1e-5**-0.5, rtol=1e-6)


# ---- smooth activations --------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_tanh_form_of_gelu_is_accurate_where_it_is_tiny(dtype):
    x = np.linspace(-5, 8, 4001).astype(dtype)
    u = 2 * np.sqrt(2 / np.pi) * (x.astype(np.longdouble) + 0.044715 * x.astype(np.longdouble) ** 3)
    exact = x / (1 + np.exp(-u))
    got = tg.gelu(tg.from_numpy(x), approximate="tanh").numpy()
    np.testing.assert_allclose(got, exact.astype(np.float64), rtol=100 * np.finfo(dtype).eps)


@pytest.mark.parametrize("name", ["gelu_exact", "normal_cdf"])
def test_float32_has_kernels_of_its_own_as_accurate_as_float64(name):
    op = tg.REGISTRY[name]
    x = np.concatenate([np.linspace(-12, 12, 5001), [0, 1e-30, -1e-30]]).astype(np.float32)
    np.testing.assert_allclose(op(x), op(x.astype(np.float64)), rtol=2e-5, atol=1e-45)
    ends = np.array([-np.inf, -1e30, 1e30, np.inf, np.nan], np.float32)
    wanted = [0, 0, 1e30, np.inf, np.nan] if name == "gelu_exact" else [0, 0, 1, 1, np.nan]
    np.testing.assert_array_equal(op(ends), np.float32(wanted))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(FEWEST - 1,), (FEWEST,), (40, 30), (2, 3, PIECE), (PIECE + 3,)])
def test_relu_does_not_depend_on_how_it_compares(shape, dtype):
    x = drawn(*shape, dtype=dtype)
    x.flat[::7], x.flat[3], x.flat[5] = -0.0, np.nan, -np.inf
    wanted = np.where(x != x, x, (x > 0) * np.nan_to_num(x, neginf=0))
    for given in (x, x.T):
        got = tg.relu(given)
        np.testing.assert_array_equal(got, wanted if given is x else wanted.T)
        assert not np.signbit(got[got == 0]).any() and got.strides == given.strides
        out = np.empty_like(got)
        tg.REGISTRY["relu"].into(out, given)
        assert out.tobytes() == got.tobytes()
    run = tg.compile(lambda x: (tg.relu(x), tg.relu(x * 2) * 1))
    for _ in range(2):
        one, two = run(x)
        assert one.data.tobytes() == tg.relu(x).tobytes()
        assert two.data.tobytes() == tg.relu(x * 2).tobytes()


def test_a_number_becomes_an_array_where_that_pays():
    piece = np.empty((2, FEWEST // 2), np.float32)
    array = constant(40, piece)
    assert array.shape == piece.shape and array.dtype == np.float32 and (array == 40).all()
    assert not array.flags.writeable
    for other in (piece[:1, 1:], piece.T, np.empty(PIECE + 1)):
        assert constant(40, other) == 40


def test_sigmoid_underflows_no_sooner_than_it_must():
    x = np.float32([-100, -103, -110])
    np.testing.assert_allclose(tg.sigmoid(x), np.exp(np.float64(x)), atol=1e-45)
    assert tg.sigmoid(x)[1] > 0


LAYOUTS = {
    "plain": lambda a: a,
    "transposed": lambda a: a.T,
    "with gaps": lambda a: a[:, ::2],
    "backwards": lambda a: a[::-1],
    "one number": lambda a: a[0, 0],
    "empty": lambda a: a[:0],
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("name", ["sigmoid", "softplus", "gelu_gate", "gelu_exact", "normal_cdf"])
def test_pieces_change_no_bit(name, layout, monkeypatch):
    x, op = layout(drawn(37, 50)), tg.REGISTRY[name]
    whole = op(x)
    monkeypatch.setattr(pieces, "PIECE", 64)
    np.testing.assert_array_equal(op(x), whole)
    if whole.ndim:
        for out in (np.empty(x.shape, x.dtype), np.empty(x.shape, np.float64)):
            assert op.forward(x, out=out) is out
            np.testing.assert_array_equal(out.astype(x.dtype), whole)


# ---- threads -------------------------------------------------------------------------------------

SLOW = ("sigmoid", "tanh", "softplus", "gelu_exact", "normal_cdf", "gelu_gate")


@pytest.fixture
def threads_used(monkeypatch):
    """Return the list of how many threads were asked for; two are to be had."""
    asked, share = [], pieces.share
    before = tg.get_num_threads()
    tg.set_num_threads(2)
    monkeypatch.setattr(
        pieces,
        "share",
        lambda work, count, threads: (asked.append(threads), share(work, count, threads)),
    )
    yield asked
    tg.set_num_threads(before)


@pytest.mark.parametrize("name", SLOW)
@pytest.mark.parametrize("dtype", DTYPES)
def test_threads_share_slow_ops_on_large_arrays_with_the_same_bits(name, dtype, threads_used):
    op = tg.REGISTRY[name]
    x = 4 * drawn(3, SHARED // 3 + 1, dtype=dtype)
    two = op(x)
    into = np.empty_like(x)
    op.into(into, x)
    tg.set_num_threads(1)
    one = op(x)
    assert two.tobytes() == one.tobytes() == into.tobytes()
    in_double = name in ("gelu_exact", "normal_cdf") and dtype == np.float64
    assert threads_used == ([] if in_double else [2, 2, 1])
    np.testing.assert_array_equal(op(x[1:, 5:9]), one[1:, 5:9])
    np.testing.assert_array_equal(op(x.T), one.T)


def test_cheap_ops_and_smaller_arrays_have_one_thread(threads_used):
    x = drawn(SHARED)
    tg.relu(x)
    tg.sigmoid(x[1:])
    tg.tanh(x[1:])
    assert threads_used == [1, 1]  # tanh of a smaller array is NumPy's own call


# ---- sums ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(300, 200), (40, 30, 128), (9, 1024), (5, 1025), (8200, 1)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_sums_of_rows_are_accurate(shape, keepdims):
    x = drawn(*shape) + 1
    got = sum_axes(x, (x.ndim - 1,), keepdims)
    exact = x.sum(axis=-1, dtype=np.float64, keepdims=keepdims)
    assert got.dtype == np.float32 and got.shape == exact.shape
    np.testing.assert_allclose(got, exact, rtol=1e-6)


def test_a_product_with_ones_adds_rows_that_lie_in_memory():
    x = drawn(100, 128)
    assert not adds_at_once(x, (1,)) and adds_at_once(x.astype(np.float64), (1,))
    assert adds_at_once(x[:, ::2], (1,))


@pytest.mark.parametrize("rows", [129, 255, 256, 5000])
def test_sums_over_rows_leave_none_out(rows):
    x = np.ones((rows, 40), np.float32)
    np.testing.assert_array_equal(sum_axes(x, (0,)), rows)


@pytest.mark.parametrize("rows", [2048, 128 * 128 + 5, 300_000])
def test_sums_over_rows_are_accurate(rows):
    x = drawn(rows, 16) + 3
    np.testing.assert_allclose(sum_axes(x, (0,)), x.sum(0, dtype=np.float64), rtol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(PIECE + 1,), (4, PIECE), (301, 2, 257), (1, 3 * PIECE + 9, 1)])
def test_all_numbers_of_an_array_are_added_in_pieces(shape, dtype):
    x = drawn(*shape, dtype=dtype) + dtype(1)
    axes = tuple(range(x.ndim))
    exact = math.fsum(x.ravel().tolist())
    for given in (x, x.T):
        assert adds_in_pieces(given, axes) and not adds_in_pieces(np.flip(given), axes)
        for keepdims in (False, True):
            got = sum_axes(given, axes, keepdims)
            assert got.dtype == dtype and np.shape(got) == ((1,) * x.ndim if keepdims else ())
            np.testing.assert_allclose(float(got.item()), exact, rtol=4 * np.finfo(dtype).eps)
    assert not adds_in_pieces(x.ravel()[:PIECE], (0,))


@pytest.mark.parametrize("axis", [0, 1])
def test_a_sum_with_infinities_does_not_warn(axis):
    x = np.ones((200, 100), np.float32)
    x[3, 5] = np.inf
    total = sum_axes(x, (axis,))
    assert np.isinf(total).sum() == 1 and not np.isnan(total).any()


# ---- products and copies into given memory -------------------------------------------------------


@pytest.mark.parametrize("out_dtype", DTYPES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(5, 3), (4, 5, 3), (0, 5, 3), (2, 0, 3)])
def test_linear_writes_where_it_is_told(shape, dtype, out_dtype):
    x, w, b = drawn(*shape, dtype=dtype), drawn(2, 3, seed=1), drawn(2, seed=2)
    wanted = x @ w.T + b
    got = LINEAR(x, w, b)
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)
    out = np.full(wanted.shape, np.nan, out_dtype)
    LINEAR.into(out, x, w, b)
    np.testing.assert_allclose(out, wanted, rtol=1e-5, atol=1e-6)
    turned = np.ascontiguousarray(np.swapaxes(x, 0, -2)).swapaxes(0, -2)
    np.testing.assert_allclose(LINEAR(turned, w, b), wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 0, 1), (1, 0, 2)])
def test_reshape_writes_where_it_is_told(axes):
    x = drawn(2, 3, 4).transpose(axes)
    for out in (np.empty((6, 4), np.float32), np.empty((4, 6), np.float32).T):
        RESHAPE.into(out, x, shape=(6, 4))
        np.testing.assert_array_equal(out, x.reshape(6, 4))


@pytest.mark.parametrize("shift", [1.5, drawn(4), drawn(3, 4), drawn(2, 3, 4), drawn(4, dtype="d")])
def test_scale_shift_broadcasts_as_its_formula(shift):
    x, scale = drawn(3, 4), drawn(4, seed=1)
    wanted = x * scale + shift
    got = SCALE_SHIFT(x, scale, shift)
    assert got.dtype == wanted.dtype
    np.testing.assert_array_equal(got, wanted)
    out = np.empty(wanted.shape, wanted.dtype)
    SCALE_SHIFT.into(out, x, scale, shift)
    np.testing.assert_allclose(out, wanted, rtol=1e-6)


# ---- relu ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float16, *DTYPES])
def test_the_factor_of_relus_rule_is_one_or_zero_in_the_dtype_of_the_values(dtype):
    x = np.array([np.nan, np.inf, -np.inf, -0.0, 0, np.finfo(dtype).tiny, 3, -3], dtype)
    factors = activation.positive(x)
    assert factors.dtype == dtype and factors.tolist() == [0, 1, 0, 0, 0, 1, 1, 0]
    tensors = activation.positive(tg.tensor(x))
    assert tensors.dtype == dtype and tensors.numpy().tobytes() == factors.tobytes()


@pytest.mark.parametrize("dtype", [np.float16, *DTYPES])
@pytest.mark.parametrize("rows", [1, FEWEST // 8 - 1, FEWEST // 8, PIECE // 8 + 1])
@pytest.mark.parametrize(
    "layout", [np.ascontiguousarray, np.asfortranarray, lambda a: a[::-1, ::2]]
)
def test_relu_is_right_at_every_size_and_so_are_its_replays(layout, rows, dtype):
    x = layout(drawn(rows, 8, dtype=dtype))
    x[0, :4] = np.nan, np.inf, -np.inf, -0.0
    if not x.flags.owndata:
        x = np.array(x)[:, ::-1]
    wanted = np.where(np.isnan(x), x, np.where(x > 0, x, np.zeros((), dtype)))
    relu = tg.compile(tg.relu)
    for y in (tg.relu(x), relu(x).numpy(), relu(x).numpy()):
        assert y.dtype == dtype
        np.testing.assert_array_equal(y, wanted)
    np.testing.assert_array_equal(np.signbit(tg.relu(x)), np.signbit(relu(x).numpy()))
