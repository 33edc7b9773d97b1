"""Text in pictures: numbers as people write them, and names of users made harmless."""

from __future__ import annotations

import math
import textwrap
import unicodedata
from typing import Any

import numpy as np

HEADER_LIMIT = 18
TOOLTIP_LIMIT = 240

_ENTITIES = (
    ("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#39;"), ("\\", "&#92;"),
)  # fmt: skip
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def number(value: Any, digits: int = 4) -> str:
    """Write a number with some significant digits, a true minus, and integers bare.

    Examples
    --------
    >>> [number(v) for v in (-12.0, 0.7310586, 0.000012, 1234567890, float("-inf"))]
    ['−12', '0.7311', '1.2e−5', '1.235e9', '−∞']
    >>> number(2 / 3, digits=2)
    '0.67'
    """
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    number_ = float(value)
    if math.isnan(number_):
        return "NaN"
    if math.isinf(number_):
        return "∞" if number_ > 0 else "−∞"
    size = abs(number_)
    if number_ == int(number_) and size < 1e7:
        text = str(int(number_))
    elif 1e-3 <= size < 1e6:
        decimals = max(0, digits - 1 - math.floor(math.log10(size)))
        text = f"{number_:.{decimals}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    else:
        mantissa, exponent = f"{number_:.{digits - 1}e}".split("e")
        text = f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    return text.replace("-", "−")


def exact(value: Any) -> str:
    """Write a number with all its digits, for tooltips."""
    return str(value).replace("-", "−")


def term(value: Any, first: bool, digits: int = 4) -> str:
    """Write a number as a term of a sum: negative ones after the first in parentheses."""
    text = number(value, digits)
    return text if first or not text.startswith("−") else f"({text})"


def shape(lengths: tuple[int, ...]) -> str:
    """Write a shape: ``(3, 4)``."""
    return f"({', '.join(map(str, lengths))}{',' if len(lengths) == 1 else ''})"


def tight_shape(lengths: tuple[int, ...]) -> str:
    """Write a shape without spaces, for edges: ``(3,4)``."""
    return f"({','.join(map(str, lengths))})"


def subscript(index: int) -> str:
    """Write a number in subscript digits."""
    return str(index).translate(_SUBSCRIPTS)


def count(amount: int, word: str) -> str:
    """Write ``1 param``, ``1,234 params``."""
    return f"{amount:,} {word}{'' if amount == 1 else 's'}"


def middle_ellipsis(text: str, limit: int = HEADER_LIMIT) -> str:
    """Cut ``text`` in the middle to at most ``limit`` characters.

    Examples
    --------
    >>> middle_ellipsis("encoder.layers.11.attention.weight")
    'encoder.l…n.weight'
    """
    if len(text) <= limit:
        return text
    head = limit // 2
    tail = limit - head - 1
    return f"{text[:head]}…{text[len(text) - tail :]}"


def clean(text: Any, limit: int = HEADER_LIMIT) -> str:
    """Return a user's text cut to ``limit``, with nothing invisible in it.

    Control characters become their visible signs; bidirectional overrides, zero-width and
    unassigned characters and lone surrogates become the replacement character.

    Examples
    --------
    >>> clean("a\\nb")
    'a␊b'
    """
    short = middle_ellipsis(str(text), limit)
    return short if short.isprintable() else "".join(_visible(c) for c in short)


def wrap(text: str, width: int, lines: int) -> tuple[str, ...]:
    """Return a user's text in a few lines, with nothing invisible in it.

    Examples
    --------
    >>> wrap("the inner sizes must agree, 4 ≠ 5", 20, 2)
    ('the inner sizes must', 'agree, 4 ≠ 5')
    """
    visible = clean(text, width * lines * 2)
    return tuple(textwrap.wrap(visible, width, max_lines=lines, placeholder=" …"))


def _visible(character: str) -> str:
    if character < "\x20":
        return chr(0x2400 + ord(character))
    is_space = unicodedata.category(character) == "Zs"
    return " " if is_space else character if character.isprintable() else "\ufffd"


def escape(text: str) -> str:
    """Escape clean text for XML, HTML-like labels and tooltips; no backslash stays either."""
    for raw, entity in _ENTITIES:
        if raw in text:
            text = text.replace(raw, entity)
    return text


def quote(text: str) -> str:
    """Return escaped text as a quoted DOT string."""
    return f'"{text}"'
