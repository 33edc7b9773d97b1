"""Pictures and explanations of graphs.

`build` makes plain data from a graph, `dot` DOT text, `render` a file; `steps` goes through the
graph forward and backward, `explain` writes the steps as a worked solution, `page` as a page to
look at them one by one; `tree` writes a graph as lines of text.
"""

from .draw import draw
from .drawing import Drawing
from .explain import Explanation, explain
from .page import Explorer, explore
from .render import RenderError
from .style import Style
from .tree import text_tree

__all__ = [
    "Drawing", "Explanation", "Explorer", "RenderError", "Style", "draw", "explain", "explore",
    "text_tree",
]  # fmt: skip
