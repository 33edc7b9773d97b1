"""gradient_flow: how large gradients are from the last layer to the first, in words too."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..core.errors import UsageError, compose_message, describe
from ..core.grad import grad
from ..core.sizes import EXPLODING, VANISHING
from ..core.storage import Array
from ..core.tensor import Tensor
from ..ops.creation import check_finite
from .module import Module
from .outputs import module_outputs

RELUS = {"relu"}
"""Ops whose units are dead where the result is 0 for a whole batch."""

SMALL_BATCH, DEAD_SHARE = 8, 0.1
"""Below so many inputs, a unit that is 0 for all of them says little; some dead units are usual."""


@dataclass
class Flow:
    """The gradient of one parameter, or of one module's output.

    Attributes
    ----------
    name : str
        The parameter's path, or the module's.
    kind : str
        "parameter", or the class of the module.
    shape : tuple of int
    norm, rms : float
        √Σg² and √(Σg²/n) of the gradient; nan where there is none.
    reached : bool
        Whether there is a gradient at all.
    size : float
        √(Σx²/n) of the value itself.
    dead : float or None
        For the result of a ReLU: the share of units that are 0 for every input of the batch.
    words : list of str
        What is wrong with it.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    norm: float
    rms: float
    size: float
    reached: bool = True
    dead: float | None = None
    words: list[str] = field(default_factory=list)


@dataclass
class GradientFlow:
    """What :func:`gradient_flow` returns: it prints as a table, and its rows can be read.

    Attributes
    ----------
    parameters : list of Flow
        In order of registration.
    activations : list of Flow
        Outputs of modules, from first to last; empty without a loss.
    """

    parameters: list[Flow]
    activations: list[Flow]

    @property
    def problems(self) -> list[str]:
        """Every finding as a line: ``0.weight: vanishing, 2e-07 of …``; empty if all is well."""
        rows = (*self.parameters, *self.activations)
        return [f"{row.name}: {words}" for row in rows for words in row.words]

    def __getitem__(self, name: str) -> Flow:
        """Return the row of a parameter, or of the module whose output it is."""
        rows = {row.name: row for row in (*reversed(self.activations), *self.parameters)}
        if name not in rows:
            raise KeyError(f"no row {name!r}; there are {', '.join(rows)}")
        return rows[name]

    def __repr__(self) -> str:
        parts = [_table("Parameter", self.parameters)]
        parts += [_table("Output of", self.activations)] if self.activations else []
        found = len(self.problems)
        verdict = f"{found} finding{'s' * (found != 1)}." if found else "Nothing conspicuous."
        return "\n\n".join([*parts, verdict])


def gradient_flow(
    model: Module,
    loss: Tensor | None = None,
    vanishing: float = VANISHING,
    exploding: float = EXPLODING,
) -> GradientFlow:
    """Report the gradients of a model: norms, dead ReLUs, what vanishes and what explodes.

    A gradient vanishes or explodes relative to the last layer's: its root mean square is
    compared with that of the last of its kind (weight, bias, or output of a module).

    Parameters
    ----------
    model : Module
    loss : Tensor, optional
        A scalar that was computed with the model. The report then runs a backward pass of
        its own, leaves every ``.grad`` alone, and has the modules' outputs too. Without it,
        the report reads the ``.grad`` that ``loss.backward()`` left.
    vanishing, exploding : float
        Ratios below and above which a gradient is flagged.

    Returns
    -------
    GradientFlow
        Prints as a table; ``.problems`` has the findings in words, and
        ``tg.plots.gradient_flow`` draws it.

    Raises
    ------
    UsageError
        If there are no gradients yet, or ``model`` is not a module.
    GradientError, ShapeError
        If ``loss`` does not require grad, or is not a scalar.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph import nn
    >>> _ = tg.manual_seed(0)
    >>> deep = nn.MLP([4] * 30, activation=nn.Sigmoid)
    >>> flow = tg.gradient_flow(deep, deep(tg.randn(16, 4)).sum())
    >>> flow["0.weight"].words[0][:9]
    'vanishing'
    """
    if not isinstance(model, Module):
        raise UsageError(compose_message("gradient_flow takes a module", describe(model)))
    check_finite("gradient_flow", vanishing=vanishing, exploding=exploding)
    named = dict(model.named_parameters())
    if loss is None:
        gradients: list[Any] = [p.grad for p in named.values()]
        if named and all(g is None for g in gradients):
            raise UsageError(
                "gradient_flow: no parameter has a gradient yet. "
                "Fix: loss.backward() first, or gradient_flow(model, loss)."
            )
        outputs: list[tuple[str, Module, Tensor]] = []
    else:
        if not isinstance(loss, Tensor):
            raise UsageError(
                compose_message(
                    "gradient_flow: loss is a tensor", describe(loss), "criterion(model(x), y)"
                )
            )
        outputs = [row for row in module_outputs(model, loss) if row[2].requires_grad]
        targets = [*named.values(), *(t for _, _, t in outputs)]
        found = grad(loss, targets, allow_unused=True) if targets else ()
        gradients = [None if g is None else g.data for g in found]
    rows = [
        _flow(name, "parameter", p.data, g)
        for (name, p), g in zip(named.items(), gradients, strict=False)
    ]
    frozen = [not p.requires_grad for p in named.values()]
    activations = [
        _flow(name, type(module).__name__, t.data, g, t)
        for (name, module, t), g in zip(outputs, gradients[len(named) :], strict=True)
    ]
    judged = [row for row, is_frozen in zip(rows, frozen, strict=True) if not is_frozen]
    for like in (
        [row for row in judged if len(row.shape) > 1],
        [row for row in judged if len(row.shape) < 2],
        activations,
    ):
        _judge(like, vanishing, exploding)
    return GradientFlow(rows, activations)


def _flow(name: str, kind: str, value: Array, g: Any, made: Tensor | None = None) -> Flow:
    norm = math.nan if g is None else _norm(g)
    row = Flow(
        name=name,
        kind=kind,
        shape=value.shape,
        norm=norm,
        rms=norm / math.sqrt(value.size) if value.size else math.nan,
        size=_norm(value) / math.sqrt(value.size) if value.size else math.nan,
        reached=g is not None,
    )
    is_relu = made is not None and made.op is not None and made.op.name in RELUS
    if is_relu and value.ndim > 1 and len(value) > 1 and value.size:
        row.dead = float((value == 0).all(axis=0).mean())
        if len(value) >= SMALL_BATCH and row.dead >= DEAD_SHARE:
            row.words.append(f"dead ReLUs, {row.dead:.0%} are 0 for all {len(value)} inputs")
    return row


def _norm(x: Any) -> float:
    return float(np.linalg.norm(np.asarray(x, np.float64).reshape(-1)))


# ---- judging ------------------------------------------------------------------------------------


def _judge(rows: Sequence[Flow], vanishing: float, exploding: float) -> None:
    """Put into words what is wrong with gradients of one kind, beside the last usable one."""
    usable = [row for row in rows if math.isfinite(row.rms) and row.rms > 0]
    for row in rows:
        ratio = row.rms / usable[-1].rms if usable else 1.0
        if not math.prod(row.shape):
            continue
        if not row.reached:
            row.words.append("no gradient: not part of the loss")
        elif not math.isfinite(row.norm):
            row.words.append("not finite")
        elif row.norm == 0:
            row.words.append("zero: nothing flows here")
        elif ratio < vanishing:
            row.words.append(f"vanishing, {ratio:.0e} of {usable[-1].name}")
        elif ratio > exploding:
            row.words.append(f"exploding, {ratio:.0e} times {usable[-1].name}")


def _table(title: str, rows: Sequence[Flow]) -> str:
    lines: list[tuple[str, ...]] = [(title, "Shape", "Norm", "RMS", "RMS of value", "")]
    for row in rows:
        name = row.name if row.kind == "parameter" else f"{row.name} ({row.kind})"
        numbers = [f"{x:.2e}" for x in (row.norm, row.rms, row.size)]
        lines.append((name, str(row.shape), *numbers, "; ".join(row.words)))
    widths = [max(len(line[k]) for line in lines) for k in range(5)]
    return "\n".join(
        f"{line[0]:<{widths[0]}}  {line[1]:<{widths[1]}}  "
        + "  ".join(f"{line[k]:>{widths[k]}}" for k in (2, 3, 4))
        + (f"  {line[5]}" if line[5] else "")
        for line in lines
    )
