"""The worked solution as a page: well-formed, self-contained, harmless, and right."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from html import escape
from html.parser import HTMLParser

import numpy as np
import pytest

import tinygraph as tg
from tinygraph.viz.expressions import Formula
from tinygraph.viz.notation import HtmlNotation
from tinygraph.viz.text import number

VOID = {"meta", "br", "hr", "img", "link"}
TWO = {"mfrac", "msup", "msub"}
"""Elements of MathML that take exactly two."""

HOSTILE = [
    "</math>", "<script>alert(1)</script>", "\"onload=x", "'", "&amp;", "]]>", "-->", "a\\b",
    "{}", "\u202eabc", "é", "日本", "x" * 3000, " ", "α", "w₁₂", "</style>", "javascript:x", "$",
    "²", "ᵀ",
]  # fmt: skip


class Reader(HTMLParser):
    """Checks that every element is closed, in order; counts the children of fractions."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.stack: list[list] = []
        self.faults: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.text: list[str] = []

    def handle_startendtag(self, tag, attrs):
        self.note(tag, attrs)

    def handle_starttag(self, tag, attrs):
        self.note(tag, attrs)
        if tag not in VOID:
            self.stack.append([tag, 0])

    def note(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs
        if self.stack:
            self.stack[-1][1] += 1

    def handle_endtag(self, tag):
        opened, children = self.stack.pop() if self.stack else ("nothing", 0)
        if opened != tag or (tag in TWO and children != 2):
            self.faults.append(f"<{opened}> with {children} parts ends as </{tag}>")

    def handle_data(self, data):
        self.text.append(data)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert not reader.faults and not reader.stack, (reader.faults[:3], reader.stack[:3])
    return reader


def check_page(page: str) -> Reader:
    """A page is well formed and asks nobody for anything."""
    reader = read(page)
    assert page.startswith("<!DOCTYPE html>")
    assert not reader.tags & {"script", "link", "img", "object", "form", "base"}
    frames = [value for name, value in reader.attributes if name == "srcdoc"]
    if frames:  # the explorer, which has tests of its own
        assert page.count("<iframe ") == len(frames) == 1
        assert ("sandbox", "allow-scripts") in reader.attributes
        assert re.search(r"script-src 'sha256-[^']+'\"", page)
        reader.attributes.remove(("srcdoc", frames[0]))
        page = page.replace(escape(frames[0]), "")
    else:
        assert "script-src 'none'" in page
    assert not any(name.startswith("on") for name, _ in reader.attributes)
    assert not any(
        name.rpartition(":")[2] in ("href", "src", "action") for name, _ in reader.attributes
    )
    outside = [v for n, v in reader.attributes if v and "//" in v and not n.startswith("xmlns")]
    assert not outside and "@import" not in page and "url(" not in page
    return reader


def two_layers():
    X = tg.tensor([[1.0, -2.0], [0.0, 3.0]], name="X")
    W = tg.tensor([[1.0, -1.0, 0.5], [0.0, 2.0, 1.0]], requires_grad=True, name="W1")
    b = tg.tensor([0.0, -1.0, 0.5], requires_grad=True, name="b")
    return tg.mean(tg.softmax(tg.relu(X @ W + b)) ** 2 / (1 + tg.exp(-X[0, 0])))


def test_the_page_has_the_formula_the_picture_the_steps_and_the_nudge(graphs):
    f, names = graphs.product()
    solution = tg.explain(f, names=names)
    reader = check_page(solution.html)
    text = " ".join(" ".join(reader.text).split())
    assert "<title>f = (x + y) · z</title>" in solution.html
    assert {"svg", "iframe", "math", "mfrac"} <= reader.tags
    assert ("aria-label", "The graph of f = (x + y) · z") in reader.attributes
    for words in ("Worked solution", "Forward: values", "Backward: gradients", "All gradients",
                  "A nudge, to check", "the gradient predicted"):  # fmt: skip
        assert words in text
    assert str(tg.explain(f, names=names, format="html")) == solution.html.rstrip()


def test_the_numbers_on_the_page_are_the_librarys(graphs):
    f, names = graphs.neuron()
    page = tg.explain(f, names=names).html
    f.backward()
    rows = re.findall(r'<tr><th scope="row">(.*?)</th><td class="value">(.*?)</td>'
                      r'<td class="gradient">(.*?)</td>', page)  # fmt: skip
    plain = {tuple(re.sub("<[^>]*>", "", part) for part in row) for row in rows}
    for name in ("w0", "w1", "w2", "x0", "x1"):
        value, gradient = number(names[name].item()), number(names[name].grad.item())
        assert (name, value, gradient) in plain


def test_matrices_rules_and_shapes():
    page = tg.explain(two_layers()).html
    check_page(page)
    assert '<mrow class="matrix">' in page
    assert "<msup><mi>X</mi><mi>⊤</mi></msup>" in page
    assert '<span class="shapes">(2,2)(2,3) → (2,3)</span>' in page


def test_the_picture_shrinks_no_further_than_can_be_read():
    page = tg.explain(two_layers()).html
    width, least = re.search(r'min-width: (\d+)pt" width="([\d.]+)pt"', page).groups()
    assert float(width) == pytest.approx(0.7 * float(least), abs=1)


def test_every_step_has_its_number():
    solution = tg.explain(two_layers())
    numbers = re.findall(r'<tr id="step(\d+)">', solution.html)
    assert numbers == [str(i) for i in range(1, len(list(solution.walk)) + 1)]


def test_without_graphviz_the_page_says_so(graphs, no_dot, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    f, names = graphs.product()
    page = tg.explain(f, names=names).html
    check_page(page)
    assert "Drawing needs Graphviz. Fix: pip install" in page and "<svg" not in page


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_hostile_names_are_harmless(name):
    x = tg.tensor([[1.0, 2.0]], requires_grad=True, name=name)
    t = (x @ x.T + tg.softmax(x).sum() + x[0, 1]).sum()
    check_page(tg.explain(t, names={"t": t}).html)


def test_every_formula_of_the_registry_is_well_formed():
    n = HtmlNotation("f", 4)
    count = 0
    for record in tg.REGISTRY.values():
        names = {w: w for w in (*getattr(record, "input_names", ()), "y", "G")}
        for text in (record.formula, *getattr(record, "local", ())):
            element = ET.fromstring(f"<math>{n.symbols(Formula(text, names)).text}</math>")
            count += 1
            for part in element.iter():
                assert part.tag not in TWO or len(part) == 2, (record.name, text)
    assert count > 300


# ---- files -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suffix", "kind"), [("html", "html"), ("md", "markdown"), ("tex", "latex"), ("TXT", "plain")]
)
def test_save_goes_by_the_suffix(graphs, tmp_path, suffix, kind):
    f, names = graphs.product()
    solution = tg.explain(f, names=names)
    path = solution.save(tmp_path / f"solution.{suffix}")
    assert path.read_text(encoding="utf-8").rstrip() == getattr(solution, kind).rstrip()
    assert [p.name for p in tmp_path.iterdir()] == [f"solution.{suffix}"]


@pytest.mark.parametrize("name", ["solution.docx", "solution", "no/folder/x.html", "a\0b.html",
                                  "x" * 300 + ".html"])  # fmt: skip
def test_save_refuses(graphs, tmp_path, name):
    f, _ = graphs.product()
    with pytest.raises(tg.TinygraphError):
        tg.explain(f).save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_large_arrays_are_told_in_words():
    x = tg.tensor(np.arange(100.0), requires_grad=True, name="x")
    assert "from 0 to 99, mean 49.5" in tg.explain(tg.sum(x * x)).html.replace("\u00a0", " ")
