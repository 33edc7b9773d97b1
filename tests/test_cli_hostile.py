"""A hundred argument lists that nobody should type: never a traceback, never a hang.

All run in this process; a dozen (with TINYGRAPH_FULL=1 all) also as a command of the shell.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from work import calls

from conftest import FULL
from tinygraph.cli import main

ROOT = Path(__file__).parent.parent
MOST_CALLS = 1_000_000

EXPLAIN = [
    [""], [" "], ["-"], ["--"], ["--", "--"], ["-x"], ["--x"], ["---"], ["-h*2", "h=1"], ["x"],
    ["x", "x"], ["x", "x="], ["x", "=1"], ["x", "x=1", "x=2"], ["x", "--x=1"], ["x", "-x=1"],
    ["x*x", "x=1", "extra"], ["x*x", "x=1", "--digits"], ["x*x", "x=1", "--digits", "0"],
    ["x*x", "x=1", "--digits", "9" * 500], ["x*x", "x=1", "--digits", "-3"],
    ["x*x", "x=1", "--digits=two"], ["x*x", "x=1", "--depth", "1.5"], ["x*x", "x=1", "--svg"],
    ["x*x", "x=1", "--depth", "9" * 50], ["x*x", "x=1", "--svg", ""], ["x*x", "x=1", "--svg", "."],
    ["x*x", "x=1", "--svg", "a.svg/b.svg"], ["x*x", "x=1", "--svg", "x" * 300 + ".svg"],
    ["x*x", "x=1", "--html", "page"], ["x*x", "x=1", "--html", "page.pdf"],
    ["x*x", "x=1", "--html", "/"], ["x*x", "x=1", "--html", "../../../../nosuch/a.html"],
    ["x*x", "x=1", "--latex", "--markdown"], ["x*x", "x=1", "--nosuch"], ["x*x", "x=1", "--late"],
    ["x*x", "x=1", "--\x1b[2J"], ["\x1b[2J"], ["x", "x=\x1b]0;title\x07"], ["x\x00y", "x=1"],
    ["é" * 3000], ["(" * 5000], ["9" * 5000 + "*x", "x=1"], ["x*x", "x=" + "9" * 5000],
    ["x*x", "x=" + "[" * 2000], ["+".join("x" * 5000), "x=1"], ["x" * 100_000, "x=1"],
    ["x**x**x**x**x", "x=9"], ["exp(exp(exp(exp(x))))", "x=9"], ["x*x", *["y=1"] * 2000],
    ["tile(x, 10**9)", "x=1"], ["broadcast_to(x, (10**6, 10**6))", "x=1"],
    ["__import__('os').system('touch pwned')", "x=1"], ["x", "x=__import__('os').getcwd()"],
    ["open('pwned', 'w')", "x=1"], ["exec('1')"], ["x.__class__.__mro__", "x=1"], ["f'{x}'", "x=1"],
    ["[x for x in ()]"], ["lambda: 0"], ["x if x else x", "x=1"], ["x; x", "x=1"], ["x\nx", "x=1"],
    ["sum(x, axis=10**30)", "x=[1,2]"], ["reshape(x, (0, 10**18))", "x=[1,2]"], ["x@x", "x=1"],
    ["%s" * 100, "x=1"], ["{x}", "x=1"], ["${HOME}"], ["`id`"], ["$(id)"], ["*"], ["@file"],
    ["rand(3)"], ["nan"], ["x/0-x/0", "x=0"], ["log(-x)", "x=1"], ["x>1", "x=2"], ["\ud800", "x=1"],
    ["x*x", "x=1", "--html", "a\x00.html"], ["x*x", "x=1", "--svg", "a\x00.svg"],
]  # fmt: skip
DRAW = [
    [], [""], [":"], ["::"], ["a:b:c"], ["nosuch.py"], ["nosuch.py:x"], ["/dev/null:x"], ["..:x"],
    ["/etc/passwd:root"], ["os:system"], ["sys:exit", "--input", "3"], ["builtins:input"],
    ["builtins:open", "--input", "3"], ["os:environ"], ["tinygraph:Tensor"], ["x\x00:y"],
    ["~:x"], ["http://example.com/model.py:model"], ["-"], ["--input"], ["x", "--input", "-1"],
    ["tinygraph:tensor", "--input", "10**9"], ["tinygraph:relu", "--input", "9" * 30],
    ["tinygraph:relu", "--input", "3", "--depth", "x"], ["tinygraph:relu", "--direction", "up"],
    ["tinygraph:relu", "--view", "nice"], ["tinygraph:relu", "--input", "3", "--out", ""],
    ["tinygraph:relu", "--input", "3", "--out", "x.\x1b[2J"], ["tinygraph:relu", "--title"],
    ["math:pi"], ["math:sin", "--input", "3"], ["tinygraph:matmul", "--input", "3,4"],
    ["tinygraph.nn:Linear"], ["\u202egnp.exe:x"], ["x" * 5000 + ".py:x"], ["a.py:" + "b." * 3000],
]  # fmt: skip
OTHERS = [
    [], ["nosuch"], ["--nosuch"], ["-"], [""], ["explain"], ["draw"], ["demo", "--out"],
    ["demo", "--out", "\x00"], ["explain", "draw", "demo"], ["\x1b[31m"], ["x" * 100_000], ["--"],
    ["-h", "nosuch"], ["--version", "explain"],
]  # fmt: skip
LISTS = [["explain", *a] for a in EXPLAIN] + [["draw", *a] for a in DRAW] + OTHERS


def check(code: int, out: str, err: str) -> None:
    """Accept a solution, help, or one line on stderr."""
    assert code in (0, 2)
    assert "Traceback" not in out + err and "\x1b" not in out + err and "\x00" not in out + err
    if code:
        assert out == "" and err.startswith("tinygraph: ") and err.count("\n") == 1, err
        assert 20 < len(err) < 700 and err.rstrip("\n").isprintable()
    else:
        assert out and not err


@pytest.mark.parametrize("arguments", LISTS, ids=lambda a: ascii(a)[:50])
def test_in_this_process(arguments, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    codes = []

    def run():
        try:
            codes.append(main(arguments))
        except SystemExit as stopped:
            codes.append(stopped.code)

    assert calls(run) < MOST_CALLS
    (code,) = codes
    check(code, *capsys.readouterr())
    assert not list(tmp_path.iterdir()) or (code == 0 and "html" in str(arguments))


def can_be_typed(arguments: list[str]) -> bool:
    """Tell whether the system lets a program be started with these."""
    joined = "".join(arguments)
    return "\x00" not in joined and "\ud800" not in joined and len(joined) < 100_000


TYPED = [a for a in LISTS if can_be_typed(a)]


@pytest.mark.parametrize("arguments", TYPED[:: 1 if FULL else 11], ids=lambda a: ascii(a)[:50])
def test_from_a_shell(arguments, tmp_path):
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-m", "tinygraph", *arguments], cwd=tmp_path, timeout=60,
        capture_output=True, encoding="utf-8", stdin=subprocess.DEVNULL, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    check(done.returncode, done.stdout, done.stderr)


def test_there_are_more_than_a_hundred():
    assert len(LISTS) > 130
