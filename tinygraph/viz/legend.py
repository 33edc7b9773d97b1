"""Which marks a picture has, for its legend."""

from __future__ import annotations

from .cards import NOT_COMPUTED
from .model import Picture

ROLES = ("leaf", "parameter", "constant", "output", "failed")

PLAIN = frozenset({"leaf", "output"})
"""Marks that speak for themselves where there are no others."""


def legend_of(picture: Picture) -> list[str]:
    """List the marks that occur, in the order a reader meets them."""
    roles = {card.role for card in picture.cards}
    marks = [role for role in ROLES if role in roles]
    gradients = [card.gradient.content for card in picture.cards if card.gradient]
    found = {
        "stack": any(card.stack for card in picture.cards),
        "value": any(card.value is not None for card in picture.cards),
        "gradient": bool(gradients),
        "pending": any(content is NOT_COMPUTED for content in gradients),
        "gradients": "gradient" in roles,
        "back": any(edge.kind == "back" for edge in picture.edges),
        "reads": any(edge.kind == "reads" for edge in picture.edges),
        "local": "failed" not in roles and any(edge.local for edge in picture.edges),
        "adds": any(edge.adds for edge in picture.edges),
        "dead": any(edge.dead for edge in picture.edges),
        "scale": picture.scale is not None,
    }
    return marks + [mark for mark, occurs in found.items() if occurs]
