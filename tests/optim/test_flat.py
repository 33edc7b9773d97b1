"""Packing: parameters and gradients as views of two vectors, for as long as an optimizer lives."""

from __future__ import annotations

import copy
import gc
import pickle

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn

X = np.array([[1.0, -2.0], [0.5, 3.0]], np.float32)


@pytest.fixture
def model():
    tg.manual_seed(0)
    return nn.Linear(2, 3) >> nn.Tanh() >> nn.Linear(3, 1)


def loss_of(model, x=X):
    return (model(x) ** 2).sum()


def values(model):
    return [p.data.copy() for p in model.parameters()]


# ---- packing -----------------------------------------------------------------------------------


def test_parameters_become_views_of_one_vector_and_keep_their_values(model):
    before = values(model)
    optimizer = tg.optim.SGD(model.parameters(), lr=0.1)
    (flat,) = optimizer.flat
    assert flat.data.shape == flat.grad.shape == (13,)
    np.testing.assert_array_equal(flat.data, np.concatenate([v.ravel() for v in before]))
    for p, v in zip(model.parameters(), before, strict=True):
        assert p.data.shape == v.shape and np.shares_memory(p.data, flat.data)


def test_gradients_land_in_the_flat_vector(model):
    optimizer = tg.optim.SGD(model.parameters(), lr=0.1)
    loss_of(model).backward()
    (flat,) = optimizer.flat
    for p in model.parameters():
        assert np.shares_memory(p.grad, flat.grad) and p.grad.any()
    first = model[0].weight.grad
    first[...] = 7  # the user's array is the vector's
    assert (flat.grad[:6] == 7).all()


def test_gradients_from_before_are_kept(model):
    loss_of(model).backward()
    before = [p.grad.copy() for p in model.parameters()]
    optimizer = tg.optim.SGD(model.parameters(), lr=0.1)
    for p, g in zip(model.parameters(), before, strict=True):
        np.testing.assert_array_equal(p.grad, g)
        assert np.shares_memory(p.grad, optimizer.flat[0].grad)


def test_assigned_gradients_are_copied_into_the_vector(model):
    optimizer = tg.optim.SGD(model.parameters(), lr=1.0)
    weight = model[2].weight
    before, given = weight.data.copy(), np.ones((1, 3))
    weight.grad = given
    weight.grad *= 2
    optimizer.step()
    np.testing.assert_allclose(weight.data, before - 2, 1e-6)
    assert (given == 1).all()


def test_two_dtypes_are_two_vectors():
    a = tg.tensor(np.ones(2, np.float32), requires_grad=True)
    b = tg.tensor(np.ones(3, np.float64), requires_grad=True)
    c = tg.tensor(np.ones(4, np.float32), requires_grad=True)
    optimizer = tg.optim.SGD([a, b, c], lr=0.5)
    assert [(f.data.dtype, f.data.size) for f in optimizer.flat] == [("f4", 6), ("f8", 3)]
    ((a * a).sum() + (b * b).sum() + (c * c).sum()).backward()
    optimizer.step()
    for p in (a, b, c):
        assert not p.data.any() and p.grad.dtype == p.dtype
    assert sorted(optimizer.state_dict()["state"]) == [0, 1, 2]


def test_shapes_from_0_d_to_empty():
    leaves = [tg.tensor(np.full(s, 2.0), requires_grad=True) for s in [(), (0, 3), (2, 1), (1,)]]
    optimizer = tg.optim.Adam(leaves, lr=0.1)
    sum((t * t).sum() for t in leaves).backward()
    optimizer.step()
    assert [t.data.shape for t in leaves] == [(), (0, 3), (2, 1), (1,)]
    np.testing.assert_allclose(leaves[0].data, 1.9)
    optimizer.close()
    tg.optim.SGD(leaves).close()


def test_groups_have_options_of_their_own(model):
    optimizer = tg.optim.SGD(
        [
            {"params": model[0].parameters(), "lr": 1.0},
            {"params": model[2].weight, "weight_decay": 0.5},
            {"params": [model[2].bias], "momentum": 0.9},
        ],
        lr=0.1,
    )
    assert [len(g["params"]) for g in optimizer.param_groups] == [2, 1, 1]
    before = values(model)
    for p in model.parameters():
        p.grad = np.ones(p.shape)
    optimizer.step()
    optimizer.step()
    after = values(model)
    np.testing.assert_allclose(after[0], before[0] - 2, 1e-5)
    w = before[2]
    for _ in range(2):
        w = w - 0.1 * (1 + 0.5 * w)
    np.testing.assert_allclose(after[2], w, 1e-5)
    np.testing.assert_allclose(after[3], before[3] - 0.1 * (1 + 1.9), 1e-5)


# ---- steps -------------------------------------------------------------------------------------


def test_parameters_without_a_gradient_are_skipped_and_steps_are_counted_for_each():
    a, b, c = (tg.tensor([1.0], requires_grad=True) for _ in range(3))
    optimizer = tg.optim.Adam([a, b, c], lr=0.1)
    alone = tg.tensor([1.0], requires_grad=True)
    reference = tg.optim.Adam([alone], lr=0.1)
    for step in range(6):
        optimizer.zero_grad()
        a.grad = np.array([1.0])
        if step % 2:
            b.grad = np.array([0.5])
            alone.grad = np.array([0.5])
            reference.step()
        optimizer.step()
    assert optimizer.flat[0].steps == [6, 3, 0]
    assert b.item() == alone.item() and c.item() == 1.0
    assert sorted(optimizer.state_dict()["state"]) == [0, 1]


def test_frozen_parameters_stay_and_may_be_thawed(model):
    model[0].requires_grad_(False)
    optimizer = tg.optim.SGD(model.parameters(), lr=0.1)
    before = values(model)
    loss_of(model).backward()
    optimizer.step()
    assert np.array_equal(model[0].weight.data, before[0])
    assert not np.array_equal(model[2].weight.data, before[2])
    model.requires_grad_()
    loss_of(model).backward()
    optimizer.step()
    assert not np.array_equal(model[0].weight.data, before[0])


def test_zero_grad_sets_none_and_gradients_accumulate_until_then(model):
    optimizer = tg.optim.SGD(model.parameters(), lr=0.1)
    loss_of(model, X[:1]).backward()
    loss_of(model, X[1:]).backward()
    both = [p.grad.copy() for p in model.parameters()]
    optimizer.zero_grad()
    assert all(p.grad is None for p in model.parameters())
    loss_of(model).backward()
    for p, g in zip(model.parameters(), both, strict=True):
        np.testing.assert_allclose(p.grad, g, 1e-5, 1e-6)
    model.zero_grad()
    before = values(model)
    optimizer.step()
    assert all(np.array_equal(a, b) for a, b in zip(before, values(model), strict=True))


def test_a_step_between_forward_and_backward_is_noticed(model):
    optimizer = tg.optim.SGD(model.parameters(), lr=0.1)
    loss_of(model).backward()
    loss = loss_of(model)
    optimizer.step()
    with pytest.raises(tg.VersionError, match=r"needs input 1.*In module 2"):
        loss.backward()


def test_a_step_of_parameters_the_graph_does_not_use_is_no_reason_to_raise(model):
    other = tg.tensor([1.0], requires_grad=True)
    optimizer = tg.optim.SGD([other], lr=0.1)
    loss = loss_of(model)
    other.grad = np.ones(1)
    optimizer.step()
    loss.backward()


def test_skipped_parameters_are_not_marked_as_written(model):
    optimizer = tg.optim.SGD(model.parameters(), lr=0.1)
    loss = loss_of(model)
    model[2].bias.grad = np.ones(1)  # linear does not save its bias
    optimizer.step()
    loss.backward()


# ---- one live optimizer ------------------------------------------------------------------------


def test_close_gives_each_parameter_memory_of_its_own(model):
    optimizer = tg.optim.SGD(model.parameters(), lr=0.1)
    loss_of(model).backward()
    before, gradient = values(model), model[0].weight.grad.copy()
    (flat,) = optimizer.flat
    optimizer.close()
    optimizer.close()
    assert optimizer.closed and optimizer.flat == []
    for p, v in zip(model.parameters(), before, strict=True):
        np.testing.assert_array_equal(p.data, v)
        assert not np.shares_memory(p.data, flat.data)
        assert not np.shares_memory(p.grad, flat.grad)
    np.testing.assert_array_equal(model[0].weight.grad, gradient)
    tg.optim.Adam(model.parameters())


def test_an_optimizer_that_is_gone_frees_its_parameters_at_once(model):
    gc.disable()
    try:
        optimizer = tg.optim.AdamW(model.parameters(), lr=0.1)
        loss_of(model).backward()
        optimizer.step()
        after = values(model)
        del optimizer
        second = tg.optim.SGD(model.parameters(), lr=0.1)
    finally:
        gc.enable()
    assert all(np.array_equal(a, b) for a, b in zip(after, values(model), strict=True))
    assert np.shares_memory(model[0].weight.grad, second.flat[0].grad)


def test_a_second_optimizer_raises_and_changes_nothing(model):
    first = tg.optim.SGD(model[2].parameters(), lr=0.1)
    before = model[0].weight.data
    with pytest.raises(tg.UsageError, match=r"'weight' has an optimizer already.*close\(\)"):
        tg.optim.Adam(model.parameters())
    assert model[0].weight.data is before
    assert np.shares_memory(model[2].weight.data, first.flat[0].data)


@pytest.mark.parametrize("action", ["step", "state_dict", "load_state_dict"])
def test_a_closed_optimizer_says_so(model, action):
    optimizer = tg.optim.SGD(model.parameters(), lr=0.1)
    state = optimizer.state_dict()
    optimizer.close()
    arguments = (state,) if action == "load_state_dict" else ()
    with pytest.raises(tg.UsageError, match=f"SGD.{action}: this optimizer was closed"):
        getattr(optimizer, action)(*arguments)
    optimizer.zero_grad()


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy, pickle.dumps])
def test_an_optimizer_is_not_copied(model, how):
    """A copy would update vectors that no parameter looks at."""
    optimizer = tg.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(tg.UsageError, match=r"SGD cannot be copied.*load_state_dict"):
        how(optimizer)
