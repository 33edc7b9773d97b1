"""Equal siblings are drawn once: what is folded, what is not, and what the picture says."""

import numpy as np
import pytest
from work import growth

import tinygraph as tg
from tinygraph import nn
from tinygraph.core.graph import Graph
from tinygraph.viz import draw
from tinygraph.viz.repeats import find_repeats
from tinygraph.viz.scopes import ScopeTree


def runs(*outputs):
    """Return (times, paths of the first period) of each run."""
    graph = Graph(outputs)
    found = find_repeats(graph, ScopeTree(graph)).runs
    return [
        (run.times, [getattr(unit, "path", None) or unit.op.name for unit in run.units])
        for run in dict.fromkeys(found.values())
    ]


class Stack(nn.Module):
    """Blocks one after the other, which may differ."""

    def __init__(self, *blocks):
        super().__init__()
        self.blocks = nn.ModuleList(blocks)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x


def block(width=4, inner=8):
    return nn.Residual(nn.Linear(width, inner) >> nn.ReLU() >> nn.Linear(inner, width))


def data(rows=3, width=4):
    return tg.tensor(np.ones((rows, width), np.float32), name="x")


# ---- what is folded -----------------------------------------------------------------------------


def test_equal_blocks_are_one_run():
    assert runs(Stack(*(block() for _ in range(12)))(data())) == [(12, ["blocks.0"])]


def test_a_block_that_differs_ends_the_run():
    widths = [8, 8, 8, 16, 16]
    model = Stack(*(block(inner=w) for w in widths))
    assert runs(model(data())) == [(3, ["blocks.0"]), (2, ["blocks.3"])]


def test_settings_count_too():
    model = Stack(*(nn.Sequential(nn.Linear(4, 4), nn.LeakyReLU(s)) for s in (0.1, 0.1, 0.2)))
    assert runs(model(data())) == [(2, ["blocks.0"])]


def test_a_pattern_of_several_siblings_repeats():
    model = nn.MLP([4] * 8, activation=nn.Tanh)
    assert runs(model(data())) == [(6, ["0", "1"])]


def test_runs_inside_of_the_first_period_are_found():
    inner = [Stack(*(block() for _ in range(3))) for _ in range(2)]
    assert runs(Stack(*inner)(data())) == [(2, ["blocks.0"]), (3, ["blocks.0.blocks.0"])]


def test_few_layers_and_few_ops_stay():
    x = data()
    assert runs(nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))(x)) == []
    w = x.astype(np.float32).requires_grad_()
    assert runs(tg.exp(tg.exp(tg.exp(w)))) == []
    assert runs(tg.exp(tg.exp(tg.exp(tg.exp(w))))) == [(4, ["exp"])]


def test_shared_weights_are_a_run_that_says_so():
    layer = nn.Linear(4, 4)
    y = Stack(*[layer] * 5)(data())
    (card,) = [c for c in draw(y, view="architecture").picture.cards if c.stack]
    assert (card.header, card.lines) == ("Linear × 5", ("20 params · same weights each time",))


def test_a_recurrent_net_is_one_cell():
    cell = nn.RNNCell(4, 4)
    x, h, steps = tg.randn(3, 20, 4), tg.zeros(3, 4), []
    for k in range(20):
        h = cell(x[:, k], h)
        steps.append(h)
    assert runs(tg.stack(steps)) == [(20, ["RNNCell"])]
    assert runs(h) == [(20, ["RNNCell"])]
    headers = [c.header for c in draw(tg.stack(steps)).picture.cards]
    assert headers == ["input", "input × 20", "RNNCell × 20", "stack"]


# ---- what is not --------------------------------------------------------------------------------


def test_a_result_that_is_read_from_outside_ends_the_run():
    model = Stack(*(block() for _ in range(6)))
    x, found = data(), []
    for b in model.blocks:
        x = b(x)
        found.append(x)
    assert runs(x + found[2] * 2.0) == [(3, ["Residual"]), (3, ["Residual"])]


def test_dense_connections_are_not_a_chain():
    layers = [nn.Linear(4 * (i + 1), 4) for i in range(5)]
    found = [data()]
    for layer in layers:
        found.append(layer(tg.concatenate(found, axis=1)))
    assert runs(found[-1]) == []


def test_every_second_one_skips():
    model = [block() for _ in range(8)]
    a, b = data(), data()
    for i, m in enumerate(model):
        a, b = b, m(a)
        b = b + a if i % 2 else b
    assert all(times * len(paths) < 16 for times, paths in runs(a + b))


def test_inputs_with_names_of_their_own_are_not_folded():
    leaves = [tg.tensor(1.0, requires_grad=True, name=f"w{i}") for i in range(9)]
    total = leaves[0]
    for w in leaves[1:]:
        total = total + tg.exp(w)
    assert runs(total) == []


def test_other_numbers_are_other_ops():
    x = data().astype(np.float32).requires_grad_()
    y = x
    for factor in (1.0, 2.0, 3.0, 4.0, 5.0):
        y = y * factor
    assert runs(y) == []


# ---- the picture --------------------------------------------------------------------------------


def transformer(blocks=12):
    return Stack(*(nn.TransformerBlock(8, 2, 16) for _ in range(blocks)))


def test_the_first_block_is_open_and_stands_for_all():
    picture = draw(transformer(), (2, 5, 8)).picture
    assert [(c.title, c.details) for c in picture.clusters] == [
        ("Stack", "7,200 params"),
        ("TransformerBlock × 12", "blocks.0 … blocks.11 · 600 params each"),
    ]
    assert [c.header for c in picture.cards] == [
        "x", "self_attn", "+  add", "norm1", "linear1", "relu", "linear2", "+  add", "norm2",
    ]  # fmt: skip
    assert picture.cards[-1].role == "output"
    assert "blocks.0.norm1" in picture.cards[3].tooltip


def test_closed_it_is_one_card():
    _, card = draw(transformer(), (2, 5, 8), depth=1).picture.cards
    assert card.stack and card.header == "TransformerBlock × 12"
    assert card.lines == ("blocks.0 … blocks.11", "600 params each")
    assert "peripheries=2" in draw(transformer(), (2, 5, 8), depth=1).source
    assert len(draw(transformer(), (2, 5, 8), depth=1, fold=False).picture.cards) == 13


def test_a_pattern_gets_a_frame():
    picture = draw(nn.MLP([4] * 8, activation=nn.Tanh), (3, 4), view="architecture").picture
    frame = picture.clusters[1]
    assert (frame.title, frame.details, frame.parent) == ("× 6", "2 steps, 6 times · 0 … 11", 0)
    assert [c.header for c in picture.cards if c.cluster == 1] == ["Linear 4→4", "Tanh"]


def test_a_hidden_result_that_is_the_output_is_drawn_as_one():
    x = tg.ones(3).requires_grad_()
    y = x
    for _ in range(10):
        y = tg.exp(y)
    _, card = draw(y, view="architecture").picture.cards
    assert (card.header, card.role) == ("exp × 10", "output")


@pytest.mark.parametrize("view", ["numbers", "architecture"])
def test_numbers_are_never_folded(view):
    x = tg.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(6):
        y = y * 0.5
    assert len(draw(y, view=view).picture.cards) == (7 if view == "numbers" else 2)


def test_a_hundred_thousand_nodes_fold_with_linear_work(graphs):
    chains = {n: graphs.chain(n) for n in (1000, 2000)}
    assert growth(lambda n: draw(chains[n]).picture, 1000) < 2.1
    picture = draw(graphs.chain(100_000)).picture
    assert [c.title for c in picture.clusters] == ["× 50000"]
    assert len(picture.cards) == 3


def test_a_name_of_one_of_them_names_them_all():
    x = tg.ones(3).requires_grad_()
    y = x
    for _ in range(6):
        y = tg.exp(y)
    card = draw(y * 2.0, view="architecture", names={"last": y}).picture.cards[1]
    assert card.header == "last = exp × 6" and card.tooltip.startswith("last")
