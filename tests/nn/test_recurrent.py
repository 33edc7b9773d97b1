"""Recurrent networks equal their cells step by step; states, directions, bad input."""

from __future__ import annotations

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn

PAIRS = {"RNN": nn.RNNCell, "GRU": nn.GRUCell, "LSTM": nn.LSTMCell}
FLOATS = (np.float32, np.float64)
RTOL = {np.float32: 2e-5, np.float64: 1e-11}


def draw(*shape, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def cell_of(net, name, suffix="_l0"):
    """Return the cell with the parameters of one layer."""
    width = getattr(net, "weight_ih" + suffix).shape[1]
    cell = PAIRS[name](width, net.hidden_size, bias=net.bias).astype(net.weight_ih_l0.dtype)
    cell.load_state_dict({k: getattr(net, k + suffix).data for k in cell.state_dict()})
    return cell


def unrolled(cell, x, states):
    """Run a cell over (N, T, features)."""
    found = []
    for t in range(x.shape[1]):
        states = cell(x[:, t], states)
        found.append(states[0] if isinstance(states, tuple) else states)
    return tg.stack(found, axis=1), states


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("batch", [0, 1, 3])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("name", PAIRS)
def test_a_sequence_is_its_cell_step_by_step(name, bias, batch, dtype):
    tg.manual_seed(0)
    net = getattr(nn, name)(3, 4, bias=bias).astype(dtype)
    cell = cell_of(net, name)
    x = tg.tensor(draw(batch, 5, 3, dtype=dtype), requires_grad=True)
    h, c = (tg.tensor(draw(batch, 4, dtype=dtype, seed=s), requires_grad=True) for s in (1, 2))
    states = (h, c) if name == "LSTM" else h
    outputs, last = net(x, tuple(s[None] for s in states) if name == "LSTM" else h[None])
    wanted, wanted_last = unrolled(cell, x, states)
    assert outputs.dtype == dtype and outputs.shape == (batch, 5, 4)
    last, wanted_last = (s if isinstance(s, tuple) else (s,) for s in (last, wanted_last))
    weights = np.cos(np.arange(wanted.size)).reshape(wanted.shape).astype(dtype)
    losses = []
    for out, ends in ((outputs, [s[0] for s in last]), (wanted, wanted_last)):
        losses.append((out * weights).sum() + sum((e * e).sum() for e in ends))
    pairs = [(outputs, wanted), *zip([s[0] for s in last], wanted_last, strict=True)]
    leaves = [x, h, *([c] if name == "LSTM" else [])]
    gradients = [tg.grad(loss, [*leaves, *m.parameters()]) for loss, m in
                 zip(losses, (net, cell), strict=True)]  # fmt: skip
    for a, b in [*pairs, *zip(*gradients, strict=True)]:
        np.testing.assert_allclose(a.data, b.data, RTOL[dtype], RTOL[dtype])


@pytest.mark.parametrize("name", PAIRS)
def test_layers_and_directions(name):
    tg.manual_seed(0)
    net = getattr(nn, name)(3, 4, num_layers=2, bidirectional=True).astype(np.float64)
    x = tg.tensor(draw(2, 5, 3))
    y, ends = x, []
    for layer in range(2):
        there, first = unrolled(cell_of(net, name, f"_l{layer}"), y, None)
        back, second = unrolled(cell_of(net, name, f"_l{layer}_reverse"), y[:, ::-1], None)
        y = tg.concatenate([there, back[:, ::-1]], axis=-1)
        ends += [first, second]
    outputs, last = net(x)
    np.testing.assert_allclose(outputs.data, y.data, 1e-11)
    for k in range(len(ends)):
        pairs = zip(last, ends[k], strict=True) if name == "LSTM" else [(last, ends[k])]
        for whole, one in pairs:
            np.testing.assert_allclose(whole.data[k], one.data, 1e-11)


@pytest.mark.parametrize("name", PAIRS)
def test_layouts_give_the_same(name):
    tg.manual_seed(0)
    net = getattr(nn, name)(3, 4).astype(np.float64)
    other = getattr(nn, name)(3, 4, batch_first=False).astype(np.float64)
    other.load_state_dict(net.state_dict())
    x = draw(2, 5, 3)
    y, last = net(x)
    turned, turned_last = other(x.swapaxes(0, 1))
    single, single_last = net(x[1])
    np.testing.assert_allclose(turned.swapaxes(0, 1).data, y.data, 1e-12)
    np.testing.assert_allclose(single.data, y.data[1], 1e-12)
    for a, b, c in zip(*(s if name == "LSTM" else (s,) for s in (last, turned_last, single_last)),
                       strict=True):  # fmt: skip
        np.testing.assert_allclose(a.data, b.data)
        np.testing.assert_allclose(a.data[:, 1], c.data, 1e-12)


@pytest.mark.parametrize("name", PAIRS)
def test_dropout_is_between_layers_in_training(name):
    tg.manual_seed(0)
    net = getattr(nn, name)(3, 4, num_layers=2, dropout=0.5)
    x = draw(2, 5, 3, dtype=np.float32)
    assert np.abs(net(x)[0].data - net(x)[0].data).max() > 0
    net.eval()
    np.testing.assert_array_equal(net(x)[0].data, net(x)[0].data)
    single = getattr(nn, name)(3, 4, dropout=0.5)
    np.testing.assert_array_equal(single(x)[0].data, single(x)[0].data)


@pytest.mark.parametrize("name", PAIRS)
def test_the_graph_has_one_node_for_a_layer(name):
    net = getattr(nn, name)(3, 4)
    short, long = (len(tg.graph(net(tg.ones(2, t, 3))[0])) for t in (2, 50))
    assert short == long < 30


def test_large_inputs_do_not_overflow():
    for name in PAIRS:
        x = tg.tensor(1e4 * draw(2, 5, 3, dtype=np.float32), requires_grad=True)
        y, _ = getattr(nn, name)(3, 4)(x)
        y.sum().backward()
        assert np.isfinite(y.data).all() and np.isfinite(x.grad).all()


WRONG = {
    "features": (lambda m: m(tg.ones(2, 5, 4)), r"\(…, 3\).*\(2, 5, 4\)"),
    "one axis": (lambda m: m(tg.ones(3)), r"\(N, T, 3\)"),
    "four axes": (lambda m: m(tg.ones(1, 2, 5, 3)), r"\(N, T, 3\)"),
    "no steps": (lambda m: m(tg.ones(2, 0, 3)), "T > 0"),
    "float64": (lambda m: m(np.ones((2, 5, 3))), "astype"),
    "a text": (lambda m: m("text"), "tensors"),
    "a state": (lambda m: m(tg.ones(2, 5, 3), state(m, (2, 4))), r"\(1, 2, 4\).*\(2, 4\)"),
    "a state for another batch": (
        lambda m: m(tg.ones(2, 5, 3), state(m, (1, 3, 4))),
        r"\(1, 2, 4\)",
    ),
    "no state": (lambda m: m(tg.ones(2, 5, 3), state(m, None)), r"states of shape"),
}


def state(m, shape):
    one = "nothing" if shape is None else tg.ones(shape)
    return (one, one) if isinstance(m, nn.LSTM) else one


@pytest.mark.parametrize("case", WRONG)
@pytest.mark.parametrize("name", PAIRS)
def test_bad_input_names_the_place(name, case):
    action, words = WRONG[case]

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.memory = getattr(nn, name)(3, 4)

        def forward(self, f):
            return f(self.memory)

    with pytest.raises(tg.TinygraphError, match=words + ".*In module memory"):
        Net()(action)


@pytest.mark.parametrize(
    "build",
    [
        lambda: nn.RNN(0, 3),
        lambda: nn.RNN(3, 2.5),
        lambda: nn.LSTM(3, 4, num_layers=0),
        lambda: nn.RNN(3, 4, nonlinearity="relu6"),
        lambda: nn.GRU(3, 4, dropout=-1),
        lambda: nn.GRU(3, 4, bidirectional=2),
        lambda: nn.LSTM(3, 4)(tg.ones(1, 2, 3), tg.ones(1, 1, 4)),
        lambda: nn.RNNCell(3, 4, nonlinearity="x"),
        lambda: nn.GRUCell(3, 4)(tg.ones(2, 3), tg.ones(3, 4)),
        lambda: nn.LSTMCell(3, 4)(tg.ones(2, 5)),
        lambda: nn.RNNCell(3, 4)(tg.ones(2, 3), np.ones((2, 4))),
        lambda: tg.REGISTRY["lstm_sequence"](*[np.ones((2, 3))] * 4),
        lambda: tg.REGISTRY["rnn_sequence"](np.ones((0, 1, 2)), np.ones((1, 2)), np.ones((2, 2))),
    ],
)
def test_wrong_arguments(build):
    with pytest.raises(tg.TinygraphError):
        build()


def test_they_print_how_they_were_made():
    for text in (
        "RNN(3, 4)",
        "LSTM(3, 4, num_layers=2, bidirectional=True)",
        "GRUCell(3, 4)",
        "GRU(3, 4, bias=False, dropout=0.5)",
    ):
        assert repr(eval(f"nn.{text}")) == text
