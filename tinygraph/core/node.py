"""How a tensor was made, as readers of a graph see it: they never touch the tensor's slots."""

from __future__ import annotations

from typing import Any

from .errors import describe
from .lines import line_of
from .modes import Scope
from .op import Op
from .tensor import Tensor


class Node:
    """How one tensor was made: a view on the tensor for readers.

    Attributes
    ----------
    tensor : Tensor
        The result.
    op : Op or None
        None for a leaf.
    inputs : tuple
        Tensors and Python numbers, in the order of the call.
    attrs : dict
        The op's attributes.
    scope : Scope or None
        The module or composite call it belongs to.
    index : int
        Its place in the order of creation.
    """

    __slots__ = ("tensor",)

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor

    @property
    def op(self) -> Op | None:
        return self.tensor.op

    @property
    def inputs(self) -> tuple[Any, ...]:
        return self.tensor.inputs

    @property
    def attrs(self) -> dict[str, Any]:
        return self.tensor.attrs or {}

    @property
    def scope(self) -> Scope | None:
        return self.tensor.scope

    @property
    def index(self) -> int:
        return self.tensor.index

    @property
    def shape(self) -> tuple[int, ...]:
        return self.tensor.shape

    @property
    def nbytes(self) -> int:
        """Bytes of the value."""
        return self.tensor.data.nbytes

    @property
    def line(self) -> str:
        """The user's line that made it, "" unless `record_lines` or `detect_anomaly` was on."""
        return line_of(self.tensor)

    @property
    def saved(self) -> tuple[Tensor, ...]:
        """The tensors whose values its derivatives read, each once."""
        return tuple(dict.fromkeys(t for _, t in saved_by(self.tensor)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Node) and other.tensor is self.tensor

    def __hash__(self) -> int:
        return hash(self.tensor)

    def __repr__(self) -> str:
        made = self.op.name if self.op else "leaf"
        name = f" {self.tensor.name!r}" if self.tensor.name else ""
        return f"Node({made}{name}, {describe(self.tensor)})"


def node_of(tensor: Tensor) -> Node | None:
    """The :class:`Node` that made this tensor, None for a leaf."""
    return None if tensor.op is None else Node(tensor)


def saved_by(result: Tensor) -> list[tuple[str, Tensor]]:
    """Return what the VJPs of a result read: ``("Input 0", x)``, ``("The result", y)``."""
    op = result.op
    if op is None:
        return []
    saved = [(f"Input {i}", result.inputs[i]) for i in op.saved_inputs(len(result.inputs))]
    if "y" in op.saves:
        saved.append(("The result", result))
    return [(which, t) for which, t in saved if isinstance(t, Tensor)]
