"""Creation functions against NumPy's."""

from __future__ import annotations

import numpy as np
import pytest

import tinygraph as tg

LIKE = tg.tensor(np.ones((2, 3), np.float16))
MADE = {
    "zeros": (lambda: tg.zeros(2, 3), np.zeros((2, 3), np.float32)),
    "zeros of a tuple": (lambda: tg.zeros((2, 3)), np.zeros((2, 3), np.float32)),
    "zeros, 0-d": (lambda: tg.zeros(()), np.zeros((), np.float32)),
    "ones": (lambda: tg.ones(2, dtype=np.int64), np.ones(2, np.int64)),
    "full": (lambda: tg.full((2,), 0.5), np.full(2, 0.5, np.float32)),
    "full of ints": (lambda: tg.full(2, 7), np.full(2, 7)),
    "full of rows": (lambda: tg.full((2, 2), [1, 2]), np.full((2, 2), [1, 2])),
    "eye": (lambda: tg.eye(2, 3), np.eye(2, 3, dtype=np.float32)),
    "arange": (lambda: tg.arange(3), np.arange(3)),
    "arange with limits": (lambda: tg.arange(1, 8, 2), np.arange(1, 8, 2)),
    "arange backwards": (lambda: tg.arange(5, 0, -2), np.arange(5, 0, -2)),
    "arange of floats": (lambda: tg.arange(0.0, 1, 0.25), np.arange(0, 1, 0.25, np.float32)),
    "linspace": (lambda: tg.linspace(0, 1, 5), np.linspace(0, 1, 5, dtype=np.float32)),
    "zeros_like": (lambda: tg.zeros_like(LIKE), np.zeros((2, 3), np.float16)),
    "ones_like": (lambda: tg.ones_like(LIKE, dtype=np.int8), np.ones((2, 3), np.int8)),
    "full_like": (lambda: tg.full_like(LIKE, 2), np.full((2, 3), 2, np.float16)),
    "like an array": (lambda: tg.zeros_like(np.ones(2)), np.zeros(2)),
}


@pytest.mark.parametrize(("make", "wanted"), MADE.values(), ids=MADE)
def test_values_and_dtype(make, wanted):
    made = make()
    assert made.is_leaf and not made.requires_grad and made.dtype == wanted.dtype
    np.testing.assert_array_equal(made.numpy(), wanted)


@pytest.mark.parametrize(
    "make",
    [
        lambda: tg.zeros(2, requires_grad=True),
        lambda: tg.full((2,), 0.5, requires_grad=True),
        lambda: tg.eye(2, requires_grad=True),
        lambda: tg.arange(3, requires_grad=True),
        lambda: tg.linspace(0, 1, 3, requires_grad=True),
        lambda: tg.ones_like(LIKE, requires_grad=True),
    ],
)
def test_leaves_that_require_grad(make):
    x = make()
    (x * 2.0).sum().backward()
    np.testing.assert_array_equal(x.grad, np.full(x.shape, 2, x.dtype))
