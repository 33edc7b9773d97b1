"""Plans: recorded runs that are replayed."""

from .compiled import Compiled, compile, disable_compile
from .plan import Plan

__all__ = ["Compiled", "Plan", "compile", "disable_compile"]
