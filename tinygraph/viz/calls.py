"""What a step computes and by which rule, as formulas: the record's texts with names bound."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from ..core.tensor import Tensor
from .expressions import Formula
from .fold import Group
from .formula import WORD, attribute_text, factor_shapes
from .names import Names
from .text import clean, count, tight_shape

TOLD_IN_SYMBOLS = ("reduce", "row")
"""Kinds of ops whose formula says more than their name, also where it is no expression."""

MANY = 4
"""Of more operands only the first ones are named."""


PRODUCTS = re.compile(r"\w+ᵀ?(?: @ \w+ᵀ?)+(?: \+ \w+)?")
"""A formula whose shapes can be checked in place: ``x @ wᵀ + b``."""


def call_of(group: Group, names: Names) -> tuple[Formula | None, Formula | None]:
    """Return call and formula of a step; one of them may be None."""
    if group.kind == "op":
        return _op_texts(group.tensor, names)
    if group.kind == "rest":
        return Formula(f"… {count(len(group.nodes), 'node')} …"), None
    assert group.scope is not None
    call = _call(clean(group.scope.path), list(group.uses), names)
    formula = getattr(group.scope.owner, "formula", "")
    is_text = isinstance(formula, str) and bool(formula)
    return call, Formula(formula) if is_text else None


def _op_texts(y: Tensor, names: Names) -> tuple[Formula | None, Formula | None]:
    op: Any = y.op
    formula = bind(op.formula, y, names, with_result="y" not in op.input_names)
    call = _call(clean(op.name), list(y.inputs), names, _attributes(y))
    if len(y.inputs) == 1 and all(unicodedata.category(c) == "Lm" for c in op.label):
        return Formula(f"x{op.label}", {"x": names.short(y.inputs[0])}), None
    if op.kind in TOLD_IN_SYMBOLS or "y" in formula.words:
        return call, formula
    if op.kind == "matmul" or op.name == "getitem":
        return None, formula
    if formula.tree is None or op.kind != "elementwise":
        return call, None
    is_call = op.formula.startswith(f"{op.name}(")
    is_sign = op.label != op.name and len(formula.symbols()) <= len(call.symbols())
    return (None, formula) if is_call or is_sign else (call, formula)


def _call(
    name: str, operands: Sequence[Any], names: Names, attributes: Sequence[str] = ()
) -> Formula:
    """Return ``name(a, b, axis=0)`` as a formula with the operands' names in it."""
    words = {f"operand{i}": names.short(x) for i, x in enumerate(operands[:MANY])}
    parts = [*words, *["…"][: len(operands) > MANY], *attributes]
    return Formula(f"{name}({', '.join(parts)})", words)


def _attributes(y: Tensor) -> list[str]:
    """Return the attributes that are not as usual: ``axis=0``."""
    op: Any = y.op
    given = {k: v for k, v in (y.attrs or {}).items() if op.defaults.get(k, op) is not v}
    axes = tuple(range(getattr(y.inputs[0], "ndim", 0)))
    if given.get("axis") == axes and op.defaults.get("axis", axes) is None:
        del given["axis"]  # all axes, completed from None
    return [f"{key}={clean(attribute_text(value))}" for key, value in given.items()]


def bind(template: str, y: Tensor, names: Names, with_result: bool) -> Formula:
    """Say what the words of a record's text stand for where ``y`` was made."""
    op: Any = y.op
    words = dict(zip(op.input_names, y.inputs, strict=False))
    if with_result:
        words["y"] = y
    texts = {word: names.short(x) for word, x in words.items()}
    constants, values = {}, {}
    for word, x in words.items():
        if not isinstance(x, Tensor):
            constants[word] = float(x)
        elif x.size == 1 and x.dtype.kind in "fiub":
            values[word] = float(x.item())
    for key, value in (y.attrs or {}).items():
        if value is None or key in texts:
            continue
        text = clean(attribute_text(value), 30)
        texts[key] = {"axis": f"axis {text}", "index": text.strip("()")}.get(key, text)
        if isinstance(value, int | float) and not isinstance(value, bool):
            constants[key] = float(value)
    return Formula(template, texts, constants, {**constants, **values})


def rule_of(y: Tensor, position: int, names: Names, upstream: str) -> Formula | None:
    """Return the local derivative of ``y`` by one of its inputs, None if there is no text."""
    template = _template(y, position)
    if not template:
        return None
    rule = bind(template, y, names, with_result=True)
    return Formula(rule.template, {**rule.names, "G": upstream}, rule.constants, rule.values)


def _template(y: Tensor, position: int) -> str:
    op: Any = y.op
    local = op.local
    if op.variadic and len(local) == 1:
        return str(local[0])
    return str(local[position]) if position < len(local) else ""


# ---- shapes -----------------------------------------------------------------------------------


def shapes_of_rule(y: Tensor, position: int) -> str:
    """Return the shapes in a rule that is a product of matrices: ``(2,4)(4,3)``, else ""."""
    op: Any = y.op
    shapes = [x.shape if isinstance(x, Tensor) else () for x in y.inputs]
    return factor_shapes(_template(y, position), op, shapes, y.shape)


def shapes_of(group: Group, carried: str = "", target: Tensor | None = None) -> str:
    """Return the dimension analysis of a step, or (with ``target``) of one of its rules."""
    y = group.tensor
    if target is not None:
        if not carried and y.shape == target.shape:
            return tight_shape(y.shape)
        return f"{carried or tight_shape(y.shape)} → {tight_shape(target.shape)}"
    if group.kind == "rest":
        return ""
    operands = list(y.inputs) if group.kind == "op" else list(group.uses)
    shapes = [x.shape for x in operands if isinstance(x, Tensor)]
    if not y.shape and not any(shapes):
        return ""
    op = y.op
    if group.kind == "op" and op is not None and PRODUCTS.fullmatch(op.formula):
        known = dict(zip(op.input_names, [x.shape for x in operands], strict=False))
        return f"{_in_place(op.formula, known)} → {tight_shape(y.shape)}"
    if all(s == y.shape for s in shapes):
        return tight_shape(y.shape)
    before = " and ".join(tight_shape(s) for s in shapes[:MANY]) + (" …" * (len(shapes) > MANY))
    return f"{before} → {tight_shape(y.shape)}"


def _in_place(template: str, shapes: dict[str, tuple[int, ...]]) -> str:
    """Return a matrix formula with shapes for its words: ``(2,3)(3,4) + (4)``."""

    def replace(match: re.Match[str]) -> str:
        word, transposed = match.groups()
        if word not in shapes:
            return match.group()
        return tight_shape(shapes[word][:: -1 if transposed == "ᵀ" else 1])

    return WORD.sub(replace, template).replace(" @ ", "")
