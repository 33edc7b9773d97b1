"""Draw the gallery of the docs: every picture of tests/gallery.py, beside the code that makes it.

``docs/conf.py`` calls :func:`write_gallery` at every build; ``docs/gallery.md`` includes the page.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from tests.gallery import GALLERY, Entry

PAGE = "pictures.md"


def write_gallery(folder: Path) -> None:
    """Write the pictures as SVG files, and the page that shows them.

    Paths are those that ``docs/gallery.md`` sees.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, entry in GALLERY.items():
        entry.make().render(folder / f"{name}.svg")
    (folder / PAGE).write_text(page(f"generated/{folder.name}"), encoding="utf-8", newline="\n")


def page(place: str) -> str:
    """Return all sections, with pictures that lie at ``place``."""
    parts = []
    for section, entries in groupby(GALLERY.values(), key=lambda entry: entry.section):
        parts += [f"## {section}", *(part(entry, place) for entry in entries)]
    return "\n\n".join(parts) + "\n"


def part(entry: Entry, place: str) -> str:
    """Return a caption, a picture and its code."""
    picture = f"![{entry.caption.replace('`', '')}]({place}/{entry.name}.svg)"
    return f"{entry.caption}\n\n{picture}\n\n```python\n{entry.code.strip()}\n```"
