"""Draw the pictures of the README and the guide into docs/images.

Run as ``python -m tools.make_pictures`` (or ``make pictures``). The files are committed; they
change only when the drawing does, or Graphviz.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import tinygraph as tg
from tinygraph import nn
from tinygraph.viz import draw
from tinygraph.viz.drawing import Drawing
from tools import backprop, plot_sheet

FOLDER = Path(__file__).parent.parent / "docs" / "images"


def circuit() -> Drawing:
    """Draw f = (x + y) · z with its values and gradients."""
    x, y, z = tg.variables(x=-2, y=5, z=-4)
    f = (x + y) * z
    f.name = "f"
    f.backward()
    return draw(f)


def quickstart() -> Drawing:
    """Draw the circuit of the quick start."""
    a, b, c = tg.variables(a=-2, b=5, c=-4)
    f = (a + b) * c
    f.backward()
    return draw(f, names={"f": f})


def model() -> Drawing:
    """Draw the network of the README and its loss, as modules and shapes."""
    tg.manual_seed(0)
    network = nn.Linear(2, 16) >> nn.ReLU() >> nn.Linear(16, 2)
    x, label = tg.rand(300, 2), tg.randint(2, shape=300)
    x.name, label.name = "x", "label"
    loss = nn.functional.cross_entropy(network(x), label)
    loss.name = "loss"
    return draw(loss, view="architecture")


PICTURES: dict[str, Callable[[], Drawing]] = {
    "circuit": circuit,
    "quickstart": quickstart,
    "model": model,
}


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, picture in PICTURES.items():
        print(picture().render(FOLDER / f"{name}.svg"))
    backprop.main()
    plot_sheet.main(FOLDER)


if __name__ == "__main__":
    main()
