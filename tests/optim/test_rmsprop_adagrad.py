"""RMSprop and Adagrad against their formulas, written by hand, over 100 steps; their state."""

from __future__ import annotations

import copy
import itertools

import numpy as np
import pytest

import tinygraph as tg
from tinygraph.ops.state import CHUNK

STEPS = 100
TARGET = np.array([1.0, -2.0, 0.5])
START = np.array([2.0, 1.0, -1.5])


def gradient(p, step):
    """Of a bent bowl whose weights change from step to step."""
    return (p - TARGET) * (1 + 0.5 * np.sin(step + np.arange(3))) + 0.1 * p**3


def rmsprop(p, lr=0.01, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0, centered=False):
    v = a = b = np.zeros(3)
    for step in range(STEPS):
        d = gradient(p, step) + weight_decay * p
        v = alpha * v + (1 - alpha) * d**2
        a = alpha * a + (1 - alpha) * d
        change = d / (np.sqrt(v - a**2 if centered else v) + eps)
        b = momentum * b + change
        p = p - lr * (b if momentum else change)
    return p


def adagrad(p, lr=0.01, lr_decay=0.0, weight_decay=0.0, initial_accumulator_value=0.0, eps=1e-10):
    s = np.full(3, initial_accumulator_value)
    for step in range(STEPS):
        d = gradient(p, step) + weight_decay * p
        s = s + d**2
        p = p - lr / (1 + step * lr_decay) * d / (np.sqrt(s) + eps)
    return p


CASES = [
    *(
        (tg.optim.RMSprop, rmsprop, {"momentum": m, "centered": c, "weight_decay": w, **o})
        for m, c, w, o in itertools.product(
            (0.0, 0.9), (False, True), (0.0, 0.1), ({}, {"lr": 0.02, "alpha": 0.5, "eps": 1e-3})
        )
    ),
    *(
        (tg.optim.Adagrad, adagrad, {"lr_decay": d, "weight_decay": w, **o})
        for d, w, o in itertools.product(
            (0.0, 0.01),
            (0.0, 0.1),
            ({}, {"lr": 0.5, "initial_accumulator_value": 0.1, "eps": 1e-3}),
        )
    ),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "make, formula, options", CASES, ids=lambda v: str(getattr(v, "__name__", v))
)
def test_a_hundred_steps(make, formula, options, dtype):
    p = tg.tensor(START.astype(dtype), requires_grad=True)
    optimizer = make([p], **options)
    for step in range(STEPS):
        p.grad = gradient(p.data, step)
        optimizer.step()
    assert p.dtype == dtype
    tolerance = 1e-6 if dtype == np.float64 else 2e-5
    np.testing.assert_allclose(p.data, formula(START, **options), tolerance, tolerance)


@pytest.mark.parametrize(
    "make, options",
    [(tg.optim.RMSprop, {"momentum": 0.9, "centered": True}), (tg.optim.Adagrad, {})],
)
def test_chunks_do_not_show(make, options):
    rng = np.random.default_rng(0)
    rows = [0, CHUNK - 1, CHUNK, 2 * CHUNK + 6]
    big = tg.tensor(rng.normal(size=2 * CHUNK + 7), requires_grad=True)
    few = tg.tensor(big.data[rows].copy(), requires_grad=True)
    for p in (big, few):
        optimizer = make([p], weight_decay=0.1, **options)
        for _ in range(3):
            p.grad = np.sin(p.data)
            optimizer.step()
    np.testing.assert_allclose(big.data[rows], few.data, 1e-14)


def test_defaults_are_those_of_pytorch():
    w = [tg.ones(1, requires_grad=True) for _ in range(2)]
    assert repr(tg.optim.RMSprop([w[0]])) == (
        "RMSprop(lr=0.01, alpha=0.99, eps=1e-08, weight_decay=0.0, momentum=0.0, centered=False)"
    )
    assert repr(tg.optim.Adagrad([w[1]])) == (
        "Adagrad(lr=0.01, lr_decay=0.0, weight_decay=0.0, initial_accumulator_value=0.0, eps=1e-10)"
    )


def test_a_constant_gradient_has_no_spread_and_gives_no_nan():
    p = tg.tensor(np.full(1000, 0.1, np.float32), requires_grad=True)
    optimizer = tg.optim.RMSprop([p], lr=1e-9, alpha=0.1, centered=True)
    for _ in range(50):
        p.grad = np.linspace(0.1, 0.7, 1000)
        optimizer.step()
    assert np.isfinite(p.data).all()


@pytest.mark.parametrize("make", [tg.optim.RMSprop, tg.optim.Adagrad])
def test_an_explosion_ends_in_inf_or_nan_without_a_warning(make):
    p = tg.tensor([3e38, 1.0], requires_grad=True)
    optimizer = make([p], lr=1e9, eps=0)
    for g in ([-3e38, 1.0], [np.nan, 1.0]):
        p.grad = np.array(g, np.float32)
        optimizer.step()
    assert not np.isfinite(p.data[0]) and np.isfinite(p.data[1])


def test_buffers_are_kept_for_what_was_asked():
    def names(**options):
        return tg.optim.RMSprop([tg.ones(1, requires_grad=True)], **options).buffer_names

    assert names() == ("square_avg",)
    assert names(momentum=0.9) == ("square_avg", "momentum_buffer")
    assert names(momentum=0.9, centered=True) == ("square_avg", "momentum_buffer", "grad_avg")


MAKERS = {
    "RMSprop": lambda ps: tg.optim.RMSprop(ps, momentum=0.9, centered=True, weight_decay=0.1),
    "Adagrad": lambda ps: tg.optim.Adagrad(ps, lr_decay=0.1, initial_accumulator_value=0.5),
}


@pytest.mark.parametrize("name", MAKERS)
def test_resuming_is_bit_exact(name):
    def leaves():
        return [tg.tensor(START, requires_grad=True), tg.tensor(START[:2], requires_grad=True)]

    def train(ps, optimizer, begin):
        for step in range(begin, begin + 5):
            ps[0].grad = gradient(ps[0].data, step)
            ps[1].grad = None if step < 7 else np.array([1.0, step])
            optimizer.step()

    first = leaves()
    optimizer = MAKERS[name](first)
    train(first, optimizer, 0)
    second = leaves()
    for p, q in zip(second, first, strict=True):
        p.data = q.data
    resumed = MAKERS[name](second)
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for ps, o in ((first, optimizer), (second, resumed)):
        train(ps, o, 5)
    for p, q in zip(first, second, strict=True):
        np.testing.assert_array_equal(p.data, q.data)


def test_adagrad_starts_from_its_accumulator_in_each_group_and_after_a_fresh_state():
    a, b = (tg.ones(2, requires_grad=True) for _ in range(2))
    optimizer = tg.optim.Adagrad(
        [{"params": [a], "initial_accumulator_value": 3.0}, {"params": [b]}], lr=1.0
    )
    fresh = optimizer.state_dict()
    for _ in range(2):
        a.data = b.data = np.ones(2)
        a.grad = b.grad = np.ones(2)
        optimizer.step()
        np.testing.assert_allclose(a.data, 1 - 1 / 2)
        np.testing.assert_allclose(b.data, 0, atol=1e-6)
        optimizer.load_state_dict(fresh)


BAD = {
    "alpha below 0": (tg.optim.RMSprop, {"alpha": -0.1}, "alpha"),
    "alpha above 1": (tg.optim.RMSprop, {"alpha": 1.1}, "alpha [0, 1] 1.1"),
    "centered a text": (tg.optim.RMSprop, {"centered": "yes"}, "centered True 'yes'"),
    "momentum nan": (tg.optim.RMSprop, {"momentum": float("nan")}, "momentum nan"),
    "eps negative": (tg.optim.RMSprop, {"eps": -1}, "eps -1"),
    "lr_decay negative": (tg.optim.Adagrad, {"lr_decay": -1}, "Adagrad lr_decay -1"),
    "accumulator negative": (
        tg.optim.Adagrad,
        {"initial_accumulator_value": -1},
        "initial_accumulator_value -1",
    ),
    "eps None": (tg.optim.Adagrad, {"eps": None}, "eps NoneType"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_options_are_explained_and_nothing_is_packed(case):
    make, options, words = BAD[case]
    w = tg.ones(2, requires_grad=True)
    with pytest.raises(tg.UsageError) as caught:
        make([w], **options)
    assert all(word in str(caught.value) for word in words.split(" "))
    assert w._grad_buffer is None


@pytest.mark.parametrize("option, value", [("momentum", 0.9), ("centered", True)])
def test_what_needs_buffers_cannot_come_later(option, value):
    optimizer = tg.optim.RMSprop([tg.ones(1, requires_grad=True)])
    with pytest.raises(tg.UsageError, match=rf"built without {option}.*{option}={value}"):
        optimizer.param_groups[0][option] = value
