"""The language in which records write ``formula`` and ``local``: read as an expression, or prose.

Checks evaluate these texts; explanations print them with names and numbers in them.
"""

from __future__ import annotations

import ast
import re

_SIGNS = {"·": "*", "×": "*", "−": "-", "÷": "/", "≤": "<=", "≥": ">=", "≠": "!=", "√": "sqrt",
          "²": "**2", "³": "**3", "½": "0.5"}  # fmt: skip


def parse(text: str) -> ast.expr | None:
    """Return the expression in ``text``, None if it is prose.

    Examples
    --------
    >>> import ast
    >>> ast.unparse(parse("2x · (1 − y²)"))
    '2 * x * (1 - y ** 2)'
    >>> parse("reshape back") is None
    True
    """
    for sign, python in _SIGNS.items():
        text = text.replace(sign, python)
    text = re.sub(r"(?<![\w.])(\d+(?:\.\d+)?)(?=[^\W\d])(?!e[-+]?\d)", r"\1*", text)  # 3x is 3·x
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # as ast.parse documents them
        return None
