"""A :class:`Picture` as Mermaid text, which GitHub and many editors draw by themselves."""

from __future__ import annotations

from collections.abc import Iterator

from .model import Card, Cluster, Content, Edge, HeatMap, Matrix, Number, Picture
from .style import Style, ramp

PLAIN = frozenset(" .,:+=/·−×∂◂→…—()")
"""What stands in a label as it is, beside letters and digits."""


def mermaid_text(picture: Picture, style: Style) -> str:
    """Return a flowchart: cards, modules as subgraphs, edges; ids are those of the picture."""
    head = [f"---\ntitle: {_title(picture)}\n---"] if picture.title else []
    return "\n".join([*head, *_body(picture, style)]) + "\n"


def escape(text: str) -> str:
    """Return text in which nothing is special for Mermaid: the rest becomes ``#code;``.

    Examples
    --------
    >>> escape('x · "y"')
    'x · #34;y#34;'
    """
    return "".join(c if c.isalnum() or c in PLAIN else f"#{ord(c)};" for c in text)


def _title(picture: Picture) -> str:
    """Return the title for the preamble, which is YAML: letters, digits and spaces are safe."""
    words = "".join(c if c.isalnum() or c in " .,−·" else " " for c in picture.title)
    return '"' + " ".join(words.split()) + '"'


def _body(picture: Picture, style: Style) -> Iterator[str]:
    yield f"flowchart {picture.direction}"
    cards: dict[int | None, list[Card]] = {}
    for card in picture.cards:
        cards.setdefault(card.cluster, []).append(card)
    children: dict[int | None, list[int]] = {}
    for i, cluster in enumerate(picture.clusters):
        children.setdefault(cluster.parent, []).append(i)
    yield from (f"  {_card(c)}" for c in cards.get(None, ()))
    stack = [(i, 1) for i in reversed(children.get(None, []))]
    while stack:
        i, level = stack.pop()
        indent = "  " * level
        if i < 0:
            yield f"{indent}end"
            continue
        yield f"{indent}subgraph c{i}[{_cluster(picture.clusters[i])}]"
        yield from (f"{indent}  {_card(c)}" for c in cards.get(i, ()))
        stack.append((-1, level))
        stack += [(child, level + 1) for child in reversed(children.get(i, []))]
    yield from (f"  {_edge(edge)}" for edge in picture.edges)
    yield from _classes(picture, style)


def _card(card: Card) -> str:
    title = f"<b>{escape(card.header)}</b>" + (f" {escape(card.note)}" if card.note else "")
    lines = [title, *map(escape, card.lines), *(f"<b>{escape(line)}</b>" for line in card.alert)]
    if card.value is not None:
        lines += _content(card.value)
    if card.gradient:
        label = escape(f"{card.gradient.label}  {card.gradient.terms}".rstrip())
        content = _content(card.gradient.content)
        told = [f"{label}  {content[0]}"] if len(content) == 1 else [label, *content]
        lines += [f"<i>{line}</i>" for line in told]
    return f'{card.id}["{"<br>".join(lines)}"]'


def _content(content: Content) -> list[str]:
    """Return a value as lines."""
    if isinstance(content, Number):
        return [escape(content.text)]
    if isinstance(content, Matrix):
        return [escape("  ".join(text for text, _ in row)) for row in content.cells]
    if isinstance(content, HeatMap):
        return [escape(f"|max| {content.largest}")]
    parts = (content.smallest, content.mean, content.largest)
    return [escape("min {} mean {} max {}".format(*parts))]


def _cluster(cluster: Cluster) -> str:
    details = f" · {cluster.details}" if cluster.details else ""
    return f'"{escape(cluster.title + details)}"'


def _edge(edge: Edge) -> str:
    arrow = "-.->" if edge.dead else "-->"
    label = "<br>".join(map(escape, (*edge.local, *[edge.adds] * bool(edge.adds))))
    middle = f'|"{label}"|' if label else ""
    return f"{edge.source} {arrow}{middle} {edge.target}"


def _classes(picture: Picture, style: Style) -> Iterator[str]:
    """Yield the looks that occur, and which cards have them."""
    looks = {
        "leaf": f"fill:{style.leaf},stroke:{style.line}",
        "parameter": f"fill:{style.leaf},stroke:{style.line},stroke-width:2px",
        "constant": f"fill:{style.result},stroke:{style.line},stroke-dasharray:4 3",
        "rest": f"fill:{style.result},stroke:{style.line},stroke-dasharray:4 3",
        "output": f"fill:{style.output},stroke:{style.line}",
        "result": f"fill:{style.result},stroke:{style.line}",
        "failed": f"fill:{style.result},stroke:{style.failed},stroke-width:2px",
    }
    members: dict[str, list[str]] = {}
    for card in picture.cards:
        members.setdefault(card.role if card.role in looks else "result", []).append(card.id)
    for role, ids in members.items():
        yield f"  classDef {role} {looks[role]},color:{style.ink}"
        yield f"  class {','.join(ids)} {role}"
    for card in picture.cards:
        if card.heat is not None and picture.scale is not None:
            yield f"  style {card.id} fill:{ramp(card.heat, picture.scale.kind, style)}"
    for i, cluster in enumerate(picture.clusters):
        fill = style.clusters[cluster.level % len(style.clusters)]
        yield f"  style c{i} fill:{fill},stroke:{style.cluster_line},color:{style.ink}"
