"""Text, cells and tables of Graphviz' HTML-like labels: the only place that writes tags.

Every piece of text passes through :func:`escape`.
"""

from __future__ import annotations

from collections.abc import Sequence

from .style import Style
from .text import escape

WIDE = ' COLSPAN="2"'
TIGHT = ' CELLPADDING="2"'
GAP = "\u2002"
"""Keeps a label away from the number at its right."""


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
