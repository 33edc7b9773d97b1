"""``--input``: a shape filled with example values, or the numbers themselves."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from ..core.errors import shorten
from ..expression.text import ExpressionError, LiteralError, literal, parse
from .target import TargetError

SHAPE = re.compile(r"\(?\s*(\d{1,9}(?:\s*[,x×]\s*\d{1,9})*)?\s*,?\s*\)?")
KINDS = {"float": None, "float32": np.float32, "float64": np.float64, "int": np.int64,
         "int64": np.int64, "bool": np.bool_}  # fmt: skip
MOST_ELEMENTS = 50_000_000


def example_input(text: str, seed: int = 0) -> np.ndarray[Any, Any]:
    """Return the array that a text of the command line stands for.

    Shapes of floats are filled with normal random numbers (the same at every call), those of
    other kinds with zeros.

    Raises
    ------
    TargetError
        If the text is none of these.

    Examples
    --------
    >>> example_input("1,28,28").shape, example_input("4x16:int").dtype
    ((1, 28, 28), dtype('int64'))
    >>> example_input("[[1, 2], [3, 4]]").tolist()
    [[1, 2], [3, 4]]
    """
    if text.lstrip().startswith("["):
        return _numbers(text)
    lengths, _, kind = text.partition(":")
    found = SHAPE.fullmatch(lengths.strip())
    if found is None or not lengths.strip() or kind.strip() not in ("", *KINDS):
        raise TargetError(
            f"--input {shorten(text)!r} is no shape. "
            "Fix: 1,28,28 or 4,16:int or numbers, [[1,2],[3,4]]."
        )
    shape = tuple(int(n) for n in re.findall(r"\d+", found.group()))
    if math.prod(shape) > MOST_ELEMENTS:
        raise TargetError(f"--input {shorten(text)} has more than {MOST_ELEMENTS:,} elements.")
    dtype = KINDS[kind.strip() or "float"]
    if kind.strip() in ("int", "int64", "bool"):
        return np.zeros(shape, dtype)
    return np.asarray(np.random.default_rng(seed).standard_normal(shape), dtype or np.float32)


def _numbers(text: str) -> np.ndarray[Any, Any]:
    """Read nested lists; whole numbers stay whole, for labels and indices."""
    fix = "Fix: [[1,2],[3,4]]."
    try:
        array = np.array(literal(parse(text)))
    except (ExpressionError, LiteralError) as error:
        raise TargetError(f"--input {shorten(text)!r} is no list of numbers. {fix}") from error
    except (ValueError, OverflowError) as error:
        raise TargetError(f"--input {shorten(text)!r} has rows of unequal length. {fix}") from error
    if array.dtype.kind not in "if":
        raise TargetError(f"--input {shorten(text)!r} holds a number that is too large. {fix}")
    return array.astype(np.float32) if array.dtype.kind == "f" else array
