"""Plots of models: ranges, weights, filters, images, attention maps, gradient flow."""

from __future__ import annotations

import numpy as np
import pytest

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

import tinygraph as tg  # noqa: E402
from tinygraph import nn, plots  # noqa: E402
from tinygraph.plots.canvas import STYLE, power  # noqa: E402

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 2)).astype(np.float32)


def texts(ax):
    return [t.get_text() for t in ax.texts]


def ticks(axis):
    return [t.get_text() for t in axis.get_ticklabels()]


# ---- ranges --------------------------------------------------------------------------------------


def test_ranges_are_those_of_the_outputs():
    tg.manual_seed(0)
    model = nn.MLP([2, 4, 1])
    ax = plots.activation_ranges(model, X, title="untrained")
    outputs = [model[0](X).data, model[:2](X).data, model(X).data]
    assert ticks(ax.yaxis) == ["0 Linear", "1 ReLU", "2 Linear"]
    spans = [line.get_xdata() for line in ax.get_lines() if line.get_color() == STYLE.value]
    boxes = [(b.get_x(), b.get_x() + b.get_width()) for b in ax.patches]
    for values, span, box in zip(outputs, spans, boxes, strict=True):
        assert span == pytest.approx([values.min(), values.max()])
        assert box == pytest.approx(tuple(np.percentile(values, [25, 75])), abs=1e-6)
    assert texts(ax)[1].startswith("0 … ")
    assert ax.get_ylim()[0] > ax.get_ylim()[1], "the first layer is on top"


def test_ranges_of_blocks_shared_modules_and_one_module():
    shared = nn.Tanh()
    model = nn.Linear(2, 2) >> shared >> nn.Residual(nn.Linear(2, 2)) >> shared
    assert ticks(plots.activation_ranges(model, X).yaxis) == [
        "0 Linear", "1 Tanh", "2.f Linear", "2 Residual", "1 Tanh",
    ]  # fmt: skip
    assert ticks(plots.activation_ranges(nn.ReLU(), X).yaxis) == ["ReLU"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ranges_leave_the_model_alone(dtype):
    model = (nn.Linear(2, 3) >> nn.Dropout(0.5)).astype(dtype).requires_grad_(False)
    with tg.no_grad():
        plots.activation_ranges(model, X)
    assert model.training and all(p.grad is None for p in model.parameters())


def test_ranges_of_tokens_and_of_one_value():
    assert plots.activation_ranges(nn.Embedding(5, 3), np.array([1, 2])).has_data()
    assert plots.activation_ranges(nn.Linear(2, 1), X[:1]).has_data()


def test_bad_ranges():
    with pytest.raises(tg.UsageError, match="takes a module"):
        plots.activation_ranges(tg.relu, X)
    with pytest.raises(tg.ShapeError, match="a batch has values"):
        plots.activation_ranges(nn.Linear(2, 1), X[:0])
    with pytest.raises(tg.UsageError, match="nothing was recorded"):
        plots.activation_ranges(nn.Identity(), X)


# ---- weights, filters, images --------------------------------------------------------------------


def test_weights_are_on_a_scale_symmetric_about_zero():
    matrix = np.array([[1.0, -3.0, 0.5], [0.0, 2.0, np.nan]])
    ax = plots.weights(matrix)
    (image,) = ax.get_images()
    assert np.array_equal(image.get_array().filled(np.nan), matrix, equal_nan=True)
    assert image.get_clim() == (-3, 3)
    assert texts(ax) == ["1", "−3", "0.5", "0", "2", "✕"]
    white, negative, positive = (image.get_cmap()(v) for v in (0.5, 0.0, 1.0))
    assert np.allclose(white[:3], 1, atol=0.01)
    assert matplotlib.colors.to_hex(negative).upper() == STYLE.negative
    assert matplotlib.colors.to_hex(positive).upper() == STYLE.positive


def test_weights_of_a_layer_of_a_vector_and_of_nothing_but_zeros():
    layer = nn.Linear(30, 20)
    assert texts(plots.weights(layer.weight)) == []  # too many to write
    assert plots.weights(layer.bias).get_images()[0].get_array().shape == (1, 20)
    assert plots.weights(np.zeros((2, 2))).get_images()[0].get_clim() == (-1, 1)
    assert texts(plots.weights([[np.inf, -np.inf]])) == ["∞", "−∞"]


@pytest.mark.parametrize("shape", [(), (0, 3), (2, 1, 3, 3)])
def test_bad_weights(shape):
    with pytest.raises(tg.ShapeError, match=r"w has 1 or 2 axes.*plots\.filters"):
        plots.weights(np.zeros(shape))


@pytest.mark.parametrize(
    ("shape", "tiles"), [((6, 1, 3, 3), 6), ((4, 3, 5, 5), 12), ((5, 2, 9), 10)]
)
def test_a_tile_for_each_pair_of_channels(shape, tiles):
    w = RNG.normal(size=shape)
    ax = plots.filters(tg.tensor(w))
    shown = ax.get_images()
    assert len(shown) == tiles
    assert {image.get_clim() for image in shown} == {(-abs(w).max(), abs(w).max())}
    flat = w.reshape(-1, *((1,) * (len(shape) == 3)), *shape[2:])
    for image, kernel in zip(shown, flat, strict=True):
        assert np.array_equal(image.get_array(), kernel)
    rows = {image.get_extent()[3] for image in shown}
    assert shape[1] == 1 or len(rows) == shape[0], "a row for each output channel"


def test_filters_say_how_many_there_are():
    ax = plots.filters(np.ones((64, 4, 3, 3)), limit=10)
    assert len(ax.get_images()) == 8 and ax.get_xlabel() == "2 of 64 output channels"
    assert len(plots.filters(np.ones((8, 64, 3, 3)), limit=10).get_images()) == 64
    with pytest.raises(tg.ShapeError, match=r"w has 3 or 4 axes.*plots\.weights"):
        plots.filters(np.ones((3, 3)))
    with pytest.raises(tg.UsageError, match="limit"):
        plots.filters(np.ones((1, 1, 3, 3)), limit=0)


def test_images_with_captions_and_marks():
    pictures = RNG.uniform(size=(5, 1, 4, 6))
    ax = plots.images(pictures, ["a", "$b$", "c", "d", "e"], marked=[0, 1, 0, 0, 0], columns=3)
    assert len(ax.get_images()) == 5 and texts(ax) == ["a", "$b$", "c", "d", "e"]
    assert [t.get_fontweight() == "bold" for t in ax.texts] == [False, True, False, False, False]
    frames = [line.get_color() == STYLE.gradient for line in ax.get_lines()]
    assert frames == [False, True, False, False, False]
    assert len({image.get_extent()[0] for image in ax.get_images()}) == 3
    assert len({image.get_clim() for image in ax.get_images()}) == 1
    assert texts(plots.images(pictures)) == []


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plots.images(np.zeros((8, 8))), r"3 or 4 axes.*reshape\(-1, 8, 8\)"),
        (lambda: plots.images(np.zeros((0, 8, 8))), "not empty"),
        (lambda: plots.images(np.zeros((2, 3, 8, 8))), "one channel"),
        (lambda: plots.images(np.zeros((2, 8, 8)), ["a"]), "1 captions for 2"),
        (lambda: plots.images(np.zeros((2, 8, 8)), marked=[True]), "one value for each of 2"),
    ],
)
def test_bad_images(call, message):
    with pytest.raises(tg.ShapeError, match=message):
        call()


# ---- attention -----------------------------------------------------------------------------------


def test_attention_maps_have_names():
    table = np.array([[0.25, 0.75], [1.0, 0.0], [0.5, 0.5]])
    ax = plots.attention(table, queries=["x", "$", " "], keys="ab", title="head 0")
    assert np.array_equal(ax.get_images()[0].get_array(), table)
    assert ticks(ax.yaxis) == ["x", "$", "␣"] and ticks(ax.xaxis) == ["a", "b"]
    assert texts(ax) == ["0.25", "0.75", "1.00", "0.00", "0.50", "0.50"]
    assert ax.get_images()[0].get_clim() == (0, 1)
    module = nn.MultiheadAttention(4, 2)
    _, weights = module(tg.ones(1, 7, 4), need_weights=True)
    ax = plots.attention(weights[0], queries=range(7))
    assert ticks(ax.xaxis) == ticks(ax.yaxis) == list("0123456")


def test_bad_attention_maps():
    with pytest.raises(tg.ShapeError, match=r"2 axes.*weights\[0\] of a batch"):
        plots.attention(np.ones((1, 2, 2)))
    with pytest.raises(tg.ShapeError, match="3 keys for 2"):
        plots.attention(np.eye(2), keys="abc")
    with pytest.raises(tg.UsageError, match=r"not negative.*softmax"):
        plots.attention(-np.eye(2))


# ---- gradient flow -------------------------------------------------------------------------------


def report(model, width=16, n=64):
    x = tg.tensor(RNG.normal(size=(n, width)).astype(np.float32))
    return tg.gradient_flow(model, model(x).sum())


def test_flow_shows_every_gradient_at_its_layer():
    tg.manual_seed(0)
    found = report(nn.MLP([16, 8, 1]))
    ax = plots.gradient_flow(found)
    drawn = {line.get_label(): line for line in ax.get_lines()}
    outputs, parameters = drawn["outputs of modules"], drawn["parameters"]
    assert outputs.get_ydata().tolist() == [row.rms for row in found.activations]
    assert parameters.get_ydata().tolist() == [row.rms for row in found.parameters]
    assert parameters.get_xdata().tolist() == [0, 0, 2, 2] and ax.get_yscale() == "log"
    assert ticks(ax.xaxis) == ["0", "1", "2"] and texts(ax) == []
    norms = plots.gradient_flow(found, measure="norm").get_lines()[0].get_ydata()
    assert norms.tolist() == [row.norm for row in found.activations]


def bars(ax):
    """Return the places under each word's bars."""
    wide = [line for line in ax.get_lines() if line.get_linewidth() == 4]
    return sorted(tuple(line.get_xdata() + [0.5, -0.5]) for line in wide)


def test_vanishing_gradients_have_a_bar_and_a_word():
    tg.manual_seed(0)
    found = report(nn.MLP([16] * 21, activation=nn.Sigmoid))
    ax = plots.gradient_flow(found)
    assert texts(ax) == ["vanishing"]
    flagged = [i for i, row in enumerate(found.activations) if row.words]
    assert bars(ax) == [(0, flagged[-1])]
    assert "10⁻⁶" in ticks(ax.yaxis)


def test_exploding_gradients_and_dead_relus_have_a_line_each():
    tg.manual_seed(0)
    model = nn.ResNetS(16, 30, 1)
    for p in model.parameters():
        if p.ndim > 1:
            nn.init.kaiming_normal_(p, nonlinearity="relu")
    found = report(model)
    ax = plots.gradient_flow(found)
    assert texts(ax) == ["exploding", "dead ReLUs"] and len(bars(ax)) > 5
    assert len(ticks(ax.xaxis)) <= 24 < len(found.activations)


def test_zero_none_and_infinite_gradients_have_signs():
    model = nn.MLP([16, 8, 1])
    nn.init.constant_(model[0].bias, -100)
    ax = plots.gradient_flow(report(model))
    assert texts(ax)[0] == "0" and {"dead ReLUs", "zero"} <= set(texts(ax))
    model = nn.ModuleDict({"used": nn.Linear(16, 1), "idle": nn.Linear(2, 1)})
    model["used"](tg.ones(3, 16)).sum().backward()
    ax = plots.gradient_flow(tg.gradient_flow(model))
    assert texts(ax) == ["—", "no gradient"] and ticks(ax.xaxis) == ["used", "idle"]
    assert ax.get_legend() is None, "there is one kind of mark"
    infinite = nn.Linear(16, 1, bias=False) >> tg.log
    infinite[0].weight.data = np.zeros((1, 16))
    assert {"✕", "not finite"} <= set(texts(plots.gradient_flow(report(infinite))))


def test_bad_reports():
    with pytest.raises(tg.UsageError, match=r"draws a report.*tg\.gradient_flow\(model, loss\)"):
        plots.gradient_flow(nn.Linear(2, 1))
    with pytest.raises(tg.UsageError, match="measure is 'rms' or 'norm'"):
        plots.gradient_flow(report(nn.MLP([16, 1])), measure="max")
    with pytest.raises(tg.UsageError, match="the report is empty"):
        plots.gradient_flow(tg.gradient_flow(nn.ReLU()))


@pytest.mark.parametrize(
    ("value", "text"), [(1e-7, "10⁻⁷"), (2e6, "2·10⁶"), (1000, "10³"), (0.05, "0.05"), (0, "0")]
)
def test_powers(value, text):
    assert power(value) == text
