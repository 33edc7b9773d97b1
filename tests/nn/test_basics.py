"""Dropout, Flatten, Unflatten, ParameterList, ParameterDict."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn

# ---- Dropout ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_keeps_the_mean(p, dtype):
    layer = nn.Dropout(p, generator=tg.Generator(0))
    x = tg.ones(100_000, dtype=dtype, requires_grad=True)
    y = layer(x)
    assert y.dtype == dtype
    np.testing.assert_allclose(np.unique(y.data), [0, 1 / (1 - p)], rtol=1e-6)
    share = (y.data == 0).mean()
    assert abs(share - p) < 5 * np.sqrt(p * (1 - p) / x.size)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, y.data)  # the same mask


def test_dropout_in_evaluation_is_the_identity_and_draws_nothing():
    generator = tg.Generator(0)
    layer = nn.Dropout(0.5, generator).eval()
    state, x = generator.get_state(), tg.ones(3)
    assert layer(x) is x and generator.get_state() == state
    assert nn.Dropout(0.0)(x) is x


def test_dropout_of_everything_and_of_nothing():
    assert nn.Dropout(1.0)(tg.ones(4)).data.tolist() == [0, 0, 0, 0]
    assert nn.Dropout()(tg.zeros(0, 3)).shape == (0, 3)
    assert nn.Dropout(generator=tg.Generator(1))(tg.ones(1)).data.item() in (0, 2)


def test_equal_seeds_drop_the_same():
    x = tg.ones(50)
    tg.manual_seed(3)
    first = nn.Dropout()(x).data
    tg.manual_seed(3)
    np.testing.assert_array_equal(nn.Dropout()(x).data, first)
    a, b = (nn.Dropout(generator=tg.Generator(3))(x).data for _ in range(2))
    np.testing.assert_array_equal(a, b)


def test_train_and_eval_reach_a_dropout_inside():
    model = nn.Linear(2, 2) >> nn.Dropout(1.0)
    assert not model(tg.ones(1, 2)).data.any()
    assert model.eval()(tg.ones(1, 2)).data.any()
    assert not model.train()(tg.ones(1, 2)).data.any()
    assert repr(nn.Dropout(0.3)) == "Dropout(p=0.3)"


# ---- Flatten ------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [0, 1, 5])
def test_flatten_and_back(n):
    x = np.arange(n * 24.0).reshape(n, 2, 3, 4)
    flat = nn.Flatten()(x)
    np.testing.assert_array_equal(flat, x.reshape(n, 24))
    np.testing.assert_array_equal(nn.Unflatten(1, (2, 3, 4))(flat), x)
    assert nn.Flatten(0, 1)(x).shape == (2 * n, 3, 4)
    assert nn.Flatten(-2)(tg.tensor(x)).shape == (n, 2, 12)
    assert nn.Unflatten(-1, [2, -1])(x).shape == (n, 2, 3, 2, 2)


def test_they_print_their_axes():
    assert repr(nn.Flatten()) == "Flatten(start_axis=1, end_axis=-1)"
    assert repr(nn.Unflatten(1, [3, -1])) == "Unflatten(axis=1, unflattened_size=(3, -1))"


# ---- ParameterList, ParameterDict ---------------------------------------------------------------


class Polynomial(nn.Module):
    def __init__(self):
        super().__init__()
        self.coefficients = nn.ParameterList([[1.0], [2.0]])
        self.named = nn.ParameterDict({"shift": [0.5]})

    def forward(self, x):
        a, b = self.coefficients
        return a + b * x + self.named["shift"]


def test_lists_and_dicts_of_parameters_are_trained_and_saved():
    model = Polynomial()
    model(tg.tensor([3.0])).backward()
    names = ["coefficients.0", "coefficients.1", "named.shift"]
    assert [n for n, _ in model.named_parameters()] == list(model.state_dict()) == names
    assert [p.grad.tolist() for p in model.parameters()] == [[1], [3], [1]]
    twin = copy.deepcopy(model)
    twin.coefficients[0].data = np.zeros(1)
    assert model.coefficients[0].data == 1


def test_a_parameter_list_is_a_list():
    p = nn.Parameter([1.0])
    found = nn.ParameterList([p]).append([2.0]).extend([np.ones(2, np.float32)])
    assert found[0] is p and len(found) == 3 and len(found[1:]) == 2 and found[-1].shape == (2,)
    assert [q.shape for q in found] == [(1,), (1,), (2,)]
    assert repr(found) == "ParameterList((1,) float32, (1,) float32, (2,) float32)"
    assert len(nn.ParameterList()) == 0


def test_a_parameter_dict_is_a_dict():
    found = nn.ParameterDict({"a": [1.0]})
    found["b"] = nn.Parameter([2.0, 3.0])
    assert list(found) == list(found.keys()) == ["a", "b"] and len(found) == 2 and "a" in found
    assert dict(found.items())["b"] is found["b"] and list(found.values())[1] is found["b"]
    assert repr(found) == "ParameterDict(a: (1,) float32, b: (2,) float32)"
    with pytest.raises(KeyError, match="has a, b, no 'c'"):
        found["c"]


WRONG = {
    "p above 1": (lambda: nn.Dropout(1.5), "p 1.5"),
    "p nan": (lambda: nn.Dropout(float("nan")), "p nan"),
    "p of a text": (lambda: nn.Dropout("half"), "p 'half'"),
    "a seed for a generator": (lambda: nn.Dropout(0.5, 7), "Generator 7"),
    "dropout of a list": (lambda: nn.Dropout()(None), "NoneType"),
    "start_dim": (lambda: nn.Flatten(start_dim=1), "'start_dim' start_axis"),
    "dim": (lambda: nn.Unflatten(0, (1, 2), dim=1), "'dim' axis"),
    "a fraction of an axis": (lambda: nn.Flatten(1.5), "start_axis 1.5"),
    "an axis beyond": (lambda: nn.Flatten(3)(tg.ones(2, 2)), "3"),
    "ends the wrong way round": (lambda: nn.Flatten(2, 1)(tg.ones(1, 1, 1)), "end_axis start_axis"),
    "a size that is no tuple": (lambda: nn.Unflatten(1, 3), "unflattened_size 3"),
    "sizes that do not fit": (lambda: nn.Unflatten(1, (2, 2))(tg.ones(2, 3)), "(2, 3)"),
    "a number as a list": (lambda: nn.ParameterList(3), "ParameterList 3"),
    "a text in a list": (lambda: nn.ParameterList(["a"]), "real numbers"),
    "no parameter number 3": (lambda: nn.ParameterList([[1.0]])[3], "1 3"),
    "a list as a dict": (lambda: nn.ParameterDict([1.0]), "ParameterDict list"),
    "a number as a name": (lambda: nn.ParameterDict({1: [1.0]}), "names 1"),
    "the name of a method": (lambda: nn.ParameterDict({"items": [1.0]}), "items"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_calls_are_explained(case):
    action, words = WRONG[case]
    with pytest.raises(tg.TinygraphError) as caught:
        action()
    message = str(caught.value)
    assert not [w for w in words.split(" ") if w not in message], message
