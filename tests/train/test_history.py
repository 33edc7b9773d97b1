"""History: what a run looked like, read, printed, plotted and written."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest

import tinygraph as tg
from tinygraph.train import History

ROWS = [
    {"epoch": i + 1, "loss": 3.0 - i, "val_loss": v, "accuracy": a, "lr": 0.1}
    for i, (v, a) in enumerate([(2.0, 0.5), (1.0, 0.75), (math.nan, 0.75)])
]
BETTER = {"accuracy": "max"}


def test_reading():
    history = History(ROWS, BETTER)
    assert history.columns == ["epoch", "loss", "val_loss", "accuracy", "lr"]
    assert history["loss"] == [3, 2, 1] and len(history) == 3 and list(history) == ROWS
    assert history.last["epoch"] == 3
    assert history.best()["epoch"] == 2  # by val_loss; nan is no value
    assert history.best("loss")["epoch"] == 3
    assert history.best("accuracy")["epoch"] == 2  # the first of equals
    assert history.best("lr", mode="max")["epoch"] == 1
    assert history.to_dict()["accuracy"] == [0.5, 0.75, 0.75]


def test_printing():
    text = repr(History(ROWS))
    assert text.splitlines()[0] == "History(3 epochs)"
    assert text.splitlines()[2].split() == ["1", "3", "2", "0.5", "0.1"]
    assert "nan" in text.splitlines()[-1]
    assert repr(History()) == "History(0 epochs)"
    long = History([{"epoch": i + 1, "loss": 1 / (i + 1)} for i in range(200)])
    assert len(repr(long).splitlines()) == 12 and "…" in repr(long)
    long.stopped = "enough"
    assert repr(long).startswith("History(200 epochs; enough)")


def test_writing(tmp_path):
    History([*ROWS, {"epoch": 4, "loss": 0.5}]).to_csv(tmp_path / "run.csv")
    with open(tmp_path / "run.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(r["loss"]) for r in rows] == [3, 2, 1, 0.5]
    assert rows[3]["accuracy"] == ""


def test_a_state_comes_back():
    history, twin = History(ROWS), History()
    twin.load_state_dict(history.state_dict())
    assert repr(twin) == repr(history) and type(twin.last["epoch"]) is int


def test_words_cannot_be_saved():
    with pytest.raises(tg.UsageError, match=r"numbers in its rows.*'note'"):
        History([{"epoch": 1, "note": "fine"}]).state_dict()


def test_what_is_not_there():
    with pytest.raises(tg.UsageError, match="has the columns epoch, loss"):
        History(ROWS)["acc"]
    with pytest.raises(tg.UsageError, match="no complete epoch"):
        History().best()
    with pytest.raises(tg.UsageError, match="no epoch yet"):
        History()["loss"]
    with pytest.raises(tg.UsageError, match="mode='min' or mode='max'"):
        History(ROWS).best("accuracy")
    with pytest.raises(tg.UsageError, match="mode='min'"):
        History(ROWS).best("loss", mode="small")
    history = History([{"epoch": 1}, {"epoch": 2, "more": 1.0}])
    assert math.isnan(history["more"][0]) and history["more"][1] == 1.0


def test_plot():
    pytest.importorskip("matplotlib")
    history = History(ROWS)
    ax = history.plot()
    lines = {line.get_label(): line.get_ydata() for line in ax.get_lines()}
    np.testing.assert_array_equal(lines["loss"], [3, 2, 1])
    assert set(lines) >= {"loss", "val_loss"} and ax.get_ylabel() == "loss"
    assert history.plot(columns="accuracy").get_ylabel() == "accuracy"
    assert history.plot(ax, ["accuracy", "lr"]) is ax
    assert "loss" in history.plot(columns=["loss"]).get_ylabel()
    with pytest.raises(tg.UsageError, match="has the columns"):
        history.plot(columns="acc")
