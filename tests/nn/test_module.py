"""Module: registration, paths and scopes, and what changes all of it."""

from __future__ import annotations

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 2)
        self.shift = nn.Parameter([0.0, 0.0])
        self.register_buffer("count", 0)

    def forward(self, x):
        return self.linear(x) + self.shift


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = Block()
        self.blocks = nn.ModuleList([Block(), Block()])
        self.again = self.first

    def forward(self, x):
        x = self.first(x)
        for block in self.blocks:
            x = block(x)
        return self.again(x)


def paths(t):
    """Module paths of the nodes below, oldest first."""
    return [n.scope.module_path() if n.scope else "" for n in tg.graph(t).nodes if n.op]


X = np.ones((3, 2), np.float32)

# ---- registration ------------------------------------------------------------------------------


def test_attributes_register_in_order():
    block = Block()
    assert [n for n, _ in block.named_parameters()] == ["shift", "linear.weight", "linear.bias"]
    assert [n for n, _ in block.named_buffers()] == ["count"]
    assert [n for n, _ in block.named_children()] == ["linear"]
    assert block.shift.name == "shift" and block.linear.weight.name == "weight"


def test_shared_modules_and_parameters_are_listed_once():
    net = Net()
    assert [n for n, _ in net.named_modules()] == [
        "", "first", "first.linear", "blocks", "blocks.0", "blocks.0.linear", "blocks.1",
        "blocks.1.linear",
    ]  # fmt: skip
    assert len(list(net.parameters())) == 9
    tied = nn.Linear(2, 2) >> nn.Linear(2, 2)
    tied[1].weight = tied[0].weight
    assert [n for n, _ in tied.named_parameters()] == ["0.weight", "0.bias", "1.bias"]


def test_a_replaced_module_keeps_its_place():
    model = nn.Linear(2, 3) >> nn.Tanh() >> nn.Linear(3, 1)
    model.register_module("1", nn.ReLU())
    assert [type(m).__name__ for m in model] == ["Linear", "ReLU", "Linear"]
    assert model(X).shape == (3, 1)


def test_none_and_del_remove():
    block = Block()
    block.shift = None
    assert block.shift is None
    del block.linear
    assert list(block.parameters()) == [] and list(block.children()) == []
    with pytest.raises(AttributeError):
        del block.linear


def test_an_attribute_may_change_between_kinds():
    block = Block()
    block.shift = nn.Linear(2, 2)
    assert [n for n, _ in block.named_children()] == ["linear", "shift"]
    assert "shift" not in dict(block.named_parameters())


def test_plain_values_are_plain_attributes():
    block = Block()
    block.sizes, block.history = [1, 2], {"loss": [0.5]}
    block.last = tg.ones(2, requires_grad=True) * 2
    assert "last" not in dict(block.named_parameters())


# ---- parameters and buffers --------------------------------------------------------------------


def test_a_parameter_copies_and_takes_the_default_dtype_for_numbers():
    source = np.ones(2)
    p = nn.Parameter(source)
    source[:] = 7
    assert p.dtype == np.float64 and p.data.tolist() == [1, 1] and p.requires_grad
    assert nn.Parameter([1, 2]).dtype == np.float32
    assert nn.Parameter(tg.ones(2) * 3).is_leaf
    frozen = nn.Parameter(1.0, requires_grad=False)
    assert not frozen.requires_grad
    with tg.default_dtype(np.float64):
        assert nn.Parameter(1.0).dtype == nn.Linear(1, 1).weight.dtype == np.float64


def test_buffers_follow_the_module_but_are_not_trained():
    module = nn.Module()
    module.mean = nn.Buffer(np.zeros(2, np.float32))
    module.register_buffer("scratch", [1.0], persistent=False)
    assert list(module.parameters()) == []
    assert list(module.state_dict()) == ["mean"]
    assert [n for n, _ in module.named_buffers()] == ["mean", "scratch"]
    assert module.astype(np.float64).mean.dtype == np.float64


# ---- scopes ------------------------------------------------------------------------------------


def test_the_root_is_named_by_its_class_and_the_rest_by_path():
    out = Net()(X)
    assert paths(out) == [
        "first.linear", "first",
        "blocks.0.linear", "blocks.0",
        "blocks.1.linear", "blocks.1",
        "first.linear", "first",
    ]  # fmt: skip
    assert out.scope.path == "first" and out.scope.parent.path == "Net"
    assert out.scope.root is out.scope.parent.owner


def test_a_module_called_alone_is_its_own_root():
    net = Net()
    assert paths(net.blocks[1](X)) == ["linear", "Block"]
    assert paths(net.blocks[1].linear(X)) == ["Linear"]


def test_a_module_that_the_root_does_not_own_goes_by_its_class():
    outside = nn.Linear(2, 2)
    model = nn.Linear(2, 2) >> (lambda x: outside(x))
    assert paths(model(X)) == ["0", "Linear"]


def test_paths_are_renewed_after_registration():
    class Switch(nn.Module):
        def forward(self, x):
            return self.layer(x)

    model, layer = Switch(), nn.Linear(2, 2)
    model.layer = layer
    assert paths(model(X)) == ["layer"]
    del model.layer
    object.__setattr__(model, "layer", layer)  # held, but not registered any more
    assert paths(model(X)) == ["Linear"]
    model.renamed = layer
    assert paths(model(X)) == ["renamed"]
    wide = nn.ModuleList([nn.Identity()])
    model.first = wide
    wide.append(layer)
    assert paths(model(X)) == ["renamed"]
    del model.renamed
    assert paths(model(X)) == ["first.1"]


def test_attributes_set_in_a_forward_pass_keep_the_cached_paths():
    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.calls, self.layer = 0, nn.Linear(2, 2)

        def forward(self, x):
            self.calls += 1
            return self.layer(x)

    model = Counting()
    model(X)
    cached = model._path_cache
    model(X)
    assert model.calls == 2 and model._path_cache is cached


def test_outside_modules_there_is_no_scope():
    x = tg.ones(1, requires_grad=True)
    assert (x * 2).scope is None
    nn.Identity()(x)
    assert (x * 2).scope is None


def test_composites_belong_to_the_module_around():
    loss = nn.MSELoss()(tg.ones(2, requires_grad=True), tg.zeros(2))
    chain = []
    scope = loss.scope
    while scope is not None:
        chain.append((scope.path, scope.kind))
        scope = scope.parent
    assert chain[-2:] == [("mse_loss", "composite"), ("MSELoss", "module")]
    assert loss.scope.module_path() == "MSELoss"


# ---- changing all of it ------------------------------------------------------------------------


def test_train_and_eval_reach_every_module_and_return_self():
    net = Net()
    assert net.eval() is net and not any(m.training for m in net.modules())
    assert net.train() is net and all(m.training for m in net.modules())
    net.blocks.eval()
    assert net.first.training and not net.blocks[0].linear.training


def test_apply_visits_submodules_first_in_order_and_each_once():
    net, seen = Net(), []
    names = {m: n for n, m in net.named_modules()}
    assert net.apply(lambda m: seen.append(names[m])) is net
    assert seen == [
        "first.linear", "first", "blocks.0.linear", "blocks.0", "blocks.1.linear", "blocks.1",
        "blocks", "",
    ]  # fmt: skip


def test_requires_grad_freezes_and_zero_grad_sets_none():
    net = Net()
    net.first.requires_grad_(False)
    net(X).sum().backward()
    assert net.first.linear.weight.grad is None and net.blocks[0].shift.grad is not None
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())
    assert net.requires_grad_() is net and all(p.requires_grad for p in net.parameters())


def test_gradients_of_a_shared_module_add_up():
    layer = nn.Linear(1, 1, bias=False)
    layer.weight.data = [[3.0]]
    (layer >> layer)(np.ones((1, 1), np.float32)).backward()
    assert layer.weight.grad.tolist() == [[6.0]]


def test_hundreds_of_nested_containers_and_thousands_of_siblings():
    deep = nn.Linear(1, 1)
    for _ in range(300):
        deep = nn.ModuleList([deep])
    assert next(iter(deep.named_parameters()))[0].count(".") == 300
    wide = nn.ModuleList(nn.Identity() for _ in range(3000))
    assert len(list(wide.modules())) == 3001 and len(wide.eval()) == 3000
