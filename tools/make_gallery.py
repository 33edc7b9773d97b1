"""Draw the gallery of the docs: every picture of tests/gallery.py, beside the code that makes it.

``docs/conf.py`` calls :func:`write_gallery` at every build; ``docs/gallery.md`` includes the page.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import groupby
from pathlib import Path

from tests.gallery import GALLERY, Entry

PAGE = "pictures.md"

WIDE = 800
"""A wider picture, in points, would be unreadable in a column of text: it scrolls sideways."""


def write_gallery(folder: Path) -> None:
    """Write the pictures as SVG files, and the page that shows them.

    Paths are those that ``docs/gallery.md`` sees.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wide = set()
    for name, entry in GALLERY.items():
        path = entry.make().render(folder / f"{name}.svg")
        if width_of(path.read_text(encoding="utf-8")) > WIDE:
            wide.add(name)
    text = page(f"generated/{folder.name}", wide)
    (folder / PAGE).write_text(text, encoding="utf-8", newline="\n")


def width_of(svg: str) -> float:
    """Return the width that a picture says it has, in points."""
    return float(svg.partition('<svg width="')[2].partition("pt")[0])


def page(place: str, wide: Collection[str] = ()) -> str:
    """Return all sections, with pictures that lie at ``place``; some of them are wide."""
    parts = []
    for section, entries in groupby(GALLERY.values(), key=lambda entry: entry.section):
        parts += [f"## {section}", *(part(e, place, e.name in wide) for e in entries)]
    return "\n\n".join(parts) + "\n"


def part(entry: Entry, place: str, wide: bool = False) -> str:
    """Return a caption, a picture and its code."""
    picture = f"![{entry.caption.replace('`', '')}]({place}/{entry.name}.svg)"
    picture = f":::{{container}} wide\n{picture}\n:::" if wide else picture
    return f"{entry.caption}\n\n{picture}\n\n```python\n{entry.code.strip()}\n```"
