"""Modules and composites: clusters, folding, counts; and pictures of big graphs."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from work import growth

import tinygraph as tg
from tinygraph import nn
from tinygraph.viz import draw
from tinygraph.viz.style import Style


def test_layers_are_cards_in_the_cluster_of_their_model(graphs):
    drawing = draw(graphs.MLP()(graphs.data()), view="architecture")
    headers = [(c.header, c.note, c.lines, c.cluster) for c in drawing.picture.cards]
    assert headers == [
        ("X", "(2, 2)", (), None),
        ("Linear 2→3", "(2, 3)", ("0 · 9 params",), 0),
        ("ReLU", "(2, 3)", (), 0),
        ("Linear 3→1", "(2, 1)", ("2 · 4 params",), 0),
    ]
    (cluster,) = drawing.picture.clusters
    assert (cluster.title, cluster.details) == ("MLP 2→1", "13 params")
    assert drawing.picture.direction == "TB"
    assert not any(c.value for c in drawing.picture.cards)


def test_depth_opens_and_closes(graphs):
    y = graphs.MLP()(graphs.data())
    closed = draw(y, view="architecture", depth=0).picture
    assert [c.header for c in closed.cards] == ["X", "MLP 2→1"]
    assert (closed.cards[-1].note, closed.cards[-1].lines) == ("(2, 1)", ("13 params",))
    opened = draw(y, view="architecture", depth=2).picture
    assert [c.title for c in opened.clusters] == ["MLP 2→1", "Linear 2→3", "ReLU", "Linear 3→1"]
    assert [c.parent for c in opened.clusters] == [None, 0, 0, 0]
    weights = [c for c in opened.cards if c.role == "parameter"]
    assert [(c.header, c.note) for c in weights] == [
        ("weight", "(2, 3)"), ("bias", "(3,)"), ("weight", "(3, 1)"), ("bias", "(1,)"),
    ]  # fmt: skip
    assert [c.cluster for c in weights] == [1, 1, 3, 3]


def test_a_module_called_twice_is_drawn_twice(graphs):
    y = graphs.Twice("Twice", graphs.Linear("layer", 2, 2))(graphs.data())
    picture = draw(y, view="architecture").picture
    calls = [c for c in picture.cards if c.header == "layer"]
    assert [c.lines[1] for c in calls] == ["call 1 of 2, same weights", "call 2 of 2, same weights"]
    assert [(e.source, e.target) for e in picture.edges] == [
        ("n0", "n1"),
        ("n1", "n2"),
        ("n2", "n3"),
    ]
    opened = draw(y, view="architecture", depth=2).picture
    assert sum(c.role == "parameter" for c in opened.cards) == 2
    assert [c.details for c in opened.clusters][1:] == [
        f"Linear 2→2 · 6 params · call {i} of 2, same weights" for i in (1, 2)
    ]


def test_composites_are_one_card_unless_opened():
    x = tg.tensor([1.0, 2.0], requires_grad=True, name="x")
    m = tg.var(x)
    m.backward()
    assert [c.header for c in draw(m).picture.cards] == ["x", "v₁ = var(x)"]
    opened = draw(m, depth=2).picture
    assert [c.title for c in opened.clusters] == ["var"]
    assert len(opened.cards) > 4


def test_a_scalar_composite_has_one_local_derivative():
    (x,) = tg.variables(x=1)
    y = tg.gelu(x, approximate="tanh") * 2.0
    y.backward()
    first = draw(y).picture.edges[0]
    assert first.local == ("× 1.083",) and first.adds == "◂ 2.166"
    assert float(x.grad) == pytest.approx(2.166, abs=1e-3)


def test_numbers_view_of_a_model_has_clusters_with_values(graphs, card_of):
    y = graphs.MLP()(graphs.data()).sum()
    y.backward()
    drawing = draw(y)
    assert drawing.picture.view == "numbers"
    assert [c.title for c in drawing.picture.clusters] == [
        "MLP 2→1",
        "Linear 2→3",
        "ReLU",
        "Linear 3→1",
    ]
    assert all(c.value and c.gradient for c in drawing.picture.cards)


def test_deep_models_open_three_levels(graphs):
    inner = graphs.ReLU("a.b.c.d")
    model = inner
    for path in ("a.b.c", "a.b", "a", "root"):
        model = graphs.FakeModule(path, model)
    picture = draw(model(tg.ones(2).requires_grad_()), view="architecture").picture
    assert [c.title for c in picture.clusters] == ["root", "a", "b"]
    assert picture.clusters[2].tooltip.startswith("a.b\n")
    assert picture.cards[-1].header == "c"
    levels = [c.level for c in picture.clusters]
    assert levels == [0, 1, 2]


def test_scopes_with_several_results(graphs):
    class Split:
        def parameters(self):
            return []

    x = tg.tensor([1.0, 2.0], requires_grad=True, name="x")
    with graphs.module_scope("split", Split()):
        a, b = x[:1], x[1:]
    drawing = draw(a * b, view="numbers", depth=0)
    assert [c.header for c in drawing.picture.cards][1] == "split"
    assert draw(a * b, depth=0, view="numbers", grad=np.ones(1)).source


def test_the_real_modules():
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    loss = nn.functional.mse_loss(model(tg.zeros(5, 2)), tg.zeros(5, 1))
    loss.backward()
    picture = draw(loss, names={"loss": loss}).picture
    assert picture.view == "architecture"
    headers = [c.header for c in picture.cards]
    assert headers == ["input", "Linear 2→3", "ReLU", "Linear 3→1", "input", "loss = mse_loss"]
    assert picture.clusters[0].title == "Sequential 2→1"
    small = draw(loss, view="numbers").picture
    assert "parameter" in {c.role for c in small.cards}


# ---- big graphs ------------------------------------------------------------------------


def test_what_does_not_fit_on_a_screen_is_closed(graphs):
    blocks = [
        graphs.FakeModule(f"b{i}", graphs.ReLU(f"b{i}.0"), graphs.ReLU(f"b{i}.1"))
        for i in range(40)
    ]
    y = graphs.FakeModule("root", *blocks)(tg.ones(2).requires_grad_())
    assert len(draw(y, view="architecture", fold=False, limit=None).picture.cards) == 81
    picture = draw(y, view="architecture", fold=False).picture
    assert len(picture.cards) == 41
    assert picture.remarks == ["collapsed to depth 1; depth= opens more"]
    assert "collapsed to depth 1" in draw(y, view="architecture", fold=False).source


def test_a_long_chain_keeps_its_ends(graphs):
    picture = draw(graphs.chain(1000), fold=False).picture
    assert len(picture.cards) == 17
    (rest,) = [c for c in picture.cards if c.role == "rest"]
    assert rest.header == "… 985 nodes …"
    assert picture.remarks[0].startswith("985 cards in the middle")
    assert [(e.source, e.target) for e in picture.edges] == [
        (f"n{i}", f"n{i + 1}") for i in range(16)
    ]


def test_many_leaves_collapse_too():
    leaves = [tg.tensor(float(i), requires_grad=True) for i in range(700)]
    assert len(draw(tg.stack(leaves), fold=False).picture.cards) == 17
    assert [c.header for c in draw(tg.stack(leaves)).picture.cards] == ["input × 700", "stack"]


def test_dot_text_of_a_hundred_thousand_nodes(graphs):
    t = graphs.chain(100_000)
    source = draw(t, limit=None, view="numbers", gradients=False).source
    assert source.count(" -> ") == 100_000


def test_the_work_for_dot_text_is_linear_in_the_nodes(graphs):
    chains = {n: graphs.chain(n) for n in (1000, 2000)}
    options = {"limit": None, "view": "numbers", "gradients": False}
    assert growth(lambda n: draw(chains[n], **options).source, 1000) < 2.1


def test_ids_are_stable(graphs):
    sources = []
    for _ in range(2):
        f, names = graphs.fork()
        f.backward()
        sources.append(draw(f, names=names).source)
    assert sources[0] == sources[1]


def test_tooltips_say_where_a_parameter_lives():
    model = nn.Linear(2, 3) >> nn.ReLU() >> nn.Linear(3, 1)
    picture = draw(model, (5, 2), view="architecture", depth=2).picture
    weights = [c.tooltip.splitlines()[:2] for c in picture.cards if c.header == "weight"]
    assert weights == [["weight", "in 0"], ["weight", "in 2"]]


def test_titles_of_modules_are_painted_over_the_edges_in_svg(graphs):
    svg = draw(graphs.MLP(), graphs.data(), depth=2).pipe("svg").decode()
    root = ET.fromstring(svg)
    (graph,) = list(root)
    titles = [e for e in graph if e.tag.endswith("text")]
    names = {t.text for t in titles if t.get("font-weight") == "bold"}
    assert names == {"MLP 2→1", "Linear 2→3", "ReLU", "Linear 3→1"}
    fills = {c.lower() for c in Style().clusters}
    assert {t.get("stroke") for t in titles} == fills
    assert all(t.get("paint-order") == "stroke" for t in titles)
    assert list(graph)[-len(titles) :] == titles


def test_layers_are_labelled_with_their_own_widths():
    """The last length of an image is not a number of channels."""
    block = nn.ResBlock(3, 8) >> nn.Flatten() >> nn.Linear(8 * 36, 10)
    titles = [card.header for card in draw(block, tg.ones(2, 3, 6, 6), depth=3).picture.cards]
    assert [t for t in titles if "Conv" in t] == ["Conv2d 3→8", "Conv2d 8→8"]
    assert "BatchNorm2d" in titles and "Linear 288→10" in titles
