"""Modules that hold modules: Sequential, ModuleList, ModuleDict, and composition by >>."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..core.errors import UsageError, compose_message, describe
from .module import Module
from .stack import Stack
from .wrapping import as_module


class Sequential(Stack):
    """Modules applied one after the other: ``f_L ∘ … ∘ f_1``.

    It is also a list: ``model[0]``, ``model[:2]``, ``model[-1] = …``, ``append``, ``extend``,
    ``insert``, ``del model[1]``.

    Parameters
    ----------
    *modules : Module or callable, or one dict from name to module
        Named "0", "1", … unless a dict names them.

    Examples
    --------
    >>> from tinygraph import nn
    >>> nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True)
      (1): ReLU()
    )
    """

    composed = False
    """Whether >> made it: a further >> extends it instead of nesting."""

    def __init__(self, *modules: Any) -> None:
        super().__init__()
        one_dict = len(modules) == 1 and isinstance(modules[0], Mapping)
        named = modules[0].items() if one_dict else enumerate(modules)
        for name, module in named:
            self.register_module(str(name), as_module(module, "Sequential"))

    def forward(self, x: Any) -> Any:
        for module in self._modules.values():
            x = module(x)
        return x

    def _of(self, modules: list[Module]) -> Sequential:
        return Sequential(*modules)


def compose(first: Any, second: Any) -> Sequential:
    """Return ``first >> second``; only what ``>>`` itself made is flattened."""
    parts: list[Module] = []
    for part in (as_module(first, ">>"), as_module(second, ">>")):
        parts += part if isinstance(part, Sequential) and part.composed else [part]
    model = Sequential(*parts)
    model.composed = True
    return model


class ModuleList(Stack):
    """A list of modules whose parameters are seen; it has no forward of its own.

    It is read, changed and extended as Python's lists are.

    Examples
    --------
    >>> from tinygraph import nn
    >>> blocks = nn.ModuleList([nn.Linear(2, 2) for _ in range(3)])
    >>> len(list(blocks.parameters()))
    6
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__()
        if isinstance(modules, Module) and not isinstance(modules, Sequential | ModuleList):
            raise UsageError("ModuleList takes a list of modules. Fix: nn.ModuleList([module]).")
        self.extend(modules)

    def _of(self, modules: list[Module]) -> ModuleList:
        return ModuleList(modules)


class ModuleDict(Module):
    """A dict of modules whose parameters are seen; it has no forward of its own.

    Examples
    --------
    >>> from tinygraph import nn
    >>> nn.ModuleDict({"head": nn.Linear(2, 1)})["head"]
    Linear(in_features=2, out_features=1, bias=True)
    """

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        super().__init__()
        if modules is not None and not hasattr(modules, "items"):
            raise UsageError(
                compose_message(
                    "ModuleDict takes a dict from name to module",
                    describe(modules),
                    'nn.ModuleDict({"head": module})',
                )
            )
        for name, module in (modules or {}).items():
            self[name] = module

    def __getitem__(self, name: str) -> Module:
        if name not in self._modules:
            raise KeyError(
                f"ModuleDict has {', '.join(self._modules) or 'no modules'}, no {name!r}"
            )
        return self._modules[name]

    def __setitem__(self, name: str, module: Module) -> None:
        self.register_module(name, as_module(module, "ModuleDict"))

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def keys(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self._modules)

    def values(self) -> Iterator[Module]:
        """Iterate over the modules."""
        return iter(self._modules.values())

    def items(self) -> Iterator[tuple[str, Module]]:
        """Iterate over names and modules."""
        return iter(self._modules.items())
