"""Where cards, modules and edges lie: sizes from us, places from Graphviz.

Nothing of a user's text goes into this DOT text: cards have numbers for names, and sizes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from ..measure import STAND_IN, text_width
from ..style import Style
from .contents import Json

METRICS = {
    "pad": 9, "header": 24, "line": 13, "value": 18, "row": 17, "rule": 6,
    "gradient": 19, "brief": 15, "bottom": 5, "badge": 20, "title": 20, "name": 12, "number": 11,
    "small": 9,
}  # fmt: skip
"""Sizes in pixels that the layout and the page share."""

DIRECTIONS = ("LR", "TB")
Title = tuple[float, list[float]]
"""How wide the title of a module is, and each line of its details."""

PATIENT_CARDS = 60
"""From so many cards on Graphviz looks for good places only for a while: 40 s become 3."""

_POINTS = 72
_WIDEST = 340
_FREE_HALF = 120
"""Of a longer title less is left free at its right: modules would become too wide."""

_FREE = (
    '<<TABLE BORDER="0" CELLPADDING="0" CELLSPACING="0" FIXEDSIZE="TRUE" WIDTH="{}" HEIGHT="{}">'
    "<TR><TD></TD></TR></TABLE>>"
)


# ---- sizes --------------------------------------------------------------------------------------


def card_size(card: Json, contents: Sequence[Json]) -> tuple[float, float]:
    """Return width and height of a card."""
    m, style = METRICS, Style()
    head: float = text_width(card["header"], style.name_size, bold=True)
    if card["note"]:
        head += 12 + text_width(card["note"], style.small_size)
    if card.get("opens") is not None:
        head += m["badge"]
    widths = [head, *(text_width(line, style.small_size) for line in card["lines"])]
    height: float = m["header"] + m["line"] * len(card["lines"]) + m["bottom"]
    if card["value"] is not None:
        wide, high = _content_size(contents[card["value"]])
        widths.append(wide)
        height += high
    if card["gradient"]:
        wide, high = _gradient_size(card, contents)
        widths.append(wide)
        height += high
    return round(min(max(widths), _WIDEST) + 2 * m["pad"]), round(height)


def _content_size(item: Json) -> tuple[float, float]:
    m = METRICS
    if item["kind"] != "table":
        return text_width(item["text"], Style().number_size), m["value"]
    return item["cell"] * len(item["rows"][0]), m["row"] * len(item["rows"]) + 3


def _gradient_size(card: Json, contents: Sequence[Json]) -> tuple[float, float]:
    m, gradient = METRICS, card["gradient"]
    if card["value"] is None:  # one small line
        return text_width("∂ " + gradient["text"], m["small"]), m["brief"]
    label = text_width(gradient["label"], m["number"]) + 12
    item = contents[gradient["content"]] if gradient["content"] is not None else None
    if item is not None and item["kind"] == "table":
        wide, high = _content_size(item)
        return label + wide, m["rule"] + high
    return label + text_width(gradient["text"], m["number"]), m["rule"] + m["gradient"]


def label_size(lines: Sequence[str]) -> tuple[int, int]:
    """Return width and height of an edge's label."""
    sizes = (METRICS["small"], METRICS["number"] - 1)
    widths = [text_width(text, size) for text, size in zip(lines, sizes, strict=True) if text]
    return round(max(widths)) + 6, 13 * len(widths) + 2


def title_size(name: float, details: Sequence[float], direction: str) -> tuple[int, int]:
    """Return width and height of a module's title.

    Where data flows down, edges come in through the middle of the upper border: there the
    details have lines of their own, and the title keeps to the left.
    """
    m = METRICS
    if direction == "LR":
        return round(name + sum(details) + m["badge"] + 8), m["title"]
    left = max(name, *details, 0) * STAND_IN
    right = max(m["badge"], min(left, _FREE_HALF))
    return round(left + right + 8), m["title"] + m["line"] * len(details)


# ---- DOT text -----------------------------------------------------------------------------------


def dot_of(view: Json, cards: dict[str, Json], titles: dict[int, Title], direction: str) -> str:
    """Return DOT text for one view.

    Parameters
    ----------
    view : dict
        Its ``cards``, ``homes`` (the scope each card lies in), ``scopes`` (scope, scope around
        it), ``edges`` and ``labels``.
    cards : dict
        All cards by id.
    titles : dict
        How wide the title of each scope is, and each line of its details.
    direction : {"LR", "TB"}
    """
    wide = direction == "LR"
    patience = "" if len(view["cards"]) < PATIENT_CARDS else " nslimit=1 nslimit1=1"
    lines = [
        f"digraph {{ rankdir={direction}{patience} nodesep={0.3 if wide else 0.35} "
        f'ranksep={0.34 if wide else 0.38} node [shape=box fixedsize=true label=""] '
        "edge [arrowsize=0.7]"
    ]
    lines += _boxes(view, cards, titles, direction)
    places = {card: i for i, card in enumerate(view["cards"])}
    for i, (source, target, *_) in enumerate(view["edges"]):
        label = view["labels"].get(i)
        room = f" label={_FREE.format(*label_size(label))}" if label and any(label) else ""
        lines.append(f"n{places[source]} -> n{places[target]} [comment={i}{room}]")
    return "\n".join([*lines, "}"])


def _boxes(
    view: Json, cards: dict[str, Json], titles: dict[int, Title], direction: str
) -> Iterator[str]:
    """Yield the cards, those of a module inside its cluster; no recursion."""
    inside: dict[int | None, list[int]] = {}
    for i, home in enumerate(view["homes"]):
        inside.setdefault(home, []).append(i)
    children: dict[int | None, list[int]] = {}
    for scope, around in view["scopes"]:
        children.setdefault(around, []).append(scope)
    if direction == "LR":  # Graphviz stacks the first card of a cluster lowest
        for home in inside:
            if home is not None:
                inside[home].reverse()
    stack: list[int | None] = [None]
    opened: set[int | None] = {None}
    while stack:
        scope = stack.pop()
        if scope in opened and scope is not None:
            yield "}"
            continue
        if scope is not None:
            opened.add(scope)
            room = _FREE.format(*title_size(*titles[scope], direction))
            yield f"subgraph cluster_{scope} {{ margin=12 labeljust=l labelloc=t label={room}"
            stack.append(scope)
        for i in inside.get(scope, ()):
            w, h = cards[view["cards"][i]]["size"]
            yield f"n{i} [width={w / _POINTS:.4f} height={h / _POINTS:.4f}]"
        stack += children.get(scope, [])[::-1]


# ---- places --------------------------------------------------------------------------------------

_PAIR = re.compile(r"(-?[\d.]+(?:e-?\d+)?),(-?[\d.]+(?:e-?\d+)?)")


def places_of(laid_out: Any, view: Json) -> Json:
    """Return Graphviz's JSON as plain data in the page's coordinates: y grows downwards.

    ``cards`` are centres, ``scopes`` are left, top, width and height, ``edges`` a path and the
    two points of the arrow's head, ``labels`` centres.
    """
    _, _, width, height = map(float, laid_out["bb"].split(","))

    def point(x: str, y: str) -> list[float]:
        return [round(float(x), 1), round(height - float(y), 1)]

    cards: list[Any] = [None] * len(view["cards"])
    scopes: dict[str, Any] = {}
    for item in laid_out.get("objects", ()):
        if item["name"].startswith("n"):
            cards[int(item["name"][1:])] = point(*item["pos"].split(","))
        else:
            left, bottom, right, top = map(float, item["bb"].split(","))
            box = (left, height - top, right - left, top - bottom)
            scopes[item["name"].removeprefix("cluster_")] = [round(v, 1) for v in box]
    edges: list[Any] = [None] * len(view["edges"])
    labels: dict[str, Any] = {}
    for item in laid_out.get("edges", ()):
        place = int(item["comment"])
        tip, *curve = (point(*pair) for pair in _PAIR.findall(item["pos"]))
        edges[place] = [_path(curve), curve[-1], tip]
        if "lp" in item:
            labels[str(place)] = point(*item["lp"].split(","))
    return {"size": [round(width), round(height)], "cards": cards, "scopes": scopes,
            "edges": edges, "labels": labels}  # fmt: skip


def _path(curve: list[list[float]]) -> str:
    """Return points of Bézier curves as an SVG path."""
    (x, y), *rest = curve
    return f"M{x:g} {y:g}C" + " ".join(f"{a:g} {b:g}" for a, b in rest)
