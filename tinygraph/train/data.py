"""What fit, evaluate and predict take as data: loaders, datasets and tuples of arrays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ..core.errors import UsageError, compose_message, describe
from ..core.modes import default_dtype, get_default_dtype
from ..core.storage import Array
from ..core.tensor import Tensor
from ..data import DataLoader, Dataset, TensorDataset
from ..data.collate import map_arrays
from ..ops.random import Generator

BATCH_SIZE = 32
END = object()


class Batch(NamedTuple):
    """Inputs and target of some samples, as tensors of the model's dtype."""

    inputs: tuple[Any, ...]
    target: Any
    rows: int


def as_loader(
    name: str, data: Any, batch_size: int | None = None, shuffle: bool | None = None,
    generator: Generator | None = None, usual: bool = False,
) -> DataLoader:  # fmt: skip
    """Return ``data`` as a DataLoader; ``usual`` is whether to shuffle by default.

    Raises
    ------
    UsageError
        For anything else, for options that a DataLoader settles itself, and without a batch.
    """
    if isinstance(data, DataLoader):
        given = {"batch_size": batch_size, "shuffle": shuffle, "generator": generator}
        for option, value in given.items():
            if value is not None:
                raise UsageError(
                    f"{name} is a DataLoader, which settles {option} itself. "
                    f"Fix: DataLoader(…, {option}=…), or give the dataset instead."
                )
        loader = data
    else:
        order = usual if shuffle is None else shuffle
        loader = DataLoader(
            _as_dataset(name, data), BATCH_SIZE if batch_size is None else batch_size, order,
            generator=generator if order else None,
        )  # fmt: skip
    if len(loader) == 0:
        raise UsageError(
            f"{name} has no batch: {loader!r}. Fix: more samples, a smaller batch_size, "
            "or drop_last=False."
        )
    return loader


def _as_dataset(name: str, data: Any) -> Dataset:
    if isinstance(data, tuple):
        return TensorDataset(*data)
    if isinstance(data, list) and data and isinstance(data[0], Tensor | np.ndarray):
        raise UsageError(
            compose_message(
                f"{name}: a list holds samples, (x, y) each",
                f"a list of {len(data)}, the first of shape {data[0].shape}",
                "(x, y), a tuple, for arrays with all samples",
            )
        )
    if isinstance(data, Dataset) and not isinstance(data, Tensor | np.ndarray | dict | str):
        return data
    raise UsageError(
        compose_message(
            f"{name} is a DataLoader, a Dataset, or a tuple of arrays",
            describe(data),
            "(x, y) with one row of each per sample",
        )
    )


def batches(name: str, loader: DataLoader, dtype: np.dtype[Any]) -> Iterator[Batch]:
    """Yield the batches of a loader, split and as tensors, with floats of this dtype."""
    for batch in arrays_of(loader, dtype):
        yield as_batch(name, batch, dtype)


def arrays_of(loader: DataLoader, dtype: np.dtype[Any]) -> Iterator[Any]:
    """Yield the batches of a loader; one without a dtype of its own casts to ``dtype``."""
    if get_default_dtype() == dtype:
        yield from loader
        return
    with default_dtype(dtype):
        iterator = iter(loader)
    while True:
        with default_dtype(dtype):
            batch = next(iterator, END)
        if batch is END:
            return
        yield batch


def as_batch(name: str, batch: Any, dtype: np.dtype[Any]) -> Batch:
    """Split a batch into the inputs and the target, its last part."""
    if not isinstance(batch, tuple | list) or len(batch) < 2:
        what = f"a {type(batch).__name__}"
        if isinstance(batch, tuple | list):
            what += f" with {len(batch)} part" + ("s" if len(batch) != 1 else "")
        raise UsageError(
            compose_message(
                f"A batch of {name} is a tuple of inputs and a target, (x, y)",
                what,
                "(x, y), a collate_fn that returns such tuples, or a loop by hand",
            )
        )
    *inputs, target = as_tensors(tuple(batch), dtype)
    return Batch(tuple(inputs), target, row_count(target) or row_count(inputs[0]))


def as_tensors(batch: Any, dtype: np.dtype[Any]) -> Any:
    """Return a batch with its arrays as tensors, the floating ones cast to ``dtype``."""

    def convert(array: Array) -> Any:
        floating = array.dtype.kind == "f" and array.dtype != dtype
        return Tensor(array.astype(dtype) if floating else array)

    return map_arrays(batch, convert)


def row_count(part: Any) -> int:
    """Return the length of the first array in a part of a batch, 0 if there is none."""
    if isinstance(part, Tensor):
        return part.shape[0] if part.ndim else 0
    if isinstance(part, dict):
        part = tuple(part.values())
    if isinstance(part, tuple | list):
        return max((row_count(p) for p in part), default=0)
    return 0


def plain(value: Any) -> Any:
    """Return a model's output with arrays in the place of tensors."""
    if isinstance(value, Tensor):
        return value._data
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(plain(part) for part in value)
    return value
