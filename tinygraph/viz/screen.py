"""How deep modules are opened at first: as deep as one screen shows them."""

from __future__ import annotations

from ..core.graph import Graph
from ..core.tensor import Tensor
from .fold import DEFAULT_DEPTH, Folding, Frame, fold_where
from .repeats import Repeats
from .scopes import ScopeTree

HEIGHT, WIDTH = 1150.0, 2000.0
"""What a screen shows of a picture that flows down, in points, and letters can be read."""

CARDS = 26
"""More cards than this are not taken in at a glance."""

ROW, LINE, FRAME, COLUMN = 50.0, 14.0, 55.0, 150.0
"""About what a card needs with its arrow, a small line in it, a frame, and a card across."""

FEWEST_STEPS = 6
"""A picture with fewer steps tells too little: the modules stay open all the same."""


def fold_to_fit(graph: Graph, scopes: ScopeTree, repeats: Repeats) -> Folding:
    """Open modules that hold modules, three deep, or less deep if that fits on a screen."""
    deepest = min(DEFAULT_DEPTH, scopes.deepest)
    outermost = {s for s in scopes.scopes if s.parent is None and s.kind == "module"}
    found: Folding | None = None
    for depth in range(deepest, -1, -1):
        opened = {s for s in scopes.holds_modules if scopes.level[s] < depth}
        if not opened and len(outermost) == 1:  # all there is
            if found is not None:
                break
            opened = outermost
        folding = fold_where(graph, scopes, opened.__contains__, repeats=repeats)
        steps = sum(group.kind != "leaf" for group in folding.groups)
        if found is not None and steps < FEWEST_STEPS:
            break
        folding.depth, folding.reduced = depth, depth < deepest
        found = folding
        if fits(found):
            break
    assert found is not None
    return found


def fits(folding: Folding) -> bool:
    """Tell whether a picture that flows down fits on a screen, by the size of its cards."""
    if len(folding.groups) > CARDS:
        return False
    ends: dict[Tensor, float] = {}
    frames: set[Frame] = set()
    across: dict[int, int] = {}
    ranks: dict[Tensor, int] = {}
    lowest = 0.0
    for group in folding.groups:
        above = max((ends[x] for x in group.uses), default=0.0)
        rank = max((ranks[x] + 1 for x in group.uses), default=0)
        end = above + ROW + (LINE if group.kind == "closed" else 0.0)
        for t in group.exits:
            ends[t], ranks[t] = end, rank
        across[rank] = across.get(rank, 0) + 1
        frames.update(folding.frames_around(group))
        lowest = max(lowest, end)
    return lowest + FRAME * len(frames) <= HEIGHT and COLUMN * max(across.values()) <= WIDTH
