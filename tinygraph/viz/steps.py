"""The one generator of steps: forward through the nodes, then backward edge by edge.

Explanations, explorers and pictures read the same :class:`Walk`. Everything it knows about an
op comes from the op's record.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from typing import Any

from ..core.errors import GradientError, VersionError, compose_message, describe
from ..core.graph import Graph
from ..core.storage import Array
from ..core.tensor import Tensor
from .backward import LEAVES, Flow, add_up, flow_from
from .calls import call_of, shapes_of
from .fold import Folding, Group, fold
from .rules import edges_back, rule_along, shapes_along, summed_axes, values_read
from .step_kinds import Backward, Forward, Given, Step
from .text import count
from .walk_names import names_of_steps, shown_in

__all__ = ["DEFAULT_LIMIT", "Backward", "Forward", "Given", "Step", "Walk"]

DEFAULT_LIMIT = 60


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
        foldings: Sequence[Folding] = (),
    ) -> None:
        if not output.requires_grad:
            what = f"{who}: a gradient needs an output that requires grad"
            raise GradientError(compose_message(what, describe(output), LEAVES))
        self.graph = Graph([output])
        self.output = output
        self.flow: Flow = _flow(output, grad, who)
        shown = list(foldings) or [fold(self.graph, "numbers", depth, limit)]
        self.names = names_of_steps(shown, [output], names, who, digits)
        taken = {self.names.short(t) for t, _ in shown_in(shown)}
        self.output_name = self.symbol = self.names.short(output)
        if output.size != 1:
            self.symbol = next(n for n in ("L", "S", "Σ") if n == "Σ" or n not in taken)
        self.upstream = next(n for n in ("G", "U", "D", "∇") if n == "∇" or n not in taken)
        self._tell(shown[0])

    def _tell(self, folding: Folding) -> None:
        """Make this folding the one whose steps are told."""
        self.folding = folding
        self.givens = [self._given(g) for g in folding.groups if g.kind == "leaf"]
        self.remarks = self._remarks()
        self._forward = self._number_nodes()

    def told_at(self, folding: Folding) -> Walk:
        """Return the same graph, names and backward pass with the steps of another folding.

        It must be one of the ``foldings`` given at the start, so that all its names are known.
        """
        other = copy(self)
        other._tell(folding)
        return other

    def __iter__(self) -> Iterator[Step]:
        yield from self.forward()
        yield from self.backward()

    def forward(self) -> Iterator[Forward]:
        """Yield the nodes, inputs before results."""
        yield from self._forward

    def backward(self) -> Iterator[Backward]:
        """Yield the edges that carry a gradient, from the output to the leaves."""
        steps = {step.group: step for step in self._forward}
        edges = list(edges_back(reversed(steps), self.flow))
        expected = Counter(edge.source for edge in edges)
        terms: dict[Tensor, tuple[Array, ...]] = {x: (g,) for x, g in self.flow.seeds.items()}
        sums: dict[Tensor, Array] = dict(self.flow.seeds)
        for offset, (group, x, bundle, local, contribution) in enumerate(edges):
            terms[x] = (*terms.get(x, ()), contribution)
            before = sums.get(x)
            sums[x] = contribution if before is None else add_up((before, contribution))
            rule, way = rule_along(group, bundle, local is not None, self.names, self.upstream)
            yield Backward(
                number=len(self._forward) + offset + 1,
                forward=steps[group],
                source=x,
                name=self.names.short(x),
                uses=tuple(bundle),
                upstream=self._upstream(group),
                rule=rule,
                way=way,
                local=local,
                contribution=contribution,
                before=before,
                after=sums[x],
                terms=terms[x],
                edges=expected[x] + (x in self.flow.seeds),
                shapes=shapes_along(group, x, bundle),
                summed=summed_axes(group, x),
                reads=values_read(group, bundle, rule),
            )

    # ---- words ------------------------------------------------------------------------------

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


def _flow(output: Tensor, grad: Any, who: str) -> Flow:
    try:
        return flow_from([output], grad, who)
    except VersionError as error:
        said = str(error).split(" Fix: ")[0]
        fix = f"{who} before optimizer.step(), or run the forward pass again"
        raise VersionError(compose_message(f"{who}: {said}", fix=fix)) from error
