"""Modules that hold modules: Sequential, ModuleList, ModuleDict, and composition by >>."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ..core.errors import UsageError
from .module import Module


class Lambda(Module):
    """A plain function as a module.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> nn.Lambda(tg.relu)
    Lambda(relu)
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *args: Any) -> Any:
        return self.function(*args)

    def extra_repr(self) -> str:
        return str(getattr(self.function, "__name__", self.function))


def as_module(value: Any, who: str) -> Module:
    """Return a module as it is, and a callable wrapped."""
    if isinstance(value, type) and issubclass(value, Module):
        raise UsageError(f"{who} takes modules, received the class {value.__name__}. Fix: call it.")
    if isinstance(value, Module):
        return value
    if callable(value):
        return Lambda(value)
    raise UsageError(f"{who} takes modules or functions, received {type(value).__name__}.")


class Sequential(Module):
    """Modules applied one after the other: ``f_L ∘ … ∘ f_1``.

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

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def __getitem__(self, index: int | slice) -> Any:
        parts = list(self._modules.values())[index]
        return Sequential(*parts) if isinstance(parts, list) else parts


class _Composed(Sequential):
    """A Sequential written with >>; a further >> extends it instead of nesting."""


_Composed.__name__ = _Composed.__qualname__ = "Sequential"


def compose(first: Any, second: Any) -> Sequential:
    """Return ``first >> second``; only what ``>>`` itself made is flattened."""
    parts: list[Module] = []
    for part in (as_module(first, ">>"), as_module(second, ">>")):
        parts += list(part) if type(part) is _Composed else [part]
    return _Composed(*parts)


class ModuleList(Module):
    """A list of modules whose parameters are seen; it has no forward of its own.

    Examples
    --------
    >>> from tinygraph import nn
    >>> blocks = nn.ModuleList([nn.Linear(2, 2) for _ in range(3)])
    >>> len(list(blocks.parameters()))
    6
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__()
        for module in modules:
            self.append(module)

    def append(self, module: Module) -> ModuleList:
        """Add a module at the end and return self."""
        self.register_module(str(len(self._modules)), as_module(module, "ModuleList"))
        return self

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def __getitem__(self, index: int | slice) -> Any:
        parts = list(self._modules.values())[index]
        return ModuleList(parts) if isinstance(parts, list) else parts


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
        for name, module in (modules or {}).items():
            self.register_module(name, as_module(module, "ModuleDict"))

    def __getitem__(self, name: str) -> Module:
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
