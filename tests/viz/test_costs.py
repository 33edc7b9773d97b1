"""Rows on request, bytes kept for the backward pass, and colours by size."""

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn
from tinygraph.core.sizes import rms
from tinygraph.viz import draw
from tinygraph.viz.costs import NOT_AGAIN, times_of
from tinygraph.viz.kept import Kept
from tinygraph.viz.style import Style, ramp


def named(x, name):
    x.name = name
    return x


def card(drawing, header):
    (found,) = [c for c in drawing.picture.cards if c.header.split(" = ")[0] == header]
    return found


def deep(layers=8, width=8):
    tg.manual_seed(0)
    model = nn.MLP([width] * layers, activation=nn.Sigmoid)
    return model, named((model(tg.randn(16, width)) ** 2).mean(), "loss")


# ---- rows ---------------------------------------------------------------------------------------


def test_show_says_exactly_which_rows_there_are():
    x, y = tg.variables(x=2, y=3)
    f = named(x * y, "f")
    plain = card(draw(f, show=()), "f")
    assert plain.value is None and plain.gradient is None and plain.lines == ()
    assert card(draw(f, show="values"), "f").value.text == "6"
    both = draw(f, show=["values", "gradients"])
    assert card(both, "x").gradient.content.text == "3"
    assert card(draw(f, show={"gradients"}), "x").value is None
    assert card(draw(f, show="bytes"), "f").lines == ("4 B",)
    assert x.grad is None and not f.used


def test_architecture_shows_values_when_asked():
    _, loss = deep()
    picture = draw(loss, view="architecture", show=("values", "gradients"), fold=False).picture
    assert all(c.value is not None and c.gradient is not None for c in picture.cards)
    assert card(draw(loss, show="bytes"), "loss").lines == ("4 B",)


def test_shapes_move_to_the_edges():
    model = nn.Linear(2, 3) >> nn.ReLU() >> nn.Linear(3, 1)
    picture = draw(model, (5, 2), show="shapes", view="architecture").picture
    assert [e.local for e in picture.edges] == [("(5, 2)",), ("(5, 3)",), ("(5, 3)",)]
    assert [c.note for c in picture.cards] == ["", "", "", "(5, 1)"]
    assert "local" not in picture.legend


def test_times_are_measured_on_the_recorded_values():
    x = tg.randn(200, 200).requires_grad_()
    y = tg.exp(x @ x).sum()
    times = times_of(tg.graph(y))
    assert len(times) == 3 and all(0 < seconds < 1 for seconds in times.values())
    lines = draw(y, show="time").picture.cards[1].lines
    assert lines and lines[0].endswith(("µs", "ms"))


def test_ops_that_draw_or_write_are_not_run_again():
    generator = tg.Generator(0)
    x = tg.ones(4).requires_grad_()
    y = tg.dropout(x, 0.5, generator=generator) + nn.BatchNorm1d(2)(tg.ones(2, 2) * x[0]).sum()
    state = generator.get_state() if hasattr(generator, "get_state") else None
    times = times_of(tg.graph(y))
    assert all(t.op.kind not in NOT_AGAIN for t in times)
    if state is not None:
        assert str(generator.get_state()) == str(state)


# ---- kept for backward --------------------------------------------------------------------------


def test_kept_bytes_count_each_memory_once():
    x = tg.tensor(np.ones((4, 4), np.float32), requires_grad=True)
    h = tg.exp(x)  # 64 bytes: read by exp and by both products
    f = (h * h).sum() + (h.T * 2.0 * h).sum()
    kept = Kept(tg.graph(f))
    product = next(n for n in tg.graph(f).find(op="mul") if isinstance(n.inputs[1], float))
    assert kept.bytes_of([h]) == 64
    assert kept.bytes_of(n.tensor for n in tg.graph(f).nodes) == 64 + product.nbytes
    drawing = draw(f, saved=True, view="architecture")
    assert drawing.picture.remarks == ["128 B are kept for the backward pass"]
    assert [c.lines for c in drawing.picture.cards if c.header == "exp"] == [("▪ keeps 64 B",)]


def test_leaves_and_sums_keep_nothing():
    x = tg.ones(4).requires_grad_()
    assert draw((x + x).sum(), saved=True).picture.remarks == ["0 B are kept for the backward pass"]
    assert draw((x * x).sum(), saved=True).picture.remarks[0].startswith("0 B")


def test_a_closed_module_keeps_what_is_inside_of_it():
    model = nn.Linear(8, 32) >> nn.ReLU() >> nn.Linear(32, 4)
    drawing = draw(model, (64, 8), saved=True, show="bytes")
    assert card(drawing, "ReLU").lines == ("8.19 kB", "▪ keeps 8.19 kB")
    assert card(drawing, "Linear 8→32").lines == ("0 · 288 params", "8.19 kB")
    whole = draw(model, (64, 8), saved=True, depth=0)
    assert whole.picture.cards[-1].lines[-1] == "▪ keeps 8.19 kB"


# ---- heat ---------------------------------------------------------------------------------------


def test_gradient_heat_goes_by_powers_of_ten_and_names_what_vanishes():
    model, loss = deep()
    before = [p.grad for p in model.parameters()]
    picture = draw(loss, heat="gradients").picture
    cards = {c.lines[0].split(" ")[0] if c.lines else c.header: c for c in picture.cards}
    x, first, last = picture.cards[0], cards["0"], cards["12"]
    assert x.heat is None  # data has no gradient
    assert first.alert == ("vanishing",) and last.alert == ()
    assert 0 <= first.heat < cards["6"].heat < last.heat <= picture.cards[-1].heat <= 1
    assert picture.scale.kind == "gradients" and picture.remarks[0].startswith("vanishing: less")
    assert [p.grad for p in model.parameters()] == before
    assert len(picture.cards) == 16, "every layer has a card of its own"


def test_heat_sizes_are_the_gradients_own(card_of):
    x = tg.tensor([3.0, 4.0], requires_grad=True, name="x")
    f = named((x * x).sum() * 1e6, "f")
    picture = draw(f, heat="gradients").picture
    (leaf,) = [c for c in picture.cards if c.header == "x"]
    size = rms(np.array([6e6, 8e6]))
    assert leaf.lines == (f"∂ rms {size:.1e}".replace("e+0", "e"),)
    assert leaf.alert == ()


def test_exploding_and_zero_are_words_too():
    x = tg.tensor(np.full(4, 2.0, np.float32), requires_grad=True, name="x")
    w = tg.tensor(np.ones(4, np.float32), requires_grad=True, name="w")
    h = x * 1e5
    f = named((h * 1e-9 + w * 0.0).sum(), "f")
    alerts = {
        c.header: c.alert for c in draw(f, heat="gradients", view="architecture").picture.cards
    }
    assert alerts["w"] == ("zero",)
    g = named((x * 1e5 + w).sum(), "g")
    alerts = {
        c.header: c.alert for c in draw(g, heat="gradients", view="architecture").picture.cards
    }
    assert alerts["x"] == ("exploding",) and alerts["w"] == ()


def test_value_heat_needs_no_gradient_and_shows_what_is_not_finite():
    x = tg.tensor([0.0, -1.0], requires_grad=True, name="x")
    picture = draw(tg.log(x), heat="values").picture
    assert picture.scale.kind == "values" and picture.cards[-1].alert == ("not finite",)
    assert draw(tg.zeros(3), heat="values").picture.cards[0].alert == ("zero",)
    assert draw(tg.ones(2).requires_grad_() > 0, heat="values").source


def test_gradient_heat_needs_a_scalar_or_an_upstream_gradient():
    y = tg.ones(3).requires_grad_() * 2.0
    with pytest.raises(tg.ShapeError, match="upstream gradient"):
        draw(y, heat="gradients")
    assert draw(y, heat="gradients", grad=np.ones(3)).picture.scale
    with pytest.raises(tg.GradientError, match="requires grad"):
        draw(tg.ones(3).sum(), heat="gradients")


def test_text_on_the_warmest_card_is_readable():
    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    for kind in ("gradients", "values"):
        light = luminance(ramp(1.0, kind, Style()))
        assert (light + 0.05) / (luminance(Style().ink) + 0.05) > 4.5
    assert ramp(0.0, "values", Style()) == "#ffffff"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"show": "value"}, "show is one or several of"), ({"show": 3}, "show is one or several"),
        ({"show": ["values", None]}, "show is one"), ({"heat": "gradient"}, "heat is one of"),
        ({"saved": 1}, "saved is one of"), ({"fold": "yes"}, "fold is one of"),
        ({"theme": ["dark"]}, "theme is one of"),
    ],
)  # fmt: skip
def test_wrong_arguments(arguments, words):
    with pytest.raises(tg.UsageError, match=words):
        draw(tg.tensor(1.0), **arguments)


def test_a_style_of_ones_own_is_a_theme():
    mine = Style(leaf="#ABCDEF")
    assert "#ABCDEF" in draw(tg.ones(2).requires_grad_() * 2.0, theme=mine).source
