"""summary: counts against counts by hand, the table as text, and nothing changed."""

from __future__ import annotations

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn


def test_an_mlp_by_hand():
    table = tg.summary(nn.MLP([2, 16, 1]), (64, 2))
    assert [row.path for row in table.rows] == ["", "0", "1", "2"]
    assert [row.output_shape for row in table.rows] == [(64, 1), (64, 16), (64, 16), (64, 1)]
    assert [row.parameters for row in table.rows] == [65, 48, 0, 17]
    assert [row.multiply_adds for row in table.rows] == [64 * 48, 64 * 32, 0, 64 * 16]
    assert table.total_parameters == table.trainable_parameters == 65
    assert table.input_bytes == 64 * 2 * 4 and table.parameter_bytes == 65 * 4
    assert table.forward_bytes == 64 * (16 + 16 + 1) * 4  # every result, views without memory
    assert table["2"].kind == "Linear" and table["2"].calls == 1 and table["2"].depth == 1


@pytest.mark.parametrize(
    ("model", "shape", "products"),
    [
        # each output element: kernel length × channels of its group
        (lambda: nn.Conv1d(4, 6, 3, stride=2, groups=2), (5, 4, 9), 5 * 6 * 4 * 3 * 2),
        (lambda: nn.Conv2d(3, 8, 3, padding=1, bias=False), (2, 3, 5, 5), 2 * 8 * 25 * 9 * 3),
        (lambda: nn.Conv2d(3, 8, 3, padding=1), (3, 5, 5), 8 * 25 * 9 * 3),
        # each input element is spread over the kernel, to the channels of its group
        (lambda: nn.ConvTranspose2d(4, 6, 2, stride=2, groups=2), (2, 4, 3, 3), 2 * 4 * 9 * 4 * 3),
        (lambda: nn.Conv1d(2, 2, 1), (0, 2, 3), 0),
    ],
)
def test_convolutions_by_hand(model, shape, products):
    table = tg.summary(nn.Sequential(model()), shape)
    assert table["0"].multiply_adds == table.multiply_adds == products


@pytest.mark.parametrize("options", [{}, {"num_layers": 2}, {"bidirectional": True}], ids=str)
@pytest.mark.parametrize(("name", "gates"), [("RNN", 1), ("GRU", 3), ("LSTM", 4)])
def test_recurrent_modules_by_hand(name, gates, options):
    """Each step multiplies the input and the last state with the weights of every gate."""
    samples, steps, features, hidden = 3, 5, 2, 4
    sides = 2 if "bidirectional" in options else 1
    per_step = sides * gates * hidden * (features + hidden)
    if "num_layers" in options:
        per_step += gates * hidden * 2 * hidden
    model = getattr(nn, name)(features, hidden, **options)
    table = tg.summary(model, (samples, steps, features))
    assert table.multiply_adds == samples * steps * per_step


def test_attention_by_hand():
    length, dim = 5, 8
    table = tg.summary(nn.MultiheadAttention(dim, 2), (3, length, dim))
    assert table.multiply_adds == 3 * (4 * length * dim * dim + 2 * length * length * dim)


def test_the_table_as_text():
    model = nn.Linear(4, 8) >> nn.Skip(nn.Linear(8, 8), nn.ReLU()) >> nn.Identity()
    assert repr(tg.summary(model, tg.ones(5, 4))) == (
        "================================================================\n"
        "Layer (type (name): depth-idx)  Output Shape  Param #  Mult-Adds\n"
        "================================================================\n"
        "Sequential                      (5, 8)             --         --\n"
        "├─Linear (0): 1-1               (5, 8)             40        160\n"
        "├─Skip (1): 1-2                 (5, 8)             --         --\n"
        "│    └─Sequential (f): 2-1      (5, 8)             --         --\n"
        "│         ├─Linear (0): 3-1     (5, 8)             72        320\n"
        "│         └─ReLU (1): 3-2       (5, 8)             --         --\n"
        "└─Identity (2): 1-3             (5, 8)             --         --\n"
        "================================================================\n"
        "Total params: 112\n"
        "Trainable params: 112\n"
        "Non-trainable params: 0\n"
        "Total mult-adds: 480\n"
        "================================================================\n"
        "Input size: 80 B\n"
        "Forward pass size: 640 B\n"
        "Params and buffers size: 448 B\n"
        "Total size: 1.17 kB\n"
        "================================================================"
    )


def test_a_row_at_the_last_level_counts_all_below():
    model = nn.Skip(nn.Linear(8, 8), nn.Linear(8, 8))
    text = repr(tg.summary(model, (1, 8), depth=1))
    assert "└─Sequential (f): 1-1" in text and "144        128" in text and "Linear" not in text
    assert "144" in repr(tg.summary(model, (1, 8), depth=0)).splitlines()[3]


def test_without_an_input_there_are_no_shapes():
    table = tg.summary(nn.MLP([2, 3]))
    assert table.total_parameters == 9 and table.rows[1].output_shape is None
    assert "Mult-Adds" in repr(table) and "mult-adds" not in repr(table)


class Odd(nn.Module):
    """Shares a layer, has one that it never calls, its own parameter, and several outputs."""

    def __init__(self):
        super().__init__()
        self.shared = nn.Linear(3, 3)
        self.unused = nn.Linear(7, 7)
        self.scale = nn.Parameter([[1.0, 2.0, 3.0]])
        self.bank = nn.ModuleList([nn.Tanh()])
        self.frozen = nn.Linear(3, 1).requires_grad_(False)
        self.noise = nn.Dropout(0.9)

    def forward(self, x, shift):
        y = self.shared(self.shared(x) + shift) * self.scale
        return self.bank[0](y @ y.T), {"head": self.frozen(self.noise(y))}


def test_shared_unused_frozen_and_own():
    model = Odd()
    model.noise.train(False)
    table = tg.summary(model, [(5, 3), np.ones(3, np.float32)])
    assert table["shared"].calls == 2 and table["shared"].multiply_adds == 2 * 45
    assert table["unused"].calls == 0 and table["unused"].output_shape is None
    assert table[""].own_multiply_adds == 5 * 5 * 3  # y @ y.T is the model's own
    assert table.multiply_adds == 90 + 75 + 15
    assert table[""].own_parameters == 3 and table.total_parameters == 12 + 56 + 3 + 4
    assert table.trainable_parameters == table.total_parameters - 4
    assert table[""].output_shape == [(5, 5), [(5, 1)]]
    text = repr(table)
    assert "Linear (shared): 1-1 ×2" in text and "not called" in text
    assert "Tanh (0): 2-1" in text and "Non-trainable params: 4" in text
    assert model.training and not model.noise.training  # each module's own mode, as before


def test_it_changes_nothing():
    model = nn.Linear(2, 2) >> nn.Dropout()
    tg.manual_seed(0)
    expected = tg.rand(1).item()
    tg.manual_seed(0)
    before = repr(model), {k: v.tobytes() for k, v in model.state_dict().items()}
    tg.summary(model, (3, 2))
    assert (repr(model), {k: v.tobytes() for k, v in model.state_dict().items()}) == before
    assert all(m._hooks is None for m in model.modules()) and model[1].training
    assert all(p.grad is None for p in model.parameters())
    assert tg.rand(1).item() == expected


def test_a_call_that_fails_leaves_nothing_behind():
    model = nn.Linear(2, 2) >> nn.Dropout()
    with pytest.raises(tg.ShapeError, match="In module 0"):
        tg.summary(model, (3, 5))
    assert all(m._hooks is None for m in model.modules()) and model[1].training
    assert tg.is_grad_enabled()


def test_inputs_in_the_models_dtype_and_of_integers():
    model = nn.Linear(2, 3).astype(np.float64)
    assert tg.summary(model, (4, 2)).input_bytes == 64
    pick = nn.Lambda(lambda rows: tg.take(tg.ones(5, 2), rows, axis=0))
    assert tg.summary(pick, np.array([0, 1, 4])).rows[0].output_shape == (3, 2)
    assert tg.summary(nn.Identity(), (0, 2)).rows[0].output_shape == (0, 2)


def test_wrong_calls_are_explained():
    with pytest.raises(tg.UsageError, match="call the class"):
        tg.summary(nn.ReLU)
    with pytest.raises(tg.UsageError, match=r"nn\.Lambda"):
        tg.summary(tg.relu, (2,))
    with pytest.raises(tg.UsageError, match="depth"):
        tg.summary(nn.ReLU(), depth=-1)
    with pytest.raises(KeyError, match="no module '7'"):
        tg.summary(nn.ReLU())["7"]


def test_an_example_may_be_an_array_of_the_default_of_numpy():
    model = nn.Linear(2, 3)
    double = np.ones((5, 2))
    assert str(tg.summary(model, double)) == str(tg.summary(model, double.astype(np.float32)))
