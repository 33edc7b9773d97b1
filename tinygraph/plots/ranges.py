"""activation_ranges: how far the values of each layer spread."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import ShapeError, UsageError, compose_message, describe
from ..core.evaluation import evaluation
from ..core.modes import enable_grad
from ..core.storage import Array
from ..core.tensor import Tensor
from ..nn.module import Module
from ..nn.outputs import module_outputs
from ..viz.text import number
from .canvas import STYLE, axes_for, tidy, type_of


def activation_ranges(model: Any, x: Any, ax: Any = None, *, title: str | None = None) -> Any:
    """Draw the range of each module's output for a batch, from the first layer down to the last.

    The thin line goes from the smallest to the largest value (both are written on the right),
    the bar holds the middle half, and the tick is the median. The model runs in evaluation
    mode.

    Parameters
    ----------
    model : Module
    x : Tensor or array
        A batch; floating arrays are converted to the model's dtype.
    ax : matplotlib.axes.Axes, optional
    title : str, optional

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    UsageError
        If ``model`` is not a module, or nothing of it was recorded.
    ShapeError
        If the batch is empty.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> ax = tg.plots.activation_ranges(nn.MLP([2, 8, 1]), tg.randn(100, 2))
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['0 Linear', '1 ReLU', '2 Linear']
    """
    rows = outputs_of(model, x)
    ax = axes_for("activation_ranges", ax, 5.2, 0.32 * len(rows) + 0.9)
    places = np.arange(len(rows))
    for place, (_, values) in zip(places, rows, strict=True):
        low, first, middle, third, high = np.percentile(values, [0, 25, 50, 75, 100])
        ax.plot([low, high], [place, place], color=STYLE.value, linewidth=1.2)
        ax.barh(place, third - first, left=first, height=0.5, color=STYLE.leaf, zorder=2,
                edgecolor=STYLE.value, linewidth=1.2)  # fmt: skip
        ax.plot([middle, middle], [place - 0.25, place + 0.25], color=STYLE.ink, linewidth=2.2,
                zorder=3, solid_capstyle="butt")  # fmt: skip
        ax.annotate(
            f"{number(low, 3)} … {number(high, 3)}", (1.02, place), va="center",
            xycoords=("axes fraction", "data"), annotation_clip=False, **type_of(color=STYLE.quiet),
        )  # fmt: skip
    tidy(ax, title, "value")
    ax.axvline(0, color=STYLE.rule, linewidth=0.8, zorder=0)
    ax.set_yticks(places, [name for name, _ in rows], parse_math=False)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    return ax


def outputs_of(model: Any, x: Any) -> list[tuple[str, Array]]:
    """Return a name and the values of each module's output for a batch, in order."""
    if not isinstance(model, Module):
        raise UsageError(compose_message("plots.activation_ranges takes a module", describe(model)))
    with enable_grad(), evaluation(model):
        result = model(_batch(model, x))
        found = module_outputs(model, result) if isinstance(result, Tensor) else []
    if not found:
        raise UsageError(
            "plots.activation_ranges: nothing was recorded. Fix: a model with a module that "
            "makes its result from x, and a parameter or an input that requires grad."
        )
    rows = []
    for path, module, made in found:
        values = made.data.astype(np.float64).reshape(-1)
        if not values.size:
            raise ShapeError(
                f"plots.activation_ranges: a batch has values. Received {describe(x)}."
            )
        rows.append((_label(path, type(module).__name__), values))
    return rows


def _label(path: str, kind: str) -> str:
    return kind if path == kind else f"{path} {kind}"


def _batch(model: Module, x: Any) -> Tensor:
    """Return the batch as a leaf that requires grad if it can, so that everything is recorded."""
    array = x.data if isinstance(x, Tensor) else np.asarray(x)
    if array.dtype.kind != "f":
        return Tensor(array)
    dtype = next((p.dtype for p in model.parameters() if p.dtype.kind == "f"), array.dtype)
    return Tensor(array.astype(dtype), requires_grad=True)
