"""The DOT text of a dozen graphs, kept in tests/golden. Accept new ones with --accept-golden."""

from pathlib import Path

import pytest

import tinygraph as tg
from tinygraph.viz import draw

GOLDEN = Path(__file__).parent.parent / "golden"


def before_backward(graphs):
    f, names = graphs.product()
    return draw(f, names=names)


def after_backward(graphs, which="product", **options):
    f, names = getattr(graphs, which)()
    f.backward()
    return draw(f, names=names, **options)


def repeated(graphs):
    return draw(
        graphs.Twice("Twice", graphs.Linear("layer", 2, 2))(graphs.data()), view="architecture"
    )


def model(graphs, **options):
    y = graphs.MLP()(graphs.data()).sum()
    y.backward()
    return draw(y, names={"y": y}, **options)


def opened(graphs):
    x = tg.tensor([1.0, 3.0], requires_grad=True, name="x")
    v = tg.var(x)
    v.backward()
    return draw(v, names={"v": v}, depth=2)


CASES = {
    "product_before": before_backward,
    "product": after_backward,
    "neuron": lambda g: after_backward(g, "neuron", title="A sigmoid neuron"),
    "maximum": lambda g: after_backward(g, "maximum"),
    "maximum_cs231n": lambda g: after_backward(g, "maximum", theme="cs231n", legend=False),
    "fork": lambda g: after_backward(g, "fork", direction="TB"),
    "layer": lambda g: after_backward(g, "layer"),
    "layer_architecture": lambda g: after_backward(g, "layer", view="architecture"),
    "model_architecture": lambda g: model(g, view="architecture"),
    "model_opened": lambda g: model(g, view="architecture", depth=2),
    "model_numbers": model,
    "repeated_module": repeated,
    "composite_opened": opened,
    "collapsed": lambda g: draw(g.chain(600), fold=False),
}


@pytest.mark.parametrize("name", CASES)
def test_golden(graphs, name, request):
    source = CASES[name](graphs).source
    path = GOLDEN / f"{name}.gv"
    if request.config.getoption("--accept-golden", default=False):
        path.write_text(source, encoding="utf-8")
    assert source == path.read_text(encoding="utf-8"), "differs: pytest tests/viz --accept-golden"


def test_no_golden_is_left_over():
    assert {p.stem for p in GOLDEN.glob("*.gv")} == set(CASES)
