"""What holds around a computation: gradient mode, watchers, default dtype, module scope.

The modes are one immutable record in a context variable, the scope is another variable
(it changes with every module call), so threads and asyncio tasks never see each other's.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import DTypeLike

from .errors import DtypeError, compose_message
from .storage import next_index

F = TypeVar("F", bound=Callable[..., Any])


class Scope:
    """One call of a module or composite; the nodes made during the call refer to it.

    Attributes
    ----------
    path : str
        Full name: ``encoder.0`` for a module, the function's name for a composite.
    kind : str
        ``"module"`` or ``"composite"``.
    parent : Scope or None
        The call around this one.
    owner : object
        The module that was called, or the composite's record.
    root : object
        The outermost module being called, None outside any.
    index : int
        When the call began, on the clock that numbers tensors.
    """

    __slots__ = ("path", "kind", "parent", "owner", "root", "index")

    def __init__(self, path: str, kind: str, parent: Scope | None, owner: Any) -> None:
        self.path = path
        self.kind = kind
        self.parent = parent
        self.owner = owner
        self.index = next_index()
        root: Any = None if parent is None else parent.root
        self.root: Any = owner if root is None and kind == "module" else root

    def __repr__(self) -> str:
        return f"Scope({self.path!r}, {self.kind})"

    def module_path(self) -> str:
        """Path of the innermost module call around, "" outside any module."""
        scope: Scope | None = self
        while scope is not None and scope.kind != "module":
            scope = scope.parent
        return "" if scope is None else scope.path


class Watcher(Protocol):
    """A debugging mode: sees each result as it is made and each gradient as it is found."""

    def after_forward(self, result: Any, op: Any, inputs: Any, attrs: Any) -> None: ...

    def before_vjps(self, result: Any) -> None: ...

    def after_vjp(self, result: Any, position: int, gradient: Any) -> None: ...


class Modes(NamedTuple):
    """Everything an op needs to know about its surroundings."""

    grad_enabled: bool = True
    watchers: tuple[Watcher, ...] = ()
    retain_grads: bool = False
    default_dtype: np.dtype[Any] | None = None
    recorder: Any = None  # what notes every op for a replay: see recording.py


_modes: ContextVar[Modes] = ContextVar("tinygraph_modes", default=Modes())  # noqa: B039
current_modes = _modes.get
_global_default_dtype: np.dtype[Any] = np.dtype(np.float32)


@contextmanager
def modes(**changes: Any) -> Iterator[None]:
    """Change some of the modes inside a ``with`` block."""
    token = _modes.set(_modes.get()._replace(**changes))
    try:
        yield
    finally:
        _modes.reset(token)


_scope: ContextVar[Scope | None] = ContextVar("tinygraph_scope", default=None)
current_scope = _scope.get
open_scope = _scope.set
"""Enter a scope; returns the token that :data:`close_scope` takes (module calls are hot)."""
close_scope = _scope.reset


def module_path() -> str:
    """Path of the module whose forward pass is running, "" outside."""
    scope = _scope.get()
    return "" if scope is None else scope.module_path()


_outer_modes: ContextVar[tuple[bool, ...]] = ContextVar("tinygraph_outer_modes", default=())
"""The gradient modes to return to, innermost first: per thread and task, not per object."""


class _GradMode:
    """Context manager and decorator that turns recording on or off."""

    _enabled: bool

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        """Make the mode, or decorate ``function`` when written without parentheses."""
        mode = super().__new__(cls)
        return mode if function is None else mode(function)

    def __enter__(self) -> None:
        current = _modes.get()
        _outer_modes.set((current.grad_enabled, *_outer_modes.get()))
        _modes.set(current._replace(grad_enabled=self._enabled))

    def __exit__(self, *exc: object) -> None:
        outer = _outer_modes.get()
        if outer:  # empty when a generator is closed in another thread than it ran in
            _outer_modes.set(outer[1:])
            _modes.set(_modes.get()._replace(grad_enabled=outer[0]))

    def __call__(self, function: F) -> F:
        """Decorate ``function``: its body runs in this mode, and only its body.

        A generator function sets the mode while its own body runs; its consumer does not
        see it. (A plain ``with no_grad(): yield`` does leak to the consumer, as in PyTorch.)
        The same holds for ``async def``.
        """
        if inspect.isgeneratorfunction(function):
            return _wrap_generator(function, type(self))  # type: ignore[no-any-return]

        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaited(*args: Any, **kwargs: Any) -> Any:
                with type(self)():
                    return await function(*args, **kwargs)

            return awaited  # type: ignore[return-value]

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with type(self)():
                return function(*args, **kwargs)

        return wrapped  # type: ignore[return-value]


def _wrap_generator(function: Any, mode: type[_GradMode]) -> Any:
    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        generator = function(*args, **kwargs)
        resume: Callable[[], Any] = functools.partial(next, generator)
        while True:
            try:
                with mode():
                    item = resume()
            except StopIteration as stop:
                return stop.value
            try:
                sent = yield item
                resume = functools.partial(generator.send, sent)
            except GeneratorExit:
                with mode():
                    generator.close()
                raise
            except BaseException as error:
                resume = functools.partial(generator.throw, error)

    return wrapped


class no_grad(_GradMode):
    """Do not record operations: results have no node and do not require grad.

    Works as a context manager and as a decorator, per thread and per asyncio task.

    Examples
    --------
    >>> import tinygraph as tg
    >>> x = tg.tensor(3.0, requires_grad=True)
    >>> with tg.no_grad():
    ...     y = x * x
    >>> y.requires_grad
    False
    """

    _enabled = False


class enable_grad(_GradMode):
    """Record operations again inside a :class:`no_grad` block.

    Examples
    --------
    >>> import tinygraph as tg
    >>> x = tg.tensor(3.0, requires_grad=True)
    >>> with tg.no_grad(), tg.enable_grad():
    ...     y = x * x
    >>> y.requires_grad
    True
    """

    _enabled = True


def is_grad_enabled() -> bool:
    """Tell whether operations are being recorded here.

    Examples
    --------
    >>> is_grad_enabled()
    True
    """
    return _modes.get().grad_enabled


@contextmanager
def retain_grads() -> Iterator[None]:
    """Backward passes that run inside keep the gradient of every intermediate tensor too.

    Examples
    --------
    >>> import tinygraph as tg
    >>> x = tg.tensor(3.0, requires_grad=True)
    >>> y = x * x
    >>> with tg.retain_grads():
    ...     (y * 2.0).backward()
    >>> float(y.grad)
    2.0
    """
    with modes(retain_grads=True):
        yield


def get_default_dtype() -> np.dtype[Any]:
    """Return the float dtype of new tensors made from Python numbers (float32 at first).

    Examples
    --------
    >>> import tinygraph as tg
    >>> tg.get_default_dtype()
    dtype('float32')
    """
    return _modes.get().default_dtype or _global_default_dtype


def set_default_dtype(dtype: DTypeLike) -> None:
    """Set the default float dtype for the whole process.

    Parameters
    ----------
    dtype : dtype
        float16, float32 or float64.

    Raises
    ------
    DtypeError
        If ``dtype`` is not a floating dtype.
    """
    global _global_default_dtype
    _global_default_dtype = _floating(dtype)


@contextmanager
def default_dtype(dtype: DTypeLike) -> Iterator[None]:
    """Set the default float dtype inside a ``with`` block: creation, random, parameters.

    Examples
    --------
    >>> import numpy as np, tinygraph as tg
    >>> with tg.default_dtype(np.float64):
    ...     tg.tensor(1.5).dtype
    dtype('float64')
    """
    with modes(default_dtype=_floating(dtype)):
        yield


def _floating(dtype: DTypeLike) -> np.dtype[Any]:
    try:
        result = np.dtype(dtype)
    except TypeError:
        result = None
    if result is None or result.kind != "f" or result.itemsize > 8:
        raise DtypeError(
            compose_message(
                "The default dtype must be a floating dtype",
                str(result or dtype),
                "np.float32 or np.float64",
            )
        )
    return result
