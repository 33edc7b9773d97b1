"""The notebook of the docs runs, and shows what the file says: pictures, too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NOTEBOOK = ROOT / "docs" / "tour.ipynb"
NEEDED = ("nbclient", "nbformat", "ipykernel")

for name in NEEDED:
    pytest.importorskip(name, reason=f"the notebook needs {', '.join(NEEDED)}: pip install .[test]")


@pytest.fixture(scope="module")
def cells():
    """Pairs of code cells: as they are in the file, and as they run now."""
    code = (
        "import nbformat; from tools import notebook; print(nbformat.writes(notebook.executed()))"
    )
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", code], cwd=ROOT, capture_output=True, timeout=300,
        encoding="utf-8", check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    books = json.loads(NOTEBOOK.read_text(encoding="utf-8")), json.loads(done.stdout)
    pairs = zip(books[0]["cells"], books[1]["cells"], strict=True)
    return [(a, b) for a, b in pairs if a["cell_type"] == "code"]


def joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def shown(cell: dict) -> list[dict[str, str]]:
    """Return what each output of a cell says; of a picture, that there is one.

    A busy kernel sends what one cell prints in several pieces; they are one output.
    """
    found: list[dict[str, str]] = []
    name = None
    for output in cell["outputs"]:
        last, name = name, output.get("name")
        if name is not None and name == last:
            found[-1]["text/plain"] += joined(output["text"])
            continue
        data = output.get("data") or {"text/plain": output["text"]}
        texts = {kind: joined(text) for kind, text in data.items()}
        if "image/svg+xml" in texts:
            texts["image/svg+xml"] = texts["image/svg+xml"].strip()[-6:]
        found.append(texts)
    return found


def test_it_shows_what_the_file_says(cells):
    for stored, fresh in cells:
        if not stored["outputs"]:  # too large to keep, see tools/notebook.py
            assert "tg.explore" in joined(stored["source"])
            continue
        assert shown(stored) == shown(fresh), "stale: python -m tools.notebook"


def test_pictures_explorer_and_mathematics_are_shown(cells):
    kinds = {"tg.draw": "image/svg+xml", "tg.explore": "text/html", "tg.explain": "text/markdown"}
    seen = set()
    for _, fresh in cells:
        last = joined(fresh["source"]).splitlines()[-1]
        for call, kind in kinds.items():
            if last.startswith(call):
                assert any(kind in output for output in shown(fresh)), last
                seen.add(call)
    assert seen == set(kinds)


def test_no_cell_prints_to_stderr(cells):
    assert not any(o.get("name") == "stderr" for _, fresh in cells for o in fresh["outputs"])
