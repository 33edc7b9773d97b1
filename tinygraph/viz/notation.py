"""Three ways to write the same mathematics: plain text, LaTeX, and MathML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from . import mathml
from .expressions import ATOM, Formula, Piece, Plain, piece_of
from .formula import substitute
from .latex import Latex, escape_text, matrix_of, mixed_of, name_of, number_of, prose_of
from .text import escape, number

_MARKS = re.compile(r"([\\`*_{}\[\]<>|$#~])")


class Notation:
    """Plain text.

    Parameters
    ----------
    symbol : str
        The name of what is differentiated.
    digits : int
        Significant digits of numbers.
    """

    dialect: type[Plain] = Plain
    times = " · "
    width = 96

    def __init__(self, symbol: str, digits: int) -> None:
        self.symbol = symbol
        self.digits = digits

    def name(self, text: str) -> str:
        """Return a name inside mathematics."""
        return text

    def figure(self, text: str) -> str:
        """Return a number that is text already."""
        return text

    def words(self, text: str) -> str:
        """Return words inside mathematics."""
        return text

    def sign(self, text: str) -> str:
        """Return an operator between two parts, such as `` = ``, inside mathematics."""
        return text

    def matrix(self, rows: Sequence[Sequence[str]]) -> str:
        """Return rows of numbers, inside mathematics."""
        raise NotImplementedError

    def math(self, text: str) -> str:
        """Return mathematics inside a sentence."""
        return text

    def prose(self, text: str) -> str:
        """Return a sentence."""
        return text

    def partial(self, of: str, by: str) -> str:
        """Return a derivative: ``∂f/∂x``."""
        return f"∂{of}/∂{by}"

    def mixed(self, formula: Formula) -> str:
        """Return a formula that is no expression."""
        return substitute(formula.template, formula.names)

    def length(self, text: str) -> int:
        """Return how long mathematics is, measured as ``width`` is."""
        return len(text)

    # ---- the same in all ----------------------------------------------------------------------

    def number(self, value: Any) -> str:
        """Return a number."""
        return self.figure(number(value, self.digits))

    def number_piece(self, value: Any) -> Piece:
        """Return a number as a part of an expression."""
        return piece_of(float(value), self.number(value))

    def gradient(self, name: str) -> str:
        """Return the gradient of what is differentiated by ``name``."""
        return self.partial(self.symbol, name)

    def symbols(self, formula: Formula) -> Piece:
        """Return a formula with names in it."""
        piece = formula.piece(self.dialect, self.name, self.figure, self.digits)
        return piece or Piece(self.mixed(formula), ATOM)

    def numbers(self, formula: Formula) -> Piece | None:
        """Return a formula with numbers in it; None where that says nothing."""
        return formula.piece(self.dialect, None, self.figure, self.digits)

    def wrap(self, piece: Piece, least: int) -> str:
        """Put a part in parentheses unless it holds together tightly enough."""
        return self.dialect(piece_of_nothing).wrap(piece, least)

    def shapes(self, text: str) -> str:
        """Return a dimension analysis."""
        return text


def piece_of_nothing(word: str) -> Piece:
    """Stand in for the names of an expression without names."""
    return Piece(word)


class MathNotation(Notation):
    """LaTeX mathematics."""

    dialect = Latex
    times = r" \cdot "
    width = 400

    def name(self, text: str) -> str:
        return name_of(text)

    def figure(self, text: str) -> str:
        return number_of(text)

    def words(self, text: str) -> str:
        return prose_of(text)

    def sign(self, text: str) -> str:
        return text.replace("+=", "{+}{=}")

    def matrix(self, rows: Sequence[Sequence[str]]) -> str:
        return matrix_of(rows)

    def math(self, text: str) -> str:
        return f"${text}$"

    def prose(self, text: str) -> str:
        return escape_text(text)

    def partial(self, of: str, by: str) -> str:
        below = "\\,\\cdot" if by == "·" else name_of(by)
        return f"\\frac{{\\partial {name_of(of)}}}{{\\partial {below}}}"

    def mixed(self, formula: Formula) -> str:
        return mixed_of(formula.template, {k: name_of(v) for k, v in formula.names.items()})

    def shapes(self, text: str) -> str:
        return text.replace("→", r"\to").replace(" and ", r",\ ").replace("…", r"\dots")


class MarkdownNotation(MathNotation):
    """LaTeX mathematics between dollar signs in Markdown."""

    def prose(self, text: str) -> str:
        return _MARKS.sub(r"\\\1", text)


class HtmlNotation(Notation):
    """MathML inside HTML."""

    dialect = mathml.MathML
    times = mathml.sign("·")

    def name(self, text: str) -> str:
        return mathml.name_of(text)

    def figure(self, text: str) -> str:
        return mathml.number_of(text)

    def words(self, text: str) -> str:
        return mathml.words(text)

    def sign(self, text: str) -> str:
        return mathml.sign(text)

    def matrix(self, rows: Sequence[Sequence[str]]) -> str:
        return mathml.matrix_of(rows)

    def math(self, text: str) -> str:
        return f"<math>{text}</math>"

    def prose(self, text: str) -> str:
        return escape(text)

    def partial(self, of: str, by: str) -> str:
        part = mathml.sign("∂")
        below = mathml.sign(by) if by == "·" else self.name(by)
        return (
            f'<mrow class="gradient">{mathml.fraction(part + self.name(of), part + below)}</mrow>'
        )

    def mixed(self, formula: Formula) -> str:
        return mathml.mixed_of(
            formula.template, {k: self.name(v) for k, v in formula.names.items()}
        )

    def length(self, text: str) -> int:
        return len(re.sub("<[^>]*>", "", text))
