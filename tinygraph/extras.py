"""Optional dependencies: imported where they are used, with an error that names the command."""

from __future__ import annotations

import importlib
from typing import Any

from .core.errors import TinygraphError


class MissingExtraError(TinygraphError, ImportError):
    """A feature needs an optional dependency that is not installed."""


def require(module: str, extra: str) -> Any:
    """Import an optional dependency.

    Raises
    ------
    MissingExtraError
        If it is not installed; names the pip command.

    Examples
    --------
    >>> require("math", "viz").sqrt(4.0)
    2.0
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.split(".")[0]
        missing = isinstance(error, ModuleNotFoundError) and error.name == package
        reason = "" if missing else f", which is installed but does not import: {error}"
        raise MissingExtraError(
            f'This needs {package}{reason}. Fix: pip install "tinygraph-autodiff[{extra}]"'
        ) from error
