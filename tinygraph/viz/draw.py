"""tg.draw: a picture of a graph."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..core.errors import UsageError
from ..core.graph import Graph
from .build import ROWS, Request, build
from .checks import check_choice, check_count
from .drawing import Drawing
from .heat import KINDS
from .mirror import OPS
from .style import Style, theme_named
from .subject import graph_to_draw

VIEWS = ("auto", "numbers", "architecture")
DIRECTIONS = ("LR", "TB", "RL", "BT")


def draw(
    subject: Any,
    input: Any = None,
    *,
    view: str = "auto",
    gradients: bool | str = "auto",
    grad: Any = None,
    show: str | Collection[str] | None = None,
    backward: bool | str = False,
    saved: bool = False,
    heat: str | None = None,
    names: Mapping[str, Any] | None = None,
    depth: int | None = None,
    fold: bool | str = "auto",
    direction: str | None = None,
    title: str | None = None,
    theme: str | Style = "default",
    legend: bool | str = "auto",
    limit: int | None = 500,
) -> Drawing:
    """Draw the graph below a tensor, or of a model.

    Two views. *Numbers* (small graphs) shows every value, and after ``backward()`` every
    gradient, with the local derivative and what it adds on each edge. *Architecture* shows
    modules, shapes and parameter counts; equal siblings are drawn once ("Block × 12"), and
    modules are opened as deep as fits on a screen. The picture runs a backward pass of its own
    and never touches ``.grad``.

    Parameters
    ----------
    subject : Tensor, sequence of Tensor, Module, error, or anything with ``.graph()``
        What to draw, and everything it was made of. The error of a forward pass is drawn as
        the graph up to the call that failed.
    input : Tensor, ndarray, tuple of int, or list of them, optional
        For a model or a function: an example to call it with; a tuple of lengths stands for
        zeros of that shape, a list holds several arguments. A model runs in evaluation mode.
    view : {"auto", "numbers", "architecture"}
        "auto" shows numbers up to 40 cards with small tensors.
    gradients : {"auto", True, False}
        "auto" shows them once a backward pass went through, "—" before.
    grad : Tensor, ndarray or list of them, optional
        Upstream gradient for outputs with more than one element.
    show : {"values", "gradients", "shapes", "bytes", "time"} or several of them, optional
        What is shown instead of what is usual for the view: shapes on the edges, bytes of
        results, and the time of each forward function, run again by itself.
    backward : {False, True, "ops"}
        Draw the backward pass as the graph that it is, beside the forward one: a card for every
        gradient, the local derivative on each edge, and which values the rules read. "ops"
        shows every op of the rules: these can be differentiated again.
    saved : bool
        Whether cards say what is kept for the backward pass, in bytes: a value that several
        derivatives read, or that several views share, counts once.
    heat : {"gradients", "values"}, optional
        Colour cards by the size of the gradient, or of the value, by powers of ten. Gradients
        that vanish or explode are named.
    names : dict, optional
        Names for tensors: ``locals()`` or ``{"q": q}``.
    depth : int, optional
        Open modules down to this depth; 0 closes all. Deeper than the modules that hold others
        go, layers and functions made of ops are opened too.
    fold : {"auto", True, False}
        Whether equal siblings are drawn once, in architecture; "auto" does, without ``heat``.
    direction : {"LR", "TB", "RL", "BT"}, optional
        Default: numbers left to right, architecture top to bottom.
    title : str, optional
        A line above the picture.
    theme : {"default", "cs231n"} or Style
        Blue and orange, or the green and red of the lecture slides, or a style of your own.
    legend : {"auto", True, False}
        "auto" explains the marks in pictures of up to 12 cards.
    limit : int or None
        Collapse pictures of more cards; None draws everything.

    Returns
    -------
    Drawing
        Shows itself in a notebook; ``.render("graph.svg")`` writes a file.

    Raises
    ------
    UsageError
        If an argument is none of those above.
    GradientError, ShapeError
        If gradients are asked for where there are none, or ``grad`` is missing.

    Examples
    --------
    >>> import tinygraph as tg
    >>> x, y, z = tg.variables(x=-2, y=5, z=-4)
    >>> f = (x + y) * z
    >>> f.backward()
    >>> tg.draw(f, names={"f": f})
    Drawing(numbers, 5 cards, 4 edges)
    >>> tg.draw(tg.nn.MLP([2, 16, 1]), (8, 2))
    Drawing(architecture, 4 cards, 3 edges)
    """
    check_choice("draw", "view", view, VIEWS)
    check_choice("draw", "gradients", gradients, ("auto", True, False))
    check_choice("draw", "backward", backward, (False, True, OPS))
    check_choice("draw", "saved", saved, (True, False))
    check_choice("draw", "heat", heat, (None, *KINDS))
    check_choice("draw", "fold", fold, ("auto", True, False))
    check_choice("draw", "legend", legend, ("auto", True, False))
    check_choice("draw", "direction", direction, (None, *DIRECTIONS))
    check_count("draw", "depth", depth, 0)
    check_count("draw", "limit", limit, 1)
    style = theme_named(theme)
    request = Request(
        view=view, gradients=gradients, names=names, depth=depth, direction=direction,
        title=title, legend=legend, upstream=grad, limit=limit, show=_rows(show), saved=saved,
        heat=heat, repeats=fold, backward=backward,
    )  # fmt: skip
    return Drawing(build(graph_to_draw(subject, input), request), style)


def _rows(show: Any) -> frozenset[str] | None:
    """Return what cards show; None for what is usual."""
    if show is None:
        return None
    rows = [show] if isinstance(show, str) else list(show) if isinstance(show, Collection) else [0]
    if not all(isinstance(row, str) and row in ROWS for row in rows):
        wanted = ", ".join(map(repr, ROWS))
        raise UsageError(f"draw: show is one or several of {wanted}. Received {show!r:.60}.")
    return frozenset(rows)


def _mermaid(graph: Graph, **options: Any) -> str:
    return draw(graph, **options).to_mermaid()


Graph.as_mermaid = staticmethod(_mermaid)
