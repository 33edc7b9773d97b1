"""What may become an attribute of a module: errors before anything is registered."""

from __future__ import annotations

from itertools import islice
from types import FunctionType
from typing import TYPE_CHECKING, Any

from ..core.errors import UsageError, compose_message, describe
from ..core.tensor import Tensor
from .parameter import Buffer, Parameter

if TYPE_CHECKING:
    from .module import Module

REGISTRIES = ("_parameters", "_buffers", "_modules")
FIXES = {
    "_parameters": (
        "a parameter",
        "module.{0}.data = … changes its value, module.{0} = nn.Parameter(…) replaces it",
    ),
    "_buffers": (
        "a buffer",
        "module.{0}.data = … changes its value, module.{0} = nn.Buffer(…) replaces it",
    ),
    "_modules": ("a module", "nn.Lambda(f) makes a module of a function; None removes it"),
}
CONTAINERS = (list, tuple, dict, set, frozenset)


def check_assignment(module: Module, name: str, value: Any) -> None:
    """Raise on a value that would replace a registered one, or hide modules from training."""
    where = f"{type(module).__name__}.{name}"
    if name in REGISTRIES:
        raise UsageError(f"{where} is where modules keep what they register. Fix: another name.")
    for registry in REGISTRIES:
        if name in getattr(module, registry) and value is not None:
            what, fix = FIXES[registry]
            raise UsageError(
                compose_message(
                    f"{where} is {what} and stays one", describe(value), fix.format(name)
                )
            )
    if isinstance(value, CONTAINERS) and _holds_modules(value):
        raise _hidden(where, value)


def check_registration(module: Module, name: Any, value: Any) -> None:
    """Raise on a name that paths or methods need, and on a module inside itself."""
    who = type(module).__name__
    if not isinstance(name, str) or not name or "." in name:
        raise UsageError(
            compose_message(
                f"{who}: names of parameters, buffers and modules are texts without dots, "
                "since paths such as encoder.0.weight are made of them",
                repr(name),
                "another name",
            )
        )
    if name in REGISTRIES or isinstance(getattr(type(module), name, None), FunctionType | property):
        raise UsageError(
            f"{who}.{name} is a method or a part of every module; the name cannot hold "
            f"{describe(value)}. Fix: another name."
        )
    below = getattr(value, "_modules", None)
    if below is not None and any(m is module for m in value.modules()):
        raise UsageError(
            f"{who}.{name}: a module cannot contain itself. Received {describe(value)}."
        )


def check_visible(module: Module) -> None:
    """Raise on what training would not see: modules in a plain container, tensors as leaves."""
    for name, value in module.__dict__.items():
        if type(value) is Tensor and value.requires_grad and value.is_leaf:
            raise UsageError(
                compose_message(
                    f"{type(module).__name__}.{name} requires grad and is no parameter: it would "
                    "not be trained or saved",
                    describe(value),
                    f"nn.Parameter(…); or {name}.detach() for what is only kept",
                )
            )
        if isinstance(value, CONTAINERS) and name not in REGISTRIES:
            items = value.values() if isinstance(value, dict) else value
            if any(_is_registrable(item) for item in islice(items, 1)):
                raise _hidden(f"{type(module).__name__}.{name}", value)


def _hidden(where: str, value: Any) -> UsageError:
    holder = "nn.ModuleDict" if isinstance(value, dict) else "nn.ModuleList"
    return UsageError(
        f"{where}: a plain {type(value).__name__} would hide its modules and parameters "
        f"from training and saving. Fix: {holder}(…) for modules; parameters as attributes."
    )


def _holds_modules(container: Any) -> bool:
    """Look into a container and the containers in it."""
    for item in container.values() if isinstance(container, dict) else container:
        if _is_registrable(item):
            return True
        if isinstance(item, CONTAINERS):
            inner = item.values() if isinstance(item, dict) else item
            if any(_is_registrable(i) for i in inner):
                return True
    return False


def _is_registrable(value: Any) -> bool:
    return isinstance(value, Parameter | Buffer) or "_modules" in getattr(value, "__dict__", ())
