"""Take the pictures of the explorer's page for the README and the guide into docs/images.

Run as ``python -m tools.make_screenshots`` (or ``make screenshots``); needs Chromium. The files
are committed; they change only when the page does.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

import tinygraph as tg
from tinygraph import nn
from tools.chromium import Browser

FOLDER = Path(__file__).parent.parent / "docs" / "images"
WIDTH, HEIGHT = 1120, 640


def fork() -> tg.Tensor:
    """Return a graph in which edges meet."""
    a, b = tg.variables(a=2, b=-3)
    f = a * b + tg.exp(a) * a
    f.name = "f"
    return f


def transformer() -> tg.Tensor:
    """Return the loss of two transformer blocks between an embedding and a linear layer."""
    tg.manual_seed(0)
    model = nn.Sequential(
        nn.Embedding(20, 16), nn.TransformerBlock(16, 4, 32), nn.TransformerBlock(16, 4, 32),
        nn.Linear(16, 20),
    )  # fmt: skip
    tokens, following = tg.tensor(np.arange(12), name="tokens"), tg.tensor(np.arange(1, 13))
    following.name = "following"
    loss = nn.functional.cross_entropy(model(tokens[None])[0], following)
    loss.name = "loss"
    return loss


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        browser = Browser(Path(folder))
        try:
            browser.size(WIDTH, HEIGHT)
            browser.prefer(prefers_color_scheme="light", prefers_reduced_motion="reduce")
            tg.explore(fork(), page)
            browser.open(page)
            browser.press("End", "ArrowLeft", "ArrowLeft")
            browser.screenshot(FOLDER / "explore.png")
            browser.prefer(prefers_color_scheme="dark", prefers_reduced_motion="reduce")
            tg.explore(transformer(), page)
            browser.open(page)
            browser.press("g", "End", "ArrowLeft")
            browser.screenshot(FOLDER / "explore_dark.png")
        finally:
            browser.close()


if __name__ == "__main__":
    main()
