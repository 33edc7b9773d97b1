"""Which line of the user's code made a tensor, where somebody asked to remember it."""

from __future__ import annotations

import traceback
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .tensor import Tensor

_PACKAGE = str(Path(__file__).resolve().parent.parent)
_lines: dict[int, str] = {}  # by creation index: == of tensors is elementwise


def user_line() -> str:
    """Return ``file:line: code`` of the innermost frame outside tinygraph."""
    for frame in reversed(traceback.extract_stack()):
        inside = frame.filename.startswith(_PACKAGE) or frame.filename.endswith("contextlib.py")
        if not inside:
            return f"{frame.filename}:{frame.lineno}: {frame.line}"
    return "an unknown line"


def note_line(result: Tensor) -> str:
    """Remember the user's line for as long as the tensor lives, and return it."""
    line = _lines[result.index] = user_line()
    weakref.finalize(result, _lines.pop, result.index, None)
    return line


def line_of(tensor: Tensor) -> str:
    """Return the line that made a tensor, "" if nobody asked to remember it."""
    return _lines.get(tensor.index, "")
