"""Convolutions equal PyTorch's: values, gradients of two orders, state dicts both ways."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from peers_common import both, compare, move_back

import tinygraph as tg

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]

F, T = tg.nn.functional, torch.nn.functional
SIZES = {1: (9,), 2: (8, 7)}
WINDOWS = [
    {"stride": s, "padding": p, "dilation": d, "groups": g}
    for s, p, d, g in itertools.product((1, 2, 3), (0, 1, 2), (1, 2), (1, 2))
]
LAYERS = [
    *[("Conv1d", (4, 6, k), w) for k in (1, 3, 4) for w in WINDOWS],
    *[("Conv2d", (4, 2, k), w) for k in (1, 2, 3) for w in WINDOWS],
    *[("Conv1d", (4, 6, k), {"padding": "same", "dilation": d}) for k in (1, 2, 5) for d in (1, 2)],
    *[("Conv2d", (4, 6, k), {"padding": "same", "bias": False}) for k in (3, (2, 5), (4, 1))],
    ("Conv1d", (4, 8, 3), {"groups": 4, "padding": "valid"}),
    ("Conv2d", (4, 4, (1, 3)), {"stride": (3, 1), "padding": (0, 2), "dilation": (1, 2)}),
    *[(f"Conv{n}d", (4, 6, 3), {"padding": p, "padding_mode": m}) for n in (1, 2)
      for p in (1, "same") for m in ("reflect", "replicate", "circular")],
    *[("ConvTranspose1d", (4, 6, k), {**w, "output_padding": e}) for k in (1, 3) for w in WINDOWS
      for e in (0, 1) if e < max(w["stride"], w["dilation"])],
    *[("ConvTranspose2d", (4, 6, 3), {**w, "output_padding": w["stride"] - 1}) for w in WINDOWS],
    ("ConvTranspose2d", (4, 2, (2, 3)), {"stride": (3, 1), "dilation": (1, 2), "bias": False}),
    ("ConvTranspose2d", (4, 2, (2, 3)), {"dilation": (3, 1), "output_padding": (2, 0),
                                         "padding": 1}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "args", "options"), LAYERS, ids=str)
def test_layers_equal(name, args, options):
    ours, theirs = both(name, *args, **options)
    size = SIZES[int(name[-2])]
    compare(ours, theirs, [(2, 4, *size)], second_order=True)
    compare(ours, theirs, [(4, *size)])
    move_back(ours, theirs)


@pytest.mark.parametrize("batch", [0, 1, 5])
@pytest.mark.parametrize("name", ["Conv1d", "Conv2d", "ConvTranspose1d", "ConvTranspose2d"])
def test_batches(name, batch):
    ours, theirs = both(name, 4, 6, 3, stride=2, padding=1)
    compare(ours, theirs, [(batch, 4, *SIZES[int(name[-2])])])


@pytest.mark.parametrize(
    ("name", "args", "options"), [c for c in LAYERS if c[2].get("padding_mode") is None][::7],
    ids=str,
)  # fmt: skip
def test_printed_as_pytorch_does(name, args, options):
    ours, theirs = both(name, *args, **options)
    assert repr(ours) == repr(theirs).replace("padding=same", "padding='same'").replace(
        "padding=valid", "padding='valid'"
    )


def test_functionals_take_arguments_in_the_same_order():
    rng = np.random.default_rng(0)
    x, w, b = rng.normal(size=(2, 4, 9)), rng.normal(size=(6, 2, 3)), rng.normal(size=6)
    y = F.conv1d(x, w, b, 2, 1, 2, 2)
    u = T.conv1d(*map(torch.tensor, (x, w, b)), 2, 1, 2, 2)
    np.testing.assert_allclose(y, u.numpy(), 1e-12, 1e-12)
    w = rng.normal(size=(4, 3, 3))
    y = F.conv_transpose1d(x, w, b, 3, 1, 2, 2, 1)
    u = T.conv_transpose1d(*map(torch.tensor, (x, w, b)), 3, 1, 2, 2, 1)
    np.testing.assert_allclose(y, u.numpy(), 1e-12, 1e-12)
    layer, theirs = both("ConvTranspose2d", 4, 6, 3, 2, 1)
    x = rng.normal(size=(2, 4, 5, 5))
    for size in ((9, 10), (2, 6, 10, 9)):
        y, u = layer(tg.tensor(x), output_size=size), theirs(torch.tensor(x), output_size=size)
        np.testing.assert_allclose(y.data, u.detach().numpy(), 1e-9, 1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_initial_values_have_the_same_spread(seed):
    tg.manual_seed(seed)
    torch.manual_seed(seed)
    for name in ("Conv1d", "Conv2d", "ConvTranspose1d", "ConvTranspose2d"):
        ours = getattr(tg.nn, name)(16, 32, 3, groups=2)
        theirs = getattr(torch.nn, name)(16, 32, 3, groups=2)
        for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert p.shape == tuple(q.shape)
        np.testing.assert_allclose(
            np.abs(ours.weight.data).max(), theirs.weight.detach().abs().max().item(), 0.05
        )
