"""Hooks: what they see, what they change, in which order, and that they go away."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn

X = tg.tensor([1.0, -2.0])


def test_a_forward_hook_sees_the_call():
    seen = []
    model = nn.Linear(2, 3) >> nn.ReLU()
    handle = model[0].register_forward_hook(lambda *given: seen.append(given))
    y = model(X)
    ((module, args, output),) = seen
    assert module is model[0] and args == (X,) and output.shape == (3,)
    np.testing.assert_array_equal(np.maximum(output.data, 0), y.data)
    handle.remove()
    model(X)
    assert len(seen) == 1
    handle.remove()  # a second time does nothing


def test_hooks_change_input_and_output():
    layer = nn.ReLU()
    layer.register_forward_pre_hook(lambda m, args: args[0] + 3)
    layer.register_forward_hook(lambda m, args, y: y * args[0])
    assert layer(X).data.tolist() == [16, 1]
    layer.register_forward_pre_hook(lambda m, args: (-args[0],))
    assert layer(X).data.tolist() == [0, 0]


def test_gradients_flow_through_what_a_hook_returns():
    layer = nn.Identity()
    layer.register_forward_hook(lambda m, args, y: y * 5)
    x = tg.tensor([1.0], requires_grad=True)
    layer(x).backward()
    assert x.grad.tolist() == [5]


def test_order_and_prepend():
    order = []
    layer = nn.Identity()
    for name in "ab":
        layer.register_forward_pre_hook(lambda m, args, n=name: order.append("pre " + n))
        layer.register_forward_hook(lambda m, args, y, n=name: order.append(n))
    layer.register_forward_hook(lambda m, args, y: order.append("first"), prepend=True)
    layer(X)
    assert order == ["pre a", "pre b", "first", "a", "b"]


def test_keyword_arguments():
    class Scale(nn.Module):
        def forward(self, x, by=1):
            return x * by

    layer, seen = Scale(), []
    layer.register_forward_hook(lambda m, a, k, y: seen.append(k), with_kwargs=True)
    assert layer(X, by=2).data.tolist() == [2, -4]
    layer.register_forward_pre_hook(lambda m, a, k: (a, {"by": 10}), with_kwargs=True)
    assert layer(X, by=2).data.tolist() == [10, -20]
    assert seen == [{"by": 2}, {"by": 10}]
    layer.register_forward_pre_hook(lambda m, a, k: None, with_kwargs=True)
    assert layer(X).data.tolist() == [10, -20]


def test_a_handle_is_a_context_manager():
    layer, seen = nn.Identity(), []
    with layer.register_forward_hook(lambda *given: seen.append(given)):
        layer(X)
    layer(X)
    assert len(seen) == 1


def test_a_module_without_hooks_carries_none():
    layer = nn.Identity()
    handles = [layer.register_forward_hook(print), layer.register_forward_pre_hook(print)]
    assert layer._hooks is not None
    for handle in handles:
        handle.remove()
    assert layer._hooks is None


def test_a_hook_may_remove_itself():
    layer, seen = nn.Identity(), []

    def once(*given):
        seen.append(given)
        handle.remove()

    handle = layer.register_forward_hook(once)
    layer(X), layer(X)
    assert len(seen) == 1


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_copies_have_hooks_of_their_own(copied):
    layer, seen = nn.Identity(), []

    def hook(*given):
        seen.append(given)

    handle = layer.register_forward_hook(hook)
    twin = copied(layer)
    handle.remove()
    layer(X)
    assert not seen
    twin(X)
    assert len(seen) == 1


def test_what_a_hook_computes_belongs_to_the_module():
    model = nn.Sequential(nn.Linear(2, 2))
    model[0].register_forward_hook(lambda m, args, y: y * 2)
    assert model(X).scope.path == "0"

    def fail(m, args):
        raise tg.UsageError("no")

    model[0].register_forward_pre_hook(fail)
    with pytest.raises(tg.UsageError):
        model(X)
    assert tg.ones(1, requires_grad=True).scope is None  # no scope is left behind


def test_state_and_print_do_not_show_hooks():
    layer = nn.Linear(2, 2)
    before = repr(layer), list(layer.state_dict())
    layer.register_forward_hook(print)
    assert (repr(layer), list(layer.state_dict())) == before


def test_wrong_hooks_are_explained():
    layer = nn.Linear(2, 2)
    with pytest.raises(tg.UsageError, match=r"Linear: a hook is a function.*lambda module, args,"):
        layer.register_forward_hook("print")
    with pytest.raises(tg.UsageError, match="a hook is a function"):
        layer.register_forward_pre_hook(None)
    assert layer._hooks is None
    layer.register_forward_pre_hook(lambda m, a, k: a, with_kwargs=True)
    with pytest.raises(tg.UsageError, match=r"None or \(args, kwargs\)"):
        layer(tg.ones(1, 2))
