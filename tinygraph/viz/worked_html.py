"""A worked solution as HTML with MathML, and as a page that stands alone with its picture."""

from __future__ import annotations

from .equations import Equation
from .notation import HtmlNotation
from .steps import Walk
from .text import escape
from .worked_math import MathWriter
from .worked_plain import Row


class HtmlWriter(MathWriter):
    """The sections of a solution; :func:`page` puts a page around them."""

    notation = HtmlNotation

    def __init__(self, walk: Walk, digits: int) -> None:
        super().__init__(walk, digits)
        self.title = ""

    def start(self, expression: str) -> None:
        self.title = self.n.math(expression or self.n.name(self.n.symbol))

    def heading(self, text: str) -> None:
        self.lines.append(f"<h2>{text}</h2>")

    def paragraph(self, text: str) -> None:
        self.lines.append(f"<p>{text}</p>")

    def equations(self, found: list[tuple[int, Equation, str]]) -> None:
        self.lines.append('<table class="steps">')
        for number, e, place in found:
            parts = [self.n.sign(e.sign) + self.whole(e)[0]]
            parts += [self.n.sign("=") + part for part in self.whole(e)[1:]]
            notes = [e.shapes and f'<span class="shapes">{escape(e.shapes)}</span>', e.note]
            notes.append(place and f"in module {self.n.prose(place)}")
            right = " ".join(self.n.math(part) for part in parts)
            tail = "; ".join(note for note in notes if note)
            self.lines.append(
                f'<tr id="step{number}"><th scope="row">{number}</th><td>{self.n.math(e.left)}</td>'
                f'<td>{right}</td><td class="note">{tail}</td></tr>'
            )
        self.lines.append("</table>")

    def table(self, rows: list[Row]) -> None:
        self.heading("All gradients" if len(rows) > len(self.walk.givens) else "The gradients")
        gradient = self.n.math(self.n.gradient("·"))
        self.lines.append(
            f'<table class="gradients"><tr><td></td><th scope="col">value</th>'
            f'<th scope="col">{gradient}</th></tr>'
        )
        for name, t, g in rows:
            value = f'<td class="value">{self.n.math(self.value(t.data))}</td>'
            found = "no gradient" if g is None else self.n.math(self.value(g))
            self.lines.append(
                f'<tr><th scope="row">{self.n.math(self.n.name(name))}</th>{value}'
                f'<td class="{"none" if g is None else "gradient"}">{found}</td></tr>'
            )
        self.lines.append("</table>")
