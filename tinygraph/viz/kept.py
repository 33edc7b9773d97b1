"""What is kept for the backward pass: which values the derivatives read, and their bytes."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..core.graph import Graph
from ..core.storage import Array
from ..core.tensor import Tensor


class Kept:
    """The values that some derivative reads.

    Attributes
    ----------
    readers : dict from Tensor to list of Tensor
        For each value that is read: the results whose derivatives read it.

    Examples
    --------
    >>> import tinygraph as tg
    >>> x, y = tg.variables(x=2, y=3)
    >>> q = x * y
    >>> f = tg.exp(q)
    >>> kept = Kept(tg.graph(f))
    >>> kept.readers[f] == [f], q in kept.readers, kept.bytes_of([x, q, f])
    (True, False, 4)
    """

    def __init__(self, graph: Graph) -> None:
        self.readers: dict[Tensor, list[Tensor]] = {}
        self._leaves = {id(_owner(node.tensor)) for node in graph.leaves}
        for node in graph.nodes:
            if node.op is not None and node.tensor.requires_grad:
                for t in node.saved:
                    self.readers.setdefault(t, []).append(node.tensor)

    def bytes_of(self, tensors: Iterable[Tensor]) -> int:
        """Return the bytes that would be free without a backward pass.

        Leaves live anyway; memory that several views share counts once.
        """
        arrays = (_owner(t) for t in tensors if t in self.readers and t.op is not None)
        found = {id(a): a.nbytes for a in arrays if id(a) not in self._leaves}
        return sum(found.values())


def _owner(t: Tensor) -> Array:
    """Return the array whose memory a value is in."""
    base = t.data.base
    return base if isinstance(base, np.ndarray) else t.data
