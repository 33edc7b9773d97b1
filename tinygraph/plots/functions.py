"""activation_curves: a function of one number, and its derivative by autodiff."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import ShapeError, UsageError, compose_message, describe
from ..core.evaluation import evaluation
from ..core.grad import grad
from ..core.modes import enable_grad
from ..core.storage import Array
from ..core.tensor import Tensor
from ..nn.module import Module
from ..ops.operands import whole
from .canvas import STYLE, axes_for, legend, tidy

JUMP = 0.02
"""Neighbours further apart than this share of the whole range are not joined by a line."""


def activation_curves(
    f: Any, ax: Any = None, *, low: float = -5.0, high: float = 5.0, order: int = 1,
    points: int = 1001, title: str | None = None,
) -> Any:  # fmt: skip
    """Draw σ(z) and σ′(z); the derivative is not a formula but a backward pass.

    A jump, such as that of relu′ at 0, is not joined.

    Parameters
    ----------
    f : Module or function of a tensor
        Elementwise.
    ax : matplotlib.axes.Axes, optional
    low, high : float
        The interval of z.
    order : int
        How many derivatives to draw: 0, 1 or 2.
    points : int
        How many places are computed.
    title : str, optional
        The function's name by default.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ShapeError
        If f is not elementwise.
    UsageError
        If f cannot be called, or the interval is empty.

    Examples
    --------
    >>> import tinygraph as tg
    >>> ax = tg.plots.activation_curves(tg.nn.Tanh())
    >>> [line.get_label() for line in ax.get_lines()[-2:]]
    ['σ(z)', 'σ′(z)']
    """
    if not callable(f):
        fix = "tg.relu, or nn.ReLU()"
        raise UsageError(
            compose_message("plots.activation_curves takes a function", describe(f), fix)
        )
    if not -np.inf < low < high < np.inf:
        raise UsageError(
            f"plots.activation_curves: low is below high, both finite. Received {low!r}, {high!r}."
        )
    if whole("plots.activation_curves", "order", order) > 2:
        raise UsageError(f"plots.activation_curves: order is 0, 1 or 2. Received {order}.")
    n = whole("plots.activation_curves", "points", points, least=2)
    z, curves = _derivatives(f, np.linspace(low, high, n), order)
    ax = axes_for("activation_curves", ax)
    tidy(ax, title or _name_of(f), "z")
    for at in (ax.axhline, ax.axvline):
        at(0, color=STYLE.rule, linewidth=0.8, zorder=0)
    looks = ((STYLE.value, "-"), (STYLE.gradient, "--"), (STYLE.negative, ":"))
    names = ("σ(z)", "σ′(z)", "σ″(z)")
    for values, name, (color, dash) in zip(curves, names, looks, strict=False):
        ax.plot(*_broken(z, values), color=color, linestyle=dash, linewidth=1.8, label=name)
    ax.set_xlim(low, high)
    if order:
        legend(ax)
    return ax


def _derivatives(f: Any, places: Array, order: int) -> tuple[Array, list[Array]]:
    """Return z, then f(z) and its derivatives, each the gradient of the sum of the one before."""
    if isinstance(f, Module):
        places = places.astype(next((p.dtype for p in f.parameters()), np.float64))
        with evaluation(f):
            return places, _gradients(f, places, order)
    return places, _gradients(f, places, order)


def _gradients(f: Any, places: Array, order: int) -> list[Array]:
    with enable_grad():
        z = Tensor(places, requires_grad=True)
        y = f(z)
        if not isinstance(y, Tensor) or y.shape != z.shape:
            raise ShapeError(
                compose_message(
                    "plots.activation_curves: f is elementwise, a tensor in, one of its shape out",
                    describe(y),
                )
            )
        found = [y]
        for _ in range(order):
            (slope,) = grad(found[-1].sum(), [z], create_graph=True)
            found.append(slope)
    return [t.data for t in found]


def _broken(x: Array, y: Array) -> tuple[Array, Array]:
    """Return the curve with a gap at each jump."""
    finite = y[np.isfinite(y)]
    reach = np.ptp(finite) if len(finite) else 0.0
    steps = np.abs(np.diff(y))
    ordinary = np.median(steps[np.isfinite(steps)]) if np.isfinite(steps).any() else 0.0
    jumps = np.flatnonzero(steps > max(JUMP * reach, 20 * ordinary)) + 1
    return np.insert(x, jumps, np.nan), np.insert(y, jumps, np.nan)


def _name_of(f: Any) -> str:
    if isinstance(f, Module):
        return f"{type(f).__name__}({f.extra_repr()})" if f.extra_repr() else type(f).__name__
    return str(getattr(f, "name", None) or getattr(f, "__name__", "σ"))
