"""tg.explore: a page that steps through a graph, forward and backward.

`views` chooses the sets of open modules, `describe` and `told` put cards and steps into plain
data, `layout` finds their places, `document` writes the page; the .js and .css files beside
them are the page's own script and style.
"""

from .explore import Explorer, explore

__all__ = ["Explorer", "explore"]
