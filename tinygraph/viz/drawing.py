"""tg.draw and what it returns."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import graphviz

from ..core.errors import UsageError, compose_message, describe
from ..core.graph import Graph
from ..core.graph import graph as graph_of
from ..core.tensor import Tensor
from .build import Request, build
from .checks import check_choice, check_count
from .dot import to_digraph
from .files import checked_target, write_file
from .mermaid import mermaid_text
from .model import Picture
from .render import HINT, TIMEOUT, RenderError, checked_format, render_dot
from .style import Style, theme_named

VIEWS = ("auto", "numbers", "architecture")
DIRECTIONS = ("LR", "TB", "RL", "BT")
NOTEBOOK_TEXT = 20_000


class Drawing:
    """A picture of a graph: shows itself in a notebook, and renders to files.

    Attributes
    ----------
    picture : Picture
        Cards, edges and clusters as plain data.
    """

    def __init__(self, picture: Picture, style: Style) -> None:
        self.picture = picture
        self._style = style

    @cached_property
    def digraph(self) -> graphviz.Digraph:
        """The picture as a :class:`graphviz.Digraph`."""
        return to_digraph(self.picture, self._style)

    @cached_property
    def source(self) -> str:
        """The DOT text."""
        return str(self.digraph.source)

    def to_mermaid(self) -> str:
        """Return the picture as Mermaid text, which GitHub and many editors draw themselves.

        Examples
        --------
        >>> import tinygraph as tg
        >>> x, y = tg.variables(x=2, y=3)
        >>> print(tg.draw(x * y, names={}, view="architecture").to_mermaid().split("classDef")[0])
        flowchart TB
          n0["<b>x</b>"]
          n1["<b>y</b>"]
          n2["<b>·  mul</b>"]
          n0 --> n2
          n1 --> n2
        """
        return mermaid_text(self.picture, self._style)

    def pipe(self, format: str = "svg", timeout: float | None = TIMEOUT) -> bytes:
        """Return the rendered picture.

        Parameters
        ----------
        format : {"svg", "png", "pdf", "dot", "mmd"}
        timeout : float or None
            Seconds that the layout may take.

        Raises
        ------
        UsageError
            If the format is unknown.
        RenderError
            If there is no Graphviz, or the layout fails or takes too long.
        """
        plain = checked_format(format)
        if plain == "mmd":
            return self.to_mermaid().encode("utf-8")
        return render_dot(self.source, plain, timeout)

    def render(self, path: str | os.PathLike[str], timeout: float | None = TIMEOUT) -> Path:
        """Write the picture to a file whose suffix says the format, and return its path.

        Parameters
        ----------
        path : str or path
            ``graph.svg``, ``.png``, ``.pdf``, ``.dot``, or ``.mmd`` for Mermaid. An existing file
            is replaced.
        timeout : float or None
            Seconds that the layout may take.

        Raises
        ------
        UsageError
            If the suffix names no format.
        RenderError
            If the folder cannot be written, or there is no Graphviz.

        Examples
        --------
        >>> import tempfile, tinygraph as tg
        >>> x, y = tg.variables(x=2, y=3)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     tg.draw(x * y).render(folder + "/product.dot").name
        'product.dot'
        """
        fmt = checked_format(Path(path).suffix)
        target = checked_target(path)
        write_file(target, self.pipe(fmt, timeout))
        return target

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, str]:
        """Show SVG in a notebook; without Graphviz the DOT text and a hint. Never raises."""
        try:
            return {"image/svg+xml": self.pipe("svg").decode("utf-8"), "text/plain": repr(self)}
        except Exception as error:
            reason = str(error) if isinstance(error, RenderError) else f"{error!r}. Fix: {HINT}"
        try:
            return {"text/plain": f"{reason}\n\n{self.source[:NOTEBOOK_TEXT]}"}
        except Exception:
            return {"text/plain": reason}

    def __repr__(self) -> str:
        cards, edges = len(self.picture.cards), len(self.picture.edges)
        return f"Drawing({self.picture.view}, {cards} cards, {edges} edges)"


def draw(
    outputs: Any,
    *,
    view: str = "auto",
    gradients: bool | str = "auto",
    grad: Any = None,
    names: Mapping[str, Any] | None = None,
    depth: int | None = None,
    direction: str | None = None,
    title: str | None = None,
    theme: str = "default",
    legend: bool | str = "auto",
    limit: int | None = 500,
) -> Drawing:
    """Draw the graph below a tensor.

    Two views. *Numbers* (small graphs) shows every value, and after ``backward()`` every
    gradient, with the local derivative and what it adds on each edge. *Architecture* shows
    modules, shapes and parameter counts. The picture runs a backward pass of its own and
    never touches ``.grad``.

    Parameters
    ----------
    outputs : Tensor, sequence of Tensor, or anything with ``.graph()``
        What to draw, and everything it was made of.
    view : {"auto", "numbers", "architecture"}
        "auto" shows numbers up to 40 cards with small tensors.
    gradients : {"auto", True, False}
        "auto" shows them once a backward pass went through, "—" before.
    grad : Tensor, ndarray or list of them, optional
        Upstream gradient for outputs with more than one element.
    names : dict, optional
        Names for tensors: ``locals()`` or ``{"q": q}``.
    depth : int, optional
        Open modules and functions made of ops down to this depth; 0 closes all.
    direction : {"LR", "TB", "RL", "BT"}, optional
        Default: numbers left to right, architecture top to bottom.
    title : str, optional
        A line above the picture.
    theme : {"default", "cs231n"}
        Blue and orange, or the green and red of the lecture slides.
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

    Examples
    --------
    >>> import tinygraph as tg
    >>> x, y, z = tg.variables(x=-2, y=5, z=-4)
    >>> f = (x + y) * z
    >>> f.backward()
    >>> tg.draw(f, names={"f": f})
    Drawing(numbers, 5 cards, 4 edges)
    """
    check_choice("draw", "view", view, VIEWS)
    check_choice("draw", "gradients", gradients, ("auto", True, False))
    check_choice("draw", "legend", legend, ("auto", True, False))
    check_choice("draw", "direction", direction, (None, *DIRECTIONS))
    check_count("draw", "depth", depth, 0)
    check_count("draw", "limit", limit, 1)
    style = theme_named(theme)
    graph = _as_graph(outputs)
    request = Request(view, gradients, names, depth, direction, title, legend, grad, limit)
    return Drawing(build(graph, request), style)


def _as_graph(outputs: Any) -> Graph:
    if isinstance(outputs, Graph):
        return outputs
    if isinstance(outputs, list | tuple):
        return graph_of(*outputs)
    if not isinstance(outputs, Tensor) and not callable(getattr(outputs, "graph", None)):
        fix = "draw(model(x)): a model has a graph once it was called"
        raise UsageError(compose_message("draw takes tensors", describe(outputs), fix))
    return graph_of(outputs)


def _mermaid(graph: Graph, **options: Any) -> str:
    return draw(graph, **options).to_mermaid()


Graph.as_mermaid = staticmethod(_mermaid)
