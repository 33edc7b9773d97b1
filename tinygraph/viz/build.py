"""From a graph to a :class:`Picture`: the one place that decides what a picture says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..core.errors import TinygraphError, UsageError
from ..core.graph import Graph
from .backward import Flow, flow_from
from .cards import CardWriter
from .content import fits_in_table
from .costs import Costs, bytes_in_words
from .edges import EdgeWriter
from .fold import Folding, fold
from .frames import clusters_of
from .heat import Heat, explained, gradient_heat, value_heat
from .legend import PLAIN, legend_of
from .mirror import OPS, Mirror
from .model import Card, Picture
from .names import Names
from .repeats import Repeats, find_repeats
from .scopes import ScopeTree
from .screen import fold_to_fit
from .text import TOOLTIP_LIMIT, clean, count

NUMBERS_CARDS = 40
LEGEND_CARDS = 12
ENDS = 8
"""How many cards are drawn at each end of a graph whose middle is left out."""

ROWS = ("values", "gradients", "shapes", "bytes", "time")
"""What ``show=`` can ask for."""


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
    show: frozenset[str] | None = None
    saved: bool = False
    heat: str | None = None
    repeats: bool | str = "auto"
    backward: bool | str = False

    def wants_gradients(self, view: str) -> bool:
        """Tell whether cards have a row for the gradient."""
        if self.show is not None:
            return "gradients" in self.show
        return view == "numbers" and self.gradients is not False and self.heat is None


def build(graph: Graph, request: Request) -> Picture:
    """Fold the graph, run the backward pass if it is to be shown, and write the cards."""
    view, folding = _choose_view(graph, request)
    if request.backward:
        return _with_backward(graph, folding, view, request)
    remarks = _folding_remarks(folding, request)
    with_gradients = request.wants_gradients(view) and graph.failure is None
    flow = _flow(graph, request, remarks) if with_gradients or request.heat else None
    heat = _heat(folding, flow, request, remarks)
    costs = _costs(graph, request, remarks)
    names = Names(request.names)
    for shown, copies in folding.repeats.stands_for.items():
        names.adopt(shown, copies)
    if view == "numbers":
        names.number_the_rest(t for g in folding.groups for t in g.exits)
    ids = {group: f"n{i}" for i, group in enumerate(folding.groups)}
    clusters, homes = clusters_of(folding)
    with_values = view == "numbers" if request.show is None else "values" in request.show
    cards = CardWriter(
        graph, folding, names, flow, view, with_gradients, with_values, costs, heat, relative=True
    )
    drawn = flow if with_gradients else None
    on_edges = request.show is not None and "shapes" in request.show
    edges = EdgeWriter(folding, names, drawn, ids, cards.failed, with_shapes=on_edges)
    written = [cards.write(g, ids[g], homes.get(g)) for g in folding.groups]
    picture = Picture(
        view=view,
        direction="",
        cards=[_without_shape(c) if on_edges else c for c in written],
        edges=[e for g in folding.groups for e in edges.write(g)],
        clusters=clusters,
        scale=heat.scale if heat is not None else None,
    )
    return _finish(picture, remarks, request)


def _without_shape(card: Card) -> Card:
    """Leave the shape to the edges, where there are any."""
    return card if card.role == "output" else replace(card, note="")


def _with_backward(graph: Graph, folding: Folding, view: str, request: Request) -> Picture:
    """Return the picture of the backward pass as a graph."""
    if graph.failure is not None:
        raise UsageError("draw: a forward pass that failed has no backward pass.")
    names = Names(request.names)
    if view == "numbers":
        names.number_the_rest(t for g in folding.groups for t in g.exits)
    flow = flow_from(graph.outputs, request.upstream)
    mirror = Mirror(graph, folding, flow, names, view == "numbers", request.backward == OPS)
    picture = mirror.picture()
    return _finish(picture, _folding_remarks(folding, request), request)


def _finish(picture: Picture, remarks: list[str], request: Request) -> Picture:
    """Add title, remarks and legend."""
    picture.title = clean(request.title, TOOLTIP_LIMIT) if request.title else ""
    picture.remarks = remarks
    picture.direction = request.direction or ("LR" if picture.view == "numbers" else "TB")
    legend = legend_of(picture)
    helps = len(picture.cards) <= LEGEND_CARDS and not PLAIN.issuperset(legend)
    if request.legend is True or (request.legend == "auto" and (helps or picture.scale)):
        picture.legend = legend
    return picture


# ---- what is drawn ------------------------------------------------------------------------------


def _choose_view(graph: Graph, request: Request) -> tuple[str, Folding]:
    if request.view == "numbers":
        return "numbers", fold(graph, "numbers", request.depth, request.limit)
    if request.view == "auto" and graph.failure is None:
        folding = fold(graph, "numbers", request.depth, request.limit)
        small = all(fits_in_table(t.shape) for g in folding.groups for t in g.exits)
        if small and len(folding.groups) <= NUMBERS_CARDS and not folding.hidden:
            return "numbers", folding
    return "architecture", _fold_architecture(graph, request)


def _fold_architecture(graph: Graph, request: Request) -> Folding:
    """Draw equal siblings once, and open modules as deep as asked for, or as a screen shows."""
    scopes = ScopeTree(graph)
    wanted = (
        not (request.heat or request.backward) if request.repeats == "auto" else request.repeats
    )
    repeats = find_repeats(graph, scopes) if wanted and graph.failure is None else Repeats()
    if request.depth is None and request.limit is not None:
        folding = fold_to_fit(graph, scopes, repeats)
        if len(folding.groups) <= request.limit:
            return folding
    return fold(graph, "architecture", request.depth, request.limit, repeats, ENDS)


def _folding_remarks(folding: Folding, request: Request) -> list[str]:
    if folding.hidden:
        hidden = count(folding.hidden, "card")
        return [f"{hidden} in the middle are drawn as one; limit=None draws them all"]
    if request.depth is None and folding.reduced:
        return [f"collapsed to depth {folding.depth}; depth= opens more"]
    return []


# ---- what is said about it ----------------------------------------------------------------------


def _flow(graph: Graph, request: Request, remarks: list[str]) -> Flow | None:
    """Run the backward pass if gradients are to be shown.

    "auto" shows them once a backward pass of the user went through, or with ``grad=``; it
    never fails, because the picture without them is still worth seeing.
    """
    if request.heat == "values" and request.show is None:
        return None
    asked = request.show is not None and "gradients" in request.show
    if request.gradients is True or request.heat == "gradients" or asked:
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


def _heat(folding: Folding, flow: Flow | None, request: Request, remarks: list[str]) -> Heat | None:
    if request.heat == "values":
        return value_heat(folding)
    if request.heat is None or flow is None:
        return None
    heat = gradient_heat(folding, flow)
    if {"vanishing", "exploding"} & set(heat.words.values()):
        remarks.append(explained())
    return heat


def _costs(graph: Graph, request: Request, remarks: list[str]) -> Costs | None:
    wanted = (request.show or frozenset()) & {"bytes", "time"}
    wanted |= {"saved"} if request.saved else set()
    if not wanted or graph.failure is not None:
        return None
    costs = Costs(graph, wanted)
    if request.saved:
        remarks.append(f"{bytes_in_words(costs.total)} are kept for the backward pass")
    return costs
