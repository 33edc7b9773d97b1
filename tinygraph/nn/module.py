"""Module: parameters, submodules and a forward pass, and the scope its nodes remember."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ..core.calls import checked_init, explain_calls
from ..core.dtypes import checked_dtype
from ..core.errors import DtypeError, UsageError, compose_message, describe
from ..core.failure import note_failure
from ..core.modes import Scope, close_scope, current_scope, open_scope
from ..core.recording import RECORDERS, active_recorder
from ..core.storage import Array
from ..core.tensor import Tensor, drop_gradients, holder_of
from ..ops.operands import checked_flag
from .algebra import Algebra
from .assignment import REGISTRIES, check_assignment, check_registration, check_visible
from .hooks import Hookable
from .parameter import Buffer, Parameter
from .state import load_state, state_of

M = TypeVar("M", bound="Module")

_next_registration = itertools.count(1).__next__
_registrations = 0
"""Counts registrations of modules anywhere; cached paths are valid for one count."""

NOT_HERE = dict.fromkeys(
    ("to", "type", "float", "double", "half", "cpu", "cuda"),
    "model.astype(np.float64) changes the dtype; everything runs on the CPU",
)
"""Words of PyTorch that have another name here."""


class Module(Hookable, Algebra):
    """Base class of all modules: define ``__init__`` and ``forward``.

    Parameters, buffers and modules assigned as attributes register under the attribute's
    name, in order.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> class Affine(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.scale = nn.Parameter([2.0])
    ...     def forward(self, x):
    ...         return x * self.scale
    >>> Affine()(tg.ones(1))
    tensor([2.], op=mul)
    """

    training: bool
    __array_ufunc__ = None  # array >> module and the like are ours to answer

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        explain_calls(cls)

    @checked_init
    def __init__(self) -> None:
        for name in REGISTRIES:
            object.__setattr__(self, name, {})
        object.__setattr__(self, "_path_cache", (-1, {}))
        object.__setattr__(self, "_hooks", None)
        object.__setattr__(self, "training", True)

    _parameters: dict[str, Parameter]
    _buffers: dict[str, Buffer]
    _modules: dict[str, Module]
    _path_cache: tuple[int, dict[int, str]]

    # ---- calling -----------------------------------------------------------------------------

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output; every module defines it."""
        raise UsageError(f"{type(self).__name__} defines no forward(self, x).")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run :meth:`forward`, between its hooks, in a scope that carries this module's path."""
        outer = current_scope()
        root = None if outer is None else outer.root
        if root is None:
            path = None
            if "_modules" not in self.__dict__:
                raise self._not_initialized()
        else:
            count, paths = root._path_cache
            if count != _registrations:
                paths = root._find_paths()
            path = paths.get(id(self))
        token = open_scope(Scope(path or type(self).__name__, "module", outer, self))
        try:
            if RECORDERS and (recorder := active_recorder()) is not None:
                recorder.module_called(self)
            if self._hooks is None:
                return self.forward(*args, **kwargs)
            return self._hooks.run(self, args, kwargs)
        except Exception as error:
            note_failure(error, self, (*args, *kwargs.values()))
            raise
        finally:
            close_scope(token)

    def _find_paths(self) -> dict[int, str]:
        """Return the paths of all modules below by id: by module would be a reference cycle."""
        paths = {id(module): name for name, module in self.named_modules()}
        object.__setattr__(self, "_path_cache", (_registrations, paths))
        return paths

    # ---- registration ------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        if "_modules" not in self.__dict__:
            raise self._not_initialized()
        home: dict[str, Any] | None = None
        if isinstance(value, Parameter):
            home = self._parameters
        elif isinstance(value, Buffer):
            home = self._buffers
        elif isinstance(value, Module):
            home = self._modules
        if home is None:
            check_assignment(self, name, value)
        else:
            check_registration(self, name, value)
        changes_paths = home is self._modules or name in self._modules
        for registry in (self._parameters, self._buffers, self._modules):
            if registry is not home:
                registry.pop(name, None)
        if home is not None:
            home[name] = value  # a replaced one keeps its place
            if home is not self._modules and value.name is None:
                value.name = name
        if changes_paths:
            _count_registration()
        object.__setattr__(self, name, value)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name in REGISTRIES:
                raise self._not_initialized()
            fix = f" Fix: {NOT_HERE[name]}." if name in NOT_HERE else ""
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute {name!r}.{fix}",
                name=name,
                obj=self,
            )

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        for registry in (self._parameters, self._buffers, self._modules):
            registry.pop(name, None)
        _count_registration()

    def __getstate__(self) -> dict[str, Any]:
        """Copies and pickles have registries of their own and no cached paths."""
        own = {name: dict(self.__dict__[name]) for name in REGISTRIES}
        hooks = self._hooks and self._hooks.copy()
        return {**self.__dict__, **own, "_path_cache": (-1, {}), "_hooks": hooks}

    def register_buffer(self, name: str, value: Any, persistent: bool = True) -> None:
        """Keep a tensor as part of the module's state, without training it."""
        check_registration(self, name, None)
        setattr(self, name, Buffer(value, persistent))

    def register_module(self, name: str, module: Module) -> None:
        """Register a submodule under a name that need not be an identifier."""
        check_registration(self, name, module)
        if not isinstance(module, Module):
            raise UsageError(
                compose_message("register_module takes a module", describe(module), "nn.Lambda(f)")
            )
        setattr(self, name, module)

    def _not_initialized(self) -> UsageError:
        return UsageError(
            f"{type(self).__name__}.__init__ must call super().__init__() before anything else."
        )

    # ---- what it holds -----------------------------------------------------------------------

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield the direct submodules with their names."""
        yield from self._modules.items()

    def children(self) -> Iterator[Module]:
        """Yield the direct submodules."""
        yield from self._modules.values()

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """Yield this module and all below with their paths; a shared module once."""
        seen: set[Module] = set()
        stack = [(prefix, self)]
        while stack:
            name, module = stack.pop()
            if module in seen:
                continue
            seen.add(module)
            yield name, module
            below = [(f"{name}.{n}" if name else n, m) for n, m in module._modules.items()]
            stack.extend(reversed(below))

    def get_submodule(self, path: str) -> Module:
        """Return the module at a path, such as ``"encoder.0"``; ``""`` is this one."""
        found = self
        for part in path.split(".") if path else ():
            if part not in found._modules:
                raise UsageError(
                    f"{type(self).__name__} has no module {path!r}: {type(found).__name__} holds "
                    f"{', '.join(found._modules) or 'none'}."
                )
            found = found._modules[part]
        return found

    def modules(self) -> Iterator[Module]:
        """Yield this module and all below, each once."""
        for _, module in self.named_modules():
            yield module

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Yield all parameters with their paths; a shared parameter once."""
        for module in self.modules():
            check_visible(module)
        yield from _named(self, "_parameters")

    def parameters(self) -> Iterator[Parameter]:
        """Yield all parameters, each once."""
        for _, parameter in self.named_parameters():
            yield parameter

    def named_buffers(self) -> Iterator[tuple[str, Buffer]]:
        """Yield all buffers with their paths."""
        yield from _named(self, "_buffers")

    def buffers(self) -> Iterator[Buffer]:
        """Yield all buffers."""
        for _, buffer in self.named_buffers():
            yield buffer

    # ---- changing all of it ------------------------------------------------------------------

    def train(self: M, mode: bool = True) -> M:
        """Set training mode in all modules below and return self."""
        if not isinstance(mode, bool | np.bool_):
            raise UsageError(f"train takes True or False, received {mode!r}. Fix: model.eval().")
        for module in self.modules():
            object.__setattr__(module, "training", bool(mode))
        return self

    def eval(self: M) -> M:
        """Set evaluation mode in all modules below and return self."""
        return self.train(False)

    def apply(self: M, function: Callable[[Module], Any]) -> M:
        """Call ``function`` on every module, submodules first, and return self."""
        if not callable(function):
            raise UsageError(f"apply takes a function of a module, received {describe(function)}.")
        for module in _submodules_first(self):
            function(module)
        return self

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to None."""
        drop_gradients([parameter for _, parameter in _named(self, "_parameters")])

    def requires_grad_(self: M, requires_grad: bool = True) -> M:
        """Freeze (False) or unfreeze all parameters and return self."""
        checked_flag(type(self).__name__, "requires_grad", requires_grad)
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def astype(self: M, dtype: Any) -> M:
        """Convert all floating parameters and buffers in place and return self.

        Raises
        ------
        UsageError
            If an optimizer holds the parameters: convert first, then build the optimizer.
        """
        target = checked_dtype(dtype)
        if target.kind != "f":
            raise DtypeError(f"Module.astype takes a floating dtype, received {target}.")
        named: list[tuple[str, Tensor]] = [*self.named_parameters(), *self.named_buffers()]
        for path, tensor in named:
            if holder_of(tensor) is not None:
                raise UsageError(
                    f"Parameter {path!r} belongs to a live optimizer. "
                    "Fix: convert before building the optimizer, or call optimizer.close()."
                )
        for _, tensor in named:
            if tensor.dtype.kind == "f" and tensor.dtype != target:
                tensor._data = tensor._data.astype(target)
                tensor._grad = None if tensor._grad is None else tensor._grad.astype(target)
                tensor._grad_buffer = None
                tensor.mark_written()
        return self

    # ---- saving ------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Array]:
        """Return copies of all parameters and persistent buffers by path."""
        return {name: np.array(t.data) for name, t in state_of(self).items()}

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> None:
        """Copy values in. Everything is checked before anything is changed.

        Parameters
        ----------
        state : dict from path to array or Tensor
        strict : bool
            Whether missing and unexpected names are errors.

        Raises
        ------
        UsageError
            If names are missing or unexpected, or shapes differ: all are listed at once.
        """
        load_state(self, state, strict)

    # ---- printing ----------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """Return what ``print(module)`` shows between the parentheses."""
        return ""

    def __repr__(self) -> str:
        children = [f"({name}): {_indent(repr(m))}" for name, m in self._modules.items()]
        head = type(self).__name__
        if not children:
            return f"{head}({self.extra_repr()})"
        extra = [self.extra_repr()] if self.extra_repr() else []
        return "\n  ".join([f"{head}(", *extra, *children]) + "\n)"


def _count_registration() -> None:
    global _registrations
    _registrations = _next_registration()


def _named(root: Module, registry: str) -> Iterator[tuple[str, Any]]:
    seen: set[int] = set()
    for prefix, module in root.named_modules():
        for name, value in getattr(module, registry).items():
            if id(value) not in seen:
                seen.add(id(value))
                yield (f"{prefix}.{name}" if prefix else name), value


def _submodules_first(root: Module) -> list[Module]:
    order: dict[Module, None] = {}
    stack = [(root, False)]
    while stack:
        module, children_done = stack.pop()
        if children_done:
            order[module] = None
        elif module not in order:
            stack.append((module, True))
            stack.extend((m, False) for m in reversed(module._modules.values()))
    return list(order)


def _indent(text: str) -> str:
    return text.replace("\n", "\n  ")
