"""Normalizations equal PyTorch's: values, gradients of two orders, running statistics."""

from __future__ import annotations

import numpy as np
import pytest
from peers_common import both, compare, load, move_back

import tinygraph as tg
from tinygraph import nn

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]

BATCH = [{}, {"eps": 1e-3}, {"momentum": 0.3}, {"momentum": None}, {"affine": False},
         {"track_running_stats": False}, {"bias": False}]  # fmt: skip
CASES = [
    *[("LayerNorm", (6,), o, s) for s in [(6,), (3, 6), (2, 4, 6), (0, 6), (1, 6)]
      for o in [{}, {"eps": 0.1}, {"elementwise_affine": False}, {"bias": False}]],
    ("LayerNorm", ((4, 6),), {}, (3, 4, 6)),
    ("LayerNorm", ((2, 4, 6),), {}, (2, 4, 6)),
    *[("RMSNorm", (6,), o, s) for s in [(6,), (3, 6), (2, 4, 6), (0, 6)]
      for o in [{}, {"eps": 0.1}, {"elementwise_affine": False}]],
    *[("GroupNorm", (g, 6), o, s) for g in (1, 2, 6) for s in [(4, 6, 5), (2, 6, 3, 3), (0, 6, 2)]
      for o in [{}, {"affine": False, "eps": 0.01}, {"bias": False}]],
    ("GroupNorm", (2, 6), {}, (3, 6)),
    *[("BatchNorm1d", (6,), o, s) for o in BATCH for s in [(4, 6), (3, 6, 5), (1, 6, 5)]],
    *[("BatchNorm2d", (6,), o, s) for o in BATCH for s in [(4, 6, 2, 3), (1, 6, 3, 3)]],
    *[("InstanceNorm2d", (6,), o, (3, 6, 4, 2)) for o in
      [{}, {"affine": True}, {"affine": True, "bias": False},
       {"track_running_stats": True, "momentum": 0.3}]],
]  # fmt: skip


@pytest.mark.parametrize("second_order", [False, True], ids=["first", "second"])
@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("name, args, options, shape", CASES, ids=str)
def test_equal(name, args, options, shape, mode, second_order):
    ours, theirs = both(name, *args, **options)
    getattr(ours, mode)()
    getattr(theirs, mode)()
    compare(ours, theirs, [shape], second_order)


@pytest.mark.parametrize(
    "name, args, options, shape", [c for c in CASES if "Batch" in c[0]], ids=str
)
def test_running_statistics_over_several_batches(name, args, options, shape):
    ours, theirs = both(name, *args, **options)
    rng = np.random.default_rng(0)
    for _ in range(5):
        x = rng.normal(2, 3, shape)
        ours(tg.tensor(x))
        theirs(torch.tensor(x))
    state = ours.state_dict()
    assert list(state) == list(theirs.state_dict())
    for key, value in theirs.state_dict().items():
        np.testing.assert_allclose(state[key], value.numpy(), 1e-12)
    ours.eval(), theirs.eval()
    compare(ours, theirs, [shape])
    move_back(ours, theirs)


def test_functionals_with_statistics_of_ones_own():
    x = np.random.default_rng(0).normal(size=(5, 3, 4))
    mean, var = np.zeros(3), np.ones(3)
    m, v = torch.zeros(3, dtype=torch.float64), torch.ones(3, dtype=torch.float64)
    y = nn.functional.batch_norm(tg.tensor(x), mean, var, training=True, momentum=0.3)
    u = torch.nn.functional.batch_norm(torch.tensor(x), m, v, training=True, momentum=0.3)
    for a, b in [(y.data, u), (mean, m), (var, v)]:
        np.testing.assert_allclose(a, b.numpy(), 1e-12, 1e-12)


def test_one_value_per_channel_raises_in_both():
    for name, shape in [("BatchNorm1d", (1, 3)), ("BatchNorm2d", (1, 3, 1, 1)),
                        ("InstanceNorm2d", (2, 3, 1, 1))]:  # fmt: skip
        ours, theirs = both(name, 3)
        before = ours.state_dict()
        with pytest.raises(ValueError, match="more than one value"):
            ours(tg.zeros(*shape, dtype=np.float64))
        with pytest.raises(ValueError, match="more than 1"):
            theirs(torch.zeros(*shape, dtype=torch.float64))
        assert all(np.array_equal(before[k], v) for k, v in ours.state_dict().items())
    load(ours, theirs)
