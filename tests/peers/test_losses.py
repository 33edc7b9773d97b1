"""Losses with all their options equal PyTorch's, to 1e-9: values, gradients, second order."""

from __future__ import annotations

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]

RNG = np.random.default_rng(0)
A, B = 3 * RNG.normal(size=(2, 6, 4))
P, Q = RNG.uniform(0.02, 0.98, size=(2, 6, 4))
LABELS = RNG.integers(0, 4, 6)
PADDED = np.where(np.arange(6) % 3 == 0, -100, LABELS)
WEIGHT = RNG.uniform(0.5, 2, 4)
IMAGES, PIXELS = RNG.normal(size=(2, 4, 3, 5)), RNG.integers(0, 4, (2, 3, 5))
SHARES = np.exp(IMAGES) / np.exp(IMAGES).sum(1, keepdims=True)
LOG_Q = np.log(Q)

CASES = [
    ("MSELoss", {}, A, B),
    ("L1Loss", {}, A, B),
    *[("SmoothL1Loss", {"beta": b}, A, B) for b in (0.0, 0.3, 1.0)],
    *[("HuberLoss", {"delta": d}, A, B) for d in (0.3, 1.0)],
    ("KLDivLoss", {}, A, Q),
    ("KLDivLoss", {"log_target": True}, A, LOG_Q),
    ("BCELoss", {}, P, Q),
    ("BCELoss", {"weight": WEIGHT}, P, Q),
    ("BCEWithLogitsLoss", {}, A, Q),
    ("BCEWithLogitsLoss", {"weight": WEIGHT, "pos_weight": WEIGHT[::-1].copy()}, A, Q),
    ("NLLLoss", {}, A, LABELS),
    ("NLLLoss", {"weight": WEIGHT}, A, PADDED),
    ("NLLLoss", {"ignore_index": 2}, IMAGES, PIXELS),
    ("MultiMarginLoss", {}, A, LABELS),
    ("MultiMarginLoss", {"p": 2, "margin": 0.5, "weight": WEIGHT}, A, LABELS),
    *[
        ("CrossEntropyLoss", {**w, **s, **i}, x, t)
        for w in ({}, {"weight": WEIGHT})
        for s in ({}, {"label_smoothing": 0.2})
        for i, x, t in (
            ({}, A, LABELS),
            ({}, A, PADDED),
            ({"ignore_index": 1}, IMAGES, PIXELS),
            ({}, IMAGES, SHARES),
            ({}, A[0], LABELS[0]),
        )
    ],
]
IDS = [f"{name} {sorted(options)} {np.shape(x)}" for name, options, x, _ in CASES]


def both(name, options, reduction):
    theirs = {k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
    ours = getattr(nn, name)(reduction=reduction, **options).astype(np.float64)
    return ours, getattr(torch.nn, name)(reduction=reduction, **theirs).double()


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("name", "options", "x", "t"), CASES, ids=IDS)
def test_values_and_derivatives(name, options, x, t, reduction):
    ours, theirs = both(name, options, reduction)
    a, u = tg.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    y, v = ours(a, t), theirs(u, torch.tensor(t))
    np.testing.assert_allclose(y.data, v.detach().numpy(), 1e-9, 1e-9)
    weights = np.cos(np.arange(y.size)).reshape(y.shape)
    (g,) = tg.grad((y * weights).sum(), [a], create_graph=True)
    (h,) = torch.autograd.grad((v * torch.tensor(weights)).sum(), [u], create_graph=True)
    np.testing.assert_allclose(g.data, h.detach().numpy(), 1e-9, 1e-9)
    if name == "MultiMarginLoss" or not (h.requires_grad and g.requires_grad):
        return  # PyTorch has no second order for it; the others are straight lines
    again = tg.grad((g * g).sum(), a, allow_unused=True)
    (more,) = torch.autograd.grad((h * h).sum(), [u], allow_unused=True)
    if again is not None and more is not None:
        np.testing.assert_allclose(again.data, more.numpy(force=True), 1e-9, 1e-9)


@pytest.mark.parametrize("name", ["CrossEntropyLoss", "NLLLoss", "MultiMarginLoss", "BCELoss"])
def test_state_dicts_in_both_directions(name):
    ours, theirs = both(name, {"weight": WEIGHT}, "mean")
    assert list(ours.state_dict()) == list(theirs.state_dict()) == ["weight"]
    other = getattr(nn, name)(weight=np.ones(4)).astype(np.float64)
    other.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    np.testing.assert_array_equal(other.weight.data, WEIGHT)
    theirs.load_state_dict({k: torch.tensor(v) for k, v in ours.state_dict().items()})


@pytest.mark.parametrize("log_target", [True, False])
def test_batchmean(log_target):
    t = LOG_Q if log_target else Q
    ours = nn.KLDivLoss("batchmean", log_target)(tg.tensor(A), t).item()
    theirs = torch.nn.KLDivLoss(reduction="batchmean", log_target=log_target)
    assert ours == pytest.approx(theirs(torch.tensor(A), torch.tensor(t)).item(), rel=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_probabilities_0_and_1(dtype):
    p, t = np.array([0, 1, 0, 1, 1e-30], dtype), np.array([0, 1, 1, 0, 1], dtype)
    a, u = tg.tensor(p, requires_grad=True), torch.tensor(p, requires_grad=True)
    y, v = (
        nn.BCELoss(reduction="none")(a, t),
        torch.nn.BCELoss(reduction="none")(u, torch.tensor(t)),
    )
    np.testing.assert_allclose(y.data, v.detach().numpy(), 1e-6)
    y.sum().backward()
    v.sum().backward()
    np.testing.assert_allclose(a.grad, u.grad.numpy(), 1e-6)
