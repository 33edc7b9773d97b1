"""SGD, Adam and AdamW against their formulas, written by hand, over 100 steps."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import tinygraph as tg
from tinygraph.ops import state

STEPS = 100
TARGET = np.array([1.0, -2.0, 0.5])


def gradient(p, step):
    """Of a bent bowl whose weights change from step to step."""
    return (p - TARGET) * (1 + 0.5 * np.sin(step + np.arange(3))) + 0.1 * p**3


def sgd(p, lr, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False):
    velocity = None
    for step in range(STEPS):
        d = gradient(p, step) + weight_decay * p
        if momentum:
            velocity = d if velocity is None else momentum * velocity + (1 - dampening) * d
            d = d + momentum * velocity if nesterov else velocity
        p = p - lr * d
    return p


def adam(p, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled=False):
    m = v = np.zeros(3)
    for t in range(1, STEPS + 1):
        g = gradient(p, t - 1)
        if decoupled:
            p = p - lr * weight_decay * p
        else:
            g = g + weight_decay * p
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g * g
        m_hat, v_hat = m / (1 - betas[0] ** t), v / (1 - betas[1] ** t)
        p = p - lr * m_hat / (np.sqrt(v_hat) + eps)
    return p


def adamw(p, weight_decay=0.01, **options):
    return adam(p, weight_decay=weight_decay, decoupled=True, **options)


SGD_OPTIONS = [
    {"lr": 0.05, "momentum": m, "dampening": d, "weight_decay": w, "nesterov": n}
    for m, d, w, n in itertools.product((0, 0.9), (0, 0.3), (0, 0.1), (False, True))
    if not n or (m and not d)
]
ADAM_OPTIONS = [
    {"lr": 0.05},
    {"lr": 0.01, "betas": (0.5, 0.9)},
    {"lr": 0.05, "betas": (0.0, 0.99), "eps": 1e-3},
    {"lr": 0.05, "weight_decay": 0.1},
    {"lr": 0.05, "weight_decay": 0.0},
]
CASES = [
    *((tg.optim.SGD, sgd, o) for o in SGD_OPTIONS),
    *((tg.optim.Adam, adam, o) for o in ADAM_OPTIONS),
    *((tg.optim.AdamW, adamw, o) for o in ADAM_OPTIONS),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "make, formula, options", CASES, ids=lambda v: str(getattr(v, "__name__", v))
)
def test_a_hundred_steps(make, formula, options, dtype):
    start = np.array([2.0, 1.0, -1.5])
    p = tg.tensor(start.astype(dtype), requires_grad=True)
    optimizer = make([p], **options)
    for step in range(STEPS):
        p.grad = gradient(p.data, step)
        optimizer.step()
    assert p.dtype == dtype
    tolerance = 1e-6 if dtype == np.float64 else 1e-5
    np.testing.assert_allclose(p.data, formula(start, **options), tolerance, tolerance)


def test_a_million_parameters_and_three_give_the_same():
    """The update runs in chunks that stay in cache; the chunk must not show."""
    rng = np.random.default_rng(0)
    big = tg.tensor(rng.normal(size=100_000), requires_grad=True)
    few = tg.tensor(big.data[[0, 32_768, 99_999]].copy(), requires_grad=True)
    for make in (tg.optim.SGD, tg.optim.AdamW):
        optimizers = [make([p], lr=0.1, weight_decay=0.1) for p in (big, few)]
        for _ in range(3):
            for p, optimizer in zip((big, few), optimizers, strict=True):
                p.grad = np.sin(p.data)
                optimizer.step()
        np.testing.assert_allclose(big.data[[0, 32_768, 99_999]], few.data, 1e-14)
        for optimizer in optimizers:
            optimizer.close()


@pytest.mark.parametrize("make", [tg.optim.SGD, tg.optim.Adam])
def test_an_explosion_ends_in_inf_or_nan_without_a_warning(make):
    p = tg.tensor([3e38, 1.0], requires_grad=True)
    optimizer = make([p], lr=1e9)
    for gradient in ([-3e38, 0.0], [np.nan, 0.0]):
        p.grad = np.array(gradient, np.float32)
        optimizer.step()
    assert not np.isfinite(p.data[0]) and p.data[1] == 1.0


def test_defaults_are_those_of_pytorch():
    w = [tg.ones(1, requires_grad=True) for _ in range(3)]
    assert repr(tg.optim.SGD([w[0]])) == (
        "SGD(lr=0.001, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False)"
    )
    assert repr(tg.optim.Adam([w[1]])) == (
        "Adam(lr=0.001, betas=(0.9, 0.999), eps=1e-08, weight_decay=0.0)"
    )
    assert tg.optim.AdamW([w[2]]).param_groups[0]["weight_decay"] == 0.01


def test_a_learning_rate_may_change_between_steps():
    p = tg.tensor([1.0], requires_grad=True)
    optimizer = tg.optim.SGD([p], lr=0.5)
    for lr in (0.5, 0.25, np.float64(0.125), 0):
        optimizer.param_groups[0]["lr"] = lr
        p.grad = np.ones(1)
        optimizer.step()
    assert p.item() == 1 - 0.5 - 0.25 - 0.125


def test_an_optimizer_of_ones_own_is_one_formula():
    class SignSGD(tg.optim.Optimizer):
        buffer_names = ("count",)

        def __init__(self, params, lr=0.1):
            super().__init__(params, {"lr": lr})

        def update(self, group, data, grad, state, step):
            state[0] += 1
            data -= group["lr"] * np.sign(grad)

    p = tg.tensor([1.0, -1.0], requires_grad=True)
    optimizer = SignSGD([p])
    (p * p).sum().backward()
    optimizer.step()
    np.testing.assert_allclose(p.data, [0.9, -0.9], 1e-6)
    assert optimizer.state_dict()["state"][0]["count"].tolist() == [1, 1]
    with pytest.raises(tg.UsageError, match="SignSGD: lr"):
        SignSGD([tg.ones(1, requires_grad=True)], lr=-1)


@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"])
def test_a_step_that_overflows_gives_inf_or_nan_without_a_warning(kind):
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    optimizer = getattr(tg.optim, kind)([w], lr=1e38)
    w.grad = np.array([3e38, 1.0], np.float32)
    optimizer.step()
    w.grad = np.array([-3e38, 1.0], np.float32)
    optimizer.step()
    state = optimizer.state_dict()["state"][0].values()
    assert not all(np.isfinite(x).all() for x in (w.data, *state))


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("SGD", {}), ("SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
        ("Adam", {"weight_decay": 0.1}), ("AdamW", {}), ("Adagrad", {}),
        ("RMSprop", {"momentum": 0.9, "centered": True}),
    ],
)  # fmt: skip
def test_threads_that_share_long_vectors_change_no_bit(kind, options, monkeypatch):
    monkeypatch.setattr(state, "SHARED", 5000)
    monkeypatch.setattr(state, "CHUNK", 1000)
    at_work = set()
    share = state.share

    def watched(work, count, threads):
        at_work.add(threads)
        return share(work, count, threads)

    monkeypatch.setattr(state, "share", watched)
    found = []
    before = tg.get_num_threads()
    try:
        for threads in (1, 2, 3):
            tg.set_num_threads(threads)
            w = tg.tensor(np.linspace(-1, 1, 20_001, dtype=np.float32), requires_grad=True)
            optimizer = getattr(tg.optim, kind)([w], lr=0.1, **options)
            for step in range(3):
                w.grad = np.sin(w.data + step)
                optimizer.step()
            found.append(w.data.tobytes())
    finally:
        tg.set_num_threads(before)
    assert len(set(found)) == 1
    assert at_work == {1, 2, 3}
