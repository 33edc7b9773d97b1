"""tg.fit: the loop is the one that people write by hand, and leaves nothing changed behind."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn

F = nn.functional
RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 3))
LABELS = (X[:, 0] > X[:, 1]).astype(int) + (X[:, 2] > 1)
Y = X.sum(1, keepdims=True)


def mlp(out=1, seed=0, dropout=False):
    tg.manual_seed(seed)
    middle = nn.Tanh() >> nn.Dropout(0.3) if dropout else nn.Tanh()
    return nn.Linear(3, 8) >> middle >> nn.Linear(8, out)


def weights(model):
    return np.concatenate([p.data.reshape(-1) for p in model.parameters()])


def loader(*arrays, size=8, seed=1, **options):
    dataset = tg.data.TensorDataset(*arrays)
    return tg.data.DataLoader(dataset, size, True, generator=tg.Generator(seed), **options)


# ---- against a loop by hand ----------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equal_to_the_loop_by_hand_bit_for_bit(dtype):
    with tg.default_dtype(dtype):
        ours, by_hand = mlp(3, dropout=True), mlp(3, dropout=True)
    history = tg.fit(
        ours, loader(X, LABELS), loss="cross_entropy", optimizer=tg.optim.Adam, lr=0.01, epochs=3,
        clip=0.5, metrics=["accuracy"], validation=(X, LABELS),
        schedule=lambda o: tg.optim.ExponentialLR(o, 0.9),
    )  # fmt: skip
    mlp(3)  # draws what building ours drew after it
    tg.manual_seed(0)
    with tg.default_dtype(dtype):
        mlp(3, dropout=True)
    optimizer = tg.optim.Adam(by_hand.parameters(), lr=0.01)
    schedule = tg.optim.ExponentialLR(optimizer, 0.9)
    data = loader(X, LABELS, dtype=dtype)
    rows = []
    for _ in range(3):
        total = right = 0.0
        for x, y in data:
            optimizer.zero_grad()
            logits = by_hand(x)
            loss = F.cross_entropy(logits, y)
            loss.backward()
            tg.clip_grad_norm(optimizer, 0.5)
            optimizer.step()
            total += loss.item() * len(y)
            right += (logits.data.argmax(1) == y).sum()
        by_hand.eval()
        with tg.no_grad():
            logits = by_hand(X.astype(dtype))
        rows.append((total / 50, right / 50, (logits.data.argmax(1) == LABELS).mean()))
        by_hand.train()
        schedule.step()
    np.testing.assert_array_equal(weights(ours), weights(by_hand))
    names = ("loss", "accuracy", "val_accuracy")
    assert [tuple(row[n] for n in names) for row in history] == rows
    assert history["epoch"] == [1, 2, 3]
    assert history["lr"] == [0.01, 0.009000000000000001, 0.008100000000000001]


@pytest.mark.parametrize("kind", ["tuple", "dataset", "list", "loader"])
def test_all_kinds_of_data_train_alike(kind):
    tuples = (X, Y)
    data = {
        "tuple": tuples,
        "dataset": tg.data.TensorDataset(*tuples),
        "list": list(zip(X, Y, strict=True)),
        "loader": loader(*tuples),
    }[kind]
    options = {} if kind == "loader" else {"batch_size": 8, "generator": tg.Generator(1)}
    model, other = mlp(), mlp()
    tg.fit(model, data, loss="mse", epochs=2, **options)
    tg.fit(other, loader(*tuples), loss="mse", epochs=2)
    np.testing.assert_array_equal(weights(model), weights(other))


def test_manual_seed_makes_runs_repeat():
    def run():
        model = mlp(dropout=True)
        history = tg.fit(model, (X, Y), loss="mse", epochs=2)
        return weights(model), history["loss"]

    first, second = run(), run()
    np.testing.assert_array_equal(first[0], second[0])
    assert first[1] == second[1]


def test_several_inputs_and_functions():
    class Sum(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(3, 1), nn.Linear(2, 1)

        def forward(self, x, z):
            return self.a(x) + self.b(z)

    model = Sum()
    z = RNG.normal(size=(50, 2))
    history = tg.fit(
        model, (X, z, Y), loss=lambda p, y: (p - y).abs().mean(), optimizer="sgd", lr=0.1,
        metrics=[lambda p, y: float(np.abs(p - y).mean())], epochs=30, clip=1.0,
    )  # fmt: skip
    name = history.columns[2]
    assert history[name] == pytest.approx(history["loss"], rel=1e-6)
    assert history.last["loss"] < 0.3 * history["loss"][0]


# ---- what it leaves behind -----------------------------------------------------------------------


def test_modes_are_restored_and_frozen_parts_stay_frozen():
    seen = []

    class Spy(nn.Module):
        def forward(self, x):
            seen.append((self.training, tg.is_grad_enabled()))
            return x

    model = nn.Linear(3, 1) >> Spy() >> nn.Dropout(0.5) >> nn.Identity()
    model[2].eval()
    before = [m.training for m in model.modules()]
    tg.fit(model, (X, Y), loss="mse", epochs=1, batch_size=25, validation=(X, Y))
    assert [m.training for m in model.modules()] == before
    assert seen == [(False, False), *[(True, True)] * 2, *[(False, False)] * 2]
    model.eval()
    seen.clear()
    tg.fit(model, (X, Y), loss="mse", epochs=1, batch_size=50)
    assert seen == [(True, True)] and not any(m.training for m in model.modules())


def test_modes_are_restored_after_an_error_too():
    model = mlp().eval()
    with pytest.raises(tg.ShapeError):
        tg.fit(model, (X, Y[:, 0]), loss="mse")
    assert not any(m.training for m in model.modules())
    tg.fit(model, (X, Y), loss="mse", epochs=1)  # its optimizer was closed


def test_an_optimizer_of_ones_own_stays_open_and_goes_on():
    model, other = mlp(), mlp()
    optimizer = tg.optim.Adam(model.parameters(), lr=0.01)
    data = loader(X, Y)
    for _ in range(2):
        tg.fit(model, data, loss="mse", optimizer=optimizer, epochs=1)
    tg.fit(other, loader(X, Y), loss="mse", lr=0.01, epochs=2)
    np.testing.assert_array_equal(weights(model), weights(other))
    assert not optimizer.closed


def test_graphs_are_dropped_before_the_next_forward():
    alive, largest = [], 0

    class Spy(nn.Module):
        def forward(self, x):
            nonlocal largest
            largest = max(largest, sum(r() is not None for r in alive))
            y = x * 1.0
            alive.append(weakref.ref(y))
            return y

    gc.disable()
    try:
        tg.fit(nn.Linear(3, 1) >> Spy(), (X, Y), loss="mse", epochs=2, accumulate=2)
    finally:
        gc.enable()
    assert len(alive) == 4 and largest == 0


@pytest.mark.parametrize(
    "options", [{}, {"compile": True}, {"workers": 2}, {"compile": True, "workers": 2}], ids=str
)
def test_runs_leave_nothing_for_the_collector(options):
    if "workers" in options:
        pytest.importorskip("threadpoolctl")
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        for _ in range(2):
            model = mlp(dropout=True)
            history = tg.fit(
                model, (X, Y), loss="mse", epochs=2, validation=(X, Y), metrics=["mae"],
                callbacks=[tg.train.EarlyStopping()], **options,
            )  # fmt: skip
            tg.evaluate(model, (X, Y), "mae")
            tg.predict(model, X)
            del model, history
        gc.collect()
        ours = [
            type(x).__name__
            for x in gc.garbage
            if type(x).__module__.startswith("tinygraph") or isinstance(x, np.ndarray)
        ]
        assert not ours, sorted(set(ours))
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def test_silent_without_a_terminal(capfd):
    tg.fit(mlp(), (X, Y), loss="mse", epochs=2)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("compile", [False, True])
def test_parameters_that_the_optimizer_does_not_hold(compile):
    """They stay, and their gradients do not pile up."""
    model = mlp()
    first = model[0].weight.data.copy()
    optimizer = tg.optim.SGD(model[2].parameters(), lr=0.1)
    tg.fit(model, loader(X, Y), loss="mse", optimizer=optimizer, epochs=3, compile=compile)
    np.testing.assert_array_equal(model[0].weight.data, first)
    assert np.abs(model[0].weight.grad).max() < 2


def test_no_epochs():
    model = mlp()
    before = weights(model).copy()
    assert len(tg.fit(model, (X, Y), loss="mse", epochs=0)) == 0
    np.testing.assert_array_equal(weights(model), before)


# ---- accumulation --------------------------------------------------------------------------------

WEIGHTS = np.array([0.2, 1.0, 3.0])


@pytest.mark.parametrize(
    "loss",
    [
        "cross_entropy",
        nn.CrossEntropyLoss(weight=WEIGHTS),
        nn.CrossEntropyLoss(weight=WEIGHTS, ignore_index=1, label_smoothing=0.1),
        lambda p, y: (F.cross_entropy(p, y, weight=WEIGHTS), WEIGHTS[y.data].sum()),
        F.cross_entropy,
    ],
    ids=["plain", "weighted", "ignored", "pair", "function"],
)
@pytest.mark.parametrize("accumulate", [2, 3, 7, 100])
def test_accumulation_equals_the_large_batch(loss, accumulate):
    """50 samples in batches of 8: the last has 2, and the last group may be short."""
    large_batches, orders = {}, loader(np.arange(50))
    for _ in range(2):
        order = np.concatenate([b for (b,) in orders])
        for at in range(0, 50, 8 * accumulate):
            large_batches.setdefault(_, []).append(order[at : at + 8 * accumulate])
    with tg.default_dtype(np.float64):
        model, other = mlp(3), mlp(3)
    history = tg.fit(
        model, loader(X, LABELS), loss=loss, optimizer="sgd", lr=0.5, epochs=2,
        accumulate=accumulate, clip=0.1,
    )  # fmt: skip
    optimizer = tg.optim.SGD(other.parameters(), lr=0.5)
    for groups in large_batches.values():
        for rows in groups:
            optimizer.zero_grad()
            result = (F.cross_entropy if loss == "cross_entropy" else loss)(
                other(X[rows]), tg.tensor(LABELS[rows])
            )
            value = result[0] if isinstance(result, tuple) else result
            value.backward()
            tg.clip_grad_norm(optimizer, 0.1)
            optimizer.step()
    np.testing.assert_allclose(weights(model), weights(other), rtol=1e-11, atol=1e-13)
    if accumulate == 100:
        assert history["loss"][1] == pytest.approx(value.item(), rel=1e-12)


def test_validation_loss_is_that_of_all_samples_at_once():
    loss = nn.CrossEntropyLoss(weight=WEIGHTS)
    with tg.default_dtype(np.float64):
        model = mlp(3)
    history = tg.fit(
        model, (X, LABELS), loss=loss, epochs=1, batch_size=7, validation=(X, LABELS),
        metrics=["perplexity", "bits_per_character", "top_2"],
    )  # fmt: skip
    expected = loss(model(X), LABELS).item()
    assert history.last["val_loss"] == pytest.approx(expected, rel=1e-12)
    nats = F.cross_entropy(model(X), LABELS).item()
    assert history.last["val_perplexity"] == pytest.approx(np.exp(nats), rel=1e-12)
    assert history.last["val_bits_per_character"] == pytest.approx(nats / np.log(2), rel=1e-12)


# ---- divergence ----------------------------------------------------------------------------------


def test_a_loss_that_is_not_finite_stops_before_the_update():
    model = mlp()
    model[0].weight.data = np.full((8, 3), 0.1)
    x = X.copy()
    x[40] = np.inf
    before = []
    watch = tg.train.LambdaCallback(on_batch_end=lambda run: before.append(weights(run.model)))
    data = tg.data.DataLoader(tg.data.TensorDataset(x, Y), 8)
    with pytest.raises(tg.DivergenceError, match=r"(?s)epoch 1, batch 6 of 7.*inputs.*not finite"):
        tg.fit(nn.Linear(3, 1) >> model[1] >> nn.Linear(1, 1), data, loss="mse")
    with pytest.raises(tg.DivergenceError) as caught:
        tg.fit(
            nn.Linear(3, 1), (X, Y), loss="mse", optimizer="sgd", lr=30.0, epochs=90,
            callbacks=[watch], batch_size=8,
        )  # fmt: skip
    assert "smaller learning rate" in str(caught.value) and "detect_anomaly" in str(caught.value)
    history = caught.value.history
    assert len(history) == len(before) // 7 > 0
    assert all(np.isfinite(w).all() for w in before)


def test_a_gradient_that_is_not_finite_names_the_parameter():
    class Root(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.scale = nn.Linear(3, 1), nn.Parameter([0.0])

        def forward(self, x):
            return self.first(x) + self.scale.sqrt()

    model = Root()
    before = weights(model)
    with pytest.raises(tg.DivergenceError, match="not its gradient, of scale: an overflow"):
        tg.fit(model, (X, Y), loss="mse")
    np.testing.assert_array_equal(weights(model), before)


def test_detect_anomaly_names_the_op():
    with pytest.raises(tg.AnomalyError, match="log produced NaN"), tg.detect_anomaly():
        tg.fit(nn.Linear(3, 1) >> nn.Lambda(tg.log), (X, Y), loss="mse")
