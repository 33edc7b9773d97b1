"""Frames around cards: open modules and functions, and patterns that repeat."""

from __future__ import annotations

from ..core.modes import Scope
from .fold import Folding, Frame, Group
from .model import Cluster
from .modules import brief, describe_scope, names_of_run
from .repeats import Repeat
from .text import count


def clusters_of(folding: Folding) -> tuple[list[Cluster], dict[Group, int]]:
    """Describe the frames that hold a card, outer before inner, and say which card is where."""
    places: dict[Frame, int] = {}
    levels: list[int] = []
    clusters: list[Cluster] = []
    homes: dict[Group, int] = {}
    for group in sorted(folding.groups, key=lambda g: g.kind == "leaf"):  # by what is computed
        inner: int | None = None
        for frame in folding.frames_around(group):
            if frame not in places:
                places[frame] = len(clusters)
                levels.append(0 if inner is None else levels[inner] + 1)
                clusters.append(cluster_of(frame, folding, inner, levels[-1], by_class=True))
            inner = places[frame]
        if inner is not None:
            homes[group] = inner
    return clusters, homes


def cluster_of(
    frame: Frame,
    folding: Folding,
    parent: int | None = None,
    level: int = 0,
    by_class: bool = False,
) -> Cluster:
    """Return title and details of a frame; ``by_class`` where its name is only a number."""
    inside = folding.path_around(folding.around(frame))
    if isinstance(frame, Repeat):
        steps = f"{count(len(frame.units), 'step')}, {frame.times} times"
        details = " · ".join(x for x in (steps, names_of_run(frame, inside)) if x)
        return Cluster(f"× {frame.times}", details, f"× {frame.times}: {details}", parent, level)
    facts = describe_scope(frame, folding.scopes, _own_run(frame, folding), inside)
    facts = brief(facts) if by_class else facts
    details = " · ".join(x for x in (facts.kind, facts.parameters, facts.calls) if x)
    return Cluster(facts.name, details, facts.tooltip, parent, level)


def _own_run(scope: Scope, folding: Folding) -> Repeat | None:
    """Return the run that a frame stands for all by itself."""
    run = folding.repeats.runs.get(scope)
    return run if run is not None and len(run.units) == 1 else None
