"""Shares of gradients, and their weighted sum in the memory of an optimizer."""

from __future__ import annotations

import numpy as np
import pytest

import tinygraph as tg
from tinygraph.core.grad import gradients_into
from tinygraph.optim.gradient_sum import GradientSum, Share


def parameters():
    rng = np.random.default_rng(0)
    shapes = [((3, 2), "f4"), ((), "f8"), ((70_000,), "f4"), ((0, 2), "f4"), ((4,), "f8")]
    return [tg.tensor(np.asarray(rng.normal(size=s), d), requires_grad=True) for s, d in shapes]


def loss_of(ps, used, x):
    total = tg.tensor(0.0)
    for i in used:
        total = total + (ps[i] * ps[i] * (x + i)).sum().astype(np.float32)
    return total


@pytest.mark.parametrize("used", [(0, 1, 2, 3, 4), (0, 2), (4,), (1, 3)])
def test_gradients_go_where_they_are_wanted(used):
    ps = parameters()
    optimizer = tg.optim.SGD(ps)
    share = Share(optimizer)
    share.present = gradients_into(loss_of(ps, used, 1.5), share.places)
    assert all(p.grad is None for p in ps)
    found = {p: present for (p, _), present in zip(share.places, share.present, strict=True)}
    assert [found[p] for p in ps] == [i in used for i in range(5)]
    loss_of(ps, used, 1.5).backward()
    for p, memory in share.places:
        assert any(np.shares_memory(memory, v) for v in share.vectors) or memory.size == 0
        if found[p]:
            np.testing.assert_array_equal(memory, p.grad)


@pytest.mark.parametrize("recorded", [False, True], ids=["eager", "compiled"])
def test_sums_of_parts_that_lack_some_gradients(recorded):
    """The memory of what is absent may hold anything: here nan."""
    ps = parameters()
    optimizer = tg.optim.SGD(ps)
    uses = [(0, 2), (0, 1, 4), (2, 3), ()]
    factors = [1.0, 0.5, 3.0, 2.0]
    total = GradientSum(optimizer)
    for turn in range(2):
        expected = {}
        total.clear()
        assert all(p.grad is None for p in ps)
        for k, (used, factor) in enumerate(zip(uses, factors, strict=True)):
            share = Share(optimizer)
            for vector in share.vectors:
                vector[...] = np.nan
            if used:

                def run(x, used=used, share=share):
                    return gradients_into(loss_of(ps, used, x), share.places)

                run = tg.compile(run) if recorded else run
                for _ in range(1 + turn):  # recorded, then replayed
                    share.present = run(np.float32([k]))
            total.add([(share, factor)])
            for i in used:
                expected[i] = expected.get(i, 0) + factor * 2 * ps[i].data * (k + i)
        total.multiply(0.25)
        for i, p in enumerate(ps):
            assert (p.grad is None) == (i not in expected)
            if p.grad is not None:
                assert p.grad is p._grad_buffer and p.grad.dtype == p.dtype
                np.testing.assert_allclose(p.grad, 0.25 * expected[i], rtol=1e-5)


def test_a_leaf_that_requires_no_grad_or_a_loss_of_several_numbers():
    (p,) = parameters()[:1]
    with pytest.raises(tg.GradientError, match="requires grad"):
        gradients_into(tg.ones(()), [(p, np.zeros((3, 2), "f4"))])
    with pytest.raises(tg.ShapeError, match="one element"):
        gradients_into(p * 2, [(p, np.zeros((3, 2), "f4"))])
