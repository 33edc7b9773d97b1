"""About how wide a text is in Helvetica or Arial, so that a layout can leave room for it."""

from __future__ import annotations

import unicodedata

_GROUPS = {
    222: "ijl'|", 278: " !,./:;[\\]ftI", 333: "()-`r", 334: "{}", 389: "*", 469: "^",
    500: "cksvxyzJ", 556: '0123456789abdeghnopqu?_L#$"', 584: "+<=>~−", 611: "FTZ",
    667: "&ABEKPSVXY", 722: "CDHNRUw", 778: "GOQ", 833: "mM", 889: "%", 944: "W", 1015: "@",
}  # fmt: skip
_WIDTHS = {letter: width for width, letters in _GROUPS.items() for letter in letters}

SPARE = 1.03
"""Fonts that stand in for Helvetica may be a little wider."""

BOLD = 1.07


def text_width(text: str, size: float, bold: bool = False) -> float:
    """Return the width of a text in pixels, rather too large than too small.

    Examples
    --------
    >>> round(text_width("0.7311", 11))
    35
    """
    units = sum(_WIDTHS.get(c) or _unlisted(c) for c in text)
    return units / 1000 * size * SPARE * (BOLD if bold else 1.0)


_FIGURES = {318: ".", 615: "e", 838: "−∞✕"}
_FIGURE_WIDTHS = {letter: width for width, letters in _FIGURES.items() for letter in letters}
_FIGURE = 636

STAND_IN = 1.15
"""How much wider than Helvetica the fonts are that a machine without it draws."""


def figure_width(text: str, size: float) -> float:
    """Return the width of a number in DejaVu Sans, the widest font that stands in for Helvetica.

    It is for cells of a fixed size, which no layout widens.

    Examples
    --------
    >>> round(figure_width("0.7311", 11)), round(figure_width("−2", 11))
    (38, 16)
    """
    return sum(_FIGURE_WIDTHS.get(c, _FIGURE) for c in text) / 1000 * size


def _unlisted(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    if unicodedata.east_asian_width(character) in "WF":
        return 1000
    decomposed = unicodedata.decomposition(character)
    if decomposed.startswith(("<sub>", "<super>")):
        return 370
    return 1000 if character in "→…—∞" else 640
