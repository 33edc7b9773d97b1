"""Gradients as users ask for them: ``t.backward()`` and ``tg.grad``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .engine import Gradients, collect, paths_to, pull_back
from .errors import GradientError, ShapeError, UsageError, compose_message, describe
from .modes import current_modes
from .recording import RECORDERS, active_recorder
from .storage import Array
from .tensor import Tensor, own_gradient


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
    order, _ = collect([tensor])
    _check_unused(order)
    keep = set(order) if current_modes().retain_grads else {t for t in order if t._retains_grad}
    recorder = active_recorder() if RECORDERS else None
    if recorder is None:
        gradients = pull_back(order, None, {tensor: upstream}, keep)
        for t, g in gradients.items():
            own_gradient(t, g)
    else:
        upstreams = {tensor: recorder.cotangent(grad, upstream)}
        for t, g in recorder.pull_back(order, None, upstreams, keep).items():
            recorder.own_gradient(t, g)
    if not retain_graph:
        for t in order:
            t.used = True


def gradients_into(loss: Tensor, places: Sequence[tuple[Tensor, Array]]) -> list[bool]:
    """Write the gradient of each leaf into an array, and tell which of them have one.

    As :func:`backward`, but ``.grad`` of the leaves stays as it is: threads that share leaves
    can each have gradients of their own.

    Parameters
    ----------
    loss : Tensor
        With one element.
    places : list of (Tensor, ndarray)
        Leaves, each with an array of its shape and dtype; those of leaves that the loss does
        not depend on are not written.
    """
    upstream = _cotangent(loss, None)
    order, reached = collect([loss])
    relevant = paths_to(order, reached, {leaf for leaf, _ in places})
    order = [t for t in order if t in relevant]
    recorder = active_recorder() if RECORDERS else None
    if recorder is None:
        gradients = pull_back(order, relevant, {loss: upstream}, set())
    else:
        cotangents = {loss: recorder.cotangent(None, upstream)}
        gradients = recorder.pull_back(order, relevant, cotangents, set())
    present = []
    for leaf, memory in places:
        g = gradients.get(leaf)
        present.append(g is not None)
        if g is None:
            continue
        if recorder is None:
            memory[...] = g
        else:
            recorder.store(memory, g)
    return present


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
    targets = _as_tuple(inputs)
    roots = _as_tuple(outputs)
    _check_tensors("outputs", roots)
    _check_tensors("inputs", targets)
    if grad_outputs is None or isinstance(outputs, Tensor):
        grad_outputs = (grad_outputs,) * len(roots)
    elif not isinstance(grad_outputs, tuple | list):
        raise UsageError("grad: several outputs need a sequence of grad_outputs, one for each.")
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
    recorder = active_recorder() if RECORDERS else None
    for root, given in zip(roots, grad_outputs, strict=True):
        g: Any = _cotangent(root, given)
        if recorder is not None and not create_graph:
            g = recorder.cotangent(given, g)
        elif create_graph:
            g = given if isinstance(given, Tensor) else Tensor(g)
        cotangents[root] = cotangents[root] + g if root in cotangents else g
    order, reached = collect(roots)
    relevant = paths_to(order, reached, set(targets))
    order = [t for t in order if t in relevant]
    if recorder is not None and not create_graph:
        gradients = recorder.pull_back(order, relevant, cotangents, set(targets))
        return [None if t not in gradients else gradients[t].detach() for t in targets]
    gradients = pull_back(order, relevant, cotangents, set(targets), create_graph)
    found = [gradients.get(t) for t in targets]
    if create_graph:
        return found
    return [None if g is None else Tensor(np.array(g)) for g in found]


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
        return np.array(1, root.dtype).reshape(root.shape)
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


def _as_tuple(given: Any) -> tuple[Any, ...]:
    """Return one tensor, or each of several."""
    several = not isinstance(given, Tensor) and hasattr(given, "__iter__")
    return tuple(given) if several else (given,)


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
