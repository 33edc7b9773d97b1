"""The numbers and the pictures of docs/backprop.md: computed by running the page's own code.

Run as ``python -m tools.backprop``: every number in the text is written anew from the library, and
every picture is drawn. A number that is not listed here is an error.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tinygraph as tg
from tinygraph.core.graph import graph
from tinygraph.viz.steps import Walk
from tinygraph.viz.text import number

DOCS = Path(__file__).parent.parent / "docs"
PAGE = DOCS / "backprop.md"
PICTURES = DOCS / "images" / "backprop"
NUDGE = 0.01

NUMBERS: dict[str, str] = {
    "1. One edge": """
        local(f, x); x; local(f, x);
        x; f; NUDGE; x + NUDGE; nudged(f, x); nudged(f, x) - f; local(f, x); local(f, x);
        grad(f); grad(f); local(f, x); grad(x)
        """,
    "2. A chain: gradients multiply": """
        local(u, x); local(u, x); local(f, u);
        local(u, x); NUDGE; nudged(u, x) - u; local(f, u); u; nudged(u, x) - u;
        local(f, u) * (nudged(u, x) - u); local(u, x); local(f, u); grad(x); nudged(f, x) - f;
        grad(u); local(u, x); grad(x)
        """,
    "3. Two inputs: every edge has a factor of its own": """
        x; y; z; z; q; local(q, x); grad(x)
        """,
    "4. Where edges meet, gradients add": """
        local(p, x); local(f, x); grad(x);
        local(p, x); local(f, x); local(p, x); local(f, x); grad(x)
        """,
    "5. A gate that is closed": """
        tg.relu(a); a; tg.relu(a); local(tg.relu(a), a); grad(f); b
        """,
    "6. A neuron": """
        0; 1; 1; f; f * (1 - f); grad(b); x; grad(w); grad(b); w; grad(x)
        """,
    "7. A layer: the same with matrices": """
        3; *G.shape; *X.shape; *W.shape; *X.T.shape; *G.shape;
        Z.shape[0]; 4; b.grad[0]; b.grad[1]
        """,
    "8. Two layers and a loss": """
        sum(p.size for p in model.parameters()); L;
        sum(p.size for p in model.parameters()); sum(p.size for p in model.parameters())
        """,
}
"""What stands in the text of each section, in order, as expressions over its variables."""

FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
FIGURE = re.compile(r"(?<![\w.])−?\d+(?:\.\d+)?")
TARGET = re.compile(r"\]\([^)]*\)")


def sections(text: str) -> Iterator[tuple[str, str]]:
    """Yield title and body of each numbered section."""
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        title, _, body = part.partition("\n")
        if title[0].isdigit():
            yield title, body


def prose(body: str) -> str:
    """Return a body in which code and link targets are blanks, of the same length."""
    for pattern in (FENCE, TARGET):
        body = pattern.sub(lambda m: " " * len(m.group()), body)
    return body


def run(body: str, names: dict[str, Any]) -> None:
    """Run the first piece of code of a section; its picture goes into the current folder."""
    found = FENCE.search(body)
    assert found is not None
    code = found.group().partition("\n")[2].removesuffix("```")
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(code, str(PAGE), "exec"), names)


def values(title: str, names: dict[str, Any]) -> list[str]:
    """Return the numbers of a section, as the page writes them."""
    output = names["L" if "L" in names else "f"]
    walk = Walk(output)

    def local(y: Any, x: Any) -> float:
        name = y.op.name
        return next(float(s.local) for s in walk.backward()
                    if s.source is x and s.forward.tensor.op.name == name)  # fmt: skip

    def nudged(y: Any, x: Any) -> float:
        fresh = (x.data + NUDGE).astype(x.dtype)
        return float(graph(y).evaluate(feed={x: fresh}))

    space = {**names, "NUDGE": NUDGE, "tg": tg, "local": local, "nudged": nudged,
             "grad": lambda t: walk.flow.gradients[t].item(),
             "G": walk.flow.gradients.get(names.get("Y"))}  # fmt: skip
    found = eval("[" + NUMBERS[title].strip().replace(";", ",") + "]", space)
    return [number(round(float(v), 6)) for v in found]


def computed(text: str, folder: Path) -> str:
    """Return the page with its numbers written anew; the pictures are drawn into ``folder``.

    Raises
    ------
    ValueError
        If a section has more or fewer numbers than are listed.
    """
    names: dict[str, Any] = {}
    with contextlib.chdir(folder):
        for title, body in sections(text):
            run(body, names)
            plain = prose(body)
            figures = list(FIGURE.finditer(plain))
            wanted = values(title, names)
            if len(figures) != len(wanted):
                raise ValueError(
                    f"{title}: {len(figures)} numbers, {len(wanted)} listed: "
                    f"{[m.group() for m in figures]} and {wanted}"
                )
            fresh = body
            for match, value in reversed(list(zip(figures, wanted, strict=True))):
                fresh = fresh[: match.start()] + value + fresh[match.end() :]
            text = text.replace(body, fresh)
    return text


def main() -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(computed(PAGE.read_text(encoding="utf-8"), PICTURES), encoding="utf-8")
    print(PAGE, *sorted(PICTURES.iterdir()), sep="\n")


if __name__ == "__main__":
    main()
