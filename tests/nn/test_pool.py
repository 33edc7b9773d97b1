"""Pooling and up-sampling: sizes, ties, borders, nan, dtypes, and errors that name the path."""

from __future__ import annotations

import numpy as np
import pytest
from op_samples import REFERENCES

import tinygraph as tg
from tinygraph import nn

F = nn.functional
FLOATS = (np.float32, np.float64)


def draw(*shape, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


# ---- the layers compute what the functions are proven to -----------------------------------------

PLAIN = (None, 0, 1, False, False, True)
LAYERS = [
    (nn.MaxPool1d(3, 2, 1), "max_pool1d", (3, 2, 1), (4, 9)),
    (nn.MaxPool2d((3, 2), 1, dilation=2), "max_pool2d", ((3, 2), 1, 0, 2), (4, 9, 8)),
    (nn.AvgPool1d(3, 2, 1, True, False), "avg_pool1d", (3, 2, 1, 1, True, False, False), (4, 9)),
    (nn.AvgPool2d(2, divisor_override=3), "avg_pool2d", (2, *PLAIN, 3), (4, 6, 7)),
    (nn.AdaptiveAvgPool1d(4), "adaptive_avg_pool1d", (4,), (3, 9)),
    (nn.AdaptiveAvgPool2d((4, None)), "adaptive_avg_pool2d", ((4, None),), (3, 6, 5)),
    (nn.AdaptiveMaxPool1d(4), "adaptive_max_pool1d", (4,), (3, 9)),
    (nn.AdaptiveMaxPool2d(2), "adaptive_max_pool2d", (2,), (3, 5, 6)),
    (nn.Upsample(scale_factor=3), "interpolate", (None, 3), (3, 4)),
    (nn.Upsample((5, 7), mode="bilinear"), "interpolate", ((5, 7), None, "bilinear"), (3, 4, 4)),
]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("batch", [0, 1, 3])
@pytest.mark.parametrize("layer, name, arguments, shape", LAYERS, ids=lambda v: repr(v)[:40])
def test_layers(layer, name, arguments, shape, batch, dtype):
    x = draw(batch, *shape, dtype=dtype)
    expected = REFERENCES[name](x, *arguments)
    for mode in ("train", "eval"):
        y = getattr(layer, mode)()(tg.tensor(x, requires_grad=True))
        assert y.dtype == dtype
        np.testing.assert_allclose(y.data, expected, 1e-5 if dtype == np.float32 else 1e-12, 1e-6)
        y.sum().backward()
    assert not list(layer.parameters()) and not layer.state_dict()


def test_maps_without_a_batch_axis():
    x = draw(3, 8, 6)
    for layer in (nn.MaxPool2d(2), nn.AvgPool2d(3, 2, 1), nn.AdaptiveAvgPool2d(3),
                  nn.AdaptiveMaxPool2d(3)):  # fmt: skip
        np.testing.assert_array_equal(layer(x), layer(x[None])[0])
    for layer in (nn.MaxPool1d(2), nn.AvgPool1d(3, 2, 1), nn.AdaptiveAvgPool1d(3)):
        np.testing.assert_array_equal(layer(x[0]), layer(x[:1])[0])


# ---- maxima --------------------------------------------------------------------------------------


def test_a_tie_gives_its_gradient_to_the_first():
    x = tg.tensor(np.ones((1, 1, 4, 4)), requires_grad=True)
    F.max_pool2d(x, 2).sum().backward()
    np.testing.assert_array_equal(x.grad[0, 0], [[1, 0, 1, 0], [0] * 4, [1, 0, 1, 0], [0] * 4])
    x.grad = None
    F.max_pool2d(x, 3, 1).sum().backward()  # windows share elements: the shares add up
    np.testing.assert_array_equal(x.grad[0, 0, :2, :2], np.ones((2, 2)))
    assert x.grad.sum() == 4
    x.grad = None
    F.adaptive_max_pool2d(x, 2).sum().backward()
    np.testing.assert_array_equal(x.grad[0, 0, ::2, ::2], np.ones((2, 2)))


def test_the_border_never_wins():
    x = -1 - np.abs(draw(2, 3, 5, 5))
    y = F.max_pool2d(x, 3, 1, 1)
    assert y.max() < -1 and y.shape == x.shape
    whole = np.arange(-6, 0).reshape(1, 6)
    np.testing.assert_array_equal(F.max_pool1d(whole, 3, 2, 1), [[-5, -3, -1]])


def test_nan_wins_and_stays_in_its_windows():
    x = draw(1, 6)
    x[0, 2] = np.nan
    t = tg.tensor(x, requires_grad=True)
    y = F.max_pool1d(t, 2)
    assert np.isnan(y.data[0, 1]) and np.isfinite(y.data[0, ::2]).all()
    y[0, 0].backward()
    assert np.isfinite(t.grad).all()


def test_places_of_the_maxima():
    x = draw(2, 3, 7, 8)
    for options in ({}, {"padding": 1}, {"dilation": 2, "stride": 1}, {"ceil_mode": True}):
        y, places = F.max_pool2d(tg.tensor(x), 3, return_indices=True, **options)
        assert places.dtype == np.int64
        found = np.take_along_axis(x.reshape(2, 3, -1), places.data.reshape(2, 3, -1), -1)
        np.testing.assert_array_equal(y.data, found.reshape(y.shape))
    y, places = nn.AdaptiveMaxPool1d(3, return_indices=True)(x[0, 0])
    np.testing.assert_array_equal(y, np.take_along_axis(x[0, 0], places, -1))


def test_the_size_of_the_result():
    """⌊(n + 2p − d(k − 1) − 1) / s⌋ + 1 windows, counted one by one."""
    for n in range(4, 12):
        for k, s, p, d in [(2, 2, 0, 1), (3, 1, 1, 1), (3, 2, 1, 1), (2, 3, 0, 2), (3, 2, 2, 2)]:
            x = tg.zeros(1, n)
            count = sum(1 for i in range(-p, n + p, s) if i + d * (k - 1) < n + p)
            assert F.max_pool1d(x, k, s, p, d).shape == (1, count)
            assert count == (n + 2 * p - d * (k - 1) - 1) // s + 1


@pytest.mark.parametrize("n", range(1, 9))
def test_rounded_up_no_element_is_left_out(n):
    x = tg.tensor(draw(1, n), requires_grad=True)
    F.avg_pool1d(x, 2, ceil_mode=True).sum().backward()
    assert (x.grad > 0).all()
    np.testing.assert_allclose(F.avg_pool1d(np.ones((1, n)), 2, ceil_mode=True), 1)


# ---- means and interpolation ---------------------------------------------------------------------


def test_means_of_a_constant_are_that_constant():
    x = np.full((1, 2, 9, 7), 0.3)
    for y in (
        F.avg_pool2d(x, 3, 2), F.avg_pool2d(x, 3, 2, 1, count_include_pad=False),
        F.adaptive_avg_pool2d(x, (4, 5)),
        *[F.interpolate(x, (13, 5), mode=m)
          for m in ("nearest", "nearest-exact", "area", "bilinear", "bicubic")],
    ):  # fmt: skip
        np.testing.assert_allclose(y, 0.3, 1e-12)


def test_adaptive_means_keep_the_sum_where_windows_do_not_overlap():
    x = draw(2, 3, 6, 8)
    y = F.adaptive_avg_pool2d(x, (3, 2))
    np.testing.assert_allclose(y.mean((-1, -2)), x.mean((-1, -2)), 1e-12)
    np.testing.assert_allclose(F.adaptive_avg_pool2d(x, 1)[..., 0, 0], x.mean((-1, -2)), 1e-12)


def test_smooth_modes_keep_straight_lines():
    line = np.arange(5.0).reshape(1, 1, 5)
    y = F.interpolate(line, 9, mode="linear", align_corners=True)
    np.testing.assert_allclose(y[0, 0], np.arange(9) / 2, atol=1e-12)
    inner = F.interpolate(line, scale_factor=2, mode="linear")[0, 0, 1:-1]
    np.testing.assert_allclose(np.diff(inner), 0.5, 1e-12)


def test_up_and_down_again_is_the_identity():
    x = draw(2, 3, 4, 5)
    for mode in ("nearest", "nearest-exact"):
        np.testing.assert_allclose(F.avg_pool2d(F.interpolate(x, scale_factor=3, mode=mode), 3), x)


def test_integers_stay_integers_where_elements_are_chosen_and_become_floats_in_means():
    x = tg.tensor(np.arange(16).reshape(1, 1, 4, 4))
    for y in (F.max_pool2d(x, 2, 1, 1), F.interpolate(x, scale_factor=2), F.interpolate(x, 3)):
        assert y.dtype == x.dtype
    assert F.max_pool2d(x, 2).data.tolist() == [[[[5, 7], [13, 15]]]]
    for y in (F.avg_pool2d(x, 2), F.adaptive_avg_pool2d(x, 3), F.adaptive_avg_pool2d(x, 1),
              F.interpolate(x, 3, mode="bilinear")):  # fmt: skip
        assert y.dtype == np.float32


def test_readable():
    assert repr(nn.MaxPool2d(2)) == (
        "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)"
    )
    assert repr(nn.AvgPool1d(3, 1)) == "AvgPool1d(kernel_size=3, stride=1, padding=0)"
    assert repr(nn.AdaptiveAvgPool2d((1, None))) == "AdaptiveAvgPool2d(output_size=(1, None))"
    assert repr(nn.Upsample(scale_factor=2.0)) == "Upsample(scale_factor=2.0, mode='nearest')"
    assert repr(nn.Upsample((2, 3), mode="area")) == "Upsample(size=(2, 3), mode='area')"


def test_the_graph_shows_how_a_maximum_is_found():
    x = tg.tensor(draw(1, 1, 4, 4), requires_grad=True)
    (g,) = tg.grad(F.max_pool2d(x, 2).sum(), [x], create_graph=True)
    names = [n.op.name for n in tg.graph(g).nodes if n.op]
    assert {"max_windows", "argmax_windows", "place_windows"} <= set(names)


# ---- bad input -----------------------------------------------------------------------------------


class Net(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.features = nn.Identity() >> layer

    def forward(self, x):
        return self.features(x)


@pytest.mark.parametrize(
    "layer, x, words",
    [
        (nn.MaxPool2d(2), tg.ones(4, 4), r"\(N, C, H, W\).*\(4, 4\).*x\[None\]"),
        (nn.MaxPool2d(2), tg.ones(1, 1, 1, 4, 4), r"\(C, H, W\).*\(1, 1, 1, 4, 4\)"),
        (nn.AvgPool1d(2), tg.ones(4), r"\(N, C, L\).*\(4,\)"),
        (nn.MaxPool2d(5), tg.ones(1, 4, 6), r"\(5, 5\).*\(1, 4, 6\).*kernel_size"),
        (nn.MaxPool1d(2, dilation=4), tg.ones(1, 4), r"\(5,\)"),
        (nn.AvgPool2d(2, ceil_mode=True), tg.ones(1, 0, 4), r"\(1, 0, 4\)"),
        (nn.AdaptiveAvgPool2d(1), tg.ones(1, 3, 0), "empty"),
        (nn.AdaptiveMaxPool2d(1), tg.ones(3), r"\(3,\)"),
        (nn.Upsample(scale_factor=2, mode="bilinear"), tg.ones(1, 1, 4), r"bilinear.*\(1, 1, 4\)"),
        (nn.Upsample(8, mode="linear"), tg.ones(1, 1, 4, 4), "mode='bilinear'"),
        (nn.Upsample(8), tg.ones(1, 4), r"x\[None\]"),
        (nn.Upsample(scale_factor=0.2), tg.ones(1, 1, 4), "at least one element.*scale_factor"),
        (nn.MaxPool2d(2), "a text", "str"),
        (nn.AdaptiveAvgPool1d(2), None, "NoneType"),
    ],
)
def test_bad_inputs_name_the_place(layer, x, words):
    with pytest.raises(tg.TinygraphError, match=words + ".*In module features.1"):
        Net(layer)(x)


@pytest.mark.parametrize(
    "build, words",
    [
        (lambda: nn.MaxPool2d(0), "kernel_size.*from 1 on.*0"),
        (lambda: nn.MaxPool2d(2.0), "kernel_size.*2.0"),
        (lambda: nn.MaxPool2d((2, 2, 2)), "2 windowed axes"),
        (lambda: nn.MaxPool1d((2, 2)), "1 windowed axes"),
        (lambda: nn.MaxPool2d(3, 0), "stride"),
        (lambda: nn.MaxPool2d(3, padding=2), "half.*padding=2.*padding=1"),
        (lambda: nn.AvgPool2d(2, padding=-1), "padding.*from 0 on"),
        (lambda: nn.MaxPool2d(3, dilation=0), "dilation"),
        (lambda: nn.MaxPool2d(3, ceil_mode=1), "ceil_mode.*True or False"),
        (lambda: nn.MaxPool2d(3, return_indices="yes"), "return_indices"),
        (lambda: nn.AvgPool2d(3, count_include_pad=None), "count_include_pad"),
        (lambda: nn.AvgPool2d(3, divisor_override=0), "other than 0"),
        (lambda: nn.AdaptiveAvgPool2d(0), "output_size.*0"),
        (lambda: nn.AdaptiveAvgPool2d((1, 2, 3)), "2 axes"),
        (lambda: nn.AdaptiveMaxPool1d(2, return_indices=2), "return_indices"),
        (lambda: nn.Upsample(), "either size or scale_factor"),
        (lambda: nn.Upsample(2, 2), "either size or scale_factor"),
        (lambda: nn.Upsample(0), "size.*from 1 on"),
        (lambda: nn.Upsample(2.5), "size.*2.5"),
        (lambda: nn.Upsample(scale_factor=-1), "positive"),
        (lambda: nn.Upsample(scale_factor=float("inf")), "positive"),
        (lambda: nn.Upsample(2, mode="cubic"), "'bicubic'.*'cubic'"),
        (lambda: nn.Upsample(2, align_corners=True), "leave it out"),
        (lambda: nn.Upsample(2, mode="linear", align_corners=3), "align_corners.*3"),
        (lambda: F.interpolate(tg.ones(1, 1, 4), (2, 3)), "size.*1 axes"),
        (lambda: F.interpolate(tg.ones(1, 1, 4), 3, recompute_scale_factor=True), "not with size"),
    ],
)
def test_wrong_arguments(build, words):
    with pytest.raises(tg.UsageError, match=words):
        build()


@pytest.mark.parametrize(
    "call",
    [
        lambda op: op["place_windows"](tg.ones(2), np.zeros(3, int), size=4, kernel_size=2),
        lambda op: op["place_windows"](tg.ones(2), np.zeros(2, int), size=4, kernel_size=2),
        lambda op: op["spread_windows"](tg.ones(2), size=4, kernel_size=2),
        lambda op: op["sum_windows"](tg.ones(2), kernel_size=3),
        lambda op: op["max_windows"](tg.ones(2), kernel_size=(1, 1)),
    ],
)
def test_windows_that_do_not_fit(call):
    with pytest.raises(tg.ShapeError, match="window"):
        call(tg.REGISTRY)
