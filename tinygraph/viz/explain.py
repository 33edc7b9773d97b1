"""tg.explain: the backward pass of a graph as a worked solution."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from ..core.errors import UsageError, compose_message, describe
from ..core.tensor import Tensor
from .checks import check_choice, check_count
from .steps import DEFAULT_LIMIT, Walk
from .worked_math import LatexWriter, MarkdownWriter
from .worked_plain import plain_text

FORMATS = ("plain", "markdown", "latex")
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

    def __init__(self, walk: Walk, format: str, digits: int) -> None:
        self.walk = walk
        self.format = format
        self._digits = digits

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
    format : {"plain", "markdown", "latex"}
        What printing gives. LaTeX is a fragment for a document that loads amsmath.
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
        Prints; shows itself in a notebook; ``.plain``, ``.markdown`` and ``.latex`` are texts,
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
    return Explanation(walk, format, digits)
