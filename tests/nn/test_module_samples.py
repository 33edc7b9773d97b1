"""What holds for every module: derivatives, dtypes, evaluation on fresh inputs, a picture."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from module_samples import MODULE_SAMPLES, WITHOUT_FORWARD, draw

import tinygraph as tg
from tinygraph import nn

CASES = [(name, i) for name, found in MODULE_SAMPLES.items() for i in range(len(found))]


def build(name, i, dtype=np.float64):
    """Return the module in evaluation mode, and inputs that require grad where they can."""
    tg.manual_seed(0)
    sample = MODULE_SAMPLES[name][i]
    module = sample.build().astype(dtype).eval()
    arrays = [a.astype(dtype) if a.dtype.kind == "f" else a for a in draw(*sample.inputs)]
    shapes_given = [isinstance(given, tuple) for given in sample.inputs]
    inputs = [tg.tensor(a, requires_grad=g) for a, g in zip(arrays, shapes_given, strict=True)]
    return module, inputs


def flat(output):
    """List the tensors of an output: one, or nested tuples of them and of None."""
    if isinstance(output, tuple):
        return [t for part in output for t in flat(part)]
    return [] if output is None else [output]


def total(output):
    """Return one number that depends on every element of the output, each with its weight."""
    parts = []
    for out in flat(output):
        weights = np.cos(np.arange(out.size, dtype=out.dtype)).reshape(out.shape)
        parts.append((out * weights).sum())
    return sum(parts[1:], start=parts[0])


def test_every_module_has_a_sample():
    classes = {
        name
        for name, value in vars(nn).items()
        if inspect.isclass(value) and issubclass(value, nn.Module) and name in nn.__all__
    }
    missing = classes - WITHOUT_FORWARD - MODULE_SAMPLES.keys()
    assert not missing, f"enter {sorted(missing)} in tests/module_samples.py"


@pytest.mark.parametrize(("name", "i"), CASES)
def test_derivatives(name, i):
    """By the inputs and the parameters, first and second order."""
    module, inputs = build(name, i)
    arrays = tuple(x.detach().data for x in inputs)
    assert tg.gradcheck(module, arrays)
    assert tg.gradgradcheck(module, arrays)


@pytest.mark.parametrize(("name", "i"), CASES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_goes_through(name, i, dtype):
    module, inputs = build(name, i, dtype)
    loss = total(module(*inputs))
    assert loss.dtype == dtype
    loss.backward()
    for x in [x for x in inputs if x.requires_grad] + list(module.parameters()):
        assert x.grad is not None and x.grad.dtype == dtype and x.grad.shape == x.shape


@pytest.mark.parametrize(("name", "i"), CASES)
def test_graphs_evaluate_on_fresh_inputs(name, i):
    """Values and gradients: the backward pass is a graph that can be run again."""
    module, inputs = build(name, i)
    leaves = [x for x in inputs if x.requires_grad]
    loss = total(module(*inputs))
    gradients = tg.grad(loss, leaves, create_graph=True, allow_unused=True)
    found = [loss, *[g for g in gradients if g is not None]]
    feed = dict(zip(leaves, draw(*[x.shape for x in leaves], seed=1), strict=True))
    again = tg.graph(*found).evaluate(found, feed)

    fresh = [tg.tensor(feed[x], requires_grad=True) if x in feed else x for x in inputs]
    fresh_loss = total(module(*fresh))
    fresh_leaves = [f for f, x in zip(fresh, inputs, strict=True) if x in feed]
    fresh_gradients = tg.grad(fresh_loss, fresh_leaves, create_graph=True, allow_unused=True)
    wanted = [fresh_loss, *[g for g in fresh_gradients if g is not None]]
    for a, b in zip(again, wanted, strict=True):
        np.testing.assert_allclose(a, b.data, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("name", "i"), CASES)
def test_its_graph_can_be_drawn(name, i):
    module, inputs = build(name, i)
    for view in ("numbers", "architecture"):
        assert "digraph" in tg.draw(total(module(*inputs)), view=view).source
