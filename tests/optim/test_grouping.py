"""Groups of a model's parameters: by path, and weight decay on matrices only."""

from __future__ import annotations

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(2, 4) >> nn.ReLU() >> nn.Linear(4, 4)
        self.encoder2 = nn.Linear(4, 4)
        self.head = nn.Linear(4, 1, bias=False)

    def forward(self, x):
        return self.head(self.encoder2(self.encoder(x)))


def names(model, groups):
    known = {id(p): n for n, p in model.named_parameters()}
    return [[known[id(p)] for p in g["params"]] for g in groups]


def test_path_groups():
    model = Net()
    groups = tg.optim.path_groups(
        model, {"encoder": {"lr": 1e-3}, "encoder.2.bias": {"lr": 0.5, "weight_decay": 1.0}}
    )
    assert names(model, groups) == [
        ["encoder.0.weight", "encoder.0.bias", "encoder.2.weight"],
        ["encoder.2.bias"],
        ["encoder2.weight", "encoder2.bias", "head.weight"],
    ]
    assert [{k: v for k, v in g.items() if k != "params"} for g in groups] == [
        {"lr": 1e-3}, {"lr": 0.5, "weight_decay": 1.0}, {},
    ]  # fmt: skip
    optimizer = tg.optim.SGD(groups, lr=0.1)
    assert [g["lr"] for g in optimizer.param_groups] == [1e-3, 0.5, 0.1]


def test_everything_below_a_path_leaves_no_rest():
    model = nn.Linear(2, 3)
    assert len(tg.optim.path_groups(model, {"weight": {"lr": 1}, "bias": {"lr": 2}})) == 2
    assert names(model, tg.optim.path_groups(model, {})) == [["weight", "bias"]]


def test_decay_groups():
    model = Net()
    groups = tg.optim.decay_groups(model, 0.1)
    assert names(model, groups) == [
        ["encoder.0.weight", "encoder.2.weight", "encoder2.weight", "head.weight"],
        ["encoder.0.bias", "encoder.2.bias", "encoder2.bias"],
    ]
    assert [g["weight_decay"] for g in groups] == [0.1, 0.0]
    optimizer = tg.optim.AdamW(groups, lr=0.1)
    before = [p.data.copy() for p in model.parameters()]
    for p in model.parameters():
        p.grad = np.zeros(p.shape)
    optimizer.step()
    for p, old in zip(model.parameters(), before, strict=True):
        np.testing.assert_allclose(p.data, old * (0.99 if p.ndim == 2 else 1.0), 1e-6)


def test_decay_and_paths_together():
    model = Net()
    groups = tg.optim.decay_groups(
        model, 0.1, {"head": {"lr": 1.0}, "encoder": {"lr": 2.0, "weight_decay": 0.5}}
    )
    assert [(g.get("lr"), g["weight_decay"], len(g["params"])) for g in groups] == [
        (1.0, 0.1, 1), (2.0, 0.5, 2), (2.0, 0.0, 2), (None, 0.1, 1), (None, 0.0, 1),
    ]  # fmt: skip
    tg.optim.AdamW(groups)


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda m: tg.optim.path_groups(m, {"encode": {"lr": 1}}), "'encode' 'encoder.0.weight'"),
        (lambda m: tg.optim.path_groups(m, {"head.": {"lr": 1}}), "'head.'"),
        (lambda m: tg.optim.path_groups(m.parameters(), {}), "module generator"),
        (lambda m: tg.optim.path_groups(m, {"head": 0.1}), "paths maps"),
        (lambda m: tg.optim.path_groups(m, {"head": {"params": []}}), "paths maps"),
        (lambda m: tg.optim.decay_groups(m, 0.1, ["head"]), "paths maps list"),
        (lambda m: tg.optim.decay_groups(None, 0.1), "decay_groups module NoneType"),
        (lambda m: tg.optim.SGD(tg.optim.decay_groups(m, -0.1)), "weight_decay -0.1"),
        (lambda m: tg.optim.SGD(tg.optim.path_groups(m, {"head": {"rl": 1}})), "'rl'"),
    ],
)
def test_bad_input_is_explained(make, words):
    with pytest.raises(tg.UsageError) as caught:
        make(Net())
    assert all(word in str(caught.value) for word in words.split(" ")), str(caught.value)
