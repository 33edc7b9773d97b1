"""evaluate and predict: all samples, in order, in evaluation mode, nothing recorded."""

from __future__ import annotations

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn
from tinygraph.core.evaluation import evaluation
from tinygraph.data import DataLoader, TensorDataset

X = np.random.default_rng(0).normal(size=(23, 3)).astype(np.float32)
LABELS = np.arange(23) % 2
MODEL = nn.Linear(3, 4) >> nn.BatchNorm1d(4) >> nn.Dropout(0.5) >> nn.Linear(4, 2)


def expected():
    with evaluation(MODEL), tg.no_grad():
        return MODEL(X).data


@pytest.mark.parametrize(
    "data",
    [
        X,
        tg.tensor(X),
        X.astype(np.float64),
        (X,),
        TensorDataset(X, LABELS),
        TensorDataset(X),
        list(X),
        DataLoader(TensorDataset(X, LABELS), 5),
    ],
    ids=["array", "tensor", "float64", "tuple", "pairs", "dataset", "list", "loader"],
)
def test_predict(data):
    size = None if isinstance(data, DataLoader) else 4
    result = tg.predict(MODEL, data, size)
    assert type(result) is np.ndarray and result.dtype == np.float32
    np.testing.assert_allclose(result, expected(), rtol=1e-5)
    assert MODEL.training and MODEL[1].training


def test_predict_with_several_inputs_and_outputs():
    class Two(nn.Module):
        def forward(self, x, y):
            assert not x.requires_grad and not tg.is_grad_enabled() and not self.training
            return x + y, (x, y * 2)

    total, (first, second) = tg.predict(Two(), (X, X), 10)
    np.testing.assert_array_equal(total, 2 * X)
    np.testing.assert_array_equal(first, X)
    np.testing.assert_array_equal(second, 2 * X)


@pytest.mark.parametrize("rows", [0, 1])
def test_predict_of_no_row_and_one(rows):
    assert tg.predict(nn.Linear(3, 2), X[:rows]).shape == (rows, 2)


def test_a_float64_model_gets_all_digits():
    with tg.default_dtype(np.float64):
        model = nn.Linear(1, 1)
    x = np.array([[1 + 1e-12]])
    np.testing.assert_array_equal(tg.predict(model, x), model(x).data)
    loader = DataLoader(TensorDataset(x, x))
    np.testing.assert_array_equal(tg.predict(model, loader), model(x).data)
    row = tg.evaluate(nn.Lambda(lambda t: t) >> model, loader, [lambda p, t: float(t[0, 0])])
    assert next(iter(row.values())) == 1 + 1e-12


def test_evaluate():
    loader = DataLoader(TensorDataset(X, LABELS), 5, shuffle=True)
    for data, options in (((X, LABELS), {"batch_size": 7}), (loader, {}), ((X, LABELS), {})):
        row = tg.evaluate(MODEL, data, ["accuracy"], loss="cross_entropy", **options)
        logits = expected().astype(np.float64)
        nats = np.log(np.exp(logits).sum(1)) - logits[np.arange(23), LABELS]
        assert row["accuracy"] == (logits.argmax(1) == LABELS).mean()
        assert row["loss"] == pytest.approx(nats.mean(), rel=1e-5)
        assert list(row) == ["loss", "accuracy"]
    assert list(tg.evaluate(MODEL, (X, LABELS), "accuracy")) == ["accuracy"]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: tg.predict(MODEL, DataLoader(TensorDataset(X), 5, True)), "shuffle=False"),
        (lambda: tg.predict(MODEL, DataLoader(TensorDataset(X), 5, drop_last=True)), "drop_last"),
        (lambda: tg.predict(MODEL, DataLoader(TensorDataset(X), 5), 3), "its own batch_size"),
        (lambda: tg.predict(MODEL, (X, LABELS)), r"2 of them.*Fix: tg.predict\(model, x\)"),
        (lambda: tg.predict(MODEL, 3.0), "predict takes an array"),
        (lambda: tg.predict(MODEL, {"x": X}), "predict takes an array"),
        (lambda: tg.predict(nn.Linear, X), r"Fix: Linear\(…\), an object"),
        (lambda: tg.predict(np.sin, X), r"nn.Lambda\(f\)"),
        (lambda: tg.predict(MODEL, []), "no samples"),
        (lambda: tg.predict(nn.Lambda(lambda x: None), X), "returns a tensor"),
        (lambda: tg.evaluate(MODEL, (X, LABELS)), "nothing is asked for"),
        (lambda: tg.evaluate(MODEL, X, "accuracy"), r"Fix: \(x, y\)"),
        (lambda: tg.evaluate(MODEL, (X,), "accuracy"), r"a tuple with 1 part"),
    ],
)
def test_bad_input(call, text):
    with pytest.raises(tg.UsageError, match=text):
        call()
