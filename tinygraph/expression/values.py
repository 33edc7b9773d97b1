"""What is typed for a name: ``x=-2``, ``W=[[1,2],[3,4]]``."""

from __future__ import annotations

import keyword
import unicodedata
from typing import Any

import numpy as np

from .text import MAX_ELEMENTS, ExpressionError, LiteralError, column_of, literal, parse, shorten


def read_assignment(text: str) -> tuple[str, Any]:
    """Read ``W=[[1,2],[3,4]]``."""
    name, equals, value = text.partition("=")
    name = unicodedata.normalize("NFKC", name.strip())
    shown = shorten(text)
    if not equals or not value.strip():
        raise ExpressionError(f"'{shown}' gives no value. Fix: name=number, as in x=-2.")
    if not name.isidentifier() or keyword.iskeyword(name):
        raise ExpressionError(f"'{shorten(name)}' is no name. Fix: letters and digits, as in x1=2.")
    offset = text.index("=") + 1
    tree = parse(value, offset)
    try:
        array = np.array(literal(tree), dtype=np.float64)
    except LiteralError as error:
        column = column_of(value, error.node) + offset
        raise ExpressionError(
            f"Value of {name}, column {column}: only numbers and lists of them. Fix: {name}=2.5 "
            f"or {name}=[[1,2],[3,4]]."
        ) from None
    except (ValueError, OverflowError):
        raise ExpressionError(
            f"Value of {name}: rows of unequal length, or a number too large. "
            f"Fix: {name}=[[1,2],[3,4]]."
        ) from None
    if array.size > MAX_ELEMENTS or array.size == 0:
        raise ExpressionError(
            f"Value of {name}: from 1 to {MAX_ELEMENTS} numbers, received {array.size}."
        )
    return name, array
