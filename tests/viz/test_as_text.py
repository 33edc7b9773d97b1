"""Graphs as lines of text and as Mermaid; golden texts in tests/golden (--accept-golden)."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn
from tinygraph.core.graph import Graph
from tinygraph.viz.mermaid import escape

GOLDEN = Path(__file__).parent.parent / "golden"


def classifier():
    """A network and its loss, with fixed numbers."""
    model = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 2))
    with tg.no_grad():
        for p in model.parameters():
            p.data = np.linspace(-1, 1, p.size).reshape(p.shape)
    x = tg.tensor([[1.0, -2.0], [0.0, 3.0]], name="x")
    return nn.functional.cross_entropy(model(x), tg.tensor([0, 1], name="label"))


def transformer():
    model = nn.TransformerBlock(8, 2, 16)
    x = tg.tensor(np.zeros((2, 3, 8)), dtype=np.float32, requires_grad=True, name="x")
    return model(x)


def doubled():
    (a,) = tg.variables(a=1)
    b = a + a
    return b * (b + b)


def shared():
    layer = nn.Residual(nn.Linear(2, 2))
    with tg.no_grad():
        for p in layer.parameters():
            p.data = np.zeros(p.shape)
    return layer(layer(tg.tensor([[1.0, 2.0]], name="x")))


TREES = {
    "product": lambda g: tg.graph(g.product()[0]),
    "doubled": lambda g: tg.graph(doubled()),
    "layer": lambda g: tg.graph(g.layer()[0]),
    "classifier": lambda g: tg.graph(classifier()),
    "transformer": lambda g: tg.graph(transformer()),
    "long": lambda g: tg.graph(g.chain(300)),
    "two_outputs": lambda g: tg.graph(*tg.split(tg.variables(u=[1.0, 2.0])[0] * 2, 2)),
}
OPENED = {"shared": (shared, 3), "classifier_opened": (classifier, 5), "closed": (transformer, 0),
          "transformer_opened": (transformer, 5)}  # fmt: skip
MERMAID = {
    "product": lambda g: g.product(),
    "fork": lambda g: g.fork(),
    "layer": lambda g: g.layer(),
}


def compare(path: Path, text: str, request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--accept-golden", default=False):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), "differs: pytest tests/viz --accept-golden"


# ---- the tree --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TREES)
def test_golden_trees(graphs, name, request):
    compare(GOLDEN / "tree" / f"{name}.txt", f"{TREES[name](graphs)}\n", request)


@pytest.mark.parametrize("name", OPENED)
def test_golden_trees_opened(name, request):
    make, depth = OPENED[name]
    compare(GOLDEN / "tree" / f"{name}.txt", tg.graph(make()).to_text(depth) + "\n", request)


def test_no_golden_is_left_over():
    assert {p.stem for p in (GOLDEN / "tree").iterdir()} == {*TREES, *OPENED}
    assert {p.stem for p in (GOLDEN / "mermaid").iterdir()} == {*MERMAID, "model"}


def test_every_result_is_listed_once_and_referred_to():
    lines = tg.graph(transformer()).to_text(depth=5).splitlines()[2:]
    made = [re.search(r"(\S+) = ", line).group(1) for line in lines if " = " in line]
    assert len(made) == len(set(made)) > 20
    for i, line in enumerate(lines):
        for name in re.findall(r"v[₀-₉]+", line.partition(" = ")[2]):
            assert any(f"{name} " in before for before in lines[:i]), (name, line)


def test_uses_are_counted():
    text = str(tg.graph(doubled()))
    assert "a              1   input · used 2 times" in text
    assert "v₁ = a + a     2   used 3 times" in text


def irregular(length):
    """A chain in which nothing repeats for long."""
    t = tg.tensor(1.0, requires_grad=True, name="x")
    rng = np.random.default_rng(0)
    for op in rng.integers(3, size=length):
        t = (tg.sin(t), tg.tanh(t), t * 0.5)[op]
    return t


def test_long_graphs_keep_their_ends():
    lines = str(tg.graph(irregular(5_000))).splitlines()
    assert len(lines) < 60 and "nodes left out" in "".join(lines)
    assert lines[2].startswith("x ") and lines[-1].startswith("f = ")
    everything = tg.graph(irregular(300)).to_text(limit=None)
    assert len(everything.splitlines()) == 303


def test_repeated_blocks_are_listed_once():
    blocks = [nn.TransformerBlock(8, 2, 16) for _ in range(12)]
    model = nn.Sequential(nn.Linear(4, 8), *blocks, nn.Linear(8, 1))
    text = str(tg.graph(model(tg.ones(1, 2, 4))))
    assert "├─ TransformerBlock × 12" in text and "1 … 12 · 600 params each" in text
    assert len(text.splitlines()) < 20
    (last,) = [line for line in text.splitlines() if "norm2" in line]
    name = re.search(r"(v[₀-₉]+) = ", last).group(1)
    assert f"f = 13({name})" in text


def test_a_number_that_stands_for_many_is_no_number(graphs):
    text = str(tg.graph(graphs.chain(300)))
    assert "2 steps, 150 times" in text and "v₂ = v₁ + 1    ()" in text


def test_deep_modules_do_not_recurse():
    model = nn.Linear(1, 1)
    for _ in range(200):
        model = nn.Sequential(model)
    text = tg.graph(model(tg.ones(1, 1))).to_text(depth=300)
    assert text.count("Sequential") == 200 and max(map(len, text.splitlines())) < 1000


@pytest.mark.parametrize("arguments", [{"depth": -1}, {"depth": 1.5}, {"limit": 0}, {"limit": "x"}])
def test_wrong_arguments(arguments, graphs):
    with pytest.raises(tg.UsageError, match="to_text"):
        tg.graph(graphs.product()[0]).to_text(**arguments)


@pytest.mark.parametrize(
    "t",
    [tg.tensor(1.0), tg.tensor(np.zeros((0, 3))), tg.tensor([np.nan, np.inf]),
     tg.tensor(2.0, requires_grad=True) * float("nan"), tg.tensor(True), tg.tensor([[3]])],
    ids=str,
)  # fmt: skip
def test_unusual_tensors(t):
    for text in (str(tg.graph(t)), tg.graph(t).to_mermaid()):
        assert text and "object at" not in text
    assert repr(tg.graph(t)).startswith("Graph(")


def test_a_graph_that_stopped_says_where_and_why():
    model = nn.Linear(2, 8) >> nn.ReLU() >> nn.Linear(9, 1)
    with pytest.raises(tg.ShapeError) as caught:
        model(tg.ones(4, 2))
    lines = str(caught.value.graph()).splitlines()
    assert "╰─ ✕ 2(v₃)      failed   Linear 9→1 · 10 params" in lines
    assert " ".join(lines[-2:]) == f"✕ {caught.value}"


# ---- Mermaid ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MERMAID)
def test_golden_mermaid(graphs, name, request):
    f, names = MERMAID[name](graphs)
    f.backward()
    text = tg.draw(f, names=names, title=f"The {name}").to_mermaid()
    compare(GOLDEN / "mermaid" / f"{name}.mmd", text, request)


def test_golden_mermaid_of_a_model(graphs, request):
    text = tg.graph(graphs.MLP()(graphs.data())).to_mermaid(view="architecture", depth=2)
    compare(GOLDEN / "mermaid" / "model.mmd", text, request)


CARD = re.compile(r'^ *n\d+\["(?:[^"#]|#\d+;)*"\]$')
EDGE = re.compile(r'^  n\d+ (-->|-\.->)(\|"(?:[^"#]|#\d+;)*"\|)? n\d+$')
OTHER = re.compile(
    r'^(flowchart (LR|TB|RL|BT)| *subgraph c\d+\["(?:[^"#]|#\d+;)*"\]| *end|---|title: "[^"]*"'
    r"|  classDef \w+ [\w:#,\- ]+|  class n[\dn,]+ \w+|  style c\d+ [\w:#,]+)$"
)
HOSTILE = [
    '"', '"]', "#quot;", "#34;", "</b><script>alert(1)</script>", "`x`", "end", "%%{init}%%", "\n",
    "]\n  click n0 call alert()", "\\", "{}", "a|b", "&amp;", "-->", "x" * 5000, "\u202ex", "😀",
    " ", "---", "title: x", "$x$", "*b*", "_i_", ";", "\u2028", "\0", "日本", "subgraph", "[", "(",
]  # fmt: skip


def check_lines(text: str) -> None:
    for line in text.splitlines():
        assert CARD.match(line) or EDGE.match(line) or OTHER.match(line), line


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_hostile_names_stay_inside_their_label(name):
    x = tg.tensor(2.0, requires_grad=True, name=name)
    f = x * x + 1
    f.backward()
    text = tg.draw(f, title=name).to_mermaid()
    check_lines(text)
    tags = set(re.findall(r"<[^>]*>", text))
    assert tags <= {"<b>", "</b>", "<i>", "</i>", "<br>"}


def test_escape_leaves_nothing_special():
    for code in range(0x3000):
        written = escape(chr(code))
        assert (
            written.isalnum() or written in " .,:+=/·−×∂◂→…—()" or re.fullmatch(r"#\d+;", written)
        )


def test_ids_are_stable_and_modules_nest(graphs):
    def text():
        return tg.graph(graphs.MLP()(graphs.data())).to_mermaid(view="architecture", depth=2)

    assert text() == text()
    check_lines(text())
    assert text().count("subgraph") == sum(line.strip() == "end" for line in text().splitlines())


def test_render_writes_mermaid(graphs, tmp_path):
    drawing = tg.draw(graphs.product()[0])
    assert drawing.render(tmp_path / "graph.mmd").read_text("utf-8") == drawing.to_mermaid()
    assert drawing.pipe("mermaid").decode() == drawing.to_mermaid()


def test_large_pictures_are_linear(graphs):
    drawing = tg.draw(graphs.chain(20_000), limit=None, fold=False, view="architecture")
    text = drawing.to_mermaid()
    assert text.count("-->") == 20_000


def test_the_core_knows_no_reader():
    source = Path(Graph.to_text.__code__.co_filename).read_text(encoding="utf-8")
    assert "viz" not in source
