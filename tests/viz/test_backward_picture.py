"""backward=True: the backward pass recorded as a graph, and drawn beside the forward one."""

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn
from tinygraph.core.graph import Graph
from tinygraph.core.modes import Scope
from tinygraph.viz import draw
from tinygraph.viz.backward import flow_from
from tinygraph.viz.fold import fold
from tinygraph.viz.recorded import record_back


def recorded(f):
    folding = fold(Graph([f]), "numbers", None, None)
    flow = flow_from([f])
    return record_back(folding, flow.seeds, Scope("backward", "gradients", None, None)), flow


@pytest.mark.parametrize("name", ["product", "neuron", "maximum", "fork", "layer"])
def test_recorded_gradients_are_the_gradients(graphs, name):
    f, _ = getattr(graphs, name)()
    found, flow = recorded(f)
    assert set(found.gradients) == set(flow.gradients)
    for t, g in found.gradients.items():
        assert np.array_equal(g.data, flow.gradients[t]) and g.op is not None
    assert all(t.grad is None for t in flow.gradients) and not f.used


def test_recorded_gradients_are_a_graph_that_runs_and_differentiates():
    x = tg.tensor(0.5, dtype=np.float64, requires_grad=True)
    f = tg.sigmoid(x) * x
    found, _ = recorded(f)
    first = found.gradients[x]
    fresh = np.array(-1.25)
    again = tg.Graph([first]).evaluate(feed={x: fresh})
    s = 1 / (1 + np.exp(1.25))
    assert float(again) == pytest.approx(s + fresh * s * (1 - s), rel=1e-12)
    second = tg.grad(tg.grad(tg.sigmoid(x) * x, x, create_graph=True), x)
    assert float(tg.grad(first, x)) == pytest.approx(float(second), rel=1e-12)


def test_every_forward_card_has_its_mirror_and_edges_go_back(graphs):
    f, names = graphs.product()
    picture = draw(f, names=names, backward=True).picture
    cards = {c.id: c for c in picture.cards}
    gradients = {c.header: c.value.text for c in picture.cards if c.role == "gradient"}
    assert gradients == {"∂f/∂f": "1", "∂f/∂q": "−4", "∂f/∂z": "3", "∂f/∂x": "−4", "∂f/∂y": "−4"}
    back = {
        (cards[e.source].header, cards[e.target].header): e.local
        for e in picture.edges
        if e.kind == "back"
    }
    assert back == {
        ("∂f/∂f", "∂f/∂q"): ("× −4",), ("∂f/∂f", "∂f/∂z"): ("× 3",),
        ("∂f/∂q", "∂f/∂x"): ("× 1",), ("∂f/∂q", "∂f/∂y"): ("× 1",),
    }  # fmt: skip
    reads = [
        (cards[e.source].header, cards[e.target].header) for e in picture.edges if e.kind == "reads"
    ]
    assert sorted(reads) == [("q = x + y", "∂f/∂f"), ("z", "∂f/∂f")]
    assert [c.title for c in picture.clusters] == ["forward", "backward"]
    assert {"gradients", "back", "reads", "local"} <= set(picture.legend)


def test_where_edges_meet_the_sum_is_shown(graphs):
    f, names = graphs.fork()
    picture = draw(f, names=names, backward=True).picture
    values = {c.header: c.value.text for c in picture.cards if c.role == "gradient"}
    assert values["∂f/∂b"] == "2 + 0 + 3 = 5" and "∂f/∂c" not in values
    assert sum(e.dead for e in picture.edges) == 1


def test_opened_rules_show_their_ops():
    x = tg.tensor(2.0, requires_grad=True, name="x")
    f = tg.sigmoid(x)
    f.name = "f"
    picture = draw(f, backward="ops").picture
    headers = [c.header for c in picture.cards if c.role == "gradient"]
    assert headers[0] == "∂f/∂f = 1" and headers[-1].startswith("∂f/∂x = g")
    assert "g₁ = 1 − f" in headers
    values = {c.header.split(" = ")[0]: c.value.text for c in picture.cards}
    assert values["∂f/∂x"] == "0.105"
    ids = {c.id for c in picture.cards}
    assert all(e.source in ids and e.target in ids for e in picture.edges)
    assert {e.kind for e in picture.edges} == {"flow", "back", "reads"}


def test_modules_have_one_card_for_their_backward_pass():
    tg.manual_seed(0)
    model = nn.Linear(4, 16) >> nn.Tanh() >> nn.Linear(16, 1)
    X, t = tg.randn(32, 4), tg.randn(32, 1)
    X.name, t.name = "X", "t"
    loss = nn.functional.mse_loss(model(X), t)
    loss.name = "L"
    drawing = draw(loss, backward=True)
    gradients = [(c.header, c.note) for c in drawing.picture.cards if c.role == "gradient"]
    assert sorted(gradients) == [
        ("∂ L", ""), ("∂ Linear 16→1", "(32, 1)"), ("∂ Linear 4→16", "(32, 16)"),
        ("∂ Tanh", "(32, 16)"),
    ]  # fmt: skip
    assert [c.title for c in drawing.picture.clusters] == ["forward", "Sequential 4→1", "backward"]
    rules = [e.local for e in drawing.picture.edges if e.kind == "back"]
    assert ("× (1 − y · y)",) in rules
    assert drawing.picture.direction == "TB" and drawing.pipe("svg")


def test_a_backward_edge_is_laid_out_forwards(graphs):
    source = draw(graphs.product()[0], backward=True).source
    assert source.count("dir=back") == 4 and source.count("constraint=false") == 2


def test_upstream_gradients_and_several_outputs():
    x = tg.tensor([1.0, 2.0], requires_grad=True, name="x")
    a, b = x * 3.0, x.sum()
    picture = draw([a, b], backward=True, grad=[np.array([1.0, -1.0]), 2.0]).picture
    (gradient,) = [c for c in picture.cards if c.header.endswith("∂x") and c.role == "gradient"]
    assert [t for t, _ in gradient.value.cells[0]] == ["5", "−1"]


def test_what_has_no_backward_pass_says_so():
    with pytest.raises(tg.GradientError, match="requires grad"):
        draw(tg.ones(2).sum(), backward=True)
    with pytest.raises(tg.ShapeError, match="upstream"):
        draw(tg.ones(2).requires_grad_() * 2.0, backward=True)
    with pytest.raises(tg.UsageError, match="backward is one of"):
        draw(tg.ones(2), backward="all")
    with pytest.raises(tg.ShapeError) as caught:
        tg.ones(2) + tg.ones(3)
    with pytest.raises(tg.UsageError, match="no backward pass"):
        draw(caught.value, backward=True)

    class Double(tg.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    with pytest.raises(tg.GradientError, match="first order only"):
        draw(Double.apply(tg.tensor(1.0, requires_grad=True)), backward=True)
