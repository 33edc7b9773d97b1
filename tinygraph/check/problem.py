"""A Problem: what gradcheck varies and calls. Made of any callable, or of a gradient."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.errors import UsageError, compose_message, describe
from ..core.grad import grad
from ..core.op import Composite, Op
from ..core.storage import Array
from ..core.tensor import Tensor


@dataclass
class Problem:
    """A function at a point: float64 leaves that may be varied, and a call that reads them.

    ``memory`` holds, for each leaf, the writable array behind its value.
    """

    name: str
    call: Callable[[], Sequence[Tensor]]
    leaves: list[Tensor]
    names: list[str]
    memory: list[Array]


def problem_of(f: Callable[..., Any], inputs: Any) -> Problem:
    """Copy the point to float64 leaves; a module comes with its parameters."""
    if isinstance(inputs, list) and any(isinstance(value, Tensor) for value in inputs):
        raise UsageError(
            f"gradcheck takes a tensor, or a tuple of several. Received a list of {len(inputs)}. "
            "Fix: gradcheck(f, (x, y))."
        )
    arguments = list(inputs) if isinstance(inputs, tuple) else [inputs]
    leaves, names, memory = [], [], []
    for i, value in enumerate(arguments):
        array = np.asarray(value.data if isinstance(value, Tensor) else value)
        if array.dtype.kind != "f":
            continue
        own = np.array(array, np.float64, order="C")
        leaf = Tensor(own.view(), requires_grad=True)
        leaf.name = value.name if isinstance(value, Tensor) else None
        leaf._data.flags.writeable = False
        arguments[i] = leaf
        leaves.append(leaf)
        names.append(leaf.name or f"input{i}")
        memory.append(own)
    if hasattr(f, "named_parameters"):
        f = copy.deepcopy(f).astype(np.float64)  # type: ignore[attr-defined]
        for name, parameter in f.named_parameters():  # type: ignore[attr-defined]
            if parameter.requires_grad:
                leaves.append(parameter)
                names.append(name)
                memory.append(parameter.data)
    if not leaves:
        raise UsageError(
            compose_message(
                f"gradcheck of {name_of(f)}: nothing to differentiate by, no input is floating",
                ", ".join(describe(a) for a in arguments),
                "pass floats, such as 2.0",
            )
        )

    def call() -> Sequence[Tensor]:
        outputs = list(_tensors(f(*arguments)))
        if not outputs:
            raise UsageError(f"gradcheck: {name_of(f)} must return a tensor or several.")
        return outputs

    return Problem(name_of(f), call, leaves, names, memory)


def gradient_problem(problem: Problem) -> Problem:
    """Return the problem whose outputs are the gradients of this one's outputs."""
    outputs = [o for o in problem.call() if o.requires_grad]
    upstream, memory = [], []
    rng = np.random.default_rng(0)
    for o in outputs:
        memory.append(np.asarray(rng.uniform(0.5, 1.5, o.shape)))
        upstream.append(Tensor(memory[-1].view(), requires_grad=True))

    def call() -> Sequence[Tensor]:
        roots = [o for o in problem.call() if o.requires_grad]
        found = grad(roots, problem.leaves, upstream, create_graph=True, allow_unused=True)
        results = [g for g in found if g is not None]
        return results or [Tensor(np.zeros(()))]

    return Problem(
        f"the gradient of {problem.name}",
        call,
        [*problem.leaves, *upstream],
        [*problem.names, *(f"upstream{i}" for i in range(len(upstream)))],
        [*problem.memory, *memory],
    )


def name_of(f: Any) -> str:
    """Return a readable name of what is checked: an op, a module class or a function."""
    if isinstance(f, Op | Composite):
        return f"op '{f.name}'"
    if hasattr(f, "named_parameters"):
        return f"module {type(f).__name__}"
    return str(getattr(f, "__qualname__", type(f).__name__))


def _tensors(value: Any) -> Iterable[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        for v in value.values():
            yield from _tensors(v)
    elif isinstance(value, tuple | list):
        for v in value:
            yield from _tensors(v)
