"""detect_anomaly and detect_raw_writes: which op, which line, which module."""

from __future__ import annotations

import re

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn


def leaf(*values):
    return tg.tensor(np.array(values), requires_grad=True)


def test_the_forward_op_and_line_are_named():
    x = leaf(-1.0, 2.0)
    with (
        tg.detect_anomaly(),
        pytest.raises(tg.AnomalyError, match=r"log produced NaN.*test_debug.py:\d+: .*tg.log\(x\)"),
    ):
        tg.log(x)


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda x: tg.log(x), "Inf"),
        (lambda x: x / x, "NaN"),
        (lambda x: 1.0 / x, "Inf"),
        (lambda x: tg.sqrt(x - 1.0), "NaN"),
    ],
    ids=["log 0", "0/0", "1/0", "sqrt -1"],
)
def test_nan_and_inf(make, what):
    with tg.detect_anomaly(), pytest.raises(tg.AnomalyError, match=f"produced {what}"):
        make(leaf(0.0, 1.0))


def test_the_backward_op_and_its_forward_line_are_named():
    x = leaf(0.0, 1.0)
    with tg.detect_anomaly():
        y = tg.sqrt(x).sum()
        message = r"backward pass of sqrt produced Inf for input 0.*test_debug.py:\d+: .*tg.sqrt"
        with pytest.raises(tg.AnomalyError, match=message):
            y.backward()
    assert x.grad is None


def test_a_forward_pass_outside_is_still_found():
    y = tg.sqrt(leaf(0.0)).sum()
    with tg.detect_anomaly(), pytest.raises(tg.AnomalyError, match="outside detect_anomaly"):
        y.backward()


def test_the_module_is_named():
    class Divide(nn.Module):
        def forward(self, x):
            return x / (x - x)

    model = nn.Sequential(nn.Identity(), Divide())
    with tg.detect_anomaly(), pytest.raises(tg.AnomalyError, match="In module 1"):
        model(leaf(1.0, 2.0))


def test_nothing_is_raised_for_finite_values_and_outside_the_block():
    x = leaf(1.0, 2.0)
    with tg.detect_anomaly():
        (tg.log(x) * x).sum().backward()
    tg.log(leaf(-1.0))


@pytest.mark.parametrize("size", [1, 3])
def test_a_raw_write_is_caught(size):
    x = tg.tensor(np.ones(size), requires_grad=True)
    with tg.detect_raw_writes():
        y = (x * x).sum()
        x.data[0] = 5.0
        with pytest.raises(tg.VersionError, match="Input 0 of 'mul' was overwritten past"):
            y.backward()


def test_a_raw_write_to_a_shared_array_is_caught():
    a = np.ones(3)
    x = tg.from_numpy(a, requires_grad=True)
    with tg.detect_raw_writes():
        y = tg.square(x).sum()
        a[1] = 7
        with pytest.raises(tg.VersionError, match="'square'"):
            y.backward()


def test_writes_that_no_rule_minds_pass():
    x = tg.tensor(np.ones(3), requires_grad=True)
    with tg.detect_raw_writes():
        y = (x + 1.0).sum()
        x.data[0] = 5.0
        y.backward()
    assert x.grad.tolist() == [1, 1, 1]


def test_both_modes_together():
    x = leaf(1.0, 2.0)
    with tg.detect_raw_writes(), tg.detect_anomaly():
        (x * x).sum().backward()
    assert x.grad.tolist() == [2, 4]


def test_the_line_that_made_a_tensor_is_known_where_it_was_asked_for():
    x = leaf(1.0, 2.0)
    before = x * x
    with tg.record_lines():
        y = tg.exp(x)
        hidden = tg.nn.functional.softplus(y)
    assert before.node.line == "" and tg.graph(y).leaves[0].line == ""
    assert re.search(r"test_debug\.py:\d+: y = tg\.exp\(x\)$", y.node.line)
    assert hidden.node.line.endswith("hidden = tg.nn.functional.softplus(y)")
    with tg.detect_anomaly():
        z = x + 1
    assert z.node.line.endswith("z = x + 1")


def test_remembered_lines_go_with_their_tensors():
    from tinygraph.core import lines

    x = leaf(1.0)
    kept = len(lines._lines)
    with tg.record_lines():
        y = x * x
        assert len(lines._lines) == kept + 1
    del y
    assert len(lines._lines) == kept
