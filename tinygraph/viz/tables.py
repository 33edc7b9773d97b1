"""Values in cards: a number, numbers over a tint, a heat map, or what remains of many."""

from __future__ import annotations

from math import ceil

from .html import GAP, cell, font, table
from .measure import figure_width
from .model import Content, HeatMap, Matrix, Number
from .style import Style, heat

TINT = 0.38
"""How strongly a number's cell may be tinted and stay readable."""

CELL_PADDING, LINE_HEIGHT = 3, 1.25
"""Around a number, and of its line, measured by its letters."""

PIXEL = {8: 12, 16: 8, 32: 5}
"""Side of a heat map's cell, by the longer side of the map."""


def widest(*contents: Content | None) -> str:
    """Return the widest number in matrices: value and gradient have columns of one width."""
    matrices = [content for content in contents if isinstance(content, Matrix)]
    texts = [text for matrix in matrices for row in matrix.cells for text, _ in row]
    return max(texts, key=lambda text: figure_width(text, 1.0), default="")


def content_table(content: Content, style: Style, colour: str, letters: str) -> str:
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
    width = ceil(figure_width(letters, style.number_size)) + 2 * CELL_PADDING
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
