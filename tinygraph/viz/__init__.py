"""Pictures and explanations of graphs.

`build` makes plain data from a graph, `dot` DOT text, `render` a file; `steps` goes through the
graph forward and backward, and `explain` writes the steps as a worked solution; `tree` writes a
graph as lines of text.
"""

from .drawing import Drawing, draw
from .explain import Explanation, explain
from .render import RenderError
from .tree import text_tree

__all__ = ["Drawing", "Explanation", "RenderError", "draw", "explain", "text_tree"]
