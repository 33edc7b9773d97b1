"""The legend: which marks a picture has, each drawn as it looks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .cards import NOT_COMPUTED
from .html import GAP, cell, font, table
from .model import Picture, Scale
from .style import Style, ramp
from .text import number

LEGEND_WORDS = {
    "leaf": "input",
    "parameter": "parameter",
    "constant": "data or constant",
    "output": "result",
    "failed": "✕ failed here",
    "stack": "× n: equal siblings, drawn once",
    "value": "value",
    "gradient": "∂ gradient",
    "gradients": "∂ gradient",
    "back": "◂ – – way back",
    "reads": "· · ▸ value that a rule reads",
    "pending": "— before backward()",
    "local": "× local derivative",
    "adds": "◂ what the edge adds",
    "dead": "– – nothing flows back",
}

STEPS = 6
"""How many colours the legend shows of a ramp."""

LEGEND_ROW = {"across": 8, "down": 4}
"""How many marks stand in one line of a legend."""

ROLES = ("leaf", "parameter", "constant", "output", "failed")

PLAIN = frozenset({"leaf", "output"})
"""Marks that speak for themselves where there are no others."""


def legend_of(picture: Picture) -> list[str]:
    """List the marks that occur, in the order a reader meets them."""
    roles = {card.role for card in picture.cards}
    marks = [role for role in ROLES if role in roles]
    gradients = [card.gradient.content for card in picture.cards if card.gradient]
    found = {
        "stack": any(card.stack for card in picture.cards),
        "value": any(card.value is not None for card in picture.cards),
        "gradient": bool(gradients),
        "pending": any(content is NOT_COMPUTED for content in gradients),
        "gradients": "gradient" in roles,
        "back": any(edge.kind == "back" for edge in picture.edges),
        "reads": any(edge.kind == "reads" for edge in picture.edges),
        "local": any(edge.local and "×" in edge.local[0] for edge in picture.edges),
        "adds": any(edge.adds for edge in picture.edges),
        "dead": any(edge.dead for edge in picture.edges),
        "scale": picture.scale is not None,
    }
    return marks + [mark for mark, occurs in found.items() if occurs]


def legend_label(picture: Picture, style: Style) -> list[str]:
    """Return the marks of this picture in a few lines, each drawn as it looks."""
    most = LEGEND_ROW["across" if picture.direction in ("LR", "RL") else "down"]
    rows = [picture.legend[i : i + most] for i in range(0, len(picture.legend), most)]
    cells = ("".join(_cells(row, picture, style)) for row in rows)
    lines = (table([f"<TR>{row}</TR>"], padding=5, spacing=4) for row in cells)
    return [f"<TR>{cell(line)}</TR>" for line in lines]


def _cells(row: Sequence[str], picture: Picture, style: Style) -> Iterator[str]:
    """Yield boxes, then all words in one cell, so that they stand on one line, then a scale."""
    words = []
    for mark in row:
        box = _box(mark, style)
        if box:
            yield cell(_words(mark, style), "CENTER", box)
        elif mark != "scale":
            words.append(_words(mark, style))
    if words:
        yield cell((GAP * 2).join(words), "LEFT")
    if "scale" in row and picture.scale is not None:
        yield _scale(picture.scale, style)


def _words(mark: str, style: Style) -> str:
    orange = dict.fromkeys(("gradient", "gradients", "adds", "back"), style.gradient)
    colours = {"value": style.value, "reads": style.value, "failed": style.failed, **orange}
    colour = colours.get(mark, style.quiet)
    return font(LEGEND_WORDS[mark], style, style.small_size, colour, italic=mark in orange)


def _box(mark: str, style: Style) -> str:
    """Return the attributes of a cell that looks like a card; "" for other marks."""
    looks = {
        "leaf": (1, style.leaf, style.line, ""),
        "parameter": (2, style.leaf, style.line, ""),
        "constant": (1, style.result, style.line, ",DASHED"),
        "output": (1, style.output, style.line, ""),
        "failed": (2, style.result, style.failed, ""),
    }
    if mark not in looks:
        return ""
    border, fill, line, dashed = looks[mark]
    return f' BORDER="{border}" BGCOLOR="{fill}" STYLE="ROUNDED{dashed}" COLOR="{line}"'


def _scale(scale: Scale, style: Style) -> str:
    """Return what colours mean: a ramp with powers of ten at its ends."""
    ends = [number(10.0**power) for power in (scale.low, scale.high)]
    before, after = (font(text, style, style.small_size, style.ink) for text in ends)
    steps = (ramp(i / (STEPS - 1), scale.kind, style) for i in range(STEPS))
    cells = "".join(f'<TD BGCOLOR="{colour}" WIDTH="16" HEIGHT="10"></TD>' for colour in steps)
    colours = table([f"<TR>{cells}</TR>"], padding=0, rule=style.rule, border=1)
    words = font(GAP + scale.words, style, style.small_size, style.quiet)
    row = f"<TR>{cell(before, 'RIGHT')}{cell(colours)}{cell(after)}{cell(words)}</TR>"
    return cell(table([row], padding=2), "CENTER")
