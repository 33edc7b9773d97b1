"""Headers and rules: the texts of an op's record with the operands' own names in them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from ..core.op import Op
from .text import middle_ellipsis, number, shape, tight_shape

WORD = re.compile(r"([^\W\d]\w*?)([²³ᵀ]*)(?!\w)")
_SQUARE = re.compile(r" \*\* (\d)(?!\d)")
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
NAME_LIMIT = 12
FORMULA_LIMIT = 20


def substitute(text: str, names: Mapping[str, str]) -> str:
    """Replace the words of ``text`` that are keys of ``names``, all at once.

    A negative number gets parentheses where it follows an operator.

    Examples
    --------
    >>> substitute("a · b", {"a": "b", "b": "−2"})
    'b · (−2)'
    """

    def replace(match: re.Match[str]) -> str:
        word, suffix = match.groups()
        if word not in names:
            return match.group()
        name = names[word]
        opens = not match.start() or text[: match.start()].endswith(("(", ", ", "["))
        safe = (opens and not suffix) or not name.startswith("−")
        return (name if safe else f"({name})") + suffix

    replaced = WORD.sub(replace, text)
    return _SQUARE.sub(lambda m: m.group(1).translate(_SUPERSCRIPTS), replaced)


def operand_names(op: Op, operands: Sequence[str]) -> dict[str, str]:
    """Pair the input names of a record with what the operands are called here."""
    return dict(zip(op.input_names, operands, strict=False))


def describe_call(
    op: Op, operands: Sequence[str], attrs: Mapping[str, Any], limit: int = FORMULA_LIMIT
) -> str:
    """Return what made a tensor, in at most ``limit`` characters.

    The record's formula where the op has a sign and the formula is short (``x + y``), else
    a call (``sigmoid(x)``); shorter forms when that is too long for a header.
    """
    names = operand_names(op, [_short(o) for o in operands])
    values = {k: attribute_text(v) for k, v in attrs.items() if k in op.attr_names}
    if "index" in values:
        values["index"] = values["index"].strip("()")
    formula = substitute(op.formula, {**names, **values})
    call = f"{op.name}({', '.join(_short(o) for o in operands)})"
    sign = f"{op.label}({', '.join(_short(o) for o in operands)})"
    few = f"{op.name}({_short(operands[0])}, …)" if operands else call
    candidates = [call, sign, few, f"{op.name}(…)"]
    if len(operands) == 1 and all(unicodedata.category(c) == "Lm" for c in op.label):
        candidates = [_short(operands[0]) + op.label, *candidates]
    elif op.formula and not op.variadic | (op.kind == "opaque"):
        is_call = op.formula.startswith(op.name + "(")
        is_short = op.label != op.name and len(formula) <= len(call)
        candidates = [formula, *candidates] if is_call or is_short else [call, formula, *candidates]
    elif op.name == "getitem":
        candidates = [formula, *candidates]
    return shortest_fit(candidates, limit)


def shortest_fit(candidates: Sequence[str], limit: int = FORMULA_LIMIT) -> str:
    """Return the first candidate within the limit, else the shortest one cut."""
    for text in candidates:
        if len(text) <= limit:
            return text
    return middle_ellipsis(min(candidates, key=len), limit)


def factor_shapes(
    template: str, op: Op, shapes: Sequence[tuple[int, ...]], y_shape: tuple[int, ...]
) -> str:
    """Return the shapes of a rule that is a plain product such as ``G bᵀ``, else ""."""
    known = dict(zip(op.input_names, shapes, strict=False)) | {"G": y_shape}
    parts = template.split(" ")
    if "G" not in [p.rstrip("ᵀ") for p in parts] or any(p.rstrip("ᵀ") not in known for p in parts):
        return ""
    if any(len(known[p.rstrip("ᵀ")]) != 2 for p in parts):
        return ""
    return "".join(
        tight_shape(known[p.rstrip("ᵀ")][:: -1 if p.endswith("ᵀ") else 1]) for p in parts
    )


def _short(name: str) -> str:
    """Return the last part of a dotted parameter name, cut to fit into a formula."""
    is_number = name[:1].isdigit() or name[:1] == "−"
    return name if is_number else middle_ellipsis(name.rpartition(".")[2] or name, NAME_LIMIT)


def attribute_text(value: Any) -> str:
    """Write an attribute as it would stand in a formula."""
    if isinstance(value, bool | str) or value is None:
        return str(value)
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, slice):
        ends = [value.start, value.stop] + ([value.step] if value.step is not None else [])
        return ":".join("" if e is None else number(e) for e in ends)
    if value is ...:
        return "…"
    if isinstance(value, tuple):
        if all(isinstance(v, int) for v in value) and len(value) > 1:
            return shape(value)
        return ", ".join(map(attribute_text, value))
    return middle_ellipsis(str(value), NAME_LIMIT)
