"""gradient_flow: norms against NumPy, findings where there is something to find, none elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn

F = nn.functional


def data(n=64, width=16, seed=0):
    rng = np.random.default_rng(seed)
    return tg.tensor(rng.normal(size=(n, width)).astype(np.float32))


def test_norms_are_numpys_and_nothing_is_touched():
    tg.manual_seed(0)
    model, x = nn.MLP([16, 8, 1]), data()
    loss = F.mse_loss(model(x), np.zeros((64, 1), np.float32))
    flow = tg.gradient_flow(model, loss)
    assert all(p.grad is None for p in model.parameters())
    loss.backward()
    for name, p in model.named_parameters():
        row = flow[name]
        assert row.shape == p.shape and row.kind == "parameter" and row.reached
        assert row.norm == pytest.approx(np.linalg.norm(p.grad), rel=1e-5)
        assert row.rms == pytest.approx(np.sqrt((p.grad**2).mean()), rel=1e-5)
        assert row.size == pytest.approx(np.sqrt((p.data**2).mean()), rel=1e-5)
    after = tg.gradient_flow(model)  # reads .grad
    assert [row.norm for row in after.parameters] == pytest.approx(
        [row.norm for row in flow.parameters], rel=1e-5
    )
    assert after.activations == []
    tg.gradient_flow(model, loss)  # a graph that was used is no obstacle
    tg.gradient_flow(model, loss)


def test_outputs_of_modules_in_order():
    tg.manual_seed(0)
    model = nn.Linear(16, 16) >> nn.Residual(nn.Sequential(nn.Linear(16, 16), nn.Tanh()))
    y = model(data())
    flow = tg.gradient_flow(model, (y * y).sum())
    found = [(row.name, row.kind) for row in flow.activations]
    assert found == [("0", "Linear"), ("1.f.0", "Linear"), ("1.f.1", "Tanh"), ("1", "Residual")]
    assert flow["1"].norm == pytest.approx(np.linalg.norm(2 * y.data), rel=1e-5)
    assert flow.problems == [] and "Nothing conspicuous." in repr(flow)


def test_a_loss_module_outside_is_not_part_of_the_model():
    model = nn.MLP([16, 1])
    flow = tg.gradient_flow(model, nn.MSELoss()(model(data()), np.zeros((64, 1), np.float32)))
    assert [row.name for row in flow.activations] == ["0"]


def test_deep_sigmoids_vanish():
    tg.manual_seed(0)
    model = nn.MLP([16] * 21, activation=nn.Sigmoid)
    flow = tg.gradient_flow(model, model(data()).sum())
    assert flow["0.weight"].words[0].startswith("vanishing, ")
    assert flow["0.weight"].words[0].endswith(" of 38.weight")
    assert any(line.startswith("0: vanishing") for line in flow.problems)
    assert not flow["36.weight"].words and "findings." in repr(flow)


def test_deep_he_initialised_residuals_explode():
    tg.manual_seed(0)
    model = nn.ResNetS(16, 30, 1)
    for p in model.parameters():
        if p.ndim > 1:
            nn.init.kaiming_normal_(p, nonlinearity="relu")
    flow = tg.gradient_flow(model, model(data()).sum())
    assert flow["0.f.0.bias"].words[0].startswith("exploding, ")
    assert any(line.startswith("0: exploding") for line in flow.problems)
    for block in model[:-1]:  # a small last initialization
        nn.init.zeros_(block.f[2].weight)
    calm = tg.gradient_flow(model, model(data()).sum())
    assert not [line for line in calm.problems if "exploding" in line]


def test_dead_relus():
    tg.manual_seed(0)
    model, x = nn.MLP([16, 8, 1]), data()
    bias = model[0].bias.data.copy()
    bias[:6] = -100
    model[0].bias.data = bias
    flow = tg.gradient_flow(model, model(x).sum())
    assert flow["1"].dead == pytest.approx(6 / 8, abs=1e-9)
    assert flow["1"].words == ["dead ReLUs, 75% are 0 for all 64 inputs"]
    assert tg.gradient_flow(model, model(x[:4]).sum())["1"].words == []  # too few to tell
    assert tg.gradient_flow(model, model(x[:1]).sum())["1"].dead is None
    nn.init.constant_(model[0].bias, -100)
    dead = tg.gradient_flow(model, model(x).sum())
    assert dead["0.weight"].words == ["zero: nothing flows here"]


def test_parameters_without_a_gradient():
    model = nn.ModuleDict({"used": nn.Linear(16, 1), "idle": nn.Linear(2, 1)})
    frozen = nn.Linear(16, 16).requires_grad_(False)
    model["frozen"] = frozen
    loss = model["used"](frozen(data())).sum()
    flow = tg.gradient_flow(model, loss)
    assert flow["idle.weight"].words == ["no gradient: not part of the loss"]
    assert not flow["idle.weight"].reached and np.isnan(flow["idle.weight"].norm)
    assert flow["frozen.weight"].words == [] and flow["used.weight"].words == []
    loss.backward()
    assert tg.gradient_flow(model)["idle.weight"].words == ["no gradient: not part of the loss"]


def test_infinite_gradients_are_named():
    model = nn.Linear(16, 1, bias=False) >> tg.log
    model[0].weight.data = np.zeros((1, 16))
    flow = tg.gradient_flow(model, model(data()).sum())
    assert flow["0.weight"].words == ["not finite"]


def test_empty_batches_and_models_without_parameters():
    model = nn.Linear(16, 2) >> nn.ReLU()
    assert tg.gradient_flow(model, model(data()[:0]).sum())["0.weight"].words
    x = tg.ones(3, 2, requires_grad=True)
    flow = tg.gradient_flow(nn.ReLU(), nn.ReLU()(x).sum())
    assert flow.parameters == [] and flow.problems == []


def test_thresholds():
    tg.manual_seed(0)
    model = nn.MLP([16, 16, 1])
    loss = model(data()).sum()
    assert tg.gradient_flow(model, loss, vanishing=10.0).problems
    assert tg.gradient_flow(model, loss, exploding=1e-6).problems


def test_wrong_calls_are_explained():
    model = nn.MLP([16, 1])
    with pytest.raises(tg.UsageError, match=r"loss\.backward\(\) first"):
        tg.gradient_flow(model)
    with pytest.raises(tg.UsageError, match="takes a module"):
        tg.gradient_flow(tg.relu)
    with pytest.raises(tg.UsageError, match="loss is a tensor"):
        tg.gradient_flow(model, 3.0)
    with pytest.raises(tg.ShapeError, match="one element"):
        tg.gradient_flow(model, model(data()))
    with tg.no_grad(), pytest.raises(tg.GradientError):
        tg.gradient_flow(model, model(data()).sum())
    with pytest.raises(KeyError, match="no row 'a'"):
        tg.gradient_flow(model, model(data()).sum())["a"]
