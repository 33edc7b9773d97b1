"""tg.plots: what is drawn is what was given, in one's own axes or ours; bad input is explained."""

from __future__ import annotations

import sys

import numpy as np
import pytest

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

from matplotlib.figure import Figure  # noqa: E402

import tinygraph as tg  # noqa: E402
from tinygraph import nn, plots  # noqa: E402
from tinygraph.plots.canvas import DASHES, MARKS, SERIES, STYLE  # noqa: E402

F = nn.functional
RNG = np.random.default_rng(0)

DRAW = {
    "loss_curves": lambda ax=None: plots.loss_curves({"training": [2.0, 1.0]}, ax),
    "decision_boundary": lambda ax=None: plots.decision_boundary(
        nn.Linear(2, 1), RNG.normal(size=(9, 2)), [0, 1, 0] * 3, ax, steps=20
    ),
    "activation_curves": lambda ax=None: plots.activation_curves(nn.ReLU(), ax),
    "activation_ranges": lambda ax=None: plots.activation_ranges(
        nn.MLP([2, 3, 1]), RNG.normal(size=(9, 2)), ax
    ),
    "weights": lambda ax=None: plots.weights(np.eye(3), ax),
    "filters": lambda ax=None: plots.filters(RNG.normal(size=(4, 1, 3, 3)), ax),
    "images": lambda ax=None: plots.images(RNG.normal(size=(3, 8, 8)), "abc", ax),
    "attention": lambda ax=None: plots.attention(np.eye(4), ax),
    "gradient_flow": lambda ax=None: plots.gradient_flow(flow(nn.MLP([2, 3, 1])), ax),
}


def flow(model, n=32):
    x = tg.tensor(RNG.normal(size=(n, 2)).astype(np.float32))
    return tg.gradient_flow(model, model(x).sum())


def texts(ax):
    return [t.get_text() for t in ax.texts]


def lines(ax):
    return {line.get_label(): line for line in ax.get_lines()}


# ---- every function ------------------------------------------------------------------------------


def test_every_public_function_is_here():
    assert set(DRAW) == set(plots.__all__) - {"legend", "panels", "save", "series", "tidy"}


@pytest.mark.parametrize("name", DRAW)
def test_axes_that_are_given_are_returned(name):
    ax = Figure().subplots()
    assert DRAW[name](ax) is ax
    assert ax.has_data()


@pytest.mark.parametrize("name", DRAW)
def test_without_axes_a_figure_of_its_own_is_written(name, tmp_path):
    path = plots.save(DRAW[name](), tmp_path / f"{name}.png")
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG") and len(data) > 3000
    if "matplotlib.pyplot" in sys.modules:
        assert sys.modules["matplotlib.pyplot"].get_fignums() == []


@pytest.mark.parametrize("name", DRAW)
@pytest.mark.parametrize(
    "wrong", ["ax", 3, Figure(), plots.panels(2)], ids=lambda w: type(w).__name__
)
def test_what_is_no_axes_is_refused(name, wrong):
    fix = r"ax=axes\[0\]" if isinstance(wrong, np.ndarray) else r"plt\.subplots\(\)"
    with pytest.raises(tg.UsageError, match=rf"plots\.{name}: ax is axes of matplotlib.*{fix}"):
        DRAW[name](wrong)


@pytest.mark.parametrize("name", DRAW)
def test_without_matplotlib_the_pip_command_is_named(name, monkeypatch):
    for module in [m for m in sys.modules if m.split(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(tg.MissingExtraError, match=r'pip install "tinygraph-autodiff\[viz\]"'):
        DRAW[name]()


def test_importing_tinygraph_imports_no_matplotlib():
    import subprocess

    code = "import sys, tinygraph; assert not any(m.startswith('matplotlib') for m in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_panels_stand_in_rows():
    axes = plots.panels(5, columns=2, size=(3, 2))
    assert axes.shape == (5,) and len(axes[0].figure.axes) == 5
    assert tuple(axes[0].figure.get_size_inches()) == (6, 6)
    with pytest.raises(tg.UsageError, match="count is a whole number from 1 on"):
        plots.panels(0)
    with pytest.raises(tg.UsageError, match=r"plots\.save: ax is axes"):
        plots.save("loss.png", "loss.png")


def test_plots_of_ones_own():
    ax = plots.tidy(plots.panels()[0], "costs 5 $ or $6", "x", "y")
    ax.plot([1, 2], label="$a$", **plots.series(1))
    plots.legend(ax, loc="upper left")
    assert ax.get_title() == "costs 5 $ or $6"
    assert not ax.title.get_parse_math() and not ax.get_legend().get_texts()[0].get_parse_math()
    assert ax.get_lines()[0].get_color() == STYLE.gradient
    for function in (plots.tidy, plots.legend):
        with pytest.raises(tg.UsageError, match="is axes of matplotlib"):
            function("ax")


def test_colours_are_those_of_the_pictures_and_never_alone():
    assert set(SERIES) <= {STYLE.value, STYLE.gradient, STYLE.negative, STYLE.positive, STYLE.quiet}
    n = 30
    assert len({(SERIES[i % len(SERIES)], str(DASHES[i % len(DASHES)])) for i in range(n)}) == n
    assert len({(SERIES[i % len(SERIES)], MARKS[i % len(MARKS)]) for i in range(n)}) == n


# ---- loss curves ---------------------------------------------------------------------------------


def test_losses_stand_at_their_epochs():
    given = {"training": [2.0, 1.0, 0.5], "validation": np.array([2.5, 1.5])}
    ax = plots.loss_curves(given, title="digits")
    drawn = lines(ax)
    assert list(drawn) == list(given)
    for name, losses in given.items():
        assert drawn[name].get_xdata().tolist() == list(range(1, len(losses) + 1))
        assert drawn[name].get_ydata().tolist() == list(losses)
    assert drawn["training"].get_linestyle() != drawn["validation"].get_linestyle()
    assert ax.get_ylim()[0] == 0 and ax.get_title() == "digits"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "loss")
    assert [t.get_text() for t in ax.get_legend().get_texts()] == list(given)


def test_one_curve_needs_no_name():
    ax = plots.loss_curves(tg.tensor([3.0]))
    assert ax.get_legend() is None
    assert ax.get_lines()[0].get_marker() == "o"  # one point makes no line


def test_a_loss_that_breaks_off_says_so():
    ax = plots.loss_curves({"a": [1.0, 2.0, np.nan, np.nan], "b": [np.inf, 1.0]})
    assert texts(ax) == ["nan from 3 on", "infinite from 1 on"]
    assert [line.get_xdata()[0] for line in ax.get_lines() if line.get_marker() == "x"] == [2, 1]
    assert plots.loss_curves([-1.0, 2.0]).get_ylim()[0] < -1  # nothing is cut off


def test_a_logarithmic_scale_wants_positive_losses():
    assert plots.loss_curves([1.0, 0.1], log=True).get_yscale() == "log"
    with pytest.raises(tg.UsageError, match=r"log=True wants positive losses, in 'a' too.*of 0\."):
        plots.loss_curves({"a": [1.0, 0.0]}, log=True)


@pytest.mark.parametrize(
    ("curves", "error", "message"),
    [
        ({}, tg.UsageError, "at least one curve"),
        ([], tg.ShapeError, "has 1 axis and is not empty"),
        ({"a": [[1.0, 2.0]]}, tg.ShapeError, "'a' has 1 axis"),
        ({"a": ["x"]}, tg.DtypeError, r"plots\.loss_curves: 'a'"),
        (None, tg.DtypeError, r"plots\.loss_curves"),
    ],
)
def test_bad_curves(curves, error, message):
    with pytest.raises(error, match=message):
        plots.loss_curves(curves)


# ---- activations ---------------------------------------------------------------------------------

CLOSED = {
    "Sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2),
    "Tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "ReLU": (lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0),
}


@pytest.mark.parametrize("name", CLOSED)
def test_curves_are_the_closed_forms(name):
    ax = plots.activation_curves(getattr(nn, name)(), low=-4, high=4, points=400)
    drawn = lines(ax)
    for label, exact in zip(("σ(z)", "σ′(z)"), CLOSED[name], strict=True):
        z, y = drawn[label].get_data()
        seen = ~np.isnan(z)
        assert seen.sum() == 400 and np.allclose(y[seen], exact(z[seen]), atol=1e-12)
    assert ax.get_xlim() == (-4, 4) and ax.get_title() == name


def test_jumps_are_not_joined():
    z, slope = lines(plots.activation_curves(nn.ReLU()))["σ′(z)"].get_data()
    (gap,) = np.flatnonzero(np.isnan(z))
    assert slope[gap - 1] == 0 and slope[gap + 1] == 1
    assert np.isnan(lines(plots.activation_curves(tg.sign))["σ(z)"].get_xdata()).sum() == 2
    for smooth in (nn.GELU(), nn.Softplus(), tg.sin):
        ax = plots.activation_curves(smooth, order=2)
        assert all(not np.isnan(lines(ax)[n].get_ydata()).any() for n in ("σ(z)", "σ′(z)", "σ″(z)"))


def test_second_derivatives_and_none():
    z, bend = lines(plots.activation_curves(tg.tanh, order=2))["σ″(z)"].get_data()
    assert np.allclose(bend, -2 * np.tanh(z) * (1 - np.tanh(z) ** 2), atol=1e-12)
    alone = plots.activation_curves(tg.tanh, order=0)
    assert "σ′(z)" not in lines(alone) and alone.get_legend() is None


def test_a_module_with_float32_parameters_and_no_grad_around():
    prelu = nn.PReLU()
    with tg.no_grad():
        ax = plots.activation_curves(prelu)
    assert lines(ax)["σ′(z)"].get_ydata()[0] == pytest.approx(0.25)
    assert prelu.weight.grad is None


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: plots.activation_curves("relu"), tg.UsageError, "takes a function"),
        (lambda: plots.activation_curves(tg.sum), tg.ShapeError, "f is elementwise"),
        (lambda: plots.activation_curves(lambda z: 1.0), tg.ShapeError, "f is elementwise"),
        (lambda: plots.activation_curves(tg.tanh, low=1, high=1), tg.UsageError, "low is below"),
        (lambda: plots.activation_curves(tg.tanh, high=np.inf), tg.UsageError, "both finite"),
        (lambda: plots.activation_curves(tg.tanh, order=3), tg.UsageError, "order is 0, 1 or 2"),
        (lambda: plots.activation_curves(tg.tanh, points=1), tg.UsageError, "points"),
    ],
)
def test_bad_activations(call, error, message):
    with pytest.raises(error, match=message):
        call()
