"""LaTeX for mathematics: names, numbers, matrices and expressions, never a raw character."""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Mapping, Sequence

from .expressions import ATOM, NEGATIVE, POWER, PRODUCT, SUM, Piece, Plain

_TEXT = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#",
    "%": r"\%", "_": r"\_", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': "''",
    "[": "{[}", "]": "{]}", "`": r"\textasciigrave{}", "'": r"\textquotesingle{}",
}  # fmt: skip
_MATH = {
    "−": "-", "·": r"\cdot ", "×": r"\times ", "∞": r"\infty ", "…": r"\dots ",
    "Σ": r"\textstyle\sum ",
    "Π": r"\textstyle\prod ", "√": r"\surd ", "←": r"\gets ", "→": r"\to ", "≤": r"\le ",
    "≥": r"\ge ", "≠": r"\ne ", "∂": r"\partial ", "ᵀ": r"{}^{\top}", "²": "{}^{2}",
    "³": "{}^{3}", "¹": "{}^{1}", "⁻": "{}^{-}", "ᵖ": "{}^{p}",
    "½": r"\tfrac12 ",
    "‖": r"\Vert ", "∈": r"\in ", "°": r"^{\circ}", "⧺": r"\mathbin{+\!\!+}", "Φ": r"\Phi ",
    "α": r"\alpha ", "β": r"\beta ", "γ": r"\gamma ", "δ": r"\delta ", "ε": r"\varepsilon ",
    "η": r"\eta ", "θ": r"\theta ", "λ": r"\lambda ", "μ": r"\mu ", "π": r"\pi ", "ρ": r"\rho ",
    "σ": r"\sigma ", "τ": r"\tau ", "φ": r"\varphi ", "ω": r"\omega ", "⌈": r"\lceil ",
    "⌉": r"\rceil ", "χ": r"\chi ", "ψ": r"\psi ", "κ": r"\kappa ", "ν": r"\nu ", "ξ": r"\xi ",
    "Δ": r"\Delta ", "Γ": r"\Gamma ", "Θ": r"\Theta ", "Λ": r"\Lambda ", "Ω": r"\Omega ",
    "Ψ": r"\Psi ", "ℓ": r"\ell ",
}  # fmt: skip
_SUBSCRIPTS = {ord(c): str(i) for i, c in enumerate("₀₁₂₃₄₅₆₇₈₉")}
_TOKEN = re.compile(r"([^\W\d_²³¹ᵀᵖ](?:[^\W²³¹ᵀᵖ]|_)*)|([²³¹ᵀᵖ⁻]+)|(.)", re.DOTALL)
_RAISED = {"ᵀ": r"\top", "²": "2", "³": "3", "¹": "1", "⁻": "-", "ᵖ": "p"}
_INDEXED = re.compile(r"([^\W\d_])_?([0-9]+|[₀₁₂₃₄₅₆₇₈₉]+)")
_SIGNS: dict[type[ast.AST], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: r"\cdot", ast.MatMult: r"\,",
    ast.Lt: "<", ast.LtE: r"\le", ast.Gt: ">", ast.GtE: r"\ge", ast.Eq: "=", ast.NotEq: r"\ne",
}  # fmt: skip
_FUNCTIONS = {"exp": r"\exp", "log": r"\log", "sin": r"\sin", "cos": r"\cos", "tanh": r"\tanh",
              "maximum": r"\max", "minimum": r"\min", "sigmoid": r"\sigma", "tan": r"\tan",
              "sinh": r"\sinh", "cosh": r"\cosh", "Φ": r"\Phi", "φ": r"\varphi"}  # fmt: skip


def escape_text(text: str) -> str:
    """Return text for use outside of mathematics; what LaTeX cannot set becomes ``?``.

    Examples
    --------
    >>> print(escape_text("50 % of a_b · c"))
    50 \\% of a\\_b $\\cdot $ c
    """
    return "".join(_escape(c) for c in text)


def _escape(character: str) -> str:
    if character in _TEXT:
        return _TEXT[character]
    if character in _MATH:
        return f"${_MATH[character]}$"
    if character.isascii():
        return character if character.isprintable() else " "
    if ord(character) in _SUBSCRIPTS:
        return f"$_{_SUBSCRIPTS[ord(character)]}$"
    if unicodedata.combining(character):
        return ""
    plain = unicodedata.normalize("NFKD", character)
    plain = "".join(c for c in plain if c.isascii() and c.isprintable())
    return "".join(_TEXT.get(c, c) for c in plain) or "?"


def name_of(text: str) -> str:
    """Return a name in mathematics: one letter, a letter with an index, or upright words.

    Examples
    --------
    >>> [name_of(n) for n in ("x", "w0", "v₁₂", "σ", "0.weight")]
    ['x', 'w_{0}', 'v_{12}', '\\\\sigma', '\\\\text{0.weight}']
    """
    indexed = _INDEXED.fullmatch(text)
    if indexed:
        letter, index = indexed.groups()
        return f"{name_of(letter)}_{{{index.translate(_SUBSCRIPTS)}}}"
    if len(text) == 1 and text.isalpha() and (text.isascii() or text in _MATH):
        return text if text.isascii() else _MATH[text].strip()
    return f"\\text{{{escape_text(text)}}}"


def number_of(text: str) -> str:
    """Return a number, written by :func:`text.number`, for mathematics.

    Examples
    --------
    >>> [number_of(n) for n in ("−2", "1.2e−5", "∞", "NaN")]
    ['-2', '1.2 \\\\cdot 10^{-5}', '\\\\infty', '\\\\text{NaN}']
    """
    text = _MATH[text].strip() if text in _MATH else text.replace("−", "-")
    text = text.replace("∞", "\\infty")
    if "e" in text and text[-1].isdigit():
        mantissa, _, exponent = text.partition("e")
        return f"{mantissa} \\cdot 10^{{{exponent}}}"
    return f"\\text{{{text}}}" if text.isalpha() else text


def matrix_of(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of numbers as a matrix."""
    lines = [" & ".join(number_of(cell) for cell in row) for row in rows]
    return "\\begin{bmatrix} " + " \\\\ ".join(lines) + " \\end{bmatrix}"


def prose_of(text: str) -> str:
    """Return text that is no expression for use inside mathematics."""
    return f"\\text{{{escape_text(text)}}}"


def mixed_of(template: str, names: Mapping[str, str]) -> str:
    """Return a record's prose for mathematics, with names in place of its words.

    Examples
    --------
    >>> print(mixed_of("aᵀ G", {"a": "X"}))
    X{}^{\\top}\\ G
    """
    parts = []
    for word, raised, sign in _TOKEN.findall(template):
        if word:
            known = names.get(word)
            parts.append(known if known is not None else name_of(word))
        elif raised:
            parts.append(f"{{}}^{{{''.join(_RAISED[c] for c in raised)}}}")
        elif sign == "@":
            parts.append("\\,")
        else:
            parts.append(_MATH.get(sign) or ("\\ " if sign == " " else _signed(sign)))
    return "".join(parts)


def _signed(sign: str) -> str:
    """Return one character that is no letter for mathematics."""
    if sign in "()[]=+-/*,.;:!<>0123456789":
        return sign
    return f"\\text{{{_escape(sign)}}}"


class Latex(Plain):
    """Writes expressions in LaTeX: fractions, roots, powers."""

    minus = "-"

    def constant(self, value: float) -> Piece:
        piece = super().constant(value)
        return Piece(number_of(piece.text), piece.level, value)

    def wrap(self, piece: Piece, least: int) -> str:
        if piece.level >= least:
            return piece.text
        return f"\\left({piece.text}\\right)"

    def binary(self, a: Piece, sign: type[ast.operator], b: Piece) -> Piece:
        plain = super().binary(a, sign, b)
        if sign is ast.Pow:
            return plain
        if sign is ast.Div:
            return Piece(f"\\frac{{{a.text}}}{{{b.text}}}", PRODUCT, plain.value)
        right = self.wrap(b, PRODUCT if sign in (ast.Add, ast.Sub) else POWER)
        left = self.wrap(a, SUM if sign in (ast.Add, ast.Sub) else NEGATIVE)
        if sign is ast.Mult and b.level == PRODUCT and b.text.startswith("\\frac"):
            right = b.text
        return Piece(f"{left} {_SIGNS[sign]} {right}", plain.level, plain.value)

    def power(self, base: Piece, exponent: Piece) -> Piece:
        if exponent.value == 1:
            return base
        text = exponent.text
        if exponent.value is not None:
            text = self.constant(exponent.value).text
        return Piece(f"{self.wrap(base, ATOM)}^{{{text}}}", POWER)

    def comparison(self, a: Piece, sign: type[ast.cmpop], b: Piece) -> Piece:
        return Piece(f"[{self.wrap(a, SUM)} {_SIGNS[sign]} {self.wrap(b, SUM)}]", ATOM)

    def call(self, name: str, arguments: list[Piece]) -> Piece:
        inside = ", ".join(a.text for a in arguments)
        if name == "sqrt":
            return Piece(f"\\sqrt{{{inside}}}")
        if name == "abs":
            return Piece(f"\\left\\lvert {inside} \\right\\rvert")
        function = _FUNCTIONS.get(name) or f"\\operatorname{{{escape_text(name)}}}"
        return Piece(f"{function}\\left({inside}\\right)")
