"""Random draws: reproducible, independent, of the right distribution, and never widened."""

from __future__ import annotations

import numpy as np
import pytest

import tinygraph as tg

DRAWS = {
    "rand": lambda g: tg.rand(3, 2, generator=g),
    "randn": lambda g: tg.randn(3, 2, generator=g),
    "uniform": lambda g: tg.uniform(4, low=-1, high=1, generator=g),
    "normal": lambda g: tg.normal(4, mean=2, std=0.1, generator=g),
    "randint": lambda g: tg.randint(100, shape=5, generator=g),
    "permutation": lambda g: tg.permutation(50, generator=g),
    "bernoulli": lambda g: tg.bernoulli(np.full(64, 0.5), generator=g),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_equal_seeds_give_equal_draws_and_the_stream_moves_on(draw):
    a, b = tg.Generator(3), tg.Generator(3)
    first, second = draw(a).numpy(), draw(a).numpy()
    np.testing.assert_array_equal(draw(b).numpy(), first)
    assert not np.array_equal(first, second)


def test_manual_seed_governs_the_default_generator():
    tg.manual_seed(5)
    first = tg.rand(3).numpy()
    tg.manual_seed(5)
    np.testing.assert_array_equal(tg.rand(3).numpy(), first)


def test_a_saved_state_continues_the_stream():
    g = tg.Generator(1)
    tg.rand(2, generator=g)
    state = g.get_state()
    first = tg.rand(2, generator=g).numpy()
    g.set_state(state)
    np.testing.assert_array_equal(tg.rand(2, generator=g).numpy(), first)


def test_spawned_generators_differ_and_repeat():
    draws = [[tg.rand(2, generator=c).numpy().tolist() for c in tg.Generator(1).spawn(3)]
             for _ in range(2)]  # fmt: skip
    assert draws[0] == draws[1] and len({tuple(d) for d in draws[0]}) == 3


def test_distributions():
    g, n = tg.Generator(0), 200_000
    u = tg.uniform(n, low=-1, high=3, generator=g).numpy()
    assert u.min() >= -1 and u.max() < 3 and abs(u.mean() - 1) < 0.02
    z = tg.normal(n, mean=2, std=3, generator=g).numpy()
    assert abs(z.mean() - 2) < 0.03 and abs(z.std() - 3) < 0.03
    k = tg.randint(-2, 3, shape=n, generator=g).numpy()
    assert set(k.tolist()) == {-2, -1, 0, 1, 2} and abs(k.mean()) < 0.02
    b = tg.bernoulli(tg.full((n,), 0.25), generator=g).numpy()
    assert set(b.tolist()) == {0, 1} and abs(b.mean() - 0.25) < 0.01
    p = tg.permutation(n, generator=g).numpy()
    np.testing.assert_array_equal(np.sort(p), np.arange(n))


def test_bernoulli_at_the_ends_is_certain():
    draws = tg.bernoulli(np.array([0.0, 1.0] * 100)).numpy()
    np.testing.assert_array_equal(draws, [0, 1] * 100)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_dtypes(dtype):
    for draw in (tg.rand, tg.randn, tg.uniform, tg.normal):
        assert draw(2, dtype=dtype).dtype == dtype
    assert tg.rand(2).dtype == np.float32 and tg.randint(5).dtype == np.int64
    with tg.default_dtype(dtype):
        assert tg.rand(2).dtype == dtype


def test_draws_are_leaves_and_have_no_gradient_to_their_probability():
    assert tg.rand(2, requires_grad=True).requires_grad and tg.rand(2).is_leaf
    p = tg.tensor([0.5, 0.5], requires_grad=True)
    assert not tg.bernoulli(p).requires_grad
