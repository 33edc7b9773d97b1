"""What a picture says about a module or composite call."""

from __future__ import annotations

import math
from typing import NamedTuple

from ..core.modes import Scope
from .scopes import ScopeTree
from .text import TOOLTIP_LIMIT, clean, count, shape


class ModuleFacts(NamedTuple):
    """A call in words.

    Attributes
    ----------
    name : str
        Its path, or its type where the path says nothing.
    kind : str
        ``Linear 2→16``; "" where the name says it all.
    parameters : str
        ``48 params``, or "".
    calls : str
        ``call 2 of 3, same weights`` for a module that is called several times.
    shapes : str
        ``(8, 2) → (8, 16)``.
    tooltip : str
        Full path, settings and counts, in lines.
    """

    name: str
    kind: str
    parameters: str
    calls: str
    shapes: str
    tooltip: str


def describe_scope(scope: Scope, scopes: ScopeTree) -> ModuleFacts:
    """Put a module or composite call into words."""
    features, shapes = _shape_change(scope, scopes)
    if scope.kind != "module":
        formula = clean(getattr(scope.owner, "formula", ""), TOOLTIP_LIMIT)
        tooltip = clean(scope.path, TOOLTIP_LIMIT) + (f" = {formula}" if formula else "")
        return ModuleFacts(clean(scope.path), "", "", "", shapes, tooltip)
    type_name = type(scope.owner).__name__
    kind = clean(type_name)
    size = sum(math.prod(p.shape) for p in scopes.parameters(scope))
    extra = getattr(scope.owner, "extra_repr", None)
    settings = clean(extra() if callable(extra) else "", TOOLTIP_LIMIT)
    parameters = count(size, "param") if size else ""
    path = clean(scope.path, TOOLTIP_LIMIT)
    tooltip = "\n".join(x for x in (path, f"{kind}({settings})", parameters) if x)
    named = bool(scope.path) and scope.path != type_name
    title = f"{kind} {features}" if features and size else kind
    name = clean(scope.path) if named else title
    which, total = scopes.calls[scope]
    calls = f"call {which} of {total}" + (", same weights" if size else "") if total > 1 else ""
    return ModuleFacts(name, title if named else "", parameters, calls, shapes, tooltip)


def _shape_change(scope: Scope, scopes: ScopeTree) -> tuple[str, str]:
    """Return ``2→16`` if at most the last length changes (else ""), and both shapes in full."""
    entering, leaving = list(scopes.entering[scope]), list(scopes.leaving[scope])
    after = " ".join(shape(t.shape) for t in leaving[:3])
    if len(entering) != 1 or len(leaving) != 1:
        return "", after
    x, y = entering[0].shape, leaving[0].shape
    only_last = len(x) == len(y) > 0 and x[:-1] == y[:-1]
    features = f"{x[-1]}→{y[-1]}" if only_last else ""
    return features, after if x == y else f"{shape(x)} → {after}"
