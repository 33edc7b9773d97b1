"""The numbers view: values, gradients, local derivatives, and the three marks."""

import re

import numpy as np
import pytest

import tinygraph as tg
from tinygraph.viz import draw
from tinygraph.viz.model import HeatMap, Matrix, Number, Sketch
from tinygraph.viz.style import Style


def gradient_text(card):
    return f"{card.gradient.terms} {card.gradient.content.text}".strip()


CIRCUITS = {
    "product": ("−12", {"x": "−4", "y": "−4", "z": "3", "q": "−4", "f": "1"}),
    "neuron": (
        "0.7311",
        {"w0": "−0.1966", "w1": "−0.3932", "w2": "0.1966", "x0": "0.3932", "x1": "−0.5898"},
    ),
    "maximum": ("−20", {"x": "−8", "y": "6", "z": "2", "w": "0"}),
}


@pytest.mark.parametrize("name", CIRCUITS)
def test_circuits_show_values_and_gradients(graphs, card_of, name):
    f, names = getattr(graphs, name)()
    f.backward()
    drawing = draw(f, names=names)
    value, gradients = CIRCUITS[name]
    assert card_of(drawing, "f").value == Number(value)
    assert {n: gradient_text(card_of(drawing, n)) for n in gradients} == gradients
    assert drawing.picture.direction == "LR"


def test_edges_show_local_derivative_and_contribution(graphs):
    f, names = graphs.product()
    f.backward()
    edges = {(e.source, e.target): e for e in draw(f, names=names).picture.edges}
    assert (edges["n2", "n4"].local, edges["n2", "n4"].adds) == (("× 3",), "◂ 3")
    assert (edges["n3", "n4"].local, edges["n3", "n4"].adds) == (("× −4",), "◂ −4")
    assert (edges["n0", "n3"].local, edges["n0", "n3"].adds) == (("× 1",), "◂ −4")


def test_dashes_before_backward_and_nothing_without(graphs, card_of):
    f, names = graphs.product()
    before = draw(f, names=names)
    assert gradient_text(card_of(before, "x")) == "—"
    assert not any(e.local or e.adds for e in before.picture.edges)
    assert card_of(draw(f, names=names, gradients=False), "x").gradient is None
    assert gradient_text(card_of(draw(f, names=names, gradients=True), "x")) == "−4"


def test_three_marks_differ(graphs, card_of):
    f, names = graphs.fork()
    f.backward()
    drawing = draw(f, names=names)
    assert gradient_text(card_of(drawing, "c")) == "no gradient"
    assert gradient_text(card_of(drawing, "b")) == "2 + 0 + 3 = 5"
    (dead,) = [e for e in drawing.picture.edges if e.dead]
    assert dead.local == ("× 0",) and dead.adds == "◂ 0"


def test_fork_shows_its_sum_in_the_order_of_its_edges(card_of):
    x, y = tg.variables(x=-3, y=2)
    f = x * (y * 3) + y * (x * 3)
    f.backward()
    drawing = draw(f)
    assert gradient_text(card_of(drawing, "x")) == "6 + 6 = 12"
    assert gradient_text(card_of(drawing, "y")) == "−9 + (−9) = −18"


def test_many_terms_are_counted(card_of):
    (x,) = tg.variables(x=2)
    f = x * x + x * x
    f.backward()
    assert gradient_text(card_of(draw(f), "x")) == "Σ of 4 = 8"


def test_repeated_input_has_two_edges():
    (x,) = tg.variables(x=3)
    assert [(e.source, e.target) for e in draw(x * x).picture.edges] == [("n0", "n1")] * 2


def test_pictures_leave_the_tensors_alone(graphs):
    f, names = graphs.product()
    draw(f, gradients=True).source  # noqa: B018
    assert names["x"].grad is None and not f.used
    f.backward()
    grads = {k: t.grad for k, t in names.items()}
    draw(f).source  # noqa: B018
    assert all(names[k].grad is g for k, g in grads.items()) and f.used


def test_a_picture_inside_detect_anomaly_does_not_raise():
    x = tg.tensor(0.0, requires_grad=True)
    y = tg.sqrt(x)
    with tg.detect_anomaly():
        assert "∞" in draw(y, gradients=True).source


def test_matrices_are_numbers_over_a_tint(graphs, card_of):
    L, names = graphs.layer()
    L.backward()
    drawing = draw(L, names=names)
    W = card_of(drawing, "W")
    assert W.note == "(2, 2)"
    assert W.value == Matrix([[("1", 1 / 3), ("−2", -2 / 3)], [("0", 0.0), ("3", 1.0)]])
    assert isinstance(W.gradient.content, Matrix)
    assert card_of(drawing, "h").gradient.terms == "sum of 2"


def test_numbers_lie_inside_their_cards_whatever_font_is_drawn(graphs):
    """Cells of a fixed size are as wide as the widest font that stands in for Helvetica."""
    digits, minus, dot, e = 0.6362, 0.8379, 0.3179, 0.6152  # DejaVu Sans, per point of its size
    x = tg.tensor([[-1.234e-5, 88.88], [1.0, 0.0]], requires_grad=True, name="x")
    source = tg.draw(x * x, names={"x": x}).source
    cells = re.findall(r'BGCOLOR="#\w+" WIDTH="(\d+)" HEIGHT="\d+"><FONT[^>]*>([^<]+)<', source)
    assert any("e−" in text for _, text in cells)
    each = {"−": minus, ".": dot, "e": e}
    for width, text in cells:
        assert 11 * sum(each.get(c, digits) for c in text) + 6 <= int(width), text


def test_rules_with_shapes_stand_on_the_edges_of_matrices(graphs):
    L, names = graphs.layer()
    L.backward()
    rules = {e.local for e in draw(L, names=names).picture.edges}
    assert ("Xᵀ G", "(2,3)(3,2)→(2,2)") in rules
    assert ("× 1", "(3,2)→(2)") in rules
    assert ("× h",) in rules


@pytest.mark.parametrize(
    ("shape", "kind"), [((), Number), ((4,), Matrix), ((5, 2), HeatMap), ((33, 2), Sketch)]
)
def test_content_depends_on_size(shape, kind):
    x = tg.tensor(np.ones(shape, np.float32), name="x")
    assert isinstance(draw(x, view="numbers").picture.cards[0].value, kind)


def test_nan_and_infinity_are_visible():
    x = tg.tensor([[np.nan, np.inf, -np.inf, -1.0]], name="x")
    ((cells,),) = [draw(x).picture.cards[0].value.cells]
    assert [text for text, _ in cells] == ["✕", "∞", "−∞", "−1"]
    assert draw(x).pipe("svg")
    heat = tg.tensor(np.full((6, 6), np.nan, np.float32))
    assert draw(heat, view="numbers").pipe("svg")
    assert "empty" in draw(tg.zeros(0, 3), view="numbers").source


def test_upstream_gradient_for_several_elements(card_of):
    x = tg.tensor([1.0, 2.0], requires_grad=True, name="x")
    y = x * 3.0
    assert card_of(draw(y), "x").gradient.content == Number("—", quiet=True)
    drawing = draw(y, grad=np.array([1.0, -1.0]))
    assert [t for t, _ in card_of(drawing, "x").gradient.content.cells[0]] == ["3", "−3"]
    with pytest.raises(tg.ShapeError, match=r"exactly the shape \(2,\)"):
        draw(y, gradients=True)
    with pytest.raises(tg.ShapeError, match="upstream"):
        draw(y, grad=np.ones(3))


def test_gradients_need_something_that_requires_grad():
    with pytest.raises(tg.GradientError, match="requires grad"):
        draw(tg.tensor(1.0), gradients=True)
    assert len(draw(tg.tensor(1.0)).picture.cards) == 1


def test_changed_leaves_are_said_and_not_an_error():
    x, w = tg.variables(x=2, w=3)
    f = x * w
    f.backward()
    w.data = np.float32(7)
    (remark,) = draw(f).picture.remarks
    assert "no gradients" in remark and "'w'" in remark
    with pytest.raises(tg.VersionError):
        draw(f, gradients=True)


def test_names_come_from_tensors_then_callers_then_numbers():
    (x,) = tg.variables(x=2)
    q = x * 3.0
    f = q + 1.0
    g = f * f
    headers = [c.header for c in draw(g, names={"alias": x, "q": q, "_": f, "n": 3}).picture.cards]
    assert headers == ["x", "q = x · 3", "v₁ = q + 1", "v₂ = v₁ · v₁"]


def test_headers_read_the_records():
    x = tg.tensor([[1.0, 2.0]], name="x", requires_grad=True)
    cases = {
        "v₁ = x · (−2)": x * -2.0,
        "v₁ = x²": x**2,
        "v₁ = xᵀ": x.T,
        "v₁ = relu(x)": tg.relu(x),
        "v₁ = clip(x, 0, 1)": x.clip(0, 1),
        "v₁ = x[0, 1:]": x[0, 1:],
        "v₁ = mean(x)": tg.mean(x),
        "v₁ = sigmoid(x)": tg.sigmoid(x),
        "v₁ = concatenate(x, x)": tg.concatenate([x, x]),
        "v₁ = −x": -x,
    }
    for header, t in cases.items():
        assert draw(t).picture.cards[-1].header == header


def test_several_outputs():
    x, y = tg.variables(x=2, y=3)
    a, b = x * y, x + y
    drawing = draw([a, b], gradients=True, grad=[1.0, 10.0])
    assert [c.role for c in drawing.picture.cards].count("output") == 2
    assert gradient_text(drawing.picture.cards[0]) == "3 + 10 = 13"
    with pytest.raises(tg.ShapeError, match="2 outputs but 1"):
        draw([a, b], gradients=True, grad=[1.0])


def test_a_users_op_and_function_are_drawn_like_ours(card_of):
    @tg.op("viz_cube", vjps=[lambda g, y, x: g * 3 * x * x], saves="x", formula="x³", local=["3x²"])
    def cube(x):
        return x * x * x

    class Double(tg.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    (x,) = tg.variables(x=2)
    f = Double.apply(cube(x))
    f.backward()
    drawing = draw(f)
    assert gradient_text(card_of(drawing, "x")) == "24"
    assert [e.local for e in drawing.picture.edges] == [("× 12",), ("× 2",)]


def test_a_wall_of_registry_samples_can_be_drawn():
    x = tg.tensor([[0.5, -1.5], [2.0, 1.0]], requires_grad=True, name="x")
    results = [f(x) for f in (tg.abs, tg.exp, tg.softmax, tg.logsumexp, tg.var, tg.max, tg.tanh)]
    results += [
        x @ x,
        x.reshape(4),
        tg.stack([x, x]),
        tg.pad(x, 1),
        x[[0, 0]],
        tg.where(x > 0, x, 1),
    ]
    for result in results:
        drawing = draw(result.sum(), gradients=True, view="numbers")
        assert drawing.source.startswith("digraph")
    assert draw(sum(r.sum() for r in results), gradients=True, view="numbers").pipe("svg")


def test_the_legend_shows_marks_as_they_look(graphs):
    f, names = graphs.product()
    f.backward()
    source = tg.draw(f, names=names).source
    words = re.search(r"value</FONT>(.*?)</TD>", source).group(1)
    assert "∂ gradient" in words and "× local derivative" in words  # on one line
    try:
        tg.zeros(2, 3) @ tg.zeros(2, 3)
    except tg.ShapeError as error:
        failed = tg.draw(error).source
    box = re.search(r'<TD [^>]*COLOR="(#\w+)"><FONT [^>]*>✕ failed here', failed)
    assert box.group(1) == Style().failed
