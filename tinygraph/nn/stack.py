"""What lists of modules share: they are read, changed and extended like Python's lists."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from ..core.errors import IndexRangeError, UsageError, compose_message, describe
from .module import Module
from .wrapping import as_module

S = TypeVar("S", bound="Stack")


class Stack(Module):
    """Modules in an order, named "0", "1", … unless a dict named them."""

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return self._of(list(self)[index])
        return self._modules[self._name_at(index)]

    def __setitem__(self, index: int, module: Any) -> None:
        self.register_module(self._name_at(index), as_module(module, type(self).__name__))

    def __delitem__(self, index: int | slice) -> None:
        kept = list(self)
        del kept[index if isinstance(index, slice) else self._position(index)]
        self._rebuild(kept)

    def append(self: S, module: Any) -> S:
        """Add a module at the end and return self."""
        self.register_module(str(len(self)), as_module(module, type(self).__name__))
        return self

    def extend(self: S, modules: Iterable[Any]) -> S:
        """Add several modules at the end and return self."""
        who = type(self).__name__
        if isinstance(modules, str | Mapping) or not isinstance(modules, Iterable):
            raise UsageError(
                compose_message(
                    f"{who} takes a list of modules", describe(modules), f"nn.{who}([module])"
                )
            )
        for module in [as_module(m, who) for m in modules]:
            self.append(module)
        return self

    def insert(self: S, index: int, module: Any) -> S:
        """Add a module before the one at ``index`` and return self; all are numbered anew."""
        modules, who = list(self), type(self).__name__
        modules.insert(as_position(who, index), as_module(module, who))
        self._rebuild(modules)
        return self

    def _of(self, modules: list[Module]) -> Stack:
        """Return a stack of some of its modules."""
        raise UsageError(f"{type(self).__name__} has no slices.")

    def _rebuild(self, modules: list[Module]) -> None:
        for name in list(self._modules):
            delattr(self, name)
        self.extend(modules)

    def _position(self, index: Any) -> int:
        position = as_position(type(self).__name__, index)
        if not -len(self) <= position < len(self):
            raise IndexRangeError(
                f"{type(self).__name__} has {len(self)} modules, there is no number {position}."
            )
        return position

    def _name_at(self, index: Any) -> str:
        return list(self._modules)[self._position(index)]


def as_position(who: str, index: Any) -> int:
    """Return an index as an int."""
    try:
        return operator.index(index)
    except TypeError:
        raise UsageError(
            compose_message(f"{who} is indexed by numbers and slices", repr(index), "model[0]")
        ) from None
