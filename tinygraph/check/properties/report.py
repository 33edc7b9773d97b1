"""The claims with their measurements: as text, and as the page of the documentation."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from ...core.errors import UsageError
from .claim import CLAIMS, Claim, Fact

WIDTH = 96


@dataclass(frozen=True)
class Result:
    """A claim and what was measured for it."""

    claim: Claim
    facts: list[Fact]

    @property
    def ok(self) -> bool:
        """Whether the measurements agree with the verdict."""
        return all(fact.ok for fact in self.facts)

    @property
    def answer(self) -> str:
        """The verdict with what is true, as a sentence or several."""
        verdict, truth = self.claim.verdict, self.claim.truth
        if verdict == "holds if":
            return f"Holds if {truth}"
        return f"{verdict.capitalize()}. {truth}".strip()


class Report:
    """Results that print as text.

    Attributes
    ----------
    results : list of Result
    ok : bool
        Whether all measurements agree with the verdicts.
    """

    def __init__(self, results: list[Result]) -> None:
        self.results = results

    @property
    def ok(self) -> bool:
        return all(result.ok for result in self.results)

    def __repr__(self) -> str:
        lines, topic = [], ""
        for result in self.results:
            if result.claim.topic != topic:
                topic = result.claim.topic
                lines += ["", topic, "=" * len(topic)]
            lines += ["", *_wrapped(f"“{result.claim.statement}”"), *_wrapped(result.answer, "  ")]
            lines += [_line(fact) for fact in result.facts]
        return "\n".join(lines).strip("\n")


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent)


def _line(fact: Fact) -> str:
    return f"    {'·' if fact.ok else '✗'} {fact.what}: {fact.shown}"


def report(*names: str) -> Report:
    """Measure claims about modules and return the report, which prints.

    Parameters
    ----------
    *names : str
        Names in :data:`CLAIMS`, or the beginnings of some; all by default.

    Raises
    ------
    UsageError
        If there is no such claim.

    Examples
    --------
    >>> from tinygraph.check import properties
    >>> properties.report("layer-norm-takes")
    Layer normalization
    ===================
    <BLANKLINE>
    “LN(z + c) = LN(z) + c for a constant c.”
      Wrong. LN(z + c) = LN(z): the mean takes the constant away.
        · LN(z + 3) − LN(z): 0, up to rounding
        · LN(z) + 3 − LN(z + 3): 3
    """
    chosen: list[Claim] = []
    for name in names or ("",):
        found = [c for c in CLAIMS.values() if c.name.startswith(name)]
        if not found:
            raise UsageError(f"report: there is no claim {name!r}; there are {', '.join(CLAIMS)}.")
        chosen += [c for c in found if c not in chosen]
    return Report([Result(c, c.measure()) for c in chosen])
