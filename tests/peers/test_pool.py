"""Pooling and up-sampling equal PyTorch's: many sizes, paddings, modes; ties go to the first."""

from __future__ import annotations

import functools
import os

import numpy as np
import pytest
from peers_common import both, compare

import tinygraph as tg
from tinygraph import nn

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]
F, G = nn.functional, torch.nn.functional
FULL = os.environ.get("TINYGRAPH_FULL") == "1"

MODULES = [
    *[("MaxPool1d", a, s)
      for a in [(2,), (3, 1), (3, 2, 1), (2, 1, 0, 2), (3, 2, 1, 1, False, True)]
      for s in [(2, 3, 9), (3, 8), (1, 1, 6)]],
    *[("MaxPool2d", a, s) for a in [(2,), (3, 1), (3, 2, 1), ((3, 2), (2, 1), (1, 0), (1, 2))]
      for s in [(2, 3, 9, 8), (3, 8, 7), (0, 2, 6, 6)]],
    *[("AvgPool1d", a, s) for a in [(2,), (3, 1), (3, 2, 1), (3, 2, 1, True, False)]
      for s in [(2, 3, 9), (3, 8)]],
    *[("AvgPool2d", a, s) for a in [(2,), (3, 2, 1), ((3, 2), 2, (1, 0), True, False),
                                    (3, 2, 1, False, True, 5)]
      for s in [(2, 3, 9, 8), (3, 8, 7), (0, 2, 6, 6)]],
    *[(f"Adaptive{kind}Pool1d", (m,), s) for kind in ("Avg", "Max") for m in (1, 2, 5, 9)
      for s in [(2, 3, 8), (3, 7)]],
    *[(f"Adaptive{kind}Pool2d", (m,), s) for kind in ("Avg", "Max") for m in (1, (2, 5), (None, 3))
      for s in [(2, 3, 8, 7), (3, 6, 6)]],
    *[("Upsample", a, (2, 3, 5)) for a in [(None, 2), (8,), (None, 1.7, "linear", True),
      (4, None, "linear"), (None, 2.3, "nearest-exact"), (None, 2.3, "linear", False, True)]],
    *[("Upsample", a, (2, 3, 5, 4)) for a in [(None, 2), ((8, 3),), (None, 2, "bilinear", True),
      ((4, 9), None, "bilinear"), (None, 1.7, "bicubic"), (7, None, "bicubic", True)]],
]  # fmt: skip


@pytest.mark.parametrize("name, arguments, shape", MODULES, ids=str)
def test_modules(name, arguments, shape):
    ours, theirs = both(name, *arguments)
    compare(ours, theirs, [shape], True)
    if name not in ("AvgPool1d", "Upsample"):  # those show tuples and floats
        assert repr(ours) == repr(theirs)


def sizes(rng, count):
    """Draw lengths, kernel, stride, padding and dilation that PyTorch accepts."""
    n, k, s = (tuple(int(v) for v in rng.integers(1, top, count)) for top in (12, 5, 5))
    p = tuple(int(rng.integers(0, v // 2 + 1)) for v in k)
    d = tuple(int(v) for v in rng.integers(1, 3, count))
    if max(d) > 1 and min(n) < 6:
        p = (0,) * count  # PyTorch crashes where a window has no element
    return n, k, s, p, d


@pytest.mark.parametrize("count", [1, 2])
def test_random_windows(count):
    """Values, gradients and places over random windows, with many ties."""
    rng = np.random.default_rng(count)
    tried = 0
    for _ in range(2000 if FULL else 150):
        n, k, s, p, d = sizes(rng, count)
        x = rng.integers(0, 4, size=(2, 3, *n)).astype(float)
        ceil, include = (bool(v) for v in rng.integers(0, 2, 2))
        for name, options in (
            (f"max_pool{count}d", {"dilation": d, "return_indices": True}),
            (f"avg_pool{count}d", {"count_include_pad": include}),
        ):
            t, u = tg.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
            try:
                theirs = getattr(G, name)(u, k, s, p, ceil_mode=ceil, **options)
            except RuntimeError:
                with pytest.raises(tg.ShapeError):
                    getattr(F, name)(t, k, s, p, ceil_mode=ceil, **options)
                continue
            ours = getattr(F, name)(t, k, s, p, ceil_mode=ceil, **options)
            if name[0] == "m":
                np.testing.assert_array_equal(ours[1].data, theirs[1].numpy())
                ours, theirs = ours[0], theirs[0]
            np.testing.assert_allclose(ours.data, theirs.detach().numpy(), 1e-9)
            g = rng.normal(size=ours.shape)
            ours.backward(g)
            theirs.backward(torch.tensor(g))
            np.testing.assert_allclose(t.grad, u.grad.numpy(), 1e-9, 1e-12)
            tried += 1
    assert tried > 100


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "bilinear", "bicubic", "area"])
def test_random_interpolation(mode):
    rng = np.random.default_rng(0)
    for _ in range(400 if FULL else 60):
        n = rng.integers(1, 9, 2)
        x = rng.normal(size=(2, 3, *n))
        options = {}
        if mode[0] == "b":
            options["align_corners"] = [None, True, False][rng.integers(3)]
        if rng.random() < 0.5:
            options["size"] = tuple(int(v) for v in rng.integers(1, 14, 2))
        else:
            factors = tuple(float(v) for v in rng.choice([0.5, 0.7, 1, 1.2, 1.5, 2, 2.3, 3], 2))
            options |= {"scale_factor": factors, "recompute_scale_factor": rng.random() < 0.5}
            if any(int(a * b) < 1 for a, b in zip(n, factors, strict=True)):
                continue
        ours = F.interpolate(tg.tensor(x), mode=mode, **options)
        theirs = G.interpolate(torch.tensor(x), mode=mode, **options)
        np.testing.assert_allclose(ours.data, theirs.numpy(), 1e-9, 1e-9)


def test_nearest_takes_the_same_elements_for_all_lengths():
    for n in range(1, 30):
        x = np.arange(float(n)).reshape(1, 1, n)
        for m in range(1, 60):
            for mode in ("nearest", "nearest-exact"):
                theirs = G.interpolate(torch.tensor(x), m, mode=mode)
                np.testing.assert_array_equal(F.interpolate(x, m, mode=mode), theirs.numpy())


def test_functions_take_what_pytorch_takes():
    x = np.random.default_rng(0).normal(size=(2, 3, 8, 8))
    identity = torch.nn.Identity()
    for name, arguments in [
        ("max_pool2d", (3, 2, 1)), ("avg_pool2d", ((2, 3), None, (1, 0))),
        ("adaptive_avg_pool2d", ((3, 5),)), ("adaptive_max_pool2d", ((3, 5),)),
        ("interpolate", ((11, 5), None, "bilinear", True)),
    ]:  # fmt: skip
        ours, theirs = (
            functools.partial(_swapped, getattr(library, name), arguments) for library in (F, G)
        )
        compare(nn.Identity(), identity, [x.shape], True, ours, theirs)


def _swapped(function, arguments, x):
    return function(x, *arguments)
