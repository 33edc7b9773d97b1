"""From arguments to a command and its exit code; errors are one line on stderr."""

from __future__ import annotations

import argparse
import codecs
import io
import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from ..core.errors import TinygraphError
from ..core.errors import shorten as shortened
from . import demo, draw, explain

COMMANDS: tuple[Callable[[argparse._SubParsersAction[argparse.ArgumentParser]], None], ...] = (
    demo.add,
    explain.add,
    draw.add,
)
OPTION = re.compile(r"-h|--|--[a-z][a-z-]*(=.*)?", re.DOTALL)
"""What begins with a minus and is an option; anything else is an expression or a value."""

MISTAKE, STOPPED = 2, 130
"""Exit codes."""


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        line = shortened(_printable(message), 200)
        self.exit(MISTAKE, f"tinygraph: {line}. Help: {self.prog} --help\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    _write_utf8()
    arguments = _parser().parse_args(_protect_minus(sys.argv[1:] if argv is None else argv))
    try:
        arguments.run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except TinygraphError as error:
        print(f"tinygraph: {_printable(str(error))}", file=sys.stderr)
        return MISTAKE
    except KeyboardInterrupt:
        print("tinygraph: stopped", file=sys.stderr)
        return STOPPED
    return 0


def _write_utf8() -> None:
    """Formulas have signs that some encodings lack, such as Windows' for output into a file."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and codecs.lookup(stream.encoding).name != "utf-8":
            stream.reconfigure(encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    from .. import __version__

    parser: argparse.ArgumentParser = Parser(
        prog="tinygraph", description="A small autodiff framework to understand, train and see."
    )
    parser.add_argument("--version", action="version", version=f"tinygraph {__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")
    for add in COMMANDS:
        add(commands)
    return parser


def _protect_minus(argv: Sequence[str]) -> list[str]:
    """Let an expression begin with a minus: argparse takes no option for a text with a space."""
    return [f" {a}" if a.startswith("-") and not OPTION.fullmatch(a) else a for a in argv]


def _printable(text: str) -> str:
    """Return text that no terminal takes for a command, on one line."""
    text = " ".join(text.split())
    return "".join(c if c.isprintable() else "?" for c in text)
