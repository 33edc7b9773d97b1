"""Names for a walk: every tensor that a step shows has one, and no two have the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ..core.tensor import Tensor
from .fold import Folding, Group
from .names import Names
from .text import clean, subscript

OUTPUT_NAMES = ("f", "L", "out", "result", "…")
"""What an output without a name is called: the first that is free."""


def names_of_steps(
    foldings: Sequence[Folding],
    outputs: Sequence[Tensor],
    given: Mapping[str, Any] | None,
    who: str,
    digits: int,
) -> Names:
    """Name every tensor that some folding shows; a single output without a name is called f."""
    names = Names(given, who, digits)
    shown = shown_in(foldings)
    if len(outputs) == 1 and not names.full(outputs[0]):
        taken = {names.full(t) for t, _ in shown}
        free = next(n for n in OUTPUT_NAMES if n not in taken)
        names = Names({**(given or {}), free: outputs[0]}, who, digits)
    names.number_the_rest(t for t, _ in shown)
    _tell_apart(shown, names)
    return names


def shown_in(foldings: Sequence[Folding]) -> list[tuple[Tensor, Group]]:
    """Return every tensor that some folding shows, with one of its cards, in their order."""
    if len(foldings) == 1:
        return [(t, g) for g in foldings[0].groups for t in g.exits]
    found = {t: g for f in reversed(foldings) for g in f.groups for t in g.exits}
    return sorted(found.items(), key=lambda pair: pair[0].index)


def _tell_apart(shown: list[tuple[Tensor, Group]], names: Names) -> None:
    """Put the module's path before names that occur twice, then numbers behind them."""
    for with_path in (True, False):
        taken = Counter(names.short(t) for t, _ in shown)
        seen: Counter[str] = Counter()
        for tensor, group in shown:
            name = names.short(tensor)
            if taken[name] == 1:
                continue
            path = group.scope.module_path() if group.scope is not None else ""
            if with_path and path and group.kind == "leaf":
                names.call(tensor, clean(f"{path}.{name}"))
            elif not with_path:
                seen[name] += 1
                names.call(tensor, name + subscript(seen[name]))
