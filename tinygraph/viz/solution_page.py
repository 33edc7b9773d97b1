"""The page of a solution: one file, nothing from the network, the explorer in a frame."""

from __future__ import annotations

import re

from .style import Style
from .text import escape

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src {scripts}"
"""The frame inherits the policy: the explorer's script, by its hash, is all that runs."""

_PROLOGUE = re.compile(r"^.*?(?=<svg\b)", re.DOTALL)

_SCRIPT = re.compile(r"script-src ('sha256-[^']+')")
_WIDTH = re.compile(r'<svg[^>]*? width="([\d.]+)pt"')

SMALLEST = 0.7
"""How far a picture may shrink before its page scrolls."""

_CSS = """
:root {{
  color-scheme: light dark; --ink: {ink}; --quiet: {quiet}; --paper: {background};
  --rule: {rule}; --value: {value}; --gradient: {gradient}; --band: {band};
}}
@media (prefers-color-scheme: dark) {{
  :root {{
    --ink: #E6EAEE; --quiet: #A3AFBA; --paper: #14181D; --rule: #3B4650; --value: #7CB7F2;
    --gradient: #F29D5C; --band: #1C222A;
  }}
}}
* {{ box-sizing: border-box; }}
body {{
  margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 62rem; color: var(--ink);
  background: var(--paper); font: 1rem/1.55 system-ui, Helvetica, Arial, sans-serif;
}}
h1 {{ margin: 0; font-size: 1rem; font-weight: 600; color: var(--quiet); }}
.title {{ margin: .3rem 0 1.5rem; font-size: 1.7rem; overflow-x: auto; }}
h2 {{
  margin: 2.4rem 0 .6rem; padding-bottom: .25rem; font-size: 1.1rem;
  border-bottom: 1px solid var(--rule);
}}
figure {{
  position: relative; left: 50%; transform: translateX(-50%); width: fit-content;
  min-width: 100%; max-width: calc(100vw - 2.5rem);
  margin: 0 0 1rem; padding: .75rem; overflow-x: auto; text-align: center; background: #fff;
  color: {ink}; border: 1px solid var(--rule); border-radius: .6rem;
}}
figure svg {{ display: block; margin: auto; max-width: 100%; height: auto; }}
math {{
  font-size: 1.1em; math-style: normal;
  font-family: "STIX Two Math", "Latin Modern Math", "Cambria Math", math;
}}
.matrix {{
  --line: linear-gradient(currentColor 0 0); background-repeat: no-repeat;
  background-image: var(--line), var(--line), var(--line), var(--line), var(--line), var(--line);
  background-position: 0 0, 0 0, 0 100%, 100% 0, 100% 0, 100% 100%;
  background-size: .4em 1.5px, 1.5px 100%, .4em 1.5px, .4em 1.5px, 1.5px 100%, .4em 1.5px;
}}
.matrix mtd {{ padding: .2em .4em; text-align: -moz-right; text-align: -webkit-right; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; }}
.scroll {{ overflow-x: auto; }}
.steps {{ width: 100%; }}
.steps td, .steps th {{ padding: .35rem .5rem; vertical-align: middle; }}
.steps th {{ width: 2.2rem; color: var(--quiet); font-weight: 400; font-size: .85rem; }}
.steps td:nth-child(2) {{ width: 4.5rem; text-align: right; }}
.steps tr:nth-child(odd) {{ background: var(--band); }}
.note {{ color: var(--quiet); font-size: .875rem; text-align: right; }}
.shapes {{ white-space: nowrap; }}
.gradients th, .gradients td {{ padding: .3rem 1.2rem; text-align: right; }}
.gradients tr + tr {{ border-top: 1px solid var(--rule); }}
.value {{ color: var(--value); }}
.gradient {{ color: var(--gradient); }}
.none {{ color: var(--quiet); }}
.frame {{ margin: 0 0 1rem; padding: 0; overflow: hidden; }}
.frame iframe {{ display: block; }}
.printed {{ display: none; }}
@media (max-width: 40rem) {{
  .title {{ font-size: 1.3rem; }}
  .steps, .gradients, p {{ overflow-x: auto; }}
  .steps, .gradients {{ display: block; }}
  .shapes {{ white-space: normal; }}
  .steps td:nth-child(2) {{ width: auto; }}
  .gradients th, .gradients td {{ padding: .3rem .6rem; }}
}}
@media print {{ .frame {{ display: none; }} .printed {{ display: block; border: 0; }} }}
"""


def page(
    title: str, heading: str, formula: str, picture: str, body: str, style: Style, scripts: str
) -> str:
    """Return a whole page.

    Parameters
    ----------
    title, heading : str
        Plain text, for the window and for the first line.
    formula, body : str
        HTML.
    picture : str
        HTML: figures.
    style : Style
        Where the colours come from.
    scripts : str
        What of scripts the policy allows: a hash, or ``'none'``.
    """
    css = _CSS.format(
        ink=style.ink, quiet=style.quiet, background=style.background, rule=style.rule,
        value=style.value, gradient=style.gradient, band=style.clusters[0],
    )  # fmt: skip
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY.format(scripts=scripts)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{css}</style>\n</head>\n<body>\n<main>\n"
        f'<h1>{escape(heading)}</h1>\n<div class="title">{formula}</div>\n'
        f"{picture}\n{body}\n</main>\n</body>\n</html>\n"
    )


def figures(explorer: str, svg: str) -> str:
    """Return the explorer for the screen, and the picture for paper."""
    return f'<figure class="frame">{explorer}</figure>\n<figure class="printed">{svg}</figure>'


def allowed_script(page: str) -> str:
    """Return the hash of the script that the policy of an explorer's page allows."""
    found = _SCRIPT.search(page)
    assert found is not None
    return found.group(1)


def inline_svg(svg: bytes, label: str) -> str:
    """Return a rendered picture as an element of a page, with words for screen readers.

    It shrinks to the width of the page, but no further than can be read.
    """
    element = _PROLOGUE.sub("", svg.decode("utf-8")).strip()
    width = _WIDTH.search(element)
    least = f"{float(width.group(1)) * SMALLEST:.0f}pt" if width else "0"
    more = f'role="img" aria-label="{escape(label)}" style="min-width: {least}" '
    return element.replace("<svg ", f"<svg {more}", 1)
