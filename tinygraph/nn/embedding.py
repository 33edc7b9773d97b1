"""Vectors for words and for places: Embedding and positional encodings."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.dtypes import as_array
from ..core.errors import ShapeError, compose_message, describe
from ..core.modes import get_default_dtype, module_path, no_grad
from ..core.tensor import Tensor
from ..ops.embedding import checked_padding
from . import functional as F
from . import init
from .checks import check_features, checked_flag, checked_size
from .module import Module
from .parameter import Buffer, Parameter


class Embedding(Module):
    """A table with one trained vector for each index: ``y = weight[indices]``.

    Parameters
    ----------
    num_embeddings : int
        How many vectors; indices go from 0 to num_embeddings − 1.
    embedding_dim : int
        Length of each vector.
    padding_idx : int, optional
        The index that stands for nothing: its vector is 0 at first and gets no gradient.

    Attributes
    ----------
    weight : Parameter, shape (num_embeddings, embedding_dim)
        Drawn from N(0, 1), as in PyTorch.

    Raises
    ------
    DtypeError, IndexRangeError
        If the indices are not integers, or out of range (the message has the value).

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.Embedding(10, 3)(tg.tensor([[1, 2], [9, 0]])).shape
    (2, 2, 3)
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None
    ) -> None:
        super().__init__()
        self.num_embeddings = checked_size("Embedding", "num_embeddings", num_embeddings)
        self.embedding_dim = checked_size("Embedding", "embedding_dim", embedding_dim)
        self.padding_idx = checked_padding(padding_idx, self.num_embeddings)
        shape = (self.num_embeddings, self.embedding_dim)
        self.weight = Parameter(np.empty(shape, get_default_dtype()))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new initial values."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx] = 0.0

    @classmethod
    def from_pretrained(
        cls, embeddings: Any, freeze: bool = True, padding_idx: int | None = None
    ) -> Embedding:
        """Make an Embedding of a given table, which is not trained if ``freeze``.

        Examples
        --------
        >>> import tinygraph as tg
        >>> from tinygraph import nn
        >>> nn.Embedding.from_pretrained(tg.eye(2))(tg.tensor([1]))
        tensor([[0., 1.]])
        """
        table = embeddings if isinstance(embeddings, Tensor) else as_array(embeddings)
        if table.ndim != 2 or table.dtype.kind != "f":
            raise ShapeError(
                compose_message(
                    "Embedding: a table of vectors has shape (number, length) and floats",
                    describe(table),
                )
            )
        trained = not checked_flag("Embedding", "freeze", freeze)
        made = cls(table.shape[0], table.shape[1], padding_idx)
        made.weight = Parameter(table, requires_grad=trained)
        return made

    def forward(self, x: Any) -> Tensor:
        if not isinstance(x, Tensor | np.ndarray):
            x = as_array(x)
        return F.embedding(x, self.weight, padding_idx=self.padding_idx)

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"


class _Positions(Module):
    """What both positional encodings share: they add row t of a table to element t."""

    def __init__(self, dim: int, max_len: int) -> None:
        super().__init__()
        self.dim = checked_size(type(self).__name__, "dim", dim)
        self.max_len = checked_size(type(self).__name__, "max_len", max_len)

    def _add(self, x: Any, table: Tensor) -> Tensor:
        check_features(self, x, self.dim, table)
        if x.ndim < 2 or x.shape[-2] > self.max_len:
            raise ShapeError(
                compose_message(
                    f"{type(self).__name__} wants inputs of shape (…, L, {self.dim}) with L up "
                    f"to {self.max_len}",
                    describe(x),
                    f"max_len={x.shape[-2]}" if x.ndim > 1 else "x[None] for one element",
                    module_path(),
                )
            )
        return x + table[: x.shape[-2]]  # type: ignore[no-any-return]

    def extra_repr(self) -> str:
        return f"{self.dim}, max_len={self.max_len}"


class SinusoidalEncoding(_Positions):
    """Add waves that tell the places apart; nothing is trained.

    Element t gets ``sin(t / 10000^(2i/dim))`` and its cosine: see
    :func:`tinygraph.nn.functional.sinusoidal_positions`. Without such an encoding, attention
    does not know the order of its inputs.

    Parameters
    ----------
    dim : int
        Length of the last axis.
    max_len : int
        The longest sequence.

    Raises
    ------
    ShapeError
        If the input is not (…, L, dim) with L up to max_len; it names the module's path.

    Notes
    -----
    Source: Vaswani et al. 2017, Attention is all you need.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.SinusoidalEncoding(4)(tg.zeros(2, 7, 4)).shape
    (2, 7, 4)
    """

    def __init__(self, dim: int, max_len: int = 5000) -> None:
        super().__init__(dim, max_len)
        self.table = Buffer(F.sinusoidal_positions(self.max_len, self.dim), persistent=False)

    def forward(self, x: Any) -> Tensor:
        return self._add(x, self.table)


class LearnedEncoding(_Positions):
    """Add a trained vector for each place.

    Parameters
    ----------
    dim : int
        Length of the last axis.
    max_len : int
        The longest sequence.

    Attributes
    ----------
    weight : Parameter, shape (max_len, dim)
        Drawn from N(0, 0.02²).

    Raises
    ------
    ShapeError
        If the input is not (…, L, dim) with L up to max_len; it names the module's path.

    Notes
    -----
    Source: Gehring et al. 2017, Convolutional sequence to sequence learning; Devlin et al.
    2019, BERT.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.LearnedEncoding(4, max_len=10)(tg.zeros(2, 7, 4)).shape
    (2, 7, 4)
    """

    def __init__(self, dim: int, max_len: int) -> None:
        super().__init__(dim, max_len)
        self.weight = Parameter(np.empty((self.max_len, self.dim), get_default_dtype()))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new initial values."""
        init.normal_(self.weight, std=0.02)

    def forward(self, x: Any) -> Tensor:
        return self._add(x, self.weight)
