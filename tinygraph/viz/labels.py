"""Cards, edges, frames and titles as HTML-like labels of Graphviz."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from .html import GAP, TIGHT, WIDE, cell, font, table
from .measure import STAND_IN, text_width
from .model import Card, Cluster, Edge, Gradient, Number, Picture
from .style import Style
from .tables import content_table, widest

DOT = " · "
LONG_TITLE = 22
"""Of a longer line in a title every part gets a line of its own, where data flows down."""

REMARK_WIDTH = 56
"""Remarks are narrower than most pictures."""

AWAY = 14
"""How far the arrow that comes in keeps away from a title, in points."""


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
        first = cell(header, "CENTER" if plain and card.role != "failed" else "LEFT", WIDE)
    rows = [f"<TR>{first}</TR>"]
    is_column = card.value is not None or card.note or card.role == "failed"
    align = "LEFT" if is_column else "CENTER"
    for line in card.lines:
        small = font(line, style, style.small_size, quiet)
        rows.append(f"<TR>{cell(small, align, WIDE + TIGHT)}</TR>")
    for i, line in enumerate(card.alert):
        colour = style.failed if card.role == "failed" else style.ink
        loud = font(line, style, style.small_size + 1, colour, bold=i == 0)
        rows.append(f"<TR>{cell(loud, align, WIDE + TIGHT)}</TR>")
    letters = widest(card.value, card.gradient.content if card.gradient else None)
    if card.value is not None:
        body = content_table(
            card.value, style, style.gradient if is_gradient else style.value, letters
        )
        rows.append(f"<TR>{cell(body, 'RIGHT', WIDE)}</TR>")
    if card.gradient:
        rows += ["<HR/>", _gradient_row(card.gradient, style, letters)]
    return table(rows, rule=style.rule if card.gradient else "")


def _gradient_row(gradient: Gradient, style: Style, letters: str) -> str:
    label = font(gradient.label + GAP, style, style.number_size, style.gradient, italic=True)
    content = gradient.content
    if isinstance(content, Number):
        text = f"{gradient.terms} {content.text}".strip()
        colour = style.quiet if content.quiet else style.gradient
        body = font(text, style, style.number_size, colour, italic=True, right=True)
        return f"<TR>{cell(label)}{cell(body, 'RIGHT')}</TR>"
    body = content_table(content, style, style.gradient, letters)
    if gradient.terms:
        small = font(gradient.terms, style, style.small_size, style.gradient, italic=True)
        label = f"{label}<BR/>{small}"
    return f"<TR>{cell(label)}{cell(body, 'RIGHT')}</TR>"


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
    lines = title_lines(cluster.details.split(DOT))
    rows = [title, *(font(x, style, style.small_size, style.quiet) for x in lines)]
    small = (text_width(line, style.small_size) for line in lines)
    widest = max([text_width(cluster.title, style.number_size, bold=True), *small])
    width = round(widest * STAND_IN) + AWAY
    free = f'<TD WIDTH="{width}" ROWSPAN="{len(rows)}"></TD>'
    cells = [f"<TR>{cell(row)}{'' if i else free}</TR>" for i, row in enumerate(rows)]
    return table(cells, padding=1)


def title_lines(details: Sequence[str]) -> list[str]:
    """Return what stands below a title: one line if it is short, else each part in its own."""
    found = [x for x in details if x]
    line = DOT.join(found)
    return found if len(line) > LONG_TITLE else [line] if line else []


def picture_title(picture: Picture, style: Style) -> str:
    """Return title and remarks, or ""."""
    rows = []
    if picture.title:
        rows.append(font(picture.title, style, style.name_size + 2, style.ink, bold=True))
    lines = [x for remark in picture.remarks for x in textwrap.wrap(remark, REMARK_WIDTH)]
    rows += [font(text, style, style.small_size + 1, style.quiet) for text in lines]
    return table([f"<TR>{cell(row, 'CENTER')}</TR>" for row in rows], padding=2) if rows else ""
