"""Docstrings of ops, written from their records."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .op import Op


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
    names = ["*tensors"] if op.variadic else list(op.input_names)
    lines = ["Parameters", "----------"] if names or op.attr_names else []
    if names:
        lines += [f"{', '.join(names)} : Tensor, ndarray or number"]
        if op.kind == "elementwise" and len(names) > 1:
            lines += ["    Operands; their shapes broadcast."]
    for name in op.attr_names:
        default = f", default {op.defaults[name]!r}" if name in op.defaults else ""
        lines += [f"{name} : attribute{default}"]
    return [*lines, "", "Returns", "-------", "Tensor", "    An ndarray if no input is a Tensor."]
