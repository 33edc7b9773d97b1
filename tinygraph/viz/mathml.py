"""MathML for mathematics on a page: browsers set it without a library, screen readers read it.

Every function returns one element (or a row of them), because a fraction or a power takes exactly
two; every piece of text passes through :func:`escape`.
"""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Mapping, Sequence

from .expressions import ATOM, POWER, PRODUCT, SUM, Piece, Plain
from .text import escape

_INDEXED = re.compile(r"([^\W\d_])_?([0-9]+|[₀₁₂₃₄₅₆₇₈₉]+)")
_TOKEN = re.compile(
    r"([^\W\d_²³¹ᵀᵖ](?:[^\W²³¹ᵀᵖ]|_)*)|(\d+(?:\.\d+)?)|(\s+)|([²³¹ᵀᵖ⁻]+)|(.)", re.DOTALL
)
_RAISED = {"ᵀ": "<mi>⊤</mi>", "²": "<mn>2</mn>", "³": "<mn>3</mn>", "¹": "<mn>1</mn>",
           "⁻": "<mo>−</mo>", "ᵖ": "<mi>p</mi>"}  # fmt: skip
_SIGNS: dict[type[ast.AST], str] = {
    ast.Add: "+", ast.Sub: "−", ast.Mult: "·", ast.MatMult: "@",
    ast.Lt: "<", ast.LtE: "≤", ast.Gt: ">", ast.GtE: "≥", ast.Eq: "=", ast.NotEq: "≠",
}  # fmt: skip
NO_BREAK_SPACE = "\u00a0"
_SPACE = '<mspace width="0.25em"/>'


def row(*parts: str) -> str:
    """Return several elements as one."""
    return f"<mrow>{''.join(parts)}</mrow>"


def sign(text: str) -> str:
    """Return an operator; a shape or an index is words."""
    text = text.strip()
    return words(text) if text[0] in "([" else f"<mo>{escape(text)}</mo>"


def fenced(inside: str, left: str = "(", right: str = ")") -> str:
    """Return something between two signs, which grow only around what is tall."""
    flat = "" if "<mfrac" in inside or "<mtable" in inside else ' stretchy="false"'
    return row(f"<mo{flat}>{left}</mo>", row(inside), f"<mo{flat}>{right}</mo>")


def words(text: str) -> str:
    """Return words inside mathematics; spaces at their ends stay."""
    return f"<mtext>{escape(text).replace(' ', NO_BREAK_SPACE)}</mtext>"


def name_of(text: str) -> str:
    """Return a name: italic if it is one letter, with an index, or upright.

    Examples
    --------
    >>> name_of("x"), name_of("v₁₂")
    ('<mi>x</mi>', '<msub><mi>v</mi><mn>12</mn></msub>')
    """
    indexed = _INDEXED.fullmatch(text)
    if indexed:
        letter, index = indexed.groups()
        digits = "".join(str(unicodedata.digit(c)) for c in index)
        return f"<msub><mi>{escape(letter)}</mi><mn>{digits}</mn></msub>"
    return f"<mi>{escape(text)}</mi>" if text.isidentifier() else words(text)


def number_of(text: str) -> str:
    """Return a number, written by :func:`text.number`.

    Examples
    --------
    >>> number_of("−2"), number_of("NaN")
    ('<mn>−2</mn>', '<mtext>NaN</mtext>')
    """
    if "e" in text and text[-1].isdigit():
        mantissa, _, exponent = text.partition("e")
        ten = f"<msup><mn>10</mn><mn>{escape(exponent)}</mn></msup>"
        return row(f"<mn>{escape(mantissa)}</mn>", sign("·"), ten)
    return words(text) if text.isalpha() else f"<mn>{escape(text)}</mn>"


def matrix_of(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of numbers as a matrix."""
    lines = ("".join(f"<mtd>{number_of(cell)}</mtd>" for cell in cells) for cells in rows)
    table = "".join(f"<mtr>{line}</mtr>" for line in lines)
    inside = f"{_SPACE}<mtable>{table}</mtable>{_SPACE}"
    return row(_SPACE, f'<mrow class="matrix">{inside}</mrow>', _SPACE)


def mixed_of(template: str, names: Mapping[str, str]) -> str:
    """Return a record's prose, with names (as MathML) in place of its words.

    Examples
    --------
    >>> mixed_of("aᵀ G", {"a": "<mi>X</mi>", "G": "<mi>G</mi>"})
    '<mrow><msup><mi>X</mi><mi>⊤</mi></msup><mspace width="0.25em"/><mi>G</mi></mrow>'
    """
    parts: list[str] = []
    for word, digits, space, raised, other in _TOKEN.findall(template):
        if word:
            parts.append(names.get(word) or (name_of(word) if len(word) == 1 else words(word)))
        elif digits:
            parts.append(f"<mn>{digits}</mn>")
        elif raised:
            base = parts.pop() if parts else row()
            above = [_RAISED[character] for character in raised]
            parts.append(f"<msup>{base}{above[0] if len(above) == 1 else row(*above)}</msup>")
        elif space:
            parts.append(_SPACE)
        else:
            flat = ' stretchy="false"' if other in "()[]|" else ""
            parts.append(f"<mo{flat}>{escape(other)}</mo>")
    return row(*parts)


def fraction(above: str, below: str) -> str:
    """Return one above the other."""
    return f"<mfrac>{row(above)}{row(below)}</mfrac>"


class MathML(Plain):
    """Writes expressions in MathML: fractions, roots, powers."""

    minus = "<mo>−</mo>"

    def constant(self, value: float) -> Piece:
        piece = super().constant(value)
        return Piece(number_of(piece.text), piece.level, value)

    def wrap(self, piece: Piece, least: int) -> str:
        if piece.level >= least:
            return piece.text
        return fenced(piece.text)

    def binary(self, a: Piece, sign_: type[ast.operator], b: Piece) -> Piece:
        plain = super().binary(a, sign_, b)
        if sign_ is ast.Pow:
            return plain
        if sign_ is ast.Div:
            return Piece(fraction(a.text, b.text), PRODUCT, plain.value)
        is_sum = sign_ in (ast.Add, ast.Sub)
        left = self.wrap(a, SUM if is_sum else PRODUCT - 1)
        right = self.wrap(b, PRODUCT if is_sum else POWER)
        if sign_ is ast.Mult and b.text.startswith("<mfrac"):
            right = b.text
        return Piece(row(left, sign(_SIGNS[sign_]), right), plain.level, plain.value)

    def power(self, base: Piece, exponent: Piece) -> Piece:
        if exponent.value == 1:
            return base
        text = exponent.text
        if exponent.value is not None:
            text = self.constant(exponent.value).text
        return Piece(f"<msup>{row(self.wrap(base, ATOM))}{row(text)}</msup>", POWER)

    def comparison(self, a: Piece, sign_: type[ast.cmpop], b: Piece) -> Piece:
        inside = self.wrap(a, SUM) + sign(_SIGNS[sign_]) + self.wrap(b, SUM)
        return Piece(fenced(inside, "[", "]"), ATOM)

    def call(self, name: str, arguments: list[Piece]) -> Piece:
        inside = sign(",").join(a.text for a in arguments)
        if name == "sqrt":
            return Piece(f"<msqrt>{inside}</msqrt>")
        if name == "abs":
            return Piece(fenced(inside, "|", "|"))
        return Piece(row(name_of(name), fenced(inside)))
