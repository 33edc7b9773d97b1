"""Pictures of graphs: build (graph to plain data), dot (to DOT text), render (to a file)."""

from .drawing import Drawing, draw
from .render import RenderError

__all__ = ["Drawing", "RenderError", "draw"]
