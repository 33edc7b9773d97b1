"""Run the notebook of the docs and keep what it shows.

Run as ``python -m tools.notebook``; needs the packages of the extra ``test``. The output of the
explorer is left out of the file: it is a page of its own, and large.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

NOTEBOOK = Path(__file__).parent.parent / "docs" / "tour.ipynb"
TIMEOUT = 120
LARGEST = 60_000
"""Outputs with more characters are not kept."""


def executed(path: Path = NOTEBOOK) -> Any:
    """Run a notebook in a fresh kernel and return it with its outputs; a failing cell raises."""
    import nbformat
    from nbclient import NotebookClient

    book = nbformat.read(path, as_version=4)
    NotebookClient(book, timeout=TIMEOUT, kernel_name="python3", record_timing=False).execute()
    return book


def main() -> None:
    import nbformat

    book = executed()
    for cell in book.cells:
        if cell.cell_type == "code" and len(str(cell.outputs)) > LARGEST:
            cell.outputs = []
    nbformat.validate(book)
    nbformat.write(book, NOTEBOOK)
    print(NOTEBOOK)


if __name__ == "__main__":
    main()
