"""Random programs against PyTorch: values and gradients to 1e-9 in float64."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import given, settings
from random_graphs import X, Y, execute, programs

import tinygraph as tg

torch = pytest.importorskip("torch")
FULL = os.environ.get("TINYGRAPH_FULL") == "1"


class TorchByNumpysNames:
    """The functions of PyTorch that the programs use, under NumPy's names and keywords."""

    def __getattr__(self, name):
        return getattr(torch.nn.functional if name in ("gelu", "softplus") else torch, name)

    def softmax(self, x, axis):
        return torch.softmax(x, dim=axis)

    def log_softmax(self, x, axis):
        return torch.log_softmax(x, dim=axis)

    def logsumexp(self, x, axis):
        return torch.logsumexp(x, dim=axis)

    def mean(self, x, axis, keepdims=False):
        return torch.mean(x, dim=axis, keepdim=keepdims)

    def var(self, x, axis, keepdims=False):
        return torch.var(x, dim=axis, keepdim=keepdims, correction=0)

    def max(self, x, axis):
        return torch.amax(x, dim=axis)

    def prod(self, x, axis, keepdims=False):
        return torch.prod(x, dim=axis, keepdim=keepdims)

    def norm(self, x, axis, keepdims=False):
        return torch.linalg.vector_norm(x, dim=axis, keepdim=keepdims)

    def cumsum(self, x, axis):
        return torch.cumsum(x, dim=axis)

    def sort(self, x, axis):
        return torch.sort(x, dim=axis, stable=True).values

    def flip(self, x, axis):
        return torch.flip(x, dims=(axis,))

    def roll(self, x, shift, axis):
        return torch.roll(x, shift, dims=axis)

    def concatenate(self, tensors, axis):
        return torch.cat(tensors, dim=axis)

    def stack(self, tensors, axis):
        return torch.stack(tensors, dim=axis)


@settings(max_examples=5000 if FULL else 200, deadline=None)
@given(programs())
def test_random_programs(program):
    ours = [tg.tensor(v, requires_grad=True) for v in (X, Y)]
    theirs = [torch.tensor(v, requires_grad=True) for v in (X, Y)]
    out, wanted = execute(tg, program, *ours), execute(TorchByNumpysNames(), program, *theirs)
    np.testing.assert_allclose(out.data, wanted.detach().numpy(), rtol=1e-9, atol=1e-9)
    if not wanted.requires_grad:
        return
    out.sum().backward()
    wanted.sum().backward()
    for a, b in zip(ours, theirs, strict=True):
        if b.grad is None:
            assert a.grad is None
        else:
            np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-9, atol=1e-9)
