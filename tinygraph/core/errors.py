"""The errors of tinygraph: each says what must hold, what was received, and the likely fix.

Every class also derives from the built-in error a NumPy user would expect, so
``except ValueError`` keeps working.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np


class TinygraphError(Exception):
    """Base class of all errors raised on purpose by tinygraph."""


class ShapeError(TinygraphError, ValueError):
    """Shapes, axes or sizes that do not fit together."""


class DtypeError(TinygraphError, TypeError):
    """A dtype or type an operation cannot take."""


class UsageError(TinygraphError, TypeError):
    """A call with unknown, missing or contradictory arguments."""


class IndexRangeError(TinygraphError, IndexError):
    """An index or label outside its range."""


class GradientError(TinygraphError, RuntimeError):
    """A gradient that cannot be computed as asked."""


class VersionError(GradientError):
    """A value saved for the backward pass was overwritten before it was used."""


class CompileError(TinygraphError, RuntimeError):
    """A function that cannot be recorded as a plan; the message names the line."""


class AnomalyError(TinygraphError, ArithmeticError):
    """A NaN or infinity found by :class:`tinygraph.detect_anomaly`."""


class DivergenceError(TinygraphError, ArithmeticError):
    """A loss or gradient in training that is not finite; ``history`` has the epochs before."""

    history: Any = None


class GradcheckError(TinygraphError, AssertionError):
    """A derivative that disagrees with central differences, or a record with a fault."""


class LinAlgError(TinygraphError, np.linalg.LinAlgError):
    """A matrix that cannot be inverted or factored; the message names it."""


class CheckpointError(TinygraphError, ValueError):
    """A checkpoint that cannot be written, is not whole, or does not fit what it should fill."""


class MissingCheckpointError(CheckpointError, FileNotFoundError):
    """There is no checkpoint at the path."""


def describe(value: Any) -> str:
    """Name shape and dtype of an operand: ``(2, 3) float32``, or the number itself.

    Examples
    --------
    >>> import numpy as np
    >>> describe(np.zeros((2, 3)))
    '(2, 3) float64'
    >>> describe(2.5)
    'the number 2.5'
    """
    if isinstance(value, bool | int | float):
        return f"the number {value!r}"
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"{tuple(value.shape)} {value.dtype}"
    return f"{type(value).__name__} {shorten(_shown(value))}".rstrip()


def _shown(value: Any) -> str:
    """Return the ``repr`` of a value; "" where it has none: an error must not fail on the way."""
    try:
        return repr(value)
    except Exception:
        return ""


def describe_all(values: Iterable[Any]) -> str:
    """Describe several operands, joined by "and"."""
    return " and ".join(describe(v) for v in values) or "nothing"


def shorten(text: str, limit: int = 60) -> str:
    """Cut ``text`` in the middle to at most ``limit`` characters."""
    half = (limit - 1) // 2
    return text if len(text) <= limit else f"{text[:half]}…{text[-half:]}"


def compose_message(what: str, received: str = "", fix: str = "", where: str = "") -> str:
    """Join the parts of a teaching message: what must hold, received, fix, where."""
    parts = [what.rstrip(".") + "."]
    if received:
        parts.append(f"Received {received}.")
    if fix:
        parts.append(f"Fix: {fix.rstrip('.')}.")
    if where:
        parts.append(f"In module {where}.")
    return " ".join(parts)
