"""The bar: for those who look, calm, and never a reason to fail."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn
from tinygraph.train import progress
from tinygraph.train import run as run_module

X = np.random.default_rng(0).normal(size=(20, 2))
Y = X.sum(1, keepdims=True)


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setattr(progress, "someone_looks", lambda: True)


def test_a_bar_on_a_terminal(terminal, capfd):
    pytest.importorskip("tqdm")
    tg.fit(nn.Linear(2, 1), (X, Y), loss="mse", epochs=3, batch_size=5, metrics=["mae"])
    out, error = capfd.readouterr()
    last = error.strip().split("\r")[-1]
    assert out == "" and "epoch 3/3" in last and "12/12" in last
    assert "loss=" in last and "mae=" in last and "lr=" not in last
    assert error.count("\r") < 10  # calm


def test_none_if_not_wanted(terminal, capfd):
    tg.fit(nn.Linear(2, 1), (X, Y), loss="mse", epochs=1, progress=False)
    assert capfd.readouterr() == ("", "")


def test_without_tqdm_one_line_says_so(terminal, capfd, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    tg.fit(nn.Linear(2, 1), (X, Y), loss="mse", epochs=2)
    assert capfd.readouterr().err.count("\n") == 1


def test_without_a_standard_error_output(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert not progress.someone_looks()
    tg.fit(nn.Linear(2, 1), (X, Y), loss="mse", epochs=1)


def test_the_bar_is_closed_after_an_error(terminal, capfd):
    pytest.importorskip("tqdm")

    def explode(run):
        raise ValueError

    stop = tg.train.LambdaCallback(on_batch_end=explode)
    with pytest.raises(ValueError):
        tg.fit(nn.Linear(2, 1), (X, Y), loss="mse", callbacks=[stop])
    assert capfd.readouterr().err.endswith("\n")


@pytest.mark.parametrize(
    ("options", "count"), [({}, 1), ({"compile": True}, 0), ({"progress": False}, 0)]
)
def test_a_long_eager_run_is_told_of_compile_once(terminal, capfd, monkeypatch, options, count):
    monkeypatch.setattr(run_module, "LONG_RUN", 0.0)
    tg.fit(nn.Linear(2, 1), (X, Y), loss="mse", epochs=3, **options)
    assert capfd.readouterr().err.count("compile=True") == count


def test_nobody_is_told_where_nobody_looks(capfd, monkeypatch):
    monkeypatch.setattr(run_module, "LONG_RUN", 0.0)
    tg.fit(nn.Linear(2, 1), (X, Y), loss="mse", epochs=3)
    assert capfd.readouterr() == ("", "")
