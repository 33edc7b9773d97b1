"""``tinygraph explain``: the gradients of a typed expression, as a worked solution."""

from __future__ import annotations

import argparse


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    explain = commands.add_parser(
        "explain",
        help="work out the gradients of an expression, step by step",
        description="Work out the gradients of an expression step by step: the values, then the "
        "chain rule edge by edge, a table, and a nudge that checks it.",
        epilog="Example: tinygraph explain '(x+y)*z' x=-2 y=5 z=-4. Arrays: "
        "'sum(relu(W @ x))' 'W=[[1,2],[3,4]]' 'x=[1,-1]'. All differentiable ops of tinygraph can "
        "be called, with attributes as keywords: sum(x, axis=0). The expression is read, never "
        "run as code.",
    )
    explain.add_argument("expression", help="one number in the end: '(x+y)*z', 'sum(W @ x)'")
    explain.add_argument("values", nargs="*", metavar="name=value", help="x=-2 or W=[[1,2],[3,4]]")
    kind = explain.add_mutually_exclusive_group()
    kind.add_argument("--markdown", action="store_true", help="print Markdown with mathematics")
    kind.add_argument("--latex", action="store_true", help="print a LaTeX fragment (amsmath)")
    explain.add_argument("--html", metavar="FILE", help="also write a page with the picture")
    explain.add_argument("--svg", metavar="FILE", help="also draw the graph (.svg, .png or .pdf)")
    explain.add_argument("--digits", type=int, default=4, help="significant (default: %(default)s)")
    explain.add_argument("--depth", type=int, help="open functions made of ops so far")
    explain.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Explain, draw if a file is named, and print."""
    from ..expression import ExpressionError, graph_of_expression
    from ..viz import explain

    text = arguments.expression
    text = text[1:] if text.startswith(" -") else text  # see main
    f, _ = graph_of_expression(text, arguments.values)
    if f.size != 1:
        raise ExpressionError(
            f"The result has shape {f.shape}; one number is wanted. Fix: sum({text.strip()})."
        )
    kind = "latex" if arguments.latex else "markdown" if arguments.markdown else "plain"
    solution = explain(f, format=kind, digits=arguments.digits, depth=arguments.depth)
    if arguments.svg is not None:
        solution.drawing.render(arguments.svg)
    if arguments.html is not None:
        solution.save(arguments.html)
    print(solution)
