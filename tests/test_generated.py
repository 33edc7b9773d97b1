"""Generated files are what their generators write today."""

from __future__ import annotations

from pathlib import Path

import pytest

import tinygraph as tg
from tinygraph.core.op import Composite, Op
from tinygraph.core.registry import is_builtin
from tinygraph.ops import syntax
from tools import make_docs, make_stubs

STUBS = make_stubs.stubs()


@pytest.mark.parametrize("path", STUBS, ids=lambda p: p.name)
def test_stubs_are_fresh(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == STUBS[path], "run: make stubs"


def test_every_public_name_is_in_the_stub() -> None:
    stub = STUBS[make_stubs.PACKAGE / "__init__.pyi"]
    public = [
        n for n in make_docs.public_names(tg) if not isinstance(getattr(tg, n), type(make_docs))
    ]
    missing = [n for n in public if f"def {n}(" not in stub and f" as {n}\n" not in stub]
    assert not missing


def test_every_method_is_in_the_stub() -> None:
    stub = STUBS[make_stubs.PACKAGE / "core" / "methods.pyi"]
    tables = [syntax.OPERATORS, syntax.METHODS, syntax.PROPERTIES]
    assert not [n for table in tables for n in table if f"def {n}(" not in stub]


def test_the_table_of_ops_has_a_row_for_every_record() -> None:
    page = make_docs.op_table()
    for record in tg.REGISTRY.values():
        if is_builtin(record):
            assert f"| `{make_docs.call_of(record)}` |" in page
            assert isinstance(record, Op | Composite)


def test_the_reference_has_every_public_name() -> None:
    text = make_docs.reference(tg)
    for _, name, _ in make_docs.entries(tg):
        assert f":: tinygraph.{name}" in text


def test_pages_are_written_around_folders(tmp_path: Path) -> None:
    """Other files of the site live in a folder beside the pages; pages of the past go."""
    (tmp_path / "pages").mkdir()
    (tmp_path / "past.rst").write_text("gone")
    make_docs.write_pages(tmp_path)
    assert (tmp_path / "pages").is_dir() and not (tmp_path / "past.rst").exists()
    assert (tmp_path / "ops.md").read_text(encoding="utf-8") == make_docs.op_table()
