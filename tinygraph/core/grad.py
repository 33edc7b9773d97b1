"""Reverse-mode differentiation: one loop, over arrays or, for higher orders, over tensors."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from .errors import (
    GradientError,
    ShapeError,
    TinygraphError,
    UsageError,
    VersionError,
    compose_message,
    describe,
)
from .modes import current_modes, modes
from .structure import cast, sum_to
from .tensor import Array, Tensor, own_gradient

Gradients = dict[Tensor, Any]


def backward(tensor: Tensor, grad: Any = None, retain_graph: bool = False) -> None:
    """Add the gradient of this tensor to ``.grad`` of every leaf that requires grad.

    Parameters
    ----------
    grad : Tensor or ndarray, optional
        The upstream gradient, exactly of this tensor's shape. Default: 1, for a tensor with
        one element.
    retain_graph : bool
        Allow another backward pass through the same nodes. Values stay readable either way.

    Raises
    ------
    GradientError
        If the tensor does not require grad, or its graph was used before.
    ShapeError
        If ``grad`` is missing for several elements, or has another shape.
    VersionError
        If a value that a derivative needs was overwritten since the forward pass.

    Examples
    --------
    >>> import tinygraph as tg
    >>> x, y, z = tg.variables(x=-2, y=5, z=-4)
    >>> ((x + y) * z).backward()
    >>> float(x.grad), float(y.grad), float(z.grad)
    (-4.0, -4.0, 3.0)
    """
    upstream = _cotangent(tensor, grad)
    order, reached = collect([tensor])
    _check_unused(order)
    keep = set(order) if current_modes().retain_grads else {t for t in order if t._retains_grad}
    gradients = pull_back(order, reached, {tensor: upstream}, keep)
    for t, g in gradients.items():
        own_gradient(t, g)
    if not retain_graph:
        for t in order:
            t.used = True


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Any = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> Any:
    """Return the gradients of ``outputs`` with respect to ``inputs``, as tensors.

    Leaves ``.grad`` alone and never marks the graph as used.

    Parameters
    ----------
    outputs : Tensor or sequence
        What to differentiate; several are summed, weighted by ``grad_outputs``.
    inputs : Tensor or sequence
        Leaves or intermediate tensors of the graph of ``outputs``.
    grad_outputs : Tensor, ndarray or sequence, optional
        Upstream gradients, of the shapes of ``outputs``. Default: 1 for one element.
    create_graph : bool
        Record the backward pass, so that the result can be differentiated again.
    allow_unused : bool
        Return None for an input that ``outputs`` do not depend on, instead of raising.

    Returns
    -------
    Tensor or tuple of Tensor
        Like ``inputs``.

    Examples
    --------
    >>> import tinygraph as tg
    >>> x = tg.tensor(3.0, requires_grad=True)
    >>> first = tg.grad(x * x * x, x, create_graph=True)
    >>> float(first), float(tg.grad(first, x))
    (27.0, 18.0)
    """
    single = isinstance(inputs, Tensor)
    targets: tuple[Tensor, ...] = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    roots = (outputs,) if isinstance(outputs, Tensor) else tuple(outputs)
    _check_tensors("outputs", roots)
    _check_tensors("inputs", targets)
    if grad_outputs is None or isinstance(outputs, Tensor):
        grad_outputs = (grad_outputs,) * len(roots)
    if len(grad_outputs) != len(roots):
        raise UsageError(f"grad: {len(roots)} outputs but {len(grad_outputs)} grad_outputs.")
    results = _gradients(roots, targets, grad_outputs, create_graph)
    for i, (target, result) in enumerate(zip(targets, results, strict=True)):
        if result is None and not allow_unused:
            raise GradientError(
                compose_message(
                    f"grad: the outputs do not depend on input {i}",
                    describe(target) + (f" {target.name!r}" if target.name else ""),
                    "check where it was detached, or pass allow_unused=True to get None",
                )
            )
    return results[0] if single else tuple(results)


def _gradients(
    roots: tuple[Tensor, ...],
    targets: tuple[Tensor, ...],
    grad_outputs: Sequence[Any],
    create_graph: bool,
) -> list[Tensor | None]:
    cotangents: Gradients = {}
    for root, given in zip(roots, grad_outputs, strict=True):
        g = _cotangent(root, given)
        if create_graph:
            g = given if isinstance(given, Tensor) else Tensor(g)
        cotangents[root] = cotangents[root] + g if root in cotangents else g
    order, reached = collect(roots)
    relevant = _paths_to(order, reached, set(targets))
    order = [t for t in order if t in relevant]
    gradients = pull_back(order, relevant, cotangents, set(targets), create_graph)
    found = [gradients.get(t) for t in targets]
    if create_graph:
        return found
    return [None if g is None else Tensor(np.array(g)) for g in found]


def collect(roots: Sequence[Tensor]) -> tuple[list[Tensor], set[Tensor]]:
    """Return the results below ``roots`` that require grad, newest first, and all reached."""
    reached = {root for root in roots if root._requires_grad}
    stack = list(reached)
    order = []
    while stack:
        t = stack.pop()
        if t.op is None:
            continue
        order.append(t)
        for x in t.inputs:
            if isinstance(x, Tensor) and x._requires_grad and x not in reached:
                reached.add(x)
                stack.append(x)
    order.sort(key=attrgetter("index"), reverse=True)
    return order, reached


def _paths_to(order: list[Tensor], reached: set[Tensor], targets: set[Tensor]) -> set[Tensor]:
    """Return the tensors that lie on a path from a target to a root."""
    relevant = targets & reached
    for t in reversed(order):
        if t not in relevant and any(isinstance(x, Tensor) and x in relevant for x in t.inputs):
            relevant.add(t)
    return relevant


def pull_back(
    order: list[Tensor],
    relevant: set[Tensor],
    gradients: Gradients,
    keep: set[Tensor],
    create_graph: bool = False,
) -> Gradients:
    """Carry the gradients through the nodes of ``order``, newest first.

    Returns the gradients of leaves and of the tensors in ``keep``: arrays, or tensors with
    a graph of their own when ``create_graph``.
    """
    kept: Gradients = {}
    with np.errstate(all="ignore"), modes(grad_enabled=create_graph):
        watchers = current_modes().watchers
        owned: set[Tensor] = set()
        for t in order:
            g = gradients.pop(t, None)
            if g is None:
                continue
            if t in keep:
                kept[t] = g
            op: Any = t.op
            _check_versions(t, op)
            for watcher in watchers:
                watcher.before_vjps(t)
            try:
                if type(op.vjps) is list:
                    _apply_vjps(t, op, g, relevant, gradients, owned, create_graph)
                else:
                    _apply_joint_vjp(t, op, g, relevant, gradients, owned, create_graph)
            except Exception as error:
                raise _explain_backward(t, error) from error
    return {**{t: g for t, g in gradients.items() if t in relevant}, **kept}


def _apply_vjps(
    t: Tensor, op: Any, g: Any, relevant: set[Tensor], gradients: Gradients,
    owned: set[Tensor], create_graph: bool,
) -> None:  # fmt: skip
    """Run one VJP per input that needs a gradient. The hot loop of the backward pass."""
    inputs = t.inputs
    if create_graph:
        y, operands = t, inputs
    else:
        y = t._data
        operands = [x._data if isinstance(x, Tensor) else x for x in inputs]
    attrs = t.attrs
    for i, x in enumerate(inputs):
        if not isinstance(x, Tensor) or x not in relevant:
            continue
        vjp = op.vjps[i]
        if vjp is None:
            continue
        gx = vjp(g, y, *operands, **attrs)
        data = x._data
        if type(gx) is not np.ndarray or gx.shape != data.shape or gx.dtype is not data.dtype:
            gx = _fit(gx, x, t, create_graph)
        if x in gradients:
            _accumulate(gradients, x, gx, owned, create_graph)
        else:
            gradients[x] = gx
        watchers = current_modes().watchers
        if watchers:
            for watcher in watchers:
                watcher.after_vjp(t, i, gx)


def _apply_joint_vjp(
    t: Tensor, op: Any, g: Any, relevant: set[Tensor], gradients: Gradients,
    owned: set[Tensor], create_graph: bool,
) -> None:  # fmt: skip
    """Run the one VJP of an op with shared work or any number of inputs."""
    if create_graph:
        y, operands = t, t.inputs
    else:
        y = t._data
        operands = [x._data if isinstance(x, Tensor) else x for x in t.inputs]
    needs = tuple(isinstance(x, Tensor) and x in relevant for x in t.inputs)
    results = op.vjps(g, y, *operands, needs=needs, **t.attrs)
    if not isinstance(results, tuple | list) or len(results) != len(needs):
        raise GradientError(
            f"The VJP of '{op.name}' must return a tuple with {len(needs)} entries, one per input."
        )
    for i, (x, needed, gx) in enumerate(zip(t.inputs, needs, results, strict=True)):
        if not needed or gx is None:
            continue
        gx = _fit(gx, x, t, create_graph)
        if x in gradients:
            _accumulate(gradients, x, gx, owned, create_graph)
        else:
            gradients[x] = gx
        for watcher in current_modes().watchers:
            watcher.after_vjp(t, i, gx)


def _accumulate(
    gradients: Gradients, x: Tensor, gx: Any, owned: set[Tensor], create_graph: bool
) -> None:
    """Add a second contribution; in place only into memory that this pass made."""
    if x in owned:
        np.add(gradients[x], gx, out=gradients[x])
        return
    total = gradients[x] + gx
    gradients[x] = total
    if not create_graph and type(total) is np.ndarray:
        owned.add(x)


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
        gx = sum_to(gx, shape=x.shape)
    return gx if gx.dtype == x.dtype else cast(gx, dtype=x.dtype)


def _cotangent(root: Tensor, given: Any) -> Array:
    """Return the upstream gradient of ``root`` as an array of exactly its shape and dtype."""
    if not root._requires_grad:
        raise GradientError(
            compose_message(
                "Only a tensor that requires grad can be differentiated",
                describe(root),
                "make the leaves with requires_grad=True, outside tg.no_grad()",
            )
        )
    if given is None:
        if root.size != 1:
            raise ShapeError(
                compose_message(
                    "A gradient needs one element, or an upstream gradient of the same shape",
                    describe(root),
                    "reduce with .sum() or .mean() first, or pass grad=",
                )
            )
        return np.ones(root.shape, root.dtype)
    array = np.asarray(given._data if isinstance(given, Tensor) else given)
    if array.shape != root.shape or array.dtype.kind not in "fiub":
        raise ShapeError(
            compose_message(
                f"The upstream gradient must have exactly the shape {root.shape}",
                describe(array),
                "np.broadcast_to(grad, t.shape) if that is what you mean",
            )
        )
    return array.astype(root.dtype)


def _check_tensors(role: str, values: tuple[Any, ...]) -> None:
    for value in values:
        if not isinstance(value, Tensor):
            raise UsageError(
                compose_message(f"grad: {role} must be tensors", describe(value), "tg.tensor(…)")
            )


def _check_unused(order: list[Tensor]) -> None:
    for t in order:
        if t.used:
            raise GradientError(
                compose_message(
                    "A second backward pass through the same graph would add the gradients twice",
                    f"a graph already used at '{t.op.name}'" if t.op else "",
                    "run the forward pass again, or pass retain_graph=True to the first backward",
                )
            )


def _check_versions(t: Tensor, op: Any) -> None:
    """Raise if a value that the VJPs of ``t`` read was written after ``t`` was made."""
    for position in op.saved_positions or (range(len(t.inputs)) if op.variadic else ()):
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
    if isinstance(error, TinygraphError | MemoryError) or t.op is None:
        return error
    where = t.scope.module_path() if t.scope else ""
    return GradientError(
        compose_message(
            f"The backward rule of '{t.op.name}' failed: {type(error).__name__}: {error}",
            describe(t),
            "correct its VJP; it may use + - * / @, comparisons, .shape and tinygraph ops",
            where,
        )
    )
