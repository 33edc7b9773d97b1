"""The page of the documentation, written from the claims and what was measured for them."""

from __future__ import annotations

import textwrap

from .claim import VERDICTS
from .report import Report, Result, report

INTRODUCTION = """\
# Common misstatements about these modules

What courses, papers and blogs say about the modules of neural networks is often true only under a
condition that is not said, and now and then it is wrong. Of the {total} statements on this page,
{wrong} are wrong, {conditional} hold under a condition, and {true} hold as they stand. Each was
measured, and the tests measure it anew. "0, up to rounding" is a number below 10⁻⁹, computed in
float64.

The statements, the verdicts and the checks are in `tinygraph.check.properties`, and this page is
written from them. `python -m tinygraph.check.properties` runs them all; or one at a time:

```python
from tinygraph.check import properties

print(properties.report("{example}"))
```

```text
{shown}
```
"""

EXAMPLE = "layer-norm-takes-a-shift-away"


def page() -> str:
    """Return the page as Markdown: topic by topic, what is wrong first."""
    found = report()
    count = {v: sum(r.claim.verdict == v for r in found.results) for v in VERDICTS}
    example = Report([r for r in found.results if r.claim.name == EXAMPLE])
    parts = [
        INTRODUCTION.format(
            total=len(found.results), wrong=count["wrong"], conditional=count["holds if"],
            true=count["holds"], example=EXAMPLE, shown=example,
        )
    ]  # fmt: skip
    for topic in dict.fromkeys(r.claim.topic for r in found.results):
        parts.append(f"## {topic}\n")
        about = [r for r in found.results if r.claim.topic == topic]
        parts += map(_section, sorted(about, key=lambda r: VERDICTS.index(r.claim.verdict)))
    return "\n".join(parts)


def _section(result: Result) -> str:
    verdict = result.claim.verdict
    words = "Holds if" if verdict == "holds if" else f"{verdict.capitalize()}."
    lines = [
        f"### {_safe(result.claim.statement)}",
        "",
        textwrap.fill(f"**{words}** {_safe(result.claim.truth)}".rstrip(), 100),
        "",
        "| measured | |",
        "|---|---|",
        *[f"| {_safe(fact.what)} | {_safe(fact.shown)} |" for fact in result.facts],
        "",
    ]
    return "\n".join(lines)


def _safe(text: str) -> str:
    """Escape what Markdown would read as its own."""
    for sign in ("\\", "|", "_", "*", "[", "<"):
        text = text.replace(sign, "\\" + sign)
    return text
