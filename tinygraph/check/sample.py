"""A Sample: one call of an op, and the ways the battery runs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..core.grad import grad
from ..core.op import Composite, Op
from ..core.storage import Array
from ..core.tensor import Tensor
from ..ops.joining import concatenate
from ..ops.shape import reshape

Record = Op | Composite


@dataclass(frozen=True)
class Sample:
    """One call of an op that the battery repeats in many ways.

    Attributes
    ----------
    name : str
        What is special about it, such as ``"broadcast"``.
    inputs : tuple
        float64 arrays (differentiated), integer and boolean arrays, Python numbers.
    attrs : dict
        The op's attributes.
    listed : bool
        The inputs go in as one list, as for ``stack``.
    gradients : tuple or None
        At a kink, where central differences do not apply: the gradient of each floating
        input for an upstream gradient of ones, as the conventions of the op have it.
    """

    name: str
    inputs: tuple[Any, ...]
    attrs: Mapping[str, Any] = field(default_factory=dict)
    listed: bool = False
    gradients: tuple[Any, ...] | None = None

    def __str__(self) -> str:
        return self.name

    def call(self, record: Record, inputs: Sequence[Any]) -> Any:
        """Call ``record`` on ``inputs`` in the place of the sample's own; join its results."""
        arguments = (list(inputs),) if self.listed else tuple(inputs)
        return joined(record(*arguments, **self.attrs))

    def with_inputs(self, change: Callable[[Array], Any]) -> Sample:
        """Return the sample with every floating array changed."""
        return replace(self, inputs=tuple(change(x) if is_floating(x) else x for x in self.inputs))

    def astype(self, dtype: Any) -> Sample:
        """Return the sample in another floating dtype."""
        return self.with_inputs(lambda x: x.astype(dtype))

    @property
    def arrays(self) -> list[Array]:
        """The floating arrays: what can be differentiated by."""
        return [x for x in self.inputs if is_floating(x)]


def joined(result: Any) -> Any:
    """Return several results, such as those of split, as one vector of all their elements."""
    if not isinstance(result, tuple | list):
        return result
    return concatenate([reshape(part, shape=(-1,)) for part in result])


@dataclass
class Run:
    """The result of a sample on fresh leaves: ``out`` and the leaves of its floating arrays."""

    sample: Sample
    out: Tensor
    leaves: list[Tensor]
    operands: list[Any]

    @property
    def upstream(self) -> Array:
        """An upstream gradient without symmetry, the same for equal shapes."""
        shape, dtype = self.out.shape, self.out.dtype
        return np.random.default_rng(self.out.size).uniform(0.5, 1.5, shape).astype(dtype)

    def gradients(self, g: Any = None, create_graph: bool = False) -> list[Any]:
        """Return the gradient of each leaf (None where there is none)."""
        upstream = self.upstream if g is None else g
        found = grad(self.out, self.leaves, upstream, create_graph, allow_unused=True)
        return list(found)


def is_floating(x: Any) -> bool:
    """Tell whether ``x`` is an array that the battery differentiates by."""
    return isinstance(x, np.ndarray) and x.dtype.kind == "f"


def run(record: Record, sample: Sample, share: bool = False) -> Run:
    """Run a sample on leaves that require grad; with ``share`` on its arrays themselves."""
    operands = [
        Tensor(x if share else np.array(x), requires_grad=True) if is_floating(x) else x
        for x in sample.inputs
    ]
    leaves = [x for x in operands if isinstance(x, Tensor)]
    return Run(sample, sample.call(record, operands), leaves, operands)


def raw_vjps(op: Op, g: Any, y: Any, inputs: Sequence[Any], attrs: Any) -> list[Any]:
    """Call the VJPs of a record by themselves: one gradient per floating input, else None."""
    wanted = [isinstance(x, np.ndarray | Tensor) and x.dtype.kind == "f" for x in inputs]
    with np.errstate(all="ignore"):
        if isinstance(op.vjps, list):
            return [
                vjp(g, y, *inputs, **attrs) if w and vjp is not None else None
                for w, vjp in zip(wanted, op.vjps, strict=True)
            ]
        assert op.vjps is not None
        found: Any = op.vjps(g, y, *inputs, needs=tuple(wanted), **attrs)  # type: ignore[operator]
        return [v if w else None for w, v in zip(wanted, found, strict=True)]


def recorded(r: Run) -> tuple[Array, list[Any], dict[str, Any]]:
    """Return result, inputs and attributes as the op's VJPs get them."""
    inputs = [x.data if isinstance(x, Tensor) else x for x in r.out.inputs]
    return r.out.data, inputs, r.out.attrs or {}


def is_linear(record: Record, sample: Sample) -> bool:
    """Tell whether the record is linear at a sample: no floating value is saved, no kinks."""
    if isinstance(record, Composite) or record.vjps is None or record.kinks or "y" in record.saves:
        return False
    saved = record.saved_inputs(len(sample.inputs))
    return not any(isinstance(sample.inputs[i], float) or is_floating(sample.inputs[i])
                   for i in saved)  # fmt: skip
