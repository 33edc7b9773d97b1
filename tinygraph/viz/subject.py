"""What is drawn: tensors, a model with an example input, an error, a plan."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

from ..core.errors import UsageError, compose_message, describe
from ..core.evaluation import evaluation, example_inputs
from ..core.graph import Graph, graph
from ..core.leaves import tensor
from ..core.modes import enable_grad
from ..core.tensor import Tensor


def graph_to_draw(subject: Any, given: Any = None) -> Graph:
    """Return the graph of what :func:`tinygraph.draw` was given.

    Raises
    ------
    UsageError
        If there is no graph in it; the message says how to come by one.
    """
    if isinstance(subject, Graph | Tensor | list | tuple):
        if given is not None:
            raise UsageError("draw: an input belongs to a model. Fix: draw(tensor), without it.")
        several = isinstance(subject, list | tuple)
        return subject if isinstance(subject, Graph) else graph(*subject if several else [subject])
    if isinstance(subject, BaseException):
        return _graph_of_error(subject)
    if given is not None and callable(subject) and not isinstance(subject, type):
        return graph(*_run(subject, given))
    if callable(getattr(subject, "graph", None)) and not isinstance(subject, type):
        return graph(subject)
    raise UsageError(compose_message("draw takes tensors", describe(subject), _fix(subject)))


def _graph_of_error(error: BaseException) -> Graph:
    if not callable(getattr(error, "graph", None)):
        what = "draw: this error carries no graph; those of a forward pass do"
        raise UsageError(compose_message(what, describe(error)))
    return graph(error)


def _fix(subject: Any) -> str:
    if isinstance(subject, type):
        return f"an instance: draw({subject.__name__}(…), x)"
    if callable(subject):
        return "draw(model, x) with an example input, or its shape: a model has a graph once it ran"
    return "draw(loss), or draw(model, x)"


def _run(model: Callable[..., Any], given: Any) -> list[Tensor]:
    """Call a model or a function, in evaluation mode, and return the tensors it gives."""
    is_module = hasattr(model, "modules") and hasattr(model, "training")
    with evaluation(model) if is_module else nullcontext(), enable_grad():
        result = model(*recorded(model, example_inputs(model, given)))
    found = list(tensors_in(result))
    if not found:
        raise UsageError(f"draw: the model returned {describe(result)}, and no tensor in it.")
    return found


def recorded(model: Callable[..., Any], inputs: list[Tensor]) -> list[Tensor]:
    """Return inputs that the graph begins with, named as the model's parameters are.

    They require grad: what does not depend on them is not part of the graph.
    """
    names = _parameter_names(model)
    return [
        x
        if x.requires_grad
        else tensor(
            x.data,
            dtype=x.dtype,
            requires_grad=x.dtype.kind == "f",
            name=x.name or (names[i] if i < len(names) else f"input{i}"),
        )
        for i, x in enumerate(inputs)
    ]


def _parameter_names(model: Callable[..., Any]) -> list[str]:
    try:
        parameters = inspect.signature(getattr(model, "forward", model)).parameters.values()
    except (TypeError, ValueError):  # a callable without a signature
        return []
    return [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


def tensors_in(result: Any) -> Iterator[Tensor]:
    """Yield the tensors in nested tuples, lists and dicts, in order."""
    stack, seen = [result], set()
    while stack:
        item = stack.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, Tensor):
            yield item
        elif isinstance(item, dict):
            stack += reversed(item.values())
        elif isinstance(item, list | tuple):
            stack += reversed(item)
