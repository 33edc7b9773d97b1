"""One graph of the page as plain data: cards, steps, and a picture for each set of open modules."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ...core.graph import Graph
from ...core.modes import Scope
from ...core.tensor import Tensor
from ..fold import Folding, Group
from ..labels import DOT, title_lines
from ..measure import text_width
from ..modules import describe_scope
from ..rules import bundles
from ..scopes import scope_chain
from ..steps import Walk
from ..text import TOOLTIP_LIMIT, clean
from .contents import Contents, Json
from .describe import Describer
from .layout import DIRECTIONS, METRICS, Title, dot_of
from .overlays import gradient_overlay, memory_overlay
from .told import DIGITS, Teller
from .views import View, Views


class GraphPage:
    """What the page knows about one tensor's graph.

    Parameters
    ----------
    output : Tensor
    title : str
    names, depth, grad, limit
        As for :func:`tinygraph.explore`.
    """

    def __init__(
        self,
        output: Tensor,
        title: str,
        names: Mapping[str, Any] | None,
        depth: int | None,
        grad: Any,
        limit: int,
    ) -> None:
        self.views = Views(Graph([output]), depth, limit)
        foldings = [view.folding for view in self.views.views]
        walk = Walk(output, names=names, grad=grad, digits=DIGITS, who="explore", foldings=foldings)
        self.title = title
        self.walk = walk
        self.contents = Contents()
        openable = set(self.views.openable) - set(self.views.left_out)
        self.describer = Describer(walk, self.contents, self.views.numbers, openable)
        self.teller = Teller(walk, self.contents, self.describer.ids, self.describer.full_names)
        self._groups: dict[str, Group] = {}
        self._steps: dict[str, int] = {}
        self.pictures = [self._picture(i, v) for i, v in enumerate(self.views.views)]

    def _picture(self, i: int, view: View) -> Json:
        """Return one view without its layouts: cards, edges, labels and steps."""
        walk = self.walk.told_at(view.folding)
        ids = self.describer.describe(walk, i)
        self._groups.update((id_, group) for group, id_ in ids.items())
        steps = list(self.teller.tell(walk, ids))
        edges = self._edges(view.folding, ids)
        return {
            "open": sorted(self.describer.scopes[s] for s in view.opened),
            "cards": list(ids.values()),
            "homes": [self._home(g) for g in ids],
            "scopes": self._scopes(ids),
            "edges": edges,
            "labels": self._labels(edges, steps) if self.views.numbers else {},
            "steps": [self._place(_without_blanks(step)) for step in steps],
        }

    def _home(self, group: Group) -> int | None:
        """Return the open scope that a card lies in."""
        scope = _around(group)
        return None if scope is None else self.describer.scopes[scope]

    def _scopes(self, groups: Mapping[Group, str]) -> list[list[int | None]]:
        """Return the open scopes that hold a card, each with the one around it, outer first."""
        found = {s for g in groups for s in scope_chain(_around(g))}
        numbers = self.describer.scopes
        ordered = sorted(found, key=lambda s: numbers[s])
        return [[numbers[s], None if s.parent is None else numbers[s.parent]] for s in ordered]

    def _edges(self, folding: Folding, ids: dict[Group, str]) -> list[list[Any]]:
        """Return source and target card, tensor, and the position among the operands."""
        return [
            [ids[folding.home[x]], ids[group], self.describer.ids[x], uses[0][1]]
            for group in folding.groups
            for x, uses in bundles(group)
        ]

    def _labels(self, edges: list[list[Any]], steps: list[Json]) -> dict[int, list[str]]:
        """Return the label of each edge that a gradient flows along."""
        places = {(target, x, position): i for i, (_, target, x, position) in enumerate(edges)}
        return {
            places[step["card"], step["to"], step["position"]]: step["label"]
            for step in steps
            if step["phase"] == "backward"
        }

    def _place(self, step: Json) -> int:
        """Return the place of a step; views share the steps that are the same."""
        return self._steps.setdefault(json.dumps(step, sort_keys=True), len(self._steps))

    # ---- everything -----------------------------------------------------------------------------

    def sources(self) -> list[str]:
        """Return the DOT texts of all views, in both directions."""
        titles = {i: self._title_widths(s) for i, s in enumerate(self.scope_facts())}
        cards = self.describer.cards
        return [dot_of(v, cards, titles, d) for v in self.pictures for d in DIRECTIONS]

    def _title_widths(self, facts: Json) -> Title:
        m = METRICS
        name = text_width(facts["title"], m["number"], bold=True)
        return name, [text_width(line + DOT, m["small"]) for line in facts["details"]]

    def scope_facts(self) -> list[Json]:
        """Return what the title of each module says."""
        tree = self.walk.folding.scopes
        found = []
        for scope in tree.scopes:
            facts = describe_scope(scope, tree)
            details = title_lines([facts.kind, facts.parameters, facts.calls])
            parent = None if scope.parent is None else self.describer.scopes[scope.parent]
            found.append(
                {"title": facts.name, "details": details, "tip": facts.tooltip, "parent": parent,
                 "level": tree.level[scope], "opens": scope in self.describer.openable}
            )  # fmt: skip
        return found

    def as_json(self, layouts: list[Json]) -> Json:
        """Return everything; ``layouts`` are those of :meth:`sources`."""
        pairs = iter(layouts)
        for picture in self.pictures:
            picture["layouts"] = {direction: next(pairs) for direction in DIRECTIONS}
        describer = self.describer
        return {
            "title": clean(self.title, TOOLTIP_LIMIT),
            "symbol": self.walk.symbol,
            "upstream": self.walk.upstream,
            "numbers": self.views.numbers,
            "direction": "LR" if self.views.numbers else "TB",
            "cards": describer.cards,
            "tensors": describer.tensors,
            "scopes": self.scope_facts(),
            "contents": self.contents.items,
            "steps": [json.loads(step) for step in self._steps],
            "views": self.pictures,
            "overlays": {
                "gradient": gradient_overlay(self._groups, self.walk.flow),
                "memory": memory_overlay(
                    {i: describer.bytes_of(g) for i, g in self._groups.items()},
                    describer.kept.bytes_of(node.tensor for node in self.walk.graph.nodes),
                ),
            },
        }


def _without_blanks(step: Json) -> Json:
    """Leave out what is empty, and labels, which are the view's."""
    found = {k: v for k, v in step.items() if v not in (None, "", []) and v is not False}
    found.pop("label", None)
    return {**found, "words": [text for text in step["words"] if text]}


def _around(group: Group) -> Scope | None:
    """Return the open scope around a card."""
    scope = group.scope
    return scope.parent if group.kind == "closed" and scope is not None else scope
