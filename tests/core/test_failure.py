"""An error of a forward pass carries the graph up to the call that failed."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn


def error_of(function):
    with pytest.raises(Exception) as caught:
        function()
    return caught.value


def test_the_graph_ends_in_the_op_that_failed():
    X, W = tg.ones(3, 4), tg.ones(5, 2).requires_grad_()
    h = (X * W.sum()).exp()
    error = error_of(lambda: h @ W)
    graph = error.graph()
    (stopped,) = graph.outputs
    assert stopped.op.name == "matmul" and stopped.inputs == (h, W)
    assert [n.op.name for n in graph.nodes if n.op] == ["sum", "mul", "exp", "matmul"]
    assert graph.failure.message == str(error)
    assert tg.graph(error).outputs[0].inputs == (h, W)


@pytest.mark.parametrize(
    ("failing", "name", "shapes"),
    [
        (lambda x: x + tg.ones(3), "add", [(2,), (3,)]),
        (lambda x: x + np.ones(3), "add", [(2,), (3,)]),
        (lambda x: tg.add(np.ones(2), np.ones(3)), "add", [(2,), (3,)]),
        (lambda x: x.astype(np.float64) + x @ np.ones((3, 3)), "matmul", [(2,), (3, 3)]),
        (lambda x: x.reshape(5), "reshape", [(2,)]),
        (lambda x: x[7], "getitem", [(2,)]),
        (lambda x: tg.concatenate([x, tg.ones(2, 2)]), "concatenate", [(2,), (2, 2)]),
        (lambda x: nn.functional.mse_loss(x, tg.ones(2, 1)), "mse_loss", [(2,), (2, 1)]),
    ],
)
def test_what_met_there_is_kept(failing, name, shapes):
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    (stopped,) = error_of(lambda: failing(x)).graph().outputs
    assert stopped.op.name == name
    assert [getattr(t, "shape", None) for t in stopped.inputs] == shapes


def test_errors_of_any_kind_are_noted_and_only_data_is_an_operand():
    x = tg.tensor([1.0, 2.0])

    class Asks(nn.Module):
        def forward(self, x, mode):
            raise KeyError(mode)

    error = error_of(lambda: Asks()(x, mode="a"))
    assert isinstance(error, KeyError)
    assert error.graph().outputs[0].inputs == (x,)


def test_a_check_of_a_module_names_the_module():
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(4, 1))
    (stopped,) = error_of(lambda: model(tg.ones(5, 2))).graph().outputs
    assert stopped.op.name == "Linear" and stopped.scope.path == "2"
    assert stopped.inputs[0].op.name == "relu"


def test_the_innermost_call_is_noted():
    class Inner(nn.Module):
        def forward(self, x):
            return x @ tg.ones(9, 9)

    error = error_of(lambda: nn.Sequential(Inner())(tg.ones(2, 3)))
    (stopped,) = error.graph().outputs
    assert stopped.op.name == "matmul" and stopped.scope.path == "0"


def test_the_error_travels_without_its_graph():
    error = error_of(lambda: tg.ones(2) + tg.ones(3))
    assert error.graph is not None
    assert pickle.loads(pickle.dumps(error)).graph is None
    assert str(copy.copy(error)) == str(error)
    with pytest.raises(tg.UsageError, match="graph takes tensors"):
        tg.graph(pickle.loads(pickle.dumps(error)))


def test_an_error_of_no_forward_pass_has_no_graph():
    with pytest.raises(tg.UsageError, match="graph takes tensors"):
        tg.graph(error_of(lambda: tg.tensor("x")))


def test_evaluating_the_graph_of_an_error_raises_it_again():
    graph = error_of(lambda: tg.ones(2) + tg.ones(3)).graph()
    with pytest.raises(tg.ShapeError, match="broadcast"):
        graph.evaluate()
