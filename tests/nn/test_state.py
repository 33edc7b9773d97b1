"""state_dict and load_state_dict; copies, pickles and other dtypes, packed or not."""

from __future__ import annotations

import copy
import gc
import pickle

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn


class Counter(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(2, 3) >> nn.Tanh() >> nn.Linear(3, 1)
        self.inner_again = self.inner
        self.register_buffer("count", 5)
        self.register_buffer("scratch", [1.0], persistent=False)

    def forward(self, x):
        return self.inner(x)


@pytest.fixture
def net():
    tg.manual_seed(0)
    return Counter()


X = np.array([[1.0, -2.0], [0.5, 3.0]], np.float32)

# ---- out and in --------------------------------------------------------------------------------


def test_keys_are_those_of_pytorch(net):
    assert list(net.state_dict()) == [
        "count",
        "inner.0.weight", "inner.0.bias", "inner.2.weight", "inner.2.bias",
        "inner_again.0.weight", "inner_again.0.bias", "inner_again.2.weight", "inner_again.2.bias",
    ]  # fmt: skip


def test_a_state_is_a_copy(net):
    state = net.state_dict()
    state["inner.0.bias"][:] = 7
    assert not (net.inner[0].bias.data == 7).any()


def test_a_round_trip_is_exact(net):
    other = Counter()
    assert not np.array_equal(other(X).data, net(X).data)
    other.load_state_dict(net.state_dict())
    np.testing.assert_array_equal(other(X).data, net(X).data)


def test_values_are_cast_and_tensors_and_lists_are_taken(net):
    state = {k: v.astype(np.float64) for k, v in net.state_dict().items() if k != "count"}
    state["inner.2.bias"] = state["inner_again.2.bias"] = tg.tensor([2.0])
    state["count"] = 9
    net.load_state_dict(state)
    assert net.inner[2].bias.data.tolist() == [2.0] and net.inner[0].weight.dtype == np.float32
    assert net.count.item() == 9 and net.count.dtype == np.int64


def test_not_strict_takes_what_fits_and_still_checks_shapes(net):
    net.load_state_dict({"count": 1, "more": 2}, strict=False)
    assert net.count.item() == 1
    with pytest.raises(tg.UsageError, match=r"count has shape \(2,\)"):
        net.load_state_dict({"count": np.array([1, 2])}, strict=False)


def test_all_problems_are_listed_at_once_and_nothing_is_loaded(net):
    before = net.state_dict()
    state = {**before, "inner.0.bias": np.ones(7), "count": 2.5, "new": 1, "inner.2.bias": ["a"]}
    del state["inner.0.weight"]
    state["inner.2.weight"] = np.zeros((1, 3))
    with pytest.raises(tg.UsageError) as caught:
        net.load_state_dict(state)
    for part in (
        "changed nothing", "missing inner.0.weight", "unexpected new",
        "inner.0.bias has shape (7,)", "count has dtype float64", "inner.2.bias has dtype <U1",
    ):  # fmt: skip
        assert part in str(caught.value)
    after = net.state_dict()
    assert all(np.array_equal(before[k], after[k]) for k in before)


def test_live_views_of_the_module_may_be_loaded_crosswise():
    pair = nn.ModuleList([nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)])
    a, b = (m.weight.data.item() for m in pair)
    pair.load_state_dict({"0.weight": pair[1].weight, "1.weight": pair[0].weight.data})
    assert [m.weight.data.item() for m in pair] == [b, a]


def test_loading_between_forward_and_backward_is_noticed(net):
    loss = net(X).sum()
    net.load_state_dict(net.state_dict())
    with pytest.raises(tg.VersionError):
        loss.backward()


def test_loading_works_while_packed(net):
    optimizer = tg.optim.SGD(net.parameters(), lr=0.1)
    fresh = Counter().state_dict()
    net.load_state_dict(fresh)
    np.testing.assert_array_equal(optimizer.flat[0].data[:6], fresh["inner.0.weight"].ravel())


# ---- copies ------------------------------------------------------------------------------------

COPIES = {"deepcopy": copy.deepcopy, "pickle": lambda m: pickle.loads(pickle.dumps(m))}


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("packed", [False, True])
def test_copies_are_equal_and_independent(net, how, packed):
    optimizer = tg.optim.SGD(net.parameters(), lr=0.1) if packed else None
    net.inner[0].requires_grad_(False)
    net.eval()
    net(X).sum().backward()
    twin = COPIES[how](net)
    expected = net(X).data.copy()
    np.testing.assert_array_equal(twin(X).data, expected)
    assert twin.inner is twin.inner_again and twin.inner is not net.inner
    assert not twin.training and not twin.inner[0].weight.requires_grad
    assert twin.inner[0].weight.name == "weight" and list(twin.state_dict()) == list(
        net.state_dict()
    )
    assert not twin.scratch.persistent and twin.count.persistent
    if optimizer:
        optimizer.step()
        second = tg.optim.SGD(twin.parameters(), lr=0.1)  # is free
        assert not np.shares_memory(second.flat[0].data, optimizer.flat[0].data)
        assert not np.array_equal(net(X).data, expected)
    np.testing.assert_array_equal(twin(X).data, expected)


def test_a_deep_copy_keeps_gradients_of_its_own(net):
    net(X).sum().backward()
    twin = copy.deepcopy(net)
    g, h = net.inner[0].weight.grad, twin.inner[0].weight.grad
    np.testing.assert_array_equal(g, h)
    assert not np.shares_memory(g, h)


def test_copies_find_their_own_paths(net):
    net(X)
    twin = copy.deepcopy(net)
    assert twin(X).scope.path == "inner.2"
    twin.extra = nn.Linear(1, 1)
    assert not hasattr(net, "extra")


def test_a_shallow_copy_has_registries_of_its_own(net):
    twin = copy.copy(net)
    twin.extra = nn.Linear(1, 1)
    assert twin.inner is net.inner
    assert "extra" not in dict(net.named_children())


def test_tied_parameters_stay_tied_in_a_copy():
    model = nn.Linear(2, 2) >> nn.Linear(2, 2)
    model[1].weight = model[0].weight
    twin = copy.deepcopy(model)
    assert twin[1].weight is twin[0].weight is not model[0].weight


# ---- other dtypes ------------------------------------------------------------------------------


def test_astype_converts_floats_with_their_gradients_and_leaves_integers(net):
    net(X).sum().backward()
    gradient = net.inner[0].weight.grad.copy()
    assert net.astype(np.float64) is net
    assert {p.dtype for p in net.parameters()} == {np.dtype(np.float64)}
    assert net.scratch.dtype == np.float64 and net.count.dtype == np.int64
    assert net.inner[0].weight.grad.dtype == np.float64
    np.testing.assert_array_equal(net.inner[0].weight.grad, gradient)
    assert net(X.astype(np.float64)).dtype == np.float64


def test_astype_between_forward_and_backward_is_noticed(net):
    loss = net(X).sum()
    net.astype(np.float64)
    with pytest.raises(tg.VersionError):
        loss.backward()


def test_astype_raises_while_packed_and_works_when_the_optimizer_is_gone(net):
    optimizer = tg.optim.SGD(net.parameters(), lr=0.1)
    with pytest.raises(tg.UsageError, match=r"'inner.0.weight' belongs to a live optimizer.*close"):
        net.astype(np.float64)
    assert {p.dtype for p in net.parameters()} == {np.dtype(np.float32)}
    optimizer.close()
    net.astype(np.float64)
    optimizer = tg.optim.SGD(net.parameters(), lr=0.1)
    gc.disable()
    try:
        del optimizer  # no reference cycle keeps it alive
        net.astype(np.float32)
    finally:
        gc.enable()
    assert net(X).dtype == np.float32
