"""gradcheck and gradgradcheck: what they accept, find and report."""

from __future__ import annotations

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn
from tinygraph.check import GradcheckError, gradcheck, gradgradcheck
from tinygraph.core.op import Op

X = np.array([[0.5, -1.0, 2.0], [1.0, 2.0, 3.0]])


def op(name, forward, vjp, **more):
    """Make a record without registering it."""
    return Op(name, forward, [vjp], module="tests", **more)


cube = op("cube", lambda x: x * x * x, lambda g, y, x: g * 3 * x * x, saves="x")
wrong_cube = op("wrong_cube", lambda x: x * x * x, lambda g, y, x: g * 3.003 * x * x, saves="x")


# ---- what is accepted --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "inputs"),
    [
        (lambda x: tg.tanh(x) * x, X),
        (lambda x, y: x @ y, (X, X.T.copy())),
        (lambda x: x * x, 3.0),
        (lambda x: x * x, tg.tensor(3.0)),
        (lambda x: (x * 2.0, {"a": [tg.exp(x)]}), X),
        (lambda x, i: x[i], (X, np.array([1, 0, 1]))),
        (lambda x, n: x**n, (X, 3)),
        (lambda x: x.sum(axis=0), X[:0]),
        (lambda x: x.astype(np.float64), X.astype(np.float32)),
        (tg.softplus, X),
        (cube, X),
    ],
    ids=[
        "function", "two inputs", "number", "tensor", "several outputs", "index", "integer",
        "empty", "float32 input", "our op", "their op",
    ],
)  # fmt: skip
def test_right_derivatives_pass(f, inputs):
    assert gradcheck(f, inputs, linearity=True)
    assert gradgradcheck(f, inputs)


def test_a_module_is_checked_by_its_inputs_and_its_parameters():
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    before = [p.data.copy() for p in model.parameters()]
    assert gradcheck(model, X) and gradgradcheck(model, X)
    for p, old in zip(model.parameters(), before, strict=True):
        assert p.dtype == np.float32 and p.grad is None
        np.testing.assert_array_equal(p.data, old)


def test_inputs_are_copied():
    x = tg.tensor(X, requires_grad=True)
    gradcheck(lambda t: t * t, x)
    np.testing.assert_array_equal(x.data, X)
    assert x.grad is None


def test_it_works_under_no_grad():
    with tg.no_grad():
        assert gradcheck(lambda x: x * x, X)


def test_linear_functions_are_exact_with_step_1():
    assert gradcheck(lambda x: x.sum(axis=0) * 2.0, X, step=1.0, atol=1e-12, rtol=1e-12)


# ---- what is found and reported ----------------------------------------------------------------


def test_the_report_names_input_element_values_and_op():
    with pytest.raises(GradcheckError) as caught:
        gradcheck(lambda x: tg.sin(wrong_cube(x * 0.5)), tg.tensor(X, name="x"))
    report = str(caught.value)
    assert "by x, (2, 3) float64: 6 of 36 derivatives differ" in report
    assert "∂output[1, 2]/∂x[1, 2]: analytic" in report and "ratio 1.001" in report
    assert "… and 1 more" in report
    assert "The rule that is wrong by itself: 'wrong_cube'." in report


def test_the_worst_element_comes_first():
    with pytest.raises(GradcheckError, match=r"differ\n    ∂output\[1, 2\]/∂input0\[1, 2\]"):
        gradcheck(wrong_cube, X)


def test_the_report_names_the_module():
    class Wrong(nn.Module):
        def forward(self, x):
            return wrong_cube(x)

    model = nn.Sequential(nn.Linear(3, 2), Wrong())
    with pytest.raises(GradcheckError, match=r"module Sequential(.|\n)*'wrong_cube' in module 1"):
        gradcheck(model, X)


def test_a_wrong_parameter_gradient_is_reported_by_its_name():
    class Scale(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter([2.0])

        def forward(self, x):
            return x * wrong_cube(self.scale)

    with pytest.raises(GradcheckError, match=r"by scale, \(1,\) float64"):
        gradcheck(Scale(), X)


def test_a_rule_that_writes_into_its_arguments_is_named():
    def double_in_place(g, y, x):
        g *= 2
        return g

    def spoil_the_input(g, y, x):
        x += 1
        return g * 2

    for vjp in (double_in_place, spoil_the_input):
        spoiler = op("spoiler", lambda x: x * 2, vjp)
        with pytest.raises(GradcheckError, match=r"must not write into its arguments.*'spoiler'"):
            gradcheck(lambda x, f=spoiler: f(x * 1.0).sum(), X)


def test_a_forward_that_writes_into_its_input_fails():
    def forward(x):
        x *= 2
        return x + 0

    with pytest.raises(tg.ShapeError, match="read-only"):
        gradcheck(op("eater", forward, lambda g, y, x: g * 2), X)


def test_a_rule_that_is_not_linear_in_the_upstream_gradient():
    squared = op("squared", lambda x: x * 1.0, lambda g, y, x: g * g)
    assert gradcheck(squared, np.ones(1))  # upstream 1 hides it
    with pytest.raises(GradcheckError, match="by input0 is not linear in the upstream gradient"):
        gradcheck(squared, np.ones(1), linearity=True)


def test_a_second_derivative_that_is_wrong():
    hidden = op("hidden", lambda x: x * x, lambda g, y, x: g * 2 * tg_value(x))
    assert gradcheck(hidden, X)
    with pytest.raises(GradcheckError, match="the gradient of op 'hidden'"):
        gradgradcheck(hidden, X)


def tg_value(x):
    """Leave the graph: a constant of the same value."""
    return tg.Tensor(x.data) if isinstance(x, tg.Tensor) else x


def test_randomness_is_found():
    with pytest.raises(GradcheckError, match=r"two calls.*different.*eval"):
        gradcheck(lambda x: x * tg.rand(2, 3), X)


def test_nan_derivatives_are_wrong_unless_both_are():
    assert gradcheck(lambda x: x * np.nan, X)
    assert not gradcheck(
        op("nans", lambda x: x * 1.0, lambda g, y, x: g * np.nan), X, raise_exception=False
    )


def test_a_broken_rule_is_a_failed_check():
    broken = op("broken", lambda x: x * 1.0, lambda g, y, x: g[0])
    with pytest.raises(GradcheckError, match=r"gradcheck of op 'broken' failed.*'broken' gives"):
        gradcheck(broken, X)


def test_without_exceptions_the_answer_is_false():
    first = op("first", lambda x: x * 1.0, lambda g, y, x: g * x)
    second = op("second", lambda x: x * x, lambda g, y, x: g * 2 * tg_value(x))
    assert gradcheck(first, X, raise_exception=False) is False
    assert gradgradcheck(second, X, raise_exception=False) is False


def test_the_tolerance_is_tight_by_default_and_can_be_widened():
    close = op("close", lambda x: x * 1.0, lambda g, y, x: g * (1 + 1e-5))
    assert not gradcheck(close, X, raise_exception=False)
    assert gradcheck(close, X, rtol=1e-4)


def test_a_list_of_tensors_is_explained():
    x = tg.ones(2, dtype=np.float64)
    with pytest.raises(tg.UsageError, match=r"tuple of several.*gradcheck\(f, \(x, y\)\)"):
        gradcheck(tg.add, [x, x])
    assert gradcheck(tg.exp, [1.0, 2.0])  # numbers are one array
