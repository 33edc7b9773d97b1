"""One module in both frameworks, with the same values, compared in float64 at 1e-9."""

from __future__ import annotations

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn

torch = pytest.importorskip("torch")
TOLERANCE = 1e-9


def both(name, *args, **options):
    """Build the module in both, ours with the values of PyTorch's (drawn, not 0 and 1)."""
    theirs = getattr(torch.nn, name)(*args, **options).double()
    with tg.default_dtype(np.float64):
        ours = getattr(nn, name)(*args, **options)
    fill(theirs)
    load(ours, theirs)
    return ours, theirs


def fill(theirs):
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for p in theirs.parameters():
            p.copy_(torch.randn(p.shape, generator=generator, dtype=torch.float64) * 0.5 + 0.1)


def load(ours, theirs):
    """Move a state dict from PyTorch without renaming."""
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})


def move_back(ours, theirs):
    """Move a state dict to PyTorch without renaming."""
    theirs.load_state_dict({k: torch.tensor(v) for k, v in ours.state_dict().items()}, strict=True)


def tensors(output):
    """List the tensors in nested tuples, leaving out None."""
    if output is None:
        return []
    if isinstance(output, tuple | list):
        return [t for part in output for t in tensors(part)]
    return [output]


def close(a, b):
    np.testing.assert_allclose(a, b.detach().numpy(), TOLERANCE, TOLERANCE)


def compare(ours, theirs, shapes, second_order=False, call_ours=None, call_theirs=None, seed=0):
    """Compare values and gradients by inputs and parameters, on inputs of these shapes."""
    rng = np.random.default_rng(seed)
    arrays = [rng.normal(size=s) for s in shapes]
    x = [tg.tensor(a, requires_grad=True) for a in arrays]
    u = [torch.tensor(a, requires_grad=True) for a in arrays]
    y = tensors((call_ours or ours)(*x))
    v = tensors((call_theirs or theirs)(*u))
    assert len(y) == len(v)
    for a, b in zip(y, v, strict=True):
        close(a.data, b)
    loss = sum((t * np.cos(np.arange(t.size)).reshape(t.shape)).sum() for t in y)
    theirs_loss = sum(
        (t * torch.tensor(np.cos(np.arange(t.numel())).reshape(t.shape))).sum() for t in v
    )
    p = [*x, *(q for q in ours.parameters())]
    q = [*u, *theirs.parameters()]
    g = tg.grad(loss, p, create_graph=second_order, allow_unused=True)
    h = torch.autograd.grad(theirs_loss, q, create_graph=second_order, allow_unused=True)
    _compare_gradients(g, h)
    if second_order:
        again = sum((t * t).sum() for t in g if t is not None)
        theirs_again = sum((t * t).sum() for t in h if t is not None)
        if again.requires_grad and theirs_again.requires_grad:
            g2 = tg.grad(again, p, allow_unused=True)
            h2 = torch.autograd.grad(theirs_again, q, allow_unused=True)
            _compare_gradients(g2, h2)


def _compare_gradients(ours, theirs):
    for a, b in zip(ours, theirs, strict=True):
        if a is None or b is None:
            assert a is None or not a.data.any()
            assert b is None or not b.detach().numpy().any()
        else:
            close(a.data, b)
