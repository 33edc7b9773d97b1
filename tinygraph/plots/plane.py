"""decision_boundary: which part of the plane a model gives to which class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.errors import DtypeError, ShapeError, UsageError, compose_message, describe
from ..core.evaluation import evaluation
from ..core.modes import get_default_dtype, no_grad
from ..core.storage import Array
from ..core.tensor import Tensor
from ..extras import require
from ..nn.module import Module
from ..ops.operands import integers, whole
from .canvas import MARKS, SERIES, STYLE, axes_for, bare, legend
from .values import shaped

TINT = 0.84
"""How much white is in the colour of a region."""


def decision_boundary(
    model: Any, x: Any = None, y: Any = None, ax: Any = None, *,
    limits: tuple[float, float, float, float] | None = None, names: Sequence[str] | None = None,
    fill: bool = True, linestyle: str = "-", steps: int = 240, threshold: float = 0.0,
    alpha: float = 0.8, title: str | None = None,
) -> Any:  # fmt: skip
    """Draw the regions that a classifier of points (x₁, x₂) makes, their border, and points.

    Parameters
    ----------
    model : Module or function, or None
        Gets points (M, 2), of the default dtype if it is a function. A floating result (M,) or
        (M, 1) is a logit, class 1 above ``threshold``; (M, C) are scores of C classes;
        integers (M,) are the classes. A module runs in evaluation mode. None draws the points
        alone.
    x : array (N, 2), optional
        Points to show; of the model's dtype, or it is converted.
    y : array of int (N,), optional
        Their classes; each has a colour and a mark.
    ax : matplotlib.axes.Axes, optional
    limits : (x low, x high, y low, y high), optional
        By default those of the points, with a margin.
    names : sequence of str, optional
        Names of the classes, for a legend.
    fill : bool
        Whether regions are tinted, or only the border is drawn.
    linestyle : str
        Of the border.
    steps : int
        The plane is asked at ``steps × steps`` points.
    threshold : float
        0.5 for a model that gives probabilities.
    alpha : float
        Opacity of the points.
    title : str, optional

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ShapeError
        If points are not (N, 2), or the model's result is none of the above.
    UsageError
        If there are neither points nor limits.

    Examples
    --------
    >>> import numpy as np, tinygraph as tg
    >>> x = np.array([[-1.0, 0.0], [1.0, 0.5]], np.float32)
    >>> ax = tg.plots.decision_boundary(tg.nn.Linear(2, 1), x, [0, 1], names=["left", "right"])
    >>> [float(round(v, 2)) for v in ax.get_xlim()]
    [-1.16, 1.16]
    """
    who = "decision_boundary"
    points = None if x is None else shaped(who, "x", x, 2)
    labels = _labels(points, y)
    box = _box(points, limits)
    if model is not None:
        whole(f"plots.{who}", "steps", steps, least=2)
        across = np.linspace(box[0], box[1], steps)
        up = np.linspace(box[2], box[3], steps)
        grid = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
        margins = {
            c: wins.reshape(steps, steps) for c, wins in margins_of(model, grid, threshold).items()
        }
    ax = axes_for(who, ax, 4.0, 4.0)
    bare(ax, title)
    ax.spines[:].set(visible=True, color=STYLE.rule)
    if model is not None:
        _draw_regions(ax, across, up, margins, fill, linestyle)
    if points is not None:
        _draw_points(ax, points, labels, names, alpha)
    ax.set(xlim=box[:2], ylim=box[2:], aspect="equal")
    return ax


def margins_of(model: Any, points: Array, threshold: float = 0.0) -> dict[int, Array]:
    """Return for each class by how much it wins at each point (M,): it has the points above 0."""
    answer = answers(model, points)
    if answer.shape == (len(points),) and answer.dtype.kind in "iub":
        return {int(c): (answer == c) - 0.5 for c in np.unique(answer)}
    if answer.dtype.kind == "f" and answer.ndim <= 2 and len(answer) == len(points):
        if answer.size == len(points):
            logit = answer.reshape(-1) - threshold
            return {0: -logit, 1: logit}
        if answer.size:
            others = [np.delete(answer, c, axis=1).max(axis=1) for c in range(answer.shape[1])]
            return {c: answer[:, c] - best for c, best in enumerate(others)}
    raise ShapeError(
        compose_message(
            "plots.decision_boundary: for M points a model gives logits (M,) or (M, 1), "
            "scores (M, C), or classes (M,) as integers",
            f"{describe(answer)} for M = {len(points)}",
        )
    )


def answers(model: Any, points: Array) -> Array:
    """Run a model (in evaluation mode, in its dtype) or a function, without recording."""
    if not callable(model):
        raise UsageError(
            compose_message(
                "plots.decision_boundary: model is a module or a function", describe(model)
            )
        )
    with no_grad():
        if isinstance(model, Module):
            dtype = next((p.dtype for p in model.parameters()), np.float32)
            with evaluation(model):
                answer = model(points.astype(dtype))
        else:
            answer = model(points.astype(get_default_dtype()))
    return answer.data if isinstance(answer, Tensor) else np.asarray(answer)


def _labels(points: Array | None, y: Any) -> Array | None:
    if points is not None and points.shape[1] != 2:
        raise ShapeError(
            compose_message(
                "plots.decision_boundary: points are (N, 2)", describe(points), "x[:, :2]"
            )
        )
    if y is None:
        return None
    labels = y.data if isinstance(y, Tensor) else np.asarray(y)
    labels = np.asarray(integers("plots.decision_boundary: y", labels))
    if points is None or labels.shape != (len(points),):
        raise ShapeError(
            compose_message(
                "plots.decision_boundary: y has one class for each point of x",
                f"{describe(labels)} for {'no' if points is None else len(points)} points",
            )
        )
    if labels.min() < 0:
        raise DtypeError(f"plots.decision_boundary: classes count from 0. Received {labels.min()}.")
    return labels


def _box(points: Array | None, limits: Any) -> tuple[float, ...]:
    if limits is not None:
        box = tuple(float(v) for v in limits)
        if len(box) != 4 or not (box[0] < box[1] and box[2] < box[3]):
            raise UsageError(
                f"plots.decision_boundary: limits are x low, x high, y low, y high. Received {box}."
            )
        return box
    if points is None:
        raise UsageError(
            "plots.decision_boundary wants points or limits. Fix: limits=(-1, 1, -1, 1)."
        )
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.08 * max(float((high - low).max()), 1e-9)
    return (low[0] - margin, high[0] + margin, low[1] - margin, high[1] + margin)


def _draw_regions(
    ax: Any, across: Array, up: Array, margins: dict[int, Array], fill: bool, linestyle: str
) -> None:
    present = [c for c, wins in margins.items() if (wins > 0).any()]
    for c in present:
        wins = margins[c]
        if fill:
            color = tint(SERIES[c % len(SERIES)])
            ax.contourf(across, up, wins, levels=[0, wins.max() + 1], colors=[color])
        if c != present[0]:  # the border of the first is that of the others
            ax.contour(
                across, up, wins, levels=[0], colors=STYLE.line, linewidths=1.0,
                linestyles=linestyle,
            )  # fmt: skip


def tint(color: str) -> Any:
    """Return a colour mixed with white."""
    rgb = np.array(require("matplotlib.colors", "viz").to_rgb(color))
    return tuple(TINT + (1 - TINT) * rgb)


def _draw_points(
    ax: Any, points: Array, labels: Array | None, names: Sequence[str] | None, alpha: float
) -> None:
    if labels is None:
        labels = np.full(len(points), len(SERIES) - 1)
        names = None
    for c in np.unique(labels):
        named = None if names is None or c >= len(names) else names[c]
        ax.scatter(
            *points[labels == c].T, s=14, marker=MARKS[c % len(MARKS)], alpha=alpha, linewidths=0,
            color=SERIES[c % len(SERIES)], label=named,
        )  # fmt: skip
    if names is not None:
        legend(ax, loc="upper right")
