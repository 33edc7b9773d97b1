"""What the tables of bad input share: the operands, and the check that nothing changed.

A row is (code, class, words): the code runs with the names of `world()`, raises an error of
the class, and each word (a regular expression) is in its message.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import check
from tinygraph.core.errors import TinygraphError

SHAPE, DTYPE, USAGE = tg.ShapeError, tg.DtypeError, tg.UsageError
INDEX, GRADIENT = tg.IndexRangeError, tg.GradientError

Row = tuple[str, type[TinygraphError], Sequence[str]]


def world():
    """Return fresh operands; the rows refer to them by name."""
    x = tg.tensor(np.arange(6.0).reshape(2, 3), requires_grad=True, name="x")
    used = (x * x).sum()
    used.backward()
    x.grad = None
    return {
        "tg": tg,
        "np": np,
        "check": check,
        "x": x,
        "v": tg.tensor([1.0, 2.0, 3.0]),
        "w": tg.tensor(np.ones(4)),
        "s": tg.tensor(2.0, requires_grad=True),
        "i": tg.tensor([0, 1]),
        "mask": tg.tensor([True, False]),
        "empty": tg.zeros(0, 3),
        "y": x * 2.0,
        "used": used,
        "a": np.ones(3),
    }


def state(names):
    """Return everything that a failed call must leave alone."""
    tensors = {k: t for k, t in names.items() if isinstance(t, tg.Tensor)}
    kept = {k: (t.data.tobytes(), t.grad, t.requires_grad, t.used) for k, t in tensors.items()}
    kept["versions"] = [t._storage.written if t._storage else 0 for t in tensors.values()]
    return kept | {"a": names["a"].tobytes(), "dtype": tg.get_default_dtype()}


def cases(groups: Mapping[str, Sequence[Row]]):
    """Return the parameters of a test over groups of rows: code, class, words."""
    return [
        pytest.param(*row, id=f"{group}: {row[0]}")
        for group, rows in groups.items()
        for row in rows
    ]


def check_row(code, cls, words):
    """Run one row."""
    names = world()
    before = state(names)
    with pytest.raises(cls) as caught:
        exec(code, names)
    message = str(caught.value)
    assert isinstance(caught.value, TinygraphError)
    for word in words:
        assert re.search(word, message, re.DOTALL), f"{word!r} is not in: {message}"
    assert state(names) == before


def check_all_differ(groups: Mapping[str, Sequence[Row]], least: int):
    """No row stands twice, and there are enough."""
    codes = [row[0] for rows in groups.values() for row in rows]
    assert len(set(codes)) == len(codes) >= least
