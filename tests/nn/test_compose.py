"""The algebra of modules: parallel, residual and skip compositions, and the stacks made of them."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn

X = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
NONE, ONE = X[:0], X[:1]


def double(x):
    return x * 2


def affine(layer, x):
    return x @ layer.weight.data.T + layer.bias.data


def close(a, b):
    np.testing.assert_allclose(a.data, b, rtol=1e-5, atol=1e-6)


# ---- + and | ------------------------------------------------------------------------------------


@pytest.mark.parametrize("x", [X, ONE, NONE], ids=["5", "1", "0"])
def test_sum_and_join(x):
    f, g = nn.Linear(3, 2), nn.Linear(3, 2)
    close((f + g)(x), affine(f, x) + affine(g, x))
    close((f | g)(x), np.concatenate([affine(f, x), affine(g, x)], axis=-1))


def test_plain_functions_are_wrapped_on_both_sides():
    x = tg.tensor([1.0, -2.0])
    assert (double + nn.ReLU())(x).data.tolist() == [3, -4]
    assert (nn.ReLU() + double)(x).data.tolist() == [3, -4]
    assert (double | nn.ReLU())(x).data.tolist() == [2, -4, 1, 0]
    assert (nn.ReLU() | tg.neg)(x).data.tolist() == [1, 0, -1, 2]


def test_only_results_of_the_same_sign_are_flattened():
    f, g, h, k = nn.ReLU(), nn.Tanh(), nn.Sigmoid(), nn.Identity()
    assert list(f + g + h) == [f, g, h] and list(f + (g + h)) == [f, g, h]
    assert list(f | g | h) == [f, g, h]
    assert len((f + g) | h) == 2 and len(nn.Parallel(f, g) + h) == 2
    assert list((f + g) | (h | k))[1:] == [h, k]
    both = f + g
    assert len(both + h) == 3 and len(both) == 2  # the parts stay as they were


def test_precedence_is_pythons_and_the_tree_shows_it():
    f, g, h, k = nn.ReLU(), nn.Tanh(), nn.Sigmoid(), nn.Identity()
    model = f >> g + h | k
    assert repr(model) == (
        "Parallel(\n"
        "  combine='concat', axis=-1\n"
        "  (0): Sequential(\n"
        "    (0): ReLU()\n"
        "    (1): Parallel(\n"
        "      combine='sum'\n"
        "      (0): Tanh()\n"
        "      (1): Sigmoid()\n"
        "    )\n"
        "  )\n"
        "  (1): Identity()\n"
        ")"
    )
    y = np.maximum(X, 0)
    close(model(tg.tensor(X)), np.concatenate([np.tanh(y) + 1 / (1 + np.exp(-y)), X], axis=-1))


def test_a_list_can_still_be_extended_by_a_sequential():
    """Python asks the right operand's + before a list extends itself."""
    layers = [nn.ReLU()]
    layers += nn.Tanh() >> nn.Sigmoid()
    assert [type(m).__name__ for m in layers] == ["ReLU", "Tanh", "Sigmoid"]


# ---- Parallel -----------------------------------------------------------------------------------


def test_mean_and_functions_combine():
    f, g = nn.Linear(3, 2), nn.Linear(3, 2)
    close(nn.Parallel(f, g, combine="mean")(X), (affine(f, X) + affine(g, X)) / 2)
    close(nn.Parallel(f, g, combine=lambda a, b: a * b)(X), affine(f, X) * affine(g, X))
    assert "combine=<lambda>" in repr(nn.Parallel(f, combine=lambda a: a))


def test_a_module_that_combines_is_registered():
    class Gate(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter([2.0])

        def forward(self, a, b):
            return a * b * self.scale

    model = nn.Parallel(nn.Identity(), nn.Identity(), combine=Gate())
    assert [n for n, _ in model.named_parameters()] == ["combine.scale"]
    close(model(tg.tensor(X)), 2 * X * X)
    assert len(model) == 2 and model[1] is list(model)[1]


def test_channels_are_joined_by_axis():
    images = tg.ones(2, 3, 4, 4)
    model = nn.Parallel(nn.Identity(), nn.ReLU(), combine="concat", axis=1)
    assert model(images).shape == (2, 6, 4, 4)
    assert "axis=1" in repr(model)


def test_every_branch_gets_all_arguments():
    model = nn.Parallel(lambda a, b: a + b, lambda a, b: a - b)
    assert model(tg.tensor(3.0), tg.tensor(1.0)).item() == 6


def test_a_module_on_both_branches_gets_both_gradients():
    f = nn.Linear(3, 1)
    (f + f)(X).sum().backward()
    np.testing.assert_allclose(f.weight.grad, 2 * X.sum(0, keepdims=True), rtol=1e-5)


def test_paths_of_branches():
    model = nn.Linear(3, 2) >> (nn.Tanh() | nn.Residual(nn.Linear(2, 2)))
    names = [n for n, _ in model.named_parameters()]
    assert names == ["0.weight", "0.bias", "1.1.f.weight", "1.1.f.bias"]
    model[1][1].f = nn.Linear(9, 2)
    with pytest.raises(tg.ShapeError, match=r"In module 1\.1\.f"):
        model(X)


# ---- Residual, Skip -----------------------------------------------------------------------------


@pytest.mark.parametrize("x", [X, ONE, NONE], ids=["5", "1", "0"])
def test_residual_and_skip(x):
    f = nn.Linear(3, 3)
    close(nn.Residual(f)(x), x + affine(f, x))
    close(nn.Skip(f, nn.ReLU())(x), x + np.maximum(affine(f, x), 0))
    close(nn.Residual(double)(tg.tensor(x)), 3 * x)


def test_skip_is_the_residual_of_a_sequential():
    f = nn.Linear(3, 3)
    skip, residual = nn.Skip(f, nn.Tanh()), nn.Residual(nn.Sequential(f, nn.Tanh()))
    assert list(skip.state_dict()) == list(residual.state_dict())
    assert (skip(X).data == residual(X).data).all()


# ---- MLP and its residual cousins ---------------------------------------------------------------


@pytest.mark.parametrize("x", [X, ONE, NONE], ids=["5", "1", "0"])
def test_an_mlp_is_the_equal_sequential(x):
    tg.manual_seed(0)
    ours = nn.MLP([3, 4, 4, 1], activation=nn.Tanh)
    tg.manual_seed(0)
    plain = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1))
    assert list(ours.state_dict()) == list(plain.state_dict())
    np.testing.assert_array_equal(ours(x).data, plain(x).data)
    assert isinstance(ours[:2], nn.Sequential) and len(ours) == 5


def test_activations_of_an_mlp():
    assert [type(m).__name__ for m in nn.MLP([1, 1, 1])] == ["Linear", "ReLU", "Linear"]
    assert repr(nn.MLP([1, 1, 1], activation=tg.sin)[1]) == "Lambda(sin)"
    gelu = nn.GELU("tanh")
    deep = nn.MLP([1] * 4, activation=gelu)
    assert repr(deep[1]) == repr(gelu) and deep[1] is not deep[3] is not gelu
    assert len(nn.MLP([3, 2])) == 1 and nn.MLP([3, 2], bias=False)[0].bias is None
    assert nn.MLP((3, np.int64(2)))(X).shape == (5, 2)


def test_residual_mlp_is_the_formula():
    block = nn.ResidualMLP(3, hidden=4)
    inner, outer = block.f[0], block.f[2]
    hidden = np.maximum(affine(inner, X), 0)
    close(block(X), X + np.maximum(affine(outer, hidden), 0))
    assert (inner.out_features, outer.out_features) == (4, 3)
    assert nn.ResidualMLP(3).f[0].out_features == 3


def test_resnet_s_is_residuals_and_an_affine_map():
    model = nn.ResNetS(dim=3, depth=2, out=4)
    x = X
    for block in model[:2]:
        x = block(x)
    np.testing.assert_array_equal(model(X).data, model[2](x).data)
    assert [type(m).__name__ for m in model] == ["ResidualMLP", "ResidualMLP", "Linear"]
    assert len(nn.ResNetS(3, 0, 1)) == 1


def test_copies_are_independent():
    model = nn.MLP([3, 2]) | nn.Tanh()
    twin = copy.deepcopy(model)
    twin[0][0].weight.data = np.zeros((2, 3))
    assert (model[0][0].weight.data != 0).any()
    assert len(twin + nn.Tanh()) == 2 and len(twin | nn.Tanh()) == 3  # the sign is kept


# ---- wrong calls --------------------------------------------------------------------------------

WRONG = {
    "no branch": (lambda: nn.Parallel(), "nn.Parallel(f, g)"),
    "an unknown combine": (lambda: nn.Parallel(tg.relu, combine="max"), "'concat' max"),
    "a fractional axis": (lambda: nn.Parallel(tg.relu, axis=0.5), "axis 0.5"),
    "a class as a branch": (lambda: nn.Parallel(nn.ReLU), "ReLU(…)"),
    "+ a number": (lambda: nn.ReLU() + 1, "+ 1"),
    "a number +": (lambda: 1 + nn.ReLU(), "+ 1"),
    "| a class": (lambda: nn.ReLU() | nn.Tanh, "Tanh(…)"),
    "data + model": (lambda: X + nn.ReLU(), "model(x)"),
    "sums of other shape": (
        lambda: (nn.Tanh() >> (nn.Linear(3, 2) + nn.Linear(3, 1)))(X),
        "one shape (5, 2) (5, 1) concat In module 1",
    ),
    "means of other shape": (
        lambda: nn.Parallel(nn.Linear(3, 2), nn.Identity(), combine="mean")(X),
        "'mean' (5, 2) (5, 3)",
    ),
    "joins of other length": (
        lambda: nn.Parallel(nn.Linear(3, 2), nn.Identity(), combine="concat", axis=0)(X),
        "concatenate (5, 2) (5, 3)",
    ),
    "a residual that widens": (
        lambda: nn.Sequential(nn.Residual(nn.Linear(3, 1)))(X),
        "shape of x (5, 1) (5, 3) projection In module 0",
    ),
    "a residual of a number": (lambda: nn.Residual(3), "Residual 3"),
    "a skip of a list": (lambda: nn.Skip([nn.ReLU()]), "list Sequential(*layers)"),
    "an MLP of a number": (lambda: nn.MLP(3), "widths 3"),
    "an MLP of one width": (lambda: nn.MLP([3]), "[3] output's"),
    "an MLP of fractions": (lambda: nn.MLP([3, 2.5]), "sizes[1] 2.5"),
    "an MLP of negatives": (lambda: nn.MLP([3, -1]), "sizes[1] -1"),
    "an MLP with a text": (lambda: nn.MLP([1, 1, 1], activation="relu"), "MLP str"),
    "no width": (lambda: nn.ResidualMLP(0), "dim 0"),
    "no hidden width": (lambda: nn.ResidualMLP(2, 0), "hidden 0"),
    "a negative depth": (lambda: nn.ResNetS(2, -1, 1), "depth -1"),
    "a fractional output": (lambda: nn.ResNetS(2, 1, 0.5), "out 0.5"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_wrong_calls_are_explained(case):
    action, words = WRONG[case]
    with pytest.raises(tg.TinygraphError) as caught:
        action()
    message = str(caught.value)
    assert not [w for w in words.split(" ") if w not in message], message
