"""The recorder: writes down one eager run as a list of steps.

It hears of every op as a watcher does, and of everything else through `core.recording`. Arrays
are known by identity: an array that an earlier step made is that step's value; memory of a
tensor older than the recording is a captured leaf, read anew at each replay; everything else is
a constant, frozen.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.apply import apply
from ..core.engine import Gradients, pull_back
from ..core.errors import CompileError, compose_message, describe
from ..core.lines import user_line
from ..core.modes import Scope, current_modes, current_scope, modes
from ..core.op import EFFECTS, Op
from ..core.recording import RECORDERS
from ..core.storage import Array, Storage, next_index
from ..core.structure import cast
from ..core.tensor import Tensor, own_gradient
from .guards import Guards
from .patterns import Patterns, frozen, memory_of
from .stand_in import StandIn, looks_at_values
from .undo import Undo
from .values import Role, Step, Value, is_effect


class Recorder:
    """Writes down what runs inside ``with recorder:``."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.guards = Guards()
        self.undo = Undo()
        self.storages: dict[int, Storage] = {}
        self.first_order = False  # inside a backward pass of first order
        self._rule_of: Scope | None = None
        self._known: dict[int, Value] = {}  # by id of an array that lives
        self._deaths: dict[int, weakref.ref[Array]] = {}
        self._patterns = Patterns()
        self._contexts: dict[int, Step] = {}  # forward calls of a tg.Function
        self._stand_ins: dict[Tensor, int] = {}

    def __enter__(self) -> Recorder:
        self._start = next_index()
        watchers = (*current_modes().watchers, self)
        self._modes = modes(watchers=watchers, recorder=self)
        self._modes.__enter__()
        RECORDERS.append(self)
        return self

    def __exit__(self, *error: Any) -> None:
        RECORDERS.remove(self)
        self._modes.__exit__(None, None, None)

    def forget(self) -> None:
        """Let go of the arrays of the run; the steps stay."""
        self.undo.forget()
        self._known.clear()
        self._deaths.clear()  # their callbacks refer to both

    # ---- values ------------------------------------------------------------------------------

    def add_input(self, stand_in: Tensor, position: int) -> None:
        """Know the array of a tensor as argument number ``position``."""
        self._know(stand_in._data, Value(stand_in._data, Role.INPUT, position=position))
        self._stand_ins[stand_in] = position

    def _know(self, array: Array, value: Value) -> Value:
        """Know an array as a value, until it is freed."""
        key, known, deaths = id(array), self._known, self._deaths

        def forget(_: Any) -> None:
            known.pop(key, None)
            deaths.pop(key, None)

        known[key] = value
        deaths[key] = weakref.ref(array, forget)
        return value

    def _made(self, array: Array) -> Value:
        """Know an array as what a step makes."""
        return self._know(array, Value(self._patterns.of(array), Role.TEMPORARY))

    def value_of(self, x: Any) -> Any:
        """Return the value of a tensor or array; numbers as they are."""
        if isinstance(x, Tensor):
            known = self._known.get(id(x._data))
            if known is not None:
                return known
            if x.index < self._start:
                self.guards.leaf(x)
                return self._know(x._data, Value(x._data, Role.LEAF, varies=True))
            return self._constant(x._data)
        if isinstance(x, np.ndarray):
            return self._known.get(id(x)) or self._constant(x)
        return x

    def _constant(self, array: Array) -> Value:
        copy = frozen(array)
        return self._know(array, Value(copy, Role.CONSTANT, bound=copy))

    def is_constant(self, tensor: Tensor) -> bool:
        """Tell whether the value comes from Python values alone."""
        return bool(self.value_of(tensor).role is Role.CONSTANT)

    # ---- ops, as a watcher hears of them -----------------------------------------------------

    def after_forward(self, result: Tensor, op: Op, inputs: Any, attrs: Any) -> None:
        if op.kind in EFFECTS:
            return  # `effect` has noted it
        attrs = attrs or {}
        operands = tuple(map(self.value_of, inputs))
        self._note_check(op, operands, attrs)
        if id(result._data) in self._known:  # an op may hand back its input, if it feels like it
            result._data = result._data.view()
        if not is_effect(op) and all(_is_frozen(x) for x in operands):
            self._constant(result._data)
            return
        value = self._made(result._data)
        memory = memory_of(result._data)
        for given, x in zip(inputs, operands, strict=True):
            if isinstance(x, Value):
                value.varies |= x.varies
                if not is_effect(op) and memory_of(getattr(given, "_data", given)) is memory:
                    value.owner = x.owner
        step = Step(
            op.raw_forward, operands, (value,), op, attrs, is_effect(op), name=op.name,
            scope=result.scope or current_scope(),
            rule_of=self._rule_of if self.first_order else None,
        )  # fmt: skip
        self.steps.append(step)
        if "ctx" in attrs:
            self._contexts[id(attrs["ctx"])] = step

    def _note_check(self, op: Op, operands: tuple[Any, ...], attrs: dict[str, Any]) -> None:
        """Let a replay prepare the op again, if that looks at values (labels, ranges)."""
        if op.prepare is None or all(_is_frozen(x) for x in operands):
            return
        if op.kind != "elementwise":
            operands = tuple(x if isinstance(x, Value) else np.asarray(x) for x in operands)
        shapes = [StandIn(x.array) if isinstance(x, Value) else x for x in operands]
        if looks_at_values(op.prepare, shapes, attrs):
            self.steps.append(
                Step(op.prepare, operands, (), None, attrs, True, name=f"check {op.name}")
            )

    def before_vjps(self, result: Any) -> None:
        """Note whose derivative comes now; the rules run on tensors and are heard as ops."""
        self._rule_of = result.scope

    def after_vjp(self, result: Any, position: int, gradient: Any) -> None:
        """Nothing to note."""

    # ---- effects -----------------------------------------------------------------------------

    def effect(self, op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any]) -> Any:
        """Run an op that writes or draws, and note it."""
        operands = tuple(
            self.memory(x) if isinstance(x, np.ndarray) else self.value_of(x) for x in inputs
        )
        writes = op.kind == "state"
        if writes:
            kept = (Role.INPUT, Role.LEAF, Role.MEMORY)  # what outlives the recording
            self.undo.remember(
                [x.array for x in operands if isinstance(x, Value) and x.role in kept]
            )
        self.undo.generator(attrs.get("generator"))
        result = apply(op, inputs, attrs)
        array = np.asarray(result._data if isinstance(result, Tensor) else result)
        outs: tuple[Value, ...] = ()
        if id(array) not in self._known:
            outs = (self._made(array),)
        self.steps.append(
            Step(op.raw_forward, operands, outs, op, attrs, True, writes, (), op.name,
                 current_scope())
        )  # fmt: skip
        return result if isinstance(result, Tensor) else array

    def memory(self, array: Array) -> Value:
        """Return the value of memory that steps write to."""
        known = self._known.get(id(array))
        return known or self._know(array, Value(array, Role.MEMORY, varies=True))

    def again(self, function: Callable[[], Any], name: str, arrays: Sequence[Any]) -> Any:
        """Run ``function()``, which changes ``arrays``, now and at every replay."""
        self.undo.remember(arrays)
        changes = tuple(arrays)
        self.steps.append(Step(function, (), effect=True, writes=True, name=name, changes=changes))
        with modes(watchers=(), recorder=None):
            return function()

    def check(self, function: Callable[..., Any], operands: tuple[Any, ...]) -> None:
        """Note a check of values that has just passed."""
        values = tuple(map(self.value_of, operands))
        if not all(_is_frozen(x) for x in values):
            name = f"check {getattr(function, '__name__', '')}".rstrip()
            self.steps.append(Step(function, values, effect=True, name=name))

    def opaque_vjp(self, function: Any, ctx: Any, g: Any, inputs: tuple[Any, ...]) -> Any:
        """Run ``backward`` of a tg.Function on arrays, and note that it is to be called."""
        results = function(ctx, g._data)
        results = results if isinstance(results, tuple) else (results,)
        tensors = [None if r is None else Tensor(np.array(r)) for r in results]
        outs = tuple(self._made(t._data) for t in tensors if t is not None)

        def call(gradient: Array, *into: Array) -> None:
            found = function(ctx, gradient)
            found = found if isinstance(found, tuple) else (found,)
            for out, value in zip(into, (f for f in found if f is not None), strict=True):
                np.copyto(out, value)

        forward = self._contexts[id(ctx)]
        keeps = tuple(x for x in (*forward.inputs, *forward.outs) if isinstance(x, Value))
        self.steps.append(
            Step(call, (self.value_of(g),), outs, None, {}, True, False, keeps, "backward of user")
        )
        return tuple(tensors)

    def written(self, tensor: Tensor) -> None:
        """Note that a replay writes the memory of a tensor."""
        if tensor._storage is not None:
            self.storages[id(tensor._storage)] = tensor._storage

    def module_called(self, module: Any) -> None:
        """Note a module whose mode decides what runs."""
        self.guards.module(module)

    # ---- gradients ---------------------------------------------------------------------------

    def cotangent(self, given: Any, upstream: Array) -> Tensor:
        """Return an upstream gradient as a tensor."""
        if not isinstance(given, Tensor):
            return Tensor(upstream)
        return given if given.dtype == upstream.dtype else cast(given, dtype=upstream.dtype)

    def pull_back(
        self,
        order: list[Tensor],
        relevant: set[Tensor] | None,
        gradients: Gradients,
        keep: set[Tensor],
    ) -> Gradients:
        """Run a backward pass on tensors, so that its ops are heard."""
        if order and order[-1].index < self._start:
            raise CompileError(
                compose_message(
                    "A compiled function cannot go back through a graph made outside of it. It "
                    f"stands at {user_line()}",
                    describe(order[-1]),
                    "compute it inside, or detach() it",
                )
            )
        self.first_order = True
        try:
            return pull_back(order, relevant, gradients, keep, create_graph=True, remember=False)
        finally:
            self.first_order = False

    def own_gradient(self, leaf: Tensor, gradient: Tensor) -> None:
        """Add a gradient to what a leaf holds, and note it."""
        if leaf.op is not None:
            own_gradient(leaf, gradient._data)
            return  # an intermediate tensor: nobody can ask it for its gradient after a replay
        self.asked(leaf)
        value = self.value_of(gradient)
        self.undo.gradient(leaf)
        if leaf._grad is not None:
            self.undo.remember([leaf._grad])
            before = leaf._grad
            target = self.memory(before)
            own_gradient(leaf, gradient._data)
            self.steps.append(
                Step(
                    add_into,
                    (target, value),
                    effect=True,
                    writes=True,
                    name="accumulate",
                    changes=(before,),
                )
            )
            return
        if leaf._grad_buffer is not None:
            self.undo.remember([leaf._grad_buffer])
        own_gradient(leaf, gradient._data)
        assert leaf._grad is not None
        self._store(leaf._grad, value)
        self._point(leaf, leaf._grad)

    def store(self, memory: Array, gradient: Tensor) -> None:
        """Copy a gradient into memory of the caller, now and at every replay."""
        self.undo.remember([memory])
        np.copyto(memory, gradient._data)
        self._store(memory, self.value_of(gradient))

    def _store(self, memory: Array, value: Value) -> None:
        target = self.memory(memory)
        self.steps.append(
            Step(np.copyto, (target, value), effect=True, writes=True, name="store gradient",
                 changes=(memory,))
        )  # fmt: skip

    def dropped(self, leaves: Sequence[Tensor]) -> None:
        """Note that leaves hold no gradient from here on."""
        for leaf in leaves:
            self.undo.gradient(leaf)
            self.guards.settled.add(leaf)
            self._point(leaf, None)

    def asked(self, leaf: Tensor) -> None:
        """Note that what runs depends on whether a leaf holds a gradient."""
        if leaf.index < self._start:
            self.guards.gradient(leaf)

    def _point(self, leaf: Tensor, array: Array | None) -> None:
        last = self.steps[-1] if self.steps else None
        if last is None or last.call is not point:
            last = Step(point, ([],), effect=True, name="set .grad")
            self.steps.append(last)
        last.inputs[0].append((leaf, array))


def add_into(total: Array, gradient: Array) -> None:
    """``total += gradient``, as a step."""
    np.add(total, gradient, total)


def point(pairs: list[tuple[Tensor, Array | None]]) -> None:
    """Let leaves hold these gradients."""
    for leaf, array in pairs:
        leaf._grad = array


def _is_frozen(x: Any) -> bool:
    return not isinstance(x, Value) or x.role is Role.CONSTANT
