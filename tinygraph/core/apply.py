"""Running an op: arrays in, array out; tensors in, a tensor with its node out.

This is the hot path. `apply` handles what nearly all calls are (tensors of one floating
dtype and Python numbers), `apply_to_one` the half of them that have one operand; everything
else goes through `_apply_mixed`, which brings the operands into that form by the dtype rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .dtypes import FLOAT32, FLOAT64, as_array
from .errors import DtypeError, TinygraphError, compose_message, describe
from .failure import FROM_NUMPY, explain, note_failure
from .modes import current_modes, current_scope, get_default_dtype, module_path
from .registry import lookup
from .storage import Array, Storage, next_index
from .tensor import Tensor

if TYPE_CHECKING:
    from .op import Op

ndarray, generic = np.ndarray, np.generic
new_tensor = Tensor.__new__
NO_ATTRS: dict[str, Any] = {}
NUMBERS = (int, float)
RAW = (ndarray, generic, *NUMBERS)
NO_OPERANDS = (str, bytes, dict, set)


def apply(op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any]) -> Any:
    """Run ``op`` and record a node where a gradient or a replay may need it."""
    for x in inputs:
        if type(x) is not ndarray:
            break
    else:  # a derivative rule at work
        return _run(op, inputs, inputs, attrs)[0]
    arrays: list[Any] = []
    needs_grad = in_graph = False
    dtype = None
    uniform = True
    with_arrays = with_numbers = False
    for x in inputs:
        if isinstance(x, Tensor):
            array = x._data
            arrays.append(array)
            if x._requires_grad:
                needs_grad = True
            elif x.op is not None:
                in_graph = True
            if array.dtype is not dtype:
                uniform = dtype is None
                dtype = array.dtype
        elif type(x) is float or type(x) is int:
            arrays.append(x)
            with_numbers = True
        elif type(x) is ndarray or isinstance(x, generic):
            arrays.append(x)
            with_arrays = True
        else:
            return _apply_mixed(op, inputs, attrs)
    if dtype is not None and (
        with_arrays or (op.promotes and not (uniform and (dtype is FLOAT32 or dtype is FLOAT64)))
    ):
        return _apply_mixed(op, inputs, attrs)
    if with_numbers:
        arrays = _with_shapes(op, arrays)
    value, attrs = _run(op, inputs, arrays, attrs)
    if dtype is None:
        return value  # no tensor in, no tensor out
    return record(op, value, inputs, attrs, needs_grad, in_graph)


def apply_to_one(op: Op, inputs: tuple[Any], attrs: dict[str, Any]) -> Any:
    """Run an op of one operand, as :func:`apply` does, for half the overhead."""
    (x,) = inputs
    if not isinstance(x, Tensor):
        return apply(op, inputs, attrs)
    array = x._data
    if op.promotes and array.dtype is not FLOAT32 and array.dtype is not FLOAT64:
        return _apply_mixed(op, inputs, attrs)
    if attrs or op.prepare is not None:
        value, attrs = _run(op, inputs, (array,), attrs)
    else:
        try:
            value = op.forward(array)
        except Exception:
            return apply(op, inputs, attrs)  # checks, then explains
    return record(op, value, inputs, attrs, x._requires_grad, x.op is not None)


def record(
    op: Op,
    value: Any,
    inputs: tuple[Any, ...],
    attrs: dict[str, Any],
    needs_grad: bool,
    in_graph: bool,
) -> Tensor:
    """Make the result tensor; with a node if an input is part of a graph.

    Results without a gradient (comparisons, arg max) are nodes too: `Graph.evaluate` and
    replay compute them anew from fresh inputs.
    """
    if type(value) is not ndarray:
        value = np.asarray(value)
    modes = current_modes()
    if (needs_grad or in_graph) and modes.grad_enabled:
        dtype = value.dtype
        if op.vjps is None or (dtype is not FLOAT32 and dtype is not FLOAT64 and dtype.kind != "f"):
            needs_grad = False
        result = new_tensor(Tensor)  # filled here: a call of the class takes 70 ns more
        result._data = value
        result._requires_grad = needs_grad
        result.op = op
        result.inputs = inputs
        result.attrs = attrs
        result.scope = current_scope()
        result.index = next_index()
        result.used = result._retains_grad = False
        result._grad = result._grad_buffer = result._storage = result.name = None
    else:
        result = Tensor(value)
    if value.base is not None:
        _share_storage(result, inputs)
    if modes.watchers:
        for watcher in modes.watchers:
            watcher.after_forward(result, op, inputs, attrs)
    return result


def _share_storage(result: Tensor, inputs: tuple[Any, ...]) -> None:
    """A view of a tensor knows when the tensor is written."""
    base = result._data.base
    if type(base) is not ndarray:
        base = getattr(base, "base", None)  # as_strided puts an object in between
    for x in inputs:
        if isinstance(x, Tensor) and (base is x._data or base is x._data.base):
            if x._storage is None:
                x._storage = Storage()
            result._storage = x._storage
            return


def _apply_mixed(op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any]) -> Any:
    """Handle arrays, lists, NumPy scalars and mixed dtypes; without any tensor, stay raw."""
    for x in inputs:
        if isinstance(x, Tensor):
            break
    else:
        return _apply_raw(op, inputs, attrs)
    operands = tuple([_operand(op, x) for x in inputs])
    tensors = [(i, x) for i, x in enumerate(operands) if isinstance(x, Tensor)]
    dtypes = {x._data.dtype for i, x in tensors if i not in op.discrete}
    floating = [dtype for dtype in dtypes if dtype.kind == "f"]
    if op.promotes and floating and len(dtypes) > 1:
        dtype = floating[0] if len(floating) == 1 else np.result_type(*floating)
        operands = tuple(
            [x if i in op.discrete else _cast(x, dtype) for i, x in enumerate(operands)]
        )
    arrays = _with_shapes(op, [x._data if isinstance(x, Tensor) else x for x in operands])
    value, attrs = _run(op, operands, arrays, attrs)
    if op.promotes and not floating and getattr(value, "dtype", None) == FLOAT64:
        value = np.asarray(value, dtype=get_default_dtype())
    needs_grad = in_graph = False
    for _, x in tensors:
        needs_grad = needs_grad or x._requires_grad
        in_graph = in_graph or x.op is not None
    return record(op, value, operands, attrs, needs_grad, in_graph)


def _apply_raw(op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any]) -> Any:
    """No tensor in, no tensor out."""
    arrays: Any = inputs
    for x in inputs:
        if type(x) is not ndarray and not isinstance(x, RAW):
            arrays = [x if isinstance(x, RAW) else _as_operand_array(op, x) for x in inputs]
            break
    return _run(op, inputs, _with_shapes(op, arrays), attrs)[0]


def _run(
    op: Op, operands: tuple[Any, ...], arrays: Any, attrs: dict[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """Check, compute, and return the result with the completed attributes."""
    try:
        if op.prepare is not None:
            attrs = op.prepare(*arrays, **attrs)
        return (op.forward(*arrays, **attrs) if attrs else op.forward(*arrays)), attrs
    except TinygraphError as error:
        note_failure(error, op, operands, attrs)
        raise
    except FROM_NUMPY as error:
        raise explain(op, operands, arrays, attrs, error) from error


def _with_shapes(op: Op, arrays: Any) -> Any:
    """Give numbers a shape, for the ops that ask for it; elementwise ops take them as they are."""
    if op.prepare is None or op.kind == "elementwise":
        return arrays
    return [np.asarray(x) if isinstance(x, NUMBERS) else x for x in arrays]


def _operand(op: Op, x: Any) -> Any:
    """Return a tensor or a Python number; NumPy scalars are as weak as Python numbers."""
    if isinstance(x, Tensor):
        return x
    if isinstance(x, generic):
        return x.item() if x.dtype.kind in "fiub" else Tensor(_as_operand_array(op, x))
    return x if isinstance(x, NUMBERS) else Tensor(_as_operand_array(op, x))


def _as_operand_array(op: Op, x: Any) -> Array:
    if x is None or isinstance(x, NO_OPERANDS) or callable(x):
        raise DtypeError(
            compose_message(
                f"{op.name}: every operand is a tensor, an array or a number",
                describe(x),
                "tg.tensor(…) makes a tensor",
                module_path(),
            )
        )
    try:
        return as_array(x)
    except DtypeError as error:
        raise DtypeError(f"{op.name}: {error}") from error


def _cast(x: Any, dtype: np.dtype[Any]) -> Any:
    """Bring integer and boolean operands to the floating dtype; floats promote by NumPy."""
    if not isinstance(x, Tensor) or x.dtype.kind == "f":
        return x
    return lookup("cast")(x, dtype=dtype)
