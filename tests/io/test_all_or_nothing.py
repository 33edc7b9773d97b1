"""A checkpoint that does not fit: everything wrong is listed at once, and nothing changed."""

from __future__ import annotations

import re

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn

pytest.importorskip("safetensors")


class Counter:
    """A schedule, or anything else with a state."""

    def __init__(self, count=0):
        self.count = count

    def state_dict(self):
        return {"count": self.count}

    def load_state_dict(self, state):
        self.count = "half"  # careless: it changes before it checks
        self.count = int(state["count"])


def build(width=3, momentum=0.9):
    """A model, an optimizer that has made a step, and a schedule."""
    model = nn.Linear(2, width) >> nn.Linear(width, 1)
    optimizer = tg.optim.SGD(model.parameters(), lr=0.5, momentum=momentum)
    model(tg.ones(2, 2)).sum().backward()
    optimizer.step()
    return model, optimizer, Counter(7)


def snapshot(model, optimizer, schedule, generator):
    versions = [p.data.ctypes.data for p in model.parameters()]
    states = [model.state_dict(), optimizer.state_dict(), vars(schedule), generator.get_state()]
    return repr([versions, states])


class Refusing(nn.Linear):
    def load_state_dict(self, state, strict=True):
        raise RuntimeError("not today")


def other_file(path):
    """A checkpoint that differs from `build()` in every way."""
    other = nn.Linear(2, 4) >> nn.Linear(4, 1, bias=False)
    state = {**other.state_dict(), "0.bias": np.zeros(3), "2.more": np.zeros(1)}
    optimizer = tg.optim.Adam(other.parameters())
    other(tg.ones(1, 2)).sum().backward()
    optimizer.step()
    tg.save(state, path, optimizer, schedule=Counter("x"), generator=tg.Generator(0))


def test_everything_is_listed_and_nothing_changed(tmp_path):
    other_file(tmp_path / "m")
    model, optimizer, schedule = build()
    generator = tg.Generator(9)
    before = snapshot(model, optimizer, schedule, generator)
    with pytest.raises(tg.CheckpointError) as caught:
        tg.load(tmp_path / "m", model, optimizer, schedule=schedule, generator=generator)
    for words in (
        "nothing was changed", "missing 1.bias", "unexpected 2.more",
        "0.weight has shape (4, 2), the model needs (3, 2)",
        "1.weight has shape (1, 4), the model needs (1, 3)", "[3]", "[4]", "betas",
        "exp_avg", "momentum_buffer", "schedule: ValueError",
    ):  # fmt: skip
        assert words in str(caught.value)
    assert snapshot(model, optimizer, schedule, generator) == before


@pytest.mark.parametrize("wrong", ["model", "optimizer", "schedule", "generator"])
def test_one_that_does_not_fit_stops_the_others(tmp_path, wrong):
    """Each of the four has another state in the file; only one of them does not fit."""
    model, optimizer, _ = build(4 if wrong == "model" else 3)
    state = (build()[1] if wrong == "model" else optimizer).state_dict()
    state["param_groups"][0]["lr"] = -1.0 if wrong == "optimizer" else 0.125
    generator = tg.Generator(1)
    if wrong == "generator":
        generator.get_state = lambda: {"bit_generator": "PCG64", "state": {"state": -(2**200)}}
    tg.save(
        model, tmp_path / "m", Stored(state), generator=generator,
        schedule=Counter("x" if wrong == "schedule" else 3),
    )  # fmt: skip
    parts = [*build(), tg.Generator(5)]
    before = snapshot(*parts)
    with pytest.raises(tg.CheckpointError, match="nothing was changed") as caught:
        tg.load(tmp_path / "m", parts[0], parts[1], schedule=parts[2], generator=parts[3])
    problems = str(caught.value).split("nothing was changed: ")[1].split("; ")
    names = {p.split(":")[0].split(" ")[0] for p in problems}
    assert names <= {
        "model": {"0.weight", "0.bias", "1.weight"}, "optimizer": {"optimizer"},
        "schedule": {"schedule"}, "generator": {"generator"},
    }[wrong]  # fmt: skip
    assert snapshot(*parts) == before
    if wrong == "model":  # the rest of the file does fit
        _, optimizer, schedule, generator = parts
        tg.load(tmp_path / "m", None, optimizer, schedule=schedule, generator=generator)
        assert optimizer.param_groups[0]["lr"] == 0.125 and schedule.count == 3
        assert generator.get_state() == tg.Generator(1).get_state()


class Stored:
    def __init__(self, state):
        self.state_dict = lambda: state


def test_a_model_that_refuses_leaves_the_others(tmp_path):
    refusing = Refusing(2, 3)
    optimizer = tg.optim.SGD(refusing.parameters(), lr=0.5)
    tg.save(refusing, tmp_path / "m", optimizer)
    optimizer.param_groups[0]["lr"] = 0.25
    with pytest.raises(tg.CheckpointError, match="model: RuntimeError: not today"):
        tg.load(tmp_path / "m", refusing, optimizer)
    assert optimizer.param_groups[0]["lr"] == 0.25


def test_not_strict_takes_what_fits_and_still_checks_shapes(tmp_path):
    model = nn.Linear(2, 3)
    tg.save({"bias": np.full(3, 7.0), "more": np.ones(1)}, tmp_path / "m")
    with pytest.raises(tg.CheckpointError, match="missing weight; unexpected more"):
        tg.load(tmp_path / "m", model)
    weight = model.weight.data.copy()
    tg.load(tmp_path / "m", model, strict=False)
    assert (model.bias.data == 7).all() and (model.weight.data == weight).all()
    tg.save({"bias": np.ones(4)}, tmp_path / "m")
    with pytest.raises(tg.CheckpointError, match=r"bias has shape \(4,\), the model needs \(3,\)"):
        tg.load(tmp_path / "m", model, strict=False)
    assert (model.bias.data == 7).all()


def test_dtypes_are_cast_as_modules_do(tmp_path):
    class Counted(nn.Module):
        def __init__(self):
            super().__init__()
            self.w, self.n = nn.Parameter([1.0]), nn.Buffer(0)

    model = Counted()
    tg.save({"w": np.full(1, 2.0), "n": np.int8(3)}, tmp_path / "m")
    tg.load(tmp_path / "m", model)
    assert model.w.data == [2] and model.w.dtype == np.float32 and model.n.data == 3
    tg.save({"w": np.ones(1), "n": np.float32(4)}, tmp_path / "m")
    with pytest.raises(tg.CheckpointError, match="n has dtype float32, the model needs int64"):
        tg.load(tmp_path / "m", model)
    assert model.w.data == [2] and model.n.data == 3


def test_a_saved_value_still_counts_as_overwritten(tmp_path):
    model = nn.Linear(2, 1)
    tg.save(model, tmp_path / "m")
    x = tg.ones(1, 2, requires_grad=True)
    loss = model(x).sum()
    tg.load(tmp_path / "m", model)
    with pytest.raises(tg.VersionError):
        loss.backward()


def test_a_refused_load_does_not_count_as_a_write(tmp_path):
    model, optimizer, _ = build()
    other_file(tmp_path / "m")
    x = tg.ones(1, 2, requires_grad=True)
    loss = model(x).sum()
    with pytest.raises(tg.CheckpointError):
        tg.load(tmp_path / "m", model, optimizer)
    loss.backward()


def test_parts_that_the_file_does_not_have(tmp_path):
    model, optimizer, schedule = build()
    tg.save(model, tmp_path / "m")
    for part in (
        {"optimizer": optimizer},
        {"schedule": schedule},
        {"generator": tg.Generator(0)},
    ):
        (name,) = part
        with pytest.raises(tg.CheckpointError, match=re.escape(f"tg.save(…, {name}={name})")):
            tg.load(tmp_path / "m", model, **part)
    tg.save(model, tmp_path / "m", generator=[tg.Generator(0)] * 2)
    with pytest.raises(tg.CheckpointError, match="2 generators, given are 1"):
        tg.load(tmp_path / "m", generator=tg.Generator(0))
