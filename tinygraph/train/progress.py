"""A calm progress bar on the terminal, or none."""

from __future__ import annotations

import sys
from typing import Any

from ..extras import MissingExtraError, require


class Progress:
    """One bar for the whole run, counted in batches; silent where nobody looks.

    Parameters
    ----------
    wanted : bool
    epochs, batches : int
        Epochs of the run, and batches in each.
    done : int
        Batches that were done before.
    """

    def __init__(self, wanted: bool, epochs: int, batches: int, done: int) -> None:
        self._epochs = epochs
        self._seen = wanted and someone_looks()
        self._bar: Any = None
        if self._seen:
            try:
                tqdm = require("tqdm", "train").tqdm
            except MissingExtraError as error:
                say(f"No progress bar. {error}")
                return
            self._bar = tqdm(
                total=epochs * batches, initial=done, unit="batch", file=sys.stderr,
                mininterval=0.5, dynamic_ncols=True,
            )  # fmt: skip

    def epoch(self, number: int) -> None:
        """Show the number of the epoch that begins."""
        if self._bar is not None:
            self._bar.set_description(f"epoch {number}/{self._epochs}", refresh=False)

    def batch(self) -> None:
        """Count a batch."""
        if self._bar is not None:
            self._bar.update()

    def row(self, row: dict[str, Any]) -> None:
        """Show the results of an epoch."""
        if self._bar is not None:
            shown = {n: v for n, v in row.items() if n not in ("epoch", "seconds", "lr")}
            self._bar.set_postfix({n: f"{v:.4g}" for n, v in shown.items()}, refresh=False)

    def tell(self, line: str) -> None:
        """Say something above the bar, if someone looks."""
        if self._bar is not None:
            self._bar.write(f"tinygraph: {line}", file=sys.stderr)
        elif self._seen:
            say(line)

    def close(self) -> None:
        """Leave the bar as it is."""
        if self._bar is not None:
            self._bar.close()


def someone_looks() -> bool:
    """Tell whether the standard error output is a terminal or a notebook."""
    return bool(sys.stderr) and (sys.stderr.isatty() or _in_notebook())


def _in_notebook() -> bool:
    """Tell whether this is the process of a notebook (others may have imported its packages)."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


def say(line: str) -> None:
    """Tell the user something that no result can carry in time."""
    if sys.stderr:
        print(f"tinygraph: {line}", file=sys.stderr)
