"""The command line: ``tinygraph demo``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from .core.errors import TinygraphError


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code. Errors are one line on stderr."""
    arguments = _parser().parse_args(argv)
    try:
        arguments.run(arguments)
    except TinygraphError as error:
        print(f"tinygraph: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("tinygraph: stopped", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    from . import __version__

    parser = argparse.ArgumentParser(
        prog="tinygraph", description="A small autodiff framework to understand, train and see."
    )
    parser.add_argument("--version", action="version", version=f"tinygraph {__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")
    _add_demo(commands)
    return parser


def _add_demo(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    demo = commands.add_parser(
        "demo",
        help="train on circles and digits, compare with baselines, draw the graphs",
        description="Train two MLPs on noisy circles and one on handwritten digits, compare them "
        "with scikit-learn's classifiers and the best possible accuracy, and write plots and the "
        "models' computational graphs. Takes under two minutes.",
    )
    demo.add_argument("--out", default="out", help="folder for the pictures (default: %(default)s)")
    demo.add_argument("--quick", action="store_true", help="train less: a first look in seconds")
    demo.set_defaults(run=_run_demo)


def _run_demo(arguments: argparse.Namespace) -> None:
    from .demo import run_demo

    run_demo(arguments.out, quick=arguments.quick)
