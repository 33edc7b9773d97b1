"""The one generator of steps: forward through the nodes, then backward edge by edge.

Explanations, explorers and pictures read the same :class:`Walk`. Everything it knows about an
op comes from the op's record.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..core.errors import GradientError, VersionError, compose_message, describe
from ..core.graph import Graph
from ..core.storage import Array
from ..core.tensor import Tensor
from .backward import LEAVES, Flow, Use, flow_from, local_parts, total
from .calls import call_of, rule_of, shapes_of, shapes_of_rule
from .expressions import Formula
from .fold import Folding, Group, fold
from .names import Names
from .text import clean, count, subscript

DEFAULT_LIMIT = 60


@dataclass(frozen=True, slots=True)
class Given:
    """A leaf: where the values come from.

    Attributes
    ----------
    tensor, name : Tensor, str
    role : str
        ``"input"`` (a gradient is wanted) or ``"constant"``.
    changed : bool
        Its value was written after the forward pass.
    """

    tensor: Tensor
    name: str
    role: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Forward:
    """One node of the forward pass, or a closed composite, module or rest.

    Attributes
    ----------
    number : int
        Which step it is, from 1.
    tensor, name : Tensor, str
        The result (the last, if there are several).
    call : Formula or None
        ``sigmoid(x)``; None where the formula says it all.
    formula : Formula or None
        What is computed, with names and, for single numbers, with numbers.
    shapes : str
        ``(2,3)(3,4) → (2,4)``; "" for single numbers.
    place : str
        The module it belongs to, "" for none.
    inside : int
        How many ops a closed step holds; 1 for an op.
    group : Group
        The card of pictures.
    """

    number: int
    tensor: Tensor
    name: str
    call: Formula | None
    formula: Formula | None
    shapes: str
    place: str
    inside: int
    group: Group


@dataclass(frozen=True, slots=True)
class Backward:
    """One edge of the backward pass: upstream × local = contribution, and the sum so far.

    Attributes
    ----------
    number : int
        Which step it is, counted on from the forward pass.
    forward : Forward
        The node that the gradient comes through.
    source, name : Tensor, str
        Where the gradient goes.
    uses : tuple of (result, position)
        The edges of the graph that this step is.
    upstream : ndarray or None
        The gradient that arrives at the node; None where a closed step has several results.
    rule : Formula or None
        The record's local derivative.
    way : str
        How the rule is applied: ``"number"`` (upstream × one number), ``"elementwise"``,
        ``"product"`` (of matrices), ``"words"`` or ``"inside"`` (the rules of a closed step).
    local : ndarray or None
        The local derivative as a number.
    contribution : ndarray
        What this edge adds.
    before, after : ndarray or None, ndarray
        The gradient of the source without and with it.
    terms : tuple of ndarray
        What was added so far, this contribution last.
    edges : int
        How many contributions the source gets in all.
    shapes : str
        Dimension analysis of the rule: ``(2,4)(4,3) → (2,3)``.
    summed : tuple of int
        The axes of the contribution that undo broadcasting.
    reads : tuple of Tensor
        The forward values that the rule uses.
    """

    number: int
    forward: Forward
    source: Tensor
    name: str
    uses: tuple[Use, ...]
    upstream: Array | None
    rule: Formula | None
    way: str
    local: Array | None
    contribution: Array
    before: Array | None
    after: Array
    terms: tuple[Array, ...]
    edges: int
    shapes: str
    summed: tuple[int, ...]
    reads: tuple[Tensor, ...]


Step = Forward | Backward


class Walk:
    """A graph as a sequence of steps: iterate over it, or over one of its two halves.

    Attributes
    ----------
    graph : Graph
    output, output_name : Tensor, str
    symbol : str
        What is differentiated: the output, or the sum of upstream · output.
    upstream : str
        What the upstream gradient of a node is called: G, or another letter if that is taken.
    flow : Flow
        The backward pass: every gradient, and what each edge adds.
    names : Names
    folding : Folding
        The cards of pictures; each step is one.
    givens : list of Given
    remarks : list of str
        What the reader should know.

    Examples
    --------
    >>> import tinygraph as tg
    >>> x, y, z = tg.variables(x=-2, y=5, z=-4)
    >>> for step in Walk((x + y) * z).backward():
    ...     print(step.forward.name, "to", step.name, step.contribution)
    f to v₁ -4.0
    f to z 3.0
    v₁ to x -4.0
    v₁ to y -4.0
    """

    def __init__(
        self,
        output: Tensor,
        *,
        names: Mapping[str, Any] | None = None,
        depth: int | None = None,
        grad: Any = None,
        limit: int | None = DEFAULT_LIMIT,
        digits: int = 4,
        who: str = "explain",
    ) -> None:
        if not output.requires_grad:
            what = f"{who}: a gradient needs an output that requires grad"
            raise GradientError(compose_message(what, describe(output), LEAVES))
        self.graph = Graph([output])
        self.output = output
        self.flow: Flow = _flow(output, grad, who)
        self.folding: Folding = fold(self.graph, "numbers", depth, limit)
        self.names = self._name(names, who, digits)
        taken = {self.names.short(t) for g in self.folding.groups for t in g.exits}
        self.output_name = self.symbol = self.names.short(output)
        if output.size != 1:
            self.symbol = next(n for n in ("L", "S", "Σ") if n == "Σ" or n not in taken)
        self.upstream = next(n for n in ("G", "U", "D", "∇") if n == "∇" or n not in taken)
        self.givens = [self._given(g) for g in self.folding.groups if g.kind == "leaf"]
        self.remarks = self._remarks()
        self._forward = self._number_nodes()

    def __iter__(self) -> Iterator[Step]:
        yield from self.forward()
        yield from self.backward()

    def forward(self) -> Iterator[Forward]:
        """Yield the nodes, inputs before results."""
        yield from self._forward

    def backward(self) -> Iterator[Backward]:
        """Yield the edges that carry a gradient, from the output to the leaves."""
        edges = [
            (step, x, bundle)
            for step in reversed(self._forward)
            for x, bundle in _bundles(step.group)
            if any(use in self.flow.parts for use in bundle)
        ]
        expected: dict[Tensor, int] = {}
        for _, x, _ in edges:
            expected[x] = expected.get(x, 0) + 1
        terms: dict[Tensor, tuple[Array, ...]] = {x: (g,) for x, g in self.flow.seeds.items()}
        locals_: dict[Use, Array] = {}
        current = None
        for offset, (step, x, bundle) in enumerate(edges):
            if step is not current:
                current, locals_ = step, self._locals(step.group)
            contribution = self.flow.along(bundle)
            assert contribution is not None
            local = total(locals_, bundle) if x.size == 1 else None
            so_far = terms.get(x, ())
            terms[x] = (*so_far, contribution)
            before = _add(so_far) if so_far else None
            rule, way = self._rule(step.group, bundle, local is not None)
            yield Backward(
                number=len(self._forward) + offset + 1,
                forward=step,
                source=x,
                name=self.names.short(x),
                uses=tuple(bundle),
                upstream=self._upstream(step.group),
                rule=rule,
                way=way,
                local=local,
                contribution=contribution,
                before=before,
                after=contribution if before is None else before + contribution,
                terms=terms[x],
                edges=expected[x] + (x in self.flow.seeds),
                shapes=self._shapes(step.group, x, bundle),
                summed=_summed(step.group, x),
                reads=self._reads(step.group, bundle, rule),
            )

    # ---- words ------------------------------------------------------------------------------

    def _name(self, given: Mapping[str, Any] | None, who: str, digits: int) -> Names:
        """Name every tensor that is shown; an output without a name is called f."""
        names = Names(given, who, digits)
        shown = [t for g in self.folding.groups for t in g.exits]
        if not names.full(self.output):
            taken = {names.full(t) for t in shown}
            free = next(n for n in ("f", "L", "out", "result", "…") if n not in taken)
            names = Names({**(given or {}), free: self.output}, who, digits)
        names.number_the_rest(shown)
        self._tell_apart(names)
        return names

    def _tell_apart(self, names: Names) -> None:
        """Put the module's path before names that occur twice, then numbers behind them."""
        shown = [(t, g) for g in self.folding.groups for t in g.exits]
        for with_path in (True, False):
            taken = Counter(names.short(t) for t, _ in shown)
            seen: Counter[str] = Counter()
            for tensor, group in shown:
                name = names.short(tensor)
                if taken[name] == 1:
                    continue
                path = group.scope.module_path() if group.scope is not None else ""
                if with_path and path and group.kind == "leaf":
                    names.call(tensor, clean(f"{path}.{name}"))
                elif not with_path:
                    seen[name] += 1
                    names.call(tensor, name + subscript(seen[name]))

    def _given(self, group: Group) -> Given:
        t = group.tensor
        used = min((result.index for g in self.folding.groups for result, _ in g.uses.get(t, ())),
                   default=t.index)  # fmt: skip
        changed = t._storage is not None and t._storage.written > used
        return Given(t, self.names.short(t), "input" if t.requires_grad else "constant", changed)

    def _remarks(self) -> list[str]:
        remarks = []
        if self.folding.hidden:
            hidden = count(self.folding.hidden, "step")
            remarks.append(f"{hidden} in the middle are told as one; limit=None tells them all.")
        elif self.folding.reduced:
            remarks.append(f"Modules are opened {self.folding.depth} deep; depth= opens more.")
        if self.symbol != self.output_name:
            remarks.append(
                f"{self.output_name} has {self.output.size} elements: {self.symbol} stands for the "
                f"sum of upstream · {self.output_name}."
            )
        for given in self.givens:
            if given.changed:
                remarks.append(
                    f"{given.name} was changed after the forward pass: its value is the new one, "
                    "the results are those of the old one."
                )
        return remarks

    # ---- the forward half ----------------------------------------------------------------------

    def _number_nodes(self) -> list[Forward]:
        groups = [g for g in self.folding.groups if g.kind != "leaf"]
        return [self._node(i, g) for i, g in enumerate(groups, 1)]

    def _node(self, number: int, group: Group) -> Forward:
        call, formula = call_of(group, self.names)
        scope = group.scope.parent if group.kind == "closed" and group.scope else group.scope
        return Forward(
            number=number,
            tensor=group.tensor,
            name=", ".join(self.names.short(t) for t in group.exits[-3:]),
            call=call,
            formula=formula,
            shapes=shapes_of(group),
            place=scope.module_path() if scope is not None else "",
            inside=sum(1 for n in group.nodes if n.op),
            group=group,
        )

    # ---- the backward half -----------------------------------------------------------------------

    def _upstream(self, group: Group) -> Array | None:
        return self.flow.gradients.get(group.exits[0]) if len(group.exits) == 1 else None

    def _locals(self, group: Group) -> dict[Use, Array]:
        """Return the local derivatives as numbers, where the result is one number."""
        single = len(group.exits) == 1 and group.kind != "rest" and group.exits[0].size == 1
        if not single or group.exits[0] not in self.flow.gradients:
            return {}
        return local_parts([n.tensor for n in group.nodes if n.op], group.exits[0])

    def _rule(self, group: Group, bundle: list[Use], single: bool) -> tuple[Formula | None, str]:
        if not _is_one_op(group):
            return None, "number" if single else "inside"
        rule = rule_of(group.tensor, bundle[0][1], self.names, self.upstream)
        if single:
            return rule, "number"
        if rule is not None and rule.tree is not None:
            return rule, "elementwise"
        is_product = bool(shapes_of_rule(group.tensor, bundle[0][1]))
        return rule, "product" if is_product else "words"

    def _shapes(self, group: Group, x: Tensor, bundle: list[Use]) -> str:
        if group.tensor.size == 1 and x.size == 1:
            return ""
        carried = shapes_of_rule(group.tensor, bundle[0][1]) if _is_one_op(group) else ""
        return shapes_of(group, carried, x)

    def _reads(self, group: Group, bundle: list[Use], rule: Formula | None) -> tuple[Tensor, ...]:
        """Return what the rule reads: the words in it, else all that the record saves."""
        if not _is_one_op(group):
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


def _flow(output: Tensor, grad: Any, who: str) -> Flow:
    try:
        return flow_from([output], grad, who)
    except VersionError as error:
        said = str(error).split(" Fix: ")[0]
        fix = f"{who} before optimizer.step(), or run the forward pass again"
        raise VersionError(compose_message(f"{who}: {said}", fix=fix)) from error


def _is_one_op(group: Group) -> bool:
    """Tell whether one rule is all there is: an op, or a function made of a single one."""
    return group.kind == "op" or (
        group.kind == "closed" and len(group.nodes) == 1 and group.nodes[0].op is not None
    )


def _bundles(group: Group) -> list[tuple[Tensor, list[Use]]]:
    """Return the edges into a group: one by one for an op, in the order of its operands."""
    if not _is_one_op(group):
        return list(group.uses.items())
    single = [(x, [use]) for x, uses in group.uses.items() for use in uses]
    return sorted(single, key=lambda pair: pair[1][0][1])


def _add(terms: tuple[Array, ...]) -> Array:
    return sum(terms[1:], start=terms[0])


def _summed(group: Group, x: Tensor) -> tuple[int, ...]:
    """Return the axes of an elementwise result along which the operand was repeated."""
    op = group.tensor.op
    if not _is_one_op(group) or op is None or op.kind != "elementwise":
        return ()
    lengths = group.tensor.shape
    padded = (1,) * (len(lengths) - x.ndim) + x.shape
    return tuple(i for i, n in enumerate(lengths) if padded[i] != n)
