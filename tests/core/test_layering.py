"""The imports of the package keep the layers of docs/architecture.md."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import tinygraph

ROOT = Path(tinygraph.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

BELOW = {
    "core": set(),
    "ops": {"core"},
    "nn": {"core", "ops"},
    "optim": {"core", "ops"},
    "data": {"core", "ops"},
    "train": {"core", "ops", "nn", "optim", "data", "io", "plan", "plots"},
    "check": {"core", "ops"},
    "check.properties": {"core", "ops", "nn"},
    "plan": {"core", "ops"},
    "viz": {"core", "ops"},
    "io": {"core", "ops"},
    "plots": {"core", "ops", "nn", "viz"},
}
"""What each part may import, beside itself. Readers (check, plan, viz, io) never each other;
check.properties, the claims about modules, stands above nn, and the rest of check below it;
plots look at models and reports, in the colours of viz."""

STANDARD_ONLY = {"core", "ops", "nn", "optim", "data", "check"}
"""Parts whose only dependency outside the standard library is NumPy."""


def part(path: Path) -> str:
    relative = path.relative_to(ROOT)
    return part_of(*relative.parts) if len(relative.parts) > 1 else relative.stem


def part_of(first: str, *rest: str) -> str:
    """Name the part that a dotted path within tinygraph leads to."""
    return "check.properties" if (first, *rest[:1]) == ("check", "properties") else first


def imports(path: Path) -> set[tuple[str, ...]]:
    """Return all imports of a file, anywhere in it, as absolute dotted paths."""
    package = ("tinygraph", *path.relative_to(ROOT).parts[:-1])
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {tuple(alias.name.split(".")) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = (*base, *(node.module or "").split(".")) if node.module else base
            found |= {(*module, alias.name) for alias in node.names}
    return found


def ours(path: Path) -> set[str]:
    return {part_of(*i[1:]) for i in imports(path) if i[0] == "tinygraph" and len(i) > 1}


LAYERED = [f for f in FILES if part(f) in BELOW]


@pytest.mark.parametrize("path", LAYERED, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_part_imports_only_what_is_below(path):
    allowed = BELOW[part(path)] | {part(path), "extras"}
    if part(path) == "core":
        allowed = {"core"}
    assert ours(path) <= allowed


@pytest.mark.parametrize(
    "path",
    [f for f in LAYERED if part(f) in STANDARD_ONLY],
    ids=lambda p: str(p.relative_to(ROOT)),
)
def test_the_engine_depends_on_numpy_only(path):
    import sys

    outside = {i[0] for i in imports(path)} - sys.stdlib_module_names - {"tinygraph"}
    assert outside <= {"numpy"}


def test_every_part_that_exists_has_a_layer_or_is_at_the_top():
    top = {
        "__init__",
        "__main__",
        "cli",
        "demo",
        "expression",
        "extras",
        "lessons",
        "linalg",
        "version",
        "_version",
    }
    assert {part(f) for f in FILES} - set(BELOW) <= top


def test_relative_imports_are_read_right():
    example = ROOT / "core" / "grad.py"
    assert ("tinygraph", "core", "tensor", "Tensor") in imports(example)
    assert ours(ROOT / "ops" / "elementwise.py") == {"core", "ops"}
    claims = ROOT / "check" / "properties"
    assert part(claims / "linear.py") == "check.properties" != part(ROOT / "check" / "sample.py")
    assert ours(claims / "report.py") == {"core", "check.properties"}
