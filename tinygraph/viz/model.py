"""A picture as plain data: cards, edges and clusters, without a word about how they look.

`build` makes it from a graph, `dot` writes it as DOT text; an explorer could read it too.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Number:
    """One number, or a mark such as "—", as text."""

    text: str
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Matrix:
    """Up to 4×4 numbers, each with its level from −1 to 1 for the tint."""

    cells: list[list[tuple[str, float]]]


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Up to 32×32 levels from −1 to 1 (NaN where there is none), and the scale."""

    levels: list[list[float]]
    largest: str


@dataclass(frozen=True, slots=True)
class Sketch:
    """What remains of many numbers: smallest, mean and largest."""

    smallest: str
    mean: str
    largest: str


Content = Number | Matrix | HeatMap | Sketch


@dataclass(frozen=True, slots=True)
class Gradient:
    """The gradient row of a card: ``∂f/∂x``, and the sum where several edges meet."""

    label: str
    content: Content
    terms: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """One tensor with its op, or a closed module, composite or rest.

    ``alert`` stands out from the other lines; ``heat`` is a level from 0 to 1 that colours the
    card; a card that stands for several lies on a ``stack``.
    """

    id: str
    role: str
    header: str
    note: str = ""
    lines: tuple[str, ...] = ()
    value: Content | None = None
    gradient: Gradient | None = None
    tooltip: str = ""
    cluster: int | None = None
    alert: tuple[str, ...] = ()
    heat: float | None = None
    stack: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """A tensor on its way into an op; ``local`` and ``adds`` label its backward side.

    ``kind`` is "flow", or in pictures of a backward pass "back" (a gradient on its way) and
    "reads" (a value that a rule needs).
    """

    source: str
    target: str
    local: tuple[str, ...] = ()
    adds: str = ""
    dead: bool = False
    tooltip: str = ""
    kind: str = "flow"


@dataclass(frozen=True, slots=True)
class Cluster:
    """An open module or composite call; ``parent`` is the position of the one around it."""

    title: str
    details: str
    tooltip: str
    parent: int | None
    level: int


@dataclass(frozen=True, slots=True)
class Scale:
    """What the colours of cards mean: powers of ten from ``low`` to ``high``."""

    kind: str
    words: str
    low: int
    high: int


@dataclass(slots=True)
class Picture:
    """Everything that is drawn."""

    view: str
    direction: str
    cards: list[Card] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    clusters: list[Cluster] = field(default_factory=list)
    title: str = ""
    remarks: list[str] = field(default_factory=list)
    legend: list[str] = field(default_factory=list)
    scale: Scale | None = None
