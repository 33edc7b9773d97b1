"""Input checks of modules: errors that name the module's path, what it wants and what it got."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..core.errors import DtypeError, ShapeError, compose_message, describe
from ..core.modes import module_path
from ..core.tensor import Tensor

if TYPE_CHECKING:
    from .module import Module


def check_features(module: Module, x: Any, features: int, parameter: Tensor) -> None:
    """Raise unless the last axis of ``x`` has ``features`` elements of the parameter's dtype."""
    shape = getattr(x, "shape", None)
    if not shape or shape[-1] != features:
        raise ShapeError(
            compose_message(
                f"{type(module).__name__} wants inputs of shape (…, {features})",
                describe(x),
                f"{type(module).__name__}({shape[-1] if shape else '…'}, …), or check the layer before",
                module_path(),
            )
        )
    if x.dtype is not parameter.dtype:
        check_dtype(module, x, parameter)


def check_dtype(module: Module, x: Any, parameter: Tensor) -> None:
    """Raise on floating inputs of another dtype than the module's parameters."""
    if x.dtype.kind == "f" and x.dtype != parameter.dtype:
        raise DtypeError(
            compose_message(
                f"{type(module).__name__} has {parameter.dtype} parameters",
                describe(x),
                f"x.astype(np.{parameter.dtype}), or model.astype(np.{x.dtype})",
                module_path(),
            )
        )
