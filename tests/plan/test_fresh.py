"""Large gradients of arguments: memory of their own at each replay, which the caller may keep."""

from __future__ import annotations

import numpy as np
import pytest

import tinygraph as tg
from tinygraph.plan.blocks import LEAST


def step(x, scale=1.5):
    x.grad = None
    loss = (tg.tanh(x) * x * scale).sum()
    loss.backward()
    return loss


def leaf(seed=0, size=LEAST, dtype="f4"):
    x = np.random.default_rng(seed).standard_normal(size).astype(dtype)
    return tg.tensor(x, requires_grad=True)


def eager_gradient(x, function=step):
    twin = tg.tensor(x.data, requires_grad=True)
    function(twin)
    return twin.grad


def recorded(function=step, calls=2):
    compiled, x = tg.compile(function), leaf()
    for _ in range(calls):
        compiled(x)
    return compiled, x


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("size", [LEAST, (3, LEAST)], ids=str)
def test_each_replay_has_a_gradient_of_its_own(size, dtype):
    compiled, kept = tg.compile(step), []
    for seed in range(4):
        x = leaf(seed, size, dtype)
        compiled(x)
        kept.append((x, x.grad))
    assert len(compiled.plans) == 1 and len(compiled.plans[0]._fresh) == 1
    for x, gradient in kept:
        assert x.grad is gradient
        assert gradient.tobytes() == eager_gradient(x).tobytes()


def test_a_small_gradient_is_copied_as_ever():
    compiled, x = tg.compile(step), leaf(size=10)
    found = []
    for _ in range(3):
        compiled(x)
        found.append(x.grad)
    assert not compiled.plans[0]._fresh
    assert len({id(g) for g in found}) == 3 and all((g == found[0]).all() for g in found)


def test_looking_at_a_plan_leaves_the_gradient_alone():
    compiled, x = recorded()
    (plan,) = compiled.plans
    gradient = x.grad
    gradient *= 2
    wanted = gradient.copy()
    assert plan.show().seconds > 0
    graph = plan.graph()
    assert all(s > 0 for s in graph.timer().values())
    assert x.grad is gradient and (gradient == wanted).all()


def test_a_picture_shows_the_gradient_of_now():
    compiled, _ = recorded()
    x = leaf(7)
    compiled(x)
    (node,) = [n for n in compiled.graph().nodes if n.tensor.name == "gradient"]
    assert (node.tensor.data == x.grad).all() and node.shape == (LEAST,)


def test_a_gradient_that_is_there_is_added_to():
    def add(x):
        loss = (tg.tanh(x) * x).sum()
        loss.backward()
        return loss

    compiled, x = tg.compile(add), leaf()
    wanted = eager_gradient(x, add)
    compiled(x)  # records that it makes one
    x.grad = None
    compiled(x)
    first = x.grad
    assert compiled.plans[0]._fresh and (first == wanted).all()
    compiled(x)  # records that it adds to one
    compiled(x)
    assert x.grad is first and np.allclose(first, 3 * wanted, rtol=1e-6)


def test_one_tensor_as_two_arguments_has_one_gradient():
    def product(x, y):
        x.grad = None
        (tg.tanh(x) * y).sum().backward()

    compiled, x = tg.compile(product), leaf()
    for _ in range(3):
        compiled(x, x)
        assert x.grad.tobytes() == eager_gradient(x, lambda t: product(t, t)).tobytes()
    assert len(compiled.plans[0]._fresh) == 1


def test_an_error_half_way_leaves_the_old_gradient():
    compiled, x = recorded()
    before, values = x.grad, x.grad.copy()
    (block,) = [s.call for s in compiled.plans[0].steps if s.inner]
    own = block._run

    def fail(thread, number):
        own(thread, number)
        raise MemoryError("no more")

    block._run = fail
    with pytest.raises(MemoryError, match="no more"):
        compiled(x)
    assert x.grad is before and (before == values).all()


@pytest.mark.parametrize(
    ("function", "moves"),
    [
        (lambda x: tg.relu(x) * 2, True),
        (lambda x: tg.where(x > 0, x, -x) * tg.exp(x), True),
        (lambda x: tg.abs(x) * 3.0, True),
        (lambda x: tg.where(x > 0, x * 2, 0.0), True),
        (lambda x: tg.where(x > 0, x, 0.0) + tg.zeros(x.shape), False),
    ],
)
def test_whatever_writes_a_gradient_writes_it_anew_or_it_is_copied(function, moves):
    def run(x):
        x.grad = None
        function(x).sum().backward()

    compiled, kept = tg.compile(run), []
    for seed in range(4):
        x = leaf(seed)
        compiled(x)
        kept.append((x, x.grad))
    assert bool(compiled.plans[0]._fresh) == moves
    for x, gradient in kept:
        assert gradient.tobytes() == eager_gradient(x, run).tobytes()


def test_a_gradient_that_a_step_reads_stays_where_it_is():
    def clipped(x):
        x.grad = None
        loss = (tg.tanh(x) * x).sum()
        loss.backward()
        tg.clip_grad_norm([x], 0.1)
        return loss

    compiled, _ = recorded(clipped)
    x = leaf(3)
    compiled(x)
    assert not compiled.plans[0]._fresh
    np.testing.assert_array_equal(x.grad, eager_gradient(x, clipped))


def test_memory_is_let_go():
    compiled, x = recorded(calls=3)
    (plan,) = compiled.plans
    before = plan._fresh[0].array
    compiled(x)
    held = [a for s in plan.steps for v in (*s.values(), *s.outs) for a in (v.array, v.bound)]
    twins = [t.bound for s in plan.steps if s.inner for t in s.call._outer]
    assert all(a is None or not np.shares_memory(a, before) for a in (*held, *twins))
