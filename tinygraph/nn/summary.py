"""summary: a model as a table, in the layout of torchinfo."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..core.calls import checked_call
from ..core.errors import UsageError, compose_message, describe
from ..core.evaluation import evaluation, example_inputs
from ..core.modes import current_modes, current_scope, modes, no_grad
from ..core.tensor import Tensor
from .module import Module

MULTIPLY_ADDS: dict[str, Callable[[Any, tuple[Any, ...]], int]] = {
    "matmul": lambda y, inputs: y.size * inputs[0].shape[-1],
    "linear": lambda y, inputs: y.size * inputs[0].shape[-1],
    "conv": lambda y, inputs: _each_position(y, inputs[1]),
    "conv_bias": lambda y, inputs: _each_position(y, inputs[1]),
    "conv_transpose": lambda y, inputs: _each_position(inputs[0], inputs[1]),
    "conv_weight": lambda y, inputs: _each_position(inputs[1], y),
    "rnn_sequence": lambda y, inputs: inputs[0].size * inputs[2].shape[-1],
    "gru_sequence": lambda y, inputs: inputs[0].size * inputs[2].shape[-1],
    "lstm_sequence": lambda y, inputs: inputs[0].size * inputs[3].shape[-1],
}
"""How many products each op adds up, from its result and its inputs. Elementwise work is not
counted."""


def _each_position(y: Any, weight: Any) -> int:
    """Count each weight of a convolution once for each position in ``y`` (N, C', …)."""
    return int(y.size // max(y.shape[1], 1) * weight.size)


@dataclass
class Row:
    """One module of a model.

    Attributes
    ----------
    path : str
        Its name in the model, such as ``encoder.0``; "" for the model itself.
    kind : str
        Its class.
    depth : int
        0 for the model.
    module : Module
    output_shape : tuple of int, list of tuples or None
        Of its first call; None if it was not called.
    parameters, own_parameters : int
        How many numbers it holds, with and without those of the modules below. A parameter
        that several modules share is in each of their rows, and once in those above.
    trainable : int
        How many of ``parameters`` require grad.
    multiply_adds, own_multiply_adds : int
        Products added up in all its calls, with and without those of the modules below.
    calls : int
        How often it was called.
    """

    path: str
    kind: str
    depth: int
    module: Module
    parameters: int
    own_parameters: int
    trainable: int
    output_shape: Any = None
    multiply_adds: int = 0
    own_multiply_adds: int = 0
    calls: int = 0


@dataclass
class Summary:
    """What :func:`summary` returns: it prints as a table, and its rows can be read.

    Attributes
    ----------
    rows : list of Row
        The model and all modules below, outer before inner.
    depth : int
        How deep the printed table goes.
    total_parameters, trainable_parameters : int
    multiply_adds : int
        Of the whole run.
    input_bytes, forward_bytes, parameter_bytes : int
        Memory of the inputs, of all results of operations that a training step would keep,
        and of parameters and buffers.
    """

    rows: list[Row]
    depth: int
    input_bytes: int = 0
    forward_bytes: int = 0
    parameter_bytes: int = 0
    by_path: dict[str, Row] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.by_path = {row.path: row for row in self.rows}

    @property
    def total_parameters(self) -> int:
        return self.rows[0].parameters

    @property
    def trainable_parameters(self) -> int:
        return self.rows[0].trainable

    @property
    def multiply_adds(self) -> int:
        return self.rows[0].multiply_adds

    def __getitem__(self, path: str) -> Row:
        """Return the row of the module at ``path``."""
        if path not in self.by_path:
            raise KeyError(f"no module {path!r}; there are {', '.join(self.by_path)}")
        return self.by_path[path]

    def __repr__(self) -> str:
        return _table(self)


@checked_call
def summary(model: Module, input: Any = None, depth: int = 3) -> Summary:
    """Summarize a model: tree, output shapes, parameters, multiply-adds, memory.

    The model runs once on the input, in evaluation mode and without recording; its mode and
    its state are as before afterwards.

    Parameters
    ----------
    model : Module
    input : Tensor, ndarray, tuple of int, or list of them, optional
        Data for one call; a tuple of lengths such as ``(64, 2)`` stands for zeros of that
        shape; a list holds several arguments. Without it the table has no shapes.
    depth : int
        How many levels of modules to print. A row at the last level counts all below it.

    Returns
    -------
    Summary
        Prints as a table; ``summary(...).rows`` has the numbers.

    Raises
    ------
    UsageError
        If ``model`` is not a module.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> table = tg.summary(nn.MLP([2, 16, 1]), (64, 2))
    >>> table.total_parameters, table.multiply_adds
    (65, 3072)
    """
    if not isinstance(model, Module):
        fix = "call the class" if isinstance(model, type) else "nn.Lambda(f)"
        raise UsageError(compose_message("summary takes a module", describe(model), fix))
    if isinstance(depth, bool) or not isinstance(depth, int | np.integer) or depth < 0:
        raise UsageError(f"summary: depth is a whole number from 0 on, received {depth!r}.")
    rows = [_row(path, module, model) for path, module in model.named_modules()]
    found = Summary(rows, int(depth))
    found.parameter_bytes = sum(t.data.nbytes for t in (*model.parameters(), *model.buffers()))
    if input is not None:
        inputs = example_inputs(model, input)
        found.input_bytes = sum(x.data.nbytes for x in inputs if isinstance(x, Tensor))
        found.forward_bytes = _run(model, inputs, {row.module: row for row in rows})
        _add_up(rows)
    return found


def _row(path: str, module: Module, model: Module) -> Row:
    sizes = {id(p): (p.size, p.requires_grad) for p in module.parameters()}
    return Row(
        path=path,
        kind=type(module).__name__,
        depth=path.count(".") + 1 if module is not model else 0,
        module=module,
        parameters=sum(n for n, _ in sizes.values()),
        own_parameters=sum(p.size for p in module._parameters.values()),
        trainable=sum(n for n, needs in sizes.values() if needs),
    )


# ---- running it ---------------------------------------------------------------------------------


class _Counter:
    """Watches every operation: products by module, and bytes."""

    def __init__(self, rows: dict[Module, Row]) -> None:
        self.rows = rows
        self.bytes = 0

    def after_forward(self, result: Any, op: Any, inputs: Any, attrs: Any) -> None:
        if result._data.base is None:  # a view has no memory of its own
            self.bytes += result._data.nbytes
        scope = current_scope()
        while scope is not None and scope.owner not in self.rows:
            scope = scope.parent
        if scope is not None:
            self.rows[scope.owner].own_multiply_adds += _count(op.name, result, inputs)

    def before_vjps(self, result: Any) -> None:
        """Nothing to count."""

    def after_vjp(self, result: Any, position: int, gradient: Any) -> None:
        """Nothing to count."""


def _count(name: str, result: Any, inputs: tuple[Any, ...]) -> int:
    return MULTIPLY_ADDS[name](result, inputs) if name in MULTIPLY_ADDS else 0


def _run(model: Module, inputs: list[Any], rows: dict[Module, Row]) -> int:
    """Run the model once, fill in the rows, and return the bytes of all results."""

    def note(module: Module, args: Any, output: Any) -> None:
        row = rows[module]
        row.calls += 1
        if row.calls == 1:
            row.output_shape = _shape_of(output)

    counter = _Counter(rows)
    with ExitStack() as stack:
        for module in rows:
            stack.enter_context(module.register_forward_hook(note))
        stack.enter_context(evaluation(model))
        stack.enter_context(no_grad())
        watchers = (*current_modes().watchers, counter)
        stack.enter_context(modes(watchers=watchers))
        model(*inputs)
    return counter.bytes


def _shape_of(output: Any) -> Any:
    if isinstance(output, tuple | list):
        return [shape for shape in map(_shape_of, output) if shape is not None]
    if isinstance(output, dict):
        return _shape_of(list(output.values()))
    return getattr(output, "shape", None)


def _add_up(rows: list[Row]) -> None:
    """Give each row the products of the rows below it too."""
    open_rows: list[Row] = []
    for row in rows:
        del open_rows[row.depth :]
        open_rows.append(row)
        for outer in open_rows:
            outer.multiply_adds += row.own_multiply_adds


# ---- printing -----------------------------------------------------------------------------------


def _table(s: Summary) -> str:
    shown = [row for row in s.rows if row.depth <= s.depth]
    lines = [("Layer (type (name): depth-idx)", "Output Shape", "Param #", "Mult-Adds")]
    indices: dict[int, int] = {}
    for i, row in enumerate(shown):
        indices[row.depth] = indices.get(row.depth, 0) + 1
        deeper = i + 1 < len(shown) and shown[i + 1].depth > row.depth
        parameters = row.own_parameters if deeper else row.parameters
        products = row.own_multiply_adds if deeper else row.multiply_adds
        called = s.rows[0].calls > 0
        lines.append(
            (
                _label(shown, i, indices[row.depth]),
                _shape_text(row) if called else "--",
                f"{parameters:,}" if parameters else "--",
                f"{products:,}" if products else "--",
            )
        )
    widths = [max(len(line[k]) for line in lines) for k in range(4)]
    texts = [
        f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}  {d:>{widths[3]}}".rstrip()
        for a, b, c, d in lines
    ]
    rule = "=" * (sum(widths) + 6)
    blocks = [[texts[0]], texts[1:], _totals(s), _memory(s)]
    return "\n".join([rule, *("\n".join([*block, rule]) for block in blocks if block)])


def _label(shown: list[Row], i: int, index: int) -> str:
    """Return the row's place in the tree: ``├─Linear (0): 1-1``."""
    row = shown[i]
    if row.depth == 0:
        return row.kind
    branches = ""
    for level in range(1, row.depth + 1):
        later = (r.depth for r in shown[i + 1 :])
        more = next((d == level for d in later if d <= level), False)
        if level == row.depth:
            branches += "├─" if more else "└─"
        else:
            branches += "│    " if more else "     "
    times = f" ×{row.calls}" if row.calls > 1 else ""
    return f"{branches}{row.kind} ({row.path.rsplit('.', 1)[-1]}): {row.depth}-{index}{times}"


def _shape_text(row: Row) -> str:
    if row.calls == 0:
        return "not called"
    shape = row.output_shape
    return ", ".join(map(str, shape)) if isinstance(shape, list) else str(shape)


def _totals(s: Summary) -> list[str]:
    total, trainable = s.total_parameters, s.trainable_parameters
    lines = [
        f"Total params: {total:,}",
        f"Trainable params: {trainable:,}",
        f"Non-trainable params: {total - trainable:,}",
    ]
    return [*lines, f"Total mult-adds: {s.multiply_adds:,}"] if s.rows[0].calls else lines


def _memory(s: Summary) -> list[str]:
    parts = {"Params and buffers size": s.parameter_bytes}
    if s.rows[0].calls:
        parts = {"Input size": s.input_bytes, "Forward pass size": s.forward_bytes, **parts}
        parts["Total size"] = sum(parts.values())
    return [f"{name}: {_bytes(number)}" for name, number in parts.items()]


def _bytes(number: int) -> str:
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= scale:
            return f"{number / scale:.2f} {unit}"
    return f"{number} B"
