"""What tg.draw returns: a picture that shows itself, and renders to files."""

from __future__ import annotations

import os
from collections.abc import Collection
from functools import cached_property
from pathlib import Path

import graphviz

from .checks import check_seconds
from .dot import to_digraph
from .files import as_path, checked_target, write_file
from .mermaid import mermaid_text
from .model import Picture
from .render import HINT, TIMEOUT, RenderError, checked_format, render_dot
from .style import Style

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
          n2["<b>×  mul</b>"]
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
        check_seconds("pipe", timeout)
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
        fmt = checked_format(as_path(path).suffix)
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
