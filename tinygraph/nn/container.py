"""Modules that hold modules: Sequential, ModuleList, ModuleDict, and composition by >>."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from ..core.errors import IndexRangeError, UsageError, compose_message, describe
from ..core.tensor import Tensor
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
        if not callable(function):
            raise UsageError(
                compose_message("Lambda takes a function", describe(function), "nn.Lambda(tg.relu)")
            )
        self.function = function

    def forward(self, *args: Any) -> Any:
        return self.function(*args)

    def extra_repr(self) -> str:
        return str(getattr(self.function, "__name__", self.function))


def as_module(value: Any, who: str) -> Module:
    """Return a module as it is, and a callable wrapped."""
    if isinstance(value, Module):
        return value
    fix = "nn.Lambda(f), or def forward in a class of your own"
    if isinstance(value, type) and issubclass(value, Module):
        fix = f"call the class, {value.__name__}(…)"
    elif callable(value):
        return Lambda(value)
    elif isinstance(value, list | tuple):
        fix = f"{who}(*layers)" if who == "Sequential" else "nn.Sequential(*layers)"
    elif isinstance(value, Tensor | np.ndarray):
        fix = "model(x) applies a model to data"
    raise UsageError(compose_message(f"{who} takes modules or functions", describe(value), fix))


def _item(who: str, modules: dict[str, Module], index: Any) -> Any:
    """Return the module at ``index``, or a list of those in a slice."""
    parts = list(modules.values())
    if isinstance(index, slice):
        return parts[index]
    position = as_position(who, index)
    if not -len(parts) <= position < len(parts):
        raise IndexRangeError(f"{who} has {len(parts)} modules, there is no number {position}.")
    return parts[position]


def as_position(who: str, index: Any) -> int:
    """Return an index as an int."""
    try:
        return operator.index(index)
    except TypeError:
        raise UsageError(
            compose_message(f"{who} is indexed by numbers and slices", repr(index), "model[0]")
        ) from None


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

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def __getitem__(self, index: int | slice) -> Any:
        part = _item("Sequential", self._modules, index)
        return Sequential(*part) if isinstance(part, list) else part


def compose(first: Any, second: Any) -> Sequential:
    """Return ``first >> second``; only what ``>>`` itself made is flattened."""
    parts: list[Module] = []
    for part in (as_module(first, ">>"), as_module(second, ">>")):
        parts += part if isinstance(part, Sequential) and part.composed else [part]
    model = Sequential(*parts)
    model.composed = True
    return model


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
        if isinstance(modules, Module) and not isinstance(modules, Sequential | ModuleList):
            raise UsageError("ModuleList takes a list of modules. Fix: nn.ModuleList([module]).")
        for module in [as_module(m, "ModuleList") for m in _iterable("ModuleList", modules)]:
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
        part = _item("ModuleList", self._modules, index)
        return ModuleList(part) if isinstance(part, list) else part


def _iterable(who: str, modules: Any) -> Iterable[Any]:
    if isinstance(modules, Iterable) and not isinstance(modules, str | Mapping):
        return modules
    raise UsageError(
        compose_message(f"{who} takes a list of modules", describe(modules), f"nn.{who}([module])")
    )


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
