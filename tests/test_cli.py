"""The command line: help, exit codes, and errors on one line."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

import tinygraph as tg
from tinygraph import extras
from tinygraph.cli import main


def test_help_explains_the_command_and_its_options(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    assert "demo" in capsys.readouterr().out


def test_help_of_demo_explains_itself(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["demo", "--help"])
    assert caught.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    for part in ("--out", "default: out", "--quick", "circles", "digits", "under two minutes"):
        assert part in text


def test_version(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"tinygraph {tg.__version__}\n"


@pytest.mark.parametrize(
    "arguments", [[], ["dance"], ["demo", "--slow"], ["demo", "--out"], ["demo", "a", "b"]]
)
def test_a_wrong_command_is_explained_with_exit_code_2(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    line = capsys.readouterr().err
    assert line.startswith("tinygraph: ") and line.count("\n") == 1
    assert re.search(r"Help: tinygraph( demo)? --help$", line.rstrip())


@pytest.mark.parametrize("out", ["file", "file/inside", ""])
def test_an_unwritable_out_is_one_line_and_exit_code_2(tmp_path, capsys, out):
    (tmp_path / "file").write_text("")
    assert main(["demo", "--out", str(tmp_path / out) if out else ""]) == 2
    printed, line = capsys.readouterr()
    assert printed == "" and line.count("\n") == 1
    assert line.startswith("tinygraph: Cannot write into") and "--out" in line


def test_a_missing_extra_is_one_line_and_exit_code_2(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    assert main(["demo", "--out", str(tmp_path)]) == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1 and 'pip install "tinygraph-autodiff[examples]"' in line


def test_ctrl_c_stops_without_a_traceback(tmp_path, capsys, monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("tinygraph.demo.run_demo", interrupted)
    assert main(["demo", "--out", str(tmp_path)]) == 130
    assert capsys.readouterr().err == "tinygraph: stopped\n"


def test_python_m_tinygraph_is_the_command(tmp_path):
    (tmp_path / "file").write_text("")
    command = [sys.executable, "-m", "tinygraph", "demo", "--out", str(tmp_path / "file")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert done.stderr.startswith("tinygraph: Cannot write into")


def test_importing_the_command_imports_no_extra():
    code = (
        "import sys, tinygraph.cli; "
        "sys.exit(bool({'matplotlib', 'sklearn', 'tqdm', 'threadpoolctl'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# ---- tinygraph explain --------------------------------------------------------------------------


def test_explain_prints_the_solution(capsys):
    assert main(["explain", "(x+y)*z", "x=-2", "y=5", "z=-4"]) == 0
    printed, errors = capsys.readouterr()
    assert printed.startswith("f = (x + y) · z\n") and errors == ""
    assert "∂f/∂z  = ∂f/∂f · v₁ = 1 · 3    = 3" in printed
    assert printed.endswith("the gradient predicted −4 · 0.01 = −0.04.\n")


@pytest.mark.parametrize(
    ("options", "start"),
    [(["--latex"], "% "), (["--markdown"], "### Worked solution"), (["--digits", "2"], "f = x")],
)
def test_explain_has_formats(options, start, capsys):
    assert main(["explain", "x/3", "x=1", *options]) == 0
    assert capsys.readouterr().out.startswith(start)


def test_explain_draws(tmp_path, capsys):
    target = tmp_path / "out.dot"
    assert main(["explain", "x*x", "x=3", "--svg", str(target)]) == 0
    assert "f = x · x" in target.read_text(encoding="utf-8")
    assert "together 3 + 3 = 6" in capsys.readouterr().out


def test_explain_opens_composites(capsys):
    assert main(["explain", "var(x)", "x=[1,3]", "--depth", "1"]) == 0
    assert "mean" in capsys.readouterr().out


def test_an_expression_may_begin_with_a_minus(capsys):
    assert main(["explain", "-x*2", "x=-3"]) == 0
    assert "f = −x · 2" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["x+y", "x=1"], "Column 3: y has no value. Fix: add y=1."),
        (["-q"], "Column 2: q has no value"),
        (["W*2", "W=[1,2]"], "The result has shape (2,); one number is wanted. Fix: sum(W*2)."),
        (["x", "x"], "'x' gives no value"),
        (["x*x", "x=1", "--svg", "/no/such/folder/a.svg"], "there is no folder"),
        (["x*x", "x=1", "--svg", "a.txt"], "svg"),
        (["x*x", "x=1", "--digits", "99"], "digits is a whole number from 1 to 17"),
        (["x*x", "x=1", "--depth", "-1"], "depth"),
        (["__import__('os')", "x=1"], "no function __import__"),
    ],
)
def test_explain_refuses_in_one_line(arguments, words, capsys):
    assert main(["explain", *arguments]) == 2
    printed, line = capsys.readouterr()
    assert printed == "" and line.count("\n") == 1
    assert line.startswith("tinygraph: ") and words in line


def test_output_is_utf8_whatever_the_system_uses():
    command = [sys.executable, "-m", "tinygraph", "explain", "x*x", "x=-3"]
    environment = {**os.environ, "PYTHONUTF8": "0", "PYTHONIOENCODING": "cp1252"}
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert done.returncode == 0 and done.stderr == b""
    assert "x = −3" in done.stdout.decode("utf-8") and "∂f/∂x" in done.stdout.decode("utf-8")


def test_a_reader_that_stops_early_is_no_error():
    command = f"{sys.executable} -m tinygraph explain 'x*x' x=3 | true"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.stderr == ""


# ---- optional dependencies ---------------------------------------------------------------------


def test_require_names_the_pip_command_for_what_is_missing():
    with pytest.raises(extras.MissingExtraError) as caught:
        extras.require("no_such_module_here.part", "viz")
    message = str(caught.value)
    assert message == ('This needs no_such_module_here. Fix: pip install "tinygraph-autodiff[viz]"')


def test_require_tells_a_broken_installation_from_a_missing_one(tmp_path, monkeypatch):
    (tmp_path / "broken_extra.py").write_text("import something_it_needs_and_lacks")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(extras.MissingExtraError, match=r"does not import.*something_it_needs"):
        extras.require("broken_extra", "viz")


def test_require_returns_the_module():
    assert extras.require("math", "viz").sqrt(4) == 2
