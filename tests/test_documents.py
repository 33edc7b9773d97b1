"""Every piece of Python in the README and the guide runs and prints what the page says."""

from __future__ import annotations

import doctest
import inspect
import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import tinygraph as tg
from tinygraph.core.op import Composite
from tools.make_docs import entries, pages, public_modules

ROOT = Path(__file__).parent.parent
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "examples/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS

RUNNER = """
import contextlib, io, json, sys
printed, names = [], {"__name__": "page"}
for block in json.load(sys.stdin):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(block, "<page>", "exec"), names)
    printed.append(out.getvalue())
print(json.dumps(printed))
"""


def pieces(page: Path) -> list[tuple[str, str]]:
    """Return each Python block with the text block that follows it, as (code, output)."""
    found = FENCE.findall(page.read_text(encoding="utf-8"))
    fences = [(language, textwrap.dedent(body)) for _, language, body in found]
    following = [*fences, ("", "")][1:]
    return [
        (body, after if language == "text" else "")
        for (kind, body), (language, after) in zip(fences, following, strict=True)
        if kind == "python"
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_code_prints_what_the_page_says(page: Path, tmp_path: Path) -> None:
    found = pieces(page)
    if not found:
        return
    done = subprocess.run(
        [sys.executable, "-W", "error", "-X", "utf8", "-c", RUNNER],
        input=json.dumps([code for code, _ in found]),
        capture_output=True, encoding="utf-8", cwd=tmp_path, timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    checker = doctest.OutputChecker()
    for (code, stated), printed in zip(found, json.loads(done.stdout), strict=True):
        assert checker.check_output(stated, printed, FLAGS), f"{code}\nprints\n{printed}"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if "://" not in target and not target.startswith("generated/"):
            assert (page.parent / target).exists(), target


def test_readme_has_the_promised_sizes() -> None:
    codes = [code for code, _ in pieces(ROOT / "README.md")]
    circuit, training = codes[0], next(c for c in codes if "optimizer.step()" in c)
    assert sum(1 for line in circuit.splitlines() if line) <= 6
    assert sum(1 for line in training.splitlines() if line) <= 15


def test_the_lists_of_sections_are_left_to_the_theme() -> None:
    """Furo shows each page's own beside it, and an error in red where a page writes another."""
    texts = [*pages().values(), *(page.read_text(encoding="utf-8") for page in PAGES)]
    assert len(texts) > 30
    assert not [text for text in texts if re.search(r"\{contents\}|\.\. contents::", text)]


def test_the_reference_describes_what_is_ours_and_documented() -> None:
    found = [(home, name, thing) for m in public_modules() for home, name, thing in entries(m)]
    assert len(found) > 400
    for home, name, thing in found:
        assert home.startswith("tinygraph"), f"{home}.{name}: the module needs __all__"
        assert inspect.getdoc(thing), f"{home}.{name} has no docstring"


def test_the_page_of_primitives_agrees_with_the_registry():
    """What stands before "are primitives" has a rule of its own, the compositions have none."""
    page = (ROOT / "docs" / "primitives.md").read_text(encoding="utf-8").split("## By family")[1]
    checked = 0
    for sentence in re.split(r"[.;:]\s", page):
        names, *claim = re.split(r"\bare (primitives|compositions)\b", sentence)
        for name in re.findall(r"`(\w+)`", names) if claim else ():
            composed = isinstance(tg.REGISTRY[name], Composite)
            assert composed == (claim[0] == "compositions"), name
            checked += 1
    assert checked >= 50
