"""The algebra of modules: ``f >> g`` composes, ``f + g`` adds, ``f | g`` joins.

Python's precedence applies: ``f >> g + h | k`` is ``(f >> (g + h)) | k``; printing the model
shows it. Only results of the same sign are flattened. Plain functions are wrapped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .compose import Parallel
    from .container import Sequential


class Algebra:
    """The operators of a module."""

    def __rshift__(self, other: Any) -> Sequential:
        """Compose: ``(f >> g)(x)`` is ``g(f(x))``."""
        from .container import compose

        return compose(self, other)

    def __rrshift__(self, other: Any) -> Sequential:
        from .container import compose

        return compose(other, self)

    def __add__(self, other: Any) -> Parallel:
        """Add in parallel: ``(f + g)(x)`` is ``f(x) + g(x)``, of one shape."""
        from .compose import side_by_side

        return side_by_side("+", self, other)

    def __radd__(self, other: Any) -> Parallel:
        if isinstance(other, list):
            return NotImplemented  # layers += model: Python asks here before the list extends
        from .compose import side_by_side

        return side_by_side("+", other, self)

    def __or__(self, other: Any) -> Parallel:
        """Join on the last axis: ``(f | g)(x)`` is ``[f(x), g(x)]``."""
        from .compose import side_by_side

        return side_by_side("|", self, other)

    def __ror__(self, other: Any) -> Parallel:
        from .compose import side_by_side

        return side_by_side("|", other, self)
