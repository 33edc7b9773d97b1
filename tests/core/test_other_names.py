"""Names of PyTorch that tensors and the package do not have: the error says what to write."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import tinygraph as tg
from tinygraph.core.other_names import HINTS, NAMES, PAIRS


def names():
    t = tg.tensor([[1.0, -2.0, 3.0], [0.5, 1.0, 2.0]], requires_grad=True)
    return {"t": t, "u": t.detach() + 1, "i": np.array([2, 0]), "tg": tg, "np": np}


def is_missing(written):
    owner, name = written.split(".")
    return not hasattr(tg.Tensor if owner == "t" else tg, name)


@pytest.mark.parametrize("theirs, ours", PAIRS, ids=[theirs for theirs, _ in PAIRS])
def test_what_the_error_proposes_can_be_written(theirs, ours):
    space = names()
    if ours == "t @ u":  # of two batches of matrices
        space["t"] = space["u"] = tg.arange(18.0).reshape(2, 3, 3)
    eval(ours, space)


@pytest.mark.parametrize("written", sorted(filter(is_missing, HINTS)))
def test_the_error_names_what_to_write(written):
    owner, name = written.split(".")
    subject = names()["t"] if owner == "t" else tg
    with pytest.raises(AttributeError) as caught:
        getattr(subject, name)
    assert str(caught.value).endswith(f"has no attribute {name!r}. Fix: {HINTS[written]}.")
    assert caught.value.name == name and caught.value.obj is subject


def test_nothing_slows_down_the_attributes_that_are_there():
    assert not hasattr(tg.Tensor, "__getattr__") and not hasattr(tg.Tensor, "view")
    assert "view" not in dir(tg.ones(2)) and "sum" in dir(tg.ones(2))


def test_changes_in_place_are_told_apart():
    with pytest.raises(AttributeError, match=r"not changed in place; assign a new one"):
        tg.ones(2).add_(1)


def test_other_names_are_plainly_missing():
    with pytest.raises(AttributeError, match=r"^'Tensor' object has no attribute 'nothing'$"):
        _ = tg.ones(2).nothing
    with pytest.raises(AttributeError, match=r"^module 'tinygraph' has no attribute 'nothing'$"):
        _ = tg.nothing
    with pytest.raises(AttributeError, match=r"^'Parameter' object has no attribute 'numel'\. Fix"):
        tg.nn.Linear(1, 1).weight.numel()
    assert not hasattr(tg.ones(2), "__array_interface__")


def test_copies_and_pickles_do_not_ask_for_names_that_are_missing():
    t = tg.ones(2, requires_grad=True)
    assert (copy.deepcopy(t) == t).numpy().all()
    assert (pickle.loads(pickle.dumps(t)) == t).numpy().all()


def test_no_hint_is_written_twice():
    assert len({theirs for theirs, _ in PAIRS}) == len(PAIRS)
    assert not set(NAMES) & {theirs.split("(")[0] for theirs, _ in PAIRS}
