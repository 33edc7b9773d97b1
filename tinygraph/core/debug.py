"""Two debugging modes: find the first NaN or infinity; catch writes past the library."""

from __future__ import annotations

import hashlib
import traceback
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from .errors import AnomalyError, VersionError, compose_message, describe, describe_all
from .modes import current_modes, modes, module_path
from .storage import Array
from .tensor import Tensor

_PACKAGE = str(Path(__file__).resolve().parent.parent)


def user_line() -> str:
    """Return ``file:line: code`` of the innermost frame outside tinygraph."""
    for frame in reversed(traceback.extract_stack()):
        inside = frame.filename.startswith(_PACKAGE) or frame.filename.endswith("contextlib.py")
        if not inside:
            return f"{frame.filename}:{frame.lineno}: {frame.line}"
    return "an unknown line"


class _AnomalyWatcher:
    """Checks every result and gradient; remembers which line made which tensor."""

    def __init__(self) -> None:
        self.lines: dict[int, str] = {}  # by creation index: == of tensors is elementwise

    def after_forward(self, result: Any, op: Any, inputs: tuple[Any, ...]) -> None:
        line = self.lines[result.index] = user_line()
        weakref.finalize(result, self.lines.pop, result.index, None)
        problem = _problem(result._data)
        if problem:
            raise AnomalyError(
                compose_message(
                    f"{op.name} produced {problem} in the forward pass, at {line}",
                    describe_all(inputs),
                    "look at the operands there: a log or sqrt of 0, a division by 0, an overflow",
                    module_path(),
                )
            )

    def before_vjps(self, result: Any) -> None:
        """Nothing to check before."""

    def after_vjp(self, result: Any, position: int, gradient: Any) -> None:
        problem = _problem(gradient._data if isinstance(gradient, Tensor) else gradient)
        if problem:
            line = self.lines.get(result.index, "a line outside detect_anomaly")
            raise AnomalyError(
                compose_message(
                    f"The backward pass of {result.op.name} produced {problem} for input "
                    f"{position}; its forward pass ran at {line}",
                    describe_all(result.inputs),
                    "the derivative is infinite or undefined there",
                    result.scope.module_path() if result.scope else "",
                )
            )


def _problem(array: Array) -> str:
    if array.dtype.kind != "f" or np.isfinite(array).all():
        return ""
    return "NaN" if np.isnan(array).any() else "Inf"


class _RawWriteWatcher:
    """Fingerprints saved values when a node is made, and compares before its VJPs run."""

    def __init__(self) -> None:
        self.prints: dict[int, list[bytes]] = {}

    def after_forward(self, result: Any, op: Any, inputs: tuple[Any, ...]) -> None:
        if result.op is not None:
            self.prints[result.index] = [_fingerprint(t) for _, t in _saved(result)]
            weakref.finalize(result, self.prints.pop, result.index, None)

    def before_vjps(self, result: Any) -> None:
        before = self.prints.get(result.index)
        if before is None:
            return
        for old, (which, t) in zip(before, _saved(result), strict=True):
            if _fingerprint(t) != old:
                raise VersionError(
                    compose_message(
                        f"{which} of '{result.op.name}' was overwritten past the library since "
                        "the forward pass",
                        describe(t),
                        "write with t.data = … or t[...] = … under no_grad, and before the forward",
                        result.scope.module_path() if result.scope else "",
                    )
                )

    def after_vjp(self, result: Any, position: int, gradient: Any) -> None:
        """Nothing to check after."""


def _saved(result: Tensor) -> list[tuple[str, Tensor]]:
    op: Any = result.op
    saved = [(f"Input {i}", result.inputs[i]) for i in op.saved_inputs(len(result.inputs))]
    if "y" in op.saves:
        saved.append(("The result", result))
    return [(which, t) for which, t in saved if isinstance(t, Tensor)]


def _fingerprint(t: Tensor) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(t._data).tobytes(), digest_size=16).digest()


@contextmanager
def detect_anomaly() -> Iterator[None]:
    """Stop at the first NaN or infinity, forward or backward.

    The error names the op, the module path and the line of the user's code that made it.
    Slow: every value is looked at.

    Raises
    ------
    AnomalyError
        At the op that produced the first NaN or Inf.

    Examples
    --------
    >>> import tinygraph as tg
    >>> with tg.detect_anomaly():
    ...     tg.log(tg.tensor(-1.0))
    Traceback (most recent call last):
        ...
    tinygraph.core.errors.AnomalyError: log produced NaN in the forward pass, ...
    """
    with modes(watchers=(*current_modes().watchers, _AnomalyWatcher())):
        yield


@contextmanager
def detect_raw_writes() -> Iterator[None]:
    """Catch writes that bypass the library, such as ``t.data[0] = 1`` or to a shared array.

    Every value that a derivative needs is fingerprinted when it is saved and again when it
    is read. Slow; for debugging. Forward and backward pass belong inside.

    Raises
    ------
    VersionError
        In the backward pass, naming the op whose saved value changed.
    """
    with modes(watchers=(*current_modes().watchers, _RawWriteWatcher())):
        yield
