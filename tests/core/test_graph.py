"""The Graph view: order, leaves, edges, scopes, counts, bytes, find, evaluate."""

from __future__ import annotations

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn


def circuit():
    x, y, z = tg.variables(x=-2, y=5, z=-4)
    q = x + y
    return x, y, z, q, q * z


def test_nodes_are_in_topological_order():
    *_, f = circuit()
    seen = set()
    for node in tg.graph(f).nodes:
        assert all(x in seen for x in node.inputs if isinstance(x, tg.Tensor))
        seen.add(node.tensor)
    assert f in seen and len(seen) == 5


def test_leaves_edges_and_counts():
    x, y, z, q, f = circuit()
    graph = tg.graph(f)
    assert [n.tensor.name for n in graph.leaves] == ["x", "y", "z"]
    edges = [(a.tensor, b.tensor, p) for a, b, p in graph.edges]
    assert edges == [(x, q, 0), (y, q, 1), (q, f, 0), (z, f, 1)]
    assert graph.counts == {"add": 1, "mul": 1} and len(graph) == 5


def test_find_by_op_and_by_name():
    x, _, _, q, f = circuit()
    graph = tg.graph(f)
    assert [n.tensor for n in graph.find(op="add")] == [q]
    assert [n.tensor for n in graph.find(name="x")] == [x]
    assert graph.find(op="exp") == []


def test_a_diamond_is_visited_once_and_outputs_are_kept_in_order():
    x = tg.tensor(2.0, requires_grad=True)
    y = x * x
    a, b = y + 1, y * 3
    graph = tg.graph(a, b)
    assert graph.outputs == (a, b) and len(graph) == 4


def test_bytes_count_shared_memory_once():
    x = tg.tensor(np.ones((4, 4)), requires_grad=True)
    assert tg.graph(x.T.reshape(16)).nbytes == 2 * 128  # T is a view, reshape must copy
    assert tg.graph(x.T.T).nbytes == 128


def test_scopes_are_module_and_composite_calls_outer_first():
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh())
    out = tg.var(model(tg.ones(4, 2)))
    scopes = [(s.kind, s.path) for s in tg.graph(out).scopes]
    assert scopes[-1] == ("composite", "var")
    assert scopes[-3:-1] == [("module", "0"), ("module", "1")]
    linear = tg.graph(out).find(op="linear")[0]
    assert linear.scope.module_path() == "0"


def test_repr_of_graph_and_nodes():
    *_, f = circuit()
    graph = tg.graph(f)
    assert repr(graph) == "Graph(2 ops, 3 leaves, 20 bytes)"
    assert repr(graph.nodes[0]) == "Node(leaf 'x', () float32)"
    assert repr(graph.nodes[-1]) == "Node(mul, () float32)"


def test_anything_with_a_graph_method_is_accepted():
    *_, f = circuit()

    class Plan:
        def graph(self):
            return tg.graph(f)

    assert tg.graph(Plan()).outputs == (f,)


# ---- evaluate ----------------------------------------------------------------------------------


def test_evaluate_with_fresh_leaves_equals_eager():
    x, _, z, _, f = circuit()
    fresh = {x: np.float32(3).reshape(()), z: np.float32(2).reshape(())}
    assert tg.graph(f).evaluate(feed=fresh) == (3 + 5) * 2
    assert f.item() == -12


def test_evaluate_gradients_as_graphs():
    x = tg.tensor(np.array([0.5, -1.0]), requires_grad=True)
    y = (tg.tanh(x) * x).sum()
    g = tg.grad(y, x, create_graph=True)
    fresh = np.array([2.0, 0.1])
    again = tg.tensor(fresh, requires_grad=True)
    wanted = tg.grad((tg.tanh(again) * again).sum(), again)
    value, gradient = tg.graph(y, g).evaluate(feed={x: fresh})
    assert gradient.tolist() == wanted.data.tolist() and type(value) is not tg.Tensor


def test_feeding_tensors_gives_tensors_with_gradients():
    x, *_, f = circuit()
    fresh = tg.tensor(3.0, requires_grad=True)
    out = tg.graph(f).evaluate(feed={x: fresh})
    out.backward()
    assert fresh.grad.item() == -4


def test_evaluate_of_inner_tensors_and_of_nothing_new():
    *_, q, f = circuit()
    graph = tg.graph(f)
    assert graph.evaluate() == -12
    assert graph.evaluate(q) == 3
    assert graph.evaluate([q, f]) == (3, -12)


def test_evaluate_keeps_recorded_dtypes():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    y = (x > 1.5) * 0.5 + x.argmax() / 3
    again = tg.graph(y).evaluate(feed={x: x.data})
    assert again.dtype == y.dtype == np.float32
    np.testing.assert_array_equal(again, y.data)


def test_evaluate_converts_the_feed_to_the_leafs_dtype():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    assert tg.graph(x * x).evaluate(feed={x: np.array([3.0, 4.0])}).dtype == np.float32


def test_value_dependent_ops_are_computed_anew():
    x = tg.tensor(np.array([1.0, 3.0, 2.0]), requires_grad=True)
    y = tg.where(x > 1.5, x, 0.0) + x[x.argmax()]
    assert tg.graph(y).evaluate(feed={x: np.array([5.0, 1.0, 2.0])}).tolist() == [10, 5, 7]


@pytest.mark.parametrize("calls", [1, 3])
def test_evaluate_changes_nothing(calls):
    x, *_, f = circuit()
    graph = tg.graph(f)
    for _ in range(calls):
        graph.evaluate(feed={x: np.zeros((), np.float32)})
    assert f.item() == -12 and x.item() == -2 and x.grad is None


def test_a_recorded_gradient_is_as_quiet_on_fresh_inputs_as_the_backward_pass():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    gradient = tg.grad((tg.sqrt(x) - tg.log(x)).sum(), x, create_graph=True)
    fresh = tg.tensor([0.0, 2.0], requires_grad=True)
    eager = tg.grad((tg.sqrt(fresh) - tg.log(fresh)).sum(), fresh)
    again = tg.graph(gradient).evaluate(feed={x: fresh.detach().data})
    np.testing.assert_array_equal(again, eager.data)


def test_a_node_knows_which_values_its_derivatives_read():
    x, y = tg.variables(x=2, y=3)
    assert (x * y).node.saved == (x, y) and (x * x).node.saved == (x,)
    assert (x + y).node.saved == ()
    z = tg.tanh(x)
    assert z.node.saved == (z,)
    assert tg.graph(x).nodes[0].saved == ()
