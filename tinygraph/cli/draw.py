"""``tinygraph draw``: a picture of someone's model, from its file."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import TinygraphError
from ..core.graph import Graph
from ..nn.module import Module
from .inputs import example_input
from .target import TargetError, load_target, running, split_target

DIRECTIONS = ("LR", "TB", "RL", "BT")


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    draw = commands.add_parser(
        "draw",
        help="draw the graph of a model in a file",
        description="Draw the computational graph of a model (or a function of tensors, or a "
        "tensor) that a Python file makes. The file is run as it is: draw only files that you "
        "would run.",
        epilog="Example: tinygraph draw model.py:model --input 1,28,28 --out model.svg. An input "
        "is a shape, filled with random numbers; or a shape and a type, 4,16:int, filled with "
        "zeros; or numbers, '[[1,2],[3,4]]'. Models run in evaluation mode.",
    )
    draw.add_argument("target", help="model.py:model or package.module:model")
    draw.add_argument(
        "--input", action="append", default=[], metavar="SHAPE", dest="inputs",
        help="what the model is called with, the batch first: 1,28,28; again for a second one",
    )  # fmt: skip
    kind = draw.add_mutually_exclusive_group()
    kind.add_argument("--out", metavar="FILE", help="a .svg, .png, .pdf, .dot or .mmd (Mermaid) "
                      "file (default: the name of the model, .svg)")  # fmt: skip
    kind.add_argument("--text", action="store_true", help="print lines of text, draw nothing")
    draw.add_argument("--depth", type=int, help="open modules so far; 0 closes all")
    draw.add_argument("--view", choices=("auto", "numbers", "architecture"), default="auto")
    draw.add_argument("--gradients", action="store_true", help="with the gradients of the sum")
    draw.add_argument(
        "--backward", action="store_true", help="with the backward pass as a graph beside it"
    )
    draw.add_argument("--heat", choices=("gradients", "values"), help="colour cards by size")
    draw.add_argument("--saved", action="store_true", help="with the bytes kept for backward")
    draw.add_argument("--direction", choices=DIRECTIONS, help="left to right, top to bottom, …")
    draw.add_argument("--title", help="a line above the picture")
    draw.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Load, call, draw, and print the path of the picture."""
    from ..viz.checks import check_count
    from ..viz.files import checked_target
    from ..viz.render import checked_format

    name = split_target(arguments.target)[1]
    out = checked_target(f"{name or 'graph'}.svg" if arguments.out is None else arguments.out)
    checked_format(out.suffix)
    check_count("draw", "depth", arguments.depth, 0)
    with running(arguments.target, told=(TinygraphError,)):  # extra_repr, for example, is theirs
        print(_made(arguments, out))


def _made(arguments: argparse.Namespace, out: Path) -> str | Path:
    """Return the lines of text, or the path of the picture."""
    from ..viz import draw

    inputs = [example_input(text, seed) for seed, text in enumerate(arguments.inputs)]
    found = _graph(load_target(arguments.target), inputs, arguments.target)
    if arguments.text:
        return found.to_text(arguments.depth)
    upstream = arguments.gradients or arguments.backward or arguments.heat == "gradients"
    drawing = draw(
        found,
        view=arguments.view,
        depth=arguments.depth,
        gradients=arguments.gradients or "auto",
        grad=[np.ones(t.shape, t.dtype) for t in found.outputs] if upstream else None,
        backward=arguments.backward,
        heat=arguments.heat,
        saved=arguments.saved,
        direction=arguments.direction,
        title=arguments.title,
    )
    return drawing.render(out)


def _graph(thing: Any, inputs: Sequence[np.ndarray], target: str) -> Graph:
    """Return what the picture shows, of a model by calling it."""
    from ..viz.subject import graph_to_draw, tensors_in

    made = list(tensors_in(thing))
    has_graph = isinstance(thing, Graph) or callable(getattr(thing, "graph", None))
    if made or (has_graph and not isinstance(thing, Module)):
        if inputs:
            raise TargetError(f"{target} is made already. Fix: leave --input out.")
        return graph_to_draw(made or thing)
    if isinstance(thing, type):
        name = split_target(target)[1]
        raise TargetError(f"{target} is a class. Fix: model = {name}() in the file.")
    if not callable(thing):
        raise TargetError(f"{target} is {type(thing).__name__}: only models, functions and "
                          "tensors are drawn.")  # fmt: skip
    if isinstance(thing, Module) and not inputs:
        raise TargetError("A model has a graph once it is called. Fix: --input 1,28,28.")
    shapes = " and ".join(str(a.shape) for a in inputs)
    with running(f"{target} with {shapes or 'no input'}"):
        return graph_to_draw(thing, [_in_dtype_of(thing, array) for array in inputs])


def _in_dtype_of(thing: Any, array: np.ndarray) -> np.ndarray:
    """Return example values in the float type of the model's parameters."""
    parameters = thing.parameters() if isinstance(thing, Module) else ()
    dtypes = [p.dtype for p in parameters if p.dtype.kind == "f"]
    return array.astype(dtypes[0]) if dtypes and array.dtype.kind == "f" else array
