"""tg.explore and what it returns."""

from __future__ import annotations

import os
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from ...core.errors import UsageError, compose_message, describe
from ...core.tensor import Tensor
from ..checks import check_count, check_seconds
from ..equations import whole_expression
from ..files import as_path, checked_target, write_file
from ..notation import Notation
from ..render import RenderError, lay_out
from ..text import TOOLTIP_LIMIT, clean
from .document import write_page
from .layout import METRICS, places_of
from .pictures import GraphPage
from .told import DIGITS

LIMIT = 100
TIMEOUT = 60.0
HEADING_LIMIT = 60
NOTEBOOK_HEIGHT = 640


class Explorer:
    """A page that steps through a graph: shows itself in a notebook, and saves to a file.

    Attributes
    ----------
    html : str
        The whole page.
    title : str
    """

    def __init__(self, html: str, title: str) -> None:
        self.html = html
        self.title = title

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page to a file and return its path.

        Parameters
        ----------
        path : str or path
            ``graph.html``. An existing file is replaced.

        Raises
        ------
        UsageError
            If the suffix is neither .html nor .htm.
        RenderError
            If the folder cannot be written.
        """
        target = _checked_path(path)
        write_file(target, self.html.encode("utf-8"))
        return target

    def _repr_html_(self) -> str:
        """Show the page inside a notebook, in a frame of its own."""
        return (
            f'<iframe title="{escape(clean(self.title, TOOLTIP_LIMIT))}" sandbox="allow-scripts" '
            f'width="100%" height="{NOTEBOOK_HEIGHT}" style="border: 0" '
            f'srcdoc="{escape(self.html)}"></iframe>'
        )

    def __repr__(self) -> str:
        return f"Explorer({self.title!r}, {len(self.html.encode('utf-8')) // 1024} kB)"


def explore(
    t: Any,
    path: str | os.PathLike[str] | None = None,
    *,
    names: Mapping[str, Any] | None = None,
    depth: int | None = None,
    grad: Any = None,
    title: str | None = None,
    limit: int = LIMIT,
    timeout: float | None = TIMEOUT,
) -> Explorer:
    """Make a page on which one steps through a graph, forward and backward.

    One HTML file that needs nothing else: pan, zoom and search; modules open and close; each
    step forward is a node, each step backward an edge, on which upstream × local is the
    contribution that is added where edges meet. Colours show how large gradients are, or the
    memory that the backward pass keeps. The page computes nothing: all numbers are the
    library's. The explorer runs a backward pass of its own and never touches ``.grad``.

    Parameters
    ----------
    t : Tensor, or dict from str to Tensor
        What is differentiated; of a dict, the page has a switch between the graphs.
    path : str or path, optional
        Where to save the page, ``graph.html``.
    names : dict, optional
        Names for tensors: ``locals()`` or ``{"q": q}``. An output without one is called f.
    depth : int, optional
        Modules and functions made of ops are open down to this depth at first; 0 closes all.
        By default small graphs are open, and large ones closed until they are readable.
    grad : Tensor or ndarray, optional
        The upstream gradient of a ``t`` with more than one element.
    title : str, optional
        The title of the page.
    limit : int
        Pictures of more cards show the middle as one.
    timeout : float or None
        Seconds that the layout of all pictures may take.

    Returns
    -------
    Explorer
        ``.html`` is the page, ``.save("graph.html")`` writes it; a notebook shows it.

    Raises
    ------
    UsageError
        If an argument is none of those above.
    GradientError
        If ``t`` does not require grad.
    ShapeError
        If ``t`` has several elements and ``grad`` is missing or of another shape.
    VersionError
        If a value that a rule needs was overwritten since the forward pass.
    RenderError
        If there is no Graphviz (the message names the pip command), the layout takes too long,
        or the file cannot be written.

    Examples
    --------
    >>> import tinygraph as tg
    >>> x, y, z = tg.variables(x=-2, y=5, z=-4)
    >>> page = tg.explore((x + y) * z)
    >>> page.html.startswith("<!doctype html>")
    True
    """
    graphs = _checked_graphs(t)
    check_count("explore", "depth", depth, 0)
    check_count("explore", "limit", limit, 5, 10_000)
    check_seconds("explore", timeout)
    target = None if path is None else _checked_path(path)
    pages = [GraphPage(t, key, names, depth, grad, limit) for key, t in graphs.items()]
    heading = str(title) if title is not None else _heading(pages)
    page = Explorer(_write(pages, heading, timeout), heading)
    if target is not None:
        page.save(target)
    return page


def _heading(pages: list[GraphPage]) -> str:
    """Return what a single graph computes, if that is short."""
    if len(pages) > 1:
        return "Backpropagation, step by step"
    walk = pages[0].walk
    whole = whole_expression(walk, Notation(walk.symbol, DIGITS))
    return whole if 0 < len(whole) <= HEADING_LIMIT else f"The graph of {walk.symbol}"


def _write(pages: list[GraphPage], title: str, timeout: float | None) -> str:
    """Lay out all pictures of all graphs in one go, and write the page."""
    sources = [page.sources() for page in pages]
    try:
        found = iter(lay_out([s for group in sources for s in group], timeout))
    except RenderError as error:
        raise RenderError(f"explore: {error}") from error
    graphs = []
    for page in pages:
        views = [v for v in page.pictures for _ in range(2)]
        graphs.append(page.as_json([places_of(next(found), v) for v in views]))
    data = {"title": clean(title, TOOLTIP_LIMIT), "metrics": METRICS, "graphs": graphs}
    return write_page(data, title)


def _checked_graphs(t: Any) -> dict[str, Tensor]:
    graphs = {str(k): v for k, v in t.items()} if isinstance(t, Mapping) else {"": t}
    for value in graphs.values():
        if not isinstance(value, Tensor):
            fix = "explore(loss), with loss a result of the model"
            raise UsageError(compose_message("explore takes a tensor", describe(value), fix))
    if not graphs:
        raise UsageError("explore takes a tensor, or a dict with at least one. Received {}.")
    return graphs


def _checked_path(path: str | os.PathLike[str]) -> Path:
    target = as_path(path)
    if target.suffix.lower() not in (".html", ".htm"):
        fix = 'explore(t, "graph.html")'
        raise UsageError(compose_message("The page is an HTML file", repr(str(path))[:60], fix))
    return checked_target(target)
