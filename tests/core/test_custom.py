"""tg.op and tg.Function: what users define gets what ours have."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import tinygraph as tg
from tinygraph.check import check_op, gradcheck, gradgradcheck
from tinygraph.core.op import Op
from tinygraph.core.registry import NUMPY_FUNCTIONS, REGISTRY

X = np.array([0.5, -1.5, 2.0])


@pytest.fixture(autouse=True)
def forget_definitions():
    """Take the records that a test defines out of the registry again."""
    records, functions = dict(REGISTRY), dict(NUMPY_FUNCTIONS)
    yield
    for table, before in ((REGISTRY, records), (NUMPY_FUNCTIONS, functions)):
        for key in set(table) - set(before):
            del table[key]


def leaf(values=X):
    return tg.tensor(np.array(values), requires_grad=True)


def test_decorator_and_call_define_the_same():
    @tg.op(vjps=[lambda g, y, x: g * 3 * x * x], saves="x", formula="x³", local=["3x²"])
    def cube(x):
        return x * x * x

    again = tg.op("cube_again", lambda x: x**3, vjps=[lambda g, y, x: g * 3 * x * x], saves="x")
    assert isinstance(cube, Op) and cube.name == "cube" and REGISTRY["cube"] is cube
    for op in (cube, again):
        assert gradcheck(op, X) and gradgradcheck(op, X)


def test_the_whole_battery_runs_on_a_users_op():
    doubling_sum = tg.op(
        "doubling_sum",
        np.logaddexp2,
        vjps=[lambda g, y, a, b: g * tg.exp2(a - y), lambda g, y, a, b: g * tg.exp2(b - y)],
        saves="y a b",
        formula="log(2 ** a + 2 ** b) / log(2)",
        local=["2 ** (a − y)", "2 ** (b − y)"],
    )
    samples = [(X, X[::-1] + 0.1), (X, np.array(0.5)), (X[:, None], X)]
    assert check_op(doubling_sum, samples, reference=lambda a, b: np.log2(2.0**a + 2.0**b))
    assert isinstance(np.logaddexp2(leaf(), 1.0), tg.Tensor)  # NumPy's ufunc dispatches to it


def test_attributes_are_keyword_only_parameters():
    @tg.op(vjps=[lambda g, y, x, *, factor: g * factor])
    def scale(x, *, factor=2.0):
        return x * factor

    x = leaf()
    assert scale(x).data.tolist() == (2 * X).tolist()
    assert tg.grad(scale(x, factor=3.0).sum(), x).data.tolist() == [3, 3, 3]
    assert scale(X, factor=3.0).tolist() == (3 * X).tolist()
    assert scale(x, 5.0).node.attrs == {"factor": 5.0}


def test_a_variadic_op_with_a_joint_rule():
    @tg.op(vjps=lambda g, y, *xs, needs: tuple(g if n else None for n in needs), local=["1"])
    def total(*xs):
        return sum(xs[1:], xs[0] * 1.0)

    a, b, c = leaf(), leaf(), leaf()
    grads = tg.grad(total(a, b, c).sum(), [a, b, c])
    assert [g.data.tolist() for g in grads] == [[1, 1, 1]] * 3


def test_a_users_op_may_be_redefined_and_ours_may_not():
    tg.op("mine", lambda x: x + 0.0, vjps=[lambda g, y, x: g])
    second = tg.op("mine", lambda x: x + 1.0, vjps=[lambda g, y, x: g])
    assert REGISTRY["mine"] is second
    with pytest.raises(tg.UsageError, match="'tanh' exists"):
        tg.op("tanh", np.tanh)


def test_redefining_moves_the_numpy_dispatch():
    tg.op("mine", np.cbrt, vjps=[lambda g, y, x: g])
    second = tg.op("mine", np.cbrt, vjps=[lambda g, y, x: g * 2.0])
    assert np.cbrt(leaf()).op is second


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"kind": "magic"}, "'magic' is none of elementwise"),
        ({"saves": "z"}, "saves names z; the inputs are x, the result is y"),
    ],
)
def test_a_record_that_contradicts_itself(record, message):
    with pytest.raises(tg.UsageError, match=message):
        tg.op("mine", lambda x: x, vjps=[lambda g, y, x: g], **record)


def test_attributes_go_behind_a_star():
    rule = [lambda g, y, x, n: g * n]
    with pytest.raises(tg.UsageError, match=r"1 VJPs for 2 inputs.*no tensor goes behind a \*"):
        tg.op("mine", lambda x, n: x * n, rule)
    op = tg.op("mine", lambda x, *, n: x * n, rule)
    assert gradcheck(lambda x: op(x, n=3), X)


def test_help_shows_how_an_op_is_called():
    assert str(inspect.signature(tg.sum)) == "(x, axis=None, keepdims=False)"
    assert str(inspect.signature(tg.ones(2).sum)) == "(axis=None, keepdims=False)"
    assert "axis" in inspect.signature(tg.ones(2).std).parameters
    assert next(iter(inspect.signature(tg.Op).parameters)) == "name"
    for record in tg.REGISTRY.values():
        inspect.signature(record)


def test_the_docstring_is_written_from_the_record():
    rule = [lambda g, y, x: g * 2]
    op = tg.op("mine", lambda x: x * 2, rule, formula="2x", local=["2"], doc="Hi.")
    assert op.__doc__.startswith("Hi.\n\nFormula: ``2x``; ∂/∂x = ``2``")
    assert repr(op) == "<op mine(x)>"


# ---- Function ----------------------------------------------------------------------------------


class Power(tg.Function):
    calls = 0

    @staticmethod
    def forward(ctx, x, n):
        assert type(x) is np.ndarray
        Power.calls += 1
        ctx.n = n
        ctx.save_for_backward(x)
        return x**n

    @staticmethod
    def backward(ctx, g):
        assert type(g) is np.ndarray
        (x,) = ctx.saved
        return g * ctx.n * x ** (ctx.n - 1), None


def test_function_gives_first_derivatives():
    x = leaf()
    Power.apply(x, 3).sum().backward()
    np.testing.assert_allclose(x.grad, 3 * X**2)
    assert gradcheck(lambda x: Power.apply(x, 3), X)


def test_saved_values_have_the_name_of_the_slides_too():
    class Square(tg.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 2 * x * g

    assert gradcheck(Square.apply, X)


def test_a_function_is_one_opaque_node_named_after_its_class():
    y = Power.apply(leaf(), 2)
    assert (y.op.name, y.op.kind) == ("Power", "opaque")


def test_every_call_has_its_own_context():
    a, b = leaf(), leaf()
    (Power.apply(a, 2) + Power.apply(b, 3)).sum().backward()
    np.testing.assert_allclose(a.grad, 2 * X)
    np.testing.assert_allclose(b.grad, 3 * X**2)


def test_second_order_through_a_function_raises():
    x = leaf()
    with pytest.raises(tg.GradientError, match=r"Power is a tg.Function: first order only.*tg.op"):
        tg.grad(Power.apply(x, 2).sum(), x, create_graph=True)


def test_a_function_is_called_again_at_every_replay():
    x = leaf()
    graph = tg.graph(Power.apply(x, 2))
    before = Power.calls
    np.testing.assert_allclose(graph.evaluate(feed={x: X + 1}), (X + 1) ** 2)
    assert Power.calls == before + 1


def test_a_function_of_arrays_gives_an_array():
    assert isinstance(Power.apply(X, 2), np.ndarray)


def test_a_function_without_methods_says_what_is_missing():
    class Empty(tg.Function):
        pass

    with pytest.raises(tg.UsageError, match=r"forward\(ctx, \*arrays\)"):
        Empty.apply(leaf())
