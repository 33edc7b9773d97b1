"""Expressions of the records' language as text: with names or numbers in them, plain or LaTeX."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from ..core.texts import parse
from .formula import WORD, substitute
from .text import number

COMPARISON, SUM, NEGATIVE, PRODUCT, POWER, ATOM = range(6)
"""How tightly a piece of text holds together; a negative number is fine only in front."""

_SIGNS: dict[type[ast.AST], str] = {
    ast.Add: "+", ast.Sub: "−", ast.Mult: "·", ast.Div: "/", ast.Pow: "**", ast.MatMult: "@",
    ast.Lt: "<", ast.LtE: "≤", ast.Gt: ">", ast.GtE: "≥", ast.Eq: "=", ast.NotEq: "≠",
}  # fmt: skip
_FOLDS: dict[type[ast.AST], Callable[[float, float], float]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
}  # fmt: skip
_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class ProseError(ValueError):
    """The text is no expression that can be written."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an expression as text.

    Attributes
    ----------
    text : str
    level : int
        How tightly it holds together: COMPARISON … ATOM.
    value : float or None
        What it is worth, if it is made of numbers only.
    """

    text: str
    level: int = ATOM
    value: float | None = None


Leaf = Callable[[str], Piece]
"""What a name of the expression stands for; raises ProseError for an unknown one."""


def piece_of(value: float, text: str = "") -> Piece:
    """Return a number as a piece."""
    text = text or number(value)
    return Piece(text, NEGATIVE if value < 0 else ATOM, value)


class Plain:
    """Writes expressions as people type them: ``−2 · (x + 1)²``."""

    def __init__(self, leaf: Leaf) -> None:
        self.leaf = leaf

    def write(self, tree: ast.expr) -> Piece:
        """Return the text of an expression; records are small, so recursion is safe."""
        match tree:
            case ast.Constant(value=int() | float() as constant):
                return self.constant(constant)
            case ast.Name(id=name):
                return self.leaf(name)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number_)):
                return self.constant(-number_)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                inner = self.write(operand)
                value = None if inner.value is None else -inner.value
                return Piece(f"{self.minus}{self.wrap(inner, PRODUCT)}", NEGATIVE, value)
            case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _SIGNS:
                return self.binary(self.write(left), type(sign), self.write(right))
            case ast.Compare(left=left, ops=[sign], comparators=[right]) if type(sign) in _SIGNS:
                return self.comparison(self.write(left), type(sign), self.write(right))
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self.call(name, [self.write(a) for a in arguments])
        raise ProseError(ast.dump(tree))

    # ---- what a dialect decides -----------------------------------------------------------

    minus = "−"

    def constant(self, value: float) -> Piece:
        return piece_of(value)

    def wrap(self, piece: Piece, least: int) -> str:
        """Put a piece in parentheses unless it holds together tightly enough."""
        return piece.text if piece.level >= least else f"({piece.text})"

    def binary(self, a: Piece, sign: type[ast.operator], b: Piece) -> Piece:
        if sign is ast.Pow:
            return self.power(a, b)
        value = None
        if a.value is not None and b.value is not None and sign in _FOLDS:
            value = _FOLDS[sign](a.value, b.value)
        if sign in (ast.Add, ast.Sub):
            return Piece(f"{self.wrap(a, SUM)} {_SIGNS[sign]} {self.wrap(b, PRODUCT)}", SUM, value)
        level = NEGATIVE if a.level == NEGATIVE else PRODUCT
        return Piece(f"{self.wrap(a, NEGATIVE)} {_SIGNS[sign]} {self.wrap(b, POWER)}", level, value)

    def power(self, base: Piece, exponent: Piece) -> Piece:
        if exponent.value == 1:
            return base
        if exponent.value is not None and exponent.value in range(2, 1000):
            raised = str(int(exponent.value)).translate(_SUPERSCRIPT)
            return Piece(self.wrap(base, ATOM) + raised, POWER)
        text = exponent.text if exponent.value is None else number(exponent.value)
        level = exponent.level if exponent.value is None else piece_of(exponent.value).level
        raised = self.wrap(Piece(text, level), ATOM)
        return Piece(f"{self.wrap(base, ATOM)} ** {raised}", POWER)

    def comparison(self, a: Piece, sign: type[ast.cmpop], b: Piece) -> Piece:
        return Piece(f"{self.wrap(a, SUM)} {_SIGNS[sign]} {self.wrap(b, SUM)}", COMPARISON)

    def call(self, name: str, arguments: list[Piece]) -> Piece:
        return Piece(f"{name}({', '.join(a.text for a in arguments)})")


# ---- a record's text with what its words stand for -----------------------------------------------

CONSTANTS = ("π", "e")
_parsed = lru_cache(maxsize=512)(parse)


@dataclass(frozen=True, slots=True)
class Formula:
    """A text of a record, and what its words stand for at one place in a graph.

    Attributes
    ----------
    template : str
        As the record has it: ``a · b``, or prose such as ``1 / n, spread back``.
    names : dict
        What its words are called here: ``{"a": "v₁", "b": "−4"}``.
    constants : dict
        The words that are plain numbers here.
    values : dict
        The words that are worth one number here, constants too.

    Examples
    --------
    >>> f = Formula("b · a ** (b − 1)", {"a": "x", "b": "2"}, {"b": 2.0}, {"a": -3.0, "b": 2.0})
    >>> f.symbols(), f.numbers()
    ('2 · x', '2 · (−3)')
    """

    template: str
    names: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, float] = field(default_factory=dict)
    values: Mapping[str, float] = field(default_factory=dict)

    @property
    def tree(self) -> ast.expr | None:
        """The template as an expression over its words, None if it is prose."""
        tree = _parsed(self.template)
        if tree is None:
            return None
        functions = {id(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
        words = [n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in functions]
        return tree if all(w in self.names or w in CONSTANTS for w in words) else None

    @property
    def words(self) -> set[str]:
        """The words that stand for something here."""
        return {word for word, _ in WORD.findall(self.template)} & set(self.names)

    def symbols(self) -> str:
        """Return the text with names in it."""
        piece = self.piece(Plain, lambda text: text, lambda text: text)
        return piece.text if piece else substitute(self.template, self.names)

    def numbers(self, digits: int = 4) -> str:
        """Return the text with numbers in it, "" if a word is more than one number."""
        piece = self.piece(Plain, None, lambda text: text, digits)
        return piece.text if piece else ""

    def piece(
        self,
        dialect: type[Plain],
        write_name: Callable[[str], str] | None,
        write_number: Callable[[str], str],
        digits: int = 4,
    ) -> Piece | None:
        """Write the expression in a dialect, with names or (``write_name=None``) with numbers.

        None if the text is prose, or a word that is used has no number.
        """
        tree = self.tree
        if tree is None:
            return None

        def leaf(word: str) -> Piece:
            known = self.constants if write_name else self.values
            if word in known:
                return piece_of(known[word], write_number(number(known[word], digits)))
            if write_name is None and word in self.names:
                raise ProseError(word)
            return Piece((write_name or write_number)(self.names.get(word, word)))

        try:
            return dialect(leaf).write(tree)
        except ProseError:
            return None
