"""Initial values have the spread of PyTorch's, and its gains; basic modules have its keys."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]

GAINS = ["linear", "conv1d", "conv2d", "conv_transpose2d", "sigmoid", "tanh", "relu", "selu"]
SCHEMES = [
    ("uniform_", (-0.3, 0.7)),
    ("normal_", (0.2, 0.5)),
    ("trunc_normal_", (0.1, 1.0, -0.5, 1.5)),
    ("xavier_uniform_", ()),
    ("xavier_normal_", (2.0,)),
    ("kaiming_uniform_", (math.sqrt(5),)),
    ("kaiming_normal_", (0.0, "fan_out", "relu")),
    ("orthogonal_", (1.5,)),
]


@pytest.mark.parametrize("name", GAINS)
def test_gains(name):
    assert nn.init.calculate_gain(name) == pytest.approx(torch.nn.init.calculate_gain(name))


@pytest.mark.parametrize("slope", [None, 0.0, 0.2, math.sqrt(5)])
def test_gains_of_leaky_relus(slope):
    theirs = torch.nn.init.calculate_gain("leaky_relu", slope)
    assert nn.init.calculate_gain("leaky_relu", slope) == pytest.approx(theirs)


@pytest.mark.parametrize("shape", [(300, 200), (40, 30, 5, 5)])
@pytest.mark.parametrize(("name", "arguments"), SCHEMES)
def test_distributions(name, arguments, shape):
    """Positional arguments mean the same; quantiles agree."""
    torch.manual_seed(0)
    ours = getattr(nn.init, name)(tg.zeros(shape), *arguments, generator=tg.Generator(0)).data
    theirs = getattr(torch.nn.init, name)(torch.zeros(shape), *arguments).numpy()
    levels = np.linspace(0.01, 0.99, 15)
    scale = theirs.std()
    np.testing.assert_allclose(
        np.quantile(ours, levels) / scale, np.quantile(theirs, levels) / scale, atol=0.06
    )


@pytest.mark.parametrize(("name", "arguments"), [("ones_", ()), ("zeros_", ()), ("eye_", ()),
                                                 ("constant_", (0.3,))])  # fmt: skip
def test_constants(name, arguments):
    ours = getattr(nn.init, name)(tg.zeros(3, 4), *arguments)
    theirs = getattr(torch.nn.init, name)(torch.zeros(3, 4), *arguments)
    np.testing.assert_array_equal(ours.data, theirs.numpy())


def test_an_mlp_moves_in_both_directions():
    ours = nn.MLP([3, 8, 2], activation=nn.Tanh).astype(np.float64)
    theirs = torch.nn.Sequential(
        torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2)
    ).double()
    theirs.load_state_dict({k: torch.tensor(v) for k, v in ours.state_dict().items()})
    x = np.random.default_rng(0).normal(size=(5, 3))
    np.testing.assert_allclose(
        ours(tg.tensor(x)).data, theirs(torch.tensor(x)).detach().numpy(), rtol=1e-12
    )
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})


def test_parameter_lists_and_dicts_have_the_same_keys():
    ours, theirs = nn.ParameterList([[1.0], [2.0]]), torch.nn.ParameterList([torch.ones(1)] * 2)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours, theirs = nn.ParameterDict({"a": [1.0]}), torch.nn.ParameterDict({"a": torch.ones(1)})
    assert list(ours.state_dict()) == list(theirs.state_dict())


@pytest.mark.parametrize("shape", [(2, 3, 4), (0, 3, 4), (1, 3, 4)])
def test_flatten_and_unflatten(shape):
    x = np.arange(math.prod(shape), dtype=np.float64).reshape(shape)
    for arguments in ((), (0,), (0, 1), (1, 2)):
        ours, theirs = nn.Flatten(*arguments)(x), torch.nn.Flatten(*arguments)(torch.tensor(x))
        np.testing.assert_array_equal(ours, theirs.numpy())
    theirs = torch.nn.Unflatten(2, (2, 2))(torch.tensor(x))
    np.testing.assert_array_equal(nn.Unflatten(2, (2, 2))(x), theirs.numpy())


def test_hooks_are_called_alike():
    def record(log):
        return lambda module, args, output: log.append((len(args), tuple(output.shape)))

    ours, theirs, a, b = nn.Linear(3, 2), torch.nn.Linear(3, 2), [], []
    handles = ours.register_forward_hook(record(a)), theirs.register_forward_hook(record(b))
    for _ in range(2):
        ours(tg.ones(4, 3)), theirs(torch.ones(4, 3))
        for handle in handles:
            handle.remove()
    assert a == b == [(1, (4, 2))]
