"""Every colour, font and size of a picture, under a name.

SVG classes carry the same names, so that a style sheet can restyle a picture.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..core.errors import UsageError


@dataclass(frozen=True, slots=True)
class Style:
    """The look of a picture. Colours are chosen for contrast and for colour-blind readers.

    ``right_font`` looks like ``font``; the other order of names marks text that ends at a
    right edge, so that `align` can keep it there in SVG.
    """

    value: str = "#005A9C"
    gradient: str = "#B54A00"
    ink: str = "#1F2933"
    quiet: str = "#5F6B76"
    line: str = "#5B6770"
    rule: str = "#AEB8C2"
    edge: str = "#7B8794"
    leaf: str = "#EAF1F7"
    result: str = "#FFFFFF"
    output: str = "#F3F4F6"
    background: str = "#FFFFFF"
    clusters: tuple[str, str] = ("#F7F8FA", "#EEF1F4")
    cluster_line: str = "#C3CAD1"
    positive: str = "#1B7837"
    negative: str = "#762A83"
    invalid: str = "#D9D9D9"
    current: str = "#E5430F"
    ramp: str = "#0B6E63"
    surface: str = "#F7F8FA"
    failed: str = "#B3261E"
    font: str = "Helvetica,Arial,sans-serif"
    right_font: str = "Arial,Helvetica,sans-serif"
    name_size: int = 12
    number_size: int = 11
    small_size: int = 9
    thin: float = 1.0
    bold: float = 2.2


THEMES = {
    "default": Style(),
    "cs231n": replace(Style(), value="#1B7A2F", gradient="#C62828"),
}
"""``default`` is blue and orange; ``cs231n`` has the green and red of the lecture slides."""


DARK = Style(
    value="#6DB7FF", gradient="#FF9F55", ink="#E8ECF0", quiet="#A3AFBA", line="#74828F",
    rule="#4A5661", edge="#8694A1", leaf="#1D3044", result="#1B232B", output="#2A323B",
    background="#12181E", clusters=("#171F26", "#1E2730"), cluster_line="#3A4651",
    positive="#5CC27A", negative="#C58AE0", invalid="#5A646E", current="#FF6B3D",
    ramp="#1FA594", surface="#171E25",
)  # fmt: skip
"""The page of `explore` on a dark screen; pictures for paper stay white."""


def theme_named(name: str | Style) -> Style:
    """Return the theme of this name; a style of the user's own is one."""
    if isinstance(name, Style):
        return name
    if not isinstance(name, str) or name not in THEMES:
        raise UsageError(
            f"draw: theme is one of {', '.join(THEMES)}, or a Style. Received {name!r:.60}."
        )
    return THEMES[name]


WARMEST = 0.62
"""How far a ramp goes towards its colour: text on it stays readable."""


def ramp(level: float, kind: str, style: Style) -> str:
    """Return the colour of a card whose gradients or values are at a level from 0 to 1.

    Examples
    --------
    >>> ramp(0.0, "gradients", Style()), ramp(1.0, "gradients", Style())
    ('#ffffff', '#d18f61')
    """
    return _mix(style.gradient if kind == "gradients" else style.value, level * WARMEST)


def heat(level: float, style: Style, strength: float = 1.0) -> str:
    """Return the colour of a level from −1 (negative) through 0 (white) to 1 (positive).

    Examples
    --------
    >>> heat(0.0, Style()), heat(1.0, Style()), heat(-1.0, Style())
    ('#ffffff', '#1b7837', '#762a83')
    """
    if level != level:
        return style.invalid
    end = style.positive if level > 0 else style.negative
    return _mix(end, min(abs(level), 1.0) * strength)


def _mix(colour: str, amount: float) -> str:
    """Mix white with some of a colour."""
    channels = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(255 + (c - 255) * amount):02x}" for c in channels)
