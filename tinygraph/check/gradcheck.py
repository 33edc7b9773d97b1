"""gradcheck and gradgradcheck: derivatives against central differences, with a report."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.errors import GradcheckError, TinygraphError, describe
from ..core.graph import Graph
from ..core.modes import default_dtype, enable_grad
from ..core.storage import Array
from ..core.tensor import Tensor
from .numeric import (
    WORST,
    Difference,
    analytic_jacobians,
    differences,
    flat_values,
    numeric_jacobian,
    pull,
)
from .problem import Problem, gradient_problem, problem_of

SUSPECT_SIZE = 1000
"""Elements of the inputs of a node that is still checked by itself for a report."""


def gradcheck(
    f: Callable[..., Any],
    inputs: Any,
    *,
    atol: float = 1e-7,
    rtol: float = 1e-7,
    step: float | None = None,
    linearity: bool = False,
    raise_exception: bool = True,
) -> bool:
    """Compare the gradients of a function with central differences in float64.

    Also checks that the function gives the same value twice and that no VJP writes into
    its arguments. For a module, a float64 copy is checked by its inputs and its parameters.

    Parameters
    ----------
    f : callable
        A function of tensors, an op or a module; returns a tensor or several.
    inputs : Tensor, ndarray, number, or tuple of them
        Where to check. Floating inputs are copied to float64 and varied; integers and
        booleans are passed on as they are.
    atol, rtol : float
        Allowed difference: ``atol + rtol · |numeric|``.
    step : float, optional
        Step of the difference; by default ``6e-6 · max(1, |x|)``. Linear functions are
        exact with 1.
    linearity : bool
        Check also that the backward pass is linear in the upstream gradient.
    raise_exception : bool
        Return False instead of raising.

    Returns
    -------
    bool
        True if all derivatives agree.

    Raises
    ------
    GradcheckError
        With a report: which input, which element, analytic and numeric value, which op.

    Examples
    --------
    >>> import numpy as np, tinygraph as tg
    >>> from tinygraph.check import gradcheck
    >>> gradcheck(lambda x, y: tg.tanh(x) * y, (np.array([0.5, -1.0]), 2.0))
    True
    """
    return _run(f, inputs, 1, atol, rtol, step, linearity, raise_exception)


def gradgradcheck(
    f: Callable[..., Any],
    inputs: Any,
    *,
    atol: float = 1e-7,
    rtol: float = 1e-7,
    step: float | None = None,
    raise_exception: bool = True,
) -> bool:
    """Check second derivatives: :func:`gradcheck` of the gradient function.

    The gradient is checked as a function of the inputs and of the upstream gradient.
    Parameters, result and errors are those of :func:`gradcheck`.

    Examples
    --------
    >>> import tinygraph as tg
    >>> from tinygraph.check import gradgradcheck
    >>> gradgradcheck(lambda x: x * x * x, 2.0)
    True
    """
    return _run(f, inputs, 2, atol, rtol, step, False, raise_exception)


def _run(
    f: Callable[..., Any], inputs: Any, order: int, atol: float, rtol: float,
    step: float | None, linearity: bool, raise_exception: bool,
) -> bool:  # fmt: skip
    with default_dtype(np.float64), enable_grad():
        problem = problem_of(f, inputs)
        try:
            _check_deterministic(problem)
            if order == 2:
                problem = gradient_problem(problem)
            check_problem(problem, atol, rtol, step)
            if linearity:
                check_linearity(problem)
        except GradcheckError:
            if raise_exception:
                raise
            return False
    return True


def check_problem(problem: Problem, atol: float, rtol: float, step: float | None) -> None:
    """Compare the Jacobians by all leaves and raise one report."""
    try:
        analytic = analytic_jacobians(problem)
    except TinygraphError as error:
        raise GradcheckError(f"gradcheck of {problem.name} failed. {error}") from error
    found: list[tuple[int, list[Difference]]] = []
    for i, memory in enumerate(problem.memory):
        numeric = numeric_jacobian(lambda: flat_values(problem.call()), memory, step)
        wrong = differences(problem, i, analytic[i], numeric, atol, rtol)
        if wrong:
            found.append((i, wrong))
    if found:
        raise GradcheckError(_report(problem, found, analytic))


def check_linearity(problem: Problem) -> None:
    """Check that the backward pass maps sums of upstream gradients to sums."""
    rng = np.random.default_rng(1)
    for output in problem.call():
        u, v = rng.standard_normal((2, *output.shape))
        both = pull(output, problem.leaves, 2.0 * u - 3.0 * v)
        parts = zip(pull(output, problem.leaves, u), pull(output, problem.leaves, v), strict=True)
        for name, whole, (gu, gv) in zip(problem.names, both, parts, strict=True):
            if not np.allclose(whole, 2.0 * gu - 3.0 * gv, 1e-9, 1e-9, equal_nan=True):
                raise GradcheckError(
                    f"gradcheck of {problem.name}: the gradient by {name} is not linear in the "
                    "upstream gradient. Fix: a VJP multiplies g by the local derivative."
                )


def _check_deterministic(problem: Problem) -> None:
    first, second = flat_values(problem.call()), flat_values(problem.call())
    if not np.array_equal(first, second, equal_nan=True):
        raise GradcheckError(
            f"gradcheck of {problem.name}: two calls at the same point gave different values. "
            "Fix: seed the random draws inside, or put the module into eval()."
        )


def _report(
    problem: Problem, found: list[tuple[int, list[Difference]]], analytic: list[Array]
) -> str:
    lines = [f"gradcheck of {problem.name} failed."]
    for i, wrong in found:
        leaf = problem.leaves[i]
        lines.append(
            f"  by {problem.names[i]}, {describe(leaf)}: "
            f"{len(wrong)} of {analytic[i].size} derivatives differ"
        )
        lines += [f"    {d}" for d in wrong[:WORST]]
        if len(wrong) > WORST:
            lines.append(f"    … and {len(wrong) - WORST} more")
    return "\n".join([*lines, *_suspects(problem)])


def _suspects(problem: Problem) -> list[str]:
    """Check each op of the graph by itself and name those whose own rule is wrong."""
    suspects: dict[str, None] = {}
    for node in Graph(problem.call()).nodes[:200]:
        op = node.op
        if op is None or op.vjps is None:
            continue
        point = tuple(x.data if isinstance(x, Tensor) else x for x in node.inputs)
        floating = [x for x in point if getattr(x, "dtype", None) == np.float64]
        if floating and sum(x.size for x in floating) <= SUSPECT_SIZE:
            alone = problem_of(functools.partial(op, **node.attrs), point)
            try:
                _check_coarsely(alone)
            except GradcheckError:
                where = node.scope.module_path() if node.scope else ""
                suspects[f"'{op.name}'" + (f" in module {where}" if where else "")] = None
    if suspects:
        return [f"  The rule that is wrong by itself: {', '.join(suspects)}."]
    names = ", ".join(Graph(problem.call()).counts)
    return [f"  Ops in the graph: {names or 'none'}; each is right by itself."]


def _check_coarsely(problem: Problem) -> None:
    """Compare Jacobians with a coarse tolerance and a one-line error."""
    analytic = analytic_jacobians(problem)
    for i, memory in enumerate(problem.memory):
        numeric = numeric_jacobian(lambda: flat_values(problem.call()), memory)
        if not np.allclose(analytic[i], numeric, 1e-5, 1e-6, equal_nan=True):
            raise GradcheckError(problem.name)
