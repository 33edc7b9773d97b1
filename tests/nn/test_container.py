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


# ---- lists of modules change as lists do -------------------------------------------------------

KINDS = {"Sequential": lambda parts: nn.Sequential(*parts), "ModuleList": nn.ModuleList}


def layers(count, start=0):
    return [nn.Linear(i + 1, 1) for i in range(start, start + count)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_stack_follows_a_list_through_random_changes(kind):
    rng = np.random.default_rng(0)
    wanted = layers(3)
    stack = KINDS[kind](wanted)
    for step in range(200):
        new, what = nn.Linear(step + 10, 1), rng.integers(6)
        at = int(rng.integers(-len(wanted), len(wanted))) if wanted else 0
        if what == 0 or not wanted:
            assert stack.append(new) is stack
            wanted.append(new)
        elif what == 1:
            stack[at] = new
            wanted[at] = new
        elif what == 2:
            stack.insert(at, new)
            wanted.insert(at, new)
        elif what == 3:
            del stack[at]
            del wanted[at]
        elif what == 4:
            del stack[at : at + 2]
            del wanted[at : at + 2]
        else:
            stack.extend([new, nn.ReLU()])
            wanted += [new, stack[-1]]
        assert list(stack) == wanted and [n for n, _ in stack.named_children()] == [
            str(i) for i in range(len(wanted))
        ]
        assert [id(p) for p in stack.parameters()] == [
            id(p) for m in wanted for p in m.parameters()
        ]


def test_a_new_last_layer():
    model = nn.MLP([2, 4, 3])
    model[-1] = nn.Linear(4, 7)
    assert model(tg.ones(5, 2)).shape == (5, 7)
    assert list(model.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert type(model[:2]) is nn.Sequential and model[:2][0] is model[0]
    model.append(tg.tanh)
    assert kinds(model)[-1] == "Lambda"


def test_a_named_layer_keeps_its_name_when_it_is_replaced():
    model = nn.Sequential({"first": nn.Linear(2, 3), "last": nn.Linear(3, 1)})
    model[1] = nn.Linear(3, 2)
    assert [n for n, _ in model.named_children()] == ["first", "last"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m.append(3), "modules or functions 3"),
        (lambda m: m.append(nn.ReLU), "ReLU(…)"),
        (lambda m: m.extend(3), "list of modules 3"),
        (lambda m: m.extend([nn.ReLU(), 3]), "modules or functions 3"),
        (lambda m: m.__setitem__(5, nn.ReLU()), "2 5"),
        (lambda m: m.__setitem__("0", nn.ReLU()), "numbers '0'"),
        (lambda m: m.__setitem__(slice(0, 1), nn.ReLU()), "numbers slice"),
        (lambda m: m.__delitem__(5), "2 5"),
        (lambda m: m.insert(0.5, nn.ReLU()), "numbers 0.5"),
        (lambda m: m.insert(0, "relu"), "modules or functions 'relu'"),
        (lambda m: m.append(m), "itself"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_wrong_changes_are_explained_and_change_nothing(kind, change, words):
    stack = KINDS[kind](layers(2))
    before = repr(stack)
    with pytest.raises(tg.TinygraphError) as caught:
        change(stack)
    missing = [word for word in words.split(" ") if word not in str(caught.value)]
    assert not missing, (missing, str(caught.value))
    assert repr(stack) == before


def test_modules_by_path():
    model = nn.Sequential(nn.Linear(2, 3), nn.Residual(nn.Linear(3, 3) >> nn.ReLU()))
    for path, module in model.named_modules():
        assert model.get_submodule(path) is module
    with pytest.raises(tg.UsageError, match=r"no module '1\.g': Residual holds f"):
        model.get_submodule("1.g")
