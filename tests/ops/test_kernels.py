"""Kernels of convolutions: each equals the plain one, however blocks fall, and bit by bit again."""

from __future__ import annotations

import contextvars
import itertools
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import tinygraph as tg
from conftest import FULL
from tinygraph.core.layout import channels_last, empty_channels_last, is_channels_last
from tinygraph.core.sums import sum_axes
from tinygraph.ops import conv_depthwise, conv_im2col, conv_slabs, kernels, winograd

CONV, TRANSPOSE, WEIGHT = (tg.REGISTRY[n] for n in ("conv", "conv_transpose", "conv_weight"))
ROUNDING = {np.float64: 1e-12, np.float32: 6e-6}
"""Largest error, as a part of the largest element."""


def error(got, wanted):
    wanted = np.asarray(wanted, np.float64)
    assert got.shape == wanted.shape
    return np.abs(got - wanted).max(initial=0) / max(np.abs(wanted).max(initial=0), 1e-30)


def drawn(*shape, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def in_layout(x, layout):
    if layout == "channels last":
        y = empty_channels_last(x.shape, x.dtype)
        np.copyto(y, x)
        return y
    return x[..., ::-1].copy()[..., ::-1] if layout == "backwards" else x


def triple(x, w, g, window):
    """The convolution of x and both gradients for g."""
    return [
        CONV(x, w, **window),
        TRANSPOSE(g, w, size=x.shape[2:], **window),
        WEIGHT(x, g, kernel_size=w.shape[2:], **window),
    ]


def convolutions(log):
    """Which kernel ran for each op on windows."""
    return {job.op: name for job, name in log.entries if isinstance(job, kernels.Job)}


def case(batch, channels, outputs, size, kernel, window, seed=0):
    """Operands in float64: x, w and g, and the triple by the plain kernel."""
    x = drawn(batch, channels, *size, seed=seed)
    w = drawn(outputs, channels // window.get("groups", 1), *kernel, seed=seed + 1)
    with tg.kernels.use("plain"):
        g = drawn(*CONV(x, w, **window).shape, seed=seed + 2)
        return x, w, g, triple(x, w, g, window)


def compare(kernel, operands, window, dtype, layout="usual"):
    x, w, g, wanted = operands
    x, w, g = (a.astype(dtype) for a in (x, w, g))
    with tg.kernels.use(kernel), tg.kernels.watch() as log:
        found = triple(in_layout(x, layout), w, in_layout(g, layout), window)
    assert list(convolutions(log).values()) == [kernel] * 3
    for got, right in zip(found, wanted, strict=True):
        assert got.dtype == dtype
        assert error(got, right) < ROUNDING[dtype]


WINDOWS = [
    {"stride": s, "padding": p, "dilation": d}
    for s, p, d in itertools.product((1, 2, (3, 1)), (0, ((1, 2), (0, 3)), 4), (1, (2, 1)))
]
SHAPES = [
    # batch, channels, outputs, size, kernel, groups: few and many channels, with and without groups
    (3, 2, 4, (9, 8), (3, 3), 1),
    (2, 12, 5, (7, 9), (1, 2), 1),
    (1, 18, 4, (6, 7), (3, 1), 2),
    (2, 4, 8, (7, 6), (2, 2), 4),
]


@pytest.mark.parametrize("block", [2**18, 40], ids=["one block", "many blocks"])
@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_im2col(shape, window, block, monkeypatch):
    monkeypatch.setattr(conv_im2col, "BLOCK", block)
    *sizes, groups = shape
    window = {**window, "groups": groups}
    operands = case(*sizes, window)
    compare("im2col", operands, window, np.float64)
    compare("im2col", operands, window, np.float32, "channels last")


@pytest.mark.parametrize("block", [2**16, 40], ids=["one block", "many blocks"])
@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_depthwise(window, block, monkeypatch):
    monkeypatch.setattr(conv_depthwise, "BLOCK", block)
    window = {**window, "groups": 5}
    operands = case(3, 5, 5, (9, 8), (3, 2), window)
    compare("depthwise", operands, window, np.float64)
    compare("depthwise", operands, window, np.float32, "channels last")
    line = {"stride": 2, "padding": 2, "groups": 3}
    compare("depthwise", case(2, 3, 3, (9,), (4,), line), line, np.float64)


@pytest.mark.parametrize("channels", [3, 25])
@pytest.mark.parametrize("window", [{}, {"stride": 2, "padding": 2}, {"dilation": 3}], ids=str)
def test_im2col_along_a_line(channels, window):
    for layout in ("usual", "channels last", "backwards"):
        operands = case(4, channels, 5, (20,), (5,), window)
        compare("im2col", operands, window, np.float64, layout)


LINES = [
    {"stride": s, "padding": p} for s, p in itertools.product((1, 2, 3, 7), (0, 2, ((0, 4),), 9))
]


@pytest.mark.parametrize("block", [2**17, 100], ids=["one block", "many blocks"])
@pytest.mark.parametrize("window", LINES, ids=str)
@pytest.mark.parametrize("kernel", [1, 4, 5])
def test_slabs(kernel, window, block, monkeypatch):
    monkeypatch.setattr(conv_slabs, "BLOCK", block)
    for channels, length in ((1, 11), (3, 20)):
        operands = case(6, channels, 5, (length,), (kernel,), window)
        for layout in ("usual", "channels last", "backwards"):
            compare("slabs", operands, window, np.float64, layout)
        compare("slabs", operands, window, np.float32, "channels last")


def test_slabs_add_up_long_lines_accurately():
    x = drawn(40, 1, 20_000, dtype=np.float32) + np.float32(3)
    g = np.ones((40, 1, 20_000), np.float32)
    with tg.kernels.use("slabs"):
        found = WEIGHT(x, g, kernel_size=1)
    np.testing.assert_allclose(found[0, 0, 0], x.sum(dtype=np.float64), 1e-6)


SIZES = [(4, 4), (6, 7), (9, 5), (3, 3), (13, 10)] + [(17, 22), (3, 40), (28, 28)] * FULL


@pytest.mark.parametrize("blocks", [None, (16, 32), (2048, 24)], ids=["usual", "few", "across"])
@pytest.mark.parametrize("padding", [0, 1, ((0, 1), (2, 0)), 2, ((3, 0), (5, 1))], ids=str)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_winograd(size, padding, blocks, monkeypatch):
    if blocks is not None:
        monkeypatch.setattr(winograd, "ROW", blocks[0])
        monkeypatch.setattr(winograd, "BLOCK", blocks[1])
    for batch, channels, outputs in [(5, 4, 6), (1, 9, 3), (2, 1, 2)]:
        window = {"padding": padding}
        operands = case(batch, channels, outputs, size, (3, 3), window)
        for layout in ("usual", "channels last"):
            compare("winograd", operands, window, np.float32, layout)


@pytest.mark.parametrize("channels", [16, 64, 256])
def test_the_accuracy_of_winograd(channels):
    """About a digit less than products in float32, of any number of channels."""
    window = {"padding": 1}
    operands = case(2, channels, 16, (14, 14), (3, 3), window)
    compare("winograd", operands, window, np.float32)


def test_the_three_are_adjoint_in_float32():
    """⟨conv(x, w), g⟩ = ⟨x, conv_transpose(g, w)⟩ = ⟨w, conv_weight(x, g)⟩, whoever computes."""
    x, w = drawn(8, 16, 12, 12, dtype=np.float32), drawn(24, 16, 3, 3, dtype=np.float32, seed=1)
    g = drawn(8, 24, 12, 12, dtype=np.float32, seed=2)
    for kernel in tg.kernels.KERNELS:
        with tg.kernels.use(kernel):
            y, dx, dw = triple(x, w, g, {"padding": 1})
        products = [np.vdot(a.astype(np.float64), b) for a, b in ((y, g), (x, dx), (w, dw))]
        scale = np.linalg.norm(y) * np.linalg.norm(g)
        assert np.ptp(products) < 1e-6 * scale


@pytest.mark.parametrize("groups", [1, 8])
@pytest.mark.parametrize("kernel", tg.kernels.KERNELS)
def test_a_bias_is_added_by_every_kernel(kernel, groups):
    shapes = ((3, 8, 9, 10), (8, 8 // groups, 3, 3), (8,))
    x, w, b = (drawn(*s, dtype=np.float32) for s in shapes)
    with tg.kernels.use("plain"):
        wide = (a.astype(np.float64) for a in (x, w))
        wanted = CONV(*wide, padding=1, groups=groups) + b[:, None, None]
    with tg.kernels.use(kernel):
        got = tg.REGISTRY["conv_bias"](x, w, b, padding=1, groups=groups)
    assert error(got, wanted) < ROUNDING[np.float32]


@pytest.mark.parametrize("kernel", tg.kernels.KERNELS)
def test_equal_calls_give_equal_bits_into_any_memory(kernel):
    window = {"padding": 1}
    x, w, g, _ = case(4, 16, 8, (10, 9), (3, 3), window)
    x, w, g = (a.astype(np.float32) for a in (x, w, g))
    attrs = {"stride": (1, 1), "padding": ((1, 1), (1, 1)), "dilation": (1, 1), "groups": 1}
    with tg.kernels.use(kernel):
        first = triple(x, w, g, window)
        for layout in ("usual", "channels last", "backwards"):
            again = triple(in_layout(x, layout), w, in_layout(g, layout), window)
            for a, b in zip(first, again, strict=True):
                assert kernel == "plain" or np.array_equal(a, b)
            outs = [in_layout(np.full_like(a, np.nan), layout) for a in first]
            CONV.into(outs[0], x, w, **attrs)
            TRANSPOSE.into(outs[1], g, w, size=(10, 9), **attrs)
            WEIGHT.into(outs[2], x, g, kernel_size=(3, 3), **attrs)
            for a, b in zip(first, outs, strict=True):
                assert np.array_equal(a, b)


def test_results_have_the_channels_last_in_memory():
    x, w = drawn(2, 3, 8, 7, dtype=np.float32), drawn(4, 3, 3, 3, dtype=np.float32)
    y = CONV(x, w)
    assert y.shape == (2, 4, 6, 5) and y.transpose(2, 3, 0, 1).flags.c_contiguous
    assert tg.relu(y).strides == y.strides  # elementwise ops pass it on
    z = channels_last(y)
    assert np.shares_memory(y, z) and z.shape == (6, 5, 2, 4)
    for a in (x, x[:, ::2], drawn(0, 3, 4, 4), drawn(3, 5, 33)):
        turned = channels_last(a)
        assert turned.flags.c_contiguous and not np.shares_memory(turned, a)
        assert np.array_equal(turned, np.moveaxis(a, (0, 1), (-2, -1)))


def test_pooling_and_reshape_read_and_keep_channels_last():
    """The same values and gradients as of the usual memory; gradients may come in either."""
    F = tg.nn.functional
    x = drawn(5, 3, 8, 6)
    pools = [
        lambda t: F.max_pool2d(t, 2),
        lambda t: F.max_pool2d(t, 3, 2, 1),
        lambda t: F.max_pool2d(t, (2, 3), dilation=(2, 1)),
        lambda t: F.avg_pool2d(t, 2),
        lambda t: F.adaptive_avg_pool2d(t, 3),
        lambda t: t.reshape(5, 144),
        lambda t: t.reshape(5, 9, 16),
        lambda t: t.reshape(15, 48),
        lambda t: t.reshape(5, 3, 48),
        lambda t: t.reshape(5, 3, 8, 3, 2),
    ]
    for pool in pools:
        wanted, found = (tg.tensor(x, requires_grad=True) for _ in range(2))
        found = tg.from_numpy(in_layout(x, "channels last"))
        found.requires_grad = True
        y, z = pool(wanted), pool(found)
        np.testing.assert_array_equal(y.data, z.data)
        g = drawn(*y.shape, seed=1)
        y.backward(g)
        z.backward(in_layout(g, "channels last") if g.ndim > 2 else g)
        np.testing.assert_array_equal(wanted.grad, found.grad)
    y = F.max_pool2d(found, 2)
    assert is_channels_last(y.data)
    (gradient,) = tg.grad(y, [found], drawn(*y.shape))
    assert is_channels_last(gradient.data)


@pytest.mark.parametrize("shape", [(300, 7, 10, 20), (64, 10, 28, 28), (2000, 25, 3)])
def test_sums_by_channel_are_accurate_in_both_layouts(shape):
    x = drawn(*shape, dtype=np.float32) + np.float32(3)
    axes = (0, *range(2, x.ndim))
    wanted = x.astype(np.float64).sum(axes)
    for layout in ("usual", "channels last", "backwards"):
        for keepdims in (False, True):
            got = sum_axes(in_layout(x, layout), axes, keepdims)
            assert got.dtype == np.float32 and got.ndim == (x.ndim if keepdims else 1)
            np.testing.assert_allclose(got.reshape(-1), wanted, 1e-6)


@pytest.mark.parametrize("name", ["repack", "reshape"])
@pytest.mark.parametrize("source", ["usual", "channels last", "backwards"])
@pytest.mark.parametrize("target", ["usual", "channels last", "backwards"])
def test_copies_into_another_layout(name, source, target):
    x = in_layout(drawn(6, 5, 7, 4, dtype=np.float32), source)
    attrs, shape = ({"shape": (6, 140)}, (6, 140)) if name == "reshape" else ({}, x.shape)
    for dtype in (np.float32, np.float64):
        out = np.empty(shape, dtype)
        if target == "backwards" or name == "repack":
            out = in_layout(out, target)
        assert tg.REGISTRY[name].forward(x, out=out, **attrs) is out
        np.testing.assert_array_equal(out, x.reshape(shape))


def name_of(shape, weight, dtype=np.float32, **window):
    with tg.kernels.watch() as log:
        CONV(np.zeros(shape, dtype), np.zeros(weight, dtype), **window)
    return log.entries[0][1]


def test_the_choice():
    image = (8, 16, 28, 28)
    assert name_of(image, (32, 16, 3, 3), padding=1) == "winograd"
    assert name_of(image, (32, 16, 3, 3), np.float64, padding=1) == "im2col"
    assert name_of(image, (32, 16, 5, 5)) == "im2col"
    assert name_of(image, (32, 16, 3, 3), stride=2) == "im2col"
    assert name_of(image, (32, 16, 3, 3), dilation=2) == "im2col"
    assert name_of(image, (32, 8, 3, 3), groups=2) == "im2col"
    assert name_of(image, (16, 1, 3, 3), groups=16) == "depthwise"
    assert name_of(image, (32, 1, 3, 3), groups=16) == "im2col"  # two kernels for each channel
    assert name_of((8, 1, 28, 28), (32, 1, 3, 3)) == "im2col"  # too thin
    assert name_of((1, 16, 28, 28), (32, 16, 3, 3)) == "im2col"
    assert name_of((8, 16, 7, 7), (32, 16, 3, 3)) == "im2col"  # 5 × 5 fills its tiles badly
    assert name_of((1, 256, 14, 14), (256, 256, 3, 3)) == "im2col"  # few tiles for many kernels
    assert name_of(image, (32, 16, 3, 3), np.float16) == "plain"
    assert name_of((0, 16, 28, 28), (32, 16, 3, 3)) == "im2col"
    line, weight = (32, 16, 40), (32, 16, 5)
    assert name_of(line, weight, stride=2) == name_of(line, weight, np.float64) == "slabs"
    assert name_of((31, 16, 40), weight) == "im2col"  # a small batch
    assert name_of((32, 64, 40), (32, 64, 5)) == "im2col"
    assert name_of(line, (32, 16, 1)) == "im2col"
    assert name_of(line, weight, dilation=2) == "im2col"
    assert name_of(line, (32, 8, 5), groups=2) == "im2col"
    assert name_of(line, weight, np.float16) == "plain"
    assert name_of((0, 16, 40), weight) == "im2col"
    with tg.kernels.use("winograd"):  # wherever it can
        assert name_of((1, 1, 4, 4), (1, 1, 3, 3)) == "winograd"
        assert name_of((1, 1, 4, 4), (1, 1, 2, 2)) == "im2col"
        assert name_of(image, (16, 1, 3, 3), groups=16) == "im2col"
        with tg.kernels.use("slabs"):
            assert name_of((1, 16, 40), weight) == "slabs"
            assert name_of(image, (32, 16, 3, 3)) == "im2col"
        with tg.kernels.use("plain"):
            assert name_of(image, (32, 16, 3, 3)) == "plain"
        with tg.kernels.use("auto"):
            assert name_of((1, 1, 4, 4), (1, 1, 3, 3)) == "im2col"


def test_the_choice_for_gradients_along_a_line():
    x, w = (tg.ones(*shape, requires_grad=True) for shape in ((32, 4, 20), (8, 4, 3)))
    for stride, spread in ((1, "im2col"), (2, "slabs")):
        with tg.kernels.watch() as log:
            CONV(x, w, stride=stride).sum().backward()
        assert convolutions(log) == {
            "conv": "slabs",
            "conv_weight": "slabs",
            "conv_transpose": spread,
        }


def test_a_forced_kernel_holds_for_its_block_and_context_only():
    def inside():
        return name_of((1, 1, 4, 4), (1, 1, 2, 2))

    fresh = contextvars.copy_context()
    with pytest.raises(ValueError, match="out of range"), tg.kernels.use("plain"):
        assert inside() == "plain" and fresh.run(inside) == "im2col"
        raise ValueError("out of range")
    assert inside() == "im2col"
    with pytest.raises(tg.UsageError, match="'slabs', received 'fft'"), tg.kernels.use("fft"):
        pass


def test_the_log_as_text():
    model = tg.nn.Conv2d(4, 8, 3, padding=1) >> tg.nn.Conv1d(8, 2, 2, 2, groups=2, dilation=3)
    with tg.kernels.watch() as log:
        assert repr(log) == "nothing ran that has several kernels"
        x = model[0](tg.ones(32, 4, 12, 12))
        model[0](tg.ones(32, 4, 12, 12))
        model[1](tg.ones(3, 8, 9)).sum().backward()
    assert x.shape == (32, 8, 12, 12)
    assert repr(log).splitlines() == [
        "winograd  conv: 32 × 4 → 8 channels, 12×12 → 12×12, kernel 3×3, float32  (2 times)",
        "im2col    conv: 3 × 8 → 2 channels, 9 → 3, kernel 2, stride 2, dilation 3, 2 groups, "
        "float32",
        "at once   sum: (3, 2, 3) over (0, 1, 2), in memory (2, 0, 1), float32",
        "im2col    conv_weight: 3 × 8 → 2 channels, 9 → 3, kernel 2, stride 2, dilation 3, "
        "2 groups, float32",
        "at once   sum: (3, 2, 3) over (0, 2), float32",
    ]


def test_the_log_lists_sums_and_ops_on_rows():
    x = drawn(40, 9, 16, dtype=np.float32)
    with tg.kernels.watch() as log:
        block = tg.nn.LayerNorm(16) >> tg.nn.Softmax(axis=-1)
        y = block(tg.tensor(x, requires_grad=True))
        (y * y).sum((0, 1)).sum().backward()
        tg.softmax(x, axis=1)
        tg.softmax(x[:, ::2])
        tg.sum(x.astype(np.float64), axis=0)
    assert repr(log).splitlines() == [
        "in pieces  normalize: (40, 9, 16) over (2,), float32",
        "in pieces  softmax: (40, 9, 16) over (2,), float32",
        "all rows   sum: (40, 9, 16) over (0, 1), float32  (3 times)",
        "at once    sum: (16,) over (0,), float32",
        "in pieces  softmax_slope: (40, 9, 16) over (2,), float32",
        "in pieces  normalize_slope: (40, 9, 16) over (2,), float32",
        "plain      softmax: (40, 5, 16) over (2,), float32",
        "at once    sum: (40, 9, 16) over (0,), float64",
    ]
    with tg.kernels.watch() as later:
        pass
    assert not later.entries


def test_training_with_either_kernel_is_the_same_to_rounding():
    def gradients(kernel):
        tg.manual_seed(0)
        model = tg.nn.ResBlock(8, 16) >> tg.nn.Flatten() >> tg.nn.Linear(16 * 64, 3)
        x = tg.tensor(drawn(16, 8, 8, 8, dtype=np.float32), requires_grad=True)
        with tg.kernels.use(kernel), tg.kernels.watch() as log:
            tg.nn.functional.cross_entropy(model(x), np.arange(16) % 3).backward()
        assert kernel in {name for _, name in log.entries}
        return [x.grad, *[p.grad for p in model.parameters()]]

    wanted = gradients("plain")
    for kernel in ("im2col", "winograd"):
        for a, b in zip(gradients(kernel), wanted, strict=True):
            assert error(a, b) < 1e-4


def test_rounding_in_the_blocks_of_several_threads_is_that_of_one():
    """Scratch memory belongs to a call: threads do not disturb each other."""
    x, w = drawn(8, 16, 20, 20, dtype=np.float32), drawn(8, 16, 3, 3, dtype=np.float32, seed=1)
    with tg.kernels.watch() as log:
        wanted = CONV(x, w, padding=1)
    assert log.entries[0][1] == "winograd"
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: CONV(x, w, padding=1), range(40)))
    assert all(np.array_equal(y, wanted) for y in found)
