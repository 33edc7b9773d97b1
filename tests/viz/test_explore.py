"""The explorer's page without a browser: its data, its numbers, its size, and its harmlessness."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from work import growth

import tinygraph as tg
from tinygraph import nn
from tinygraph.viz import RenderError, measure, render
from tinygraph.viz.page import document, explore, overlays
from tinygraph.viz.page.contents import Contents, as_json
from tinygraph.viz.page.layout import title_size
from tinygraph.viz.steps import Walk

HINT = 'pip install "tinygraph-autodiff[viz]"'


def data_of(page):
    """Return what the page's script reads."""
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page.html)
    return json.loads(text)


def graph_of(page):
    (graph,) = data_of(page)["graphs"]
    return graph


def number(text):
    return float(text.replace("−", "-").replace("∞", "inf"))


def values(content):
    """Return the exact numbers of a content as an array, None where there are too many."""
    if content["kind"] == "number":
        return np.array(number(content["exact"]))
    if content["kind"] == "table":
        return np.array([[number(t) for t in row] for row in content["exact"]])
    return None


def steps_of(graph, view=0):
    return [graph["steps"][i] for i in graph["views"][view]["steps"]]


@pytest.fixture(scope="module")
def language_model():
    tg.manual_seed(0)

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(20, 16)
            self.blocks = nn.Sequential(*[nn.TransformerBlock(16, 4, 32) for _ in range(2)])
            self.head = nn.Linear(16, 20)

        def forward(self, tokens):
            return self.head(self.blocks(self.embed(tokens)))

    tokens = tg.tensor(np.arange(12).reshape(2, 6) % 20)
    logits = Model()(tokens).reshape(12, 20)
    return nn.functional.cross_entropy(logits, tg.tensor(np.arange(12) % 20))


@pytest.fixture(scope="module")
def language_page(language_model):
    return explore(language_model)


# ---- numbers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["product", "neuron", "maximum", "fork", "layer"])
def test_every_number_is_the_librarys_in_all_its_digits(graphs, name, dtype):
    with tg.default_dtype(dtype):
        f, names = getattr(graphs, name)()
    graph = graph_of(explore(f, names=names))
    nodes = tg.graph(f).nodes
    leaves = [n.tensor for n in tg.graph(f).leaves if n.tensor.requires_grad]
    found = dict(zip(leaves, tg.grad(f, leaves), strict=True))
    contents = graph["contents"]
    for i, node in enumerate(nodes):
        told = graph["tensors"][f"t{i}"]
        t = node.tensor
        shown = values(contents[told["value"]]).reshape(t.shape)
        np.testing.assert_array_equal(shown.astype(t.dtype), t.data)
        if t in found:
            shown = values(contents[told["gradient"]]).reshape(t.shape)
            np.testing.assert_array_equal(shown.astype(t.dtype), found[t].data)
    results = steps_of(graph)[-1]
    assert results["phase"] == "results" and len(results["rows"]) == len(leaves)


def test_the_steps_are_those_of_the_walk(graphs):
    f, names = graphs.fork()
    graph = graph_of(explore(f, names=names))
    walk = list(Walk(f, names=names))
    numbered = [s for s in steps_of(graph) if "number" in s]
    assert [s["number"] for s in numbered] == [s.number for s in walk]
    phases = [s["phase"] for s in steps_of(graph)]
    forward = sum(1 for _ in Walk(f).forward())
    assert phases == ["overview", "given", *["forward"] * forward, "seed",
                      *["backward"] * (len(walk) - forward), "results"]  # fmt: skip
    contents = graph["contents"]
    for told, step in zip(numbered[forward:], walk[forward:], strict=True):
        assert number(contents[told["upstream"]]["exact"]) == step.upstream
        assert number(contents[told["local"]]["exact"]) == step.local
        assert number(contents[told["content"]]["exact"]) == step.contribution
        assert number(contents[told["after"]]["exact"]) == step.after
        nodes = enumerate(tg.graph(f).nodes)
        assert set(told.get("reads", ())) == {f"t{i}" for i, n in nodes if n.tensor in step.reads}


def test_sentences(graphs):
    f, names = graphs.fork()
    steps = steps_of(graph_of(explore(f, names=names)))

    def said(step):
        return step.get("sentence") or "".join(text for _, text in step["pieces"])

    told = [said(s) for s in steps]
    assert "∂f/∂a += upstream 1 × local −3 = −3" in told
    (last,) = [s for s in steps if s["phase"] == "backward" and "∂f/∂a" in said(s)][-1:]
    assert last["sum"] == "2 + 2 + (−3) = 1" and last["symbols"] == "∂f/∂a += ∂f/∂v₁ · b"
    assert last["words"][0] == "The local derivative of v₁ by a is b = −3."
    assert last["words"][1] == "The last of 3 edges that meet in a: they add up: 2 + 2 + (−3) = 1."
    dead = [s for s in steps if s.get("dead")]
    assert len(dead) == 1 and "nothing flows back" in dead[0]["words"][0]


def test_matrices_have_rules_and_shapes(graphs):
    L, names = graphs.layer()
    steps = steps_of(graph_of(explore(L, names=names)))
    (product,) = [s for s in steps if s["phase"] == "backward" and s.get("symbols") is None
                  and "Xᵀ G" in s["pieces"][-1][1]]  # fmt: skip
    assert product["shapes"] == "(2,3)(3,2) → (2,2)"
    assert "only one product" in product["words"][0]
    (bias,) = [s for s in steps if s["phase"] == "backward" and s["pieces"][0][1] == "∂L/∂b"]
    assert "summed over axis 0, because b was repeated" in " ".join(bias["words"])


# ---- cards --------------------------------------------------------------------------------------


def about(graph, header):
    (card,) = [c for c in graph["cards"].values() if c["header"] == header]
    return dict(card["about"])


def test_an_edge_whose_rule_is_in_words_says_it_like_the_picture(graphs):
    L, names = graphs.layer()
    picture = tg.draw(L, names=names, gradients=True).picture
    drawn = {edge.local[0] for edge in picture.edges if edge.local}
    labels = graph_of(explore(L, names=names))["views"][0]["labels"]
    assert "1 / n, spread back" in drawn
    assert "1 / n, spread back" in {local for local, _ in labels.values()}


def test_titles_of_modules_leave_the_middle_free_where_edges_come_from_above():
    for name, details in ((40, [60, 30]), (70, [20]), (80, [])):
        width, height = title_size(name, details, "TB")
        assert width / 2 >= max(name, *details, 0) and height == 20 + 13 * len(details)
        across, low = title_size(name, details, "LR")
        assert across >= name + sum(details) and low == 20


def test_a_card_tells_op_formula_module_memory_and_line():
    x, y = tg.variables(x=2, y=3)
    with tg.record_lines():
        f = tg.exp(x * y)
    graph = graph_of(explore(f))
    told = about(graph, "v₁ = x · y")
    assert told["op"] == "mul: a · b" and told["here"] == "x · y" and told["in numbers"] == "2 · 3"
    assert told["kept for backward"] == "nothing: no derivative reads it"
    assert told["made by the line"].endswith("f = tg.exp(x * y)")
    told = about(graph, "f = exp(v₁)")
    assert told["kept for backward"] == "4 bytes; read by the derivatives of f"
    assert "lives anyway; read by the derivatives of v₁" in about(graph, "x")["kept for backward"]


def test_overlays_measure_gradients_and_memory():
    x = tg.tensor(np.full((3, 3), 1e-4), requires_grad=True, name="x")
    graph = graph_of(explore(tg.sum(1e-3 * tg.tanh(x) * 1e-4)))

    def overlay(name):
        cards = graph["overlays"][name]["cards"]
        return {graph["cards"][i]["header"]: facts for i, facts in cards.items()}

    sizes = overlay("gradient")
    assert sizes["x"]["word"] == "vanishing" and sizes["v₂ = 0.001 · v₁"]["word"] == ""
    assert "Vanishing: less than" in graph["overlays"]["gradient"]["words"][0]
    assert all(0 <= facts["level"] <= 1 for facts in sizes.values())
    memory = overlay("memory")
    assert memory["v₁ = tanh(x)"]["text"] == memory["v₂ = 0.001 · v₁"]["text"] == "72 B"
    assert memory["x"]["text"] == ""
    assert "In all 144 B" in graph["overlays"]["memory"]["words"][0]


def test_the_words_of_gradient_flow_mean_the_same_here():
    import inspect

    given = inspect.signature(tg.gradient_flow).parameters
    assert given["vanishing"].default == overlays.VANISHING
    assert given["exploding"].default == overlays.EXPLODING


@pytest.mark.parametrize("factor", [0.0, np.inf, np.nan])
def test_gradients_that_are_no_numbers_have_words(factor):
    x = tg.tensor([1.0, 2.0], requires_grad=True, name="x")
    f = tg.sum(x * np.array([factor, factor]))
    card = next(iter(graph_of(explore(f))["overlays"]["gradient"]["cards"].values()))
    assert card["word"] == ("zero" if factor == 0 else "not finite")


# ---- arrays -------------------------------------------------------------------------------------


def test_arrays_by_size():
    assert as_json(np.array([])) == {"kind": "empty", "text": "empty"}
    assert as_json(np.array([[1.5]]))["kind"] == "number"
    table = as_json(np.array([[1.0, -2.0], [np.nan, np.inf]]))
    assert table["rows"] == [["1", "−2"], ["✕", "∞"]] and table["levels"] == [[0.5, -1], [None, 1]]
    heat = as_json(np.linspace(-1, 1, 60).reshape(6, 10))
    levels = np.frombuffer(base64.b64decode(heat["levels"]), np.uint8).astype(int)
    assert heat["size"] == [6, 10] and levels.tolist() == sorted(levels)
    assert levels[0] == 1 and levels[-1] == 255 and heat["at"] == ""
    assert as_json(np.ones((2, 3, 6, 6)))["at"] == "[0, 0]"
    assert as_json(np.ones((40, 40)))["kind"] == "sketch"
    facts = {name: exact for name, _, exact in as_json(np.arange(100.0))["facts"]}
    assert facts == {
        "min": "0.0",
        "mean": "49.5",
        "max": "99.0",
        "rms": exact_rms(np.arange(100.0)),
    }
    assert as_json(np.array([[True, False]]))["rows"] == [["true", "false"]]
    json.dumps(as_json(np.full((5, 5), np.nan)), allow_nan=False)


def exact_rms(a):
    return str(float(np.sqrt(np.mean(a * a))))


def test_each_array_is_written_once():
    contents = Contents()
    a = np.arange(4.0)
    assert contents.add(a) == contents.add(a) == contents.add(a.copy())
    assert contents.add(a + 1) == 1 and len(contents.items) == 2


# ---- modules and layout -------------------------------------------------------------------------


def inside(box, outer, slack=1.0):
    x, y, w, h = box
    ox, oy, ow, oh = outer
    return (
        x >= ox - slack
        and y >= oy - slack
        and x + w <= ox + ow + slack
        and y + h <= oy + oh + slack
    )


def test_cards_do_not_overlap_and_lie_in_their_modules(language_page):
    graph = graph_of(language_page)
    assert len(graph["views"]) > 5
    for view in graph["views"]:
        for layout in view["layouts"].values():
            boxes = []
            for card, (x, y) in zip(view["cards"], layout["cards"], strict=True):
                w, h = graph["cards"][card]["size"]
                boxes.append((x - w / 2, y - h / 2, w, h))
            for i, (ax, ay, aw, ah) in enumerate(boxes):
                for bx, by, bw, bh in boxes[:i]:
                    apart = ax + aw <= bx or bx + bw <= ax or ay + ah <= by or by + bh <= ay
                    assert apart, (view["open"], boxes[i])
            for box, home in zip(boxes, view["homes"], strict=True):
                assert home is None or inside(box, layout["scopes"][str(home)])
            for scope, around in view["scopes"]:
                if around is not None:
                    assert inside(layout["scopes"][str(scope)], layout["scopes"][str(around)])
            assert all(edge is not None for edge in layout["edges"])


def test_every_module_that_says_so_can_be_opened_and_closed(language_page):
    graph = graph_of(language_page)
    opened = [set(v["open"]) for v in graph["views"]]
    offered = {i for i, scope in enumerate(graph["scopes"]) if scope["opens"]}
    assert offered == set().union(*opened)
    for i in offered:
        assert any(i not in scopes for scopes in opened)
    for card in graph["cards"].values():
        assert "opens" not in card or card["opens"] in offered
    paths = {graph["scopes"][i]["title"] for i in offered}
    assert {"blocks.0", "blocks.1", "blocks.0.self_attn", "head"} <= paths


def test_contributions_of_every_view_add_up(language_page):
    graph = graph_of(language_page)
    for i, view in enumerate(graph["views"]):
        edges = {(t, x, p) for _, t, x, p in view["edges"]}
        for step in steps_of(graph, i):
            if step["phase"] == "backward":
                assert (step["card"], step["to"], step["position"]) in edges
                assert step["card"] in view["cards"]
        last = {
            s["to"]: s["after"] for s in steps_of(graph, i) if s["phase"] in ("backward", "seed")
        }
        for tensor, after in last.items():
            if tensor in graph["tensors"]:
                shown = graph["contents"][graph["tensors"][tensor]["gradient"]]
                told = graph["contents"][after]
                assert told["kind"] == shown["kind"]
                pairs = zip(told.get("facts", ()), shown.get("facts", ()), strict=True)
                for (_, _, a), (_, _, b) in pairs:
                    assert number(a) == pytest.approx(number(b), rel=1e-4, abs=1e-7)


def test_depth_decides_the_first_picture(language_model):
    for depth, cards in ((0, 5), (1, 7)):
        graph = graph_of(explore(language_model, depth=depth))
        assert len(graph["views"][0]["cards"]) == cards


def test_repeated_uses_of_one_tensor_have_an_edge_each():
    x = tg.tensor(3.0, requires_grad=True, name="x")
    view = graph_of(explore(x * x))["views"][0]
    assert [(e[2], e[3]) for e in view["edges"]] == [("t0", 0), ("t0", 1)]


# ---- size and time ------------------------------------------------------------------------------


def test_a_small_transformer_stays_below_a_megabyte(language_page):
    assert len(language_page.html.encode()) < 800_000
    x, y, z = tg.variables(x=-2, y=5, z=-4)
    assert len(explore((x + y) * z).html.encode()) < 100_000


def test_a_graph_of_many_thousand_ops_is_told_in_parts(graphs):
    chains = {n: graphs.chain(n) for n in (2000, 4000)}
    assert growth(lambda n: explore(chains[n]), 2000) < 2.1
    page = explore(graphs.chain(20_000))
    graph = graph_of(page)
    assert len(page.html) < 300_000 and len(graph["views"][0]["cards"]) < 60
    assert "in the middle are told as one" in " ".join(steps_of(graph)[0]["words"])


def test_the_page_is_the_same_every_time(graphs):
    f, names = graphs.layer()
    assert explore(f, names=names).html == explore(f, names=names).html


# ---- harmless -----------------------------------------------------------------------------------

HOSTILE = [
    "</script><script>alert(1)</script>", "<!--<script>", '"><img src=x onerror=alert(1)>', "]]>",
    "{{SCRIPT}}", "\u202eabc", "\x00\x1b[31m", "a" * 100_000, "\ud800", "javascript:alert(1)",
    "\u2028\u2029", "__proto__", "constructor", "'; DROP TABLE", "&lt;b&gt;", "${1}", "\\u003c",
]  # fmt: skip


class Elements(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_add_no_element_and_do_not_leave_the_data(text):
    x = tg.tensor(2.0, requires_grad=True, name=text)
    page = explore({text: x * x, "b": tg.exp(x)}, title=text, names={text: x})
    plain = explore({"a": x * 1.0, "b": tg.exp(x)}, title="b")
    parsed, expected = Elements(), Elements()
    parsed.feed(page.html)
    expected.feed(plain.html)
    assert [t for t, _ in parsed.tags] == [t for t, _ in expected.tags]
    assert len(data_of(page)["graphs"]) == 2
    assert len(page.html) < 400_000
    page.html.encode("utf-8")


def test_nothing_comes_from_the_network_and_the_policy_fits():
    page = explore(tg.exp(tg.tensor(1.0, requires_grad=True)))
    parsed = Elements()
    parsed.feed(page.html)
    links = [v for _, attrs in parsed.tags for k, v in attrs.items() if k in ("src", "href")]
    assert links == ["data:,"]
    addresses = set(re.findall(r"https?://[^\s\"']+", page.html))
    assert addresses <= {"http://www.w3.org/2000/svg"}
    (policy,) = [a["content"] for t, a in parsed.tags if a.get("http-equiv")]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    style = re.search(r"<style>(.*?)</style>", page.html, re.DOTALL).group(1)
    script = re.findall(r"<script>(.*?)</script>", page.html, re.DOTALL)
    assert len(script) == 1
    for text in (style, script[0]):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert not [a for _, attrs in parsed.tags for a in attrs if a.startswith("on") or a == "style"]


def test_the_script_makes_no_markup_from_text():
    script = "".join(document._text(f"{name}.js") for name in document.SCRIPTS)
    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "Function(",
    ):
        assert word not in script
    assert "</" not in script and "</" not in document._text("explore.css")


# ---- the object, and errors ---------------------------------------------------------------------


def test_saving_and_showing(graphs, tmp_path):
    f, names = graphs.product()
    page = explore(f, tmp_path / "graph.html", names=names)
    assert (tmp_path / "graph.html").read_text(encoding="utf-8") == page.html
    assert page.save(str(tmp_path / "again.htm")).read_bytes() == page.html.encode()
    assert repr(page).startswith("Explorer('f = (x + y) · z'") and page.title == "f = (x + y) · z"
    shown = Elements()
    shown.feed(page._repr_html_())
    ((tag, attributes),) = shown.tags
    assert tag == "iframe" and attributes["srcdoc"] == page.html
    assert attributes["sandbox"] == "allow-scripts"


def test_several_graphs_share_a_page(graphs):
    f, names = graphs.product()
    g, more = graphs.fork()
    data = data_of(explore({"one": f, "two": g}, names={**more, **names}))
    assert [graph["title"] for graph in data["graphs"]] == ["one", "two"]
    assert data["title"] == "Backpropagation, step by step"


def test_nothing_is_touched(graphs):
    f, names = graphs.product()
    explore(f)
    assert names["x"].grad is None and not f.used
    f.backward()
    explore(f)
    assert names["x"].grad == -4


def test_an_upstream_gradient_for_several_elements():
    x = tg.tensor([1.0, 2.0], requires_grad=True, name="x")
    y = x * x
    with pytest.raises(tg.ShapeError, match=r"explore: grad= .*\(2,\)"):
        explore(y)
    graph = graph_of(explore(y, grad=np.array([1.0, 10.0])))
    gradient = graph["contents"][graph["tensors"]["t0"]["gradient"]]
    assert gradient["exact"] == [["2.0", "40.0"]] and graph["symbol"] == "L"


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: explore(3), tg.UsageError, "explore takes a tensor.*the number 3"),
        (lambda: explore({}), tg.UsageError, "at least one"),
        (lambda: explore({"a": [1]}), tg.UsageError, "explore takes a tensor"),
        (lambda: explore(tg.tensor(1.0)), tg.GradientError, "requires grad"),
        (lambda: explore(leaf(), depth=-1), tg.UsageError, "depth is a whole number"),
        (lambda: explore(leaf(), limit=1), tg.UsageError, "limit is a whole number"),
        (lambda: explore(leaf(), names=[1]), tg.UsageError, "names is a dict"),
        (lambda: explore(leaf(), "graph.svg"), tg.UsageError, "HTML file.*graph.html"),
        (lambda: explore(leaf(), "no/such/folder/a.html"), RenderError, "no folder"),
    ],
)  # fmt: skip
def test_bad_input(call, error, words):
    with pytest.raises(error, match=words):
        call()


def leaf():
    return tg.exp(tg.tensor(1.0, requires_grad=True, name="x"))


def test_an_overwritten_value_names_the_way_out():
    x = tg.tensor(2.0, requires_grad=True, name="x")
    y = x * x
    with tg.no_grad():
        x.data = 5.0
    with pytest.raises(tg.VersionError, match=r"explore.*before optimizer\.step"):
        explore(y)


def test_without_graphviz_the_error_names_the_pip_command(no_dot, monkeypatch, tmp_path):
    monkeypatch.setattr(render.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RenderError, match=re.escape(HINT)):
        explore(leaf(), tmp_path / "graph.html")
    assert not list(tmp_path.iterdir())


def test_a_slow_layout_is_stopped(language_model):
    with pytest.raises(RenderError, match=r"took longer than 0\.01 s"):
        explore(language_model, timeout=0.01)


def test_dot_on_the_path_lays_out_too(graphs, monkeypatch, tmp_path):
    """A stand-in for dot answers with one JSON after the other, as dot does."""
    import stat
    import sys

    f, names = graphs.product()
    expected = explore(f, names=names).html
    program = tmp_path / "dot"
    program.write_text(
        f"#!{sys.executable}\n"
        "import sys, pygraphviz\n"
        "assert sys.argv[1:] == ['-Tjson0']\n"
        "for text in sys.stdin.read().split('digraph')[1:]:\n"
        "    graph = pygraphviz.AGraph(string='digraph' + text)\n"
        "    sys.stdout.buffer.write(graph.draw(format='json0', prog='dot') + b'\\n')\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("TINYGRAPH_DOT", str(program))
    assert explore(f, names=names).html == expected


def test_widths_are_about_those_of_helvetica():
    for text, width in (("iiii", 8.9), ("WWWW", 37.8), ("0123", 22.2)):
        assert measure.text_width(text, 10) == pytest.approx(width, rel=0.05)
    assert measure.text_width("漢字", 10) > 20 and measure.text_width("e\u0301", 10) < 6
    assert measure.text_width("x", 10, bold=True) > measure.text_width("x", 10)
