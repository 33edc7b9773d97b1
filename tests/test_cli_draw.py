"""``tinygraph draw``: a model of a user's file, and one clear line for everything else."""

from __future__ import annotations

import os
import sys
import textwrap

import numpy as np
import pytest

from tinygraph.cli import main
from tinygraph.cli.inputs import example_input
from tinygraph.cli.target import TargetError, split_target

FILES = {
    "model.py": """
        import tinygraph as tg
        from tinygraph import nn
        from helper import WIDTH

        model = nn.Flatten() >> nn.Linear(28 * 28, WIDTH) >> nn.ReLU() >> nn.Linear(WIDTH, 10)
        double = nn.Linear(2, 2).astype("float64")
        words = nn.Embedding(10, 4)
        a, b = tg.variables(a=1, b=2)
        product = a * b
        pair = {"one": a + b, "two": [a - b, "text"]}
        graph = tg.graph(product)

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.inner = nn.Linear(3, 3)

            def forward(self, x):
                return {"y": self.inner(x), "z": [x * 2, None]}

        net = Net()
        number = 5
        circular = []
        circular.append(circular)

        def square(u, v):
            return u * u + v

        def nothing(u):
            return None

        def broken(u):
            first = 1
            return missing + u

        def leaves(u):
            raise SystemExit("bye")

        def alone():
            return a * a

        if __name__ == "__main__":
            raise AssertionError("a drawn file is not the main program")
        """,
    "helper.py": "WIDTH = 16",
    "missing.py": "import no_such_module_at_all",
    "syntax.py": "x = 1\ndef f(:",
    "leaves.py": "raise SystemExit(3)",
    "zeros.py": "\0",
    "deep.py": "def f(): f()\nf()",
    "empty.py": "",
    "numpy.py": "from tinygraph import nn\nlayer = nn.Linear(2, 1)",
}


@pytest.fixture(autouse=True)
def files(tmp_path, monkeypatch):
    """A folder with the files; what running them changes in Python is undone."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(textwrap.dedent(text))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name in ("helper", "model", "tinygraph_drawn_file"):
            del sys.modules[name]


def drawn(capsys, *arguments, out="out.dot"):
    assert main(["draw", *arguments, "--out", out]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    with open(out, encoding="utf-8") as file:
        return file.read()


def test_a_model_with_an_input(capsys):
    text = drawn(capsys, "model.py:model", "--input", "1,28,28")
    for part in ("12,560 params", "Linear 784→16", "(1, 28, 28)", "170 params", ">x</"):
        assert part in text, part


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["model.py:net", "--input", "2,3", "--view", "numbers"], ["inner", ">x</", "x · 2"]),
        (["model.py:net.inner", "--input", "[[1,2,3]]"], ["Linear 3→3"]),
        (["model.py:words", "--input", "4,3:int"], ["Embedding", "(4, 3, 4)"]),
        (["model.py:double", "--input", "1x2"], ["Linear 2→2"]),
        (["model.py:square", "--input", "2", "--input", "2"], [">u</", ">v</", "u · u"]),
        (["model.py:alone"], ["a · a"]),
        (["model.py:product"], ["a · b"]),
        (["model.py:pair"], ["a + b", "a − b"]),
        (["model.py:graph"], ["a · b"]),
        (["model:product"], ["a · b"]),
        (["./model.py:product", "--title", "A <b>title</b>"], ["A &lt;b&gt;title"]),
        (["model.py:model", "--input", "2,28,28", "--depth", "0"], ["Sequential"]),
        (["model.py:product", "--direction", "BT"], ["rankdir=BT"]),
        (["numpy.py:layer", "--input", "3,2"], ["Linear 2→1"]),
        (["model.py:net", "--input", "2,3", "--view", "numbers", "--gradients"], ["∂", "x · 2"]),
        (["model.py:model", "--input", "2,28,28", "--heat", "gradients"], ["gradient"]),
        (["model.py:square", "--input", "2", "--input", "2", "--backward"], ["∂v₂/∂u", "u · u"]),
        (["model.py:model", "--input", "2,28,28", "--saved"], ["kept"]),
    ],
    ids=lambda x: x[0] if isinstance(x, list) else "",
)
def test_what_can_be_drawn(capsys, arguments, parts):
    text = drawn(capsys, *arguments)
    for part in parts:
        assert part in text, part


def test_the_default_file_is_named_after_the_model(capsys, tmp_path):
    assert main(["draw", "model.py:net.inner", "--input", "2,3"]) == 0
    assert capsys.readouterr().out == "net.inner.svg\n"
    assert b"<svg" in (tmp_path / "net.inner.svg").read_bytes()
    assert not (tmp_path / "__pycache__").exists()


def test_text_instead_of_a_picture(capsys, tmp_path):
    before = set(os.listdir(tmp_path))
    assert main(["draw", "model.py:model", "--input", "1,28,28", "--text"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("12,730 params") and "Linear 784→16" in "".join(lines)
    assert set(os.listdir(tmp_path)) == before


def test_the_same_input_gives_the_same_picture(capsys):
    first = drawn(capsys, "model.py:square", "--input", "2", "--input", "2")
    assert drawn(capsys, "model.py:square", "--input", "2", "--input", "2") == first


WRONG = [
    (["model.py:model"], "A model has a graph once it is called. Fix: --input 1,28,28."),
    (["model.py:model", "--input", "1,27,28"],
     "with (1, 27, 28) failed: Linear wants inputs of shape (…, 784). Received (1, 756) float32."),
    (["model.py:nosuch"], "model.py has no nosuch. Fix: model.py:model or model.py:double or"),
    (["model.py:net.nosuch"], "model.py has no net.nosuch."),
    (["model.py"], "model.py names no variable. Fix: model.py:model"),
    (["model.py:"], "There is no file model.py:."),
    (["nosuch.py:model"], "There is no file nosuch.py. Fix: model.py:model."),
    (["nosuch:model"], "nosuch failed: ModuleNotFoundError: No module named 'nosuch'"),
    ([".:x"], "There is no file .."), (["/:x"], "There is no file /."), ([":x"], "no file :x"),
    (["a b:x"], "There is no file a b."), (["x" * 500 + ":x"], "no module"), ([""], "no file"),
    (["model.py:Net", "--input", "2,3"], "model.py:Net is a class. Fix: model = Net() in the file"),
    (["model.py:number"], "model.py:number is int: only models, functions and tensors are drawn."),
    (["model.py:circular"], "model.py:circular is list"),
    (["model.py:product", "--input", "3"], "model.py:product is made already. Fix: leave --input"),
    (["model.py:square", "--input", "3"], "with (3,) failed: TypeError: square() missing 1"),
    (["model.py:square", "--input", "3", "--input", "4"], "with (3,) and (4,) failed in line"),
    (["model.py:nothing", "--input", "3"], "returned NoneType None, and no tensor in it"),
    (["model.py:broken", "--input", "3"], "failed in line 35 of model.py: NameError: name 'miss"),
    (["model.py:leaves", "--input", "3"], "ended itself, with exit code bye."),
    (["model.py:words", "--input", "4,3"], "embedding: indices are integers. Received (4, 3)"),
    (["missing.py:x"], "missing.py failed in line 1 of missing.py: ModuleNotFoundError"),
    (["syntax.py:x"], "syntax.py failed in line 2 of syntax.py: SyntaxError"),
    (["leaves.py:x"], "leaves.py ended itself, with exit code 3."),
    (["zeros.py:x"], "source code string cannot contain null bytes"),
    (["deep.py:x"], "of deep.py: RecursionError"),
    (["empty.py:x"], "empty.py has no x. Fix: a variable, as in model = Net()."),
    (["model.py:product", "--out", "/no/such/x.svg"], "there is no folder /no/such"),
    (["model.py:product", "--out", "x.bmp"], "the format '.bmp'"),
    (["model.py:product", "--out", "."], ". is a folder"),
    (["model.py:product", "--out", "a\0.svg"], "cannot be written"),
    (["model.py:product", "--depth", "-1"], "depth is a whole number"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "words"), WRONG, ids=lambda x: str(x)[:40])
def test_everything_else_is_one_line(capsys, tmp_path, arguments, words):
    before = set(os.listdir(tmp_path))
    assert main(["draw", *arguments]) == 2
    printed, line = capsys.readouterr()
    assert printed == "" and line.count("\n") == 1 and line.startswith("tinygraph: ")
    assert words in line or (words == "no module" and "No module named" in line), line
    assert set(os.listdir(tmp_path)) == before


def test_the_file_does_not_run_when_the_picture_cannot_be_written(capsys, tmp_path):
    (tmp_path / "loud.py").write_text("print('ran')")
    assert main(["draw", "loud.py:x", "--out", "no/such/folder/x.svg"]) == 2
    assert main(["draw", "loud.py:x", "--input", "nonsense"]) == 2
    assert capsys.readouterr().out == ""


def test_the_help_says_that_the_file_runs(capsys):
    with pytest.raises(SystemExit):
        main(["draw", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "The file is run as it is" in text and "--input 1,28,28" in text


# ---- inputs ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shape", "dtype"),
    [
        ("3", (3,), "float32"), ("1,28,28", (1, 28, 28), "float32"), ("(2, 3)", (2, 3), "float32"),
        ("2x3", (2, 3), "float32"), ("2×3", (2, 3), "float32"), ("()", (), "float32"),
        ("(5,)", (5,), "float32"), ("2,3:float64", (2, 3), "float64"), ("4:int", (4,), "int64"),
        (" 4 : bool ", (4,), "bool"), ("0,3", (0, 3), "float32"), ("[1,2]", (2,), "int64"),
        ("[[1,-2.5]]", (1, 2), "float32"),
    ],
)  # fmt: skip
def test_inputs(text, shape, dtype):
    array = example_input(text)
    assert array.shape == shape and array.dtype == np.dtype(dtype)


@pytest.mark.parametrize(
    "text",
    ["", " ", "a", "1,,2", "-1", "1.5", "1,2:complex", ":int", "1:2", "99999,99999", "1e9",
     "[", "[]x", "[[1],[2,3]]", "[1,'a']", "[__import__('os')]", "9" * 5000, "((2))", "[" * 500,
     "2,3,-4", "999999999:int", "[1e400]", "[9" + "9" * 400 + "]", "\0", "１"],
    ids=lambda t: ascii(t)[:20],
)  # fmt: skip
def test_wrong_inputs(text):
    try:
        array = example_input(text)
    except TargetError as error:
        assert "\n" not in str(error) and len(str(error)) < 250
    else:  # what a generous reader may take
        assert text in ("[1e400]", "[]x", "１") and array.size == 1


@pytest.mark.parametrize(
    ("target", "parts"),
    [
        ("m.py:a.0.b", ("m.py", "a.0.b")), ("C:\\m.py", ("C:\\m.py", "")), ("m.py", ("m.py", "")),
        ("C:\\m.py:net", ("C:\\m.py", "net")), (":a", (":a", "")), ("a:b:c", ("a:b", "c")),
    ],
)  # fmt: skip
def test_targets(target, parts):
    assert split_target(target) == parts


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("talks", "failed in line 6 of nets.py: ValueError: no words"),
        ("hides", "failed in line 10 of nets.py: RuntimeError: not graph"),
        ("stops", "failed in line 14 of nets.py: BaseException: enough"),
        ("mumbles", "failed in line 22 of nets.py: Mumble:"),
        ("junk", ".graph() returns a Graph. Received the number 7."),
    ],
)
def test_whatever_a_users_class_raises_is_one_line(tmp_path, monkeypatch, capsys, name, words):
    text = """
import tinygraph as tg
from tinygraph import nn
class Talks(nn.ReLU):
    def extra_repr(self):
        raise ValueError("no words")
class Hides:
    def __getattr__(self, name):
        if not name.startswith("_"):
            raise RuntimeError("not " + name)
        raise AttributeError(name)
class Stops(nn.Module):
    def forward(self, x):
        raise BaseException("enough")
class Mumble(Exception):
    def __str__(self):
        raise ValueError("no words")
class Junk:
    def graph(self):
        return 7
def mumbles(x):
    raise Mumble
talks, hides, stops, junk = Talks(), Hides(), Stops(), Junk()
"""
    (tmp_path / "nets.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    wanted = [] if name in ("hides", "junk") else ["--input", "3"]
    assert main(["draw", f"nets.py:{name}", *wanted]) == 2
    printed, error = capsys.readouterr()
    assert words in error and printed == "" and error.count("\n") == 1
    assert not list(tmp_path.glob("*.svg"))
