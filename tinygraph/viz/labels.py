"""Cards, edges, titles and the legend as HTML-like labels of Graphviz.

Every piece of text passes through :func:`escape`; the only tags are written here.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from .measure import text_width
from .model import (
    Card,
    Cluster,
    Content,
    Edge,
    Gradient,
    HeatMap,
    Matrix,
    Number,
    Picture,
    Scale,
)
from .style import Style, heat, ramp
from .text import escape, number

TINT = 0.38
"""How strongly a number's cell may be tinted and stay readable."""

CELL_PADDING, LINE_HEIGHT = 3, 1.25
"""Around a number, and of its line, measured by its letters."""

PIXEL = {8: 12, 16: 8, 32: 5}
"""Side of a heat map's cell, by the longer side of the map."""

WIDE = ' COLSPAN="2"'
TIGHT = ' CELLPADDING="2"'
GAP = "\u2002"
"""Keeps a label away from the number at its right."""

STEPS = 6
"""How many colours the legend shows of a ramp."""

LEGEND_ROW = {"across": 8, "down": 4}
"""How many marks stand in one line of a legend."""

DOT = " · "
LONG_TITLE = 22
"""Of a longer line in a title every part gets a line of its own, where data flows down."""

REMARK_WIDTH = 56
"""Remarks are narrower than most pictures."""

AWAY = 14
"""How far the arrow that comes in keeps away from a title, in points."""

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


def font(
    text: str,
    style: Style,
    size: int,
    colour: str,
    bold: bool = False,
    italic: bool = False,
    right: bool = False,
) -> str:
    """Return escaped text in a size and colour; ``right`` marks what ends at a right edge."""
    body = escape(text) or " "
    body = f"<I>{body}</I>" if italic else body
    body = f"<B>{body}</B>" if bold else body
    face = f' FACE="{style.right_font}"' if right else ""
    return f'<FONT{face} POINT-SIZE="{size}" COLOR="{colour}">{body}</FONT>'


def table(
    rows: Sequence[str],
    padding: int = 3,
    spacing: int = 0,
    rule: str = "",
    more: str = "",
    border: int = 0,
) -> str:
    """Return rows as a table; ``rule`` is the colour of its ``<HR/>`` and border."""
    colour = f' COLOR="{rule}"{more}' if rule else more
    return (
        f'<TABLE BORDER="{border}" CELLBORDER="0" CELLSPACING="{spacing}" '
        f'CELLPADDING="{padding}"{colour}>'
        f"{''.join(rows)}</TABLE>"
    )


def cell(body: str, align: str = "LEFT", more: str = "") -> str:
    """Return one table cell."""
    return f'<TD ALIGN="{align}"{more}>{body}</TD>'


def card_label(card: Card, style: Style) -> str:
    """Return the label of a card: header and note; lines; value; rule; gradient."""
    quiet = style.ink if card.heat else style.quiet
    is_gradient = card.role == "gradient"
    colour = style.gradient if is_gradient else style.ink
    header = font(card.header, style, style.name_size, colour, bold=True, italic=is_gradient)
    if card.note:
        note = font(card.note, style, style.small_size, quiet, right=True)
        first = cell(header) + cell(note, "RIGHT")
    else:
        plain = card.value is None and not card.gradient
        first = cell(header, "CENTER" if plain else "LEFT", WIDE)
    rows = [f"<TR>{first}</TR>"]
    for line in card.lines:
        small = font(line, style, style.small_size, quiet)
        align = "LEFT" if card.value is not None or card.note else "CENTER"
        rows.append(f"<TR>{cell(small, align, WIDE + TIGHT)}</TR>")
    for i, line in enumerate(card.alert):
        colour = style.failed if card.role == "failed" else style.ink
        loud = font(line, style, style.small_size + 1, colour, bold=i == 0)
        align = "LEFT" if len(card.alert) > 1 else "CENTER"
        rows.append(f"<TR>{cell(loud, align, WIDE + TIGHT)}</TR>")
    contents = card.value, card.gradient.content if card.gradient else None
    letters = max(map(_letters, contents), key=_width)
    if card.value is not None:
        body = _content(card.value, style, style.gradient if is_gradient else style.value, letters)
        rows.append(f"<TR>{cell(body, 'RIGHT', WIDE)}</TR>")
    if card.gradient:
        rows += ["<HR/>", _gradient_row(card.gradient, style, letters)]
    return table(rows, rule=style.rule if card.gradient else "")


def _letters(content: Content | None) -> str:
    """Return the widest number of a matrix: value and gradient have columns of one width."""
    if not isinstance(content, Matrix):
        return ""
    return max((text for row in content.cells for text, _ in row), key=_width)


def _width(text: str) -> float:
    return text_width(text, 1.0)


def _gradient_row(gradient: Gradient, style: Style, letters: str) -> str:
    label = font(gradient.label + GAP, style, style.number_size, style.gradient, italic=True)
    content = gradient.content
    if isinstance(content, Number):
        text = f"{gradient.terms} {content.text}".strip()
        colour = style.quiet if content.quiet else style.gradient
        body = font(text, style, style.number_size, colour, italic=True, right=True)
        return f"<TR>{cell(label)}{cell(body, 'RIGHT')}</TR>"
    body = _content(content, style, style.gradient, letters)
    if gradient.terms:
        small = font(gradient.terms, style, style.small_size, style.gradient, italic=True)
        label = f"{label}<BR/>{small}"
    return f"<TR>{cell(label)}{cell(body, 'RIGHT')}</TR>"


def _content(content: Content, style: Style, colour: str, letters: str) -> str:
    if isinstance(content, Number):
        colour = style.quiet if content.quiet else colour
        return font(content.text, style, style.number_size, colour, right=True)
    if isinstance(content, Matrix):
        return _matrix(content, style, colour, letters)
    if isinstance(content, HeatMap):
        return _heat_map(content, style, colour)
    parts = (("min", content.smallest), ("mean", content.mean), ("max", content.largest))
    rows = [
        f"<TR>{cell(font(word + GAP, style, style.small_size, style.quiet))}"
        f"{cell(font(text, style, style.number_size, colour, right=True), 'RIGHT')}</TR>"
        for word, text in parts
    ]
    return table(rows, padding=1)


def _matrix(matrix: Matrix, style: Style, colour: str, letters: str) -> str:
    """Return numbers over their tints, in columns that are wide enough for some letters."""
    width = round(text_width(letters, style.number_size)) + 2 * CELL_PADDING
    height = round(style.number_size * LINE_HEIGHT) + 2 * CELL_PADDING
    size = f' WIDTH="{width}" HEIGHT="{height}"'
    rows = []
    for row in matrix.cells:
        cells = (
            cell(
                font(text, style, style.number_size, colour, right=True),
                "RIGHT",
                f' BGCOLOR="{heat(level, style, TINT)}"{size}',
            )
            for text, level in row
        )
        rows.append(f"<TR>{''.join(cells)}</TR>")
    columns = len(matrix.cells[0])
    extent = width * columns + columns + 1, height * len(rows) + len(rows) + 1
    return _at_the_right(table(rows, padding=CELL_PADDING, spacing=1), *extent)


def _heat_map(content: HeatMap, style: Style, colour: str) -> str:
    longer = max(len(content.levels), len(content.levels[0]))
    side = next(pixel for limit, pixel in PIXEL.items() if longer <= limit)
    size = f' FIXEDSIZE="TRUE" WIDTH="{side}" HEIGHT="{side}"'
    rows = [
        "<TR>"
        + "".join(f'<TD BGCOLOR="{heat(level, style)}"{size}></TD>' for level in row)
        + "</TR>"
        for row in content.levels
    ]
    extent = side * len(content.levels[0]) + 2, side * len(content.levels) + 2
    pixels = _at_the_right(table(rows, padding=0, rule=style.rule, border=1), *extent)
    scale = font(f"|max| {content.largest}", style, style.small_size, colour, right=True)
    return table([f"<TR>{cell(body, 'RIGHT')}</TR>" for body in (pixels, scale)], padding=1)


def _at_the_right(body: str, width: int, height: int) -> str:
    """Keep a table from being stretched.

    A table with a border may not be the one of fixed size: Graphviz would draw the border
    elsewhere.
    """
    size = f' FIXEDSIZE="TRUE" WIDTH="{width}" HEIGHT="{height}" ALIGN="RIGHT"'
    return table([f"<TR>{cell(body, 'RIGHT')}</TR>"], padding=0, more=size)


def edge_label(edge: Edge, style: Style, downwards: bool) -> str:
    """Return the local derivative, and below it what the edge adds; "" without gradients.

    Beside an arrow that goes down it keeps a little away.
    """
    away = GAP if downwards else ""
    lines = [font(away + text, style, style.small_size, style.quiet) for text in edge.local]
    if edge.adds:
        lines.append(font(edge.adds, style, style.number_size - 1, style.gradient, italic=True))
    return table([f"<TR>{cell(line, 'CENTER')}</TR>" for line in lines], padding=1) if lines else ""


def cluster_label(cluster: Cluster, style: Style, downwards: bool) -> str:
    """Return the title of a module: its path, then type and counts in grey.

    Where data flows down, edges come in through the middle of the upper border: there the
    title has several lines and keeps to the left half.
    """
    title = font(cluster.title, style, style.number_size, style.ink, bold=True)
    if not downwards:
        details = font(DOT + cluster.details, style, style.small_size + 1, style.quiet)
        return title + details if cluster.details else title
    lines = [cluster.details] if len(cluster.details) <= LONG_TITLE else cluster.details.split(DOT)
    rows = [title, *(font(x, style, style.small_size, style.quiet) for x in lines if x)]
    small = (text_width(line, style.small_size) for line in lines)
    width = round(max(text_width(cluster.title, style.number_size, bold=True), *small)) + AWAY
    free = f'<TD WIDTH="{width}" ROWSPAN="{len(rows)}"></TD>'
    cells = [f"<TR>{cell(row)}{'' if i else free}</TR>" for i, row in enumerate(rows)]
    return table(cells, padding=1)


def picture_title(picture: Picture, style: Style) -> str:
    """Return title and remarks, or ""."""
    rows = []
    if picture.title:
        rows.append(font(picture.title, style, style.name_size + 2, style.ink, bold=True))
    lines = [x for remark in picture.remarks for x in textwrap.wrap(remark, REMARK_WIDTH)]
    rows += [font(text, style, style.small_size + 1, style.quiet) for text in lines]
    return table([f"<TR>{cell(row, 'CENTER')}</TR>" for row in rows], padding=2) if rows else ""


def legend_label(picture: Picture, style: Style) -> list[str]:
    """Return the marks of this picture in a few lines, each drawn as it looks."""
    most = LEGEND_ROW["across" if picture.direction in ("LR", "RL") else "down"]
    rows = [picture.legend[i : i + most] for i in range(0, len(picture.legend), most)]
    cells = ("".join(_legend_cell(mark, picture, style) for mark in row) for row in rows)
    lines = (table([f"<TR>{row}</TR>"], padding=5, spacing=4) for row in cells)
    return [f"<TR>{cell(line)}</TR>" for line in lines]


def _legend_cell(mark: str, picture: Picture, style: Style) -> str:
    orange = dict.fromkeys(("gradient", "gradients", "adds", "back"), style.gradient)
    colours = {"value": style.value, "reads": style.value, **orange}
    if mark == "scale" and picture.scale is not None:
        return _scale(picture.scale, style)
    words = font(LEGEND_WORDS[mark], style, style.small_size, colours.get(mark, style.quiet),
                 italic=mark in orange)  # fmt: skip
    boxes = {
        "leaf": f' BORDER="1" BGCOLOR="{style.leaf}" STYLE="ROUNDED"',
        "parameter": f' BORDER="2" BGCOLOR="{style.leaf}" STYLE="ROUNDED"',
        "constant": f' BORDER="1" BGCOLOR="{style.result}" STYLE="ROUNDED,DASHED"',
        "output": f' BORDER="1" BGCOLOR="{style.output}" STYLE="ROUNDED"',
        "failed": f' BORDER="2" BGCOLOR="{style.result}" STYLE="ROUNDED"',
    }
    box = boxes.get(mark)
    return cell(words, "CENTER", f'{box} COLOR="{style.line}"' if box else "")


def _scale(scale: Scale, style: Style) -> str:
    """Return what colours mean: a ramp with powers of ten at its ends."""
    ends = [number(10.0**power) for power in (scale.low, scale.high)]
    before, after = (font(text, style, style.small_size, style.ink) for text in ends)
    steps = (ramp(i / (STEPS - 1), scale.kind, style) for i in range(STEPS))
    cells = "".join(f'<TD BGCOLOR="{colour}" WIDTH="16" HEIGHT="10"></TD>' for colour in steps)
    words = font(scale.words, style, style.small_size, style.quiet)
    row = f"<TR>{cell(before, 'RIGHT')}{cells}{cell(after)}{cell(words)}</TR>"
    return cell(table([row], padding=2), "CENTER")
