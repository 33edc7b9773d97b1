"""From DOT text to SVG, PNG or PDF: Graphviz's ``dot``, or the library inside pygraphviz."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from ..core.errors import TinygraphError, UsageError, compose_message
from .svg import tidy

FORMATS = ("svg", "png", "pdf", "dot", "mmd")
TIMEOUT = 20.0
VARIABLE = "TINYGRAPH_DOT"
HINT = 'pip install "tinygraph-autodiff[viz]"'
DOTS_PER_INCH = "192"

_WORKER = """
import sys, warnings
warnings.simplefilter("ignore")
import pygraphviz
graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode("utf-8"))
picture = graph.draw(format=sys.argv[1], prog="dot", args=sys.argv[2])
sys.stdout.buffer.write(picture)
"""


_LAYOUT_WORKER = """
import json, sys, warnings
warnings.simplefilter("ignore")
import pygraphviz
for source in json.load(sys.stdin):
    graph = pygraphviz.AGraph(string=source)
    sys.stdout.buffer.write(graph.draw(format="json0", prog="dot"))
"""


class RenderError(TinygraphError, RuntimeError):
    """A picture that could not be made: no Graphviz, no time, or nowhere to write."""


def checked_format(name: str) -> str:
    """Return a format we can make, in lower case without the dot.

    Raises
    ------
    UsageError
        If it is none of :data:`FORMATS`.
    """
    plain = str(name).lower().removeprefix(".")
    plain = {"gv": "dot", "mermaid": "mmd"}.get(plain, plain)
    if plain not in FORMATS:
        raise UsageError(
            compose_message(
                f"A picture is one of {', '.join(FORMATS)}",
                f"the format {str(name)[:40]!r}",
                "name the file graph.svg, graph.png, graph.pdf, graph.dot or graph.mmd",
            )
        )
    return plain


def find_dot() -> str | None:
    """Return the ``dot`` to use: the one TINYGRAPH_DOT names, else the one on the PATH.

    Raises
    ------
    RenderError
        If TINYGRAPH_DOT names no program.
    """
    named = os.environ.get(VARIABLE)
    if not named:
        return shutil.which("dot")
    found = shutil.which(named)
    if found is None:
        raise RenderError(f"{VARIABLE} names no program: {named!r}. Fix: its path, or unset it.")
    return found


def render_dot(source: str, fmt: str, timeout: float | None = TIMEOUT) -> bytes:
    """Lay out DOT text and return the picture.

    Parameters
    ----------
    source : str
        DOT text.
    fmt : {"svg", "png", "pdf", "dot"}
        ``dot`` returns the text itself.
    timeout : float or None
        Seconds the layout may take.

    Raises
    ------
    RenderError
        If there is no Graphviz, it fails, or it takes too long.
    """
    if fmt == "dot":
        return source.encode("utf-8")
    options = f"-Gdpi={DOTS_PER_INCH}" if fmt == "png" else ""
    program = find_dot()
    if program:
        command = [program, f"-T{fmt}", *([options] if options else [])]
    else:
        command = [*_python_with_graphviz(), _WORKER, fmt, options]
    picture = _run(command, source, timeout)
    return tidy(picture) if fmt == "svg" else picture


def lay_out(sources: Sequence[str], timeout: float | None = TIMEOUT) -> list[Any]:
    """Lay out several DOT texts in one go and return Graphviz's JSON of each.

    Raises
    ------
    RenderError
        If there is no Graphviz, it fails, or it takes too long.
    """
    program = find_dot()
    if program:
        found = _run([program, "-Tjson0"], "\n".join(sources), timeout)
    else:
        found = _run([*_python_with_graphviz(), _LAYOUT_WORKER], json.dumps(sources), timeout)
    text, layouts = found.decode("utf-8"), []
    decoder, start = json.JSONDecoder(), 0
    for _ in sources:
        layout, end = decoder.raw_decode(text, text.index("{", start))
        layouts.append(layout)
        start = end
    return layouts


def _python_with_graphviz() -> list[str]:
    """Return the command that runs a text of Python with pygraphviz."""
    if not (importlib.util.find_spec("pygraphviz") and sys.executable):
        raise RenderError(f"Drawing needs Graphviz. Fix: {HINT}")
    return [sys.executable, "-P", "-c"]


def _run(command: list[str], source: str, timeout: float | None) -> bytes:
    try:
        done = subprocess.run(
            command, input=source.encode("utf-8"), capture_output=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        raise RenderError(
            f"The layout took longer than {timeout:g} s. "
            "Fix: draw fewer cards (depth=1, limit=100), or pass timeout=120."
        ) from None
    except OSError as error:
        raise RenderError(f"{command[0]} did not start: {error}. Fix: {HINT}") from error
    if done.returncode or not done.stdout:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no message"]
        raise RenderError(
            f"Graphviz failed ({lines[-1][:200]}). Fix: {HINT}, or save the text as .dot"
        )
    return done.stdout
