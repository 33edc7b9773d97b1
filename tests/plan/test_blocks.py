"""Long elementwise chains run in blocks: the same bits, and little memory."""

from __future__ import annotations

import numpy as np
import pytest

import tinygraph as tg
from tinygraph.plan.blocks import BLOCK, LEAST

SIZES = {"least": LEAST, "a rest": LEAST + 1, "odd": 3 * BLOCK + 17, "matrix": (257, 301)}


def chain(x, scale):
    """Return a chain with a reduction in the middle, several results, and its gradient."""
    y = tg.sigmoid(1.5 * x + 0.3) * tg.tanh(x) + tg.gelu(x, approximate="tanh") * scale
    z = tg.where(y > 0, y, tg.exp(y) - 1) / 3
    total = (z * z).sum() + tg.relu(y).mean()
    return total, z, tg.softplus(x) + total, *tg.grad(total, [x, scale])


def block_of(compiled):
    (plan,) = compiled.plans
    return [step for step in plan.steps if step.inner]


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_the_bits_are_those_of_eager_mode(size, dtype):
    compiled = tg.compile(chain)
    rng = np.random.default_rng(0)
    for _ in range(3):
        x = tg.tensor(rng.standard_normal(size).astype(dtype), requires_grad=True)
        scale = tg.tensor(rng.standard_normal().__float__(), dtype=dtype, requires_grad=True)
        for found, wanted in zip(compiled(x, scale), chain(x, scale), strict=True):
            assert found.data.tobytes() == wanted.data.tobytes()
    assert sum(len(step.inner) for step in block_of(compiled)) > 20


def test_a_chain_needs_memory_for_a_few_blocks_only():
    compiled = tg.compile(lambda x: tg.exp(tg.sin(tg.cos(x * 2) + 1) - 1).sum())
    x = np.linspace(0, 1, 40 * BLOCK)
    compiled(x)
    (plan,) = compiled.plans
    assert [len(step.inner) for step in plan.steps if step.inner] == [6]
    assert plan.nbytes < x.nbytes + 8 * 8 * BLOCK  # what the sum reads, and scratch


def test_a_write_ends_a_chain():
    w = tg.tensor(np.ones(LEAST, "f4"), requires_grad=True)
    optimizer = tg.optim.SGD([w], lr=0.5)

    @tg.compile
    def step(x):
        before = w * x * 2 + 1
        optimizer.zero_grad()
        before.sum().backward()
        optimizer.step()
        return before * 3, w * x * 2 + 1

    value = 1.0
    for _ in range(3):
        x = np.full(LEAST, 0.25, "f4")
        before, after = step(x)
        assert (before.numpy() == 3 * (value * 0.5 + 1)).all()
        value -= 0.5 * 0.5
        assert (after.numpy() == value * 0.5 + 1).all()


def test_two_shapes_are_two_blocks():
    compiled = tg.compile(lambda x, y: (tg.exp(x) * 2 + 1, tg.exp(y) * 2 + 1))
    x, y = np.ones(LEAST), np.ones((2, LEAST))
    compiled(x, y)
    assert len(block_of(compiled)) == 2
    assert (compiled(x, y)[1].numpy() == np.exp(1.0) * 2 + 1).all()


def test_steps_behind_and_before_a_chain_keep_their_order():
    def run(x, w):
        y = tg.exp(x) * 2
        row = y.sum(axis=0)  # waits behind the chain
        z = y + w.sum() * 1  # the sum of w moves before it
        return row * 2, (z * row).sum(), z.reshape(-1)[:3]

    compiled = tg.compile(run)
    rng = np.random.default_rng(0)
    for _ in range(3):
        x, w = rng.standard_normal((300, 300)), rng.standard_normal(5)
        for found, wanted in zip(compiled(x, w), run(tg.tensor(x), tg.tensor(w)), strict=True):
            assert found.data.tobytes() == wanted.data.tobytes()


def test_chains_run_in_blocks_in_any_order_of_memory():
    """Convolutions leave the channels last in memory; a mixture of orders is no chain."""
    image = np.random.default_rng(0).standard_normal((8, 16, 30, 30)).astype("f4")
    last = np.ascontiguousarray(image.transpose(2, 3, 0, 1)).transpose(2, 3, 0, 1)

    def function(x, z):
        y = tg.relu(x * 2 + 1) * tg.tanh(x)
        return y, tg.exp(z) - 1, y.sum()

    assert image.size > LEAST
    for first, second in [(last, last), (last, image), (image, last)]:
        compiled = tg.compile(function)
        for k in range(3):
            x = tg.from_numpy(first * np.float32(k + 1))
            z = tg.from_numpy(second * np.float32(k + 1))
            for found, wanted in zip(compiled(x, z), function(x, z), strict=True):
                assert found.data.tobytes() == wanted.data.tobytes()
                assert found.data.strides == wanted.data.strides
        alike = first.strides == second.strides
        assert sorted(len(step.inner) for step in block_of(compiled)) == ([7] if alike else [2, 5])
