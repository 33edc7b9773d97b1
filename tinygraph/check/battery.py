"""The battery: everything a record must satisfy, run for ours and for users' ops alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ..core.errors import GradcheckError, UsageError
from ..core.op import Op
from .derivatives import DERIVATIVE_CHECKS
from .problem import name_of
from .readers import READER_CHECKS
from .sample import Record, Sample
from .values import VALUE_CHECKS

Check = Callable[[Record, Sample, Any], None]

CHECKS: dict[str, Check] = {**VALUE_CHECKS, **DERIVATIVE_CHECKS, **READER_CHECKS}
"""All checks by name: ``check(record, sample, reference)`` raises GradcheckError."""


def check_op(
    op: Record,
    samples: Iterable[Sample | tuple[Any, ...]],
    *,
    reference: Callable[..., Any] | None = None,
    checks: Iterable[str] | None = None,
    raise_exception: bool = True,
) -> bool:
    """Run the whole battery on an op: what tinygraph's own tests do for each of its ops.

    Value against a reference, Jacobian and second derivatives against central differences,
    repeated inputs, linearity in the upstream gradient, nothing modified, nothing aliased,
    the same VJP on arrays and on tensors bit for bit, ``saves`` exact, the texts evaluated,
    replay by `Graph.evaluate`, dtypes, memory layouts, NumPy dispatch, ``into``.

    Parameters
    ----------
    op : Op or Composite
        What :func:`tinygraph.op` returned.
    samples : iterable of Sample or tuple
        Calls of the op; a tuple is the inputs of one. float64 arrays are differentiated by.
    reference : callable, optional
        The same function in NumPy, written independently.
    checks : iterable of str, optional
        Names out of :data:`CHECKS`; all by default.
    raise_exception : bool
        Return False instead of raising.

    Returns
    -------
    bool
        True if every check passes on every sample.

    Raises
    ------
    GradcheckError
        Listing every check that failed, with the sample and the reason.

    Examples
    --------
    >>> import numpy as np, tinygraph as tg
    >>> from tinygraph.check import check_op
    >>> cube = tg.op(
    ...     "cube", lambda x: x * x * x, vjps=[lambda g, y, x: g * 3 * x * x],
    ...     saves="x", formula="x³", local=["3x²"],
    ... )
    >>> check_op(cube, [(np.array([0.5, -2.0]),)], reference=lambda x: x**3)
    True
    """
    cases = [_as_sample(s, i) for i, s in enumerate(samples)]
    if not cases:
        raise UsageError(f"check_op: {name_of(op)} has no samples. Fix: [(np.array([0.5, 2.0]),)].")
    failures = []
    for name in CHECKS if checks is None else checks:
        failures += failures_of(name, op, cases, reference)
    if failures and raise_exception:
        raise GradcheckError("\n".join([f"{name_of(op)} fails:", *failures]))
    return not failures


def failures_of(
    name: str, op: Record, samples: Sequence[Sample], reference: Callable[..., Any] | None = None
) -> list[str]:
    """Run one check on all samples and return a line for each failure."""
    lines = []
    for sample in samples:
        try:
            CHECKS[name](op, sample, reference)
        except Exception as error:
            lines.append(f"  {name}, sample {sample.name!r}: {type(error).__name__}: {error}")
    if not lines and name == "saves" and isinstance(op, Op) and op.vjps is not None:
        lines += _unread_saves(op, samples)
    return lines


def _unread_saves(op: Op, samples: Sequence[Sample]) -> list[str]:
    """Complain about a value that ``saves`` names although no VJP reads it."""
    from .derivatives import reads

    unread = [n for n in sorted(op.saves) if not any(reads(op, s, n) for s in samples)]
    return [f"  saves: no VJP reads the value of {n!r}, on any sample" for n in unread]


def _as_sample(given: Any, number: int) -> Sample:
    if isinstance(given, Sample):
        return given
    inputs = given if isinstance(given, tuple) else (given,)
    plain = tuple(np.asarray(x) if hasattr(x, "__array__") else x for x in inputs)
    return Sample(f"number {number}", plain)
