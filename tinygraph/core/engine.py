"""The backward loop: gradients carried through the graph, newest node first.

It runs over arrays, which is fast, or over tensors, which gives gradients of any order.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from operator import attrgetter
from typing import Any

import numpy as np
from numpy import add, ndarray

from .errors import GradientError, TinygraphError, VersionError, compose_message, describe
from .layout import is_channels_last, mixed
from .modes import current_modes, modes
from .storage import Storage
from .structure import cast_to, repack, summed_to
from .tensor import Tensor

Gradients = dict[Tensor, Any]
INDEX = attrgetter("index")
NOT_RECORDING = nullcontext()
"""Rules that run on arrays record nothing; no mode need be set."""


def collect(roots: Sequence[Tensor]) -> tuple[list[Tensor], set[Tensor]]:
    """Return the results below ``roots`` that require grad, newest first, and all reached."""
    reached = {root for root in roots if root._requires_grad}
    order = [root for root in reached if root.op is not None]
    for t in order:  # which grows meanwhile
        for x in t.inputs:
            if isinstance(x, Tensor) and x._requires_grad and x not in reached:
                reached.add(x)
                if x.op is not None:
                    order.append(x)
    order.sort(key=INDEX, reverse=True)
    return order, reached


def paths_to(order: list[Tensor], reached: set[Tensor], targets: set[Tensor]) -> set[Tensor]:
    """Return the tensors that lie on a path from a target to a root."""
    relevant = targets & reached
    for t in reversed(order):
        if t not in relevant and any(isinstance(x, Tensor) and x in relevant for x in t.inputs):
            relevant.add(t)
    return relevant


def pull_back(
    order: list[Tensor],
    relevant: set[Tensor] | None,
    gradients: Gradients,
    keep: set[Tensor],
    create_graph: bool = False,
    remember: bool = True,
) -> Gradients:
    """Carry the gradients through the nodes of ``order``, newest first: the hot loop.

    Parameters
    ----------
    order : list of Tensor
        Results of operations, newest first.
    relevant : set of Tensor or None
        The tensors that a gradient is wanted for, or passes through; None for all that require
        grad.
    gradients : dict
        Upstream gradients of the roots; becomes the result.
    keep : set of Tensor
        Results whose gradient is wanted too.
    create_graph : bool
        Run the VJPs on tensors, so that the gradients have a graph of their own.
    remember : bool
        False: run them on tensors, but without a graph; for a recorder, which hears of every op.

    Returns
    -------
    dict
        Gradients of the relevant leaves and of the tensors in ``keep``.
    """
    kept: Gradients = {}
    owned: set[Tensor] = set()  # whose gradient is memory made here: may be added to in place
    may_have_changed = bool(order) and Storage.last_written > order[-1].index
    t: Any = None
    recording = modes(grad_enabled=remember) if create_graph else NOT_RECORDING
    with np.errstate(all="ignore"), recording:
        watchers = current_modes().watchers
        try:
            for t in order:
                g = gradients.pop(t, None)
                if g is None:
                    continue
                if keep and t in keep:
                    kept[t] = g
                if may_have_changed:
                    _check_versions(t)
                if watchers:
                    _notify(watchers, "before_vjps", t)
                inputs, attrs, vjps = t.inputs, t.attrs, t.op.vjps
                if create_graph:
                    arguments = (g, t, *inputs)
                elif len(inputs) == 1:  # nearly all nodes; a comprehension costs twice as much
                    arguments = (g, t._data, inputs[0]._data)
                elif len(inputs) == 2:
                    a, b = inputs
                    arguments = (
                        g,
                        t._data,
                        a._data if isinstance(a, Tensor) else a,
                        b._data if isinstance(b, Tensor) else b,
                    )
                else:
                    arrays = [x._data if isinstance(x, Tensor) else x for x in inputs]
                    arguments = (g, t._data, *arrays)
                each = vjps if type(vjps) is list else _joint_vjp(t, arguments, relevant)
                position = -1  # `enumerate` would take 5 % of the loop
                for x in inputs:
                    position += 1
                    if not isinstance(x, Tensor) or not x._requires_grad:
                        continue
                    if relevant is not None and x not in relevant:
                        continue
                    gx = each[position]
                    if each is vjps and gx is not None:
                        gx = gx(*arguments, **attrs) if attrs else gx(*arguments)
                    if gx is None:
                        continue
                    data = x._data
                    if (
                        type(gx) is not ndarray
                        or gx.dtype is not data.dtype
                        or gx.shape != data.shape
                    ):
                        gx = _fit(gx, x, t, create_graph)
                    if data.ndim > 2 and mixed(data, gx._data if create_graph else gx):
                        gx = _repacked(gx, data)
                    total = gradients.get(x)
                    if total is None:
                        gradients[x] = gx
                    elif x in owned:
                        add(total, gx, total)
                    else:
                        total = total + gx
                        if not create_graph:
                            total = np.asarray(total)  # NumPy makes scalars of 0-d arrays
                            owned.add(x)
                        gradients[x] = total
                    if watchers:
                        _notify(watchers, "after_vjp", t, position, gx)
        except (TinygraphError, MemoryError):
            raise
        except Exception as error:
            raise _explain_backward(t, error) from error
    gradients.update(kept)
    return gradients


def _repacked(gx: Any, data: Any) -> Any:
    """Return a gradient in memory of the order of its tensor's."""
    return repack(gx) if is_channels_last(data) else gx


def _notify(watchers: Any, event: str, *details: Any) -> None:
    for watcher in watchers:
        getattr(watcher, event)(*details)


def _joint_vjp(t: Tensor, arguments: tuple[Any, ...], relevant: set[Tensor] | None) -> Any:
    """Run the one VJP of an op with shared work or any number of inputs."""
    op: Any = t.op
    needs = tuple(
        [
            isinstance(x, Tensor) and x._requires_grad and (relevant is None or x in relevant)
            for x in t.inputs
        ]
    )
    results = op.vjps(*arguments, needs=needs, **(t.attrs or {}))
    if not isinstance(results, tuple | list) or len(results) != len(needs):
        raise GradientError(
            f"The VJP of '{op.name}' must return a tuple with {len(needs)} entries, one per input."
        )
    return results


def _fit(gx: Any, x: Tensor, t: Tensor, create_graph: bool) -> Any:
    """Re-wrap 0-d results, undo broadcasting, check the shape, and cast to the input's dtype."""
    op: Any = t.op
    if create_graph:
        gx = gx if isinstance(gx, Tensor) else Tensor(np.asarray(gx))
    elif isinstance(gx, Tensor):
        raise GradientError(
            compose_message(
                f"The VJP of '{op.name}' returned a tensor for array arguments",
                describe(gx),
                "build it from its arguments with + - * / @ and tinygraph ops only",
            )
        )
    elif type(gx) is not np.ndarray:
        gx = np.asarray(gx)
    if gx.shape != x.shape:
        if op.kind != "elementwise" or gx.shape != t.shape:
            raise GradientError(
                compose_message(
                    f"The gradient that '{op.name}' gives must have its input's shape {x.shape}",
                    describe(gx),
                    "correct the op's VJP",
                )
            )
        gx = summed_to(gx, x.shape)
    return gx if gx.dtype == x.dtype else cast_to(gx, x.dtype)


def _check_versions(t: Tensor) -> None:
    """Raise if a value that the VJPs of ``t`` read was written after ``t`` was made."""
    op: Any = t.op
    for position in op.saved_inputs(len(t.inputs)) if op.saves_rest else op.saved_positions:
        x = t.inputs[position]
        if isinstance(x, Tensor) and x._storage is not None and x._storage.written > t.index:
            raise _changed(t, op, f"input {position}", x)
    if t._storage is not None and t._storage.written > t.index and "y" in op.saves:
        raise _changed(t, op, "its result", t)


def _changed(t: Tensor, op: Any, which: str, x: Tensor) -> VersionError:
    written = x._storage.written if x._storage else 0
    name = f" {x.name!r}" if x.name else ""
    return VersionError(
        compose_message(
            f"'{op.name}' needs {which}{name} as it was in the forward pass",
            f"version {written} of {describe(x)}, recorded at version {t.index}",
            "call backward() before writing, or write to a copy",
            t.scope.module_path() if t.scope else "",
        )
    )


def _explain_backward(t: Tensor, error: Exception) -> Exception:
    op: Any = t.op
    where = t.scope.module_path() if t.scope else ""
    return GradientError(
        compose_message(
            f"The backward rule of '{op.name}' failed: {type(error).__name__}: {error}",
            describe(t),
            "correct its VJP; it may use + - * / @, comparisons, .shape and tinygraph ops",
            where,
        )
    )
