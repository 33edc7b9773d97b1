"""The Tensor: an array that remembers how it was made.

Tensor and node are one object: a result carries its op, inputs and attributes itself.
That measured a quarter faster than two objects per op; ``t.node`` gives the node view.
A tensor refers to its inputs and never to its consumers, so there are no cycles and
dropping the last result frees the whole graph at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .dtypes import as_array, is_floating
from .errors import (
    DtypeError,
    GradientError,
    IndexRangeError,
    ShapeError,
    UsageError,
    compose_message,
    describe,
)
from .layout import is_channels_last, rows_of_elements
from .modes import Scope, current_modes, get_default_dtype, module_path
from .other_names import MissingMethod
from .recording import RECORDERS, active_recorder, refuse
from .storage import Array, Storage, gradient_memory, next_index

if TYPE_CHECKING:
    from .methods import TensorMethods  # generated from the registry: methods.pyi
    from .op import Op
else:
    TensorMethods = object


class Tensor(TensorMethods):
    """A NumPy array with a gradient and a place in the computational graph.

    Make leaves with :func:`tinygraph.tensor`; operations make the rest.

    Attributes
    ----------
    data : ndarray
        The value. Assigning copies in; results of operations cannot be written.
    grad : ndarray or None
        The gradient accumulated by :meth:`backward`; None before the first.
    requires_grad : bool
        Whether a gradient flows to this tensor.
    name : str or None
        A name for pictures and messages.
    op, inputs, attrs, scope, index
        How it was made; ``op`` is None for a leaf. See :attr:`node`.

    Examples
    --------
    >>> import tinygraph as tg
    >>> x = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    array([2., 4.], dtype=float32)
    """

    __slots__ = (
        "_data", "_requires_grad", "_grad", "name", "_storage", "_grad_buffer",
        "op", "inputs", "attrs", "scope", "index", "used", "_retains_grad", "__weakref__",
    )  # fmt: skip

    def __init__(
        self,
        data: Array,
        requires_grad: bool = False,
        op: Op | None = None,
        inputs: tuple[Any, ...] = (),
        attrs: dict[str, Any] | None = None,
        scope: Scope | None = None,
    ) -> None:
        if not isinstance(data, np.ndarray):
            raise _no_array(data)
        self._data = data
        self._requires_grad = requires_grad
        self.op = op
        self.inputs = inputs
        self.attrs = attrs
        self.scope = scope
        self.index = next_index()
        self.used = False  # a backward pass went through
        self._retains_grad = False
        self._grad: Array | None = None
        self._grad_buffer: Array | None = None  # where an optimizer wants the gradient
        self._storage: Storage | None = None
        self.name: str | None = None

    __hash__ = object.__hash__

    def __dir__(self) -> list[str]:
        return [n for n in super().__dir__() if type(vars(Tensor).get(n)) is not MissingMethod]

    # ---- what it holds -------------------------------------------------------------

    @property
    def data(self) -> Array:
        """The value as an ndarray that shares memory; read-only for results of operations.

        Write through ``t.data = …``.
        """
        if RECORDERS:
            refuse(".data", self)
        return self._data if self.op is None else self.numpy()

    @data.setter
    def data(self, value: Any) -> None:
        self._check_writable("assign .data of", by_data=True)
        if value is not self._data:
            array = value._data if isinstance(value, Tensor) else as_array(value)
            if array.shape != self.shape:
                raise ShapeError(
                    compose_message(
                        f"Assigned data must have the tensor's shape {self.shape}",
                        describe(array),
                        "make a new tensor for a new shape",
                    )
                )
            self._copy_in(..., array)
        self.mark_written()

    @property
    def grad(self) -> Array | None:
        """The accumulated gradient (same shape and dtype as ``data``), or None."""
        if RECORDERS:
            refuse(".grad", fix="optimizer.step() and tg.clip_grad_norm use it, tg.grad returns it")
        return self._grad

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is None:
            drop_gradients([self])
            return
        if RECORDERS:
            refuse("an assignment to .grad")
        array = np.asarray(value._data if isinstance(value, Tensor) else value)
        if array.shape != self._data.shape or array.dtype.kind not in "fiub":
            raise ShapeError(
                compose_message(
                    f"A gradient has the shape of its tensor, {self._data.shape}",
                    describe(array),
                    "assign an array of that shape, or None",
                )
            )
        own_gradient(self, array, accumulate=False)

    @property
    def requires_grad(self) -> bool:
        """Whether a gradient flows to this tensor; settable on leaves of floating dtype."""
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set :attr:`requires_grad` of a leaf and return it.

        Raises
        ------
        GradientError
            If the tensor is the result of an operation.
        DtypeError
            If it holds integers or booleans.
        """
        if self.op is not None and bool(requires_grad) != self._requires_grad:
            raise GradientError(
                compose_message(
                    "requires_grad can be set on leaves only",
                    f"the result of '{self.op.name}', {describe(self)}",
                    "use t.detach() for a leaf with the same value",
                )
            )
        if requires_grad and not is_floating(self.dtype):
            raise DtypeError(
                compose_message(
                    "Only floating tensors can require grad",
                    describe(self),
                    "t.astype(np.float32) or floats such as 1.0",
                )
            )
        self._requires_grad = bool(requires_grad)
        return self

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return self._data.shape  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self._data.ndim

    @property
    def size(self) -> int:
        """Number of elements."""
        return self._data.size

    @property
    def dtype(self) -> np.dtype[Any]:
        """The NumPy dtype of the value."""
        return self._data.dtype

    @property
    def is_leaf(self) -> bool:
        """True when no operation made this tensor."""
        return self.op is None

    def numpy(self) -> Array:
        """Return a read-only view of the value."""
        if RECORDERS:
            refuse(".numpy()", self)
        view = self._data.view()
        view.flags.writeable = False
        return view

    def item(self) -> Any:
        """Return the single element as a Python number.

        Raises
        ------
        ShapeError
            If there is not exactly one element.
        """
        if self._data.size != 1:
            raise ShapeError(
                compose_message(
                    "Only a tensor with one element is a number",
                    describe(self),
                    "reduce it first (t.sum(), t.mean()) or index one element",
                )
            )
        if RECORDERS:
            refuse("the value of a tensor (.item(), float, int, bool)", self)
        return self._data.item()

    def detach(self) -> Tensor:
        """Return a leaf with the same memory that no gradient flows through."""
        leaf = Tensor(self._data)
        leaf.name = self.name
        leaf._storage = self._storage = self._storage or Storage()
        return leaf

    def clone(self) -> Tensor:
        """Return a copy in the graph: the gradient flows through."""
        return self * 1 if self.dtype != np.bool_ else Tensor(self.data.copy())

    def retain_grad(self) -> None:
        """Keep the gradient of this intermediate tensor at the next backward pass."""
        if not self._requires_grad:
            raise GradientError(
                compose_message("Only a tensor that requires grad can retain it", describe(self))
            )
        self._retains_grad = True

    # ---- writing ---------------------------------------------------------------------

    def mark_written(self) -> None:
        """Note that the memory changed: later backward passes through old values raise."""
        if self._storage is None:
            self._storage = Storage()
        self._storage.mark()
        if RECORDERS and (recorder := active_recorder()) is not None:
            recorder.written(self)

    def _check_writable(self, action: str, by_data: bool = False) -> None:
        if RECORDERS:
            refuse(f"a write ({action} a tensor)", self, "tg.where or tg.index_put")
        if self.op is not None:
            raise GradientError(
                compose_message(
                    f"Cannot {action} the result of an operation",
                    f"{describe(self)} made by '{self.op.name}'",
                    "build a new tensor with tg.where(mask, new, old) or tg.index_put",
                    module_path(),
                )
            )
        if self._requires_grad and current_modes().grad_enabled and not by_data:
            raise GradientError(
                compose_message(
                    f"Cannot {action} a leaf that requires grad while recording",
                    describe(self),
                    "write inside 'with tg.no_grad():', or assign t.data",
                    module_path(),
                )
            )

    def _copy_in(self, index: Any, value: Any) -> None:
        array = value._data if isinstance(value, Tensor) else as_array(value)
        if self.dtype.kind != "f" and array.dtype.kind == "f":
            raise DtypeError(
                compose_message(
                    "Floating values do not fit into an integer or boolean tensor",
                    f"{describe(array)} for {describe(self)}",
                    "t = t.astype(np.float32) first",
                )
            )
        try:
            self._data[index] = array
        except IndexError as error:
            raise IndexRangeError(
                compose_message(f"Cannot write into {describe(self)}: {error}")
            ) from error
        except (ValueError, TypeError) as error:
            raise ShapeError(
                compose_message(f"Cannot write into {describe(self)}: {error}", describe(array))
            ) from error

    def __setitem__(self, index: Any, value: Any) -> None:
        self._check_writable("write into")
        if isinstance(value, Tensor) and value._requires_grad and current_modes().grad_enabled:
            raise GradientError(
                compose_message(
                    "Writing a tensor that requires grad into another would lose its gradient",
                    f"{describe(value)} for {describe(self)}",
                    "tg.where(mask, new, old) keeps it; value.detach() gives it up",
                    module_path(),
                )
            )
        parts = index if isinstance(index, tuple) else (index,)
        plain = tuple(p._data if isinstance(p, Tensor) else p for p in parts)
        self._copy_in(plain if isinstance(index, tuple) else plain[0], value)
        self.mark_written()

    # ---- as a Python object --------------------------------------------------------------

    def __len__(self) -> int:
        if self.ndim == 0:
            raise UsageError("A 0-d tensor has no length. Fix: t.item() gives the number.")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if self.ndim == 0:
            raise UsageError("A 0-d tensor is not iterable. Fix: t.item() gives the number.")
        return (self[i] for i in range(self.shape[0]))

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ShapeError(
                compose_message(
                    "The truth of a tensor is defined for one element only",
                    describe(self),
                    "np.any(t.numpy()) or np.all(t.numpy()) of the comparison",
                )
            )
        return bool(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.dtype.kind not in "iub" or self.size != 1:
            raise DtypeError(
                compose_message(
                    "Only an integer tensor with one element is an index", describe(self)
                )
            )
        return int(self.item())

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else repr(self)

    def __repr__(self) -> str:
        body = np.array2string(self._data, separator=", ", prefix="tensor(")
        parts = [body]
        if self.size == 0 and self.ndim > 1:
            parts.append(f"shape={self.shape}")
        plain = self.dtype == get_default_dtype() or self.dtype in (np.int64, np.bool_)
        if not plain:
            parts.append(f"dtype={self.dtype}")
        if self.name:
            parts.append(f"name={self.name!r}")
        if self.op is not None:
            parts.append(f"op={self.op.name}")
        elif self._requires_grad:
            parts.append("requires_grad=True")
        return f"tensor({', '.join(parts)})"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if self._requires_grad:
            raise DtypeError(
                compose_message(
                    "Converting a tensor that requires grad to an array loses the gradient",
                    describe(self),
                    "t.detach().numpy(), or use a function of tinygraph",
                )
            )
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        self._check_is_leaf("deepcopy")
        copied = memo[id(self)] = self._rebuild()
        copied._grad = None if self._grad is None else self._grad.copy()
        return copied

    def __copy__(self) -> Tensor:
        self._check_is_leaf("copy")
        twin = _restore(type(self), self._data, self._requires_grad, self.name)
        twin._storage = self._storage = self._storage or Storage()
        return twin

    def __reduce__(self) -> tuple[Any, ...]:
        self._check_is_leaf("pickle")
        return _restore, (type(self), self._data, self._requires_grad, self.name)

    def _rebuild(self) -> Tensor:
        if RECORDERS:
            refuse("a copy of a tensor", self, "t.clone()")
        return _restore(type(self), self._data.copy(), self._requires_grad, self.name)

    def _check_is_leaf(self, action: str) -> None:
        if self.op is not None:
            raise GradientError(
                compose_message(
                    f"Cannot {action} the result of an operation, it belongs to a graph",
                    f"{describe(self)} made by '{self.op.name}'",
                    f"{action} t.detach()",
                )
            )


def _no_array(data: Any) -> UsageError:
    return UsageError(
        compose_message(
            "Tensor(data) holds the very ndarray that it is given",
            describe(data),
            "tg.tensor(data), which makes one of numbers and lists",
        )
    )


def _restore(cls: type[Tensor], data: Array, requires_grad: bool, name: str | None) -> Tensor:
    tensor = cls.__new__(cls)
    Tensor.__init__(tensor, data, requires_grad)
    tensor.name = name
    return tensor


def holder_of(leaf: Tensor) -> Any:
    """Return the live holder of a packed parameter's memory, None if it is free."""
    buffer = leaf._grad_buffer
    return None if buffer is None else gradient_memory.get(id(buffer.base))


def drop_gradients(leaves: Sequence[Tensor]) -> None:
    """Set ``.grad`` of the leaves to None."""
    if RECORDERS and (recorder := active_recorder()) is not None:
        recorder.dropped(leaves)
    for leaf in leaves:
        leaf._grad = None


def has_gradient(leaf: Tensor) -> bool:
    """Tell whether ``leaf`` holds a gradient: what a step asks before it uses one."""
    if RECORDERS and (recorder := active_recorder()) is not None:
        recorder.asked(leaf)
    return leaf._grad is not None


def own_gradient(leaf: Tensor, gradient: Array, accumulate: bool = True) -> None:
    """Put ``gradient`` into ``leaf.grad``: into the optimizer's memory, or a copy."""
    if gradient.ndim > 2 and is_channels_last(gradient):
        gradient = rows_of_elements(gradient)  # NumPy's own copy takes five times as long
    if accumulate and leaf._grad is not None:
        leaf._grad += gradient
        return
    if leaf._grad_buffer is None:
        leaf._grad = np.array(gradient, dtype=leaf._data.dtype, order="C")
    else:
        leaf._grad_buffer[...] = gradient
        leaf._grad = leaf._grad_buffer
