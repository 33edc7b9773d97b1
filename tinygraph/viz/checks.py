"""Checks of arguments that pictures and explanations share."""

from __future__ import annotations

from typing import Any

from ..core.errors import UsageError, describe


def check_choice(who: str, name: str, value: Any, choices: tuple[Any, ...]) -> None:
    """Raise unless ``value`` is one of the choices."""
    if not any(value is c or (isinstance(c, str) and isinstance(value, str) and value == c)
               for c in choices):  # fmt: skip
        wanted = ", ".join(map(repr, choices))
        raise UsageError(f"{who}: {name} is one of {wanted}. Received {describe(value)}.")


def check_seconds(who: str, value: Any) -> None:
    """Raise unless ``value`` is a time above 0, or None."""
    is_time = isinstance(value, int | float) and not isinstance(value, bool) and value > 0
    if value is not None and not is_time:
        raise UsageError(
            f"{who}: timeout is a number of seconds above 0, or None. Received {describe(value)}."
        )


def check_count(who: str, name: str, value: Any, least: int, most: int | None = None) -> None:
    """Raise unless ``value`` is a whole number in the range, or (without ``most``) None."""
    is_count = isinstance(value, int) and not isinstance(value, bool) and value >= least
    if most is not None and not (is_count and value <= most):
        raise UsageError(
            f"{who}: {name} is a whole number from {least} to {most}. Received {describe(value)}."
        )
    if value is not None and not is_count:
        raise UsageError(
            f"{who}: {name} is a whole number from {least} on, or None. Received {describe(value)}."
        )
