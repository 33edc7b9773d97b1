"""decision_boundary: the border is where the model says, whichever way it answers."""

from __future__ import annotations

import numpy as np
import pytest

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

import tinygraph as tg  # noqa: E402
from tinygraph import nn, plots  # noqa: E402

POINTS = np.array([[-1.0, -1.0], [1.0, 1.0], [0.5, -0.5]])
BOX = (-2.0, 2.0, -1.0, 1.0)

ANSWERS = {
    "logits (M,)": lambda p: p[:, 0] - 0.5,
    "logits (M, 1)": lambda p: p[:, :1] - 0.5,
    "scores (M, 2)": lambda p: np.stack([0 * p[:, 0], p[:, 0] - 0.5], axis=1),
    "classes": lambda p: (p[:, 0] > 0.5).astype(int),
    "bools": lambda p: p[:, 0] > 0.5,
    "a tensor": lambda p: tg.tensor(p[:, 0]) - 0.5,
}


def border(ax):
    """Return the vertices of the border lines; regions have no line."""
    paths = [p for c in ax.collections if len(c.get_edgecolor()) for p in c.get_paths()]
    return np.concatenate([p.vertices for p in paths if len(p.vertices)])


@pytest.mark.parametrize("kind", ANSWERS)
@pytest.mark.parametrize("fill", [True, False])
def test_the_border_is_where_the_answer_changes(kind, fill):
    ax = plots.decision_boundary(ANSWERS[kind], limits=BOX, fill=fill, steps=81)
    found = border(ax)
    assert np.allclose(found[:, 0], 0.5, atol=4 / 80) and np.ptp(found[:, 1]) == pytest.approx(2)
    assert len(ax.collections) == (3 if fill else 1)  # two regions and one border
    assert (*ax.get_xlim(), *ax.get_ylim()) == BOX and ax.get_aspect() == 1


def test_three_classes_have_three_regions_and_two_borders():
    def thirds(p):
        return np.stack([-p[:, 0] - 1, 0 * p[:, 0], p[:, 0] - 1], axis=1)

    ax = plots.decision_boundary(thirds, limits=BOX, steps=81)
    assert len(ax.collections) == 5
    assert sorted(set(border(ax)[:, 0].round(6))) == [-1, 1]


def test_a_probability_has_its_own_threshold():
    ax = plots.decision_boundary(
        lambda p: 1 / (1 + np.exp(-p[:, 0])), limits=BOX, threshold=0.5, steps=80
    )
    assert np.allclose(border(ax)[:, 0], 0, atol=1e-6)


def test_one_class_everywhere_has_no_border():
    ax = plots.decision_boundary(lambda p: p[:, 0] * 0 + 1, limits=BOX, fill=False)
    assert len(ax.collections) == 0


def test_points_have_a_mark_and_a_name_for_each_class():
    ax = plots.decision_boundary(None, POINTS, [0, 1, 1], names=["left", "right"])
    left, right = ax.collections
    assert left.get_offsets().tolist() == [[-1, -1]]
    assert right.get_offsets().tolist() == [[1, 1], [0.5, -0.5]]
    assert left.get_paths()[0].vertices.shape != right.get_paths()[0].vertices.shape
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["left", "right"]
    assert ax.get_xlim() == pytest.approx((-1.16, 1.16))
    plain = plots.decision_boundary(None, POINTS[:1])
    assert len(plain.collections) == 1 and plain.get_legend() is None


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_module_runs_in_evaluation_mode_and_its_dtype(dtype):
    tg.manual_seed(0)
    model = (nn.Linear(2, 8) >> nn.Dropout(0.5) >> nn.Linear(8, 1)).astype(dtype)
    model[1].eval()
    seen = []
    model.register_forward_hook(lambda m, args, y: seen.append((m.training, args[0].dtype)))
    plots.decision_boundary(model, POINTS.astype(np.float32), steps=10)
    assert seen == [(False, dtype)]
    assert model.training and not model[1].training
    assert all(p.grad is None for p in model.parameters())


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((3, POINTS), tg.UsageError, "model is a module or a function"),
        ((None,), tg.UsageError, "wants points or limits"),
        ((None, POINTS[:, :1]), tg.ShapeError, r"points are \(N, 2\)"),
        ((None, POINTS[:0]), tg.ShapeError, "not empty"),
        ((None, POINTS[0]), tg.ShapeError, "x has 2 axes"),
        ((None, POINTS, [0.0, 1.0, 1.0]), tg.DtypeError, "integers"),
        ((None, POINTS, [0, 1]), tg.ShapeError, "one class for each point"),
        ((None, None, [0, 1]), tg.ShapeError, "for no points"),
        ((None, POINTS, [0, -1, 1]), tg.DtypeError, "count from 0"),
        ((lambda p: p[:5], POINTS), tg.ShapeError, r"logits \(M,\).*for M = 57600"),
        ((lambda p: p[:, None], POINTS), tg.ShapeError, "scores"),
        ((lambda p: p[:, :0], POINTS), tg.ShapeError, "scores"),
        ((nn.Linear(3, 1), POINTS), tg.ShapeError, "Linear wants inputs"),
    ],
)
def test_bad_calls(arguments, error, message):
    with pytest.raises(error, match=message):
        plots.decision_boundary(*arguments)


@pytest.mark.parametrize("limits", [(0, 1, 0), (1, 0, 0, 1), (0, 1, 2, 2)])
def test_bad_limits(limits):
    with pytest.raises(tg.UsageError, match="limits are x low, x high"):
        plots.decision_boundary(None, limits=limits)


def test_bad_steps():
    with pytest.raises(tg.UsageError, match="steps is a whole number from 2 on"):
        plots.decision_boundary(lambda p: p[:, 0], POINTS, steps=1)
