"""What a training run looked like: one row for each epoch."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..core.errors import UsageError, compose_message, describe
from ..plots import loss_curves

WHOLE = ("epoch",)


class History:
    """The rows of a training run: losses, metrics, learning rate and seconds of each epoch.

    Attributes
    ----------
    rows : list of dict
        One for each complete epoch. ``loss`` and the metrics are means over the training
        samples while the model learned; ``val_loss`` and so on are those of the validation
        data after the epoch.
    stopped : str
        Why training ended before the last epoch, "" if it did not.

    Examples
    --------
    >>> import tinygraph as tg
    >>> history = tg.History([{"epoch": 1, "loss": 2.0}, {"epoch": 2, "loss": 1.5}])
    >>> history["loss"], history.last["loss"], len(history)
    ([2.0, 1.5], 1.5, 2)
    >>> history
    History(2 epochs)
    epoch  loss
        1     2
        2   1.5
    """

    def __init__(
        self, rows: list[dict[str, Any]] | None = None, better: Mapping[str, str] | None = None
    ) -> None:
        self.rows: list[dict[str, Any]] = [] if rows is None else list(rows)
        self.stopped = ""
        self._better = {"loss": "min", **(better or {})}

    # ---- reading -----------------------------------------------------------------------------

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(dict.fromkeys(name for row in self.rows for name in row))

    def __getitem__(self, name: str) -> list[Any]:
        """Return a column, or raise with the names that there are; nan where a row lacks it."""
        if name not in self.columns:
            raise UsageError(
                compose_message(
                    "A history has the columns " + (", ".join(self.columns) or "of no epoch yet"),
                    repr(name),
                )
            )
        return [row.get(name, math.nan) for row in self.rows]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)

    @property
    def last(self) -> dict[str, Any]:
        """The row of the last complete epoch."""
        self._check_not_empty()
        return self.rows[-1]

    def best(self, name: str = "", mode: str = "") -> dict[str, Any]:
        """Return the row of the best epoch, the first one of equals.

        Parameters
        ----------
        name : str
            The column; by default ``val_loss``, or ``loss`` without validation.
        mode : {"min", "max"}
            Whether small or large is good; known for losses and the metrics of tinygraph.

        Raises
        ------
        UsageError
            For an unknown column, an unknown mode, or no epoch.
        """
        self._check_not_empty()
        name = name or ("val_loss" if "val_loss" in self.columns else "loss")
        sign = 1 if checked_mode("History.best", mode or self.better(name), name) == "max" else -1
        values = [sign * v if v == v else -math.inf for v in self[name]]
        return self.rows[int(np.argmax(values))]

    def better(self, name: str) -> str:
        """Return whether small ("min") or large ("max") is good in a column, "" if unknown."""
        return self._better.get(name.removeprefix("val_"), "")

    def _check_not_empty(self) -> None:
        if not self.rows:
            raise UsageError("This history has no complete epoch.")

    # ---- elsewhere ---------------------------------------------------------------------------

    def to_dict(self) -> dict[str, list[Any]]:
        """Return the columns by name, such as pandas.DataFrame takes them."""
        return {name: self[name] for name in self.columns}

    def to_csv(self, path: Any) -> None:
        """Write the rows as comma-separated values, with a line of names."""
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self.columns)
            writer.writeheader()
            writer.writerows(self.rows)

    def plot(self, ax: Any = None, columns: Any = None) -> Any:
        """Draw columns against the epoch with ``tg.plots.loss_curves``, and return the axes.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.
        columns : list of str, optional
            By default ``loss`` and ``val_loss``.

        Raises
        ------
        UsageError
            For an unknown column.
        MissingExtraError
            Without matplotlib.
        """
        names = [columns] if isinstance(columns, str) else columns
        if names is None:
            names = [name for name in ("loss", "val_loss") if name in self.columns]
        curves: Any = {name: self[name] for name in names}
        if len(names) == 1:
            return loss_curves(curves[names[0]], ax, ylabel=names[0])
        same = all(name.removeprefix("val_") == "loss" for name in names)
        return loss_curves(curves, ax, ylabel="loss" if same else "")

    def __repr__(self) -> str:
        count = f"{len(self.rows)} epoch{'' if len(self.rows) == 1 else 's'}"
        head = f"History({count}{f'; {self.stopped}' if self.stopped else ''})"
        shown = self.rows if len(self.rows) <= 10 else [*self.rows[:4], {}, *self.rows[-5:]]
        names = self.columns
        table = [names, *([_cell(row.get(n, "…")) for n in names] for row in shown)]
        widths = [max(len(line[i]) for line in table) for i in range(len(names))]
        lines = [
            "  ".join(f"{cell:>{w}}" for cell, w in zip(line, widths, strict=True))
            for line in table
        ]
        return "\n".join([head, *lines] if self.rows else [head])

    # ---- state -------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Return the columns as arrays.

        Raises
        ------
        UsageError
            If a callback wrote something else than a number into a row.
        """
        columns = {}
        for name, column in self.to_dict().items():
            try:
                columns[name] = np.array(column, np.float64)
            except (TypeError, ValueError) as error:
                raise UsageError(
                    f"A history has numbers in its rows. Received {describe(column[-1])} in the "
                    f"column {name!r}. Fix: run.row[{name!r}] = float(…)."
                ) from error
        return columns

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over the rows of a state of :meth:`state_dict`."""
        columns = {
            name: [int(v) if name in WHOLE else float(v) for v in column]
            for name, column in state_dict.items()
        }
        rows = zip(*columns.values(), strict=True)
        self.rows = [dict(zip(columns, row, strict=True)) for row in rows]


def checked_mode(who: str, mode: Any, name: str) -> str:
    """Return "min" or "max", or raise: nothing says which values of ``name`` are good."""
    if mode not in ("min", "max"):
        raise UsageError(
            f"{who}: mode says whether small or large values of {name!r} are good. "
            f"Received {mode!r}. Fix: mode='min' or mode='max'."
        )
    return str(mode)


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
