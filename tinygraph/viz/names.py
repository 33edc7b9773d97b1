"""What tensors are called in a picture: their own names, the caller's, or v₁, v₂, …"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..core.errors import UsageError
from ..core.tensor import Tensor
from .text import TOOLTIP_LIMIT, clean, number, subscript


class Names:
    """Short names for headers, full ones for tooltips.

    Parameters
    ----------
    given : mapping or None
        ``locals()`` or ``{"q": q}``; entries that are not tensors, and names that start
        with an underscore, are passed over. A tensor's own name comes first.
    who : str
        Who asks, for errors.
    digits : int
        Significant digits of plain numbers.
    """

    def __init__(self, given: Mapping[str, Any] | None, who: str = "draw", digits: int = 4) -> None:
        if given is not None and not isinstance(given, Mapping):
            raise UsageError(
                f"{who}: names is a dict such as locals(). Received {type(given).__name__}."
            )
        self._digits = digits
        self._full: dict[Tensor, str] = {}
        for name, value in (given or {}).items():
            if isinstance(value, Tensor) and not str(name).startswith("_"):
                self._full.setdefault(value, str(name))
        self._numbered: dict[Tensor, str] = {}
        self._short: dict[Tensor, str] = {}

    def number_the_rest(self, tensors: Iterable[Tensor]) -> None:
        """Call tensors without a name v₁, v₂, … in their order, as textbooks do."""
        for tensor in tensors:
            if not self.full(tensor):
                self._numbered[tensor] = f"v{subscript(len(self._numbered) + 1)}"

    def adopt(self, shown: Tensor, copies: Iterable[Tensor]) -> None:
        """Call what stands for several tensors as one of them is called, if it has no name."""
        names = [] if self.full(shown) else [self.full(t) for t in copies]
        self._full.update((shown, name) for name in names if name)

    def call(self, tensor: Tensor, name: str) -> None:
        """Give a tensor another short name, so that no two have the same."""
        self._short[tensor] = name

    def full(self, tensor: Tensor) -> str:
        """Return the name someone gave, "" if nobody did."""
        return str(tensor.name) if tensor.name else self._full.get(tensor, "")

    def short(self, operand: Any) -> str:
        """Return how a header or a formula calls an operand; numbers stand for themselves."""
        if not isinstance(operand, Tensor):
            return number(operand, self._digits)
        name = self._short.get(operand)
        if name is None:
            name = clean(self.full(operand)) or self._numbered.get(operand, "·")
            self._short[operand] = name
        return name

    def tooltip(self, tensor: Tensor) -> str:
        """Return the full name, cut only where it is absurdly long."""
        return clean(self.full(tensor), TOOLTIP_LIMIT) or self._numbered.get(tensor, "")
