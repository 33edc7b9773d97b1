"""The one generator of steps: what it yields is what the engine computes, edge by edge."""

from __future__ import annotations

import numpy as np
import pytest
from work import growth

import tinygraph as tg
from tinygraph.viz.steps import Backward, Forward, Walk


def gradients_of(walk):
    """Add up the contributions of all steps."""
    found = dict(walk.flow.seeds)
    for step in walk.backward():
        g = step.contribution
        found[step.source] = found[step.source] + g if step.source in found else g
    return found


def random_graph(seed):
    """Build a graph of numbers, vectors and matrices with many forks."""
    rng = np.random.default_rng(seed)
    pool = [
        tg.tensor(rng.normal(size=s), requires_grad=bool(i), dtype=np.float64, name=f"x{i}")
        for i, s in enumerate([(), (), (3,), (2, 3), (3, 3), (1,)])
    ]
    for _ in range(14):
        a, b = (pool[i] for i in rng.integers(len(pool), size=2))
        kind = rng.integers(6)
        matrices = {a.shape, b.shape} == {(2, 3), (3, 3)}
        if matrices and (kind or a.shape == (3, 3)):
            b = a
        if kind == 0 and a.ndim == 2 and b.ndim == 2 and a.shape[1] == b.shape[0]:
            pool.append(a @ b)
        elif kind == 1:
            pool.append(tg.tanh(a))
        elif kind == 2:
            pool.append(tg.sum(a, axis=0) if a.ndim else tg.sigmoid(a))
        elif kind == 3:
            pool.append(tg.maximum(a, b))
        else:
            pool.append(a * b if kind == 4 else a - 0.5 * b)
    total = None
    for t in pool[6:]:
        if t.requires_grad:
            total = tg.mean(t) if total is None else total + tg.mean(t)
    return total


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("depth", [None, 0, 3])
def test_contributions_add_up_to_the_gradients(seed, depth):
    f = random_graph(seed)
    walk = Walk(f, depth=depth)
    leaves = [n.tensor for n in walk.graph.leaves if n.tensor.requires_grad]
    expected = tg.grad(f, leaves)
    found = gradients_of(walk)
    for leaf, g in zip(leaves, expected, strict=True):
        np.testing.assert_allclose(found[leaf], g.data, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("seed", range(10))
def test_each_step_is_upstream_times_local(seed):
    for step in Walk(random_graph(seed)).backward():
        if step.local is not None:
            np.testing.assert_allclose(step.upstream * step.local, step.contribution, rtol=1e-9)
        before = 0 if step.before is None else step.before
        np.testing.assert_allclose(before + step.contribution, step.after)
        assert step.contribution.shape == step.source.shape
        assert len(step.terms) <= step.edges


def test_order_forward_then_backward_numbered_through(graphs):
    f, names = graphs.fork()
    steps = list(Walk(f, names=names))
    assert [s.number for s in steps] == list(range(1, len(steps) + 1))
    kinds = [type(s) for s in steps]
    assert kinds == sorted(kinds, key=[Forward, Backward].index)
    seen = set()
    for step in steps:
        if isinstance(step, Forward):
            assert all(x.op is None or x in seen for x in step.tensor.inputs if hasattr(x, "op"))
            seen.add(step.tensor)
    complete = {f}
    for step in steps:
        if isinstance(step, Backward):
            assert step.forward.tensor in complete
            if len(step.terms) == step.edges:
                complete.add(step.source)


def test_a_step_names_what_the_rule_reads(graphs):
    f, names = graphs.product()
    walk = Walk(f, names=names)
    by_name = {(s.forward.name, s.name): s for s in walk.backward()}
    assert [walk.names.short(t) for t in by_name["f", "z"].reads] == ["q"]
    assert by_name["q", "x"].reads == ()
    (x,) = tg.variables(x=0.5)
    (step,) = Walk(tg.tanh(x)).backward()
    assert [t.op.name for t in step.reads] == ["tanh"] and step.rule.symbols() == "1 − f · f"
    (step,) = Walk(tg.exp(tg.tensor([1.0], requires_grad=True))).backward()
    assert step.reads[0].op.name == "exp"
    (step,) = Walk(tg.max(tg.tensor([1.0, 2], requires_grad=True))).backward()
    assert len(step.reads) == 2  # told in words: what the record saves


@pytest.mark.parametrize(
    ("make", "shapes", "rule", "way"),
    [
        (lambda x, w: x @ w, "(2,4)(4,3) → (2,3)", "G Wᵀ", "product"),
        (lambda x, w: x * x, "(2,3)", "X", "elementwise"),
        (lambda x, w: tg.sum(x, axis=0), "(3) → (2,3)", "1, spread back", "words"),
        (lambda x, w: x + w[0, :3], "(2,3)", "1", "elementwise"),
        (lambda x, w: x.reshape(6), "(6) → (2,3)", "reshape back", "words"),
    ],
)
def test_dimension_analysis(make, shapes, rule, way):
    x = tg.tensor(np.ones((2, 3)), requires_grad=True, name="X")
    w = tg.tensor(np.ones((3, 4)), requires_grad=True, name="W")
    y = make(x, w)
    step = next(s for s in Walk(y, grad=np.ones(y.shape)).backward() if s.source is x)
    assert (step.shapes, step.rule.symbols(), step.way) == (shapes, rule, way)


def test_broadcasting_is_told():
    x = tg.tensor(np.ones((2, 3)), requires_grad=True)
    b = tg.tensor(np.ones((1, 3)), requires_grad=True)
    c = tg.tensor(1.0, requires_grad=True, dtype=np.float64)
    steps = [s for s in Walk((x + b + c).sum()).backward() if s.source is b or s.source is c]
    assert {s.source.shape: s.summed for s in steps} == {(1, 3): (0,), (): (0, 1)}


def test_parameters_of_one_name_get_their_path(graphs):
    walk = Walk(graphs.MLP()(graphs.data()).sum())
    names = {g.name for g in walk.givens}
    assert {"0.weight", "0.bias", "2.weight", "2.bias", "X"} == names


def test_two_inputs_of_one_name_are_numbered():
    x, y = (tg.tensor(v, requires_grad=True, name="x") for v in (1.0, 2.0))
    assert [g.name for g in Walk(x * y).givens] == ["x₁", "x₂"]


def test_the_upstream_letter_is_free():
    g = tg.tensor([1.0, 2.0], requires_grad=True, name="G")
    walk = Walk((g * g).sum())
    assert walk.upstream == "U"


def test_composites_are_one_step_and_open_on_request():
    x = tg.tensor([1.0, 3.0], requires_grad=True, name="x")
    closed, opened = Walk(tg.var(x)), Walk(tg.var(x), depth=1)
    assert len(list(closed.forward())) == 1 < len(list(opened.forward()))
    np.testing.assert_allclose(gradients_of(closed)[x], gradients_of(opened)[x])
    (step,) = closed.backward()
    assert step.way == "inside" and step.rule is None


def test_a_function_of_one_op_shows_its_rule():
    x = tg.tensor(1.0, requires_grad=True, name="x")
    (step,) = Walk(tg.gelu(x)).backward()
    assert step.rule.symbols() == "Φ(x) + x · φ(x)"


def test_long_graphs_keep_their_ends(graphs):
    walk = Walk(graphs.chain(500), limit=30)
    assert len(list(walk.forward())) <= 30 and "told as one" in walk.remarks[0]
    assert (
        gradients_of(walk)[walk.graph.leaves[0].tensor]
        == walk.flow.gradients[walk.graph.leaves[0].tensor]
    )
    everything = Walk(graphs.chain(500), limit=None)
    assert len(list(everything.forward())) == 500 and not everything.remarks
    assert len(tg.draw(graphs.chain(14), limit=10).picture.cards) <= 10


def test_ten_thousand_steps_take_linear_work(graphs):
    assert sum(1 for _ in Walk(graphs.chain(10_000), limit=None)) == 20_000
    chains = {n: graphs.chain(n) for n in (1000, 2000)}
    assert growth(lambda n: list(Walk(chains[n], limit=None)), 1000) < 2.1


def test_closed_modules_hide_their_parameters_but_not_their_gradients(graphs):
    y = graphs.MLP()(graphs.data()).sum()
    walk = Walk(y, depth=0)
    assert [g.name for g in walk.givens] == ["X"]
    assert "∂f/∂" in str(tg.explain(y, depth=0)) and "weight" in str(tg.explain(y, depth=0))


def test_nothing_is_touched(graphs):
    f, names = graphs.product()
    list(Walk(f))
    assert names["x"].grad is None and not f.used
    f.backward()
    kept = names["x"].grad
    list(Walk(f))
    assert names["x"].grad is kept and f.used


def test_several_foldings_share_names_and_one_backward_pass(graphs):
    from tinygraph.viz.fold import fold_where
    from tinygraph.viz.scopes import ScopeTree

    y = graphs.MLP()(graphs.data()).sum()
    graph = tg.graph(y)
    scopes = ScopeTree(graph)
    foldings = [fold_where(graph, scopes, lambda s, k=k: scopes.level[s] < k) for k in range(3)]
    walk = Walk(y, foldings=foldings)
    told = [walk.told_at(f) for f in foldings]
    counts = [len(list(w.forward())) for w in told]
    assert counts == [2, 4, 6] and told[0].flow is told[2].flow is walk.flow
    names = [{s.tensor: s.name for s in w.forward()} for w in told]
    for tensor in names[0]:
        assert names[0][tensor] == names[1][tensor] == names[2][tensor]
    assert len(set(names[2].values())) == 6
    for w in told:
        leaves = [g.tensor for g in w.givens if g.tensor.requires_grad]
        for leaf in leaves:
            np.testing.assert_allclose(gradients_of(w)[leaf], walk.flow.gradients[leaf])


def test_a_folding_of_many_cards_keeps_its_ends(graphs):
    from tinygraph.viz.fold import fold_where
    from tinygraph.viz.scopes import ScopeTree

    graph = tg.graph(graphs.chain(300))
    folding = fold_where(graph, ScopeTree(graph), lambda s: True, 20)
    assert len(folding.groups) <= 20 and folding.hidden
    assert len(fold_where(graph, ScopeTree(graph), lambda s: True).groups) == 301
