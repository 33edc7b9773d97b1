"""tg.explain: the backward pass of a graph as a worked solution."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from ..core.errors import UsageError, compose_message, describe
from ..core.tensor import Tensor
from .build import Request, build
from .checks import check_choice, check_count
from .drawing import Drawing
from .equations import whole_expression
from .files import as_path, checked_target, write_file
from .notation import Notation
from .page.explore import explore
from .render import RenderError
from .solution_page import allowed_script, figures, inline_svg, page
from .steps import DEFAULT_LIMIT, Walk
from .style import Style
from .text import escape
from .worked_html import HtmlWriter
from .worked_math import LatexWriter, MarkdownWriter
from .worked_plain import plain_text

FORMATS = ("plain", "markdown", "latex", "html")
SUFFIXES = {".txt": "plain", ".md": "markdown", ".tex": "latex", ".html": "html", ".htm": "html"}
MOST_DIGITS = 17


class Explanation:
    """A worked solution: prints as text, and shows itself as Markdown in a notebook.

    Attributes
    ----------
    walk : Walk
        The steps as plain data: iterate over them.
    format : str
        What ``str`` and ``print`` give.
    """

    def __init__(self, walk: Walk, format: str, digits: int, picture: Request) -> None:
        self.walk = walk
        self.format = format
        self._digits = digits
        self._picture = picture

    @cached_property
    def plain(self) -> str:
        """The solution as text in columns."""
        return plain_text(self.walk, self._digits)

    @cached_property
    def markdown(self) -> str:
        """The solution as Markdown with LaTeX mathematics."""
        return MarkdownWriter(self.walk, self._digits).write()

    @cached_property
    def latex(self) -> str:
        """The solution as a fragment for a LaTeX document that loads amsmath."""
        return LatexWriter(self.walk, self._digits).write()

    @cached_property
    def drawing(self) -> Drawing:
        """The graph as a picture, with the gradients that are explained."""
        return Drawing(build(self.walk.graph, self._picture), Style())

    @cached_property
    def html(self) -> str:
        """The solution as a page that stands alone, with the explorer above it.

        On paper the picture stands in its place; without Graphviz, a sentence that says how to
        get one.
        """
        writer = HtmlWriter(self.walk, self._digits)
        body = writer.write()
        about = whole_expression(self.walk, Notation(self.walk.symbol, self._digits))
        words = about or f"The gradients of {self.walk.symbol}"
        scripts = "'none'"
        try:
            svg = inline_svg(self.drawing.pipe("svg"), f"The graph of {words}")
            request = self._picture
            explorer = explore(
                self.walk.output, names=request.names, depth=request.depth, grad=request.upstream
            )
            picture = figures(explorer._repr_html_(), svg)
            scripts = allowed_script(explorer.html)
        except RenderError as error:
            picture = f"<figure>{escape(str(error))}</figure>"
        return page(words, "Worked solution", writer.title, picture, body, Style(), scripts)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the solution to a file whose suffix says the format, and return its path.

        Parameters
        ----------
        path : str or path
            ``solution.html``, ``.md``, ``.tex`` or ``.txt``. An existing file is replaced.

        Raises
        ------
        UsageError
            If the suffix names no format.
        RenderError
            If the folder cannot be written.

        Examples
        --------
        >>> import tempfile, tinygraph as tg
        >>> x, y = tg.variables(x=2, y=3)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     tg.explain(x * y).save(folder + "/product.html").name
        'product.html'
        """
        suffix = as_path(path).suffix.lower()
        if suffix not in SUFFIXES:
            raise UsageError(
                compose_message(
                    f"A solution is one of {', '.join(SUFFIXES)}",
                    f"the suffix {suffix[:40]!r}",
                    "name the file solution.html or solution.tex",
                )
            )
        target = checked_target(path)
        text = str(getattr(self, SUFFIXES[suffix])).rstrip("\n") + "\n"
        write_file(target, text.encode("utf-8"))
        return target

    def __str__(self) -> str:
        return str(getattr(self, self.format)).rstrip("\n")

    def __repr__(self) -> str:
        return str(self)

    def _repr_markdown_(self) -> str:
        return self.markdown


def explain(
    t: Any,
    *,
    format: str = "plain",
    names: Mapping[str, Any] | None = None,
    digits: int = 4,
    depth: int | None = None,
    grad: Any = None,
    limit: int | None = DEFAULT_LIMIT,
) -> Explanation:
    """Explain the gradients of a tensor as a worked solution.

    First the values, from the inputs to the result; then the chain rule, edge by edge: the
    upstream gradient times the local derivative, added up where edges meet. Numbers are
    computed with; matrices are shown with their rules and shapes. A table and a nudge, which
    checks the steepest gradient against a second run, come last. The explanation runs a
    backward pass of its own: a graph that was used before is welcome, and ``.grad`` is not
    touched.

    Parameters
    ----------
    t : Tensor
        What is differentiated: one number, unless ``grad`` is given.
    format : {"plain", "markdown", "latex", "html"}
        What printing gives. LaTeX is a fragment for a document that loads amsmath; HTML is a
        whole page with the picture.
    names : dict, optional
        Names for tensors: ``locals()`` or ``{"q": q}``. An output without one is called f.
    digits : int
        Significant digits of the numbers; whole numbers are never cut.
    depth : int, optional
        Open modules and functions made of ops down to this depth; 0 closes all.
    grad : Tensor or ndarray, optional
        The upstream gradient of a ``t`` with more than one element.
    limit : int or None
        Tell the middle of a longer graph as one step; None tells everything.

    Returns
    -------
    Explanation
        Prints; shows itself in a notebook; ``.plain``, ``.markdown``, ``.latex`` and ``.html``
        are texts, ``.save("solution.html")`` writes one, ``.drawing`` is the picture, and
        ``.walk`` holds the steps as data.

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

    Examples
    --------
    >>> import tinygraph as tg
    >>> x = tg.tensor(3.0, requires_grad=True, name="x")
    >>> print(tg.explain(x * x))
    f = x · x
    <BLANKLINE>
    Given
      x = 3
    <BLANKLINE>
    Forward: values, from the inputs to f
       1.  f = x · x = 3 · 3 = 9
    <BLANKLINE>
    Backward: gradients, from f to the inputs
      Along an edge they multiply, upstream · local; where edges meet they add, +=.
      The start: ∂f/∂f = 1.
    <BLANKLINE>
      f = x · x,  where ∂f/∂f = 1
       2.  ∂f/∂x  = ∂f/∂f · x = 1 · 3 = 3   the first of 2
       3.  ∂f/∂x += ∂f/∂f · x = 1 · 3 = 3   together 3 + 3 = 6
    <BLANKLINE>
    All gradients
          value   ∂f/∂·
      x       3       6
      f       9       1
    <BLANKLINE>
    A nudge, to check
      Change x by 0.01, from 3 to 3.01: f goes from 9 to 9.0601.
      It changed by 0.0601; the gradient predicted 6 · 0.01 = 0.06.
    """
    if not isinstance(t, Tensor):
        fix = "explain(loss), with loss a result of the model"
        raise UsageError(compose_message("explain takes a tensor", describe(t), fix))
    check_choice("explain", "format", format, FORMATS)
    check_count("explain", "depth", depth, 0)
    check_count("explain", "limit", limit, 3)
    check_count("explain", "digits", digits, 1, MOST_DIGITS)
    walk = Walk(t, names=names, depth=depth, grad=grad, limit=limit, digits=digits)
    known = {**(names or {}), walk.output_name: t}
    picture = Request("auto", True, known, depth, upstream=grad, limit=limit)
    return Explanation(walk, format, digits, picture)
