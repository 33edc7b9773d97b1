"""Splitting a batch along axis 0."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ..core.errors import ShapeError, UsageError, describe
from ..core.tensor import Tensor
from .data import plain


def cuts(rows: int, workers: int) -> list[slice]:
    """Return where each shard begins and ends; lengths differ by one at most.

    A shard has at least two rows (batch norm needs them) if there are so many: a small batch
    goes to fewer workers.
    """
    count = min(workers, max(1, rows // 2))
    ends = [rows * i // count for i in range(count + 1)]
    return [slice(a, b) for a, b in pairwise(ends)]


def common_rows(who: str, parts: Sequence[Any]) -> int:
    """Return the length of axis 0 that all tensors and arrays of a batch have.

    Raises
    ------
    ShapeError
        If they differ, or one has no axis.
    UsageError
        If there is none.
    """
    arrays = [p for p in parts if isinstance(p, Tensor | np.ndarray)]
    if not arrays:
        raise UsageError(f"{who}: there is no tensor or array to split. Fix: step(x, y).")
    for array in arrays:
        if array.ndim == 0 or array.shape[0] != arrays[0].shape[0]:
            raise ShapeError(
                f"{who}: tensors and arrays of a batch have one length along axis 0. Received "
                f"{', '.join(map(describe, arrays))}. Fix: what is not to be split goes into "
                "loss_fn from outside, or as a number or a list."
            )
    return int(arrays[0].shape[0])


def shard(part: Any, rows: int, cut: slice) -> Any:
    """Return some rows of a tensor or array (a view), also inside tuples, lists and dicts.

    What does not have so many rows is passed whole.
    """
    if isinstance(part, Tensor):
        if part.ndim and part.shape[0] == rows:
            return _rows_of(part, cut)
        return part
    if isinstance(part, np.ndarray):
        return part[cut] if part.ndim and part.shape[0] == rows else part
    if isinstance(part, dict):
        return {name: shard(p, rows, cut) for name, p in part.items()}
    if isinstance(part, tuple | list):
        return type(part)(shard(p, rows, cut) for p in part)
    return part


def joined(parts: Sequence[Any]) -> Any:
    """Return the outputs for several shards as one: arrays one behind the other, along axis 0."""
    first = plain(parts[0])
    if len(parts) == 1:
        return first
    if isinstance(first, np.ndarray) and first.ndim:
        return np.concatenate([plain(part) for part in parts])
    if isinstance(first, dict):
        return {name: joined([part[name] for part in parts]) for name in first}
    if isinstance(first, tuple | list):
        return type(first)(joined([part[i] for part in parts]) for i in range(len(first)))
    return first


def _rows_of(tensor: Tensor, cut: slice) -> Tensor:
    if tensor.requires_grad:
        raise UsageError(
            f"A batch that is split is data: it does not require grad. Received "
            f"{describe(tensor)} that does. Fix: tensor.detach()."
        )
    view = Tensor(tensor._data[cut])
    view.name = tensor.name
    return view
