"""From a graph to a :class:`Picture`: the one place that decides what a picture says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..core.errors import TinygraphError
from ..core.graph import Graph
from ..core.modes import Scope
from .backward import Flow, flow_from
from .cards import NOT_COMPUTED, CardWriter
from .content import fits_in_table
from .edges import EdgeWriter
from .fold import Folding, Group, fold
from .model import Cluster, Picture
from .modules import describe_scope
from .names import Names
from .scopes import scope_chain
from .text import TOOLTIP_LIMIT, clean, count

NUMBERS_CARDS = 40
LEGEND_CARDS = 12


@dataclass(frozen=True, slots=True)
class Request:
    """The arguments of :func:`tinygraph.draw`, checked."""

    view: str = "auto"
    gradients: str | bool = "auto"
    names: Mapping[str, Any] | None = None
    depth: int | None = None
    direction: str | None = None
    title: str | None = None
    legend: bool | str = "auto"
    upstream: Any = None
    limit: int | None = 500


def build(graph: Graph, request: Request) -> Picture:
    """Fold the graph, run the backward pass if it is to be shown, and write the cards."""
    view, folding = _choose_view(graph, request)
    remarks: list[str] = _folding_remarks(folding)
    wants_gradients = view == "numbers" and request.gradients is not False
    flow = _flow(graph, request, remarks) if wants_gradients else None
    names = Names(request.names)
    if view == "numbers":
        names.number_the_rest(t for g in folding.groups for t in g.exits)
    ids = {group: f"n{i}" for i, group in enumerate(folding.groups)}
    clusters, places = _clusters(folding)
    cards = CardWriter(graph, folding, names, flow, view, wants_gradients)
    edges = EdgeWriter(folding, names, flow, ids)
    picture = Picture(
        view=view,
        direction=request.direction or ("LR" if view == "numbers" else "TB"),
        cards=[cards.write(g, ids[g], places.get(_open_scope(g))) for g in folding.groups],
        edges=[e for g in folding.groups for e in edges.write(g)],
        clusters=clusters,
        title=clean(request.title, TOOLTIP_LIMIT) if request.title else "",
        remarks=remarks,
    )
    if request.legend is True or (request.legend == "auto" and len(picture.cards) <= LEGEND_CARDS):
        picture.legend = _legend(picture)
    return picture


def _choose_view(graph: Graph, request: Request) -> tuple[str, Folding]:
    if request.view != "auto":
        return request.view, fold(graph, request.view, request.depth, request.limit)
    folding = fold(graph, "numbers", request.depth, request.limit)
    small = all(fits_in_table(t.shape) for g in folding.groups for t in g.exits)
    if small and len(folding.groups) <= NUMBERS_CARDS and not folding.hidden:
        return "numbers", folding
    return "architecture", fold(graph, "architecture", request.depth, request.limit)


def _folding_remarks(folding: Folding) -> list[str]:
    if folding.hidden:
        return [
            f"{count(folding.hidden, 'card')} in the middle are drawn as one; "
            "limit=None draws them all"
        ]
    if folding.depth is not None and folding.reduced:
        return [f"collapsed to depth {folding.depth} to stay readable; depth= opens more"]
    return []


def _flow(graph: Graph, request: Request, remarks: list[str]) -> Flow | None:
    """Run the backward pass if gradients are to be shown.

    "auto" shows them once a backward pass of the user went through, or with ``grad=``; it
    never fails, because the picture without them is still worth seeing.
    """
    if request.gradients is True:
        return flow_from(graph.outputs, request.upstream)
    used = any(t.used for t in graph.outputs) or any(
        leaf.tensor.grad is not None for leaf in graph.leaves
    )
    scalar = all(output.size == 1 for output in graph.outputs)
    if request.upstream is None and not (used and scalar):
        return None
    try:
        return flow_from(graph.outputs, request.upstream)
    except TinygraphError as error:
        if request.upstream is not None:
            raise
        remarks.append(f"no gradients: {clean(str(error).split('. ')[0], 90)}")
        return None


def _open_scope(group: Group) -> Scope | None:
    """Return the open scope a card lies in."""
    scope: Scope | None = group.scope
    return scope.parent if group.kind == "closed" and scope else scope


def _clusters(folding: Folding) -> tuple[list[Cluster], dict[Scope | None, int | None]]:
    """Describe the open scopes that hold a card, outer before inner."""
    shown = {s for group in folding.groups for s in scope_chain(_open_scope(group))}
    places: dict[Scope | None, int | None] = {None: None}
    clusters: list[Cluster] = []
    for scope in folding.scopes.scopes:
        if scope not in shown:
            continue
        facts = describe_scope(scope, folding.scopes)
        places[scope] = len(clusters)
        clusters.append(
            Cluster(
                title=facts.name,
                details=" · ".join(x for x in (facts.kind, facts.parameters, facts.calls) if x),
                tooltip=facts.tooltip,
                parent=places[scope.parent],
                level=folding.scopes.level[scope],
            )
        )
    return clusters, places


def _legend(picture: Picture) -> list[str]:
    """List the marks that occur, in the order a reader meets them."""
    roles = {card.role for card in picture.cards}
    marks: list[str] = [
        role for role in ("leaf", "parameter", "constant", "output") if role in roles
    ]
    if picture.view == "numbers":
        marks.append("value")
        if any(card.gradient for card in picture.cards):
            marks.append("gradient")
        if any(card.gradient and card.gradient.content is NOT_COMPUTED for card in picture.cards):
            marks.append("pending")
        if any(edge.local for edge in picture.edges):
            marks.append("local")
        if any(edge.adds for edge in picture.edges):
            marks.append("adds")
        if any(edge.dead for edge in picture.edges):
            marks.append("dead")
    return marks
