"""Rendering without a system Graphviz, with a stand-in for one, and every way to fail."""

import os
import re
import stat
import sys
import xml.etree.ElementTree as ET

import pytest

import tinygraph as tg
from tinygraph.viz import Drawing, RenderError, draw, render
from tinygraph.viz.svg import CARD_PADDING

HINT = 'pip install "tinygraph-autodiff[viz]"'
MAGIC = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF", "dot": b"digraph tinygraph"}


@pytest.fixture
def drawing(graphs):
    f, names = graphs.product()
    f.backward()
    return draw(f, names=names)


def fake_dot(folder, body):
    """Write an executable that plays Graphviz."""
    path = folder / "dot"
    path.write_text(f"#!{sys.executable}\nimport sys\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@pytest.mark.parametrize("fmt", MAGIC)
def test_every_format_without_dot_on_the_path(drawing, no_dot, tmp_path, fmt):
    path = drawing.render(tmp_path / f"graph.{fmt}")
    assert path.read_bytes().startswith(MAGIC[fmt])
    assert os.listdir(tmp_path) == [f"graph.{fmt}"]


def test_svg_is_xml_with_every_card_and_a_white_background(drawing, no_dot):
    svg = drawing.pipe("svg")
    root = ET.fromstring(svg)
    groups = [g.attrib.get("class", "") for g in root.iter("{http://www.w3.org/2000/svg}g")]
    nodes = sorted(g for g in groups if g.startswith("node"))
    assert nodes == ["node leaf"] * 3 + ["node output", "node result"]
    assert sum(g.startswith("edge") for g in groups) == 4
    assert b'fill="white"' in svg or b'fill="#ffffff"' in svg.lower()


def test_text_lies_inside_its_card_and_figures_end_at_its_right_edge(drawing, no_dot):
    root = ET.fromstring(drawing.pipe("svg"))
    space = "{http://www.w3.org/2000/svg}"
    cards = [g for g in root.iter(f"{space}g") if g.attrib.get("class", "").startswith("node")]
    assert len(cards) == 5
    for card in cards:
        outline = next(card.iter(f"{space}path")).attrib["d"]
        xs = [float(x) for x in re.findall(r"-?[\d.]+", outline)[::2]]
        for text in card.iter(f"{space}text"):
            x = float(text.attrib["x"])
            if text.attrib["text-anchor"] == "end":
                assert x == pytest.approx(max(xs) - CARD_PADDING, abs=0.1)
                assert x - 5 * len(text.text) > min(xs)
            else:
                assert min(xs) < x < max(xs)


def test_dot_comes_from_the_path_or_the_variable(drawing, tmp_path, monkeypatch):
    program = fake_dot(
        tmp_path, "print('<svg>', sys.argv[1:], len(sys.stdin.read()) > 100, '</svg>')"
    )
    monkeypatch.delenv("TINYGRAPH_DOT", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert b"<svg> ['-Tsvg'] True </svg>" in drawing.pipe("svg")
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("TINYGRAPH_DOT", program)
    assert b"'-Tpng', '-Gdpi=192'" in drawing.pipe("png")
    monkeypatch.setenv("TINYGRAPH_DOT", str(tmp_path / "nowhere"))
    with pytest.raises(RenderError, match="TINYGRAPH_DOT names no program"):
        drawing.pipe("svg")


def test_a_failing_or_slow_dot_is_a_clear_error(drawing, tmp_path, monkeypatch):
    monkeypatch.setenv("TINYGRAPH_DOT", fake_dot(tmp_path, "sys.exit('syntax error near line 7')"))
    with pytest.raises(RenderError, match="syntax error near line 7"):
        drawing.pipe("svg")
    monkeypatch.setenv("TINYGRAPH_DOT", fake_dot(tmp_path, "import time; time.sleep(60)"))
    with pytest.raises(RenderError, match=r"took longer than 0\.3 s"):
        drawing.pipe("svg", timeout=0.3)


def test_without_any_graphviz_there_is_a_hint_and_the_text(drawing, no_dot, monkeypatch, tmp_path):
    monkeypatch.setattr(render.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RenderError, match=re.escape(HINT)):
        drawing.pipe("png")
    bundle = drawing._repr_mimebundle_()
    assert set(bundle) == {"text/plain"}
    assert HINT in bundle["text/plain"] and "digraph tinygraph" in bundle["text/plain"]
    assert drawing.render(tmp_path / "graph.gv").read_text("utf-8").startswith("digraph")


def test_a_notebook_shows_svg(drawing, no_dot):
    bundle = drawing._repr_mimebundle_(include=None, exclude=None)
    assert "<svg" in bundle["image/svg+xml"]
    assert bundle["text/plain"] == "Drawing(numbers, 5 cards, 4 edges)"


def test_a_notebook_never_sees_an_exception():
    class Broken(Drawing):
        source = property(lambda self: 1 / 0)

    assert HINT in Broken(None, None)._repr_mimebundle_()["text/plain"]


@pytest.mark.parametrize("name", ["graph", "graph.jpeg", "graph.svg.txt", ".svg"])
def test_unknown_formats_are_refused(drawing, tmp_path, name):
    with pytest.raises(tg.UsageError, match="svg, png, pdf, dot"):
        drawing.render(tmp_path / name)
    assert os.listdir(tmp_path) == []
    with pytest.raises(tg.UsageError):
        drawing.pipe("gif")


def test_places_that_cannot_be_written(drawing, tmp_path, monkeypatch):
    monkeypatch.setattr(Drawing, "pipe", lambda *a: pytest.fail("rendered before checking"))
    with pytest.raises(RenderError, match="no folder"):
        drawing.render(tmp_path / "missing" / "graph.svg")
    (tmp_path / "folder.svg").mkdir()
    with pytest.raises(RenderError, match="is a folder"):
        drawing.render(tmp_path / "folder.svg")
    monkeypatch.setattr(os, "access", lambda *a: False)
    with pytest.raises(RenderError, match="no permission"):
        drawing.render(tmp_path / "graph.svg")


def test_a_failed_write_leaves_nothing(drawing, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(RenderError, match="disk full"):
        drawing.render(tmp_path / "graph.dot")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"view": "3d"}, "view is one of"), ({"gradients": "yes"}, "gradients is one of"),
        ({"gradients": 1}, "gradients is one of"), ({"theme": "dark"}, "theme is one of"),
        ({"direction": "up"}, "direction is one of"), ({"depth": -1}, "depth is a whole number"),
        ({"depth": True}, "depth is a whole number"), ({"limit": 0}, "limit is a whole number"),
        ({"legend": "big"}, "legend is one of"), ({"names": ["x"]}, "names is a dict"),
    ],
)  # fmt: skip
def test_wrong_arguments(arguments, words):
    with pytest.raises(tg.UsageError, match=words):
        draw(tg.tensor(1.0), **arguments)


@pytest.mark.parametrize("value", [1.0, "x", None, [1.0], [], object(), {"a": 1}])
def test_wrong_types(value):
    with pytest.raises(tg.UsageError):
        draw(value)


def test_whatever_has_a_graph_can_be_drawn(graphs):
    f, _ = graphs.product()

    class Plan:
        def graph(self):
            return tg.graph(f)

    assert len(draw(Plan()).picture.cards) == len(draw(tg.graph(f)).picture.cards) == 5
    assert draw(f).digraph.source == draw(f).source


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), "x", True])
def test_a_timeout_is_a_time(drawing, timeout):
    with pytest.raises(tg.UsageError, match="timeout is a number of seconds above 0"):
        drawing.pipe("svg", timeout=timeout)
    with pytest.raises(tg.UsageError, match="timeout is a number of seconds above 0"):
        tg.explore(tg.variables(x=1)[0] * 2, timeout=timeout)


@pytest.mark.parametrize("path", [3, None, b"graph.svg"])
def test_a_path_is_a_text_or_a_path(drawing, path):
    solution = tg.explain(tg.variables(x=1)[0] * 2)
    saves = [drawing.render, solution.save]
    saves += [] if path is None else [lambda p: tg.explore(tg.variables(x=1)[0] * 2, p)]
    for save in saves:
        with pytest.raises(tg.UsageError, match="A file has a name"):
            save(path)


@pytest.mark.parametrize("text", ["\ud800x", "x\x00", "(" * 5000 + "x" + ")" * 5000])
def test_formulas_that_no_parser_takes_are_prose(text):
    op = tg.op("surrogate", lambda x: x * 1, vjps=[lambda g, y, x: g], formula=text, local=[text])
    (x,) = tg.variables(x=2)
    f = op(x) + x
    assert len(draw(f, gradients=True).pipe("svg")) > 500 and "∂f/∂x" in str(tg.explain(f))
