"""Expressions typed by a person: ``(x + y) * z`` with ``x=-2 y=5 z=-4``, as a graph.

Read with :mod:`ast` against a white list and never evaluated as code; sizes are limited, so that a
hostile expression costs little and ends in one line.
"""

from __future__ import annotations

import ast
import difflib
import inspect
import keyword
import math
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NoReturn

import numpy as np

from .core.errors import TinygraphError, describe
from .core.leaves import tensor
from .core.modes import default_dtype
from .core.op import Composite, Op
from .core.registry import REGISTRY
from .core.tensor import Tensor

MAX_LENGTH = 2000
MAX_DEPTH = 100
MAX_NODES = 1000
MAX_ELEMENTS = 2000
MAX_WORK = 5_000_000
"""How many elements broadcasting may make inside one op."""

OPERATORS = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "pow",
    ast.MatMult: "matmul", ast.Lt: "less", ast.LtE: "less_equal", ast.Gt: "greater",
    ast.GtE: "greater_equal", ast.Eq: "equal", ast.NotEq: "not_equal",
}  # fmt: skip
CONSTANTS = {"pi": math.pi}
PROPERTIES = {"T": "transpose", "mT": "matrix_transpose"}
REFUSED_KINDS = ("random", "state", "opaque", "cast")
REFUSED_MODULES = ("creation", "random", "state", "dropout", "truth", "syntax", "clip_state")
SIGNS = str.maketrans({"−": "-", "·": "*", "×": "*", "÷": "/", "\t": " ", "\n": " ", "\r": " "})
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


class ExpressionError(TinygraphError, ValueError):
    """An expression or a value that cannot be read or is not allowed, with its column."""


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
    variables = dict(_read_assignment(a) for a in assignments)
    if len(variables) < len(assignments):
        raise ExpressionError("A name has two values. Fix: one value for each name.")
    leaves = {
        name: tensor(value, dtype=np.float64, requires_grad=True, name=name)
        for name, value in variables.items()
    }
    reader = _Reader(text, leaves)
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


# ---- values ----------------------------------------------------------------------------------


def _read_assignment(text: str) -> tuple[str, Any]:
    """Read ``W=[[1,2],[3,4]]``."""
    name, equals, value = text.partition("=")
    name = unicodedata.normalize("NFKC", name.strip())
    shown = _shorten(text)
    if not equals or not value.strip():
        raise ExpressionError(f"'{shown}' gives no value. Fix: name=number, as in x=-2.")
    if not name.isidentifier() or keyword.iskeyword(name):
        raise ExpressionError(
            f"'{_shorten(name)}' is no name. Fix: letters and digits, as in x1=2."
        )
    offset = text.index("=") + 1
    tree = _parse(value, offset)
    try:
        array = np.array(_literal(tree), dtype=np.float64)
    except _LiteralError as error:
        column = _column(value, error.node) + offset
        raise ExpressionError(
            f"Value of {name}, column {column}: only numbers and lists of them. Fix: {name}=2.5 "
            f"or {name}=[[1,2],[3,4]]."
        ) from None
    except (ValueError, OverflowError):
        raise ExpressionError(
            f"Value of {name}: rows of unequal length, or a number too large. "
            f"Fix: {name}=[[1,2],[3,4]]."
        ) from None
    if array.size > MAX_ELEMENTS or array.size == 0:
        raise ExpressionError(
            f"Value of {name}: from 1 to {MAX_ELEMENTS} numbers, received {array.size}."
        )
    return name, array


class _LiteralError(Exception):
    def __init__(self, node: ast.expr) -> None:
        self.node = node


def _literal(node: ast.expr) -> Any:
    """Return a number or nested lists of numbers; depth is limited by the parser of the text."""
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return number
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -number
        case ast.UnaryOp(op=ast.UAdd(), operand=ast.Constant(value=int() | float() as number)):
            return number
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            return [_literal(p) for p in parts]
    raise _LiteralError(node)


# ---- text to tree ----------------------------------------------------------------------------


def _parse(text: str, offset: int = 0) -> ast.expr:
    """Return the syntax tree of a text that is neither too long nor too deep."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(
            f"The expression has {len(text)} characters. Fix: at most {MAX_LENGTH}."
        )
    plain = text.translate(SIGNS)
    lead = len(plain) - len(plain.lstrip())
    if not plain.strip():
        raise ExpressionError("The expression is empty. Fix: something like '(x + y) * z'.")
    try:
        tree = ast.parse(plain.strip(), mode="eval").body
    except SyntaxError as error:
        column = (error.offset or 1) + lead + offset
        raise ExpressionError(f"Column {column}: {_syntax_words(plain.strip(), error)}") from None
    except (RecursionError, MemoryError, ValueError, OverflowError):
        raise ExpressionError("The expression cannot be read: nested too deeply.") from None
    _check_size(tree)
    return tree


def _syntax_words(text: str, error: SyntaxError) -> str:
    """Say in our words what Python's parser found."""
    said = (error.msg or "").lower()
    at = max((error.offset or 1) - 1, 0)
    if "=" in text.replace("==", "").replace("<=", "").replace(">=", "").replace("!=", ""):
        return "no '=' here. Fix: only the right side, without 'f ='; a == b compares."
    if "nested" in said or "too many" in said:
        return "nested too deeply."
    if "never closed" in said or "unexpected eof" in said or "eof" in said:
        return "a bracket is not closed."
    if "unmatched" in said or "does not match" in said:
        return "a bracket too many, or of the wrong kind."
    if "invalid decimal literal" in said or "forgot a comma" in said:
        return "something is missing between two parts. Fix: write the product as 2*x."
    if "character" in said:
        return f"the character {text[at : at + 1]!r} means nothing here. Fix: x**2 for x²."
    return "this is no expression. Fix: something like '(x + y) * z'; 2*x for a product."


def _check_size(tree: ast.expr) -> None:
    """Raise if the tree is too deep or too large; walks without recursion."""
    stack: list[tuple[ast.AST, int]] = [(tree, 1)]
    count = 0
    while stack:
        node, depth = stack.pop()
        count += isinstance(node, ast.expr)
        if depth > MAX_DEPTH or count > MAX_NODES:
            raise ExpressionError(
                f"The expression is too large: at most {MAX_NODES} parts, nested {MAX_DEPTH} deep."
            )
        stack += [(child, depth + 1) for child in ast.iter_child_nodes(node)]


def _column(text: str, node: ast.AST) -> int:
    """Return the column of a node in what was typed, from 1; ast counts bytes of UTF-8."""
    lead = len(text) - len(text.translate(SIGNS).lstrip())
    before = text.translate(SIGNS).strip().encode()[: getattr(node, "col_offset", 0)]
    return len(before.decode(errors="replace")) + lead + 1


def _shorten(text: str, limit: int = 30) -> str:
    printable = "".join(c if c.isprintable() else "?" for c in text)
    return printable if len(printable) <= limit else printable[: limit - 1] + "…"


# ---- tree to graph ---------------------------------------------------------------------------


class _Reader:
    """Turns the allowed parts of a syntax tree into calls of ops."""

    def __init__(self, text: str, variables: Mapping[str, Tensor]) -> None:
        self.text = text
        self.variables = variables
        self.used: set[str] = set()

    def read(self) -> Any:
        return self._value(_parse(self.text))

    def fail(self, node: ast.AST, words: str) -> NoReturn:
        raise ExpressionError(f"Column {_column(self.text, node)}: {words.rstrip('.')}.")

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
        self.fail(node, f"{_shorten(name)} has no value. Fix: add {_shorten(name)}=1")

    def _list(self, node: ast.expr) -> Any:
        """Return an array of numbers; whole ones stay whole, for labels and indices."""
        try:
            array = np.array(_literal(node))
        except _LiteralError as error:
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
            self.fail(node.func, _unknown(name))
        names = _parameters(function)
        positional = [
            self._argument(
                a, names[min(i, len(names) - 1)] if names else "", not isinstance(function, Op)
            )
            for i, a in enumerate(node.args)
        ]
        keywords: dict[str, Any] = {}
        for k in node.keywords:
            if k.arg is None:
                self.fail(k.value, "no ** in calls. Fix: axis=0")
            keywords[k.arg] = self._argument(k.value, k.arg)
        return self._call(node, function, positional, keywords)

    def _argument(self, node: ast.expr, parameter: str, whole_numbers: bool = True) -> Any:
        """Return an operand, or what an attribute may be: whole numbers, words, None."""
        match node:
            case ast.Starred():
                self.fail(node, "no * in calls. Fix: write the arguments one by one")
            case ast.Constant(value=str() | bool() | None as word):
                if isinstance(word, str) and len(word) > 60:
                    self.fail(node, "this text is too long")
                return word
            case ast.List(elts=parts) | ast.Tuple(elts=parts) if parameter not in _attributes():
                if any(not _is_literal(p) for p in parts):
                    return [self._value(p) for p in parts]
        if parameter in _attributes() and _is_literal(node):
            value = _literal(node)
            if math.prod(max(1, abs(n)) for n in _numbers(value)) > MAX_ELEMENTS:
                self.fail(node, f"{parameter} is too large: at most {MAX_ELEMENTS} elements")
            return tuple(value) if isinstance(value, list) else value
        if whole_numbers and _is_literal(node):
            value = _literal(node)
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
            self.fail(node, _shorten(" ".join(str(error).split()), 300))
        except Exception as error:
            self.fail(node, f"this cannot be computed: {_shorten(str(error), 80)}")
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
        if _is_literal(node):
            value = _literal(node)
            if isinstance(value, int) and abs(value) <= MAX_ELEMENTS:
                return value
        self.fail(node, "an index is a whole number or a slice. Fix: x[0], x[1:3] or x[:, 0]")


def _is_literal(node: ast.expr) -> bool:
    try:
        _literal(node)
    except _LiteralError:
        return False
    return True


def _flat(values: Sequence[Any]) -> list[Any]:
    found: list[Any] = []
    for value in values:
        found += value if isinstance(value, list) else [value]
    return found


def _numbers(value: Any) -> list[float]:
    """Return the numbers of nested lists."""
    return [value] if not isinstance(value, list) else [n for v in value for n in _numbers(v)]


def _refusal(node: ast.AST) -> str:
    if isinstance(node, ast.Constant):
        return f"{describe(node.value)} is no number"
    return f"{type(node).__name__} is not part of an expression here"


def _unknown(name: str) -> str:
    close = difflib.get_close_matches(name, functions(), n=1)
    hint = f"Fix: {close[0]}(…)" if close else "The table of ops in the docs lists all"
    return f"there is no function {_shorten(name)}. {hint}"


# ---- what can be called -------------------------------------------------------------------------


@cache
def functions() -> dict[str, Callable[..., Any]]:
    """Return the functions an expression may call, by name: tinygraph's differentiable ops."""
    import tinygraph
    from tinygraph.nn import functional

    found: dict[str, Callable[..., Any]] = {}
    for name, record in REGISTRY.items():
        found[name] = record
    for place in (functional, tinygraph):
        found.update({k: v for k, v in vars(place).items() if callable(v) and _is_allowed(v)})
    return {name: f for name, f in found.items() if not name.startswith("_") and _is_allowed(f)}


def _is_allowed(function: Any) -> bool:
    """Tell whether a function only computes: no randomness, no state, nothing of a user's."""
    is_record = isinstance(function, Op | Composite)
    module = str(function.module if is_record else getattr(function, "__module__", ""))
    part = module.rpartition(".")[2]
    if not module.startswith(("tinygraph.ops.", "tinygraph.core.structure")):
        return False
    if part in REFUSED_MODULES or isinstance(function, type):
        return False
    if isinstance(function, Op):
        return function.kind not in REFUSED_KINDS
    return isinstance(function, Composite) or inspect.isfunction(function)


@cache
def _parameters(function: Any) -> list[str]:
    if isinstance(function, Op):
        return [*function.input_names, *([function.rest_name] if function.variadic else []),
                *function.attr_names]  # fmt: skip
    target = function.function if isinstance(function, Composite) else function
    return list(inspect.signature(target).parameters)


@cache
def _attributes() -> frozenset[str]:
    """Return the words that name attributes: those of the ops, and of functions made of ops."""
    ops = [r for r in REGISTRY.values() if isinstance(r, Op)]
    names = {n for r in ops for n in r.attr_names} - {n for r in ops for n in r.input_names}
    return frozenset(names | {"k", "n", "reps", "repeats", "sections", "chunks", "offset", "shift"})
