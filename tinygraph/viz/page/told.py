"""Steps as the page tells them: a sentence, the same in symbols and in numbers, and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...core.tensor import Tensor
from ..edges import RULE_WIDTH
from ..equations import (
    backward_equation,
    forward_equation,
    nudge_sentences,
    whole_expression,
)
from ..fold import Group
from ..notation import Notation
from ..rules import is_one_op
from ..steps import Backward, Forward, Walk
from ..text import TOOLTIP_LIMIT, clean, count, number, term, tight_shape
from .contents import Contents, Json, brief, is_small

TERMS_LIMIT = 3
"""More terms than these are not written one by one in a card."""

DIGITS = 4

ROWS_LIMIT = 60
"""Of more inputs the results list only the first."""


class Teller:
    """Tells the steps of walks that share names and backward pass.

    Parameters
    ----------
    walk : Walk
    contents : Contents
        Where arrays go.
    ids : dict from Tensor to str
        What the page calls tensors.
    full_names : dict from Tensor to str
        The whole names of leaves.
    """

    def __init__(
        self, walk: Walk, contents: Contents, ids: dict[Tensor, str], full_names: dict[Tensor, str]
    ) -> None:
        self.walk = walk
        self.contents = contents
        self.ids = ids
        self.full_names = full_names
        self.n = Notation(walk.symbol, DIGITS)
        self._nudge = " ".join(nudge_sentences(walk, self.n))

    def tell(self, walk: Walk, cards: dict[Group, str]) -> Iterator[Json]:
        """Yield every position of the page for one walk, from the overview to the results."""
        backward = list(walk.backward())
        total = len(list(walk.forward())) + len(backward)
        yield self._overview(walk, len(backward))
        yield self._given(walk)
        for step in walk.forward():
            yield {"number": step.number, "of": total, **self._forward(step, cards)}
        yield self._seed()
        for edge in backward:
            yield {"number": edge.number, "of": total, **self._backward(edge, cards)}
        yield self._results()

    # ---- before, between and after --------------------------------------------------------------

    def _overview(self, walk: Walk, edges: int) -> Json:
        nodes = len(list(walk.forward()))
        symbol = self.walk.symbol
        return {
            "phase": "overview",
            "title": "The whole picture",
            "sentence": whole_expression(walk, self.n) or f"Where {symbol} comes from, and back",
            "words": [
                f"Values flow forward to {symbol} in {count(nodes, 'step')}; then gradients flow "
                f"back along {count(edges, 'edge')}. Press → or play to see them one by one.",
                *walk.remarks,
            ],
        }

    def _given(self, walk: Walk) -> Json:
        wanted = [g.name for g in walk.givens if g.role == "input"]
        names = ", ".join(wanted[:6]) + (" …" if len(wanted) > 6 else "")
        asked = f"Wanted: how {self.walk.symbol} changes with {names}." if wanted else ""
        return {
            "phase": "given",
            "title": "Given",
            "sentence": self._givens(walk) or "The inputs and parameters",
            "words": ["The leaves of the graph have their values from outside.", asked],
        }

    def _givens(self, walk: Walk) -> str:
        single = [g for g in walk.givens if g.tensor.size == 1]
        if len(single) != len(walk.givens) or len(single) > 8:
            shapes = [f"{g.name} {tight_shape(g.tensor.shape)}" for g in walk.givens[:6]]
            return ", ".join(shapes) + (" …" if len(walk.givens) > 6 else "")
        return ", ".join(f"{g.name} = {self.n.number(g.tensor.data.item())}" for g in single)

    def _seed(self) -> Json:
        seed = self.walk.flow.seeds[self.walk.output]
        name = self.n.gradient(self.walk.output_name)
        made = f"{name} = {brief(seed) if seed.size == 1 else tight_shape(seed.shape)}"
        words = (
            f"The backward pass starts at the end: {self.walk.symbol} changes just as much as "
            "itself."
            if seed.size == 1
            else "The backward pass starts with the upstream gradient that was given."
        )
        return {
            "phase": "seed",
            "title": "Turn round",
            "sentence": made,
            "words": [words],
            "to": self.ids[self.walk.output],
            "after": self.contents.add(seed),
            "sum": self._in_card(self.walk.output, seed, (seed,), 1),
        }

    def _results(self) -> Json:
        gradients = self.walk.flow.gradients
        leaves = [n.tensor for n in self.walk.graph.leaves if n.tensor in gradients]
        rows = [
            [self.full_names[t], self.contents.add(t.data), self.contents.add(gradients[t])]
            for t in leaves[:ROWS_LIMIT]
        ]
        more = len(leaves) - len(rows)
        return {
            "phase": "results",
            "title": "The gradients",
            "sentence": f"How {self.walk.symbol} changes with each input",
            "words": [
                self._nudge,
                *([f"{count(more, 'more input')} not listed."] if more else []),
            ],
            "rows": rows,
            "heads": ["", "value", self.n.gradient("·")],
        }

    # ---- one step --------------------------------------------------------------------------------

    def _forward(self, step: Forward, cards: dict[Group, str]) -> Json:
        equation = forward_equation(step, self.n)
        single = step.tensor.size == 1 and len(step.group.exits) == 1
        first, rest = equation.parts[:1], equation.parts[1:]
        made = f"{step.name} = {self._called(step, first[0])}" if first else step.name
        result = f" = {self.n.number(step.tensor.data.item())}" if single else ""
        return {
            "phase": "forward",
            "title": "Forward",
            "card": cards[step.group],
            "sentence": made + ("" if made.endswith(result) and result else result),
            "symbols": rest[0] if len(rest) > 2 or (not single and rest) else "",
            "numbers": " = ".join(rest[-2:]) if single and len(rest) > 1 else "",
            "shapes": step.shapes,
            "words": [w for w in (self._maker(step), equation.note) if w],
            "reads": self._known(list(step.group.uses)),
            "content": self.contents.add(step.tensor.data) if not single else None,
        }

    def _called(self, step: Forward, call: str) -> str:
        """Return a call, with the class of a module that has a number for a name."""
        scope = step.group.scope
        if step.group.kind != "closed" or scope is None or scope.kind != "module":
            return call
        path = clean(scope.path)
        if not path.rpartition(".")[2].isdigit():
            return call
        return clean(type(scope.owner).__name__) + call.removeprefix(path)

    def _maker(self, step: Forward) -> str:
        """Say what makes a value, from what."""
        names = [self.walk.names.short(x) for x in step.group.uses]
        source = ", ".join(names[:4]) + (" …" if len(names) > 4 else "")
        source = f" from {source}" if names else ""
        scope = step.group.scope
        if step.group.kind == "op":
            op: Any = step.tensor.op
            return f"The op {clean(op.name)} makes {step.name}{source}."
        if step.group.kind == "closed" and scope is not None:
            path = clean(scope.path, TOOLTIP_LIMIT)
            if scope.kind != "module":
                return f"The function {path} makes {step.name}{source}."
            kind = clean(type(scope.owner).__name__)
            named = path if kind == path else f"{path} ({kind})"
            return f"The module {named} makes {step.name}{source}."
        return f"{count(step.inside, 'op')} that are not shown one by one."

    def _backward(self, step: Backward, cards: dict[Group, str]) -> Json:
        parts = backward_equation(step, self.walk.upstream, self.n).parts
        left = self.n.gradient(step.name)
        adds = "+=" if step.edges > 1 or step.way == "number" else "="
        pieces = [["is-gradient", left], ["", f" {adds} "], *self._product(step, parts)]
        if step.contribution.size == 1:
            result = self.n.number(step.contribution.item())
            pieces += [["", " = "], ["is-gradient", result]]
        return {
            "phase": "backward",
            "title": "Backward",
            "card": cards[step.forward.group],
            "to": self.ids[step.source],
            "position": step.uses[0][1],
            "pieces": pieces,
            "symbols": f"{left} {adds} {parts[0]}" if step.way == "number" else "",
            "numbers": " = ".join(parts[1:]) if step.way == "number" else "",
            "shapes": step.shapes,
            "words": [w for w in (self._why(step), self._summed(step), self._meets(step)) if w],
            "reads": self._known(list(step.reads)),
            "upstream": None if step.upstream is None else self.contents.add(step.upstream),
            "local": None if step.local is None else self.contents.add(step.local),
            "content": self.contents.add(step.contribution),
            "after": self.contents.add(step.after),
            "sum": self._in_card(step.source, step.after, step.terms, step.edges),
            "label": self._label(step, parts),
            "dead": step.local is not None and step.local.item() == 0,
        }

    def _product(self, step: Backward, parts: list[str]) -> list[list[str]]:
        """Return what is added, in pieces: upstream × local, or the rule."""
        if step.way != "number":
            return [["", parts[0]]]
        assert step.upstream is not None and step.local is not None
        upstream, local = step.upstream.item(), step.local.item()
        return [["", "upstream "], ["is-gradient", self.n.number(upstream)],
                ["", f" × local {self.n.number(local)}"]]  # fmt: skip

    def _why(self, step: Backward) -> str:
        """Say what the local derivative is, and what it does to the gradient."""
        forward, rule = step.forward, step.rule
        if step.way == "number":
            local = self.n.number(step.local.item() if step.local is not None else 0)
            symbols = rule.symbols() if rule is not None and rule.tree is not None else local
            equal = "" if symbols == local else f" = {local}"
            said = f"The local derivative of {forward.name} by {step.name} is {symbols}{equal}"
            effect = {"1": ": the gradient passes unchanged", "−1": ": the gradient turns its sign",
                      "0": ": nothing flows back along this edge"}  # fmt: skip
            return said + effect.get(local, "") + "."
        if step.way == "inside" or rule is None:
            inside = count(forward.inside, "op")
            return f"The gradient goes through the {inside} inside; open the card to see each."
        if step.way == "product":
            return "The shapes leave only one product that has the shape of " + step.name + "."
        if step.way == "words":
            return f"{self.walk.upstream} is the gradient that arrives at {forward.name}."
        compares = any(sign in rule.template for sign in "<>≤≥≠")
        counted = " A comparison counts 1 where it holds, else 0." if compares else ""
        arrives = f"{self.walk.upstream} is what arrives at {forward.name}"
        return f"{arrives}; the rule works element by element.{counted}"

    def _summed(self, step: Backward) -> str:
        if not step.summed or step.way == "number":
            return ""
        one = len(step.summed) == 1
        axes = f"{'axis' if one else 'axes'} {', '.join(map(str, step.summed))}"
        where = "it" if one else "them"
        return f"Then summed over {axes}, because {step.name} was repeated along {where}."

    def _meets(self, step: Backward) -> str:
        """Say how the contributions of several edges add up."""
        if step.edges == 1:
            return ""
        if step.before is None:
            return f"The first of {step.edges} edges that meet in {step.name}."
        which = "last" if len(step.terms) == step.edges else f"{len(step.terms)}th"
        which = {"2th": "second", "3th": "third"}.get(which, which)
        added = f": {self._terms(step)}" if step.contribution.size == 1 else ""
        return f"The {which} of {step.edges} edges that meet in {step.name}: they add up{added}."

    def _terms(self, step: Backward) -> str:
        assert step.before is not None
        terms = step.terms if len(step.terms) <= 4 else (step.before, step.terms[-1])
        written = " + ".join(term(t.item(), i == 0) for i, t in enumerate(terms))
        return f"{written} = {self.n.number(step.after.item())}"

    def _in_card(self, t: Tensor, after: Any, terms: tuple[Any, ...], edges: int) -> str:
        """Return what the card of a tensor shows as its gradient so far; "" for a table."""
        if t.size != 1:
            return "" if is_small(after) else f"{brief(after)}"
        total = number(after.item())
        if len(terms) == 1:
            return total
        if len(terms) > TERMS_LIMIT:
            return f"Σ of {len(terms)} = {total}"
        return " + ".join(term(x.item(), i == 0) for i, x in enumerate(terms)) + f" = {total}"

    def _label(self, step: Backward, parts: list[str]) -> list[str]:
        """Return the two lines of an edge's label: the local derivative, and what it adds."""
        if step.way == "number" and step.local is not None:
            return [f"× {number(step.local.item())}", f"◂ {number(step.contribution.item())}"]
        words = step.way == "words" and step.rule is not None
        rule = step.rule.symbols() if words and step.rule is not None else parts[0]
        rule = clean(rule, RULE_WIDTH) if is_one_op(step.forward.group) else ""
        added = step.contribution
        return [rule, f"◂ {number(added.item()) if added.size == 1 else tight_shape(added.shape)}"]

    def _known(self, tensors: list[Tensor]) -> list[str]:
        return [self.ids[t] for t in tensors if t in self.ids]
