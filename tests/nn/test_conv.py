"""Convolutional layers: values against loops, arguments, initial values, bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest
from op_samples_conv import convolved, spread_with_bias

import tinygraph as tg
from tinygraph import nn

F = nn.functional


def drawn(*shape, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


@pytest.mark.parametrize("batch", [0, 1, 3, None])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("build", "size"),
    [
        (lambda: nn.Conv1d(4, 6, 3, 2, 1, 2, 2), (9,)),
        (lambda: nn.Conv1d(4, 2, 4, padding="same"), (6,)),
        (lambda: nn.Conv2d(4, 2, (3, 2), (1, 2), (2, 0), bias=False), (4, 5)),
        (lambda: nn.Conv2d(4, 8, 3, groups=4), (3, 4)),
    ],
)
def test_layers_against_loops(build, size, dtype, batch):
    layer = build().astype(dtype)
    shape = (4, *size) if batch is None else (batch, 4, *size)
    x = drawn(*shape, dtype=dtype)
    bias = None if layer.bias is None else layer.bias.data.astype(np.float64)
    wanted = convolved(
        x.astype(np.float64), layer.weight.data.astype(np.float64), bias, layer.stride,
        layer.padding, layer.dilation, layer.groups,
    )  # fmt: skip
    for mode in (layer.train, layer.eval):
        mode()
        y = layer(x)
        assert y.dtype == dtype
        np.testing.assert_allclose(
            y.data, wanted, *([1e-12] * 2 if dtype == np.float64 else [1e-4, 1e-5])
        )


@pytest.mark.parametrize("batch", [0, 1, None])
@pytest.mark.parametrize(
    ("layer", "size"),
    [
        (lambda: nn.ConvTranspose1d(4, 6, 3, 2, 1, 1, 2), (5,)),
        (lambda: nn.ConvTranspose2d(4, 2, (3, 2), (1, 2), 1, dilation=(1, 2), bias=False), (4, 3)),
    ],
)
def test_transposed_layers_against_loops(layer, size, batch):
    layer = layer().astype(np.float64)
    x = drawn(*([4] if batch is None else [batch, 4]), *size)
    bias = None if layer.bias is None else layer.bias.data
    wanted = spread_with_bias(
        x, layer.weight.data, bias, layer.stride, layer.padding, layer.output_padding,
        layer.groups, layer.dilation,
    )  # fmt: skip
    np.testing.assert_allclose(layer(x).data, wanted, 1e-12, 1e-12)


@pytest.mark.parametrize(
    ("mode", "numpy_mode"),
    [("zeros", "constant"), ("reflect", "reflect"), ("replicate", "edge"), ("circular", "wrap")],
)
@pytest.mark.parametrize("padding", [(2, 1), "same"])
def test_padding_modes(mode, numpy_mode, padding):
    layer = nn.Conv2d(2, 3, (4, 3), padding=padding, padding_mode=mode).astype(np.float64)
    x = drawn(2, 2, 5, 6)
    border = ((1, 2), (1, 1)) if padding == "same" else ((2, 2), (1, 1))
    padded = np.pad(x, ((0, 0), (0, 0), *border), mode=numpy_mode)
    wanted = convolved(padded, layer.weight.data, layer.bias.data)
    np.testing.assert_allclose(layer(x).data, wanted, 1e-12, 1e-12)
    np.testing.assert_allclose(layer(x[0]).data, wanted[0], 1e-12, 1e-12)


def test_a_convolution_is_its_matrix():
    z, w = drawn(3, 5, seed=1), drawn(4, 3, 2, seed=2)
    q = F.conv1d_matrix(w, 5, stride=2, padding=1)
    y = F.conv1d(tg.tensor(z), w, stride=2, padding=1)
    np.testing.assert_allclose(q @ z.reshape(-1), y.data.reshape(-1), 1e-12)
    z, w = drawn(3, 5, 4, seed=1), drawn(6, 1, 2, 3, seed=2)
    q = F.conv2d_matrix(w, (5, 4), dilation=(2, 1), groups=3)
    y = F.conv2d(tg.tensor(z), w, dilation=(2, 1), groups=3)
    np.testing.assert_allclose(q @ z.reshape(-1), y.data.reshape(-1), 1e-12)


def test_the_adjoint_is_the_transposed_matrix():
    w, size = drawn(3, 2, 3, 2, seed=5), (5, 4)
    q = F.conv2d_matrix(w, size, stride=2, padding=1)
    x = tg.tensor(drawn(1, 2, *size), requires_grad=True)
    y = F.conv2d(x, w, stride=2, padding=1)
    g = drawn(*y.shape, seed=3)
    y.backward(g)
    np.testing.assert_allclose(x.grad.reshape(-1), q.T @ g.reshape(-1), 1e-12, 1e-12)


def test_initial_values_are_those_of_pytorch():
    tg.manual_seed(0)
    for layer, fan in [
        (nn.Conv1d(8, 64, 25), 8 * 25), (nn.Conv2d(8, 64, (3, 5), groups=4), 2 * 15),
        (nn.ConvTranspose2d(8, 64, 3, groups=2), 32 * 9),
    ]:  # fmt: skip
        bound = 1 / math.sqrt(fan)
        for p in layer.parameters():
            assert np.abs(p.data).max() <= bound
        w = layer.weight.data
        assert np.abs(w).max() > 0.98 * bound
        assert abs(w.std() * math.sqrt(3) / bound - 1) < 0.05 and abs(w.mean()) < bound / 20


@pytest.mark.parametrize("output_size", [9, 10, (10,), [2, 6, 10]])
def test_output_size_of_a_transposed_layer(output_size):
    layer = nn.ConvTranspose1d(2, 6, 3, stride=2, padding=1)
    wanted = output_size if isinstance(output_size, int) else output_size[-1]
    assert layer(tg.ones(2, 2, 5), output_size=output_size).shape == (2, 6, wanted)
    with pytest.raises(tg.ShapeError, match=r"\(9,\) up to \(10,\)"):
        layer(tg.ones(2, 2, 5), output_size=11)


def test_printed_forms():
    assert repr(nn.Conv1d(2, 4, 3, padding="same", bias=False)) == (
        "Conv1d(2, 4, kernel_size=(3,), stride=(1,), padding='same', bias=False)"
    )
    assert repr(nn.Conv2d(2, 4, 3, 2, 1, (1, 2), 2, padding_mode="reflect")) == (
        "Conv2d(2, 4, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), dilation=(1, 2), "
        "groups=2, padding_mode='reflect')"
    )
    assert repr(nn.ConvTranspose2d(2, 4, 3, 2, 0, 1)) == (
        "ConvTranspose2d(2, 4, kernel_size=(3, 3), stride=(2, 2), output_padding=(1, 1))"
    )


CASES = {
    "channels": (lambda n: n(tg.ones(2, 5, 6, 6)), "(N, 2, H, W) (2, 5, 6, 6) Conv2d(5 0"),
    "channels inside": (lambda n: n(tg.ones(1, 2, 2, 2)), "(L + before + after L = 1 k = 3 1"),
    "no channels": (lambda n: n(tg.ones(6, 6)), "(6, 6) (N, 2, H, W) 0"),
    "five axes": (lambda n: n(tg.ones(1, 1, 2, 6, 6)), "(1, 1, 2, 6, 6) 0"),
    "a text": (lambda n: n("image"), "tensors str 0"),
    "float64": (lambda n: n(np.ones((1, 2, 6, 6))), "float32 float64 astype 0"),
    "same and a stride": (
        lambda n: F.conv2d(tg.ones(1, 2, 6, 6), n[0].weight, stride=2, padding="same"),
        "padding='same' strided k // 2",
    ),
    "same and a stride, layer": (lambda n: nn.Conv1d(2, 2, 3, 2, "same"), "Conv1d 'same' strided"),
    "an unknown padding": (lambda n: nn.Conv2d(2, 2, 3, padding="full"), "padding 'full'"),
    "a negative padding": (lambda n: nn.Conv2d(2, 2, 3, padding=-1), "padding -1"),
    "stride 0": (lambda n: nn.Conv2d(2, 2, 3, stride=0), "stride 0"),
    "a fraction": (lambda n: nn.Conv1d(2, 2, 2.5), "kernel_size 2.5"),
    "three lengths": (lambda n: nn.Conv2d(2, 2, (3, 3, 3)), "kernel_size (3, 3, 3) 2"),
    "True": (lambda n: nn.Conv1d(2, 2, True), "kernel_size True"),
    "no channels out": (lambda n: nn.Conv1d(2, 0, 3), "out_channels 0"),
    "groups": (lambda n: nn.Conv1d(4, 6, 3, groups=4), "groups=4 out_channels=6"),
    "a mode": (lambda n: nn.Conv1d(4, 6, 3, padding_mode="mirror"), "padding_mode 'mirror'"),
    "a bias": (lambda n: nn.Conv1d(4, 6, 3, bias=None), "bias None"),
    "same for a transposed one": (
        lambda n: nn.ConvTranspose1d(4, 6, 3, padding="same"),
        "ConvTranspose1d 'same' whole",
    ),
    "a mode of a transposed one": (
        lambda n: nn.ConvTranspose1d(4, 6, 3, padding_mode="reflect"), "'zeros' 'reflect'",
    ),
    "output padding": (
        lambda n: nn.ConvTranspose1d(4, 6, 3, output_padding=1)(tg.ones(4, 5)),
        "output_padding stride 1 smaller",
    ),
    "nothing left": (
        lambda n: nn.ConvTranspose1d(1, 1, 1, padding=3)(tg.ones(1, 4)),
        "(L − 1) · stride (-2,) less padding",
    ),
    "same for a transposed function": (
        lambda n: F.conv_transpose1d(tg.ones(1, 4), tg.ones(1, 1, 2), padding="same"), "'same'",
    ),
    "a weight of another dimension": (
        lambda n: F.conv1d(tg.ones(1, 4, 4), tg.ones(1, 4, 2, 2)), "conv1d 3 axes (1, 4, 2, 2)",
    ),
    "a weight for other channels": (
        lambda n: F.conv1d(tg.ones(1, 4, 4), tg.ones(2, 2, 3)), "conv1d 2 4 (1, 4, 4) (2, 2, 3)",
    ),
    "groups of a function": (
        lambda n: F.conv1d(tg.ones(1, 4, 4), tg.ones(3, 2, 3), groups=2), "groups=2 4 3",
    ),
    "a bias of another length": (
        lambda n: F.conv1d(tg.ones(1, 4, 4), tg.ones(2, 4, 3), tg.ones(3)), "bias (2,) (3,)",
    ),
    "a bias of a transposed function": (
        lambda n: F.conv_transpose1d(tg.ones(1, 4, 4), tg.ones(4, 2, 3), tg.ones(3)),
        "conv_transpose1d bias (2,) (3,)",
    ),
    "a transposed weight": (
        lambda n: F.conv_transpose1d(tg.ones(1, 4, 4), tg.ones(2, 4, 3)), "conv_transpose1d 2 4",
    ),
    "a matrix of four axes": (lambda n: F.conv1d_matrix(np.ones((1, 1, 2, 2)), 4), "conv1d_matrix"),
    "a size of the adjoint": (
        lambda n: tg.REGISTRY["conv_transpose"](tg.ones(1, 1, 4), tg.ones(1, 1, 3), size=7),
        "(5,) size (7,)",
    ),
    "a gradient of other positions": (
        lambda n: tg.REGISTRY["conv_weight"](tg.ones(1, 1, 4), tg.ones(1, 1, 3), kernel_size=3),
        "conv_weight (1, '…', 2)",
    ),
}  # fmt: skip


INSIDE = list(CASES)[:6]
"""Those that are raised in the call of a module: the path is their last word."""


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_explained(case):
    action, words = CASES[case]
    net = nn.Conv2d(2, 3, 2) >> nn.Conv2d(3, 1, 3)
    with pytest.raises(tg.TinygraphError) as caught:
        action(net)
    message = str(caught.value)
    assert all(word in message for word in words.split(" ")), message
    if case in INSIDE:
        assert message.endswith(f"In module {words[-1]}."), message
