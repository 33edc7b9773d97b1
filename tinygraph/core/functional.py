"""Derivatives of functions: value_and_grad, vjp, jvp, jacobian, hessian, hvp.

All are short because gradients are graphs: a Jacobian-vector product is the derivative of a
vector-Jacobian product, a Hessian the Jacobian of a gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .errors import ShapeError, UsageError, compose_message, describe
from .grad import grad
from .leaves import tensor
from .modes import enable_grad
from .tensor import Tensor

Function = Callable[..., Any]


def value_and_grad(function: Function, argnums: int | Sequence[int] = 0) -> Function:
    """Return a function that gives the value of ``function`` and its gradient.

    Parameters
    ----------
    function : callable
        Returns a tensor with one element.
    argnums : int or sequence of int
        Which positional arguments to differentiate by.

    Returns
    -------
    callable
        ``(*args) -> (value, gradient)``; a tuple of gradients for several ``argnums``.

    Examples
    --------
    >>> import tinygraph as tg
    >>> value, gradient = tg.value_and_grad(lambda x: x * x)(3.0)
    >>> float(value), float(gradient)
    (9.0, 6.0)
    """
    positions = (argnums,) if isinstance(argnums, int) else tuple(argnums)

    def evaluate(*args: Any, **kwargs: Any) -> tuple[Tensor, Any]:
        arguments = list(args)
        for i in positions:
            if i >= len(arguments):
                raise UsageError(f"value_and_grad: argnums={i}, but got {len(arguments)} args.")
            arguments[i] = _leaf(arguments[i])
        with enable_grad():
            value = _one_element("value_and_grad", function(*arguments, **kwargs))
            gradients = _grad_or_zero(value, [arguments[i] for i in positions], False)
        return value.detach(), gradients[0] if isinstance(argnums, int) else tuple(gradients)

    return evaluate


def vjp(function: Function, *primals: Any) -> tuple[Tensor, Callable[[Any], Any]]:
    """Return the value and its pullback ``g -> gᵀJ``.

    Parameters
    ----------
    function : callable
        Takes tensors, returns one tensor.
    *primals : Tensor, ndarray or number
        Where to linearize.

    Returns
    -------
    value : Tensor
    pullback : callable
        Maps an upstream gradient of the value's shape to the gradient (a tuple for several
        primals). May be called again and again.

    Examples
    --------
    >>> import tinygraph as tg
    >>> value, pullback = tg.vjp(lambda x: x * x, 3.0)
    >>> float(pullback(1.0))
    6.0
    """
    leaves = [_leaf(p) for p in primals]
    with enable_grad():
        value = _tensor_result("vjp", function(*leaves))

    def pullback(g: Any) -> Any:
        gradients = _grad_or_zero(value, leaves, False, g)
        return gradients[0] if len(leaves) == 1 else tuple(gradients)

    return value.detach(), pullback


def jvp(function: Function, primals: Any, tangents: Any) -> tuple[Tensor, Tensor]:
    """Return the value and the directional derivative ``J v``.

    Computed as the derivative of the pullback, which is linear in the upstream gradient.

    Parameters
    ----------
    function : callable
        Takes tensors, returns one tensor.
    primals, tangents : Tensor, ndarray, number, or tuple of them
        The point and the direction, of equal shapes.

    Examples
    --------
    >>> import tinygraph as tg
    >>> value, slope = tg.jvp(lambda x: x * x, 3.0, 10.0)
    >>> float(slope)
    60.0
    """
    points = [_leaf(p) for p in (primals if isinstance(primals, tuple) else (primals,))]
    given = tangents if isinstance(tangents, tuple) else (tangents,)
    if len(given) != len(points):
        raise UsageError(f"jvp: {len(points)} primals but {len(given)} tangents.")
    directions = [_like(v, p, "jvp: tangent") for v, p in zip(given, points, strict=True)]
    with enable_grad():
        value = _tensor_result("jvp", function(*points))
        probe = Tensor(np.zeros(value.shape, value.dtype), requires_grad=True)
        pulled = _grad_or_zero(value, points, True, probe)
        terms = [(p * v).sum() for p, v in zip(pulled, directions, strict=True)]
        total = terms[0]
        for term in terms[1:]:
            total = total + term
        slope = _grad_or_zero(total, [probe], False)[0]
    return value.detach(), slope


def jacobian(function: Function, x: Any, create_graph: bool = False) -> Tensor:
    """Return the matrix of all derivatives, of shape ``value.shape + x.shape``.

    Parameters
    ----------
    function : callable
        Takes one tensor, returns one tensor.
    x : Tensor, ndarray or number
        Where to differentiate.
    create_graph : bool
        Let the result be differentiated again; ``x`` must be a tensor in that graph.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.jacobian(lambda x: x * x, [1.0, 2.0])
    tensor([[2., 0.],
            [0., 4.]])
    """
    point = x if create_graph and isinstance(x, Tensor) and x.requires_grad else _leaf(x)
    with enable_grad():
        value = _tensor_result("jacobian", function(point))
        rows = []
        for i in range(value.size):
            one_hot = np.zeros(value.size, value.dtype)
            one_hot[i] = 1
            rows.append(
                _grad_or_zero(value, [point], create_graph, one_hot.reshape(value.shape))[0]
            )
        shape = value.shape + point.shape
        if create_graph and rows:
            from .registry import lookup

            return lookup("stack")(rows).reshape(shape)
    flat = np.array([r.data for r in rows], dtype=value.dtype)
    return Tensor(flat.reshape(shape))


def hessian(function: Function, x: Any) -> Tensor:
    """Return the matrix of second derivatives of a scalar function, ``x.shape + x.shape``.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.hessian(lambda x: (x * x * x).sum(), [1.0, 2.0])
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """

    def gradient(point: Tensor) -> Tensor:
        value = _one_element("hessian", function(point))
        return _grad_or_zero(value, [point], True)[0]

    return jacobian(gradient, x)


def hvp(function: Function, x: Any, v: Any) -> Tensor:
    """Return the Hessian of a scalar function times ``v``, without forming the Hessian.

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.hvp(lambda x: (x * x * x).sum(), [1.0, 2.0], [1.0, 1.0])
    tensor([ 6., 12.])
    """
    point = _leaf(x)
    direction = _like(v, point, "hvp: v")
    with enable_grad():
        value = _one_element("hvp", function(point))
        gradient = _grad_or_zero(value, [point], True)[0]
        return _grad_or_zero((gradient * direction).sum(), [point], False)[0]


def _grad_or_zero(
    output: Tensor, inputs: list[Tensor], create_graph: bool, g: Any = None
) -> list[Tensor]:
    """Like :func:`grad`, with zeros where the output does not depend on an input."""
    if not output.requires_grad:
        if g is not None:
            _like(g, output, "The upstream gradient")
        return [Tensor(np.zeros(x.shape, x.dtype)) for x in inputs]
    found = grad(output, inputs, g, create_graph=create_graph, allow_unused=True)
    return [
        Tensor(np.zeros(x.shape, x.dtype)) if r is None else r
        for x, r in zip(inputs, found, strict=True)
    ]


def _leaf(value: Any) -> Tensor:
    return tensor(value, requires_grad=True)


def _like(value: Any, like: Tensor, role: str) -> Tensor:
    result = tensor(value, dtype=like.dtype)
    if result.shape != like.shape:
        raise ShapeError(
            compose_message(f"{role} must have the shape {like.shape}", describe(result))
        )
    return result


def _tensor_result(who: str, value: Any) -> Tensor:
    if not isinstance(value, Tensor):
        raise UsageError(
            compose_message(
                f"{who}: the function must return one tensor",
                describe(value),
                "use tinygraph ops inside, not NumPy on .data",
            )
        )
    return value


def _one_element(who: str, value: Any) -> Tensor:
    result = _tensor_result(who, value)
    if result.size != 1:
        raise ShapeError(
            compose_message(
                f"{who}: the function must return one element", describe(result), "end with .sum()"
            )
        )
    return result
