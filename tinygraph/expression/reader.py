"""From a syntax tree to a graph: the allowed parts are calls of ops, all others are refused."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

from ..core.errors import TinygraphError, describe
from ..core.op import Op
from ..core.registry import REGISTRY
from ..core.tensor import Tensor
from .text import (
    MAX_ELEMENTS,
    ExpressionError,
    LiteralError,
    column_of,
    is_literal,
    literal,
    numbers_in,
    parse,
    shorten,
)
from .whitelist import attributes, functions, parameters, unknown

MAX_WORK = 5_000_000
"""How many elements broadcasting may make inside one op."""
OPERATORS = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "pow",
    ast.MatMult: "matmul", ast.Lt: "less", ast.LtE: "less_equal", ast.Gt: "greater",
    ast.GtE: "greater_equal", ast.Eq: "equal", ast.NotEq: "not_equal",
}  # fmt: skip
CONSTANTS = {"pi": math.pi}
PROPERTIES = {"T": "transpose", "mT": "matrix_transpose"}
BETTER = {
    ast.BitXor: "^ is no power here. Fix: **",
    ast.FloorDiv: "// has no derivative. Fix: /",
    ast.Mod: "% has no derivative here",
    ast.Lambda: "no functions of your own",
    ast.Attribute: "no methods and attributes but .T and .mT. Fix: sum(x) for x.sum()",
    ast.BoolOp: "'and' and 'or' take no numbers. Fix: multiply comparisons, (a < b) * (b < c)",
    ast.IfExp: "no if … else. Fix: where(condition, a, b)",
    ast.NamedExpr: "no assignments. Fix: give values after the expression, x=2",
}
"""What to say about forms that people try."""


class Reader:
    """Turns the allowed parts of a syntax tree into calls of ops."""

    def __init__(self, text: str, variables: Mapping[str, Tensor]) -> None:
        self.text = text
        self.variables = variables
        self.used: set[str] = set()

    def read(self) -> Any:
        return self._value(parse(self.text))

    def fail(self, node: ast.AST, words: str) -> NoReturn:
        raise ExpressionError(f"Column {column_of(self.text, node)}: {words.rstrip('.')}.")

    def _value(self, node: ast.expr) -> Any:
        """Return a tensor, an array or a float."""
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return self._float(node, number)
            case ast.Name(id=name):
                return self._variable(node, name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._call(node, REGISTRY["neg"], [self._value(operand)], {})
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self._value(operand)
            case ast.BinOp(left=left, op=sign, right=right) if type(sign) in OPERATORS:
                parts = [self._value(left), self._value(right)]
                return self._call(node, REGISTRY[OPERATORS[type(sign)]], parts, {})
            case ast.Compare(left=left, ops=[sign], comparators=[right]) if type(sign) in OPERATORS:
                parts = [self._value(left), self._value(right)]
                return self._call(node, REGISTRY[OPERATORS[type(sign)]], parts, {})
            case ast.Compare(ops=signs) if len(signs) > 1:
                self.fail(node, "one comparison at a time. Fix: (a < b) * (b < c)")
            case ast.Call():
                return self._function_call(node)
            case ast.Attribute(value=inner, attr=name) if name in PROPERTIES:
                return self._call(node, REGISTRY[PROPERTIES[name]], [self._value(inner)], {})
            case ast.Subscript(value=inner, slice=index):
                return self._item(node, self._value(inner), self._index(index))
            case ast.List() | ast.Tuple():
                return self._list(node)
        used: Any = getattr(node, "op", None)
        self.fail(node, BETTER.get(type(used)) or BETTER.get(type(node)) or _refusal(node))

    def _float(self, node: ast.AST, number: float) -> float:
        try:
            return float(number)
        except OverflowError:
            self.fail(node, "this number is too large")

    def _variable(self, node: ast.AST, name: str) -> Any:
        if name in self.variables:
            self.used.add(name)
            return self.variables[name]
        if name in CONSTANTS:
            return CONSTANTS[name]
        if name in functions():
            self.fail(node, f"{name} is a function and has no value of its own. Fix: {name}(x)")
        self.fail(node, f"{shorten(name)} has no value. Fix: add {shorten(name)}=1")

    def _list(self, node: ast.expr) -> Any:
        """Return an array of numbers; whole ones stay whole, for labels and indices."""
        try:
            array = np.array(literal(node))
        except LiteralError as error:
            self.fail(error.node, "a list holds numbers only. Fix: stack([x, y]) joins tensors")
        except (ValueError, OverflowError):
            self.fail(node, "the rows of a list have unequal lengths. Fix: [[1,2],[3,4]]")
        if array.dtype.kind not in "if" or not 0 < array.size <= MAX_ELEMENTS:
            self.fail(node, f"a list holds 1 to {MAX_ELEMENTS} numbers")
        return array

    # ---- calls ------------------------------------------------------------------------------

    def _function_call(self, node: ast.Call) -> Any:
        if not isinstance(node.func, ast.Name):
            self.fail(node.func, BETTER.get(type(node.func)) or "only functions by name are called")
        name = node.func.id
        function = functions().get(name)
        if function is None:
            self.fail(node.func, unknown(name))
        names = parameters(function)
        as_is, made_of_ops = attributes(function), not isinstance(function, Op)
        positional = []
        for i, argument in enumerate(node.args):
            parameter = names[min(i, len(names) - 1)] if names else ""
            attribute = parameter if parameter in as_is else ""
            positional.append(self._argument(argument, attribute, made_of_ops))
        keywords: dict[str, Any] = {}
        for k in node.keywords:
            if k.arg is None:
                self.fail(k.value, "no ** in calls. Fix: axis=0")
            keywords[k.arg] = self._argument(k.value, k.arg if k.arg in as_is else "")
        return self._call(node, function, positional, keywords)

    def _argument(self, node: ast.expr, attribute: str, whole_numbers: bool = True) -> Any:
        """Return an operand, or the value of an attribute: numbers, words, None as they are."""
        match node:
            case ast.Starred():
                self.fail(node, "no * in calls. Fix: write the arguments one by one")
            case ast.Constant(value=str() | bool() | None as word):
                if isinstance(word, str) and len(word) > 60:
                    self.fail(node, "this text is too long")
                return word
            case ast.Name(id="inf") if attribute:
                return math.inf
            case ast.UnaryOp(op=ast.USub(), operand=ast.Name(id="inf")) if attribute:
                return -math.inf
            case ast.List(elts=parts) | ast.Tuple(elts=parts) if not attribute:
                if any(not is_literal(p) for p in parts):
                    return [self._value(p) for p in parts]
        if attribute and is_literal(node):
            value = literal(node)
            if math.prod(max(1, abs(n)) for n in numbers_in(value)) > MAX_ELEMENTS:
                self.fail(node, f"{attribute} is too large: at most {MAX_ELEMENTS} elements")
            return _tuples(value)
        if whole_numbers and is_literal(node):
            value = literal(node)
            if isinstance(value, int) and abs(value) <= MAX_ELEMENTS:
                return value
        return self._value(node)

    def _call(self, node: ast.AST, function: Any, positional: list[Any], keywords: Any) -> Any:
        """Call an op, and bring its errors and oversized results into one line."""
        operands = [x for x in positional if hasattr(x, "size")]
        work = math.prod(max(1, x.size) for x in operands)
        if work > MAX_WORK and getattr(function, "kind", "composite") not in ("join", "reduce"):
            self.fail(node, "these arrays are too large for one step")
        if not any(isinstance(x, Tensor) for x in _flat(positional)):
            positional = [np.asarray(x) if type(x) is float else x for x in positional]
        try:
            with np.errstate(all="ignore"):
                result = function(*positional, **keywords)
        except TinygraphError as error:
            self.fail(node, shorten(" ".join(str(error).split()), 300))
        except Exception as error:
            self.fail(node, f"this cannot be computed: {shorten(str(error), 80)}")
        if isinstance(result, list | tuple):
            return list(result)
        if getattr(result, "size", 1) > MAX_ELEMENTS:
            self.fail(node, f"the result has {result.size} elements; at most {MAX_ELEMENTS}")
        is_single = isinstance(result, np.ndarray | np.generic) and not result.shape
        return float(result) if is_single else result

    # ---- indices ------------------------------------------------------------------------------

    def _item(self, node: ast.AST, value: Any, index: Any) -> Any:
        if isinstance(value, list):
            if isinstance(index, int) and -len(value) <= index < len(value):
                return value[index]
            self.fail(node, f"there are {len(value)} results. Fix: [0] picks the first")
        if not isinstance(value, Tensor):
            self.fail(node, "only tensors are indexed")
        return self._call(node, lambda x: x[index], [value], {})

    def _index(self, node: ast.expr) -> Any:
        match node:
            case ast.Tuple(elts=parts):
                return tuple(self._index(p) for p in parts)
            case ast.Slice(lower=lower, upper=upper, step=step):
                return slice(*(None if p is None else self._whole(p) for p in (lower, upper, step)))
            case ast.Constant(value=None):
                return None
            case ast.Constant(value=value) if value is ...:
                return ...
        return self._whole(node)

    def _whole(self, node: ast.expr) -> int:
        if is_literal(node):
            value = literal(node)
            if isinstance(value, int) and abs(value) <= MAX_ELEMENTS:
                return value
        self.fail(node, "an index is a whole number or a slice. Fix: x[0], x[1:3] or x[:, 0]")


def _tuples(value: Any) -> Any:
    """Return nested lists as tuples, which attributes are."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _flat(values: Sequence[Any]) -> list[Any]:
    found: list[Any] = []
    for value in values:
        found += value if isinstance(value, list) else [value]
    return found


def _refusal(node: ast.AST) -> str:
    if isinstance(node, ast.Constant):
        return f"{describe(node.value)} is no number"
    return f"{type(node).__name__} is not part of an expression here"
