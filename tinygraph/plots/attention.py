"""attention: which element looks at which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..core.errors import ShapeError, UsageError, compose_message
from .canvas import axes_for, tidy
from .heat import scale_bar, shares, write_cells
from .values import shaped


def attention(
    weights: Any, ax: Any = None, *, queries: Sequence[Any] | None = None,
    keys: Sequence[Any] | None = None, title: str | None = None,
) -> Any:  # fmt: skip
    """Draw an attention map: each row is a query, and its weights over the keys add up to 1.

    Parameters
    ----------
    weights : Tensor or array, shape (L, S)
        Of one example and one head: ``w[0]`` of what ``nn.MultiheadAttention`` returns.
    ax : matplotlib.axes.Axes, optional
    queries, keys : sequence, optional
        What the elements are, a space as ␣; ``keys`` are the queries by default
        (self-attention).
    title : str, optional

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ShapeError
        If there is more than one map, or not one name for each row and column.
    UsageError
        If a weight is negative.

    Examples
    --------
    >>> import tinygraph as tg
    >>> ax = tg.plots.attention([[1.0, 0.0], [0.5, 0.5]], queries="ab")
    >>> [label.get_text() for label in ax.get_xticklabels()]
    ['a', 'b']
    """
    fix = "weights[0] of a batch, weights[0, 0] with heads"
    table = shaped("attention", "weights", weights, 2, fix=fix)
    if (table < 0).any():
        raise UsageError(
            compose_message(
                "plots.attention: weights are not negative",
                f"a smallest weight of {table.min():g}",
                "F.softmax(scores, axis=-1), or plots.weights for signed numbers",
            )
        )
    if keys is None and queries is not None and table.shape[0] == table.shape[1]:
        keys = queries
    rows, columns = table.shape
    ax = axes_for("attention", ax, min(0.32 * columns + 1.6, 7.0), min(0.32 * rows + 1.0, 7.0))
    image = ax.imshow(table, cmap=shares(), vmin=0, interpolation="nearest")
    tidy(ax, title, "key: looked at", "query: looks")
    ax.spines[:].set_visible(False)
    _name(ax.set_xticks, keys, columns, "keys")
    _name(ax.set_yticks, queries, rows, "queries")
    write_cells(ax, table, float(table.max()), 6, lambda share: f"{share:.2f}")
    scale_bar(ax, image)
    return ax


def _name(set_ticks: Any, names: Sequence[Any] | None, n: int, which: str) -> None:
    if names is None:
        return
    labels = [str(name).replace(" ", "␣") for name in names]
    if len(labels) != n:
        raise ShapeError(f"plots.attention: {len(labels)} {which} for {n} rows or columns.")
    set_ticks(range(n), labels, parse_math=False)
