"""The pairs of expressions in core/other_names.py have one value."""

from __future__ import annotations

import numpy as np
import pytest

import tinygraph as tg
from tinygraph.core.other_names import PAIRS

torch = pytest.importorskip("torch")

T = np.array([[1.0, -2.0, 3.0], [0.5, 1.0, 2.0]], np.float32)
SQUARE = np.arange(18, dtype=np.float32).reshape(2, 3, 3)


def spaces(ours):
    t, u = (SQUARE, SQUARE + 1) if ours == "t @ u" else (T, T % 2)
    i = np.array([2, 0])
    there = {"t": torch.tensor(t, requires_grad=True), "u": torch.tensor(u), "i": torch.tensor(i)}
    here = {"t": tg.tensor(t, requires_grad=True), "u": tg.tensor(u), "i": tg.tensor(i)}
    return {**there, "torch": torch}, {**here, "tg": tg, "np": np}


def plain(value):
    """Return a value of either side as an array, or as what can be compared."""
    if isinstance(value, torch.dtype):
        return str(value).removeprefix("torch.")
    if isinstance(value, type):
        return value.__name__.rstrip("_")
    if isinstance(value, torch.Tensor):
        return value.detach().numpy()
    return value.detach().numpy() if isinstance(value, tg.Tensor) else np.asarray(value)


@pytest.mark.parametrize("theirs, ours", PAIRS, ids=[theirs for theirs, _ in PAIRS])
def test_both_expressions_have_one_value(theirs, ours):
    there, here = spaces(ours)
    if "unique" in theirs or "nonzero" in theirs or "tolist" in theirs or "is_tensor" in theirs:
        here["t"] = here["t"].detach()
    expected, found = plain(eval(theirs, there)), plain(eval(ours, here))
    if isinstance(expected, str):
        assert found == expected
        return
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert found.dtype == expected.dtype and found.shape == expected.shape
