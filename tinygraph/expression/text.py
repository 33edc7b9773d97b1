"""From text to a syntax tree that is neither too long nor too deep, and to plain numbers."""

from __future__ import annotations

import ast
from typing import Any

from ..core.errors import TinygraphError

MAX_LENGTH = 2000
MAX_DEPTH = 100
MAX_NODES = 1000
MAX_ELEMENTS = 2000
SIGNS = str.maketrans({"−": "-", "·": "*", "×": "*", "÷": "/", "\t": " ", "\n": " ", "\r": " "})


class ExpressionError(TinygraphError, ValueError):
    """An expression or a value that cannot be read or is not allowed, with its column."""


def parse(text: str, offset: int = 0) -> ast.expr:
    """Return the syntax tree of a text that is neither too long nor too deep."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(
            f"The expression has {len(text)} characters. Fix: at most {MAX_LENGTH}."
        )
    plain = text.translate(SIGNS)
    lead = len(plain) - len(plain.lstrip())
    if not plain.strip():
        raise ExpressionError("The expression is empty. Fix: something like '(x + y) * z'.")
    try:
        tree = ast.parse(plain.strip(), mode="eval").body
    except SyntaxError as error:
        column = (error.offset or 1) + lead + offset
        raise ExpressionError(f"Column {column}: {_syntax_words(plain.strip(), error)}") from None
    except (RecursionError, MemoryError, ValueError, OverflowError):
        raise ExpressionError("The expression cannot be read: nested too deeply.") from None
    _check_size(tree)
    return tree


def _syntax_words(text: str, error: SyntaxError) -> str:
    """Say in our words what Python's parser found."""
    said = (error.msg or "").lower()
    at = max((error.offset or 1) - 1, 0)
    if "=" in text.replace("==", "").replace("<=", "").replace(">=", "").replace("!=", ""):
        return "no '=' here. Fix: only the right side, without 'f ='; a == b compares."
    if "nested" in said or "too many" in said:
        return "nested too deeply."
    if "never closed" in said or "unexpected eof" in said or "eof" in said:
        return "a bracket is not closed."
    if "unmatched" in said or "does not match" in said:
        return "a bracket too many, or of the wrong kind."
    if "invalid decimal literal" in said or "forgot a comma" in said:
        return "something is missing between two parts. Fix: write the product as 2*x."
    if "character" in said:
        return f"the character {text[at : at + 1]!r} means nothing here. Fix: x**2 for x²."
    return "this is no expression. Fix: something like '(x + y) * z'; 2*x for a product."


def _check_size(tree: ast.expr) -> None:
    """Raise if the tree is too deep or too large; walks without recursion."""
    stack: list[tuple[ast.AST, int]] = [(tree, 1)]
    count = 0
    while stack:
        node, depth = stack.pop()
        count += isinstance(node, ast.expr)
        if depth > MAX_DEPTH or count > MAX_NODES:
            raise ExpressionError(
                f"The expression is too large: at most {MAX_NODES} parts, nested {MAX_DEPTH} deep."
            )
        stack += [(child, depth + 1) for child in ast.iter_child_nodes(node)]


def column_of(text: str, node: ast.AST) -> int:
    """Return the column of a node in what was typed, from 1; ast counts bytes of UTF-8."""
    lead = len(text) - len(text.translate(SIGNS).lstrip())
    before = text.translate(SIGNS).strip().encode()[: getattr(node, "col_offset", 0)]
    return len(before.decode(errors="replace")) + lead + 1


def shorten(text: str, limit: int = 30) -> str:
    printable = "".join(c if c.isprintable() else "?" for c in text)
    return printable if len(printable) <= limit else printable[: limit - 1] + "…"


# ---- numbers ------------------------------------------------------------------------------------


class LiteralError(Exception):
    def __init__(self, node: ast.expr) -> None:
        self.node = node


def literal(node: ast.expr) -> Any:
    """Return a number or nested lists of numbers; depth is limited by the parser of the text."""
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return number
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -number
        case ast.UnaryOp(op=ast.UAdd(), operand=ast.Constant(value=int() | float() as number)):
            return number
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            return [literal(p) for p in parts]
    raise LiteralError(node)


def is_literal(node: ast.expr) -> bool:
    try:
        literal(node)
    except LiteralError:
        return False
    return True


def numbers_in(value: Any) -> list[float]:
    """Return the numbers of nested lists."""
    return [value] if not isinstance(value, list) else [n for v in value for n in numbers_in(v)]
