"""A folded graph: which nodes each card holds, and what is drawn around the cards."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..core.modes import Scope
from ..core.node import Node
from ..core.tensor import Tensor
from .repeats import Repeat, Repeats
from .scopes import ScopeTree


@dataclass(eq=False, slots=True)
class Group:
    """The nodes of one card.

    Attributes
    ----------
    kind : str
        ``"leaf"``, ``"op"``, ``"closed"`` (a scope) or ``"rest"``.
    nodes : list of Node
        In order of creation.
    scope : Scope or None
        The closed scope, or the scope the card lies in.
    exits : list of Tensor
        Results that other cards or the user see.
    uses : dict from Tensor to list of (result, position)
        What comes in from other cards, and where it goes.
    """

    kind: str
    nodes: list[Node]
    scope: Scope | None
    exits: list[Tensor] = field(default_factory=list)
    uses: dict[Tensor, list[tuple[Tensor, int]]] = field(default_factory=dict)

    @property
    def tensor(self) -> Tensor:
        """The one result, or the last."""
        return self.exits[-1] if self.exits else self.nodes[-1].tensor


Frame = Scope | Repeat
"""What is drawn around cards: an open call, or one period of a run of several siblings."""


@dataclass(slots=True)
class Folding:
    """A graph folded into groups, in topological order.

    Attributes
    ----------
    groups : list of Group
    home : dict from Tensor to Group
    scopes : ScopeTree
    depth : int or None
        How deep modules are open; None for the usual.
    hidden : int
        How many cards in the middle are drawn as one.
    reduced : bool
        Whether modules were closed to have fewer cards.
    repeats : Repeats
        Runs of equal siblings, of which only the first is drawn.
    """

    groups: list[Group]
    home: dict[Tensor, Group]
    scopes: ScopeTree
    depth: int | None
    hidden: int = 0
    reduced: bool = False
    repeats: Repeats = field(default_factory=Repeats)

    def run_of(self, group: Group) -> Repeat | None:
        """Return the run that a card stands for all by itself: "Block × 12"."""
        unit = group.scope if group.kind == "closed" else group.tensor
        run = self.repeats.runs.get(unit) if unit is not None and group.kind != "rest" else None
        return run if run is not None and len(run.units) == 1 else None

    def frame_of(self, group: Group) -> Frame | None:
        """Return what is drawn around a card."""
        if group.kind == "closed" and group.scope is not None:
            return self.around(group.scope)
        run = self.repeats.runs.get(group.tensor) if group.kind == "op" else None
        return run if run is not None and len(run.units) > 1 else group.scope

    def around(self, frame: Frame) -> Frame | None:
        """Return what is drawn around an open call or a run."""
        if isinstance(frame, Repeat):
            return frame.parent
        run = self.repeats.runs.get(frame)
        if run is None or len(run.units) > 1:
            return run or frame.parent
        outer = frame.parent
        holds_nothing_else = outer is not None and run.times == len(self.scopes.children[outer])
        if outer is None or outer.parent is None or not holds_nothing_else:
            return outer
        if self.scopes.own_ops[outer]:
            return outer
        return self.around(outer)  # "Block × 12" says all that "blocks" would

    def path_around(self, frame: Frame | None) -> str:
        """Return the path of the innermost open module among a frame and those around it."""
        while frame is not None and not (isinstance(frame, Scope) and frame.kind == "module"):
            frame = self.around(frame)
        return "" if frame is None else frame.path

    def frames_around(self, group: Group) -> list[Frame]:
        """Return everything that is drawn around a card, outermost first."""
        chain = []
        frame = self.frame_of(group)
        while frame is not None:
            chain.append(frame)
            frame = self.around(frame)
        return chain[::-1]
