"""Vectors for things that are counted: rows of a table, and the waves that encode a place."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.errors import (
    DtypeError,
    IndexRangeError,
    ShapeError,
    UsageError,
    compose_message,
    describe,
)
from ..core.modes import get_default_dtype, module_path
from ..core.op import Op, op
from ..core.storage import Array
from ..core.tensor import Tensor
from .elementwise import where
from .index import ARRAY, place_add
from .operands import whole
from .shape import expand_dims


def _check(indices: Any, weight: Any, *, padding_idx: Any) -> dict[str, Any]:
    where_to = module_path()
    if weight.ndim != 2:
        raise ShapeError(
            compose_message(
                "embedding: the table of vectors has shape (number, length)", describe(weight),
                "embedding(indices, weight): the indices come first", where_to,
            )
        )  # fmt: skip
    if indices.dtype.kind not in "iu":
        raise DtypeError(
            compose_message(
                "embedding: indices are integers", describe(indices),
                "dtype=int, as in indices.astype(np.int64)", where_to,
            )
        )  # fmt: skip
    count = weight.shape[0]
    low, high = (indices.min(), indices.max()) if math.prod(indices.shape) else (0, -1)
    if low < 0 or high >= count:
        raise IndexRangeError(
            compose_message(
                f"embedding: indices go from 0 to {count - 1} for {count} vectors",
                f"index {int(low if low < 0 else high)}",
                "more num_embeddings, or an index for what is unknown", where_to,
            )
        )  # fmt: skip
    return {"padding_idx": checked_padding(padding_idx, count)}


def checked_padding(padding_idx: Any, count: int) -> int | None:
    """Return the index of padding among ``count`` vectors; negative ones count from the end."""
    if padding_idx is None:
        return None
    real = isinstance(padding_idx, int | np.integer) and not isinstance(padding_idx, bool)
    if not real or not -count <= padding_idx < count:
        raise UsageError(
            f"embedding: padding_idx is an index of {count} vectors, received {padding_idx!r}."
        )
    return int(padding_idx) % count


def _embedding_vjp(g: Any, y: Any, indices: Any, weight: Any, *, padding_idx: int | None) -> Any:
    if padding_idx is not None:
        g = where(expand_dims(indices == padding_idx, axis=-1), 0.0, g)
    return place_add(g, indices, index=(ARRAY,), shape=weight.shape)


embedding: Op = op(
    "embedding", lambda indices, weight, *, padding_idx=None: np.asarray(weight)[indices],
    kind="index", label="[ ]", formula="weight[indices]", saves="indices", discrete=[0],
    local=["", "0 but for the selected rows"], vjps=[None, _embedding_vjp], prepare=_check,
    kinks="the row padding_idx has gradient 0",
    doc="""Select rows of a table of vectors.

Parameters
----------
indices : Tensor or ndarray of integers, any shape
    Row numbers from 0 on, checked once a call.
weight : Tensor or ndarray, shape (number, length)
    The table.
padding_idx : int or None
    A row that gets no gradient.

Returns
-------
Tensor, shape (*indices.shape, length)

Raises
------
DtypeError, IndexRangeError, ShapeError
    If the indices are not integers or out of range, or the table is none.

Examples
--------
>>> import tinygraph as tg
>>> tg.nn.functional.embedding(tg.tensor([2, 0]), tg.eye(3))
tensor([[0., 0., 1.],
        [1., 0., 0.]])""",
)  # fmt: skip


def sinusoidal_positions(length: int, dim: int) -> Tensor:
    """Encode places by waves of ``dim/2`` lengths, from 2π to 10000 · 2π.

    ``P[t, 2i] = sin(t / 10000^(2i/dim))``, ``P[t, 2i+1]`` its cosine: a shift by a fixed
    number of places is a rotation of each pair, the same for every t.

    Parameters
    ----------
    length : int
        How many places.
    dim : int
        Length of each vector; odd ones end with a sine.

    Returns
    -------
    Tensor, shape (length, dim)
        In the default float dtype.

    Raises
    ------
    UsageError
        If a number is negative.

    Notes
    -----
    Source: Vaswani et al. 2017, Attention is all you need.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.nn.functional.sinusoidal_positions(1, 4)
    tensor([[0., 1., 0., 1.]])
    """
    length = whole("sinusoidal_positions", "length", length)
    dim = whole("sinusoidal_positions", "dim", dim)
    even = np.arange(0, dim, 2)
    angles = np.arange(length)[:, None] / 10_000 ** (even / max(dim, 1))
    table: Array = np.empty((length, dim))
    table[:, 0::2] = np.sin(angles)
    table[:, 1::2] = np.cos(angles[:, : dim // 2])
    return Tensor(table.astype(get_default_dtype()))
