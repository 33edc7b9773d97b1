"""Schedules against their formulas; combining, resuming, and bad input."""

from __future__ import annotations

import copy
import json
import math

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import optim


def sgd(lr=1.0, **options):
    return optim.SGD([tg.ones(1, requires_grad=True)], lr=lr, **options)


def two_groups():
    groups = [{"params": [tg.ones(1, requires_grad=True)], "lr": lr} for lr in (1.0, 0.25)]
    return optim.SGD(groups, momentum=0.5)


def rates(schedule, steps=12):
    """The learning rates of the first group in each epoch."""
    found = []
    for _ in range(steps):
        found.append(schedule.optimizer.param_groups[0]["lr"])
        schedule.step()
    return found


FORMULAS = {
    "StepLR": (lambda o: optim.StepLR(o, 3, 0.5), lambda t: 0.5 ** (t // 3)),
    "StepLR 1": (lambda o: optim.StepLR(o, 1), lambda t: 0.1**t),
    "MultiStepLR": (
        lambda o: optim.MultiStepLR(o, [7, 2, 2], 0.5),
        lambda t: 0.5 ** (2 * (t >= 2) + (t >= 7)),
    ),
    "ExponentialLR": (lambda o: optim.ExponentialLR(o, 0.9), lambda t: 0.9**t),
    "CosineAnnealingLR": (
        lambda o: optim.CosineAnnealingLR(o, 5, 0.1),
        lambda t: 0.1 + 0.9 * (1 + math.cos(math.pi * t / 5)) / 2,
    ),
    "LinearLR": (lambda o: optim.LinearLR(o), lambda t: 1 / 3 + 2 / 3 * min(t, 5) / 5),
    "LinearLR down": (lambda o: optim.LinearLR(o, 1.0, 0.0, 4), lambda t: 1 - min(t, 4) / 4),
    "LambdaLR": (lambda o: optim.LambdaLR(o, lambda t: 1 / (t + 2)), lambda t: 1 / (t + 2)),
    "SequentialLR": (
        lambda o: optim.SequentialLR(
            o,
            [optim.LinearLR(o, 0.5, 1.0, 2), optim.StepLR(o, 2), optim.ExponentialLR(o, 0.5)],
            [3, 8],
        ),
        lambda t: (
            0.5 + min(t, 2) / 4 if t < 3 else 0.1 ** ((t - 3) // 2) if t < 8 else 0.5 ** (t - 8)
        ),
    ),
    "warmup_cosine": (
        lambda o: optim.warmup_cosine(o, 2, 10, 0.5),
        lambda t: 0.5 + t / 4 if t < 2 else (1 + math.cos(math.pi * (t - 2) / 8)) / 2,
    ),
    "no warm-up": (
        lambda o: optim.warmup_cosine(o, 0, 10),
        lambda t: (1 + math.cos(math.pi * t / 10)) / 2,
    ),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_values(name):
    make, formula = FORMULAS[name]
    np.testing.assert_allclose(rates(make(sgd())), [formula(t) for t in range(12)], 1e-12, 1e-15)


@pytest.mark.parametrize("name", [n for n in FORMULAS if n != "CosineAnnealingLR"])
def test_each_group_keeps_its_own_base(name):
    optimizer = two_groups()
    schedule = FORMULAS[name][0](optimizer)
    for _ in range(8):
        first, second = schedule.get_last_lr()
        assert second == pytest.approx(first / 4)
        schedule.step()
    assert schedule.base_lrs == [1.0, 0.25] and schedule.last_epoch == 8


def test_one_cycle():
    optimizer = sgd(lr=7.0, momentum=0.5)
    schedule = optim.OneCycleLR(optimizer, max_lr=1.0, total_steps=11, pct_start=5 / 11)
    lrs, momenta = [], []
    for _ in range(11):
        lrs.append(optimizer.param_groups[0]["lr"])
        momenta.append(optimizer.param_groups[0]["momentum"])
        schedule.step()
    assert lrs[0] == pytest.approx(1 / 25) and max(lrs) == lrs[4] == 1.0
    assert lrs[-1] == pytest.approx(1 / 25e4)
    assert momenta[0] == momenta[-1] == pytest.approx(0.95) and min(momenta) == momenta[4] == 0.85
    assert schedule.get_last_lr()[0] == pytest.approx(lrs[-1])  # it stays
    with pytest.raises(tg.UsageError, match="cycle of 11 steps is over"):
        schedule.step()
    assert schedule.last_epoch == 11


def test_one_cycle_of_epochs_in_three_phases_without_momentum():
    optimizer = optim.Adagrad([tg.ones(1, requires_grad=True)])
    schedule = optim.OneCycleLR(
        optimizer, [1.0], epochs=5, steps_per_epoch=2, pct_start=0.4, anneal_strategy="linear",
        cycle_momentum=False, div_factor=4, final_div_factor=5, three_phase=True,
    )  # fmt: skip
    wanted = [0.25, 0.5, 0.75, 1.0, 0.75, 0.5, 0.25, 0.25 - 0.2 / 3, 0.25 - 0.4 / 3, 0.05]
    np.testing.assert_allclose(rates(schedule, 10), wanted, 1e-12)


@pytest.mark.parametrize("total", [1, 2, 3, 4, 10])
def test_short_cycles_end_where_they_should(total):
    schedule = optim.OneCycleLR(sgd(momentum=0.9), 1.0, total_steps=total)
    lrs = rates(schedule, total)
    assert all(0 < lr <= 1 for lr in lrs) and lrs[-1] == pytest.approx(1 / 25e4)


def test_plateau():
    optimizer = two_groups()
    schedule = optim.ReduceLROnPlateau(optimizer, factor=0.5, patience=1, cooldown=1, min_lr=0.2)
    seen = []
    for loss in (3, 2, 2, 2, 2, 2, 2, 2, 1, math.nan, tg.tensor(5.0), np.float32(6), 7, 8):
        schedule.step(loss)
        seen.append(schedule.get_last_lr())
    firsts = [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.2, 0.2, 0.2, 0.2]
    assert [lr for lr, _ in seen] == firsts
    assert seen[-1][1] == 0.2 and schedule.best == 1 and schedule.last_epoch == 14


def test_plateau_looks_for_the_largest_and_has_thresholds():
    for mode, sign in (("min", 1), ("max", -1)):
        for threshold_mode, better in (("rel", 8.9), ("abs", 9.8)):
            options = {"threshold": 0.1, "threshold_mode": threshold_mode, "patience": 0}
            schedule = optim.ReduceLROnPlateau(sgd(), mode, **options)
            schedule.step(10)
            schedule.step(10 + sign * (better - 10) / 3)
            assert schedule.get_last_lr() == [pytest.approx(0.1)]
            schedule.step(10 + sign * (better - 10))
            assert schedule.get_last_lr() == [pytest.approx(0.1)]
            assert schedule.best == 10 + sign * (better - 10)


def test_plateau_leaves_tiny_changes_out():
    schedule = optim.ReduceLROnPlateau(sgd(lr=1e-8), patience=0, factor=0.5)
    for _ in range(3):
        schedule.step(1.0)
    assert schedule.get_last_lr() == [1e-8]


# ---- together with others ---------------------------------------------------------------------


def test_a_learning_rate_set_by_hand_stays_as_a_factor():
    optimizer = sgd()
    schedule = optim.CosineAnnealingLR(optimizer, 10)
    schedule.step()
    optimizer.param_groups[0]["lr"] /= 4
    for t in range(2, 8):
        schedule.step()
        wanted = (1 + math.cos(math.pi * t / 10)) / 8
        assert optimizer.param_groups[0]["lr"] == pytest.approx(wanted)


def test_two_schedules_multiply():
    optimizer = sgd()
    a = optim.ExponentialLR(optimizer, 0.9)
    b = optim.LinearLR(optimizer, 0.5, 1.0, 4)
    for t in range(8):
        wanted = 0.9**t * (0.5 + min(t, 4) / 8)
        assert optimizer.param_groups[0]["lr"] == pytest.approx(wanted)
        a.step()
        b.step()
    assert a.base_lrs == b.base_lrs == [1.0]


def test_warm_up_and_plateau_together():
    optimizer = sgd()
    warm = optim.LinearLR(optimizer, 0.5, 1.0, 2)
    plateau = optim.ReduceLROnPlateau(optimizer, patience=0)
    for loss in (3, 2, 1, 1, 1):
        warm.step()
        plateau.step(loss)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.01)


def test_after_a_rate_of_zero_it_goes_on():
    schedule = optim.LambdaLR(sgd(), lambda t: t / 4)
    assert rates(schedule, 4) == [0, 0.25, 0.5, 0.75]
    down_and_up = optim.CosineAnnealingLR(sgd(), 3)
    assert rates(down_and_up, 6)[4] == pytest.approx(0.25)


def test_a_fixed_learning_rate_is_not_touched_by_rounding():
    optimizer = sgd(lr=0.1)
    schedule = optim.LinearLR(optimizer, 0.3, 1.0, 7)
    for _ in range(10):
        schedule.step()
    assert optimizer.param_groups[0]["lr"] == 0.1


def test_one_of_ones_own():
    class Sawtooth(optim.LRScheduler):
        settings = ("period",)

        def __init__(self, optimizer, period):
            self.period = period
            super().__init__(optimizer)

        def lr_at(self, base, epoch, number):
            return base * (1 - epoch % self.period / self.period)

    schedule = Sawtooth(sgd(), 4)
    assert rates(schedule, 6) == [1, 0.75, 0.5, 0.25, 1, 0.75]
    assert schedule.state_dict()["period"] == 4 and repr(schedule) == "Sawtooth(period=4)"
    with pytest.raises(tg.UsageError, match="Nothing defines no lr_at"):
        type("Nothing", (optim.LRScheduler,), {})(sgd())


def test_a_trained_parameter_follows():
    w = tg.tensor([0.0], requires_grad=True)
    optimizer = optim.SGD([w], lr=1.0)
    schedule = optim.StepLR(optimizer, 1, 0.5)
    for _ in range(4):
        w.grad = np.array([-1.0])
        optimizer.step()
        schedule.step()
    assert w.item() == 1.875


# ---- state ------------------------------------------------------------------------------------

STATEFUL = {
    **{name: make for name, (make, _) in FORMULAS.items()},
    "OneCycleLR": lambda o: optim.OneCycleLR(o, [1.0, 0.5], 30),
    "OneCycleLR in a row": lambda o: optim.SequentialLR(
        o, [optim.OneCycleLR(o, 1.0, 8), optim.ExponentialLR(o, 0.9)], [7]
    ),
    "ReduceLROnPlateau": lambda o: optim.ReduceLROnPlateau(o, patience=1, factor=0.7),
}


def go(schedule, steps):
    found = []
    for i in range(steps):
        plateau = isinstance(schedule, optim.ReduceLROnPlateau)
        schedule.step(*([math.sin(i)] if plateau else []))
        found.append(
            [(g["lr"], g["momentum"]) for g in schedule.optimizer.param_groups]
            + [schedule.last_epoch]
        )
    return found


@pytest.mark.parametrize("by_hand", [False, True])
@pytest.mark.parametrize("before", [0, 1, 5])
@pytest.mark.parametrize("loaded_first", ["optimizer", "schedule"])
@pytest.mark.parametrize("name", STATEFUL)
def test_resuming_is_bit_exact(name, loaded_first, before, by_hand):
    optimizer = two_groups()
    schedule = STATEFUL[name](optimizer)
    go(schedule, before)
    if by_hand:
        optimizer.param_groups[1]["lr"] *= 0.3
    states = json.loads(json.dumps([optimizer.state_dict(), schedule.state_dict()]))
    second = two_groups()
    if loaded_first == "optimizer":
        second.load_state_dict(states[0])
    resumed = STATEFUL[name](second)
    resumed.load_state_dict(states[1])
    if loaded_first == "schedule":
        second.load_state_dict(states[0])
    assert go(resumed, 6) == go(schedule, 6)
    assert resumed.state_dict() == schedule.state_dict()


def test_settings_come_from_the_state():
    schedule = optim.StepLR(sgd(), 3, 0.5)
    other = optim.StepLR(sgd(), 5, 0.1)
    other.load_state_dict(schedule.state_dict())
    assert (other.step_size, other.gamma) == (3, 0.5)
    milestones = optim.MultiStepLR(sgd(), [4])
    milestones.load_state_dict(optim.MultiStepLR(sgd(), [1, 2]).state_dict())
    assert milestones.milestones == (1, 2)


def test_a_state_is_a_copy():
    schedule = optim.StepLR(sgd(), 1)
    state = schedule.state_dict()
    kept = copy.deepcopy(state)
    schedule.step()
    assert state == kept
    state["base_lrs"][0] = 99
    assert schedule.base_lrs == [1.0]
    other = optim.StepLR(sgd(), 1)
    other.load_state_dict(kept)
    kept["base_lrs"][0] = 99
    assert other.base_lrs == [1.0]


# ---- bad input --------------------------------------------------------------------------------


def plateau(**options):
    return lambda o: optim.ReduceLROnPlateau(o, **options)


def cycle(**options):
    return lambda o: optim.OneCycleLR(o, **{"max_lr": 1.0, "total_steps": 5, **options})


def row(count, milestones):
    return lambda o: optim.SequentialLR(o, [optim.StepLR(o, 1)] * count, milestones)


def load(change):
    def action(o):
        schedule = optim.StepLR(o, 3)
        state = schedule.state_dict()
        change(state)
        schedule.load_state_dict(state)

    return action


CASES = {
    "no optimizer": (lambda o: optim.StepLR(o.param_groups, 3), "StepLR optimizer tuple"),
    "a model's parameters": (lambda o: optim.OneCycleLR([1], 0.1, 3), "OneCycleLR optimizer list"),
    "plateau of nothing": (lambda o: optim.ReduceLROnPlateau(None), "optimizer NoneType"),
    "step_size 0": (lambda o: optim.StepLR(o, 0), "step_size 1 0"),
    "step_size 1.5": (lambda o: optim.StepLR(o, 1.5), "step_size whole 1.5"),
    "step_size True": (lambda o: optim.StepLR(o, True), "step_size True"),
    "gamma negative": (lambda o: optim.StepLR(o, 1, -0.1), "gamma -0.1"),
    "gamma nan": (lambda o: optim.ExponentialLR(o, math.nan), "gamma nan"),
    "gamma infinite": (lambda o: optim.ExponentialLR(o, math.inf), "gamma finite inf"),
    "gamma a text": (lambda o: optim.ExponentialLR(o, "0.1"), "gamma str"),
    "a milestone": (lambda o: optim.MultiStepLR(o, 3), "milestones [30, 80] 3"),
    "milestones of halves": (lambda o: optim.MultiStepLR(o, [0.5]), "milestone whole 0.5"),
    "negative milestones": (lambda o: optim.MultiStepLR(o, [-1]), "milestone -1"),
    "T_max 0": (lambda o: optim.CosineAnnealingLR(o, 0), "T_max 0"),
    "eta_min negative": (lambda o: optim.CosineAnnealingLR(o, 5, -1), "eta_min -1"),
    "start_factor 0": (lambda o: optim.LinearLR(o, 0), "start_factor above 0"),
    "start_factor 2": (lambda o: optim.LinearLR(o, 2), "start_factor 1 2"),
    "end_factor 2": (lambda o: optim.LinearLR(o, 1, 2), "end_factor 2"),
    "total_iters 0": (lambda o: optim.LinearLR(o, total_iters=0), "total_iters 0"),
    "no function": (lambda o: optim.LambdaLR(o, 0.5), "LambdaLR function 0.5"),
    "too many functions": (lambda o: optim.LambdaLR(o, [abs, abs]), "lr_lambda 1 2"),
    "a function of None": (lambda o: optim.LambdaLR(o, lambda t: None), "lr_lambda(0) NoneType"),
    "a negative function": (lambda o: optim.LambdaLR(o, lambda t: -1.0), "lr_lambda(0) -1.0"),
    "no steps": (lambda o: optim.OneCycleLR(o, 1.0), "total_steps epochs"),
    "epochs alone": (lambda o: optim.OneCycleLR(o, 1.0, epochs=3), "steps_per_epoch"),
    "0 steps": (cycle(total_steps=0), "total_steps 0"),
    "pct_start 2": (cycle(pct_start=2), "pct_start 2"),
    "another strategy": (cycle(anneal_strategy="exp"), "'cos' 'linear' 'exp'"),
    "max_lr negative": (cycle(max_lr=-1), "max_lr -1"),
    "two max_lr": (cycle(max_lr=[1, 2]), "max_lr 1 2"),
    "div_factor 0": (cycle(div_factor=0), "div_factor 0"),
    "momentum that was not built": (cycle(), "without momentum momentum=0.95"),
    "no flag": (cycle(three_phase=1), "three_phase True 1"),
    "mode": (plateau(mode="less"), "mode 'min' 'max' 'less'"),
    "threshold_mode": (plateau(threshold_mode=None), "threshold_mode 'rel' None"),
    "factor 1": (plateau(factor=1.0), "factor below 1.0"),
    "patience -1": (plateau(patience=-1), "patience -1"),
    "two min_lr": (plateau(min_lr=[1, 2]), "min_lr 1 2"),
    "no measure": (lambda o: plateau()(o).step(None), "step number NoneType"),
    "measures": (lambda o: plateau()(o).step(tg.ones(2)), "step number (2,)"),
    "no schedules": (row(0, []), "fewer 0"),
    "too few milestones": (row(2, []), "one fewer [] 2"),
    "equal milestones": (row(3, [2, 2]), "different [2, 2]"),
    "a milestone at 0": (row(2, [0]), "milestone 1 0"),
    "a plateau in a row": (
        lambda o: optim.SequentialLR(o, [plateau()(o), optim.StepLR(o, 1)], [2]),
        "functions epoch ReduceLROnPlateau",
    ),
    "another's schedule": (
        lambda o: optim.SequentialLR(o, [optim.StepLR(sgd(), 1), optim.StepLR(o, 1)], [2]),
        "another optimizer StepLR(step_size=1,",
    ),
    "warm-up too long": (lambda o: optim.warmup_cosine(o, 5, 5), "warmup=5 total=5"),
    "no state": (load(lambda s: s.clear()), "step_size last_epoch"),
    "a state of another": (
        lambda o: optim.StepLR(o, 1).load_state_dict(optim.ExponentialLR(o, 0.1).state_dict()),
        "step_size same class",
    ),
    "None": (lambda o: optim.StepLR(o, 1).load_state_dict(None), "NoneType"),
    "an epoch of a half": (load(lambda s: s.update(last_epoch=0.5)), "last_epoch 0.5"),
    "groups too many": (load(lambda s: s["base_lrs"].append(1.0)), "base_lrs [1.0, 1.0]"),
    "a rate that is none": (load(lambda s: s.update(_last_lr=["x"])), "_last_lr ['x']"),
    "a rate below 0": (load(lambda s: s.update(_last_lr=[-1.0])), "lr -1.0"),
    "gamma of None": (load(lambda s: s.update(gamma=None)), "gamma None"),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_explained(case):
    action, words = CASES[case]
    optimizer = sgd()
    with pytest.raises(tg.UsageError) as caught:
        action(optimizer)
    message = str(caught.value)
    missing = [word for word in words.split(" ") if word not in message]
    assert not missing, (missing, message)
    assert optimizer.param_groups[0]["lr"] == 1.0
    assert optimizer.param_groups[0]["momentum"] == 0


def test_a_step_that_fails_changes_nothing():
    optimizer = two_groups()
    schedule = optim.LambdaLR(optimizer, [lambda t: 1.0 / (t + 1), lambda t: 1 - t])
    schedule.step()
    before = schedule.state_dict()
    with pytest.raises(tg.UsageError, match=r"lr_lambda\(2\)"):
        schedule.step()
    assert schedule.state_dict() == before


def test_an_optimizer_without_a_learning_rate():
    class Plain(optim.Optimizer):
        pass

    optimizer = Plain([tg.ones(1, requires_grad=True)], {})
    with pytest.raises(tg.UsageError, match="StepLR sets the option lr"):
        optim.StepLR(optimizer, 1)


def test_a_cycle_needs_something_to_cycle():
    optimizer = optim.Adagrad([tg.ones(1, requires_grad=True)])
    with pytest.raises(tg.UsageError, match=r"Adagrad has neither.*cycle_momentum=False"):
        optim.OneCycleLR(optimizer, 1.0, 5)
