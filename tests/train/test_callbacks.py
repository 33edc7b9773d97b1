"""Callbacks: when each is called, early stopping, schedules."""

from __future__ import annotations

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn
from tinygraph.train import Callback, EarlyStopping, LambdaCallback, ScheduleCallback

X = np.random.default_rng(0).normal(size=(20, 2))
Y = X.sum(1, keepdims=True)
HOOKS = (
    "setup", "on_train_begin", "on_epoch_begin", "on_batch_end", "on_epoch_end", "on_train_end",
)  # fmt: skip


def fit(model=None, **options):
    tg.manual_seed(0)
    settings = {"loss": "mse", "optimizer": "sgd", "lr": 0.1, "batch_size": 8, "epochs": 2}
    return tg.fit(model or nn.Linear(2, 1), (X, Y), **{**settings, **options})


class Measure(tg.train.Metric):
    """Plays back given values, one for each epoch of validation, whatever the model does."""

    name, better = "played", "max"

    def __init__(self, values):
        super().__init__()
        self.values = values

    def update(self, prediction, target):
        pass

    def compute(self):
        return next(self.values, 0.0)

    def __deepcopy__(self, memo):
        return self


def played(values, callback, **options):
    """Run fit so that val_played has these values; return the history and the weights."""
    full = iter([v for value in values for v in (0.0, value)])  # training, then validation
    weights = []
    watch = LambdaCallback(on_epoch_end=lambda run: weights.append(run.model.state_dict()))
    measure = Measure(iter([0.0]))  # for the samples that are tried first
    model = nn.Linear(2, 1)
    start = LambdaCallback(on_train_begin=lambda run: setattr(measure, "values", full))
    history = fit(
        model, callbacks=[start, watch, callback], metrics=[measure], validation=(X, Y),
        epochs=len(values), **options,
    )  # fmt: skip
    return history, weights, model.state_dict()


def test_hooks_are_called_in_order():
    calls = []

    def note(name):
        return lambda run: calls.append((name, run.epoch, run.batch, len(run.history)))

    history = fit(callbacks=[LambdaCallback(**{name: note(name) for name in HOOKS})])
    epochs = []
    for e in (1, 2):
        epochs += [("on_epoch_begin", e, 0, e - 1)]
        epochs += [("on_batch_end", e, b, e - 1) for b in (1, 2, 3)]
        epochs += [("on_epoch_end", e, 0, e)]
    begin = [("setup", 0, 0, 0), ("on_train_begin", 0, 0, 0)]
    assert calls == [*begin, *epochs, ("on_train_end", 2, 0, 2)]
    assert history.stopped == ""


def test_what_a_run_tells():
    seen = []

    class Look(Callback):
        def on_batch_end(self, run):
            grad = run.model.weight.grad
            seen.append((run.loss, run.updated, grad is not None, run.optimizer.closed))

        def on_epoch_end(self, run):
            assert run.row is run.history.last
            run.row["extra"] = 2.5

    history = fit(callbacks=[Look()], accumulate=2)
    updated = (True, True, False)
    assert [s[1:] for s in seen[:3]] == [(False, False, False), updated, updated]
    losses = np.array([s[0] for s in seen]).reshape(2, 3) @ [8, 8, 4] / 20
    assert history["loss"] == pytest.approx(losses)
    assert history["extra"] == [2.5, 2.5] and "extra" in repr(history)


def test_stop_ends_after_the_epoch():
    def stop(run):
        if run.epoch == 2 and run.batch == 1:
            run.stop("enough")
            run.stop("the first reason counts")

    history = fit(callbacks=[LambdaCallback(on_batch_end=stop)], epochs=9)
    assert len(history) == 2 and history.stopped == "enough"


# ---- early stopping ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "options", "epochs", "best"),
    [
        ([1, 2, 3, 4], {}, 4, 4),
        ([1, 3, 2, 1, 0, 0], {"patience": 2}, 5, 2),
        ([1, 3, 2, 3, 0, 0, 0], {"patience": 2}, 5, 2),
        ([1, 2, 1, 0], {"patience": 0}, 3, 2),
        ([1, 2, 2.05, 2.09, 0, 0, 0], {"patience": 1, "min_delta": 0.1}, 4, 2),
        ([np.nan, np.nan, 1, 0, 0], {"patience": 2}, 5, 3),
        ([np.nan, np.nan, 1, 0, 0], {"patience": 1}, 2, None),
        ([3, 2, 1, 2, 3], {"mode": "min", "patience": 1}, 5, 3),
    ],
)
def test_early_stopping(values, options, epochs, best):
    callback = EarlyStopping("val_played", **options)
    history, weights, final = played(values, callback)
    assert len(history) == epochs
    expected = weights[-1 if best is None else best - 1]
    for name in final:
        np.testing.assert_array_equal(final[name], expected[name])
    if epochs < len(values):
        assert "val_played did not improve for" in history.stopped
    if best is not None:
        assert callback.best_epoch == best and callback.best == values[best - 1]


def test_early_stopping_may_keep_the_last_weights():
    _, weights, final = played([2, 1, 0], EarlyStopping("val_played", 1, restore_best=False))
    np.testing.assert_array_equal(final["weight"], weights[2]["weight"])


def test_early_stopping_can_be_used_again():
    callback = EarlyStopping("val_played", patience=1)
    for _ in range(2):
        history, _, _ = played([5, 1, 1, 1], callback)
        assert len(history) == 3


# ---- schedules -----------------------------------------------------------------------------------


def test_schedules_by_epoch_and_by_update():
    def lrs(schedule, **options):
        seen = []
        watch = LambdaCallback(
            on_batch_end=lambda run: seen.append(run.optimizer.param_groups[0]["lr"])
        )
        fit(callbacks=[watch], schedule=schedule, **options)
        return seen

    def halve(o):
        return tg.optim.ExponentialLR(o, 0.5)

    assert lrs(halve) == [0.1] * 3 + [0.05] * 3
    assert lrs(ScheduleCallback(halve, every="batch")) == [0.1 / 2**i for i in range(6)]
    by_update = lrs(ScheduleCallback(halve, every="batch"), accumulate=2)
    assert by_update == [0.1, 0.1, 0.05, 0.025, 0.025, 0.0125]
    cycle = ScheduleCallback(
        lambda o: tg.optim.OneCycleLR(o, 1.0, total_steps=6, cycle_momentum=False), every="batch"
    )
    assert np.argmax(lrs(cycle)) == 1 and min(lrs(cycle)) < 1e-5


def test_a_schedule_of_an_optimizer_of_ones_own():
    model = nn.Linear(2, 1)
    optimizer = tg.optim.SGD(model.parameters(), lr=0.1)
    schedule = tg.optim.StepLR(optimizer, 1, gamma=0.5)
    history = fit(model, optimizer=optimizer, lr=None, schedule=schedule)
    assert history["lr"] == [0.1, 0.05] and optimizer.param_groups[0]["lr"] == 0.025


def test_plateau_looks_at_its_measure():
    def plateau(o):
        return tg.optim.ReduceLROnPlateau(o, mode="max", patience=0)

    callback = ScheduleCallback(plateau, monitor="val_played")
    history, _, _ = played([1, 1, 1, 2, 2], callback)
    assert history["lr"] == pytest.approx([0.1, 0.1, 0.01, 0.001, 0.001])
    history = fit(schedule=plateau, epochs=3)  # the loss falls, so its maximum is the first
    assert history["lr"] == pytest.approx([0.1, 0.1, 0.01])


# ---- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: EarlyStopping(patience=-1), "patience is a whole number"),
        (lambda: EarlyStopping(min_delta=-1), "min_delta is from 0 on"),
        (lambda: EarlyStopping(min_delta=True), "min_delta is from 0 on"),
        (lambda: EarlyStopping(mode="up"), "mode='min' or mode='max'"),
        (lambda: EarlyStopping(restore_best=1), "True or False"),
        (lambda: LambdaCallback(on_epoch=print), "on_epoch_end"),
        (lambda: LambdaCallback(on_epoch_end=3), "on_epoch_end"),
        (lambda: ScheduleCallback(tg.optim.StepLR), "function that makes one"),
        (lambda: ScheduleCallback(3), "function that makes one"),
        (lambda: ScheduleCallback(print, every="step"), "'epoch' or 'batch'"),
        (lambda: tg.train.Checkpoint(3), "path is the name of a file"),
        (lambda: tg.train.Checkpoint("a", every=0), "every is a whole number"),
        (lambda: tg.train.Checkpoint("a", batches=0), "batches is a whole number"),
        (lambda: tg.train.Checkpoint("a", mode="up"), "mode='min'"),
    ],
)
def test_bad_settings(make, text):
    with pytest.raises(tg.UsageError, match=text):
        make()


def _other():
    return tg.optim.SGD([tg.ones(1, requires_grad=True)])


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"callbacks": [EarlyStopping("val_loss")]}, r"can monitor loss\. .*validation="),
        ({"callbacks": [EarlyStopping("acc")]}, r"can monitor loss\. .*metrics="),
        ({"callbacks": [EarlyStopping]}, r"Fix: EarlyStopping\(…\)"),
        ({"callbacks": print}, r"LambdaCallback\(on_epoch_end=f\)"),
        ({"callbacks": [EarlyStopping("custom")], "metrics": [lambda p, t: 0.0]}, "custom"),
        ({"schedule": tg.optim.StepLR(_other(), 1)}, "changes another optimizer"),
        ({"schedule": lambda o: 3}, "returns a Schedule"),
        ({"schedule": tg.optim.StepLR}, "function that makes one"),
        (
            {"schedule": lambda o: tg.optim.OneCycleLR(o, 1.0, 6, cycle_momentum=False)},
            r"total_steps=6, and this run steps it 2 times.*every='batch'",
        ),
        (
            {
                "schedule": ScheduleCallback(
                    lambda o: tg.optim.OneCycleLR(o, 1.0, 5, cycle_momentum=False), every="batch"
                )
            },
            r"total_steps=5, and this run steps it 6 times",
        ),
        (
            {"schedule": ScheduleCallback(lambda o: tg.optim.ReduceLROnPlateau(o), every="batch")},
            "looks at epochs",
        ),
    ],
)
def test_bad_callbacks_are_found_before_training(options, text):
    model = nn.Linear(2, 1)
    before = model.state_dict()
    with pytest.raises(tg.UsageError, match=text):
        fit(model, **options)
    np.testing.assert_array_equal(model.state_dict()["weight"], before["weight"])


def test_a_metric_of_ones_own_needs_a_mode():
    def closeness(p, t):
        return float(-np.abs(p - t).mean())

    with pytest.raises(tg.UsageError, match=r"values of 'closeness' are good"):
        fit(metrics=[closeness], callbacks=[EarlyStopping("closeness")])
    history = fit(metrics=[closeness], callbacks=[EarlyStopping("closeness", mode="max")], epochs=8)
    assert len(history) == 8
