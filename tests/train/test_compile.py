"""fit(compile=True) trains to the same bits; "auto" says once why it does not compile."""

from __future__ import annotations

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 3))
LABELS = RNG.integers(0, 3, 50)
WEIGHTS = np.array([0.2, 1.0, 3.0])


def build(dtype=np.float32):
    tg.manual_seed(0)
    with tg.default_dtype(dtype):
        return nn.Linear(3, 8) >> nn.BatchNorm1d(8) >> nn.Tanh() >> nn.Dropout(0.3) >> (
            nn.Linear(8, 3)
        )  # fmt: skip


def run(model, **options):
    settings = {"loss": "cross_entropy", "epochs": 3, "batch_size": 8, "lr": 0.02, "clip": 1.0}
    history = tg.fit(
        model, (X, LABELS), validation=(X, LABELS), metrics=["accuracy"],
        schedule=lambda o: tg.optim.ExponentialLR(o, 0.9), **{**settings, **options},
    )  # fmt: skip
    rows = [{n: v for n, v in row.items() if n != "seconds"} for row in history]
    return [a.tobytes() for a in model.state_dict().values()], rows


def pair(p, y):
    weights = tg.take(tg.tensor(WEIGHTS.astype(np.float32)), y)
    rows = nn.functional.cross_entropy(p, y, reduction="none")
    return (rows * weights).sum() / weights.sum(), weights.sum()


LOSSES = {
    "name": "cross_entropy",
    "weighted": nn.CrossEntropyLoss(weight=WEIGHTS, ignore_index=1),
    "function": lambda p, y: nn.functional.cross_entropy(p, y) + 0.01 * (p * p).mean(),
    "pair": pair,
}


@pytest.mark.parametrize("accumulate", [1, 3])
@pytest.mark.parametrize("loss", LOSSES)
def test_compiled_is_eager_bit_for_bit(loss, accumulate):
    options = {"loss": LOSSES[loss], "accumulate": accumulate}
    expected = run(build(), **options)
    assert run(build(), compile=True, **options) == expected
    assert run(build(), compile="auto", **options) == expected


def test_float64_and_labels_that_are_all_ignored():
    options = {"loss": nn.CrossEntropyLoss(ignore_index=-1)}
    labels = np.where(np.arange(50) < 8, -1, LABELS)
    results = []
    for compiled in (False, True):
        model = build(np.float64)
        data = tg.data.DataLoader(tg.data.TensorDataset(X, labels), 8)
        tg.fit(model, data, epochs=2, compile=compiled, **options)
        results.append([a.tobytes() for a in model.state_dict().values()])
        assert all(np.isfinite(a).all() for a in model.state_dict().values())
    assert results[0] == results[1]


class Curious(nn.Module):
    """Looks at a value in its forward pass, which a recording cannot repeat."""

    def __init__(self):
        super().__init__()
        self.linear, self.norm = nn.Linear(3, 3), nn.BatchNorm1d(3)

    def forward(self, x):
        y = self.norm(self.linear(x))
        return y if float(y.sum()) > 1e9 else y * 2.0


@pytest.mark.parametrize("accumulate", [1, 2])
def test_what_cannot_be_recorded(accumulate, capsys):
    options = {"loss": "cross_entropy", "accumulate": accumulate, "batch_size": 8, "epochs": 2}
    tg.manual_seed(0)
    model = Curious()
    before = [a.tobytes() for a in model.state_dict().values()]
    with pytest.raises(tg.CompileError, match="float"):
        tg.fit(model, (X, LABELS), compile=True, **options)
    assert [a.tobytes() for a in model.state_dict().values()] == before
    assert capsys.readouterr().err == ""
    results = []
    for compiled in ("auto", False):
        tg.manual_seed(0)
        model = Curious()
        tg.fit(model, (X, LABELS), compile=compiled, **options)
        results.append([a.tobytes() for a in model.state_dict().values()])
    assert results[0] == results[1]
    error = capsys.readouterr().err
    assert error.count("not compiled") == 1 and "float" in error and error.count("\n") == 1


def test_divergence_is_found_before_the_update():
    model = nn.Linear(3, 1)
    last = []
    watch = tg.train.LambdaCallback(on_batch_end=lambda r: last.append(r.model.weight.data.copy()))
    with pytest.raises(tg.DivergenceError, match="loss is"):
        tg.fit(
            model, (X, X.sum(1, keepdims=True)), loss="mse", optimizer="sgd", lr=50.0, epochs=99,
            compile=True, callbacks=[watch],
        )  # fmt: skip
    np.testing.assert_array_equal(model.weight.data, last[-1])
    assert np.isfinite(model.weight.data).all()


def test_other_values():
    for bad in (1.5, "yes", None):
        with pytest.raises(tg.UsageError, match="compile is True, False"):
            run(build(), compile=bad)
