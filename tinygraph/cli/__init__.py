"""The command line: ``tinygraph demo``, ``tinygraph explain`` and ``tinygraph draw``."""

from .main import main

__all__ = ["main"]
