"""Metrics over batches of any size equal the measure of all samples at once."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph as tg
from tinygraph import nn
from tinygraph.train import (
    R2,
    Accuracy,
    BitsPerCharacter,
    MeanAbsoluteError,
    MeanOf,
    MeanSquaredError,
    Metric,
    Perplexity,
    TopK,
    confusion_matrix,
)


def gathered(metric, prediction, target, sizes):
    metric.reset()
    at = 0
    for size in (*sizes, len(target)):
        metric.update(prediction[at : at + size], target[at : at + size])
        at += size
    return metric.compute()


def log_softmax(x):
    x = x.astype(np.float64)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def nats(scores, labels):
    return -log_softmax(scores)[np.arange(len(labels)), labels].mean()


CLASSES = {
    "accuracy": (Accuracy(), lambda p, t: (p.argmax(1) == t).mean()),
    "top_1": (TopK(1), lambda p, t: (p.argmax(1) == t).mean()),
    "top_3": (
        TopK(3),
        lambda p, t: np.mean(
            [y in np.argsort(-r, kind="stable")[:3] for r, y in zip(p, t, strict=True)]
        ),
    ),
    "perplexity": (Perplexity(), lambda p, t: np.exp(nats(p, t))),
    "bits": (BitsPerCharacter(), lambda p, t: nats(p, t) / np.log(2)),
}
NUMBERS = {
    "mae": (MeanAbsoluteError(), lambda p, t: np.abs(p - t).mean()),
    "mse": (MeanSquaredError(), lambda p, t: ((p - t) ** 2).mean()),
    "r2": (
        R2(),
        lambda p, t: np.mean(1 - ((p - t) ** 2).sum(0) / ((t - t.mean(0)) ** 2).sum(0)),
    ),
    "of": (
        MeanOf(lambda p, t: np.abs(p - t).max(1).mean()),
        lambda p, t: np.abs(p - t).max(1).mean(),
    ),
}
SIZES = st.lists(st.integers(0, 12), max_size=5)


@pytest.mark.parametrize("name", CLASSES)
@given(SIZES, st.integers(0, 99))
def test_of_classes(name, sizes, seed):
    metric, reference = CLASSES[name]
    rng = np.random.default_rng(seed)
    scores = rng.integers(-3, 4, (20, 5)).astype(np.float32)  # with equal scores
    labels = rng.integers(0, 5, 20)
    assert gathered(metric, scores, labels, sizes) == pytest.approx(reference(scores, labels))
    ignored = labels.copy()
    ignored[::3] = -100
    kept = ignored >= 0
    expected = reference(scores[kept], labels[kept])
    assert gathered(metric, scores, ignored, sizes) == pytest.approx(expected)


@pytest.mark.parametrize("name", NUMBERS)
@given(SIZES, st.integers(0, 99))
def test_of_numbers(name, sizes, seed):
    metric, reference = NUMBERS[name]
    if name == "of":
        sizes = [s for s in sizes if s and sum(sizes) < 20]
    rng = np.random.default_rng(seed)
    target = rng.normal(size=(20, 3)) + 5
    prediction = target + rng.normal(size=(20, 3))
    got = gathered(metric, prediction, target, sizes)
    assert got == pytest.approx(reference(prediction, target))


def test_r2_keeps_its_digits_far_from_zero():
    """Σy² − n ȳ² in float64 would have none left: the spread is 1e-8 of the mean."""
    rng = np.random.default_rng(0)
    small = rng.normal(size=1000)
    error = 0.5 * rng.normal(size=1000)
    target = small + 1e8
    got = gathered(R2(), target + error, target, [100] * 9)
    expected = 1 - (error**2).sum() / ((small - small.mean()) ** 2).sum()
    assert got == pytest.approx(expected, rel=1e-6)


def test_r2_of_a_constant_is_nan_and_of_the_mean_0():
    assert math.isnan(gathered(R2(), np.zeros(3), np.ones(3), [1]))
    target = np.array([1.0, 2.0, 3.0])
    assert gathered(R2(), np.full(3, 2.0), target, [2]) == 0
    assert math.isnan(R2().compute()) and math.isnan(Accuracy().compute())


def test_r2_against_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(1)
    y, p = rng.normal(size=(40, 3)), rng.normal(size=(40, 3))
    assert gathered(R2(), p, y, [7, 20]) == pytest.approx(metrics.r2_score(y, p))
    labels, scores = rng.integers(0, 4, 40), rng.normal(size=(40, 4))
    expected = metrics.confusion_matrix(labels, scores.argmax(1))
    np.testing.assert_array_equal(confusion_matrix(scores, labels), expected)


def test_perplexity_does_not_overflow():
    scores = np.array([[1e4, 0.0], [0.0, 1e4]], np.float32)
    assert gathered(Perplexity(), scores, np.array([0, 1]), []) == 1
    assert gathered(BitsPerCharacter(), scores, np.array([1, 1]), []) > 1e3


# ---- accuracy and shapes -------------------------------------------------------------------------


def test_classes_are_axis_1_or_the_last():
    labels = np.array([[0, 1, 2], [2, 1, 0]])
    first = np.moveaxis(np.eye(4)[labels], -1, 1)  # (2, 4, 3)
    for scores in (first, np.eye(4)[labels]):
        for metric in (Accuracy(), TopK(1)):
            metric.update(scores, labels)
            assert metric.compute() == 1
    with pytest.raises(tg.ShapeError, match=r"scores \(N, C\) go with labels"):
        Accuracy().update(np.zeros((2, 3)), np.zeros((3,), int))
    with pytest.raises(tg.UsageError, match="whole numbers"):
        Accuracy().update(np.zeros((2, 3)), np.zeros(2))


def test_yes_or_no():
    logits = np.array([[-1.0], [0.2], [3.0], [-0.1]])
    for answers in ([[0], [1], [1], [1]], [[-1.0], [1.0], [1.0], [1.0]]):
        metric = Accuracy()
        metric.update(logits, np.array(answers))
        assert metric.compute() == 0.75
    metric = Accuracy(threshold=0.5)
    metric.update(logits, np.array([[0], [1], [1], [0]]))
    assert metric.compute() == 0.75


def test_a_regression_has_no_accuracy():
    metric = Accuracy()
    with pytest.raises(tg.UsageError, match=r"a target 2\.5.*mae"):
        metric.update(np.array([[0.5], [1.0]]), np.array([[1.0], [2.5]]))
    x = np.linspace(-3, 3, 20, dtype=np.float32)[:, None]
    with pytest.raises(tg.UsageError, match="Accuracy: targets"):
        tg.fit(nn.Linear(1, 1), (x, 2 * x), loss="mse", epochs=1, metrics=["accuracy"])


@pytest.mark.parametrize(
    ("loss", "prediction", "target", "expected"),
    [
        ("bce", [[0.4], [0.6]], [[0.0], [0.0]], 0.5),
        ("bce_with_logits", [[0.4], [-0.6]], [[1.0], [1.0]], 0.5),
        ("hinge", [[0.4], [-0.6]], [[1.0], [1.0]], 0.5),
        ("cross_entropy", [[2.0, 1.0], [0.0, 3.0]], [[0.7, 0.3], [0.6, 0.4]], 0.5),
        ("cross_entropy", [[2.0, 1.0], [0.0, 3.0]], [0, 0], 0.5),
        (nn.CrossEntropyLoss(ignore_index=0), [[2.0, 1.0], [0.0, 3.0]], [0, 1], 1.0),
    ],
)
def test_accuracy_by_name_follows_the_loss(loss, prediction, target, expected):
    data = (np.array(prediction), np.array(target))
    row = tg.evaluate(nn.Identity(), data, "accuracy", loss=loss, batch_size=1)
    assert row["accuracy"] == expected and math.isfinite(row["loss"])


# ---- the confusion matrix ------------------------------------------------------------------------


def test_confusion_matrix():
    labels = np.array([0, 1, 2, 2, -100])
    scores = np.eye(3)[[0, 2, 2, 1, 0]]
    expected = [[1, 0, 0], [0, 0, 1], [0, 1, 1]]
    assert confusion_matrix(tg.tensor(scores), tg.tensor(labels)).tolist() == expected
    assert confusion_matrix(scores.argmax(1), labels).tolist() == expected
    assert confusion_matrix(scores.argmax(1), labels, classes=4).shape == (4, 4)
    assert confusion_matrix(np.zeros((0, 2)), np.zeros(0, int)).tolist() == [[0, 0], [0, 0]]
    with pytest.raises(tg.IndexRangeError, match="from 0 to 1"):
        confusion_matrix(scores, labels, classes=2)
    with pytest.raises(tg.UsageError, match="classes is a whole number"):
        confusion_matrix(scores, labels, classes=0)


# ---- states --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*CLASSES, *NUMBERS])
def test_a_state_goes_on_exactly(name):
    metric = {**CLASSES, **NUMBERS}[name][0]
    rng = np.random.default_rng(0)
    p = rng.normal(size=(10, 3))
    t = rng.integers(0, 3, 10) if name in CLASSES else rng.normal(size=(10, 3))
    expected = gathered(metric, p, t, [4, 3])
    metric.reset()
    metric.update(p[:4], t[:4])
    state = metric.state_dict()
    metric.update(p, t)
    metric.load_state_dict(state)
    metric.update(p[4:7], t[4:7])
    metric.update(p[7:], t[7:])
    assert metric.compute() == expected


def test_bad_metrics():
    cases = {
        "fit: metrics by name": ["acuracy", "accuracy"],
        "names of their own": ["accuracy", "accuracy"],
        "an object, not a class": [Accuracy],
        "a name, a metric or a function": [3],
        "list of names": {"accuracy": 1},
        r"Fix: 'accuracy'": ["acuracy"],
        "bits_per_character": ["nonsense"],
    }
    for text, metrics in cases.items():
        with pytest.raises(tg.UsageError, match=text):
            tg.evaluate(nn.Identity(), (np.zeros((2, 2)), np.zeros(2, int)), metrics)
    for bad in (0, 2.5, True):
        with pytest.raises(tg.UsageError, match="k is a whole number"):
            TopK(bad)
    for shape in ((3,), (3, 1)):
        for metric in (MeanAbsoluteError(), MeanSquaredError(), R2()):
            with pytest.raises(tg.ShapeError, match="one shape"):
                metric.update(np.zeros(shape), np.zeros((3, 2)))
    with pytest.raises(tg.UsageError, match=r"defines no update"):
        Metric.update(Accuracy(), 0, 0)
    data = (np.zeros((2, 2)), np.zeros(2, int))
    with pytest.raises(tg.UsageError, match=r"'wrong' takes arrays.*raised TypeError"):

        def wrong(p):
            return 0.0

        tg.evaluate(nn.Identity(), data, [wrong])
