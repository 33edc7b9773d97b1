"""What a picture says about a module or composite call."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from ..core.modes import Scope
from .repeats import Repeat
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


def describe_scope(
    scope: Scope, scopes: ScopeTree, run: Repeat | None = None, inside: str = ""
) -> ModuleFacts:
    """Put a module or composite call, or the run it stands for, into words.

    Names leave out the path of the module that is drawn around, ``inside``.
    """
    facts = _describe_call(scope, scopes, inside)
    if run is None:
        return facts
    kind = clean(type(scope.owner).__name__ if scope.kind == "module" else scope.path)
    shared = isinstance(run.last, Scope) and run.last.owner is scope.owner
    return facts._replace(
        name=f"{kind} × {run.times}",
        kind=names_of_run(run, inside),
        parameters=facts.parameters + (" each" if facts.parameters and not shared else ""),
        calls="same weights each time" if shared and facts.parameters else "",
        tooltip=f"{run.times} times, drawn once\n{facts.tooltip}",
    )


def brief(facts: ModuleFacts) -> ModuleFacts:
    """Leave out of a card or frame what the rest of it says.

    A number says less than a class: ``Linear 2→16`` with ``0`` below. A layer called relu is
    a ReLU.
    """
    last = facts.name.rpartition(".")[2]
    if facts.kind and last.isdigit():
        return facts._replace(name=facts.kind, kind=facts.name if facts.parameters else "")
    return facts._replace(kind="") if facts.kind.lower() == last.lower() else facts


def names_of_run(run: Repeat, inside: str) -> str:
    """Return ``blocks.0 … blocks.11``, or "" where all are called the same.

    Functions have no names of their own.
    """
    first, last = run.units[0], run.last
    if not (isinstance(first, Scope) and isinstance(last, Scope)) or first.path == last.path:
        return ""
    names = (clean(scope.path.removeprefix(f"{inside}.")) for scope in (first, last))
    return " … ".join(names)


def _describe_call(scope: Scope, scopes: ScopeTree, inside: str) -> ModuleFacts:
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
    name = clean(scope.path.removeprefix(f"{inside}.")) if named else title
    which, total = scopes.calls[scope]
    calls = f"call {which} of {total}, same weights" if size and total > 1 else ""
    contents = _siblings(scope, scopes) or title
    return ModuleFacts(name, contents if named else "", parameters, calls, shapes, tooltip)


def _siblings(scope: Scope, scopes: ScopeTree) -> str:
    """Return ``Bottleneck × 6`` for a module that only calls several of one class, else ""."""
    inside = scopes.children.get(scope, [])
    classes = {type(s.owner) if s.kind == "module" else None for s in inside}
    if len(inside) < 2 or len(classes) > 1 or None in classes or scopes.own_ops[scope]:
        return ""
    return f"{clean(type(inside[0].owner).__name__)} × {len(inside)}"


def _shape_change(scope: Scope, scopes: ScopeTree) -> tuple[str, str]:
    """Return ``2→16``, what a module makes of what ("" if unknown), and both shapes in full."""
    entering, leaving = list(scopes.entering[scope]), list(scopes.leaving[scope])
    after = " ".join(shape(t.shape) for t in leaving[:3])
    widths = _own_widths(scope.owner)
    if len(entering) != 1 or len(leaving) != 1:
        return widths, after
    x, y = entering[0].shape, leaving[0].shape
    only_last = len(x) == len(y) > 0 and x[:-1] == y[:-1]
    if not widths and only_last and (x != y or len(x) == 2):  # of an image the last is no width
        widths = f"{x[-1]}→{y[-1]}"
    return widths, after if x == y else f"{shape(x)} → {after}"


def _own_widths(module: Any) -> str:
    """Return what a layer says of itself: its features, or its channels."""
    for kind in ("features", "channels"):
        ends = (getattr(module, f"in_{kind}", None), getattr(module, f"out_{kind}", None))
        if all(isinstance(n, int) for n in ends):
            return "→".join(map(str, ends))
    return ""
