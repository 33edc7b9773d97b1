"""What fit is given wrong, it says before anything is trained."""

from __future__ import annotations

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn
from tinygraph.data import DataLoader, TensorDataset

F = nn.functional
X = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)
Y = X.sum(1, keepdims=True)
LABELS = (Y[:, 0] > 0).astype(int)
LOADER = DataLoader(TensorDataset(X, Y), 4)


class Forgetful(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 1)

    def forward(self, x):
        self.layer(x)


def other_optimizer():
    return tg.optim.SGD(nn.Linear(2, 1).parameters(), lr=0.1)


def closed_optimizer(model):
    optimizer = tg.optim.SGD(model.parameters(), lr=0.1)
    optimizer.close()
    return optimizer


CASES = {
    "model class": ({"model": nn.Linear}, tg.UsageError, r"Fix: Linear\(…\), an object"),
    "model function": ({"model": np.sin}, tg.UsageError, r"nn.Lambda\(f\)"),
    "nothing to train": ({"model": nn.ReLU()}, tg.UsageError, "no parameter that requires grad"),
    "array": ({"train": X}, tg.UsageError, r"Fix: \(x, y\)"),
    "None": ({"train": None}, tg.UsageError, "Received NoneType None"),
    "dict": ({"train": {"x": X}}, tg.UsageError, r"tuple of arrays"),
    "lengths": ({"train": (X, Y[:5])}, tg.ShapeError, "one length"),
    "no target": ({"train": (X,)}, tg.UsageError, "a tuple with 1 part.*Fix"),
    "no tuple": ({"train": list(X)}, tg.UsageError, r"a list of 20.*\(x, y\), a tuple"),
    "list of arrays": ({"train": [X, Y]}, tg.UsageError, r"a list of 2,.*\(x, y\), a tuple"),
    "empty": ({"train": (X[:0], Y[:0])}, tg.UsageError, "no batch.*more samples"),
    "dropped": (
        {"train": DataLoader(TensorDataset(X, Y), 50, drop_last=True)},
        tg.UsageError,
        "drop_last=False",
    ),
    "batch_size": ({"train": LOADER, "batch_size": 3}, tg.UsageError, "settles batch_size itself"),
    "shuffle": ({"train": LOADER, "shuffle": True}, tg.UsageError, "settles shuffle itself"),
    "bad batch_size": ({"batch_size": 0}, tg.UsageError, "batch_size is a whole number"),
    "bad shuffle": ({"shuffle": 2}, tg.UsageError, "shuffle is True or False"),
    "bad generator": ({"generator": 3}, tg.UsageError, "generator is a Generator"),
    "forgot to return": ({"model": Forgetful()}, tg.UsageError, "Forgetful returned None.*return"),
    "loss name": ({"loss": "crossentropy"}, tg.UsageError, "Fix: loss='cross_entropy'"),
    "loss class": ({"loss": nn.MSELoss}, tg.UsageError, r"Fix: loss=MSELoss\(\)"),
    "loss object": ({"loss": 3}, tg.UsageError, "loss is a name"),
    "reduction": ({"loss": nn.MSELoss("sum")}, tg.UsageError, "Fix: reduction='mean'"),
    "table": ({"loss": F.l1_loss, "train": (X, Y[:, 0])}, tg.ShapeError, r"y\[:, None\]"),
    "loss shape": ({"loss": lambda p, y: p - y}, tg.ShapeError, r"one number.*\.mean\(\)"),
    "loss number": ({"loss": lambda p, y: 1.0}, tg.UsageError, r"without \.item\(\)"),
    "loss detached": (
        {"loss": lambda p, y: (p.detach() - y).square().mean()},
        tg.GradientError,
        "does not depend on parameters",
    ),
    "loss weight": ({"loss": lambda p, y: (p.mean(), -1)}, tg.UsageError, "number from 0 on"),
    "loss weight text": ({"loss": lambda p, y: (p.mean(), "a")}, tg.UsageError, "from 0 on"),
    "float labels": (
        {"loss": "cross_entropy", "train": (X, LABELS * 1.0)},
        (tg.DtypeError, tg.ShapeError),
        "int",
    ),
    "optimizer name": ({"optimizer": "adm"}, tg.UsageError, 'Fix: optimizer="adam"'),
    "optimizer object": ({"optimizer": 3}, tg.UsageError, "one of adagrad, adam"),
    "optimizer function": ({"optimizer": lambda p: 3}, tg.UsageError, "returns an Optimizer"),
    "other optimizer": ({"optimizer": other_optimizer()}, tg.UsageError, "no parameter of the"),
    "lr": ({"lr": -1.0}, tg.UsageError, "lr is a finite number"),
    "epochs": ({"epochs": -1}, tg.UsageError, "epochs is a whole number"),
    "epochs float": ({"epochs": 2.5}, tg.UsageError, "epochs is a whole number"),
    "accumulate": ({"accumulate": 0}, tg.UsageError, "accumulate is a whole number from 1"),
    "clip": ({"clip": -1}, tg.UsageError, "clip is the largest norm"),
    "clip True": ({"clip": True}, tg.UsageError, "clip is the largest norm"),
    "workers": ({"workers": 0}, tg.UsageError, "workers is a whole number from 1"),
    "compile": ({"compile": "yes"}, tg.UsageError, 'compile is True, False or "auto"'),
    "progress": ({"progress": "yes"}, tg.UsageError, "progress is True or False"),
    "metric": ({"metrics": ["acuracy"]}, tg.UsageError, "'accuracy'"),
    "metric shape": (
        {"metrics": ["accuracy"], "train": (X, Y[:, 0]), "loss": lambda p, y: p.mean()},
        (tg.UsageError, tg.ShapeError),
        "labels",
    ),
    "validation": ({"validation": (X, Y[:, 0])}, tg.ShapeError, r"y\[:, None\]"),
    "validation dtype": ({"validation": (X[:, :1], Y)}, tg.ShapeError, r"wants inputs of shape"),
    "validation batch": ({"validation": (X,)}, tg.UsageError, "the validation data"),
    "validation empty": ({"validation": (X[:0], Y[:0])}, tg.UsageError, "validation has no batch"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_told_and_changes_nothing(name):
    options, error, text = CASES[name]
    settings = {"model": nn.Linear(2, 1), "train": (X, Y), "loss": "mse", "epochs": 2, **options}
    model, train = settings.pop("model"), settings.pop("train")
    named = isinstance(model, nn.Module)
    before = {n: a.tobytes() for n, a in model.state_dict().items()} if named else {}
    with pytest.raises(error, match=f"(?s){text}"):
        tg.fit(model, train, **settings)
    if named:
        assert {n: a.tobytes() for n, a in model.state_dict().items()} == before
        assert all(m.training for m in model.modules())
        for p in model.parameters():
            assert tg.core.tensor.holder_of(p) is None  # no optimizer was left behind


def test_optimizers_that_cannot_be_used():
    model = nn.Linear(2, 1)
    with pytest.raises(tg.UsageError, match="was closed"):
        tg.fit(model, (X, Y), loss="mse", optimizer=closed_optimizer(model))
    optimizer = tg.optim.Adam(model.parameters())
    with pytest.raises(tg.UsageError, match="has its learning rate already"):
        tg.fit(model, (X, Y), loss="mse", optimizer=optimizer, lr=0.1)
    with pytest.raises(tg.UsageError, match="close"):
        tg.fit(model, (X, Y), loss="mse", optimizer="adam")  # another one holds the parameters


def test_no_grad_and_frozen_models():
    model = nn.Linear(2, 1)
    with pytest.raises(tg.GradientError, match="no_grad"), tg.no_grad():
        tg.fit(model, (X, Y), loss="mse")
    with pytest.raises(tg.UsageError, match="requires_grad_"):
        tg.fit(model.requires_grad_(False), (X, Y), loss="mse")


def test_errors_say_where_they_came():
    def explode(run):
        raise ValueError("boom")

    at_end = tg.train.LambdaCallback(on_batch_end=explode)
    with pytest.raises(ValueError, match="boom") as caught:
        tg.fit(nn.Linear(2, 1), (X, Y), loss="mse", batch_size=8, callbacks=[at_end])
    assert caught.value.__notes__ == ["In tg.fit: epoch 1, batch 1 of 3."]
    with pytest.raises(tg.ShapeError) as caught:
        tg.fit(nn.Linear(2, 1), (X, Y), loss="mse", validation=(X, LABELS))
    assert caught.value.__notes__ == [
        "In tg.fit: two samples of the validation data, before training."
    ]


def test_trying_validation_draws_nothing_and_changes_nothing():
    class Drawing(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear, self.own = nn.Linear(2, 1), tg.Generator(5)

        def forward(self, x):
            noise = tg.rand(x.shape[0], 1) + tg.rand(x.shape[0], 1, generator=self.own)
            return self.linear(x) + (0.0 if self.training else noise)

    model = Drawing()
    seen = []
    watch = tg.train.LambdaCallback(
        on_train_begin=lambda run: seen.append((default.get_state(), model.own.get_state()))
    )
    default = tg.manual_seed(0)
    tg.fit(model, LOADER, loss="mse", epochs=1, validation=(X, Y), callbacks=[watch])
    assert seen == [(tg.Generator(0).get_state(), tg.Generator(5).get_state())]
