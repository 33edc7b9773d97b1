"""Writing a file: checked before any work is done, and never half written."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from ..core.errors import UsageError, compose_message, describe, shorten
from .render import RenderError

LONGEST = 160
"""Of a longer path an error shows the two ends."""


def as_path(path: Any) -> Path:
    """Return what names a file as a path.

    Raises
    ------
    UsageError
        If it is neither a text nor a path.
    """
    if not isinstance(path, str | os.PathLike) or isinstance(os.fspath(path), bytes):
        raise UsageError(compose_message("A file has a name", describe(path), '"graph.svg"'))
    return Path(path)


def checked_target(path: str | os.PathLike[str]) -> Path:
    """Return a path that can be written.

    Raises
    ------
    RenderError
        If it is a folder, or its folder is missing or may not be written.
    """
    target = as_path(path)
    folder = target.parent
    try:
        problem = _problem_of(target, folder)
    except (OSError, ValueError) as error:  # a name that is too long, or holds a zero
        problem = f"cannot be written: {shorten(str(error))}"
    if problem:
        name = shorten(str(target), LONGEST)
        raise RenderError(f"{name} {problem}. Fix: a file name in an existing folder of yours.")
    return target


def _problem_of(target: Path, folder: Path) -> str:
    if target.is_dir():
        return "is a folder"
    if not folder.is_dir():
        return f"cannot be written: there is no folder {shorten(str(folder), LONGEST)}"
    if not os.access(folder, os.W_OK):
        return f"cannot be written: no permission in {shorten(str(folder), LONGEST)}"
    return ""


def write_file(target: Path, content: bytes) -> None:
    """Write beside the target and rename, so that no half file is ever seen.

    Raises
    ------
    RenderError
        If the file cannot be written.
    """
    name = ""
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, suffix=target.suffix)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(name, 0o644)
        os.replace(name, target)
    except (OSError, ValueError) as error:  # a name with a zero in it is a ValueError
        if name:
            Path(name).unlink(missing_ok=True)
        words = f"{shorten(str(target), LONGEST)} cannot be written: {shorten(str(error), LONGEST)}"
        raise RenderError(f"{words}. Fix: another file name.") from error
