"""Sequential, ModuleList, ModuleDict and composition by >>."""

from __future__ import annotations

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn


def kinds(module):
    return [type(m).__name__ for m in module]


def double(x):
    return x * 2


X = np.array([[1.0, -2.0]], np.float32)

# ---- the algebra -------------------------------------------------------------------------------


def test_composition_applies_from_left_to_right():
    model = nn.Lambda(double) >> (lambda x: x + 1)
    assert model(tg.tensor(3.0)).item() == 7.0


def test_composition_flattens_only_results_of_composition():
    a, b, c, d = nn.ReLU(), nn.Tanh(), nn.Sigmoid(), nn.Identity()
    assert kinds(a >> b >> c >> d) == ["ReLU", "Tanh", "Sigmoid", "Identity"]
    assert kinds((a >> b) >> (c >> d)) == ["ReLU", "Tanh", "Sigmoid", "Identity"]
    assert kinds(a >> nn.Sequential(b, c)) == ["ReLU", "Sequential"]
    assert kinds(nn.Sequential(a, b) >> c) == ["Sequential", "Sigmoid"]


def test_composition_leaves_its_parts_alone():
    left = nn.ReLU() >> nn.Tanh()
    both = left >> nn.Sigmoid()
    assert kinds(left) == ["ReLU", "Tanh"] and both[0] is left[0]


def test_plain_callables_are_wrapped_on_both_sides():
    model = double >> nn.ReLU() >> tg.tanh >> np.negative
    assert kinds(model) == ["Lambda", "ReLU", "Lambda", "Lambda"]
    np.testing.assert_allclose(model(tg.tensor(X)).data, -np.tanh(np.maximum(2 * X, 0)), rtol=1e-6)


def test_a_composition_prints_as_a_tree():
    model = nn.Linear(2, 3) >> nn.Sequential(tg.relu, nn.Softmax()) >> double
    assert repr(model) == (
        "Sequential(\n"
        "  (0): Linear(in_features=2, out_features=3, bias=True)\n"
        "  (1): Sequential(\n"
        "    (0): Lambda(relu)\n"
        "    (1): Softmax(axis=-1)\n"
        "  )\n"
        "  (2): Lambda(double)\n"
        ")"
    )


def test_python_gives_an_unknown_operand_a_chance():
    class Answers:
        def __rrshift__(self, other):
            return "never reached: a module answers first"

    with pytest.raises(tg.UsageError):
        nn.ReLU() >> Answers()


# ---- Sequential --------------------------------------------------------------------------------


def test_sequential_is_the_product_of_its_modules():
    tg.manual_seed(0)
    f, g = nn.Linear(2, 3), nn.Linear(3, 1)
    model = nn.Sequential(f, nn.Tanh(), g)
    np.testing.assert_array_equal(model(X).data, g(tg.tanh(f(X))).data)
    assert len(model) == 3 and model[-1] is g and model[:2][0] is f
    assert list(model) == [model[0], model[1], model[2]]


def test_sequential_of_nothing_is_the_identity():
    assert nn.Sequential()(X) is X
    assert repr(nn.Sequential()) == "Sequential()"


def test_sequential_takes_names_from_a_dict():
    model = nn.Sequential({"inner": nn.Linear(2, 3), "act": tg.relu})
    assert [n for n, _ in model.named_parameters()] == ["inner.weight", "inner.bias"]
    assert model(X).scope.path == "act" or model(X).scope.parent.path == "act"


def test_a_module_twice_in_a_sequential_runs_twice():
    half = nn.Lambda(lambda x: x / 2)
    assert (half >> half)(tg.tensor(8.0)).item() == 2.0


# ---- ModuleList, ModuleDict --------------------------------------------------------------------


def test_a_module_list_is_a_list_that_registers():
    layers = nn.ModuleList(nn.Linear(2, 2) for _ in range(3))
    assert layers.append(tg.relu) is layers
    assert len(layers) == 4 and kinds(layers[1:]) == ["Linear", "Linear", "Lambda"]
    assert layers[-1](tg.tensor(-1.0)).item() == 0
    assert [n for n, _ in layers[:1].named_parameters()] == ["0.weight", "0.bias"]
    assert isinstance(nn.ModuleList(layers), nn.ModuleList) and len(nn.ModuleList(layers)) == 4


def test_a_module_dict_is_a_dict_that_registers():
    heads = nn.ModuleDict({"a": nn.Linear(2, 1)})
    heads["b"] = nn.Linear(2, 2)
    assert list(heads) == list(heads.keys()) == ["a", "b"] and len(heads) == 2 and "b" in heads
    assert [m.out_features for m in heads.values()] == [1, 2]
    assert dict(heads.items())["a"] is heads["a"]
    assert len(list(heads.parameters())) == 4
    assert len(nn.ModuleDict()) == 0
