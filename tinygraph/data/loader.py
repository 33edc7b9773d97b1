"""Batches of a dataset, in an order that can be drawn anew, saved and resumed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from ..core.calls import checked_init
from ..core.dtypes import checked_dtype
from ..core.errors import UsageError, compose_message, describe
from ..core.modes import get_default_dtype
from ..core.storage import Array
from ..ops.operands import whole
from ..ops.random import Generator, permutation, randint
from .collate import map_arrays
from .dataset import Dataset, read


class DataLoader:
    """Batches of a dataset: arrays that are ready for a model.

    Parameters
    ----------
    dataset : Dataset
        Anything with a length and items. For a :class:`TensorDataset` and its splits, a batch
        is one indexing operation.
    batch_size : int
    shuffle : bool
        Whether each iteration goes through the samples in a new random order.
    drop_last : bool
        Whether to leave out a last batch that is not full.
    collate_fn : callable, optional
        Makes a batch of a list of samples; :func:`collate` by default.
    generator : Generator, optional
        Where orders are drawn from; by default one of its own, seeded by tinygraph's, so that
        ``manual_seed`` before building the loader makes its orders repeat.
    dtype : dtype, optional
        What floating arrays are cast to; the default float dtype by default. Integer and
        boolean arrays keep theirs.

    Raises
    ------
    UsageError
        For anything but a dataset, or settings out of range.

    Notes
    -----
    A batch of a TensorDataset is a tuple of ndarrays (copies). ``state_dict`` tells how far
    the latest iteration came; after ``load_state_dict`` the next one goes on from there, with
    the batches that would have come, in this epoch and all later ones.

    Examples
    --------
    >>> import numpy as np, tinygraph as tg
    >>> x, y = np.arange(5.0)[:, None], np.arange(5)
    >>> loader = tg.data.DataLoader(tg.data.TensorDataset(x, y), batch_size=2)
    >>> [(inputs.shape, inputs.dtype.name, labels.tolist()) for inputs, labels in loader]
    [((2, 1), 'float32', [0, 1]), ((2, 1), 'float32', [2, 3]), ((1, 1), 'float32', [4])]
    """

    @checked_init
    def __init__(
        self,
        dataset: Dataset,
        batch_size: int = 1,
        shuffle: bool = False,
        *,
        drop_last: bool = False,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        generator: Generator | None = None,
        dtype: Any = None,
    ) -> None:
        _check_dataset(dataset)
        self.batch_size = whole("DataLoader", "batch_size", batch_size, 1)
        for name, flag in (("shuffle", shuffle), ("drop_last", drop_last)):
            if not isinstance(flag, bool | np.bool_):
                raise UsageError(f"DataLoader: {name} is True or False. Received {flag!r}.")
        if collate_fn is not None and not callable(collate_fn):
            raise UsageError(
                compose_message("DataLoader: collate_fn is a function", describe(collate_fn))
            )
        if generator is not None and not isinstance(generator, Generator):
            fix = "tg.Generator(seed)"
            raise UsageError(
                compose_message("DataLoader: generator is a Generator", describe(generator), fix)
            )
        self.dtype = None if dtype is None else checked_dtype(dtype)
        if self.dtype is not None and self.dtype.kind != "f":
            raise UsageError(f"DataLoader: dtype is a floating dtype. Received {self.dtype}.")
        self.dataset = dataset
        self.shuffle = bool(shuffle)
        self.drop_last = bool(drop_last)
        self.collate_fn = collate_fn
        if generator is None and shuffle:
            generator = Generator(randint(2**63 - 1).item())
        self.generator = generator
        self._order_state: dict[str, Any] | None = None  # the generator's, before this order
        self._done = 0  # batches of this order that were handed out
        self._resume = False

    def __len__(self) -> int:
        """Return the number of batches."""
        full, rest = divmod(len(self.dataset), self.batch_size)
        return full + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[Any]:
        """Draw an order, and return an iterator over its batches."""
        if self._resume:
            self._resume = False
            source = Generator(0)
            if self._order_state is not None:
                source.set_state(self._order_state)
            return self._batches(self._order(source), self._done)
        self._done = 0
        if self.shuffle and self.generator is not None:
            self._order_state = self.generator.get_state()
        return self._batches(self._order(self.generator), 0)

    def _order(self, generator: Generator | None) -> Array:
        count = len(self.dataset)
        return permutation(count, generator).numpy() if self.shuffle else np.arange(count)

    def _batches(self, order: Array, start: int) -> Iterator[Any]:
        dtype = self.dtype or get_default_dtype()
        for number in range(start, len(self)):
            rows = order[number * self.batch_size : (number + 1) * self.batch_size]
            self._done = number + 1
            if self.collate_fn is None:
                batch = read(self.dataset, rows)
            else:
                batch = self.collate_fn([self.dataset[i] for i in rows.tolist()])
            yield map_arrays(
                batch, lambda a: a.astype(dtype, copy=False) if a.dtype.kind == "f" else a
            )
        self._done, self._order_state = 0, None

    # ---- state ------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Return how far the latest iteration came, and the generator, as plain data."""
        inside = self._done > 0
        return {
            "batches_done": self._done,
            "order": self._order_state if inside else None,
            "generator": None if self.generator is None else self.generator.get_state(),
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a state of :meth:`state_dict`, with the next iteration.

        Raises
        ------
        UsageError
            If the state does not fit this loader; nothing is changed then.
        """
        done, order, generator = self._checked_state(state_dict)
        if self.generator is not None:
            self.generator.set_state(generator)
        self._done, self._order_state, self._resume = done, order, done > 0

    def _checked_state(self, state: Any) -> tuple[int, Any, Any]:
        names = ("batches_done", "order", "generator")
        if not isinstance(state, Mapping) or set(state) != set(names):
            raise UsageError(
                compose_message(
                    f"DataLoader.load_state_dict takes a dict with {', '.join(names)}",
                    describe(state),
                    "what state_dict() of a DataLoader returned",
                )
            )
        done, order, generator = (state[name] for name in names)
        if isinstance(done, bool) or not isinstance(done, int) or not 0 <= done <= len(self):
            raise UsageError(
                f"DataLoader.load_state_dict: batches_done is from 0 to {len(self)}, the number "
                f"of batches. Received {done!r}. Fix: the dataset and batch_size it was saved with."
            )
        if (generator is None) != (self.generator is None) or (
            done > 0 and (order is None) == self.shuffle
        ):
            raise UsageError(
                "DataLoader.load_state_dict: one of the loaders shuffles and the other does not. "
                f"Fix: shuffle={not self.shuffle}."
            )
        for source in (order, generator):
            if source is not None:
                Generator(0).set_state(source)  # raises if it is none
        return done, order, generator

    def __repr__(self) -> str:
        return (
            f"DataLoader({len(self.dataset)} samples, batch_size={self.batch_size}, "
            f"shuffle={self.shuffle}, drop_last={self.drop_last})"
        )


def _check_dataset(dataset: Any) -> None:
    fix = ""
    if isinstance(dataset, tuple):
        fix = "TensorDataset(x, y)"
    elif not isinstance(dataset, Dataset) or isinstance(dataset, Mapping | str):
        fix = "TensorDataset(x, y), or any class with __len__ and __getitem__"
    if fix:
        raise UsageError(compose_message("DataLoader takes a dataset", describe(dataset), fix))
