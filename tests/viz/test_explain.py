"""tg.explain: golden texts in tests/golden/explain (accept new ones with --accept-golden)."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn
from tinygraph.viz.text import number

GOLDEN = Path(__file__).parent.parent / "golden" / "explain"
SUFFIX = {"plain": "txt", "markdown": "md", "latex": "tex"}
FORMATS = (*SUFFIX, "html")


def square():
    x = tg.tensor(3.0, requires_grad=True, name="x")
    return x * x, {}


def two_layers():
    """One step of a two-layer MLP, with numbers that are exact in binary."""
    X = tg.tensor([[1.0, -2.0], [0.0, 3.0], [2.0, 1.0], [-1.0, 0.5]], name="X")
    t = tg.tensor([[1.0], [0.0], [2.0], [-1.0]], name="t")
    W1 = tg.tensor([[1.0, -1.0, 0.5], [0.0, 2.0, 1.0]], requires_grad=True, name="W1")
    b1 = tg.tensor([0.0, -1.0, 0.5], requires_grad=True, name="b1")
    W2 = tg.tensor([[1.0], [-2.0], [0.5]], requires_grad=True, name="W2")
    b2 = tg.tensor([0.5], requires_grad=True, name="b2")
    h = tg.relu(X @ W1 + b1)
    y = h @ W2 + b2
    return tg.mean((y - t) ** 2), {"h": h, "y": y}


def modules():
    """The same with modules, a shared weight and a closed loss."""
    X = tg.tensor([[1.0, -2.0], [0.0, 3.0]], name="X")
    model = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1))
    with tg.no_grad():
        for p in model.parameters():
            p.data = np.linspace(-1, 1, p.size).reshape(p.shape)
    loss = nn.functional.mse_loss(model(X), tg.tensor([[1.0], [0.0]], name="t"))
    return loss, {"loss": loss}


def many_rules():
    """Rules in words, broadcasting, selections and meetings of arrays."""
    x = tg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True, name="x")
    s = tg.tensor(0.5, requires_grad=True, name="s")
    parts = [(tg.softmax(x) * x.T).sum(), x[0, 1] * s, tg.logsumexp(s * x), tg.max(x, axis=0)[1],
             tg.reshape(x, (4,))[1:3].mean(), tg.clip(x, min=0, max=1.5).sum()]  # fmt: skip
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total, {}


def without_numbers(graphs, which):
    f, names = getattr(graphs, which)()
    return f, names


CASES = {
    "product": lambda g: g.product(),
    "neuron": lambda g: g.neuron(),
    "maximum": lambda g: g.maximum(),
    "fork": lambda g: g.fork(),
    "square": lambda g: square(),
    "two_layers": lambda g: two_layers(),
    "modules": lambda g: modules(),
    "many_rules": lambda g: many_rules(),
}
IN_ALL_FORMATS = ("product", "square", "two_layers", "many_rules")


@pytest.mark.parametrize(
    ("name", "format"),
    [(n, "plain") for n in CASES] + [(n, f) for n in IN_ALL_FORMATS for f in ("markdown", "latex")],
)
def test_golden(graphs, name, format, request):
    t, names = CASES[name](graphs)
    text = str(tg.explain(t, names=names, format=format)) + "\n"
    path = GOLDEN / f"{name}.{SUFFIX[format]}"
    if request.config.getoption("--accept-golden", default=False):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), "differs: pytest tests/viz --accept-golden"


def test_no_golden_is_left_over():
    wanted = {f"{n}.txt" for n in CASES}
    wanted |= {f"{n}.{SUFFIX[f]}" for n in IN_ALL_FORMATS for f in ("markdown", "latex")}
    assert {p.name for p in GOLDEN.iterdir()} == wanted


# ---- what a student relies on ----------------------------------------------------------------


def test_the_numbers_are_the_librarys(graphs):
    f, names = graphs.neuron()
    text = str(tg.explain(f, names=names))
    f.backward()
    for name in ("w0", "w1", "w2", "x0", "x1"):
        (row,) = [r.split() for r in text.splitlines() if re.match(rf"  {name}  ", r)]
        assert row == [name, number(names[name].item()), number(names[name].grad)]


def test_where_edges_meet_the_sum_is_shown():
    text = str(tg.explain(square()[0]))
    assert "∂f/∂x  = ∂f/∂f · x = 1 · 3 = 3   the first of 2" in text
    assert "∂f/∂x += ∂f/∂f · x = 1 · 3 = 3   together 3 + 3 = 6" in text


def test_sums_of_many_terms_stay_short():
    (x,) = tg.variables(x=1)
    total = x + x
    for _ in range(6):
        total = total + x
    assert "together 7 + 1 = 8" in str(tg.explain(total))


def test_shapes_of_a_matmul():
    X = tg.tensor(np.ones((2, 3)), requires_grad=True, name="X")
    W = tg.tensor(np.ones((3, 4)), requires_grad=True, name="W")
    Y = X @ W
    text = str(tg.explain(Y, grad=np.ones((2, 4)), names={"Y": Y}))
    assert "Y = X @ W   (2,3)(3,4) → (2,4)" in text
    assert "∂L/∂X = G Wᵀ   (2,4)(4,3) → (2,3)" in text
    assert "∂L/∂W = Xᵀ G   (3,2)(2,4) → (3,4)" in text
    assert "Y has 8 elements: L stands for the sum of upstream · Y." in text


def test_a_used_graph_is_explained_and_grad_is_left_alone(graphs):
    f, names = graphs.product()
    before = str(tg.explain(f, names=names))
    f.backward()
    kept = names["x"].grad
    assert str(tg.explain(f, names=names)) == before
    assert names["x"].grad is kept and float(kept) == -4
    with tg.no_grad():
        assert str(tg.explain(f, names=names)) == before


def test_digits():
    x = tg.tensor(np.array(1 / 3), requires_grad=True, name="x")
    assert "x = 0.33\n" in str(tg.explain(x * x, digits=2))
    assert "x = 0.33333333\n" in str(tg.explain(x * x, digits=8))


def test_a_notebook_shows_markdown_and_repr_prints():
    solution = tg.explain(square()[0], format="latex")
    assert solution._repr_markdown_() == solution.markdown and repr(solution) == str(solution)
    assert solution.markdown.startswith("### Worked solution: $f = x \\cdot x$")


@pytest.mark.parametrize("format", FORMATS)
def test_unusual_graphs(format):
    leaf = tg.tensor(2.0, requires_grad=True, name="x")
    empty = tg.sum(tg.tensor(np.zeros((0, 3)), requires_grad=True))
    nan = tg.log(tg.tensor([-1.0, 0.0], requires_grad=True)).sum()
    big = tg.sum(tg.tensor(np.zeros((3, 4, 5)), requires_grad=True))
    labels = nn.functional.cross_entropy(
        tg.tensor([[1.0, 2.0]], requires_grad=True), tg.tensor([1])
    )
    masked = tg.where(tg.tensor(True), leaf, 2.0)
    for t in (leaf, empty, nan, big, labels, masked, leaf * 0.0, leaf**leaf, leaf / 0.0):
        text = str(tg.explain(t, format=format))
        assert text and "None" not in text and "object at" not in text


def test_several_results_of_a_closed_module(graphs):
    class Split(graphs.FakeModule):
        def forward(self, x):
            return x * 2, x * 3

    a, b = Split("split")(tg.tensor(1.0, requires_grad=True, name="x"))
    text = str(tg.explain(a * b, depth=0))
    assert "several results pass gradients on" in text and "∂f/∂x = the rules of" in text


# ---- the nudge ---------------------------------------------------------------------------------


def nudge(t, **names):
    return str(tg.explain(t, names=names)).split("A nudge, to check\n")[1]


def test_the_nudge_agrees(graphs):
    f, names = graphs.product()
    assert nudge(f, **names) == (
        "  Change x by 0.01, from −2 to −1.99: f goes from −12 to −12.04.\n"
        "  It changed by −0.04; the gradient predicted −4 · 0.01 = −0.04."
    )


def test_the_nudge_picks_the_largest_gradient_of_an_array():
    x = tg.tensor([[1.0, 2.0], [3.0, -5.0]], requires_grad=True, name="x")
    assert "Change x[1, 1] by 0.01, from −5 to −4.99: f goes from 39 to 38.9001." in nudge(
        (x * x).sum()
    )


def test_the_nudge_tells_curvature_and_kinks():
    x = tg.tensor(0.0, requires_grad=True, name="x", dtype=np.float64)
    assert "or has a kink" in nudge(tg.abs(x))
    assert "bend of the curve" in nudge(tg.exp(3 * x))
    assert "bend" not in nudge(2 * x)


def test_the_nudge_shrinks_where_the_curve_bends_sharply():
    x = tg.tensor(0.001, requires_grad=True, name="x", dtype=np.float64)
    assert "by 1e−4" in nudge(tg.log(x))


@pytest.mark.parametrize("value", [1e-6, 1.0, 12345.0, 1e8])
def test_the_nudge_scales(value):
    x = tg.tensor(value, requires_grad=True, name="x", dtype=np.float64)
    text = nudge(2 * x)
    assert "bend" not in text and "far off" not in text


def test_no_nudge_where_a_second_run_would_differ():
    x = tg.tensor(0.5, requires_grad=True, name="x")
    assert nudge(x * tg.bernoulli(x)) == (
        "  No nudge: a second run of bernoulli could give something else."
    )


def test_the_nudge_says_why_it_can_check_nothing():
    def at(value):
        return tg.tensor(value, requires_grad=True, name="x", dtype=np.float64)

    assert nudge(tg.log(at(-1.0))).strip() == (
        "No nudge: f is NaN, and a change of that has no size."
    )
    assert nudge(tg.sqrt(at(0.0))).strip() == "No nudge: no gradient is a finite number."
    assert "No nudge: f is ∞" in nudge(at(1.0) / 0.0)


def test_the_nudge_stays_inside_the_domain():
    x = tg.tensor(0.995, requires_grad=True, name="x", dtype=np.float64)
    text = nudge(tg.sqrt(1 - x))
    assert "by 0.001" in text and "NaN" not in text


# ---- values that changed ------------------------------------------------------------------------


def test_a_changed_input_is_told():
    x = tg.tensor(1.0, requires_grad=True, name="x")
    f = x + 1
    with tg.no_grad():
        x[...] = 5.0
    text = str(tg.explain(f))
    assert "x was changed after the forward pass" in text and "No nudge: x was changed" in text


def test_a_rule_that_needs_a_changed_value_is_an_error():
    x = tg.tensor(1.0, requires_grad=True, name="x")
    f = x * x
    with tg.no_grad():
        x[...] = 5.0
    with pytest.raises(tg.VersionError, match="explain before optimizer"):
        tg.explain(f)


# ---- bad input -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"format": "docx"}, tg.UsageError, "format is one of"),
        ({"format": None}, tg.UsageError, "format is one of"),
        ({"digits": 0}, tg.UsageError, "digits is a whole number from 1 to 17"),
        ({"digits": 2.5}, tg.UsageError, "digits"), ({"digits": None}, tg.UsageError, "digits"),
        ({"depth": -1}, tg.UsageError, "depth"), ({"limit": 0}, tg.UsageError, "limit"),
        ({"names": ["x"]}, tg.UsageError, "explain: names is a dict"),
        ({"grad": [1.0, 2.0]}, tg.ShapeError, "explain: "),
    ],
)  # fmt: skip
def test_wrong_arguments(arguments, error, words):
    with pytest.raises(error, match=words):
        tg.explain(square()[0], **arguments)


@pytest.mark.parametrize("value", [1.0, "x", None, np.ones(2), [square()[0]]])
def test_wrong_types(value):
    with pytest.raises(tg.UsageError, match="explain takes a tensor"):
        tg.explain(value)


def test_without_gradients_or_with_too_many():
    with pytest.raises(tg.GradientError, match="explain: a gradient needs"):
        tg.explain(tg.tensor(1.0))
    with pytest.raises(tg.ShapeError, match="explain a scalar"):
        tg.explain(tg.tensor([1.0, 2.0], requires_grad=True) * 2)


# ---- hostile names, and LaTeX that compiles ------------------------------------

HOSTILE = [
    "50%", "a_b", "a^b", "{", "}", "\\", "\\end{align*}", "$", "$$x$$", "#1", "&", "~", "<b>", "|",
    "`code`", "'", '"', "a\nb", "\u202eabc", "é", "日本", "😀", "x" * 5000, "", " ", "α", "w₁₂",
    "<script>alert(1)</script>", "[a](javascript:x)", "\\input{/etc/passwd}", "%%", "^^M", "G",
]  # fmt: skip


def hostile_texts(format):
    for name in HOSTILE:
        x = tg.tensor([[1.0, 2.0]], requires_grad=True, name=name)
        t = (x @ x.T + tg.softmax(x).sum() + x[0, 1]).sum()
        yield str(tg.explain(t, format=format))


def test_hostile_names_are_harmless_in_markdown():
    for text in hostile_texts("markdown"):
        assert "<" not in text and "](" not in text and "`" not in text and "\u202e" not in text
        for row in re.findall(r"^\|.*$", text, re.MULTILINE):
            assert row.count("|") == 4


def test_hostile_names_do_not_break_plain_text():
    for text in hostile_texts("plain"):
        assert all(c.isprintable() or c == "\n" for c in text)
        assert max(map(len, text.splitlines())) < 200


def balanced(text: str) -> bool:
    """Check braces, \\left and \\right, \\begin and \\end, and dollars; escapes do not count."""
    plain = re.sub(r"\\(?![a-zA-Z])(.)", "", text)
    depth = 0
    for c in plain:
        depth += (c == "{") - (c == "}")
        if depth < 0:
            return False
    pairs = len(re.findall(r"\\left(?![a-z])", plain)) == len(
        re.findall(r"\\right(?![a-z])", plain)
    )
    blocks = len(re.findall(r"\\begin\{", plain)) == len(re.findall(r"\\end\{", plain))
    return depth == 0 and pairs and blocks and plain.count("$") % 2 == 0


def latex_texts(graphs):
    yield from (str(tg.explain(t, names=n, format="latex"))
                for t, n in (case(graphs) for case in CASES.values()))  # fmt: skip
    yield from hostile_texts("latex")


def test_latex_is_balanced_and_ascii(graphs):
    for text in latex_texts(graphs):
        assert balanced(text) and text.isascii()
        assert "\\input{" not in text.replace("\\textbackslash{}", "")


@pytest.mark.skipif(
    not shutil.which("pdflatex"), reason="needs pdflatex (Debian: texlive-latex-base)"
)
def test_latex_compiles(graphs, tmp_path):
    body = "\n\\newpage\n".join(latex_texts(graphs))
    document = (
        "\\documentclass{article}\\usepackage{amsmath}\\usepackage{textcomp}\\begin{document}\n"
        f"{body}\n\\end{{document}}\n"
    )
    (tmp_path / "a.tex").write_text(document, encoding="utf-8")
    command = [
        "pdflatex",
        "-interaction=nonstopmode",
        "-halt-on-error",
        "-no-shell-escape",
        "a.tex",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-1500:]


def test_every_formula_of_the_registry_is_balanced_latex():
    from tinygraph.core.op import Op
    from tinygraph.viz.expressions import Formula
    from tinygraph.viz.notation import MathNotation

    n = MathNotation("f", 4)
    for record in tg.REGISTRY.values():
        texts = [record.formula, *(record.local if isinstance(record, Op) else ())]
        names = {w: w for w in (*getattr(record, "input_names", ()), "y", "G")}
        for text in texts:
            latex = n.symbols(Formula(text, names)).text
            assert balanced(latex) and latex.isascii(), (record.name, text, latex)
            assert "?" not in latex or "?" in text, (record.name, text, latex)
