"""The command line: ``tinygraph demo`` and ``tinygraph explain``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from .core.errors import TinygraphError


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code. Errors are one line on stderr."""
    arguments = _parser().parse_args(_protect_minus(sys.argv[1:] if argv is None else argv))
    try:
        arguments.run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
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
    _add_explain(commands)
    return parser


def _protect_minus(argv: Sequence[str]) -> list[str]:
    """Let an expression begin with a minus: argparse takes no option for a text with a space."""
    if argv[:1] != ["explain"]:
        return list(argv)
    return [f" {a}" if a.startswith("-") and a[1:2] not in ("-", "h", "") else a for a in argv]


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


def _add_explain(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    explain = commands.add_parser(
        "explain",
        help="work out the gradients of an expression, step by step",
        description="Work out the gradients of an expression step by step: the values, then the "
        "chain rule edge by edge, a table, and a nudge that checks it.",
        epilog="Example: tinygraph explain '(x+y)*z' x=-2 y=5 z=-4. Arrays: "
        "'sum(relu(W @ x))' W=[[1,2],[3,4]] x=[1,-1]. All differentiable ops of tinygraph can be "
        "called, with attributes as keywords: sum(x, axis=0).",
    )
    explain.add_argument("expression", help="one number in the end: '(x+y)*z', 'sum(W @ x)'")
    explain.add_argument("values", nargs="*", metavar="name=value", help="x=-2 or W=[[1,2],[3,4]]")
    kind = explain.add_mutually_exclusive_group()
    kind.add_argument("--markdown", action="store_true", help="print Markdown with mathematics")
    kind.add_argument("--latex", action="store_true", help="print a LaTeX fragment (amsmath)")
    explain.add_argument("--svg", metavar="FILE", help="also draw the graph (.svg, .png or .pdf)")
    explain.add_argument("--digits", type=int, default=4, help="significant (default: %(default)s)")
    explain.add_argument("--depth", type=int, help="open functions made of ops so far")
    explain.set_defaults(run=_run_explain)


def _run_explain(arguments: argparse.Namespace) -> None:
    from .expression import ExpressionError, graph_of_expression
    from .viz import draw
    from .viz import explain as explain_graph

    text = arguments.expression
    text = text[1:] if text.startswith(" -") else text  # see _protect_minus
    f, _ = graph_of_expression(text, arguments.values)
    if f.size != 1:
        raise ExpressionError(
            f"The result has shape {f.shape}; one number is wanted. Fix: sum({text.strip()})."
        )
    kind = "latex" if arguments.latex else "markdown" if arguments.markdown else "plain"
    solution = explain_graph(f, format=kind, digits=arguments.digits, depth=arguments.depth)
    if arguments.svg:
        names = {solution.walk.symbol: f}
        draw(f, gradients=True, names=names, depth=arguments.depth).render(arguments.svg)
    print(solution)
