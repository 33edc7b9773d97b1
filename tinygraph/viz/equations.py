"""Each step of a walk as an equation: the parts between its equals signs, in a notation."""

from __future__ import annotations

from dataclasses import dataclass

from ..core.storage import Array
from .expressions import NEGATIVE, PRODUCT, Piece, ProseError, piece_of
from .notation import Notation
from .nudge import nudge_of
from .steps import Backward, Forward, Walk
from .text import count

TERMS_LIMIT = 4
FORMULA_LIMIT = 44


@dataclass(frozen=True, slots=True)
class Equation:
    """``left = middle = … = right`` with what is to be said beside it.

    Attributes
    ----------
    left : str
    sign : str
        ``=``, or ``+=`` where a gradient is added to.
    parts : list of str
        What stands between the equals signs.
    shapes : str
        Dimension analysis, "" for single numbers.
    value : ndarray or None
        An array that is the result; None where the result is the last part.
    note : str
        A few words behind the equation.
    """

    left: str
    sign: str
    parts: list[str]
    shapes: str
    value: Array | None
    note: str


def forward_equation(step: Forward, n: Notation) -> Equation:
    """Return ``v₁ = x + y = −2 + 5 = 3``."""
    aside = step.group.kind == "closed" or _is_condition(step)
    told = (step.call,) if aside else (step.call, step.formula)
    parts = [n.symbols(f).text for f in told if f is not None]
    alone = len(step.group.exits) == 1
    if step.formula is not None and not aside:
        found = n.numbers(step.formula)
        parts += [found.text] if found is not None else []
    if step.tensor.size == 1 and alone:
        result = n.number(step.tensor.data.item())
        parts += [result] if not parts or parts[-1] != result else []
    shapes = n.shapes(step.shapes) if step.shapes else ""
    value = step.tensor.data if step.tensor.size != 1 and alone else None
    names = [n.name(name) for name in step.name.split(", ")]
    return Equation(n.sign(", ").join(names), "=", parts, shapes, value, _inside(step, n))


def _is_condition(step: Forward) -> bool:
    """Tell whether a formula says what holds for the result: ``y @ yᵀ = x``."""
    return step.formula is not None and "y" in step.formula.words


def _inside(step: Forward, n: Notation) -> str:
    """Tell what a closed step holds, or what holds for the result."""
    if step.formula is not None and _is_condition(step):
        return n.prose("where ") + n.math(n.mixed(step.formula))
    if step.group.kind != "closed":
        return ""
    short = step.formula is not None and len(step.formula.template) <= FORMULA_LIMIT
    formula = n.math(n.mixed(step.formula)) if short and step.formula is not None else ""
    inside = n.prose(f"{count(step.inside, 'op')} inside") if step.inside > 1 else ""
    return ": ".join(part for part in (inside, formula) if part)


def backward_equation(step: Backward, upstream: str, n: Notation) -> Equation:
    """Return ``∂f/∂x += ∂f/∂v₁ · y = 2 · 5 = 10``."""
    parts = _single_parts(step, n) if step.way == "number" else [_array_part(step, upstream, n)]
    sign = "=" if step.before is None else "+="
    shapes = n.shapes(step.shapes) if step.shapes else ""
    single = step.contribution.size == 1
    if single and step.way != "number":
        parts.append(n.number(step.contribution.item()))
    value = None if single else step.contribution
    return Equation(n.gradient(step.name), sign, parts, shapes, value, _note(step, n))


def _single_parts(step: Backward, n: Notation) -> list[str]:
    """Upstream × local: in symbols, with numbers, and the product."""
    assert step.local is not None and step.upstream is not None
    local = n.number_piece(step.local.item())
    upstream = n.number_piece(step.upstream.item())
    symbols = numbers = None
    if step.rule is not None and step.rule.tree is not None:
        symbols, numbers = n.symbols(step.rule), n.numbers(step.rule)
    if symbols is None:
        symbols = local if step.rule is not None else Piece(_local_name(step, n))
    found = [
        n.gradient(step.forward.name) + n.times + n.wrap(symbols, PRODUCT),
        n.wrap(upstream, NEGATIVE) + n.times + n.wrap(numbers or local, PRODUCT),
        n.wrap(upstream, NEGATIVE) + n.times + n.wrap(local, PRODUCT),
        n.number(step.contribution.item()),
    ]
    return list(dict.fromkeys(found))


def _local_name(step: Backward, n: Notation) -> str:
    scope = step.forward.group.scope
    return n.partial(scope.path if scope is not None else step.forward.name, step.name)


def _array_part(step: Backward, upstream: str, n: Notation) -> str:
    """The rule for arrays: ``G Wᵀ``, ``G · (1 − y · y)``, or words."""
    g, rule = n.name(upstream), step.rule
    if step.way == "inside" or rule is None:
        return n.words(f"the rules of the {count(step.forward.inside, 'op')} inside")
    if step.way == "product":
        return n.symbols(rule).text
    if step.way == "words":
        text = n.symbols(rule).text
        return text if "G" in rule.words else f"{g}{n.words(' by the rule: ')}{text}"
    piece = n.symbols(rule)
    if piece.value == 1:
        return g
    if piece.value == -1:
        return f"{n.dialect.minus}{g}"
    return g + n.times + n.wrap(piece, PRODUCT)


def _note(step: Backward, n: Notation) -> str:
    """What happens beside the rule: sums over repeated axes, meetings, dead ends."""
    notes = []
    if step.summed and step.way != "number":
        one = len(step.summed) == 1
        axes = f"{'axis' if one else 'axes'} {', '.join(map(str, step.summed))}"
        where = "it" if one else "them"
        notes.append(n.prose(f"summed over {axes}: {step.name} was repeated along {where}"))
    single = step.contribution.size == 1
    if step.local is not None and step.local.item() == 0:
        notes.append(n.prose("nothing flows back"))
    if step.edges > 1 and step.before is None:
        notes.append(n.prose(f"the first of {step.edges}"))
    if step.before is not None and single:
        word = "together" if len(step.terms) == step.edges else "so far"
        notes.append(f"{n.prose(word)} {n.math(_sum(step, n))}")
    return "; ".join(notes)


def _sum(step: Backward, n: Notation) -> str:
    """Return ``−6 + (−9) = −15``; of many terms the sum so far and the last."""
    assert step.before is not None
    terms = step.terms if len(step.terms) <= TERMS_LIMIT else (step.before, step.terms[-1])
    texts = [n.number_piece(t.item()) for t in terms]
    least = [NEGATIVE, *[PRODUCT] * (len(texts) - 1)]
    added = n.sign(" + ").join(n.wrap(t, low) for t, low in zip(texts, least, strict=True))
    return added + n.sign(" = ") + n.number(step.after.item())


def has_comparison(walk: Walk) -> bool:
    """Tell whether a rule holds a comparison, which counts 1 where it holds."""
    rules = (s.rule for s in walk.backward())
    return any(any(sign in r.template for sign in "<>≤≥") or "==" in r.template
               for r in rules if r is not None and r.tree is not None)  # fmt: skip


def whole_expression(walk: Walk, n: Notation) -> str:
    """Return the output in terms of the leaves, "" if that is long or says nothing new."""
    known = {g.tensor: Piece(n.name(g.name)) for g in walk.givens}
    steps = list(walk.forward())
    if not steps:
        return ""
    for step in steps:
        piece = _composed(step, known, n)
        if piece is None or n.length(piece.text) > n.width:
            return ""
        known[step.tensor] = piece
    return n.name(walk.output_name) + n.sign(" = ") + known[walk.output].text


def _composed(step: Forward, known: dict, n: Notation) -> Piece | None:  # type: ignore[type-arg]
    """Write one step with the texts of its operands in place of their names."""
    formula = step.call or step.formula
    group = step.group
    if group.kind == "rest" or len(group.exits) != 1 or formula is None:
        return None
    if formula is step.call:
        operands = group.nodes[0].inputs if group.kind == "op" else tuple(group.uses)
        words = [f"operand{i}" for i in range(len(operands))]
    else:
        op = step.tensor.op
        operands, words = step.tensor.inputs, list(op.input_names) if op else []
    pieces = dict(zip(words, operands, strict=False))
    tree = formula.tree
    if tree is None:
        return None

    def leaf(word: str) -> Piece:
        if word in formula.constants:
            return piece_of(formula.constants[word], n.number(formula.constants[word]))
        x = pieces.get(word)
        if x is None:
            return Piece(n.name(formula.names.get(word, word)))
        return known[x] if x in known else n.number_piece(x)

    try:
        return n.dialect(leaf).write(tree)
    except (ProseError, KeyError, TypeError, ValueError):
        return None


def nudge_sentences(walk: Walk, n: Notation) -> list[str]:
    """Return the nudge as sentences, or the one that says why there is none."""
    nudge = nudge_of(walk)
    if isinstance(nudge, str):
        return [n.prose(nudge)]
    what = n.math(n.name(nudge.name) + (n.sign(nudge.place) if nudge.place else ""))
    f = n.math(n.name(n.symbol))
    at = type(n)(n.symbol, nudge.digits)
    step = n.math(n.number(nudge.step))
    product = n.number(nudge.gradient) + n.times + n.number(nudge.step)
    predicted = n.math(product + n.sign(" = ") + n.number(nudge.predicted))
    found = [
        f"Change {what} by {step}, from {n.math(at.number(nudge.before))} to "
        f"{n.math(at.number(nudge.after))}: {f} goes from {n.math(at.number(nudge.value_before))} "
        f"to {n.math(at.number(nudge.value_after))}.",
        f"It changed by {n.math(n.number(nudge.changed))}; the gradient predicted {predicted}.",
    ]
    verdict = nudge.verdict()
    return [*found, n.prose(verdict)] if verdict else found
