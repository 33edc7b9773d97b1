"""The one table of operators and methods: what `t + 1`, `t.sum()` and `np.pad(t)` call."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np

from ..core.dtypes import checked_dtype
from ..core.errors import GradientError, UsageError, compose_message, describe
from ..core.grad import backward
from ..core.modes import current_modes
from ..core.node import node_of
from ..core.numpy_bridge import array_function, array_ufunc
from ..core.op import Op
from ..core.operators import binary_operator, operator_of_one, reflected_operator
from ..core.other_names import missing_methods
from ..core.registry import NUMPY_FUNCTIONS
from ..core.structure import broadcast_to, cast
from ..core.tensor import Tensor
from . import (
    activation,
    arrange,
    choice,
    determinant,
    diagonal,
    difference,
    elementwise,
    exponential,
    gather,
    index,
    inverse,
    joining,
    linalg,
    logic,
    norm,
    products,
    reduce,
    rounding,
    scan,
    scatter,
    shape,
    softmax,
    sort,
    splitting,
    statistics,
    trigonometry,
    truth,
    window,
)


def _equality(record: Op) -> Callable[[Tensor, Any], Any]:
    """Compare elements; with None and text, which no tensor equals, leave it to Python."""
    compare = binary_operator(record)

    def operator(self: Tensor, other: Any) -> Any:
        if other is None or isinstance(other, str):
            return NotImplemented
        return compare(self, other)

    operator.__doc__ = record.__doc__
    return operator


def _augmented(record: Op, sign: str) -> Callable[[Tensor, Any], Any]:
    """``t += x`` is ``t = t + x``; on a leaf that requires grad it writes, under no_grad."""

    def operator(self: Tensor, other: Any) -> Tensor:
        if not self.requires_grad or self.op is not None:
            return record(self, other)
        if current_modes().grad_enabled:
            raise GradientError(
                compose_message(
                    f"'{sign}=' on a leaf that requires grad is ambiguous while recording",
                    describe(self),
                    f"t = t {sign} x for a new tensor; 'with tg.no_grad():' to change the leaf",
                )
            )
        self[...] = record(self, other)
        return self

    return operator


def astype(x: Any, dtype: Any) -> Tensor:
    """Convert to another dtype; the gradient is converted back.

    Parameters
    ----------
    x : Tensor or ndarray
    dtype : dtype
        The same dtype returns the tensor itself.

    Raises
    ------
    DtypeError
        If a tensor cannot hold the dtype.

    Examples
    --------
    >>> import numpy as np, tinygraph as tg
    >>> tg.astype(tg.tensor([1.5]), np.int64)
    tensor([1])
    """
    target = checked_dtype(dtype)
    if isinstance(x, Tensor) and x.dtype == target:
        return x
    return cast(x, dtype=target)


def _item_or_select(self: Tensor, position: Any) -> Tensor:
    return index.select(self, position)


_item_or_select.__doc__ = index.select.__doc__

OPERATORS: dict[str, Any] = {
    "__neg__": elementwise.neg,
    "__abs__": elementwise.abs,
    "__add__": elementwise.add,
    "__sub__": elementwise.sub,
    "__mul__": elementwise.mul,
    "__truediv__": elementwise.div,
    "__pow__": elementwise.pow,
    "__matmul__": linalg.matmul,
    "__lt__": elementwise.less,
    "__le__": elementwise.less_equal,
    "__gt__": elementwise.greater,
    "__ge__": elementwise.greater_equal,
    "__floordiv__": rounding.floor_divide,
    "__mod__": rounding.remainder,
    "__and__": logic.bitwise_and,
    "__or__": logic.bitwise_or,
    "__xor__": logic.bitwise_xor,
    "__invert__": logic.bitwise_not,
    "__eq__": elementwise.equal,
    "__ne__": elementwise.not_equal,
}

METHODS: dict[str, Any] = {
    "__round__": rounding.round,
    "abs": elementwise.abs,
    "all": truth.all,
    "any": truth.any,
    "arccos": trigonometry.arccos,
    "arccosh": trigonometry.arccosh,
    "arcsin": trigonometry.arcsin,
    "arcsinh": trigonometry.arcsinh,
    "arctan": trigonometry.arctan,
    "arctanh": trigonometry.arctanh,
    "argmax": reduce.argmax,
    "argmin": reduce.argmin,
    "argsort": sort.argsort,
    "astype": astype,
    "backward": backward,
    "broadcast_to": broadcast_to,
    "ceil": rounding.ceil,
    "chunk": splitting.chunk,
    "clip": elementwise.clip,
    "cos": elementwise.cos,
    "cosh": trigonometry.cosh,
    "count_nonzero": truth.count_nonzero,
    "cummax": scan.cummax,
    "cumprod": scan.cumprod,
    "cumsum": scan.cumsum,
    "det": determinant.det,
    "diag": diagonal.diag,
    "diagonal": diagonal.diagonal,
    "diff": difference.diff,
    "dot": products.dot,
    "exp": elementwise.exp,
    "exp2": exponential.exp2,
    "expand_dims": shape.expand_dims,
    "expm1": exponential.expm1,
    "flatten": shape.flatten,
    "flip": arrange.flip,
    "floor": rounding.floor,
    "gather": gather.gather,
    "index_add": scatter.index_add,
    "index_put": scatter.index_put,
    "inner": products.inner,
    "inv": inverse.inv,
    "isfinite": rounding.isfinite,
    "isinf": rounding.isinf,
    "isnan": rounding.isnan,
    "lerp": choice.lerp,
    "log": elementwise.log,
    "log10": exponential.log10,
    "log1p": exponential.log1p,
    "log2": exponential.log2,
    "log_softmax": softmax.log_softmax,
    "logcumsumexp": scan.logcumsumexp,
    "logit": exponential.logit,
    "logsumexp": reduce.logsumexp,
    "masked_fill": choice.masked_fill,
    "masked_select": gather.masked_select,
    "matmul": linalg.matmul,
    "max": reduce.max,
    "mean": reduce.mean,
    "median": sort.median,
    "min": reduce.min,
    "moveaxis": shape.moveaxis,
    "nan_to_num": rounding.nan_to_num,
    "nanmean": statistics.nanmean,
    "nansum": statistics.nansum,
    "norm": norm.norm,
    "outer": products.outer,
    "permute": shape.permute,
    "prod": scan.prod,
    "reciprocal": exponential.reciprocal,
    "relu": activation.relu,
    "repeat": arrange.repeat,
    "reshape": shape.reshape,
    "roll": arrange.roll,
    "round": rounding.round,
    "rsqrt": exponential.rsqrt,
    "scatter": scatter.scatter,
    "scatter_add": scatter.scatter_add,
    "sigmoid": activation.sigmoid,
    "sign": elementwise.sign,
    "sin": elementwise.sin,
    "sinh": trigonometry.sinh,
    "softmax": softmax.softmax,
    "sort": sort.sort,
    "split": splitting.split,
    "sqrt": elementwise.sqrt,
    "square": elementwise.square,
    "squeeze": shape.squeeze,
    "std": statistics.std,
    "sum": reduce.sum,
    "swapaxes": shape.swapaxes,
    "take": gather.take,
    "take_along_axis": gather.take_along_axis,
    "tan": trigonometry.tan,
    "tanh": elementwise.tanh,
    "tile": arrange.tile,
    "topk": sort.topk,
    "trace": products.trace,
    "transpose": shape.transpose,
    "tril": diagonal.tril,
    "triu": diagonal.triu,
    "trunc": rounding.trunc,
    "unbind": splitting.unbind,
    "unflatten": shape.unflatten,
    "unfold": window.unfold,
    "var": reduce.var,
}

PROPERTIES: dict[str, tuple[Callable[[Tensor], Any], str, str]] = {
    "T": (lambda t: shape.transpose(t), "Tensor", "All axes reversed."),
    "mT": (lambda t: shape.matrix_transpose(t), "Tensor", "The last two axes exchanged."),
    "node": (node_of, "Any", "The Node that made this tensor; None for a leaf."),
}

SPECIAL: dict[str, Any] = {
    "__getitem__": _item_or_select,
    "__array_ufunc__": array_ufunc,
    "__array_function__": array_function,
}


def _numpy_clip(
    x: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None
) -> Tensor:
    """Call clip with NumPy's two pairs of names for the limits."""
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    return elementwise.clip(x, min=low, max=high)


def _numpy_ravel(a: Any, order: str = "C") -> Tensor:
    """Call flatten by NumPy's other name for it."""
    if order != "C":
        raise UsageError(f"np.ravel of a tensor takes no argument order={order!r}: rows first.")
    return shape.flatten(a)


NUMPY: dict[Callable[..., Any], Any] = {
    np.clip: _numpy_clip,
    np.argsort: sort.argsort,
    np.concatenate: joining.concatenate,
    np.cumprod: scan.cumprod,
    np.cumsum: scan.cumsum,
    np.fliplr: lambda m: arrange.flip(m, axis=1),
    np.flipud: lambda m: arrange.flip(m, axis=0),
    np.ravel: _numpy_ravel,
    np.astype: astype,
    np.linalg.matmul: linalg.matmul,
    np.linalg.outer: products.outer,
    np.linalg.tensordot: products.tensordot,
    np.rint: lambda x: rounding.round(x),
    np.sort: sort.sort,
}

BINARY = (
    "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor",
)  # fmt: skip
SIGNS = {
    "add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "**",
    "matmul": "@", "and": "&", "or": "|", "xor": "^",
}  # fmt: skip
ONE_OPERAND = ("__neg__", "__abs__", "__invert__")


def _method(function: Any) -> Callable[..., Any]:
    """Return a function, or a callable record as one: Python binds functions to the instance."""
    if isinstance(function, FunctionType):
        return function
    if type(function) is Op and function.takes_one:
        method = operator_of_one(function)
    else:

        def method(self: Tensor, *args: Any, **kwargs: Any) -> Any:
            return function(self, *args, **kwargs)

    method.__name__ = method.__qualname__ = function.__name__
    method.__doc__ = function.__doc__
    method.__wrapped__ = function  # type: ignore[attr-defined]  # its signature is the method's
    return method


def install() -> None:
    """Bind the tables to Tensor."""
    for name, record in OPERATORS.items():
        one_operand = name in ONE_OPERAND
        setattr(Tensor, name, _method(record) if one_operand else binary_operator(record))
    for name in ("__eq__", "__ne__"):
        setattr(Tensor, name, _equality(OPERATORS[name]))
    for word in BINARY:
        record = OPERATORS[f"__{word}__"]
        setattr(Tensor, f"__r{word}__", reflected_operator(record))
        setattr(Tensor, f"__i{word}__", _augmented(record, SIGNS[word]))
    for name, function in METHODS.items():
        setattr(Tensor, name, _method(function))
    for name, (getter, _, doc) in PROPERTIES.items():
        setattr(Tensor, name, property(getter, doc=doc))
    for name, function in SPECIAL.items():
        setattr(Tensor, name, function)
    for name, missing in missing_methods().items():
        if not hasattr(Tensor, name):
            setattr(Tensor, name, missing)
    NUMPY_FUNCTIONS.update(NUMPY)


install()
