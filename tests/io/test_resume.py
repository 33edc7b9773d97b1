"""Training that goes on from a checkpoint is, bit for bit, the training that never stopped."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn

pytest.importorskip("safetensors")


def two_groups(model):
    return [{"params": model[0].parameters(), "lr": 0.05}, {"params": model[2].parameters()}]


OPTIMIZERS = {
    "SGD": lambda m: tg.optim.SGD(m.parameters(), lr=0.1),
    "momentum": lambda m: tg.optim.SGD(two_groups(m), lr=0.1, momentum=0.9, nesterov=True),
    "Adam": lambda m: tg.optim.Adam(two_groups(m), lr=0.01, weight_decay=0.1),
    "AdamW": lambda m: tg.optim.AdamW(m.parameters(), lr=np.float32(0.01), betas=(0.8, 0.9)),
}


class Decay:
    """A schedule as any user may write it."""

    def __init__(self, optimizer):
        self.optimizer, self.epoch = optimizer, 0

    def step(self):
        self.epoch += 1
        for group in self.optimizer.param_groups:
            group["lr"] *= 0.97 if self.epoch % 2 else 1.01

    def state_dict(self):
        return {"epoch": self.epoch}

    def load_state_dict(self, state):
        self.epoch = state["epoch"]


class Run:
    """A model with all that its training depends on."""

    def __init__(self, name, dtype=np.float32):
        with tg.default_dtype(dtype):
            self.model = nn.Linear(3, 8) >> nn.Tanh() >> nn.Linear(8, 1)
        self.dtype = dtype
        self.optimizer = OPTIMIZERS[name](self.model)
        self.schedule = Decay(self.optimizer)
        self.generators = [tg.Generator(1), tg.Generator(2)]
        self.losses = []

    def train(self, epochs):
        data, noise = self.generators
        for _ in range(epochs):
            x = tg.randn(6, 3, generator=data, dtype=self.dtype)
            y = self.model(x + 0.1 * tg.randn(6, 3, generator=noise, dtype=self.dtype))
            loss = nn.functional.mse_loss(y, x.sum(axis=1, keepdims=True))
            self.optimizer.zero_grad()
            loss.backward()
            if self.schedule.epoch % 3 == 0:
                self.model[2].bias.grad = None  # its count of steps differs
            self.optimizer.step()
            self.schedule.step()
            self.losses.append(loss.item())
        return self

    def parts(self):
        return {"schedule": self.schedule, "generator": self.generators}

    def save(self, path):
        tg.save(self.model, path, self.optimizer, **self.parts(), extra=self.losses)
        return self

    def load(self, path):
        checkpoint = tg.load(path, self.model, self.optimizer, **self.parts())
        self.losses = checkpoint.extra
        return self

    def everything(self):
        state = self.optimizer.state_dict()
        arrays = [*self.model.state_dict().values()]
        arrays += [v for entry in state["state"].values() for v in entry.values()]
        options = [{**group} for group in state["param_groups"]]
        rest = [options, self.schedule.epoch, [g.get_state() for g in self.generators], self.losses]
        return [np.asarray(a).tobytes() for a in arrays], repr(rest)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_resumed_is_uninterrupted(tmp_path, name, dtype):
    tg.manual_seed(0)
    first = Run(name, dtype).train(7).save(tmp_path / "m")
    resumed = Run(name, dtype).load(tmp_path / "m")
    assert resumed.everything() == first.everything()
    assert first.train(7).everything() == resumed.train(7).everything()
    again = Run(name, dtype).train(3).load(tmp_path / "m").train(7)  # from another state
    assert again.everything() == first.everything()


def test_saving_changes_nothing(tmp_path):
    tg.manual_seed(0)
    first = Run("Adam").train(4)
    tg.manual_seed(0)
    second = Run("Adam").train(2).save(tmp_path / "m").train(2)
    assert first.everything() == second.everything()


def test_a_checkpoint_before_the_first_step(tmp_path):
    first = Run("Adam").save(tmp_path / "m")
    trained = Run("Adam").train(3).load(tmp_path / "m")
    assert trained.train(5).everything() == first.train(5).everything()


def test_the_default_generator(tmp_path):
    default = tg.manual_seed(5)
    tg.save({}, tmp_path / "m", generator=default)
    a = tg.rand(3).data
    tg.load(tmp_path / "m", generator=default)
    np.testing.assert_array_equal(tg.rand(3).data, a)


SCHEDULES = {
    "StepLR": lambda o: tg.optim.StepLR(o, 2, gamma=0.5),
    "MultiStepLR": lambda o: tg.optim.MultiStepLR(o, [3, 5]),
    "ExponentialLR": lambda o: tg.optim.ExponentialLR(o, 0.9),
    "CosineAnnealingLR": lambda o: tg.optim.CosineAnnealingLR(o, 8),
    "LinearLR": lambda o: tg.optim.LinearLR(o, 0.1, total_iters=6),
    "LambdaLR": lambda o: tg.optim.LambdaLR(o, lambda epoch: 0.9**epoch),
    "OneCycleLR": lambda o: tg.optim.OneCycleLR(o, 0.5, total_steps=50),
    "warmup_cosine": lambda o: tg.optim.warmup_cosine(o, 3, 30),
    "ReduceLROnPlateau": lambda o: tg.optim.ReduceLROnPlateau(o, patience=0, threshold=0.5),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_our_schedules_and_a_loader_in_the_middle_of_an_epoch(tmp_path, name):
    """Stopped after 8 of 24 batches, which is in the second of four epochs."""

    def build():
        model = nn.Linear(2, 1)
        optimizer = tg.optim.SGD(model.parameters(), lr=0.1, momentum=0.5)
        x = np.random.default_rng(0).normal(size=(17, 2))
        loader = tg.data.DataLoader(tg.data.TensorDataset(x, x.sum(1)), 3, shuffle=True)
        return model, optimizer, SCHEDULES[name](optimizer), loader

    def batches(model, optimizer, schedule, loader):
        while True:
            for x, y in loader:
                loss = ((model(tg.tensor(x))[:, 0] - y) ** 2).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                plateau = isinstance(schedule, tg.optim.ReduceLROnPlateau)
                schedule.step(*[loss.item()] * plateau)
                yield [p.data.copy() for p in model.parameters()], schedule.get_last_lr()

    tg.manual_seed(0)
    model, optimizer, schedule, loader = build()
    running = batches(model, optimizer, schedule, loader)
    for _ in range(8):
        next(running)
    tg.save(model, tmp_path / "m", optimizer, schedule=schedule, loader=loader)
    resumed = build()
    tg.load(tmp_path / "m", *resumed[:2], schedule=resumed[2], loader=resumed[3])
    for expected, got, _ in zip(running, batches(*resumed), range(16), strict=False):
        assert repr(expected) == repr(got)


SECOND_PROCESS = """
import sys
import numpy as np
import tinygraph as tg
from tinygraph import nn
model = nn.Linear(2, 2)
optimizer = tg.optim.Adam(model.parameters())
generator = tg.Generator()
tg.load(sys.argv[1], model, optimizer, generator=generator)
for _ in range(5):
    optimizer.zero_grad()
    (model(tg.randn(4, 2, generator=generator)) ** 2).sum().backward()
    optimizer.step()
print(np.concatenate([p.data.reshape(-1) for p in model.parameters()]).tobytes().hex())
"""


def test_in_another_process(tmp_path):
    model = nn.Linear(2, 2)
    optimizer = tg.optim.Adam(model.parameters())
    generator = tg.Generator(3)
    for step in range(10):
        if step == 5:
            tg.save(model, tmp_path / "m", optimizer, generator=generator)
        optimizer.zero_grad()
        (model(tg.randn(4, 2, generator=generator)) ** 2).sum().backward()
        optimizer.step()
    command = [sys.executable, "-c", SECOND_PROCESS, str(tmp_path / "m")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    ours = np.concatenate([p.data.reshape(-1) for p in model.parameters()])
    assert done.stdout.strip() == ours.tobytes().hex()
