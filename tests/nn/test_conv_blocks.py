"""ResBlock and DenseBlock: their formulas with NumPy, shapes, keys, bad input."""

from __future__ import annotations

import numpy as np
import pytest
from op_samples_conv import convolved

import tinygraph as tg
from tinygraph import nn


def arrays(module):
    return {k: np.asarray(v, np.float64) for k, v in module.state_dict().items()}


def relu(x):
    return np.where(x > 0, x, 0)


def norm(x, s, name, training):
    """Batch norm by its formula, with the statistics of the batch or the running ones."""
    m, v = s[f"{name}.running_mean"], s[f"{name}.running_var"]
    if training:
        m, v = x.mean((0, 2, 3)), x.var((0, 2, 3))
    column = (None, slice(None), None, None)
    normal = (x - m[column]) / np.sqrt(v[column] + 1e-5)
    return normal * s[f"{name}.weight"][column] + s[f"{name}.bias"][column]


def block(order, in_channels, out_channels, stride):
    tg.manual_seed(1)
    made = nn.ResBlock(in_channels, out_channels, stride, order=order).astype(np.float64)
    rng = np.random.default_rng(0)
    for name, t in [*made.named_parameters(), *made.named_buffers()]:
        if t.dtype.kind == "f":
            low = 0.5 if name.endswith("var") else -1
            t.data = rng.uniform(low, 1.5, t.shape)
    return made


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("inner", "outer", "stride"), [(2, 2, 1), (2, 3, 1), (2, 2, 2), (2, 4, 2)])
@pytest.mark.parametrize("order", ["conv-relu-bn", "conv-bn-relu", "bn-relu-conv"])
def test_formula_of_a_residual_block(order, inner, outer, stride, training):
    made = block(order, inner, outer, stride).train(training)
    s = arrays(made)
    x = np.random.default_rng(2).normal(size=(3, inner, 5, 6))

    def conv(z, name, step=1, padding=1):
        return convolved(z, s[f"{name}.weight"], s.get(f"{name}.bias"), step, padding)

    skip = x
    if order == "conv-relu-bn":
        z = norm(relu(conv(x, "f.0", stride)), s, "f.2", training)
        z = norm(relu(conv(z, "f.3")), s, "f.5", training)
        if "skip.weight" in s:
            skip = conv(x, "skip", stride, 0)
        wanted = z + skip
    elif order == "conv-bn-relu":
        z = relu(norm(conv(x, "f.0", stride), s, "f.1", training))
        z = norm(conv(z, "f.3"), s, "f.4", training)
        if "skip.0.weight" in s:
            skip = norm(conv(x, "skip.0", stride, 0), s, "skip.1", training)
        wanted = relu(z + skip)
    else:
        z = conv(relu(norm(x, s, "f.0", training)), "f.2", stride)
        z = conv(relu(norm(z, s, "f.3", training)), "f.5")
        if "skip.weight" in s:
            skip = conv(x, "skip", stride, 0)
        wanted = z + skip
    np.testing.assert_allclose(made(x).data, wanted, 1e-10, 1e-10)
    assert (stride, inner) == (1, outer) or any(k.startswith("skip") for k in s)
    biases = [k for k in s if k.endswith("bias") and f"{k[:-4]}running_mean" not in s]
    assert bool(biases) == (order == "conv-relu-bn")


@pytest.mark.parametrize("batch", [0, 1, 3])
def test_batches(batch):
    for order in ("conv-relu-bn", "conv-bn-relu", "bn-relu-conv"):
        made = nn.ResBlock(2, 4, 2, order)
        assert made(tg.rand(batch, 2, 7, 7)).shape == (batch, 4, 4, 4)
    assert nn.DenseBlock(2, 3, 2)(tg.rand(batch, 2, 4, 4)).shape == (batch, 8, 4, 4)


def test_other_kernels_and_activations():
    made = nn.ResBlock(2, kernel_size=5, activation=nn.Tanh)
    assert made(tg.rand(1, 2, 4, 4)).shape == (1, 2, 4, 4)
    assert sum(isinstance(m, nn.Tanh) for m in made.modules()) == 2
    assert made.f[0].kernel_size == (5, 5) and made.f[0].padding == (2, 2)


@pytest.mark.parametrize("layers", [0, 1, 3])
def test_formula_of_a_dense_block(layers):
    made = nn.DenseBlock(2, 3, layers).astype(np.float64)
    s = arrays(made)
    x = np.random.default_rng(2).normal(size=(2, 2, 4, 5))
    found = [x]
    for i in range(layers):
        z = np.concatenate(found, axis=1)
        y = convolved(z, s[f"layers.{i}.0.weight"], s[f"layers.{i}.0.bias"], padding="same")
        found.append(relu(y))
    np.testing.assert_allclose(made(x).data, np.concatenate(found, axis=1), 1e-12, 1e-12)
    assert made.out_channels == 2 + 3 * layers


def test_formula_of_a_cnn():
    made = nn.CNN([2, 3, 4], (6, 5), out=2, pool=[2, 1]).astype(np.float64)
    s = arrays(made)
    assert list(s) == ["0.weight", "0.bias", "3.weight", "3.bias", "6.weight", "6.bias"]
    x = np.random.default_rng(2).normal(size=(3, 2, 6, 5))
    z = relu(convolved(x, s["0.weight"], s["0.bias"], padding="same"))
    z = z[:, :, :, :4].reshape(3, 3, 3, 2, 2, 2).max((3, 5))  # windows of 2 × 2; a column is left
    z = relu(convolved(z, s["3.weight"], s["3.bias"], padding="same"))
    wanted = z.reshape(3, 24) @ s["6.weight"].T + s["6.bias"]
    for mode in (made.train, made.eval):
        np.testing.assert_allclose(mode()(x).data, wanted, 1e-12, 1e-12)
    assert made(x[:0]).shape == (0, 2) and made(x[:1]).shape == (1, 2)


def test_a_cnn_is_the_equal_sequential():
    tg.manual_seed(3)
    made = nn.CNN([1, 4], 8, out=3, kernel_size=5, pool=2, activation=nn.Tanh)
    equal = nn.Sequential(
        nn.Conv2d(1, 4, 5, padding=2), nn.Tanh(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(64, 3)
    )
    equal.load_state_dict(made.state_dict())
    x = tg.rand(2, 1, 8, 8)
    np.testing.assert_array_equal(made(x).data, equal(x).data)


CASES = {
    "one width": (lambda: nn.CNN([3], 8, 2), "channels CNN([1,"),
    "a number of widths": (lambda: nn.CNN(3, 8, 2), "channels CNN([1,"),
    "no width": (lambda: nn.CNN([3, 0], 8, 2), "channels[1] 0"),
    "three poolings": (lambda: nn.CNN([3, 4, 5], 8, 2, pool=[2, 2, 2]), "pool [2, 2]"),
    "nothing left": (lambda: nn.CNN([3, 4, 5], 3, 2, pool=2), "nothing 3 (2, 2)"),
    "no classes": (lambda: nn.CNN([3, 4], 3, 0), "out 0"),
    "another image": (lambda: nn.CNN([3, 4], 4, 2)(tg.ones(1, 3, 5, 5)), "(…, 64) (1, 100) 3."),
    "order": (lambda: nn.ResBlock(2, order="relu-conv"), "order 'conv-relu-bn' 'relu-conv'"),
    "an even kernel": (lambda: nn.ResBlock(2, kernel_size=2), "kernel_size odd 2"),
    "no channels": (lambda: nn.ResBlock(0), "in_channels 0"),
    "stride 0": (lambda: nn.ResBlock(2, stride=0), "stride 0"),
    "other channels": (lambda: nn.ResBlock(2)(tg.ones(1, 3, 4, 4)), "Conv2d 2 (1, 3, 4, 4) f.0"),
    "one value": (lambda: nn.ResBlock(2)(tg.ones(1, 2, 1, 1)), "more than one value f.2"),
    "growth": (lambda: nn.DenseBlock(2, 0, 2), "growth 0"),
    "layers": (lambda: nn.DenseBlock(2, 1, -1), "layers -1"),
    "dense channels": (lambda: nn.DenseBlock(2, 1, 2)(tg.ones(1, 3, 4, 4)), "Conv2d layers.0.0"),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_explained(case):
    action, words = CASES[case]
    with pytest.raises(tg.TinygraphError) as caught:
        action()
    assert all(word in str(caught.value) for word in words.split(" ")), caught.value
