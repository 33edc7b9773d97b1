"""Docstrings and signatures of ops, written from their records."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .op import Op

ATTRIBUTES = {
    "axis": ("int, tuple of int or None", "Along which axes; negative ones count from the end."),
    "axes": ("tuple of int or None", "All axes in their new order; None reverses them."),
    "axis1": ("int", "The first of the two axes."),
    "axis2": ("int", "The second of the two axes."),
    "keepdims": ("bool", "Keep the reduced axes with length 1."),
    "ddof": ("int", "Divide by n − ddof."),
    "shape": ("tuple of int", "Lengths of the axes of the result."),
    "dtype": ("dtype", "The dtype of the result."),
    "decimals": ("int", "How many; negative ones round to tens, hundreds, …"),
    "negative_slope": ("number", "The slope for negative values."),
    "alpha": ("number", "The limit at −∞ is −alpha."),
    "min_val": ("number", "Lower limit."),
    "max_val": ("number", "Upper limit."),
    "nan": ("number", "What replaces nan."),
    "posinf": ("number or None", "What replaces inf; None for the largest number."),
    "neginf": ("number or None", "What replaces −inf; None for the smallest number."),
    "ord": ("number", "The exponent of the norm."),
    "reverse": ("bool", "From the end to the start."),
    "descending": ("bool", "Largest first."),
    "upper": ("bool", "The upper triangle in place of the lower."),
    "p": ("number", "The probability of a 0."),
    "min": ("number or None", "Lower limit; None for no limit."),
    "max": ("number or None", "Upper limit; None for no limit."),
    "index": ("tuple", "The index, with a placeholder for each index array."),
    "pad_width": ("pairs of int", "Elements before and after, for each axis."),
    "generator": ("Generator", "Where to draw from."),
    "constant": ("number, or pairs of numbers", "The value of the border, or one for each side."),
    "offset": ("int", "Which diagonal: above the main one if positive, below if negative."),
    "shift": ("int or tuple of int", "By how many places; one for each axis."),
    "eps": ("number", "Added to the variance."),
    "nonlinearity": ("'tanh' or 'relu'", "σ."),
    "classes": ("int", "How many classes there are."),
    "kernel_size": ("int or tuple of int", "The window: as many lengths as axes it slides along."),
    "stride": ("int or tuple of int", "From one window to the next."),
    "dilation": ("int or tuple of int", "From one element of a window to the next."),
    "size": ("int or tuple of int", "The lengths of the windowed axes of the result."),
}
"""What attributes mean that several ops share; others are explained by the op's ``doc``."""


def describe_record(op: Op) -> str:
    """Return the NumPy-style docstring of an op, from the fields of its record."""
    summary = op.doc or f"{op.formula or op.name}."
    head, _, rest = summary.partition("\n")
    lines = [head]
    if op.formula:
        lines += ["", f"Formula: ``{op.formula}``" + _derivatives(op)]
    if op.kinks:
        lines += ["", f"Conventions: {op.kinks}."]
    if rest.strip():
        lines += ["", rest.strip("\n")]
    if "Parameters\n" not in rest:
        lines += ["", *_parameters(op)]
    return "\n".join(lines)


def _derivatives(op: Op) -> str:
    """Return ``; ∂/∂a = …`` for each input that has a derivative."""
    pairs = zip(op.input_names, op.local, strict=False)
    return "".join(f"; ∂/∂{name} = ``{text}``" for name, text in pairs if text)


def _parameters(op: Op) -> list[str]:
    names = [f"*{op.rest_name}"] if op.variadic and not op.input_names else list(op.input_names)
    lines = ["Parameters", "----------"] if names or op.attr_names else []
    if names:
        lines += [f"{', '.join(names)} : Tensor, ndarray or number"]
        if op.kind == "elementwise" and len(names) > 1:
            lines += ["    Operands; their shapes broadcast."]
    for name in op.attr_names:
        kind, meaning = ATTRIBUTES.get(name, ("attribute", ""))
        default = f", default {op.defaults[name]!r}" if name in op.defaults else ""
        lines += [f"{name} : {kind}{default}", *([f"    {meaning}"] if meaning else [])]
    lines += ["", "Returns", "-------", "Tensor", "    An ndarray if no input is a Tensor."]
    return [*lines, "", "Raises", "------", *_errors(op)]


def _errors(op: Op) -> list[str]:
    lines = []
    if op.kind == "elementwise" and len(op.input_names) > 1:
        lines += ["ShapeError", "    If the shapes do not broadcast."]
    elif op.prepare is not None or op.kind == "matmul":
        lines += ["ShapeError", "    If shapes, axes or sizes do not fit."]
    return [*lines, "DtypeError", "    If an operand is not numeric."]


class SignatureOfRecord:
    """``__signature__`` of a record, for ``help`` and notebooks; its class keeps Python's own."""

    def __get__(self, record: Op | None, owner: type[Op]) -> inspect.Signature:
        if record is None:
            raise AttributeError("__signature__")
        return _signature(record)


def _signature(op: Op) -> inspect.Signature:
    """Return how an op is called: the tensors, then the attributes."""
    p = inspect.Parameter
    tensors = [p(name, p.POSITIONAL_OR_KEYWORD) for name in op.input_names]
    if op.variadic:
        tensors.append(p(op.rest_name, p.VAR_POSITIONAL))
    defaults = [op.defaults.get(name, p.empty) for name in op.attr_names]
    anywhere = not op.variadic and p.empty not in defaults[1:]  # what has a default comes last
    kind = p.POSITIONAL_OR_KEYWORD if anywhere else p.KEYWORD_ONLY
    attributes = zip(op.attr_names, defaults, strict=True)
    return inspect.Signature(tensors + [p(name, kind, default=d) for name, d in attributes])
