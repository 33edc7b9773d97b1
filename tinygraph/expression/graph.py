"""The graph of an expression, with a leaf for each name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..core.leaves import tensor
from ..core.modes import default_dtype
from ..core.tensor import Tensor
from .reader import Reader
from .text import ExpressionError
from .values import read_assignment


def graph_of_expression(
    text: str, assignments: Sequence[str] = ()
) -> tuple[Tensor, dict[str, Tensor]]:
    """Build the graph of an expression.

    Parameters
    ----------
    text : str
        Numbers, names, ``+ - * / ** @``, comparisons, indexing, ``.T`` and calls of tinygraph's
        differentiable ops, with attributes as keywords: ``sum(relu(W @ x), axis=0)``.
    assignments : sequence of str
        The values: ``x=-2``, ``W=[[1,2],[3,4]]``. Each becomes a leaf that requires grad.

    Returns
    -------
    result : Tensor
    variables : dict of str to Tensor
        The leaves, in float64, in their order.

    Raises
    ------
    ExpressionError
        With one line that names the column and the fix.

    Examples
    --------
    >>> f, variables = graph_of_expression("(x + y) * z", ["x=-2", "y=5", "z=-4"])
    >>> f.backward()
    >>> {name: float(t.grad) for name, t in variables.items()}
    {'x': -4.0, 'y': -4.0, 'z': 3.0}
    """
    variables = dict(read_assignment(a) for a in assignments)
    if len(variables) < len(assignments):
        raise ExpressionError("A name has two values. Fix: one value for each name.")
    leaves = {
        name: tensor(value, dtype=np.float64, requires_grad=True, name=name)
        for name, value in variables.items()
    }
    reader = Reader(text, leaves)
    with default_dtype(np.float64):
        result = reader.read()
    unused = [name for name in leaves if name not in reader.used]
    if unused:
        raise ExpressionError(f"{unused[0]}= is given but not used. Fix: leave it out.")
    if isinstance(result, list):
        raise ExpressionError("This gives several results. Fix: [0] behind it picks the first.")
    if not isinstance(result, Tensor) or not result.requires_grad:
        raise ExpressionError(
            "Nothing here has a gradient. Fix: use a name and give it a value, as in 'x*x' x=3."
        )
    return result, leaves
