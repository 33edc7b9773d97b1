"""backward and tg.grad: what they return, keep, mark and refuse."""

from __future__ import annotations

import numpy as np
import pytest

import tinygraph as tg
from tinygraph.core import structure
from tinygraph.core.sums import PIECE


def leaf(*values, **more):
    return tg.tensor(np.array(values, np.float64), requires_grad=True, **more)


# ---- the three circuits of CS231n --------------------------------------------------------------


def test_circuit_sum_times_z():
    x, y, z = tg.variables(x=-2, y=5, z=-4)
    q = x + y
    q.retain_grad()
    f = q * z
    f.backward()
    assert f.item() == -12
    assert [t.grad.item() for t in (x, y, z, q)] == [-4, -4, 3, -4]


def test_circuit_sigmoid_neuron():
    w = tg.variables(w0=2, w1=-3, w2=-3)
    x = tg.variables(x0=-1, x1=-2)
    f = tg.sigmoid(w[0] * x[0] + w[1] * x[1] + w[2])
    f.backward()
    assert f.item() == pytest.approx(0.7311, abs=5e-5)
    assert [t.grad.item() for t in w] == pytest.approx([-0.197, -0.393, 0.197], abs=5e-4)
    assert [t.grad.item() for t in x] == pytest.approx([0.393, -0.590], abs=5e-4)


def test_circuit_products_and_maximum():
    x, y, z, w = tg.variables(x=3, y=-4, z=2, w=-1)
    f = 2 * (x * y + tg.maximum(z, w))
    f.backward()
    assert f.item() == -20
    assert [t.grad.item() for t in (x, y, z, w)] == [-8, 6, 2, 0]


# ---- .grad -------------------------------------------------------------------------------------


def test_grad_is_none_until_backward_and_then_accumulates():
    x = leaf(3.0)
    assert x.grad is None
    for expected in (6, 12):
        (x * x).sum().backward()
        assert x.grad.tolist() == [expected]


def test_grad_is_an_ndarray_of_the_leafs_shape_and_dtype():
    x = tg.tensor(np.ones((2, 3), np.float32), requires_grad=True)
    (x.astype(np.float64) * 2.0).sum().backward()
    assert type(x.grad) is np.ndarray and x.grad.shape == (2, 3) and x.grad.dtype == np.float32


def test_gradients_of_several_paths_are_added():
    x = leaf(3.0)
    y = x * 2
    (y + y * x + x).sum().backward()
    assert x.grad.tolist() == [2 + 12 + 1]


def test_gradients_do_not_share_memory():
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    g = np.ones(2)
    (x + y).backward(g)
    x.grad += 5
    assert y.grad.tolist() == [1, 1] and g.tolist() == [1, 1]


def test_the_upstream_gradient_is_used_and_left_alone():
    x, g = leaf(1.0, 2.0), np.array([10.0, 20.0])
    (x * x).backward(g)
    assert x.grad.tolist() == [20, 80] and g.tolist() == [10, 20]


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.bool_])
def test_the_upstream_gradient_takes_the_results_dtype(dtype):
    x, g = leaf(1.0, 2.0), np.ones(2, dtype)
    y = x * x
    found = tg.grad(y, y, g)
    assert found.dtype == np.float64 and not np.shares_memory(found.data, g)


def test_the_gradient_of_a_result_by_itself_does_not_alias_the_upstream_gradient():
    x, g = leaf(1.0, 2.0), np.ones(2)
    y = x * x
    y.retain_grad()
    y.backward(g)
    g[0] = 7
    assert y.grad.tolist() == [1, 1]


def test_backward_of_a_leaf_is_one():
    x = leaf(3.0)
    x.backward()
    assert x.grad.tolist() == [1]


def test_only_leaves_that_require_grad_get_one():
    x, c = leaf(3.0), tg.tensor([2.0])
    y = x * c
    y.sum().backward()
    assert c.grad is None and y.grad is None


def test_intermediate_gradients_on_request():
    x = leaf(3.0)
    y = x * x
    z = y * 2
    y.retain_grad()
    z.sum().backward()
    assert y.grad.tolist() == [2] and z.grad is None
    with tg.retain_grads():
        y = x * x
        z = y * 2
        z.sum().backward()
    assert y.grad.tolist() == [2] and z.grad.tolist() == [1]


def test_a_detached_path_gets_no_gradient():
    x = leaf(3.0)
    (x * x.detach()).sum().backward()
    assert x.grad.tolist() == [3]


# ---- twice -------------------------------------------------------------------------------------


def test_a_second_backward_raises_and_changes_nothing():
    x = leaf(3.0)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(tg.GradientError, match=r"forward pass again, or pass retain_graph=True"):
        y.backward()
    assert x.grad.tolist() == [6]


def test_a_second_backward_through_shared_nodes_raises():
    x = leaf(3.0)
    shared = x * x
    (shared * 2).sum().backward()
    with pytest.raises(tg.GradientError, match="'mul'"):
        (shared * 3).sum().backward()
    assert x.grad.tolist() == [12]


def test_retain_graph_allows_another():
    x = leaf(3.0)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [12]


def test_links_and_values_stay_after_backward():
    x = leaf(3.0)
    y = (x * x).sum()
    y.backward()
    assert [n.op.name for n in tg.graph(y).nodes if n.op] == ["mul", "sum"]
    assert y.item() == 9


def test_a_failed_backward_leaves_gradients_and_graph_as_they_were():
    x = leaf(3.0, name="x")
    y = (x * x).sum()
    with pytest.raises(tg.ShapeError):
        y.backward(np.ones(3))
    y.backward()
    assert x.grad.tolist() == [6]


# ---- tg.grad -----------------------------------------------------------------------------------


def test_grad_returns_tensors_and_leaves_grad_alone():
    x = leaf(3.0)
    y = (x * x).sum()
    first = tg.grad(y, x)
    assert isinstance(first, tg.Tensor) and first.data.tolist() == [6]
    assert x.grad is None and not first.requires_grad
    assert tg.grad(y, x).data.tolist() == [6]  # never marks
    y.backward()


def test_grad_by_several_inputs_of_several_outputs():
    x, y = leaf(3.0), leaf(4.0)
    gx, gy = tg.grad([x * y, x * x], [x, y], [np.array([1.0]), np.array([10.0])])
    assert gx.data.tolist() == [4 + 60] and gy.data.tolist() == [3]


def test_grad_by_an_intermediate_tensor_and_by_the_output_itself():
    x = leaf(3.0)
    y = x * x
    z = (y * y).sum()
    assert tg.grad(z, [y, z])[0].data.tolist() == [18]
    assert tg.grad(z, z).item() == 1


def test_grad_of_an_unused_input():
    x, y = leaf(3.0), leaf(4.0, name="y")
    with pytest.raises(tg.GradientError, match=r"input 1.*'y'.*allow_unused=True"):
        tg.grad((x * x).sum(), [x, y])
    assert tg.grad((x * x).sum(), [x, y], allow_unused=True)[1] is None


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_create_graph_gives_derivatives_of_any_order(order):
    x = leaf(2.0)
    y = x * x * x * x
    for _ in range(order):
        y = tg.grad(y.sum(), x, create_graph=True)
    assert y.data.tolist() == [[32, 48, 48, 24][order - 1]]


def test_create_graph_follows_the_upstream_gradient():
    x, g = leaf(3.0), leaf(1.0)
    gx = tg.grad(x * x, x, g, create_graph=True)
    assert tg.grad(gx, g, np.ones(1)).data.tolist() == [6]


def test_create_graph_casts_the_upstream_gradient_to_the_outputs_dtype():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    gx = tg.grad(x * x, x, tg.tensor(np.ones(2)), create_graph=True)
    assert gx.dtype == np.float32


def test_backward_after_create_graph_reaches_the_leaf():
    x = leaf(3.0)
    (slope,) = tg.grad((x * x * x).sum(), [x], create_graph=True)
    (slope * slope).sum().backward()
    assert x.grad.tolist() == [2 * 27 * 18]


def test_grad_does_not_walk_where_no_input_is():
    @tg.op(vjps=[None], kind="opaque", formula="x", local=[""])
    def dead_end(x):
        return x * 1

    x, y = leaf(3.0), leaf(4.0)
    z = x * dead_end(y)
    assert tg.grad(z.sum(), x).data.tolist() == [4]


# ---- rules that are wrong ----------------------------------------------------------------------


def make(vjp, **more):
    return tg.op("wrong_rule", lambda x: x * 2.0, vjps=[vjp], **more)


@pytest.mark.parametrize(
    ("vjp", "message"),
    [
        (lambda g, y, x: g[:1], r"'wrong_rule' gives must have its input's shape \(2,\)"),
        (lambda g, y, x: tg.Tensor(g), "'wrong_rule' returned a tensor for array arguments"),
        (lambda g, y, x: 1 / 0, "rule of 'wrong_rule' failed: ZeroDivisionError"),
        (lambda g, x: g, "rule of 'wrong_rule' failed: TypeError"),
    ],
    ids=["shape", "tensor", "raises", "signature"],
)
def test_a_wrong_rule_is_named(vjp, message):
    op = make(vjp, kind="row")
    with pytest.raises(tg.GradientError, match=message):
        op(leaf(1.0, 2.0)).sum().backward()


def test_a_joint_rule_must_return_one_entry_per_input():
    op = tg.op("wrong_count", lambda a, b: a * b, vjps=lambda g, y, a, b, needs: (g,))
    with pytest.raises(tg.GradientError, match=r"'wrong_count'.*2 entries, one per input"):
        op(leaf(1.0), leaf(2.0)).sum().backward()


def test_a_rule_gets_arrays_even_for_accumulated_0d_gradients():
    seen = []

    def vjp(g, y, x):
        seen.append(type(g))
        return g * 2.0

    double = make(vjp)
    y = double(tg.tensor(3.0, requires_grad=True))
    (y * 2.0 + y * 3.0 + y).backward()
    assert seen == [np.ndarray]


def test_no_warning_in_the_backward_pass():
    x = leaf(0.0, 1.0)
    (tg.sqrt(x) + tg.log(x)).sum().backward()
    assert x.grad[0] == np.inf


# ---- rules on arrays -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("direct", "op", "given", "attr"),
    [
        (structure.cast_to, "cast", [[True, False]], np.dtype(np.float32)),
        (structure.cast_to, "cast", 2.5, np.dtype(np.float64)),
        (structure.spread_to, "broadcast_to", 1 / 3, (2, 3)),
        (structure.spread_to, "broadcast_to", [[0.1], [0.2]], (4, 2, 3)),
        (structure.summed_to, "sum_to", [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]], (2,)),
        (structure.summed_to, "sum_to", [[0.1, 0.2], [0.3, 0.4]], (2, 1)),
    ],
)
def test_inside_a_rule_an_op_gives_arrays_what_it_gives_tensors(direct, op, given, attr):
    array = np.array(given)
    found, (word,) = direct(array, attr), tg.REGISTRY[op].attr_names
    wanted = tg.REGISTRY[op](tg.from_numpy(array), **{word: attr}).numpy()
    assert type(found) is np.ndarray and found.dtype == wanted.dtype
    assert found.shape == wanted.shape and found.tobytes() == wanted.tobytes()
    assert direct(tg.from_numpy(array), attr).numpy().tobytes() == wanted.tobytes()


# ---- large products -----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_gradients_of_a_large_product_are_the_factors_and_share_nothing(dtype):
    rng = np.random.default_rng(0)
    a, b = (
        tg.tensor(rng.standard_normal(PIECE + 1).astype(dtype), requires_grad=True) for _ in "ab"
    )
    a.data[:2], b.data[:2] = (-0.0, np.nan), (5.0, -0.0)
    values = [t.data.copy() for t in (a, b)]
    for factor in (1.0, 2.0):
        a.grad = b.grad = None
        ((a * b).sum() * factor).backward()
        for x, other in ((a, b), (b, a)):
            assert x.grad.tobytes() == (other.data * dtype(factor)).tobytes()
            assert x.grad.flags.writeable and not np.shares_memory(x.grad, other.data)
    (twice,) = tg.grad((a * a).sum(), [a])
    assert twice.data.tobytes() == (a.data + a.data).tobytes()
    (row,) = tg.grad((a * 3.0).sum(), [a])
    assert (row.data == 3).all()
    for t, before in zip((a, b), values, strict=True):
        assert t.data.tobytes() == before.tobytes()


def test_a_large_gradient_that_is_a_factor_cannot_be_written_to():
    class Careless(tg.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            g *= 2
            return g

    x = tg.tensor(np.ones(PIECE + 1, np.float32), requires_grad=True)
    w = tg.tensor(np.full(PIECE + 1, 3, np.float32))
    with pytest.raises(tg.TinygraphError, match="read-only"):
        (Careless.apply(x) * w).sum().backward()
    assert (w.data == 3).all()
