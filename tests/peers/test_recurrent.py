"""RNN, GRU, LSTM and their cells equal PyTorch's, with state dicts in both directions."""

from __future__ import annotations

import pytest
from peers_common import both, compare, load, move_back

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]

NAMES = ["RNN", "GRU", "LSTM"]
OPTIONS = [
    {}, {"bias": False}, {"num_layers": 2}, {"bidirectional": True},
    {"num_layers": 3, "bidirectional": True}, {"num_layers": 2, "bias": False},
]  # fmt: skip


def given(name, ours, shape, batch_first):
    """Shapes of the first states."""
    layers = ours.num_layers * len(ours.directions)
    batch = () if len(shape) == 2 else (shape[0 if batch_first else 1],)
    return [(layers, *batch, ours.hidden_size)] * (2 if name == "LSTM" else 1)


@pytest.mark.parametrize("second_order", [False, True], ids=["first", "second"])
@pytest.mark.parametrize("with_states", [False, True], ids=["zeros", "states"])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_sequences(name, options, with_states, second_order):
    ours, theirs = both(name, 3, 4, batch_first=True, **options)
    shape = (2, 5, 3)
    shapes = [shape, *(given(name, ours, shape, True) if with_states else [])]

    def call(module):
        return lambda x, *s: module(x, *([tuple(s) if len(s) == 2 else s[0]] if s else []))

    compare(ours, theirs, shapes, second_order, call(ours), call(theirs))
    move_back(ours, theirs)
    load(ours, theirs)


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("shape", [(1, 1, 3), (4, 3), (1, 7, 3), (7, 1, 3)], ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_shapes(name, shape, batch_first):
    ours, theirs = both(name, 3, 4, batch_first=batch_first, bidirectional=True)
    states = given(name, ours, shape, batch_first)

    def call(module):
        return lambda x, *s: module(x, tuple(s) if len(s) == 2 else s[0])

    compare(ours, theirs, [shape, *states], False, call(ours), call(theirs))


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_batch(name):
    ours, theirs = both(name, 3, 4, batch_first=True)
    compare(ours, theirs, [(0, 5, 3)])


def test_relu():
    compare(*both("RNN", 3, 4, nonlinearity="relu", batch_first=True), [(2, 5, 3)], True)
    compare(*both("RNNCell", 3, 4, nonlinearity="relu"), [(2, 3), (2, 4)], True)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("name", ["RNNCell", "GRUCell", "LSTMCell"])
def test_cells(name, bias):
    ours, theirs = both(name, 3, 4, bias=bias)
    states = [(5, 4)] * (2 if name == "LSTMCell" else 1)

    def call(module):
        return lambda x, *s: module(x, tuple(s) if len(s) == 2 else s[0])

    compare(ours, theirs, [(5, 3), *states], True, call(ours), call(theirs))
    compare(ours, theirs, [(5, 3)])
    move_back(ours, theirs)


@pytest.mark.parametrize("name", NAMES)
def test_a_long_sequence(name):
    ours, theirs = both(name, 3, 4, batch_first=True)
    compare(ours, theirs, [(2, 200, 3)])
