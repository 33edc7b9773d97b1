"""Modules, losses and optimizers equal PyTorch's."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]

DTYPES = [np.float32, np.float64]
TOLERANCE = {np.float32: 2e-6, np.float64: 1e-12}


def like_torch(dtype, bias=True):
    """The same network in both frameworks, ours with the values of PyTorch's."""
    torch.manual_seed(0)
    theirs = torch.nn.Sequential(
        torch.nn.Linear(3, 8, bias=bias), torch.nn.Tanh(), torch.nn.Linear(8, 4)
    ).to(torch.float32 if dtype == np.float32 else torch.float64)
    with tg.default_dtype(dtype):
        ours = nn.Sequential(nn.Linear(3, 8, bias=bias), nn.Tanh(), nn.Linear(8, 4))
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    return ours, theirs


@pytest.mark.parametrize("bias", [True, False])
def test_state_dict_keys_and_module_names(bias):
    ours, theirs = like_torch(np.float32, bias)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert [n for n, _ in ours.named_modules()] == [n for n, _ in theirs.named_modules()]
    assert repr(ours) == repr(theirs)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(5, 3), (3,), (2, 4, 3), (0, 3)], ids=str)
def test_networks(dtype, shape):
    ours, theirs = like_torch(dtype)
    data = np.random.default_rng(0).normal(size=shape).astype(dtype)
    x, u = tg.tensor(data, requires_grad=True), torch.tensor(data, requires_grad=True)
    y, v = ours(x), theirs(u)
    np.testing.assert_allclose(y.data, v.detach().numpy(), TOLERANCE[dtype], TOLERANCE[dtype])
    (y * y).sum().backward()
    (v * v).sum().backward()
    pairs = [(x, u), *zip(ours.parameters(), theirs.parameters(), strict=True)]
    for p, q in pairs:
        np.testing.assert_allclose(p.grad, q.grad.numpy(), TOLERANCE[dtype], TOLERANCE[dtype])


ACTIVATIONS = {
    "Identity": {}, "ReLU": {}, "Sigmoid": {}, "Tanh": {}, "GELU": {}, "Softplus": {},
    "Softmax": {"dim": -1}, "LogSoftmax": {"dim": -1},
}  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(name, dtype):
    data = np.linspace(-10, 10, 42).reshape(6, 7).astype(dtype)
    x, u = tg.tensor(data, requires_grad=True), torch.tensor(data, requires_grad=True)
    y = getattr(nn, name)()(x)
    v = getattr(torch.nn, name)(**ACTIVATIONS[name])(u)
    np.testing.assert_allclose(y.data, v.detach().numpy(), TOLERANCE[dtype], TOLERANCE[dtype])
    weights = np.cos(data)
    (y * weights).sum().backward()
    (v * torch.tensor(weights)).sum().backward()
    np.testing.assert_allclose(x.grad, u.grad.numpy(), TOLERANCE[dtype], TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", ["MSELoss", "BCEWithLogitsLoss", "CrossEntropyLoss"])
def test_losses(name, reduction, dtype):
    rng = np.random.default_rng(0)
    data, target = 5 * rng.normal(size=(6, 4)).astype(dtype), rng.uniform(size=(6, 4)).astype(dtype)
    if name == "CrossEntropyLoss":
        target = rng.integers(0, 4, 6)
    x, u = tg.tensor(data, requires_grad=True), torch.tensor(data, requires_grad=True)
    y = getattr(nn, name)(reduction=reduction)(x, target)
    v = getattr(torch.nn, name)(reduction=reduction)(u, torch.tensor(target))
    np.testing.assert_allclose(y.data, v.detach().numpy(), TOLERANCE[dtype], TOLERANCE[dtype])
    y.sum().backward()
    v.sum().backward()
    np.testing.assert_allclose(x.grad, u.grad.numpy(), TOLERANCE[dtype], TOLERANCE[dtype])


OPTIMIZERS = [
    *(
        ("SGD", {"lr": 0.05, "momentum": m, "dampening": d, "weight_decay": w, "nesterov": n})
        for m, d, w, n in itertools.product((0, 0.9), (0, 0.3), (0, 0.1), (False, True))
        if not n or (m and not d)
    ),
    *(
        (name, options)
        for name in ("Adam", "AdamW")
        for options in (
            {},
            {"lr": 0.01},
            {"lr": 0.01, "weight_decay": 0.1},
            {"lr": 0.01, "betas": (0.5, 0.9), "eps": 1e-4},
        )
    ),
]


@pytest.mark.parametrize("name, options", OPTIMIZERS, ids=str)
def test_optimizers_over_a_hundred_steps(name, options):
    ours, theirs = like_torch(np.float64)
    data = np.random.default_rng(0).normal(size=(20, 3))
    a = getattr(tg.optim, name)(ours.parameters(), **options)
    b = getattr(torch.optim, name)(theirs.parameters(), **options)
    for step in range(100):
        a.zero_grad()
        b.zero_grad()
        (ours(data) ** 2).mean().backward()
        (theirs(torch.tensor(data)) ** 2).mean().backward()
        if step % 4 == 1:  # skipped: its step count falls behind
            ours[0].bias.grad = theirs[0].bias.grad = None
        a.step()
        b.step()
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.data, q.detach().numpy(), 1e-6, 1e-6)
    assert list(a.state_dict()["state"]) == list(b.state_dict()["state"]) or name == "SGD"


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
def test_defaults(name):
    w = tg.ones(1, requires_grad=True)
    ours = getattr(tg.optim, name)([w]).param_groups[0]
    theirs = getattr(torch.optim, name)([torch.ones(1, requires_grad=True)]).param_groups[0]
    assert {k: theirs[k] for k in ours if k != "params"} == {
        k: v for k, v in ours.items() if k != "params"
    }
