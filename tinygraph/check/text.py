"""The language of ``formula`` and ``local``: evaluated, so that the texts cannot lie.

An expression over the op's inputs, ``y`` (its result) and its attributes, with
``+ − · * / **``, ``² ³``, comparisons (1 where they hold), ``& | ^ ~`` of booleans and integers,
numbers, ``π`` and the functions below. The functions are written anew here, independent of the ops.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..core.errors import UsageError
from ..core.texts import parse

Number = Any

_erf = np.vectorize(math.erf, otypes=[np.float64])
_erfc = np.vectorize(math.erfc, otypes=[np.float64])

FUNCTIONS: dict[str, Callable[..., Number]] = {
    "abs": np.abs, "sign": np.sign, "exp": np.exp, "log": np.log, "sqrt": np.sqrt,
    "sin": np.sin, "cos": np.cos, "tanh": np.tanh, "maximum": np.maximum,
    "minimum": np.minimum, "where": np.where, "clip": np.clip, "erf": _erf, "erfc": _erfc,
    **{f.__name__: f for f in (
        np.tan, np.arcsin, np.arccos, np.arctan, np.arctan2, np.sinh, np.cosh, np.arcsinh,
        np.arccosh, np.arctanh, np.floor, np.ceil, np.trunc, np.round, np.fmax, np.fmin,
        np.isnan, np.isinf, np.isfinite, np.logical_and, np.logical_or, np.logical_xor,
        np.logical_not,
    )},
    "sigmoid": lambda x: 0.5 * (1 + np.tanh(0.5 * x)),
    "Φ": lambda x: 0.5 * _erfc(-x / math.sqrt(2)),
    "φ": lambda x: np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi),
}  # fmt: skip

CONSTANTS = {"π": math.pi, "e": math.e}

_BINARY: dict[type[ast.operator], Callable[[Number, Number], Number]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.Div: operator.truediv, ast.Pow: operator.pow,
}  # fmt: skip
_BITWISE: dict[type[ast.operator], Callable[[Number, Number], Number]] = {
    ast.BitAnd: operator.and_, ast.BitOr: operator.or_, ast.BitXor: operator.xor,
}  # fmt: skip
_COMPARE: dict[type[ast.cmpop], Callable[[Number, Number], Number]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.Eq: operator.eq, ast.NotEq: operator.ne,
}  # fmt: skip


def is_expression(text: str, names: Mapping[str, Any]) -> bool:
    """Tell whether ``text`` is an expression over ``names``."""
    tree = parse(text)
    if tree is None:
        return False
    try:
        _walk(tree, names, dry=True)
    except UsageError:
        return False
    return True


def evaluate(text: str, names: Mapping[str, Any]) -> Number:
    """Return the value of the expression ``text``.

    Raises
    ------
    UsageError
        If it is not an expression of this language over ``names``.

    Examples
    --------
    >>> evaluate("2 · x² − 1", {"x": 3.0})
    17.0
    """
    tree = parse(text)
    if tree is None:
        raise UsageError(f"{text!r} is not an expression.")
    with np.errstate(all="ignore"):
        return _walk(tree, names)


def _walk(node: ast.expr, names: Mapping[str, Any], dry: bool = False) -> Number:
    """Evaluate, or with ``dry`` only look up every name and form."""
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return number
        case ast.Name(id=name) if name in names:
            return names[name]
        case ast.Name(id=name) if name in CONSTANTS:
            return CONSTANTS[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            value = _walk(operand, names, dry)
            return None if dry else -_number(value)
        case ast.UnaryOp(op=ast.Invert(), operand=operand):
            value = _walk(operand, names, dry)
            return None if dry else ~value
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _BINARY:
            function: Callable[..., Number] = _BINARY[type(sign)]
            parts = [left, right]
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _BITWISE:
            function = _BITWISE[type(sign)]
            parts = [left, right]
        case ast.Compare(left=left, ops=[sign], comparators=[right]) if type(sign) in _COMPARE:
            function = _COMPARE[type(sign)]
            parts = [left, right]
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
            function = FUNCTIONS[name]
            parts = args
        case _:
            raise UsageError(f"{ast.unparse(node)!r} is no expression over {', '.join(names)}.")
    values = [_walk(part, names, dry) for part in parts]
    if dry:
        return None
    if function is np.where or function in _BITWISE.values():
        return function(*values)
    return function(*map(_number, values))


def _number(value: Number) -> Number:
    """Let truth values count as 0 and 1."""
    return np.asarray(value, np.float64) if np.asarray(value).dtype == np.bool_ else value
