"""Optimizers, schedules, clipping and splits equal PyTorch's."""

from __future__ import annotations

import itertools
import math
import re

import numpy as np
import pytest

import tinygraph as tg

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]

SHAPES = [(3, 4), (5,), (), (2, 1, 2)]


def leaves(dtype=np.float64):
    rng = np.random.default_rng(0)
    data = [rng.normal(size=s).astype(dtype) for s in SHAPES]
    ours = [tg.tensor(d, requires_grad=True) for d in data]
    theirs = [torch.tensor(d, requires_grad=True) for d in data]
    return ours, theirs


OPTIMIZERS = [
    *(
        ("RMSprop", {"momentum": m, "centered": c, "weight_decay": w, **o})
        for m, c, w, o in itertools.product(
            (0, 0.9), (False, True), (0, 0.1), ({}, {"lr": 0.05, "alpha": 0.5, "eps": 1e-3})
        )
    ),
    *(
        ("Adagrad", {"lr_decay": d, "weight_decay": w, "initial_accumulator_value": i, **o})
        for d, w, i, o in itertools.product(
            (0, 0.01), (0, 0.1), (0, 0.5), ({}, {"lr": 0.5, "eps": 1e-3})
        )
    ),
]


@pytest.mark.parametrize("name, options", OPTIMIZERS, ids=str)
def test_optimizers_over_a_hundred_steps(name, options):
    ours, theirs = leaves()
    a = getattr(tg.optim, name)(ours, **options)
    b = getattr(torch.optim, name)(theirs, **options)
    for step in range(100):
        for i, (p, q) in enumerate(zip(ours, theirs, strict=True)):
            skipped = i == 1 and step % 4 == 1
            p.grad = None if skipped else np.sin(p.data + step) + p.data
            q.grad = None if skipped else torch.sin(q.data + step) + q.data
        a.step()
        b.step()
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.data, q.detach().numpy(), 1e-9, 1e-9)
    for number, entry in a.state_dict()["state"].items():
        for key, value in entry.items():
            np.testing.assert_allclose(value, b.state_dict()["state"][number][key], 1e-9, 1e-12)


@pytest.mark.parametrize("name", ["RMSprop", "Adagrad"])
def test_defaults(name):
    w = tg.ones(1, requires_grad=True)
    ours = getattr(tg.optim, name)([w]).param_groups[0]
    theirs = getattr(torch.optim, name)([torch.ones(1, requires_grad=True)]).param_groups[0]
    assert {k: theirs[k] for k in ours if k != "params"} == {
        k: v for k, v in ours.items() if k != "params"
    }


@pytest.mark.parametrize("name", ["RMSprop", "Adagrad"])
def test_a_state_of_pytorch_continues_here(name):
    options = {"momentum": 0.9} if name == "RMSprop" else {"lr_decay": 0.1}
    ours, theirs = leaves()
    a = getattr(tg.optim, name)(ours, **options)
    b = getattr(torch.optim, name)(theirs, **options)
    for step in range(10):
        for p, q in zip(ours, theirs, strict=True):
            q.grad = torch.sin(q.data + step)
            p.grad = np.sin(p.data + step)
        b.step()
        if step < 5:
            for p, q in zip(ours, theirs, strict=True):
                p.data = q.detach().numpy()
            state = b.state_dict()
            known = a.state_dict()["param_groups"][0]
            state["param_groups"] = [{k: state["param_groups"][0][k] for k in known}]
            a.load_state_dict(state)
        else:
            a.step()
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.data, q.detach().numpy(), 1e-9, 1e-9)


# ---- schedules --------------------------------------------------------------------------------

SCHEDULES = [
    ("StepLR", {"step_size": 7}),
    ("StepLR", {"step_size": 1, "gamma": 0.9}),
    ("MultiStepLR", {"milestones": [3, 10, 10, 50]}),
    ("MultiStepLR", {"milestones": [20, 5], "gamma": 0.5}),
    ("ExponentialLR", {"gamma": 0.93}),
    ("CosineAnnealingLR", {"T_max": 30}),
    ("CosineAnnealingLR", {"T_max": 7, "eta_min": 0.01}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 1.0, "end_factor": 0.1, "total_iters": 30}),
    ("LambdaLR", {"lr_lambda": lambda t: 1 / (1 + t)}),
    ("LambdaLR", {"lr_lambda": [lambda t: 0.9**t, lambda t: t / 10]}),
    *(
        ("OneCycleLR", {"max_lr": m, "total_steps": 101, "three_phase": t, **o})
        for m, t, o in itertools.product(
            (0.5, [0.5, 0.1]),
            (False, True),
            ({}, {"anneal_strategy": "linear", "pct_start": 0.2}, {"cycle_momentum": False},
             {"base_momentum": [0.5, 0.6], "max_momentum": 0.9, "div_factor": 3.0,
              "final_div_factor": 2.0}),
        )
    ),
]  # fmt: skip


def plain(value):
    """Name a case without addresses, which differ from process to process."""
    return re.sub(r"<function .*? at \w+>", "f", str(value))


def pair(kind="SGD"):
    """Optimizers with two groups in both frameworks."""
    options = {"SGD": {"momentum": 0.9}}.get(kind, {})
    made = []
    for home, ones in ((tg.optim, tg.ones), (torch.optim, torch.ones)):
        groups = [{"params": [ones(1, requires_grad=True)], "lr": lr} for lr in (0.3, 0.02)]
        made.append(getattr(home, kind)(groups, lr=0.1, **options))
    return made


def compare(a, b, first, second, steps=100, measures=None):
    for step in range(steps):
        for g, h in zip(a.param_groups, b.param_groups, strict=True):
            assert g["lr"] == pytest.approx(h["lr"], rel=1e-9, abs=1e-15), step
            for name in ("momentum", "betas"):
                if name in g:
                    assert g[name] == pytest.approx(h[name], rel=1e-9), step
        np.testing.assert_allclose(first.get_last_lr(), second.get_last_lr(), 1e-9, 1e-15)
        b.step()
        arguments = [] if measures is None else [measures[step]]
        first.step(*arguments)
        second.step(*arguments)


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize("name, options", SCHEDULES, ids=plain)
def test_schedules_over_a_hundred_steps(name, options, kind):
    a, b = pair(kind)
    first = getattr(tg.optim, name)(a, **options)
    second = getattr(torch.optim.lr_scheduler, name)(b, **options)
    compare(a, b, first, second)


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"patience": 2, "factor": 0.5, "cooldown": 3},
        {"patience": 0, "threshold": 0.1, "min_lr": [0.01, 0.001]},
        {"patience": 1, "eps": 1e-3, "threshold": 0.0},
    ],
    ids=str,
)
def test_plateau(options, threshold_mode, mode):
    rng = np.random.default_rng(0)
    for measures in (
        2 + np.sin(np.arange(100) / 5) + rng.normal(size=100) / 5,
        np.where(rng.random(100) < 0.1, math.nan, 1 / np.arange(1, 101)),
        rng.integers(-2, 3, 100).astype(float),
    ):
        a, b = pair()
        options = {"mode": mode, "threshold_mode": threshold_mode, **options}
        first = tg.optim.ReduceLROnPlateau(a, **options)
        second = torch.optim.lr_scheduler.ReduceLROnPlateau(b, **options)
        compare(a, b, first, second, measures=measures.tolist())


ROWS = [
    ([("LinearLR", {"total_iters": 10}), ("CosineAnnealingLR", {"T_max": 90})], [10]),
    ([("LinearLR", {"start_factor": 0.01}), ("StepLR", {"step_size": 20})], [5]),
    (
        [
            ("ExponentialLR", {"gamma": 0.9}),
            ("LambdaLR", {"lr_lambda": lambda t: 0.5**t}),
            ("MultiStepLR", {"milestones": [2, 7]}),
        ],
        [10, 20],
    ),
]


@pytest.mark.parametrize("parts, milestones", ROWS, ids=plain)
def test_schedules_in_a_row(parts, milestones):
    a, b = pair()
    ours = [getattr(tg.optim, n)(a, **o) for n, o in parts]
    theirs = [getattr(torch.optim.lr_scheduler, n)(b, **o) for n, o in parts]
    first = tg.optim.SequentialLR(a, ours, milestones)
    second = torch.optim.lr_scheduler.SequentialLR(b, theirs, milestones)
    compare(a, b, first, second)


def test_two_schedules_at_once_and_a_rate_set_by_hand():
    a, b = pair()
    made = []
    for o, home in ((a, tg.optim), (b, torch.optim.lr_scheduler)):
        made.append(
            [home.ExponentialLR(o, 0.95), home.CosineAnnealingLR(o, 40), home.StepLR(o, 10)]
        )
    for step in range(39):  # at 40 the product is 0, where PyTorch's recursion stays
        if step == 20:
            for g in (*a.param_groups, *b.param_groups):
                g["lr"] *= 3
        b.step()
        for schedule in (*made[0], *made[1]):
            schedule.step()
        for g, h in zip(a.param_groups, b.param_groups, strict=True):
            assert g["lr"] == pytest.approx(h["lr"], rel=1e-9)


# ---- clipping, splits -------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.5, math.inf])
@pytest.mark.parametrize("max_norm", [0.0, 0.1, 1e3])
@pytest.mark.parametrize("spoil", [None, np.inf, np.nan])
def test_clip_grad_norm(spoil, max_norm, norm_type, dtype):
    ours, theirs = leaves(dtype)
    for p, q in zip(ours, theirs, strict=True):
        p.grad, q.grad = np.cos(3 * p.data), torch.cos(3 * q.data)
    if spoil is not None:
        ours[1].grad[2] = spoil
        theirs[1].grad[2] = spoil
    tg.optim.SGD(ours)
    first = tg.clip_grad_norm(ours, max_norm, norm_type)
    second = torch.nn.utils.clip_grad_norm_(theirs, max_norm, norm_type)
    tolerance = 1e-6 if dtype == np.float32 else 1e-12
    np.testing.assert_allclose(first, second, tolerance)
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.grad, q.grad, tolerance)


def test_clip_grad_value():
    ours, theirs = leaves()
    for p, q in zip(ours, theirs, strict=True):
        p.grad, q.grad = np.cos(3 * p.data), torch.cos(3 * q.data)
    tg.clip_grad_value(ours, 0.25)
    torch.nn.utils.clip_grad_value_(theirs, 0.25)
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.grad, q.grad, 1e-14)


@pytest.mark.parametrize("lengths", [[7, 3], [0.5, 0.5], [0.33, 0.33, 0.34], [10], [0.0, 1.0]])
@pytest.mark.parametrize("count", [0, 10, 11, 101])
def test_lengths_of_splits(count, lengths):
    if all(isinstance(n, int) for n in lengths) and sum(lengths) != count:
        return
    theirs = torch.utils.data.random_split(range(count), lengths)
    assert [len(s) for s in tg.data.random_split(range(count), lengths)] == list(map(len, theirs))


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("size", [1, 3, 5, 9])
def test_loaders(size, drop_last):
    x, y = np.arange(15, dtype=np.float32).reshape(5, 3), np.arange(5)
    ours = tg.data.DataLoader(tg.data.TensorDataset(x, y), size, drop_last=drop_last)
    dataset = torch.utils.data.TensorDataset(torch.tensor(x), torch.tensor(y))
    theirs = torch.utils.data.DataLoader(dataset, size, drop_last=drop_last)
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        for u, v in zip(a, b, strict=True):
            np.testing.assert_array_equal(u, v)
            assert u.dtype == v.numpy().dtype
