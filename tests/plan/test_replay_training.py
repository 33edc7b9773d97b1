"""Whole training steps: replays equal eager bit for bit, for every module and optimizer."""

from __future__ import annotations

import numpy as np
import pytest
from module_samples import MODULE_SAMPLES, draw

import tinygraph as tg
from tinygraph import nn
from tinygraph.nn import functional as F

CASES = [(name, i) for name, found in MODULE_SAMPLES.items() for i in range(len(found))]


def flat(output):
    """List the tensors of an output: one, or nested tuples of them and of None."""
    if isinstance(output, tuple | list):
        return [t for part in output for t in flat(part)]
    return [] if output is None else [output]


def equal(a, b):
    return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


def state_of(model):
    return list(model.state_dict().values())


class Twins:
    """The same training step twice, one eager and one compiled."""

    def __init__(self, make):
        self.eager, self.eager_model = make()
        step, self.model = make()
        self.compiled = tg.compile(step)

    def step(self, *arrays, seed=0):
        tg.manual_seed(seed)
        with np.errstate(all="ignore"):
            wanted = flat(self.eager(*[tg.tensor(a) for a in arrays]))
        tg.manual_seed(seed)
        found = flat(self.compiled(*arrays))
        assert len(found) == len(wanted)
        for f, w in zip(found, wanted, strict=True):
            f, w = (np.asarray(x.detach() if isinstance(x, tg.Tensor) else x) for x in (f, w))
            assert np.array_equal(f, w, equal_nan=True)
        for f, w in zip(state_of(self.model), state_of(self.eager_model), strict=True):
            assert equal(f, w)
        for f, w in zip(self.model.parameters(), self.eager_model.parameters(), strict=True):
            assert (f.grad is None) == (w.grad is None)
            assert f.grad is None or equal(f.grad, w.grad)


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize(("name", "i"), CASES)
def test_every_module_trains_as_in_eager_mode(name, i, training):
    sample = MODULE_SAMPLES[name][i]

    def make():
        tg.manual_seed(1)
        module = sample.build().astype(np.float32).train(training)
        trainable = [p for p in module.parameters() if p.requires_grad]
        optimizer = tg.optim.SGD(trainable, lr=0.01) if trainable else None

        def step(*inputs):
            outputs = flat(module(*inputs))
            loss = None
            for out in outputs:
                if out.requires_grad:
                    weights = np.cos(np.arange(out.size, dtype=out.dtype)).reshape(out.shape)
                    part = (out * weights).sum()
                    loss = part if loss is None else loss + part
            if optimizer is not None:
                optimizer.zero_grad()
            if loss is not None:
                loss.backward()
                optimizer.step()
            return outputs, loss

        return step, module

    twins = Twins(make)
    arrays = [a.astype("f4") if a.dtype.kind == "f" else a for a in draw(*sample.inputs)]
    for turn in range(3):
        twins.step(*[a[::-1].copy() if turn % 2 else a for a in arrays], seed=turn)
    assert len(twins.compiled.plans) <= 2


OPTIMIZERS = {
    "SGD": lambda p: tg.optim.SGD(p, lr=0.1),
    "momentum": lambda p: tg.optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.1, weight_decay=0.01),
    "Nesterov": lambda p: tg.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "Adam": lambda p: tg.optim.Adam(p, lr=0.1, weight_decay=0.01),
    "AdamW": lambda p: tg.optim.AdamW(p, lr=0.1),
    "RMSprop": lambda p: tg.optim.RMSprop(p, lr=0.1, momentum=0.5, centered=True),
    "Adagrad": lambda p: tg.optim.Adagrad(p, lr=0.1, lr_decay=0.01),
}

CLIPS = {
    "not clipped": lambda o: None,
    "norm": lambda o: tg.clip_grad_norm(o, 0.05),
    "value": lambda o: tg.clip_grad_value(o, 0.01),
}


def classifier(build, make_optimizer, clip=CLIPS["not clipped"], schedule=lambda o: None):
    """Return a function that makes a model with batch norm and dropout, and its step."""

    def make():
        tg.manual_seed(0)
        model = build()
        optimizer = make_optimizer(model.parameters())
        model.schedule = None
        object.__setattr__(model, "schedule", schedule(optimizer))

        def step(x, labels):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), labels)
            loss.backward()
            norm = clip(optimizer)
            optimizer.step()
            return loss, norm

        return step, model

    return make


def layers():
    return nn.Linear(4, 8) >> nn.BatchNorm1d(8) >> nn.ReLU() >> nn.Dropout(0.3) >> nn.Linear(8, 3)


def batches(count, seed=0):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        yield rng.standard_normal((6, 4)).astype("f4"), rng.integers(0, 3, 6)


@pytest.mark.parametrize("clip", CLIPS.values(), ids=CLIPS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_every_optimizer_steps_as_in_eager_mode(optimizer, clip):
    twins = Twins(classifier(layers, optimizer, clip))
    for turn, batch in enumerate(batches(5)):
        twins.step(*batch, seed=turn)
    assert len(twins.compiled.plans) == 1


SCHEDULES = {
    "cosine": lambda o: tg.optim.CosineAnnealingLR(o, T_max=4),
    "step": lambda o: tg.optim.StepLR(o, step_size=2, gamma=0.5),
    "one cycle": lambda o: tg.optim.OneCycleLR(o, max_lr=0.2, total_steps=10),
}


@pytest.mark.parametrize("name", ["momentum", "Adam"])
@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
def test_schedules_need_no_new_plan(schedule, name):
    twins = Twins(classifier(layers, OPTIMIZERS[name], schedule=schedule))
    for batch in batches(6):
        twins.step(*batch)
        twins.model.schedule.step()
        twins.eager_model.schedule.step()
    assert len(twins.compiled.plans) == 1


def test_frozen_parameters_parameter_groups_and_two_optimizers():
    def make():
        tg.manual_seed(0)
        model = layers()
        first, last = model[0], model[4]
        first.bias.requires_grad_(False)
        one = tg.optim.Adam([{"params": [first.weight], "lr": 0.1}])
        two = tg.optim.SGD([{"params": [last.weight], "lr": 0.1}, {"params": [last.bias]}])

        def step(x, labels):
            loss = F.cross_entropy(model(x), labels)
            loss.backward()
            for optimizer in (one, two):
                optimizer.step()
                optimizer.zero_grad()
            return loss

        return step, model

    twins = Twins(make)
    for batch in batches(4):
        twins.step(*batch)


def test_gradients_accumulate_over_calls():
    def make():
        tg.manual_seed(0)
        model = nn.Linear(4, 3)

        def step(x, labels):
            loss = F.cross_entropy(model(x), labels)
            loss.backward()
            return loss

        return step, model

    twins = Twins(make)
    for turn, batch in enumerate(batches(6)):
        twins.step(*batch)
        if turn == 3:
            twins.model.zero_grad()
            twins.eager_model.zero_grad()


def test_unpacked_parameters_get_gradients_too():
    w = tg.tensor([1.0, 2.0], requires_grad=True)

    @tg.compile
    def run(x):
        w.grad = None
        (w * x).sum().backward()

    for value in (1.0, 2.0, 3.0):
        assert run(np.full(2, value, "f4")) is None
        assert w.grad.tolist() == [value, value]


def test_gradients_of_arguments_land_in_the_argument():
    run = tg.compile(lambda x: (x * x).sum().backward())
    for value in (1.0, 2.0, 3.0):
        x = tg.tensor([value], requires_grad=True)
        run(x)
        run(x)
        assert x.grad.tolist() == [4 * value]


def test_functions_of_the_user_are_called_at_every_replay():
    class Square(tg.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved
            return g * 2 * x

    def run(x):
        y = Square.apply(tg.exp(x))
        return y, tg.grad((y * y).sum(), x)

    compiled = tg.compile(run)
    for turn in range(3):
        x = tg.tensor(np.linspace(-1, turn, 7, dtype="f4"), requires_grad=True)
        for found, wanted in zip(compiled(x), run(x), strict=True):
            assert equal(found.data, wanted.data)
