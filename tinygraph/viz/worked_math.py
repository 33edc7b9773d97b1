"""A worked solution with LaTeX mathematics: in Markdown, or as a fragment of a LaTeX document."""

from __future__ import annotations

import re
from itertools import groupby

from ..core.storage import Array
from .arrays import rows_of, summary_of
from .equations import (
    Equation,
    backward_equation,
    forward_equation,
    has_comparison,
    nudge_sentences,
    whole_expression,
)
from .notation import MarkdownNotation, MathNotation, Notation
from .steps import Backward, Walk
from .text import tight_shape
from .worked_plain import Row, gradient_rows, said

ROWS_ON_A_PAGE = 40
LONG = 90
"""An equation of so many characters gets several lines."""


def _visible_length(text: str) -> int:
    """Return about how many characters of LaTeX are seen."""
    return len(re.sub(r"\\[a-zA-Z]+|[{}&\\ ]", "", text))


class MathWriter:
    """Writes the sections in order; what differs is how lists, headings and tables look."""

    notation: type[Notation] = MathNotation

    def __init__(self, walk: Walk, digits: int) -> None:
        self.walk = walk
        self.n: Notation = self.notation(walk.symbol, digits)
        self.lines: list[str] = []

    def write(self) -> str:
        """Return the whole solution."""
        self.start(whole_expression(self.walk, self.n))
        for remark in self.walk.remarks:
            self.paragraph(self.n.prose(remark))
        self._given()
        self._forward()
        self._backward()
        self.table(gradient_rows(self.walk))
        self.heading("A nudge, to check")
        self.paragraph(" ".join(nudge_sentences(self.walk, self.n)))
        return "\n".join(self.lines).rstrip() + "\n"

    def _given(self) -> None:
        if not self.walk.givens:
            return
        self.heading("Given")
        found = [
            self.n.math(self.n.name(g.name) + self.n.sign(" = ") + self.value(g.tensor.data))
            for g in self.walk.givens
        ]
        self.paragraph(", ".join(found) + ".")

    def _forward(self) -> None:
        steps = list(self.walk.forward())
        if not steps:
            return
        self.heading(
            f"Forward: values, from the inputs to {self.n.math(self.n.name(self.n.symbol))}"
        )
        self.equations([(s.number, forward_equation(s, self.n), s.place) for s in steps])

    def _backward(self) -> None:
        n = self.n
        symbol = n.math(n.name(n.symbol))
        self.heading(f"Backward: gradients, from {symbol} to the inputs")
        seed = self.value(self.walk.flow.seeds[self.walk.output])
        start = n.math(n.gradient(self.walk.output_name) + n.sign(" = ") + seed)
        compare = " A comparison is worth 1 where it holds, 0 where it does not."
        self.paragraph(
            f"Along an edge they multiply, upstream {n.math(n.times.strip())} local; where edges "
            f"meet they add, {n.math(n.sign('+='))}.{compare * has_comparison(self.walk)} "
            f"The start: {start}."
        )
        for node, found in groupby(self.walk.backward(), key=lambda s: s.forward):
            edges = list(found)
            self.paragraph(f"Through {n.math(said(node, n))}, where {self._upstream(edges[0])}:")
            self.equations(
                [(e.number, backward_equation(e, self.walk.upstream, n), "") for e in edges]
            )
            for step in edges:
                if (
                    step.before is not None
                    and step.after.size != 1
                    and len(step.terms) == step.edges
                ):
                    sum_ = n.gradient(step.name) + n.sign(" = ") + self.value(step.after)
                    self.paragraph(f"Together {n.math(sum_)}: {step.edges} edges met.")

    def _upstream(self, step: Backward) -> str:
        n = self.n
        if step.upstream is None:
            return "several results pass gradients on"
        parts = [] if step.way == "number" else [n.name(self.walk.upstream)]
        parts.append(n.gradient(step.forward.name))
        if step.upstream.size == 1:
            return n.math(n.sign(" = ").join([*parts, n.number(step.upstream.item())]))
        shape = n.math(n.sign(tight_shape(step.upstream.shape)))
        return f"{n.math(n.sign(' = ').join(parts))} has shape {shape}"

    def value(self, array: Array) -> str:
        """Return a number, a small matrix, or words."""
        if array.size == 1:
            return self.n.number(array.reshape(-1)[0])
        rows = rows_of(array, self.n.digits)
        if rows is not None:
            return self.n.matrix(rows)
        shape = tight_shape(array.shape)
        return self.n.sign(shape) + self.n.words(f" {summary_of(array, self.n.digits)}")

    def whole(self, equation: Equation) -> list[str]:
        """Return the parts of an equation; an array is its last part."""
        parts = list(equation.parts)
        return parts if equation.value is None else [*parts, self.value(equation.value)]

    # ---- what differs --------------------------------------------------------------------------

    def start(self, expression: str) -> None:
        raise NotImplementedError

    def heading(self, text: str) -> None:
        raise NotImplementedError

    def paragraph(self, text: str) -> None:
        raise NotImplementedError

    def equations(self, found: list[tuple[int, Equation, str]]) -> None:
        raise NotImplementedError

    def table(self, rows: list[Row]) -> None:
        raise NotImplementedError


class MarkdownWriter(MathWriter):
    """For notebooks, GitHub and documentation sites."""

    notation = MarkdownNotation

    def start(self, expression: str) -> None:
        what = self.n.math(expression or self.n.name(self.n.symbol))
        self.lines += [f"### Worked solution: {what}", ""]

    def heading(self, text: str) -> None:
        self.lines += [f"#### {text}", ""]

    def paragraph(self, text: str) -> None:
        self.lines += [text, ""]

    def equations(self, found: list[tuple[int, Equation, str]]) -> None:
        for number, e, place in found:
            sign = "\\mathrel{+}=" if e.sign == "+=" else "="
            text = f"{e.left} {sign} {' = '.join(self.whole(e))}"
            notes = [self.n.math(e.shapes) if e.shapes else "", e.note]
            notes.append(f"in module {self.n.prose(place)}" if place else "")
            tail = "; ".join(x for x in notes if x)
            line = self.n.math(f"\\displaystyle {text}")
            self.lines.append(f"{number}. {line}" + (f" ({tail})" if tail else ""))
        self.lines.append("")

    def table(self, rows: list[Row]) -> None:
        self.heading("All gradients" if len(rows) > len(self.walk.givens) else "The gradients")
        gradient = self.n.math(self.n.gradient("·"))
        self.lines += [f"| | value | {gradient} |", "|---|---:|---:|"]
        for name, t, g in rows:
            value = self.n.math(self.value(t.data))
            found = "no gradient" if g is None else self.n.math(self.value(g))
            self.lines.append(f"| {self.n.math(self.n.name(name))} | {value} | {found} |")
        self.lines.append("")


class LatexWriter(MathWriter):
    """A fragment for a document that loads amsmath."""

    def start(self, expression: str) -> None:
        what = self.n.math(expression or self.n.name(self.n.symbol))
        self.lines += [
            "% \\usepackage{amsmath} and \\usepackage{textcomp} in the preamble",
            "\\begingroup\\allowdisplaybreaks\\raggedright\\setlength{\\parindent}{0pt}",
            f"\\subsection*{{Worked solution: {what}}}",
        ]

    def write(self) -> str:
        return super().write() + "\\endgroup\n"

    def heading(self, text: str) -> None:
        self.lines += ["", f"\\medskip\\textbf{{{text}}}\\smallskip", ""]

    def paragraph(self, text: str) -> None:
        self.lines += [text, ""]

    def equations(self, found: list[tuple[int, Equation, str]]) -> None:
        if self.lines[-1] == "":
            self.lines.pop()
        self.lines.append("\\begin{align*}")
        rows = []
        for number, e, place in found:
            sign = "&\\mathrel{+}=" if e.sign == "+=" else "&="
            parts = self.whole(e)
            long = sum(map(_visible_length, parts)) > LONG
            notes = [f"\\text{{{e.note}}}"] * bool(e.note)
            notes += [f"\\text{{in module {self.n.prose(place)}}}"] * bool(place)
            tail = "".join(f"\\quad {x}" for x in [e.shapes] * bool(e.shapes) + notes)
            between = " \\\\\n  &= " if long else " = "
            rows.append(f"  {e.left} {sign} {between.join(parts)}{tail} \\tag{{{number}}}")
        self.lines += [" \\\\\n".join(rows), "\\end{align*}", ""]

    def table(self, rows: list[Row]) -> None:
        self.heading("All gradients" if len(rows) > len(self.walk.givens) else "The gradients")
        for start in range(0, len(rows), ROWS_ON_A_PAGE):
            gradient = self.n.math(f"\\partial {self.n.name(self.n.symbol)}/\\partial\\,\\cdot")
            self.lines += [
                "\\begin{tabular}{lrr}",
                f"  & value & {gradient} \\\\ \\hline",
            ]
            for name, t, g in rows[start : start + ROWS_ON_A_PAGE]:
                value = self.n.math(self.value(t.data))
                found = "no gradient" if g is None else self.n.math(self.value(g))
                space = "" if t.size == 1 else "[1ex]"
                self.lines.append(
                    f"  {self.n.math(self.n.name(name))} & {value} & {found} \\\\{space}"
                )
            self.lines += ["\\end{tabular}", ""]
