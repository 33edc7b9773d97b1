"""A worked solution as plain text, in columns."""

from __future__ import annotations

from itertools import groupby

from ..core.storage import Array
from ..core.tensor import Tensor
from .arrays import lines_of
from .equations import (
    Equation,
    backward_equation,
    forward_equation,
    has_comparison,
    nudge_sentences,
    whole_expression,
)
from .notation import Notation
from .steps import Backward, Forward, Walk
from .text import tight_shape

Row = tuple[str, Tensor, Array | None]

WIDTH = 96
COLUMN = 30
"""Longer parts of an equation do not widen the column of the others."""


def plain_text(walk: Walk, digits: int) -> str:
    """Return the whole solution."""
    n = Notation(walk.symbol, digits)
    sections = [
        _heading(walk, n), _given(walk, n), _forward(walk, n), _backward(walk, n),
        _table(walk, n), _nudge(walk, n),
    ]  # fmt: skip
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def _heading(walk: Walk, n: Notation) -> list[str]:
    found = whole_expression(walk, n)
    return ([found] if found else []) + [f"Note: {remark}" for remark in walk.remarks]


def _given(walk: Walk, n: Notation) -> list[str]:
    single = [f"{g.name} = {n.number(g.tensor.data.item())}" for g in walk.givens
              if g.tensor.size == 1]  # fmt: skip
    lines = ["Given", *_wrapped(single)]
    arrays = [g for g in walk.givens if g.tensor.size != 1]
    wide = max((len(g.name) for g in arrays), default=0)
    for given in arrays:
        shape = tight_shape(given.tensor.shape)
        lines += _beside(f"  {given.name.ljust(wide)} = ", lines_of(given.tensor.data, n.digits),
                         shape)  # fmt: skip
    return lines if len(lines) > 1 else []


def _wrapped(items: list[str]) -> list[str]:
    lines: list[str] = []
    for item in items:
        if lines and len(lines[-1]) + len(item) + 4 <= WIDTH:
            lines[-1] += f",   {item}"
        else:
            lines.append(f"  {item}")
    return lines


def _beside(head: str, lines: list[str], tail: str = "") -> list[str]:
    """Put a block of lines beside a text that stands at its first line."""
    end = f"   {tail}" if tail else ""
    return [f"{head}{lines[0]}{end}", *(" " * len(head) + line for line in lines[1:])]


def _forward(walk: Walk, n: Notation) -> list[str]:
    steps = list(walk.forward())
    if not steps:
        return []
    lines = [f"Forward: values, from the inputs to {walk.symbol}"]
    equations = [(s.number, forward_equation(s, n), s.place) for s in steps]
    return lines + _lines(equations, n)


def _backward(walk: Walk, n: Notation) -> list[str]:
    lines = [
        f"Backward: gradients, from {walk.symbol} to the inputs",
        "  Along an edge they multiply, upstream · local; where edges meet they add, +=.",
    ]
    if has_comparison(walk):
        lines.append("  A comparison is worth 1 where it holds, 0 where it does not.")
    seed = walk.flow.seeds[walk.output]
    if seed.size == 1:
        lines.append(f"  The start: {n.gradient(walk.output_name)} = {n.number(seed.item())}.")
    else:
        head = f"  The start: {n.gradient(walk.output_name)} = "
        lines += _beside(head, lines_of(seed, n.digits), tight_shape(seed.shape))
    for node, found in groupby(walk.backward(), key=lambda s: s.forward):
        edges = list(found)
        lines += ["", f"  {said(node, n)},  where {_upstream(walk, edges[0], n)}"]
        lines += _lines([(e.number, backward_equation(e, walk.upstream, n), "") for e in edges], n)
        lines += _meetings(edges, n)
    return lines


def said(node: Forward, n: Notation) -> str:
    """Return a node as it was computed: ``f = v₁ · z``."""
    made = forward_equation(node, n)
    return made.left + n.sign(" = ") + made.parts[0] if made.parts else made.left


def _upstream(walk: Walk, step: Backward, n: Notation) -> str:
    if step.upstream is None:
        return "several results pass gradients on"
    symbol = n.gradient(step.forward.name)
    if step.way == "number":
        return f"{symbol} = {n.number(step.upstream.item())}"
    if step.upstream.size == 1:
        return f"{walk.upstream} = {symbol} = {n.number(step.upstream.item())}"
    return f"{walk.upstream} = {symbol}  {tight_shape(step.upstream.shape)}"


def _meetings(edges: list[Backward], n: Notation) -> list[str]:
    """Show the sums of arrays whose last contribution came in."""
    lines: list[str] = []
    for step in edges:
        if step.before is not None and step.after.size != 1 and len(step.terms) == step.edges:
            head = f"        together {n.gradient(step.name)} = "
            lines += _beside(head, lines_of(step.after, n.digits), f"{step.edges} edges met")
    return lines


def _lines(equations: list[tuple[int, Equation, str]], n: Notation) -> list[str]:
    """Lay equations out in columns: numbers, left sides, first parts."""
    wide = max(len(e.left) for _, e, _ in equations)
    most = max(len(e.parts) for _, e, _ in equations)
    columns = [
        max((len(e.parts[i]) for _, e, _ in equations if i < len(e.parts) - 1
             and len(e.parts[i]) <= COLUMN), default=0)
        for i in range(most)
    ]  # fmt: skip
    signs = max(len(e.sign) for _, e, _ in equations)
    lines = []
    for number, e, place in equations:
        head = f"{number:>4}.  {e.left.ljust(wide)} {e.sign.rjust(signs)} "
        parts = [
            part.ljust(columns[i]) if i < len(e.parts) - 1 else part
            for i, part in enumerate(e.parts)
        ]
        tail = [t for t in (e.shapes, e.note, f"in module {place}" if place else "") if t]
        lines += _broken(head, parts, "   ".join(tail))
        if e.value is not None:
            block = lines_of(e.value, n.digits)
            lines += _beside(" " * (len(head) - 2) + "= ", block)
    return lines


def _broken(head: str, parts: list[str], tail: str) -> list[str]:
    """Join the parts by equals signs, over several lines where one is too long."""
    lines = [head]
    for i, part in enumerate(parts):
        piece = part if i == 0 else f" = {part}"
        if i and len(lines[-1]) + len(piece.rstrip()) > WIDTH:
            lines[-1] = lines[-1].rstrip()
            lines.append(" " * (len(head) - 2) + f"= {part}")
        else:
            lines[-1] += piece
    if tail and len(lines[-1]) + len(tail) + 3 > WIDTH + 12:
        lines += [" " * len(head) + tail]
    elif tail:
        lines[-1] += f"   {tail}"
    return [line.rstrip() for line in lines]


def _table(walk: Walk, n: Notation) -> list[str]:
    rows = gradient_rows(walk)
    wide = max(len(name) for name, _, _ in rows)
    if all(t.size == 1 for _, t, _ in rows):
        return _number_table(rows, wide, n)
    lines = ["The gradients of the inputs"]
    shapes = max(len(tight_shape(t.shape)) for _, t, _ in rows)
    for name, t, g in rows:
        block = ["no gradient"] if g is None else lines_of(g, n.digits)
        head = f"  {n.gradient(name).ljust(wide + 3 + len(n.symbol))}  "
        lines += _beside(f"{head}{tight_shape(t.shape).ljust(shapes)}  ", block)
    return lines


def _number_table(rows: list[Row], wide: int, n: Notation) -> list[str]:
    cells = [("", "value", n.gradient("·"))]
    for name, t, g in rows:
        gradient = "no gradient" if g is None else n.number(g.item())
        cells.append((name, n.number(t.data.item()), gradient))
    widths = [max(len(row[i]) for row in cells) for i in range(3)]
    return ["All gradients"] + [
        f"  {name.ljust(wide)}   {value.rjust(widths[1])}   {gradient.rjust(widths[2])}"
        for name, value, gradient in cells
    ]


def gradient_rows(walk: Walk) -> list[Row]:
    """Return name, tensor and gradient (None where it stops).

    Of all tensors if they are numbers; of the inputs alone if there are arrays.
    """
    gradients = walk.flow.gradients
    shown = {g.tensor: g.name for g in walk.givens}
    hidden = [x.tensor for x in walk.graph.leaves if x.tensor not in shown]
    results = {t: walk.names.short(t) for s in walk.forward() for t in s.group.exits}
    if all(t.size == 1 for t in (*shown, *results)):
        shown |= results
    shown |= {t: walk.names.short(t) for t in hidden if t in gradients}
    return [(name, t, gradients.get(t)) for t, name in shown.items()]


def _nudge(walk: Walk, n: Notation) -> list[str]:
    return ["A nudge, to check", *(f"  {sentence}" for sentence in nudge_sentences(walk, n))]
