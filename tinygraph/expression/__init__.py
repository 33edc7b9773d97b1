"""Expressions typed by a person: ``(x + y) * z`` with ``x=-2 y=5 z=-4``, as a graph.

Read with :mod:`ast` against a white list and never evaluated as code; sizes are limited, so that a
hostile expression costs little and ends in one line. `text` reads a syntax tree, `values` what is
typed for a name, `whitelist` says what may be called, and `reader` calls it.
"""

from .graph import graph_of_expression
from .text import ExpressionError
from .whitelist import functions

__all__ = ["ExpressionError", "functions", "graph_of_expression"]
