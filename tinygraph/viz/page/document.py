"""The page as one HTML text: style, script and data inline, and nothing from anywhere else."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

from ..style import DARK, Style
from ..text import TOOLTIP_LIMIT, clean

SCRIPTS = (
    "elements", "contents", "scene", "camera", "steps", "panel", "modules", "overlays", "search",
    "start",
)  # fmt: skip
"""The files of the script, in the order in which they follow each other."""

_COLOURS = (
    "value", "gradient", "ink", "quiet", "line", "rule", "edge", "leaf", "result", "output",
    "background", "cluster_line", "positive", "negative", "invalid", "current", "surface", "ramp",
)  # fmt: skip


def write_page(data: dict[str, Any], title: str) -> str:
    """Return the page.

    The data cannot leave its element, because every ``<`` in it is written as an escape; the
    policy allows this style and this script, by their hashes, and no request at all.
    """
    style = f"{_variables()}\n{_text('explore.css')}"
    script = _script()
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    parts = {
        "POLICY": escape(policy, quote=True).replace("&#x27;", "'"),
        "TITLE": escape(clean(title, TOOLTIP_LIMIT)),
        "STYLE": style,
        "DATA": embedded(data),
        "SCRIPT": script,
    }
    return _filled(_text("explore.html"), parts)


def embedded(data: Any) -> str:
    """Return data as JSON that is harmless inside a script element.

    Examples
    --------
    >>> embedded("</script>")
    '"\\\\u003c/script>"'
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    text = text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return text.encode("utf-8", "replace").decode("utf-8")


def _filled(template: str, parts: dict[str, str]) -> str:
    """Put the parts at their marks, ``{{NAME}}``; marks inside parts stay as they are."""
    pieces = template.split("{{")
    filled = [pieces[0]]
    for piece in pieces[1:]:
        name, rest = piece.split("}}", 1)
        filled += [parts[name], rest]
    return "".join(filled)


@cache
def _text(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")


@cache
def _script() -> str:
    """Return the script: all files in one function, so that no name leaves it."""
    body = "\n".join(_text(f"{name}.js") for name in SCRIPTS)
    return f'(() => {{\n"use strict";\n{body}\n}})();\n'


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _variables() -> str:
    """Return the colours of the two themes as CSS variables of the same names."""
    light, dark = _colours(Style()), _colours(DARK)
    return (
        f":root {{ color-scheme: light; {light} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ color-scheme: dark; {dark} }} }}\n"
        f":root[data-theme=light] {{ color-scheme: light; {light} }}\n"
        f":root[data-theme=dark] {{ color-scheme: dark; {dark} }}"
    )


def _colours(style: Style) -> str:
    named = {name: getattr(style, name) for name in _COLOURS}
    named |= {f"cluster_{i}": colour for i, colour in enumerate(style.clusters)}
    return " ".join(f"--{name.replace('_', '-')}: {colour};" for name, colour in named.items())
