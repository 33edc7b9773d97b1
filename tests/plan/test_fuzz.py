"""Random functions and random training steps: replays equal eager runs bit for bit."""

from __future__ import annotations

import os
from contextlib import nullcontext
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_graphs import X, Y, execute, programs

import tinygraph as tg
from tinygraph import nn
from tinygraph.nn import functional as F
from tinygraph.plan import blocks

FULL = os.environ.get("TINYGRAPH_FULL") == "1"
some = settings(
    max_examples=3000 if FULL else 60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
STEPS = 400 if FULL else 25

LAYOUTS = {
    "rows": lambda a: a,
    "columns": np.asfortranarray,
    "reversed": lambda a: a[::-1, ::-1],
    "gaps": lambda a: np.repeat(a, 2, axis=1)[:, ::2],
    "read-only": lambda a: np.lib.stride_tricks.as_strided(a, writeable=False),
}


def bits(x):
    """Return dtype, shape and bytes: −0 is not 0 here, and one nan is as good as another."""
    array = np.asarray(x.detach() if isinstance(x, tg.Tensor) else x)
    if array.dtype.kind == "f":
        array = np.where(np.isnan(array), np.asarray(np.nan, array.dtype), array)
    return array.dtype, array.shape, array.tobytes()


@some
@given(
    programs(), st.sampled_from(["f4", "f8"]), st.sampled_from(sorted(LAYOUTS)),
    st.sampled_from([1, 2]), st.booleans(),
)  # fmt: skip
def test_random_functions(program, dtype, layout, order, in_blocks):
    """Values and gradients of either order, over fresh inputs; blocks of four elements, or none."""

    def run(x, y, scale):
        out = execute(tg, program, x, y) * scale
        total = (out * out).sum()
        if order == 2:
            first = tg.grad(total, [x, y], create_graph=True, allow_unused=True)
            total = sum(((g * g).sum() for g in first if g is not None), start=total)
        return out, total, tg.grad(total, [x, y], allow_unused=True), out.max(axis=0)

    def flat(results):
        out, total, gradients, highest = results
        return [out, total, highest, *(g for g in gradients if g is not None)]

    compiled = tg.compile(run)
    small = {"BLOCK": 4, "LEAST": 5} if in_blocks else {}
    for turn in range(4):
        arrays = [
            LAYOUTS[layout]((a * np.cos(turn + i)).astype(dtype)) for i, a in enumerate([X, Y])
        ]
        leaves = [tg.from_numpy(a).detach().requires_grad_() for a in arrays]
        scale = np.asarray(1 + turn, dtype)
        wanted = flat(run(*leaves, tg.tensor(scale)))
        with patch.multiple(blocks, **small) if small else nullcontext():
            found = flat(compiled(*leaves, scale))
        assert list(map(bits, found)) == list(map(bits, wanted)), turn
    assert len(compiled.plans) == 1


# ---- training steps ------------------------------------------------------------------------------

BODIES = {
    "linear": lambda n: nn.Linear(n, n),
    "no bias": lambda n: nn.Linear(n, n, bias=False),
    "relu": lambda n: nn.ReLU(),
    "gelu": lambda n: nn.GELU(approximate="tanh"),
    "exact gelu": lambda n: nn.GELU(),
    "tanh": lambda n: nn.Tanh(),
    "softmax": lambda n: nn.Softmax(axis=-1),
    "layer norm": lambda n: nn.LayerNorm(n),
    "batch norm": lambda n: nn.BatchNorm1d(n),
    "dropout": lambda n: nn.Dropout(0.3),
    "residual": lambda n: nn.Residual(nn.Linear(n, n) >> nn.ReLU() >> nn.Linear(n, n)),
    "parallel": lambda n: nn.Linear(n, n) + nn.Tanh(),
}

OPTIMIZERS = [
    lambda p: tg.optim.SGD(p, lr=0.05),
    lambda p: tg.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01),
    lambda p: tg.optim.Adam(p, lr=0.01),
    lambda p: tg.optim.AdamW(p, lr=0.01),
    lambda p: tg.optim.RMSprop(p, lr=0.01, centered=True),
    lambda p: tg.optim.Adagrad(p, lr=0.01),
]

LOSSES = {
    "classes": lambda out, labels: F.cross_entropy(out, labels),
    "smoothed": lambda out, labels: F.cross_entropy(out, labels, label_smoothing=0.1),
    "weighted": lambda out, labels: F.cross_entropy(out, labels, weight=np.linspace(1, 2, 8)),
    "ignored": lambda out, labels: F.cross_entropy(out, labels, ignore_index=1),
    "squares": lambda out, labels: F.mse_loss(out, (labels.expand_dims(1) == np.arange(8)) * 1.0),
}


class Training:
    """A random model, optimizer, loss and schedule; the same for equal seeds."""

    def __init__(self, seed, compiled):
        rng = np.random.default_rng(seed)
        tg.manual_seed(seed)
        names = rng.choice(sorted(BODIES), rng.integers(1, 6))
        self.model = nn.Sequential(*[BODIES[n](8) for n in names], nn.Linear(8, 8))
        self.about = [*names]
        parameters = list(self.model.parameters())
        if rng.random() < 0.3 and len(parameters) > 2:
            parameters[0].requires_grad_(False)
        self.optimizer = OPTIMIZERS[rng.integers(len(OPTIMIZERS))](parameters)
        self.schedule = tg.optim.StepLR(self.optimizer, step_size=2, gamma=0.7)
        loss = LOSSES[rng.choice(sorted(LOSSES))]
        clip = rng.choice([0.0, 0.1, 5.0])
        late = bool(rng.random() < 0.5)  # zero_grad after the step
        twice = bool(rng.random() < 0.3)  # two backward passes, added up

        def step(x, labels):
            if not late:
                self.optimizer.zero_grad()
            out = self.model(x)
            value = loss(out, labels)
            value.backward()
            if twice:
                loss(self.model(x * 0.5), labels).backward()
            norm = tg.clip_grad_norm(self.optimizer, clip) if clip else None
            self.optimizer.step()
            if late:
                self.optimizer.zero_grad()
            return value, out.argmax(axis=1), norm

        self.step = tg.compile(step) if compiled else step

    def state(self):
        state = dict(self.model.state_dict())
        for i, entry in self.optimizer.state_dict()["state"].items():
            state |= {f"{i}.{k}": v for k, v in entry.items()}
        for name, p in self.model.named_parameters():
            state[f"gradient of {name}"] = np.zeros(0) if p.grad is None else p.grad
        return state


@pytest.mark.parametrize("seed", range(STEPS))
def test_random_training_steps(seed):
    eager, compiled = Training(seed, False), Training(seed, True)
    rng = np.random.default_rng(seed)
    for turn in range(6):
        rows = 5 if turn == 3 else 7  # a last, smaller batch in between
        x, labels = rng.standard_normal((rows, 8)).astype("f4"), rng.integers(0, 8, rows)
        results = []
        for training in (eager, compiled):
            training.model.train(turn != 4)
            tg.manual_seed(turn)
            given = (x, labels) if training is compiled else (tg.tensor(x), tg.tensor(labels))
            results.append([bits(r) for r in training.step(*given) if r is not None])
            training.schedule.step()
        assert results[0] == results[1], (eager.about, turn)
        found, wanted = compiled.state(), eager.state()
        assert found.keys() == wanted.keys()
        wrong = [k for k in wanted if bits(found[k]) != bits(wanted[k])]
        assert not wrong, (eager.about, turn)
