"""tg.compile: record one run of a function, replay it from then on."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from ..core.dtypes import as_array
from ..core.errors import CompileError, UsageError, describe
from ..core.graph import Graph
from ..core.memory import give_back_freed_memory
from ..core.modes import current_modes
from ..core.storage import Storage
from ..core.tensor import Tensor
from .outputs import Outputs
from .plan import ArgumentGradient, Plan
from .record import Recorder
from .signature import Quick, Signature, read, rebuild

MOST_PLANS = 32
"""Plans that a compiled function keeps; the least recently used goes first."""

_enabled: ContextVar[bool] = ContextVar("tinygraph_compile", default=True)


class Compiled:
    """A function that is recorded once per signature, and replayed; see :func:`compile`."""

    def __init__(self, function: Callable[..., Any], copy: bool) -> None:
        self.function = function
        self.copy = copy
        self._plans: OrderedDict[Any, list[Plan]] = OrderedDict()
        self._quick: Quick | None = None
        functools.update_wrapper(self, function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        modes = current_modes()
        if modes.watchers or not _enabled.get():  # a recorder is a watcher too
            args, kwargs = rebuild(args, _as_tensor), rebuild(kwargs, _as_tensor)
            return self.function(*args, **kwargs)
        quick = self._quick
        if quick is not None and not kwargs and modes is quick.modes:
            arrays = quick.arrays(args)
            if arrays is not None and quick.plan.guards.hold():
                return quick.plan.run(arrays, args)
        signature = read(args, kwargs)
        key = (signature.key, modes)
        for plan in self._plans.get(key, ()):
            if plan.guards.hold():
                self._plans.move_to_end(key)
                self._quick = Quick(modes, plan, args) if Quick.suits(args, kwargs) else None
                return plan.run(signature.arrays, signature.tensors)
        return self._record(key, signature, args, kwargs)

    def _record(self, key: Any, signature: Signature, args: Any, kwargs: Any) -> Any:
        recorder = Recorder()
        outputs, gradients, result = self._run_once(recorder, signature, args, kwargs)
        give_back_freed_memory()  # the graph of the run is gone
        plan = Plan(recorder, outputs, gradients)
        self._plans.setdefault(key, []).append(plan)
        self._plans.move_to_end(key)
        self._quick = None
        while sum(map(len, self._plans.values())) > MOST_PLANS:
            self._plans.popitem(last=False)
        return result

    def _run_once(
        self, recorder: Recorder, signature: Signature, args: Any, kwargs: Any
    ) -> tuple[Outputs, list[ArgumentGradient], Any]:
        """Run the function while it is recorded; what it returns comes back without its graph."""
        stand_ins: list[Tensor | None] = []  # None: the same argument once more
        first: dict[int, Tensor] = {}
        position = iter(range(len(signature.arrays)))

        def stand_in(x: Any) -> Tensor:
            number = next(position)
            array = signature.arrays[number]
            if id(x) in first:
                stand_ins.append(None)
                return first[id(x)]
            requires_grad = isinstance(x, Tensor) and x._requires_grad
            tensor = first[id(x)] = Tensor(array.view(), requires_grad)
            if isinstance(x, Tensor):
                tensor.name = x.name
                tensor._storage = x._storage = x._storage or Storage()
            stand_ins.append(tensor)
            recorder.add_input(tensor, number)
            return tensor

        try:
            with recorder:
                args = rebuild(args, stand_in)
                kwargs = {name: rebuild(kwargs[name], stand_in) for name in sorted(kwargs)}
                result = self.function(*args, **kwargs)
            outputs = Outputs(recorder, result, self.copy)
            gradients = [ArgumentGradient(recorder, tensor) for tensor in stand_ins]
        except CompileError:
            recorder.undo.take_back()
            raise
        finally:
            recorder.forget()
        for given, gradient, tensor in zip(signature.tensors, gradients, stand_ins, strict=True):
            if given is not None and tensor is not None:
                gradient.give(given, tensor._grad)
        return outputs, gradients, outputs.first(result)

    @property
    def plans(self) -> list[Plan]:
        """The plans recorded so far."""
        return [plan for plans in self._plans.values() for plan in plans]

    def graph(self) -> Graph:
        """Return the plan that was recorded last as a graph: ``tg.draw(step)`` draws it."""
        if not self.plans:
            raise UsageError(
                "A compiled function has a graph once it was called. Fix: step(x, t) first."
            )
        return self.plans[-1].graph()

    def __repr__(self) -> str:
        name = getattr(self.function, "__qualname__", repr(self.function))
        return f"<compiled {name}, {len(self.plans)} plans>"


def _as_tensor(x: Any) -> Tensor:
    return x if isinstance(x, Tensor) else Tensor(as_array(x))


def compile(function: Callable[..., Any] | None = None, *, copy: bool = True) -> Any:
    """Record one run of ``function`` and replay it: the same bits, without Python in between.

    Parameters
    ----------
    function : callable
        Of tensors, arrays and Python values. It may call ``backward()``, clip gradients and
        step optimizers: a whole training step.
    copy : bool
        Return copies (default), or the plan's own arrays, which the next call overwrites.

    Returns
    -------
    Compiled
        Called like ``function``. Arrays among the arguments arrive in it as tensors; returned
        tensors are leaves without a gradient.

    Raises
    ------
    CompileError
        At the first call, if the function reads values of tensors as Python numbers or arrays;
        everything is then as it was before.

    Examples
    --------
    >>> import tinygraph as tg
    >>> w = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = tg.optim.SGD([w], lr=0.25)
    >>> @tg.compile
    ... def step(x):
    ...     optimizer.zero_grad()
    ...     loss = ((w - x) * (w - x)).sum()
    ...     loss.backward()
    ...     optimizer.step()
    ...     return loss
    >>> x = tg.zeros(2)
    >>> [float(step(x)) for _ in range(3)]
    [5.0, 1.25, 0.3125]
    """
    if function is None:
        return functools.partial(compile, copy=copy)
    if not callable(function):
        raise UsageError(f"compile takes a function, received {describe(function)}.")
    return Compiled(function, copy)


@contextmanager
def disable_compile() -> Iterator[None]:
    """Run compiled functions as they are written, without plans, inside a ``with`` block.

    Examples
    --------
    >>> import tinygraph as tg
    >>> double = tg.compile(lambda x: x + x)
    >>> with tg.disable_compile():
    ...     double(tg.ones(1))
    tensor([2.])
    """
    token = _enabled.set(False)
    try:
        yield
    finally:
        _enabled.reset(token)
