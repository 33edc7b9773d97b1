"""What one edge of the backward pass says: its rule, its shapes, and the values it reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ..core.storage import Array
from ..core.tensor import Tensor
from .backward import Flow, Use, local_parts, total
from .calls import rule_of, shapes_of, shapes_of_rule
from .expressions import Formula
from .fold import Group
from .names import Names


def is_one_op(group: Group) -> bool:
    """Tell whether one rule is all there is: an op, or a function made of a single one."""
    return group.kind == "op" or (
        group.kind == "closed" and sum(node.op is not None for node in group.nodes) == 1
    )


def bundles(group: Group) -> list[tuple[Tensor, list[Use]]]:
    """Return the edges into a group: one by one for an op, in the order of its operands."""
    if not is_one_op(group):
        return list(group.uses.items())
    single = [(x, [use]) for x, uses in group.uses.items() for use in uses]
    return sorted(single, key=lambda pair: pair[1][0][1])


def local_derivatives(group: Group, flow: Flow) -> dict[Use, Array]:
    """Return the local derivatives as numbers, where the result is one number."""
    single = len(group.exits) == 1 and group.kind != "rest" and group.exits[0].size == 1
    if not single or group.exits[0] not in flow.gradients:
        return {}
    return local_parts([n.tensor for n in group.nodes if n.op], group.exits[0])


class Edge(NamedTuple):
    """One edge of the backward pass, as pictures, pages and explanations show it.

    Attributes
    ----------
    group : Group
        The card that the gradient comes through.
    source : Tensor
        Where it goes.
    uses : list of (result, position)
        The edges of the graph that this one is.
    local : ndarray or None
        The local derivative, between single numbers.
    contribution : ndarray
        What is added to the gradient of the source.
    """

    group: Group
    source: Tensor
    uses: list[Use]
    local: Array | None
    contribution: Array


def edges_back(groups: Iterable[Group], flow: Flow) -> Iterator[Edge]:
    """Yield the edges that carry a gradient, in the order of ``groups`` and their operands."""
    for group in groups:
        found = [(x, bundle, flow.along(bundle)) for x, bundle in bundles(group)]
        carrying = [edge for edge in found if edge[2] is not None]
        locals_ = local_derivatives(group, flow) if carrying else {}
        for x, bundle, contribution in carrying:
            local = total(locals_, bundle) if x.size == 1 else None
            assert contribution is not None
            yield Edge(group, x, bundle, local, contribution)


def rule_along(
    group: Group, bundle: list[Use], single: bool, names: Names, upstream: str
) -> tuple[Formula | None, str]:
    """Return the record's rule for an edge and how it is applied, see :class:`Backward`."""
    if not is_one_op(group):
        return None, "number" if single else "inside"
    rule = rule_of(group.tensor, bundle[0][1], names, upstream)
    if single:
        return rule, "number"
    if rule is not None and rule.tree is not None:
        return rule, "elementwise"
    is_product = bool(shapes_of_rule(group.tensor, bundle[0][1]))
    return rule, "product" if is_product else "words"


def shapes_along(group: Group, x: Tensor, bundle: list[Use]) -> str:
    """Return the dimension analysis of an edge, "" between single numbers."""
    if group.tensor.size == 1 and x.size == 1:
        return ""
    carried = shapes_of_rule(group.tensor, bundle[0][1]) if is_one_op(group) else ""
    return shapes_of(group, carried, x)


def values_read(group: Group, bundle: list[Use], rule: Formula | None) -> tuple[Tensor, ...]:
    """Return what the rule reads: the words in it, else all that the record saves."""
    if not is_one_op(group):
        return ()
    y = bundle[0][0]
    op: Any = y.op
    known = {**dict(zip(op.input_names, y.inputs, strict=False)), "y": y}
    words = set(op.saves)
    if rule is not None and (rule.tree is not None or rule.words):
        words = rule.words
    found = [known[w] for w in known if w in words]
    if op.saves_rest:
        found += y.inputs[len(op.input_names) :]
    return tuple(dict.fromkeys(t for t in found if isinstance(t, Tensor)))


def summed_axes(group: Group, x: Tensor) -> tuple[int, ...]:
    """Return the axes of an elementwise result along which the operand was repeated."""
    op = group.tensor.op
    if not is_one_op(group) or op is None or op.kind != "elementwise":
        return ()
    lengths = group.tensor.shape
    padded = (1,) * (len(lengths) - x.ndim) + x.shape
    return tuple(i for i, n in enumerate(lengths) if padded[i] != n)
