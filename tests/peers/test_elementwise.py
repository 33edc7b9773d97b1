"""Elementwise ops and activations equal PyTorch's: values and gradients, in float64."""

from __future__ import annotations

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]

SHAPES = [(), (5,), (4, 6), (0, 2), (2, 4, 2)]
REAL, POSITIVE, UNIT = (-4.0, 4.0), (0.05, 4.0), (-0.97, 0.97)
F = torch.nn.functional


def draw(shape, span, seed=0):
    return np.random.default_rng(seed).uniform(*span, shape)


def compare(ours, theirs, *arrays):
    """Compare the values, and the gradients of a weighted sum."""
    xs = [tg.tensor(a, requires_grad=True) for a in arrays]
    us = [torch.tensor(a, requires_grad=True) for a in arrays]
    y, v = ours(*xs), theirs(*us)
    np.testing.assert_allclose(y.data, v.detach().numpy(), 1e-9, 1e-9)
    weights = draw(y.shape, (0.5, 1.5), 9)
    (y * weights).sum().backward()
    (v * torch.tensor(weights)).sum().backward()
    for x, u in zip(xs, us, strict=True):
        np.testing.assert_allclose(x.grad, u.grad.numpy(), 1e-9, 1e-9)


UNARY = {
    "exp2": REAL, "expm1": REAL, "log2": POSITIVE, "log10": POSITIVE, "log1p": POSITIVE,
    "rsqrt": POSITIVE, "reciprocal": POSITIVE, "tan": (-1.4, 1.4), "arcsin": UNIT, "arccos": UNIT,
    "arctan": REAL, "sinh": REAL, "cosh": REAL, "arcsinh": REAL, "arccosh": (1.05, 9.0),
    "arctanh": UNIT, "logit": (0.01, 0.99), "floor": REAL, "ceil": REAL, "round": REAL,
    "trunc": REAL, "nan_to_num": REAL,
}  # fmt: skip
ACTIVATIONS = {
    "relu6": (-3.0, 9.0), "leaky_relu": REAL, "elu": REAL, "selu": REAL, "silu": REAL,
    "mish": REAL, "softsign": REAL, "logsigmoid": REAL, "hardtanh": REAL, "hardswish": REAL,
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", UNARY)
def test_unary(name, shape):
    compare(getattr(tg, name), getattr(torch, name), draw(shape, UNARY[name]))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(name, shape):
    compare(getattr(nn.functional, name), getattr(F, name), draw(shape, ACTIVATIONS[name]))


BINARY = {
    "fmax": (REAL, REAL), "fmin": (REAL, REAL), "arctan2": (REAL, REAL), "hypot": (REAL, REAL),
    "logaddexp": (REAL, REAL), "xlogy": (REAL, POSITIVE), "remainder": (REAL, (0.3, 2)),
    "fmod": (REAL, (-2, -0.3)), "copysign": (REAL, REAL),
}  # fmt: skip
PAIRS = [((), ()), ((4, 3), (4, 3)), ((4, 3), (3,)), ((4, 1), (1, 3)), ((), (2, 3)), ((0, 3), (3,))]


@pytest.mark.parametrize("shapes", PAIRS, ids=str)
@pytest.mark.parametrize("name", BINARY)
def test_binary(name, shapes):
    a, b = (draw(s, span, i) for i, (s, span) in enumerate(zip(shapes, BINARY[name], strict=True)))
    compare(getattr(tg, name), getattr(torch, name), a, b)


POINTS = {
    "leaky_relu(0)": (tg.leaky_relu, F.leaky_relu, [0.0]),
    "hardtanh at the edges": (tg.hardtanh, F.hardtanh, [[-1.0, 1.0]]),
    "relu6 at the edges": (tg.relu6, F.relu6, [[0.0, 6.0]]),
    "elu(0)": (lambda x: tg.elu(x, alpha=0.5), lambda x: F.elu(x, alpha=0.5), [0.0]),
    "selu(0)": (tg.selu, F.selu, [0.0]),
    "softsign(0)": (tg.softsign, F.softsign, [0.0]),
    "copysign(0, ·)": (tg.copysign, torch.copysign, [[0.0, 2.0], [1.0, -0.0]]),
    "fmax of equals": (tg.fmax, torch.maximum, [[1.0], [1.0]]),
    "xlogy(0, 1)": (tg.xlogy, torch.xlogy, [[0.0], [1.0]]),
    "nan_to_num": (tg.nan_to_num, torch.nan_to_num, [[np.nan, np.inf, -np.inf, 1.0]]),
    "logaddexp with −inf": (tg.logaddexp, torch.logaddexp, [[-np.inf, 1.0], [0.0, -np.inf]]),
    "round": (lambda x: tg.round(x, 1), lambda x: torch.round(x, decimals=1), [[0.25, -1.36]]),
}


@pytest.mark.parametrize(("ours", "theirs", "points"), POINTS.values(), ids=POINTS)
def test_conventions_at_kinks(ours, theirs, points):
    compare(ours, theirs, *(np.array(p) for p in points))


@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 4, 3), (0, 4)], ids=str)
def test_functions_with_arguments(shape):
    a, b, w = (draw(shape, REAL, i) for i in range(3))
    mask = b > 0
    compare(tg.lerp, torch.lerp, a, b, w)
    compare(lambda x: tg.masked_fill(x, mask, -2.0),
            lambda x: x.masked_fill(torch.tensor(mask), -2.0), a)  # fmt: skip
    compare(lambda x: tg.logit(x, eps=0.1), lambda x: torch.logit(x, eps=0.1), draw(shape, (0, 1)))
    compare(lambda x: tg.glu(x, axis=shape.index(4)), lambda x: F.glu(x, dim=shape.index(4)), a)
    compare(lambda x: tg.leaky_relu(x, negative_slope=0.2), lambda x: F.leaky_relu(x, 0.2), a)
    compare(lambda x: tg.hardtanh(x, min_val=-2, max_val=0.5),
            lambda x: F.hardtanh(x, -2, 0.5), a)  # fmt: skip
    compare(tg.prelu, F.prelu, a, np.array([0.3]))
    if len(shape) > 1:
        compare(tg.prelu, F.prelu, a, draw(shape[1:2], (0, 1)))


@pytest.mark.parametrize("name", ["logical_and", "logical_or", "logical_xor"])
def test_logic(name):
    a, b = np.array([0.0, 0.0, 2.0, -1.0]), np.array([0.0, 3.0, 0.0, 1.0])
    wanted = getattr(torch, name)(torch.tensor(a), torch.tensor(b))
    np.testing.assert_array_equal(getattr(tg, name)(a, b), wanted.numpy())


MODULES = {
    "LeakyReLU": ({}, {"negative_slope": 0.2}), "ELU": ({}, {"alpha": 0.5}), "SiLU": ({},),
    "SELU": ({},), "PReLU": ({}, {"num_parameters": 4, "init": 0.125}), "Mish": ({},),
    "Hardtanh": ({}, {"min_val": -2.0, "max_val": 0.5}), "Hardswish": ({},), "ReLU6": ({},),
    "Softsign": ({},), "LogSigmoid": ({},), "GLU": ({},),
}  # fmt: skip


@pytest.mark.parametrize("beta", [0.3, 1.0, 4.0])
def test_softplus_with_beta(beta):
    with_beta = torch.nn.Softplus(beta, threshold=1e9)
    compare(nn.Softplus(beta), with_beta, draw((3, 4), REAL))
    compare(lambda x: nn.functional.softplus(x, beta), with_beta, draw((3, 4), REAL))


@pytest.mark.parametrize(
    ("name", "options"), [(n, o) for n, every in MODULES.items() for o in every], ids=str
)
def test_modules(name, options):
    with tg.default_dtype(np.float64):
        ours = getattr(nn, name)(**options)
    theirs = getattr(torch.nn, name)(**options).to(torch.float64)
    assert repr(ours) == repr(theirs).replace("dim=", "axis=")
    assert list(ours.state_dict()) == list(theirs.state_dict())
    compare(ours, theirs, draw((3, 4), REAL))
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.grad, q.grad.numpy(), 1e-9, 1e-9)
