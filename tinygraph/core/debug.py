"""Three debugging modes: which line made what; the first NaN; writes past the library."""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from .errors import AnomalyError, VersionError, compose_message, describe, describe_all
from .lines import line_of, note_line
from .modes import current_modes, modes, module_path
from .node import saved_by
from .storage import Array
from .tensor import Tensor


class _LineWatcher:
    """Remembers which line made which tensor."""

    def after_forward(self, result: Any, op: Any, inputs: Any, attrs: Any) -> None:
        note_line(result)

    def before_vjps(self, result: Any) -> None:
        """Nothing to note."""

    def after_vjp(self, result: Any, position: int, gradient: Any) -> None:
        """Nothing to note."""


class _AnomalyWatcher:
    """Checks every result and gradient; remembers which line made which tensor."""

    def after_forward(self, result: Any, op: Any, inputs: Any, attrs: Any) -> None:
        line = note_line(result)
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
            line = line_of(result) or "a line outside detect_anomaly"
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

    def after_forward(self, result: Any, op: Any, inputs: Any, attrs: Any) -> None:
        if result.op is not None:
            self.prints[result.index] = [_fingerprint(t) for _, t in saved_by(result)]
            weakref.finalize(result, self.prints.pop, result.index, None)

    def before_vjps(self, result: Any) -> None:
        before = self.prints.get(result.index)
        if before is None:
            return
        for old, (which, t) in zip(before, saved_by(result), strict=True):
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


def _fingerprint(t: Tensor) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(t._data).tobytes(), digest_size=16).digest()


@contextmanager
def record_lines() -> Iterator[None]:
    """Remember which line of your code made each tensor, for `explore`.

    Costs some ten microseconds an op; for looking, not for training.

    Examples
    --------
    >>> import tinygraph as tg
    >>> x = tg.tensor(2.0, requires_grad=True)
    >>> with tg.record_lines():
    ...     y = x * x
    >>> print(y.node.line)
    <doctest ...>:2: y = x * x
    """
    with modes(watchers=(*current_modes().watchers, _LineWatcher())):
        yield


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
