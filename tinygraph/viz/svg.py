"""Finishing touches on Graphviz's SVG: it stands alone, and figures keep their right edge.

Graphviz writes the left end of every text, measured with the fonts of the machine that
drew it. Another machine's Helvetica is narrower, and columns of figures would end
raggedly. Their right ends are known from the cards, so those texts are anchored there.

Titles of modules are painted last, in a halo: an edge that crosses one stays behind it.
"""

from __future__ import annotations

import re

from .style import Style

CARD_PADDING = 5.04 + 3
CELL_PADDING = 3.0

_HEADER = b'<?xml version="1.0" encoding="UTF-8"?>\n'
_GROUP = re.compile(r'<g id="[^"]*" class="(node|edge|cluster|graph)')
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_SHAPE = re.compile(r'<(path|polygon) fill="([^"]*)".*? (?:d|points)="([^"]*)"')
_MARK = f'font-family="{Style().right_font}"'
_HALO = '<text paint-order="stroke" stroke="{}" stroke-width="3" stroke-linejoin="round" '
_ANCHOR = re.compile(r'text-anchor="start" x="([^"]*)"')


def tidy(svg: bytes) -> bytes:
    """Drop the DOCTYPE, which points at the network, and anchor right-aligned figures."""
    start = svg.find(b"<svg")
    if start < 0:
        return svg
    lines = svg[start:].decode("utf-8").split("\n")
    return _HEADER + "\n".join(_titles_last(_anchor_right(lines))).encode("utf-8")


def _titles_last(lines: list[str]) -> list[str]:
    """Move the texts of clusters behind everything else, with the fill around as their halo."""
    kept, titles = [], []
    in_module, fill = False, ""
    for line in lines:
        group = _GROUP.match(line)
        if group:
            in_module = 'class="cluster module"' in line
        shape = _SHAPE.match(line) if in_module else None
        if shape:
            fill = shape.group(2)
        if in_module and line.startswith("<text "):
            titles.append(line.replace("<text ", _HALO.format(fill), 1))
        else:
            kept.append(line)
    if not titles:
        return kept
    end = kept.index("</svg>") - 1  # the </g> of the whole graph
    return [*kept[:end], *titles, *kept[end:]]


def _anchor_right(lines: list[str]) -> list[str]:
    """Walk the lines; the first shape of a node is its card, a filled one later is a cell."""
    tidied = []
    card = cell = None
    in_node = False
    for line in lines:
        group = _GROUP.match(line)
        shape = _SHAPE.match(line) if in_node else None
        if group:
            in_node, card, cell = group.group(1) == "node", None, None
        elif shape:
            right = max(map(float, _NUMBER.findall(shape.group(3))[::2]))
            if card is None:
                card = right
            elif shape.group(2) != "none":
                cell = right
        elif in_node and card is not None and _MARK in line:
            edge = card - CARD_PADDING if cell is None else cell - CELL_PADDING
            line = _ANCHOR.sub(f'text-anchor="end" x="{edge:.2f}"', line)
            cell = None
        tidied.append(line)
    return tidied
