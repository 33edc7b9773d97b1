"""Replacing a file so that at every moment either the old or the new one is there, whole."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ..core.errors import UsageError, compose_message, describe


def as_path(path: Any, who: str) -> str:
    """Return a path as text, or raise UsageError."""
    try:
        name = os.fsdecode(os.fsencode(path))
    except (TypeError, UnicodeError):
        name = ""
    if not name or "\0" in name:
        fix = f"{who}(…)" if who == "tg.load" else "tg.save(model, path): the model comes first"
        raise UsageError(compose_message(f"{who} takes the path of a file", describe(path), fix))
    return name


@contextmanager
def replacing(path: str) -> Iterator[str]:
    """Yield the path of a temporary file that takes the place of ``path`` after the block.

    It lies in the same folder, since a file moves atomically within one file system only.
    The block must see to it that the content is on the disk (``os.fsync``) before the move:
    some file systems do the move first, and a power cut would leave a file without content.
    If the block raises, ``path`` stays as it was.
    """
    target = os.path.realpath(path)  # a link stays a link
    folder = os.path.dirname(target)
    temporary = os.path.join(folder, f"tinygraph-{secrets.token_hex(8)}.tmp")
    if os.path.isdir(target):
        raise IsADirectoryError("it is a folder")
    if os.path.exists(target) and not os.access(target, os.W_OK):
        raise PermissionError("the file there is write-protected")
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    try:
        mode = os.stat(target if os.path.exists(target) else temporary).st_mode
        yield temporary
        os.chmod(temporary, stat.S_IMODE(mode))  # safetensors makes files for the owner only
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_folder(folder)


def _sync_folder(folder: str) -> None:
    """Put the move itself on the disk, where the system can (Windows cannot open folders)."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
