"""``model.py:model``: run a user's file, and find what is to be drawn in it."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

from ..core.errors import TinygraphError, shorten
from ..core.tensor import Tensor
from ..nn.module import Module

MODULE_NAME = "tinygraph_drawn_file"
"""What a file is called while it runs: no name of its own can hide another module."""

SHOWN = 5


class TargetError(TinygraphError, ValueError):
    """A file, a name in it, or an input that cannot be drawn."""


def split_target(target: str) -> tuple[str, str]:
    """Return place and attribute of ``model.py:model``; the attribute is "" if there is none.

    Examples
    --------
    >>> split_target("nets/model.py:net.encoder"), split_target("model.py")
    (('nets/model.py', 'net.encoder'), ('model.py', ''))
    """
    place, colon, name = target.rpartition(":")
    is_name = all(part.isidentifier() or part.isdigit() for part in name.split("."))
    return (place, name) if colon and place and is_name else (target, "")


def load_target(target: str) -> Any:
    """Run the file (or import the module) and return the attribute.

    Parameters
    ----------
    target : str
        ``model.py:model``, ``model.py:net.encoder`` or ``package.module:model``.

    Raises
    ------
    TargetError
        If there is no such file, it fails, or it has no such attribute.
    """
    place, name = split_target(target)
    module = _module(place)
    if not name:
        raise TargetError(
            f"{shorten(target)} names no variable. Fix: {_suggestions(module, place)}."
        )
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            raise TargetError(
                f"{shorten(place)} has no {shorten(name)}. Fix: {_suggestions(module, place)}."
            )
        found = getattr(found, part)
    return found


def _module(place: str) -> ModuleType:
    if place.endswith(".py") or os.path.isfile(place):
        return _run_file(Path(place))
    parts = place.split(".")
    if os.path.exists(place) or not all(part.isidentifier() for part in parts):
        raise TargetError(f"There is no file {shorten(place)}. Fix: model.py:model.")
    sys.path.insert(0, "")
    with running(place):
        return importlib.import_module(place)


def _run_file(path: Path) -> ModuleType:
    if not os.path.isfile(path):
        raise TargetError(f"There is no file {shorten(str(path))}. Fix: model.py:model.")
    spec = spec_from_loader(MODULE_NAME, SourceFileLoader(MODULE_NAME, str(path)))
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[MODULE_NAME] = module
    sys.path.insert(0, str(path.parent.resolve()))
    sys.dont_write_bytecode = True
    with running(str(path)):
        spec.loader.exec_module(module)
    return module


@contextmanager
def running(what: str, told: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Tell the failure of a user's code in one line, with the place in it.

    Errors that are ``told`` well enough go through.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise
    except told:
        raise
    except SystemExit as error:
        raise TargetError(f"{shorten(what)} ended itself, with exit code {error.code}.") from error
    except BaseException as error:
        said = _said(error)
        kind = "" if isinstance(error, TinygraphError) and said else f"{type(error).__name__}: "
        raise TargetError(
            f"{shorten(what)} failed{_place_of(error)}: {kind}{shorten(said, 300)}"
        ) from error


def _said(error: BaseException) -> str:
    try:
        return " ".join(str(error).split())
    except Exception:  # a class of the user's whose words fail, too
        return ""


def _place_of(error: BaseException) -> str:
    """Return `` in line 3 of net.py``: the innermost line that is neither ours nor Python's."""
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        return f" in line {error.lineno} of {Path(error.filename).name}"
    ours = str(Path(__file__).parent.parent)
    inside = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith((ours, "<frozen", sys.base_prefix, sys.prefix))
    ]
    return f" in line {inside[-1].lineno} of {Path(inside[-1].filename).name}" if inside else ""


def _suggestions(module: ModuleType, place: str) -> str:
    """Return what of a module could be drawn, best first."""
    own = {k: v for k, v in vars(module).items() if not k.startswith("_")}
    kinds = (
        [k for k, v in own.items() if isinstance(v, Module)],
        [k for k, v in own.items() if isinstance(v, Tensor)],
        [k for k, v in own.items() if getattr(v, "__module__", "") == module.__name__],
    )
    names = [name for kind in kinds for name in kind][:SHOWN]
    file = shorten(place, 40)
    return " or ".join(f"{file}:{shorten(n)}" for n in names) or "a variable, as in model = Net()"
