"""The state of an optimizer: exact resumption, and PyTorch's layout."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn

MAKERS = {
    "SGD": lambda ps: tg.optim.SGD(ps, lr=0.1),
    "momentum": lambda ps: tg.optim.SGD(ps, lr=0.1, momentum=0.9, dampening=0.5),
    "Adam": lambda ps: tg.optim.Adam(ps, lr=0.01),
    "AdamW": lambda ps: tg.optim.AdamW(ps, lr=0.01),
}


def build():
    return nn.Linear(2, 8) >> nn.Tanh() >> nn.Linear(8, 1)


def train(model, optimizer, steps, seed):
    generator = tg.Generator(seed)
    for step in range(steps):
        optimizer.zero_grad()
        x = tg.randn(5, 2, generator=generator)
        (model(x) ** 2).mean().backward()
        if step % 3 == 0:
            model[0].bias.grad = None  # is skipped: its count differs
        optimizer.step()
        optimizer.param_groups[0]["lr"] *= 0.9


@pytest.mark.parametrize("name", MAKERS)
def test_resuming_is_bit_exact(name):
    tg.manual_seed(0)
    model = build()
    optimizer = MAKERS[name](model.parameters())
    train(model, optimizer, 7, 1)
    resumed = build()
    resumed.load_state_dict(model.state_dict())
    second = MAKERS[name](resumed.parameters())
    second.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for m, o in ((model, optimizer), (resumed, second)):
        train(m, o, 7, 2)
    for a, b in zip(model.parameters(), resumed.parameters(), strict=True):
        np.testing.assert_array_equal(a.data, b.data)
    assert optimizer.flat[0].steps == second.flat[0].steps == [14, 14 - 6, 14, 14]
    assert second.param_groups[0]["lr"] == optimizer.param_groups[0]["lr"]


def test_the_layout_is_that_of_pytorch():
    model = build()
    optimizer = tg.optim.Adam(
        [{"params": model[0].parameters(), "lr": 0.5}, {"params": model[2].parameters()}]
    )
    train(model, optimizer, 2, 0)
    state = optimizer.state_dict()
    assert [g["params"] for g in state["param_groups"]] == [[0, 1], [2, 3]]
    assert set(state["param_groups"][1]) == {"lr", "betas", "eps", "weight_decay", "params"}
    assert list(state["state"]) == [0, 1, 2, 3]
    assert set(state["state"][2]) == {"step", "exp_avg", "exp_avg_sq"}
    assert state["state"][2]["exp_avg"].shape == (1, 8)
    assert type(state["param_groups"][0]) is dict


def test_a_state_is_a_copy():
    model = build()
    optimizer = tg.optim.Adam(model.parameters())
    train(model, optimizer, 1, 0)
    state = optimizer.state_dict()
    state["state"][2]["exp_avg"][:] = 7
    state["param_groups"][0]["lr"] = 7
    state["param_groups"][0]["params"].append(99)
    again = optimizer.state_dict()
    assert again["state"][2]["exp_avg"].max() < 7 and again["param_groups"][0]["lr"] < 1
    assert len(again["param_groups"][0]["params"]) == 4


def test_parameters_that_the_state_does_not_know_start_afresh():
    model = build()
    optimizer = tg.optim.Adam(model.parameters())
    empty = optimizer.state_dict()
    assert empty["state"] == {}
    train(model, optimizer, 2, 0)
    optimizer.load_state_dict(empty)
    assert optimizer.flat[0].steps == [0] * 4 and optimizer.state_dict()["state"] == {}


def test_keys_that_became_texts_in_a_file_are_numbers_again():
    model = build()
    optimizer = tg.optim.Adam(model.parameters())
    train(model, optimizer, 2, 0)
    state = optimizer.state_dict()
    state["state"] = {str(k): v for k, v in state["state"].items()}
    optimizer.load_state_dict(state)
    assert optimizer.flat[0].steps == [2, 1, 2, 2]
