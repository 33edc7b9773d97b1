"""A :class:`Picture` as DOT text: one line per card and edge, no recursion."""

from __future__ import annotations

from collections.abc import Iterator

import graphviz

from .html import table
from .labels import card_label, cluster_label, edge_label, picture_title
from .legend import legend_label
from .model import Card, Edge, Picture
from .style import Style, ramp
from .text import escape, quote


def to_digraph(picture: Picture, style: Style) -> graphviz.Digraph:
    """Return the picture as a :class:`graphviz.Digraph`, whose ``source`` is the DOT text."""
    return graphviz.Digraph(
        name="tinygraph",
        graph_attr=_graph_attributes(picture, style),
        node_attr={
            "shape": "box",
            "style": "rounded,filled",
            "margin": "0.07,0.03",
            "width": "0",
            "height": "0",
            "fontname": style.font,
            "color": style.line,
            "penwidth": f"{style.thin:g}",
        },
        edge_attr={
            "color": style.edge,
            "fontname": style.font,
            "arrowsize": "0.7",
            "penwidth": f"{style.thin:g}",
        },
        body=list(_body(picture, style)),
    )


def _graph_attributes(picture: Picture, style: Style) -> dict[str, str]:
    attributes = {
        "bgcolor": style.background,
        "rankdir": picture.direction,
        "fontname": style.font,
        "nodesep": "0.28",
        "ranksep": _between_ranks(picture),
        "pad": "0.15",
        "labelloc": "t",
        "tooltip": " ",
    }
    title = picture_title(picture, style)
    if title:
        attributes["label"] = f"<{title}>"
    return attributes


def _between_ranks(picture: Picture) -> str:
    """Return how long arrows are, in inches; beside a label they have its length, too."""
    if picture.view != "numbers":
        return "0.3"
    return "0.32" if any(edge.local or edge.adds for edge in picture.edges) else "0.45"


def _body(picture: Picture, style: Style) -> Iterator[str]:
    """Yield the lines between the braces: clusters with their cards, then edges."""
    if picture.legend:
        yield f"\tsubgraph cluster_legend {{ {_legend_attributes(picture, style)}\n"
    yield from _cards(picture, style)
    if picture.legend:
        yield "\t}\n"
    for edge in picture.edges:
        yield _edge_line(edge, picture.direction, style)


def _legend_attributes(picture: Picture, style: Style) -> str:
    """A cluster without a border, around everything, carries the legend below the picture."""
    label = table(legend_label(picture, style), padding=0)
    return f'class=legend peripheries=0 labelloc=b labeljust=l margin=6 tooltip=" " label=<{label}>'


def _cards(picture: Picture, style: Style) -> Iterator[str]:
    """Yield the cards outside clusters, then the clusters, nested, by an explicit stack.

    Sideways, Graphviz stacks the first card of a cluster lowest and the first card outside
    of clusters highest; the order here makes the first one the highest everywhere.
    """
    cards: dict[int | None, list[Card]] = {}
    for card in picture.cards:
        cards.setdefault(card.cluster, []).append(card)
    children: dict[int | None, list[int]] = {}
    for i, cluster in enumerate(picture.clusters):
        children.setdefault(cluster.parent, []).append(i)
    if picture.direction in ("LR", "RL"):
        for place, inside in cards.items():
            if place is not None or picture.legend:
                inside.reverse()
        for place, nested in children.items():
            if place is not None or picture.legend:
                nested.reverse()
    for card in cards.get(None, ()):
        yield _card_line(card, picture, style)
    stack = children.get(None, [])[::-1]
    while stack:
        i = stack.pop()
        if i < 0:
            yield "\t}\n"
            continue
        yield _cluster_line(i, picture, style)
        for card in cards.get(i, ()):
            yield _card_line(card, picture, style)
        stack.append(-1)
        stack += children.get(i, [])[::-1]


def _cluster_line(i: int, picture: Picture, style: Style) -> str:
    cluster = picture.clusters[i]
    label = cluster_label(cluster, style, downwards=picture.direction in ("TB", "BT"))
    fill = style.clusters[cluster.level % len(style.clusters)]
    return (
        f'\tsubgraph cluster_{i} {{ class=module style="rounded,filled" fillcolor="{fill}" '
        f'color="{style.cluster_line}" penwidth=1 peripheries=1 labelloc=t labeljust=l margin=10 '
        f"tooltip={_tooltip(cluster.tooltip)} label=<{label}>\n"
    )


def _card_line(card: Card, picture: Picture, style: Style) -> str:
    fill = {
        "leaf": style.leaf,
        "parameter": style.leaf,
        "output": style.output,
    }.get(card.role, style.result)
    if card.heat is not None and picture.scale is not None:
        fill = ramp(card.heat, picture.scale.kind, style)
    look = {
        "parameter": f" penwidth={style.bold:g}",
        "constant": ' style="rounded,filled,dashed"',
        "rest": ' style="rounded,filled,dashed"',
        "failed": f' penwidth={style.bold:g} color="{style.failed}"',
    }.get(card.role, "")
    if card.stack:
        look += " peripheries=2"
    return (
        f'\t{card.id} [class={card.role} fillcolor="{fill}"{look} '
        f"tooltip={_tooltip(card.tooltip)} label=<{card_label(card, style)}>]\n"
    )


def _edge_line(edge: Edge, direction: str, style: Style) -> str:
    """Write an edge. One that goes back is turned round, so that layout sees one direction."""
    label = edge_label(edge, style, downwards=direction in ("TB", "BT"))
    parts = [
        f"class={'dead' if edge.dead else edge.kind}",
        f"edgetooltip={_tooltip(edge.tooltip)}",
        f"label=<{label}> labeltooltip={_tooltip(edge.tooltip)}" if label else "",
        "style=dashed" if edge.dead or edge.kind == "back" else "",
        f'color="{style.gradient}" dir=back' if edge.kind == "back" else "",
        f'color="{style.value}" style=dotted arrowhead=open constraint=false'
        if edge.kind == "reads"
        else "",
    ]
    ends = (edge.target, edge.source) if edge.kind == "back" else (edge.source, edge.target)
    return f"\t{' -> '.join(ends)} [{' '.join(p for p in parts if p)}]\n"


def _tooltip(text: str) -> str:
    """Return a tooltip in which lines break and nothing else is special."""
    return quote(escape(text).replace("\n", "&#10;")) if text else '" "'
