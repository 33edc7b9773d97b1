"""Hostile and merely long text: nothing a name contains can change a picture's structure."""

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygraph as tg
from tinygraph import nn
from tinygraph.core.op import Op
from tinygraph.viz import draw
from tinygraph.viz.text import clean, escape, middle_ellipsis, number, quote

CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

BASES = [
    "<b>bold</b>", "</TABLE>>];evil [label=x]", '"; evil -> worse; "', "\\N", "\\", '\\"',
    "&amp;", "&lt;", "&#x41;", "<script>alert(1)</script>", "javascript:alert(1)",
    "data:text/html,x", "]]>", "<!--", "-->", "<![CDATA[x", "<?xml?>", "{a|b}", "|", "a\nb",
    "a\rb", "\x00", "\x07\x1b[31m", "\x7f", "\x85", "\u202egnp.exe", "\u2066x\u2069", "\u200b",
    "\ufeff", "\u2028", "\ud800", "\ufffe", "\U000e0041", "x" * 1_000_000, "é" * 300, "שלום",
    "مرحبا", "😀" * 40, "q\u0301" * 30, "%s%n{0}", "${x}", "`id`", "'", "--", "//", "#", "/* */",
    "\t", " ", "\u00a0", "graph", "node", "subgraph cluster_x {", "}", "<>",
    "<TD HREF='javascript:x'>", "=", "n0", "HTML<BR/>",
]  # fmt: skip
AROUND = ["{}", "a{}b", "{0}{0}", " {}", "{}\\", '"{}', "<{}>", "&{};", "{}\u202e"]
HOSTILE = [frame.format(text) for frame in AROUND for text in BASES]


def test_there_are_enough_hostile_names():
    assert len(set(HOSTILE)) >= 500


def drawing_named(graphs, text):
    """Put one text everywhere a user's text can go."""
    x = tg.tensor(1.0, requires_grad=True)
    x.name = text
    y = x * x

    class Owner:
        def parameters(self):
            return []

        def extra_repr(self):
            return text

    cube = Op(text, lambda x: x * x * x, [lambda g, y, x: g * 3 * x * x], saves="x",
              label=text, formula=text, local=[text])  # fmt: skip
    with graphs.module_scope(text, Owner()):
        z = y + cube(x)
    return draw(z, names={text: y}, title=text, gradients=True)


def structure(source):
    """Return the DOT text without anything in quotes or HTML-like labels."""
    source = re.sub(r'"[^"]*"', '""', source)
    assert source.count("\\") == 0
    return re.sub(r"=<.*>(?=[ \]\n])", "=<>", source)


@pytest.mark.parametrize("index", range(len(HOSTILE)))
def test_hostile_names_change_nothing_but_text(graphs, index):
    drawing = drawing_named(graphs, HOSTILE[index])
    assert structure(drawing.source) == structure(drawing_named(graphs, "plain").source)
    assert not CONTROLS.search(drawing.source)
    assert len(drawing.source) < 20_000


def test_every_picture_keeps_its_structure_whatever_the_names(graphs):
    """The other kinds of pictures, with a hundred of the names."""
    options = [
        {"view": "architecture"}, {"view": "architecture", "depth": 0}, {"backward": True},
        {"backward": "ops"}, {"heat": "gradients"}, {"saved": True, "show": ["bytes", "values"]},
    ]  # fmt: skip
    for i, text in enumerate(HOSTILE[::5]):
        x, w = tg.tensor([1.0, 2.0], requires_grad=True), tg.tensor([3.0, 4.0], requires_grad=True)
        x.name = text
        with graphs.module_scope(text, graphs.FakeModule(text)):
            y = tg.exp(x * w)
        source = draw(y.sum(), **options[i % len(options)]).source
        x.name = "plain"
        assert "javascript:" not in structure(source) and "<script" not in source
        assert not CONTROLS.search(source)


def test_an_error_with_a_hostile_message_is_drawn(graphs):
    class Fails(nn.Module):
        def forward(self, x):
            raise ValueError(self.text)

    for text in HOSTILE[::7]:
        model = Fails()
        model.text = text
        with pytest.raises(ValueError) as caught:
            model(tg.ones(2))
        drawing = draw(caught.value)
        assert drawing.picture.cards[-1].role == "failed"
        assert not CONTROLS.search(drawing.source)
        assert structure(drawing.source).count("->") == 1
        assert len(drawing.source) < 20_000


def test_hostile_names_render_to_well_formed_svg_without_links():
    names = [h for h in HOSTILE if h.strip()]
    tensors = []
    for text in names:
        t = tg.tensor(1.0)
        t.name = text
        tensors.append(t)
    svg = draw(tg.stack(tensors), view="numbers", title="<hostile> & 'co'").pipe("svg")
    root = ET.fromstring(svg)
    hrefs = [v for e in root.iter() for k, v in e.attrib.items() if k.endswith("href")]
    assert hrefs == []
    assert b"<script" not in svg and b"<!DOCTYPE" not in svg
    assert (
        sum(e.tag.endswith("}script") or k[:2] == "on" for e in root.iter() for k in e.attrib) == 0
    )


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_clean_text_is_visible_and_short(text):
    cleaned = clean(text)
    assert len(cleaned) <= 18
    assert cleaned.isprintable()
    ET.fromstring(f"<t a={quote(escape(cleaned))}>{escape(cleaned)}</t>")


def test_ellipsis_is_in_the_middle_and_the_full_name_in_the_tooltip():
    name = "encoder.layers.11.attention.weight"
    x = tg.tensor(1.0, name=name)
    (card,) = draw(x).picture.cards
    assert card.header == middle_ellipsis(name) == "encoder.l…n.weight"
    assert name in card.tooltip and name in draw(x).source


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (-0.0, "0"), (3, "3"), (-12.0, "−12"), (0.5, "0.5"), (0.1 + 0.2, "0.3"),
        (0.7310586, "0.7311"), (-0.19661193, "−0.1966"), (1234.5678, "1235"), (99999.5, "100000"),
        (0.001, "0.001"), (0.0012345, "0.001234"), (0.00012, "1.2e−4"), (1.2e-5, "1.2e−5"),
        (-1e-30, "−1e−30"), (1e6, "1000000"), (1.5e7, "1.5e7"), (12345678901, "1.235e10"),
        (float("nan"), "NaN"), (float("inf"), "∞"), (float("-inf"), "−∞"), (True, "true"),
    ],
)  # fmt: skip
def test_numbers_read_well(value, text):
    assert number(value) == text
