"""The op record: everything tinygraph knows about an operation, defined in one place.

Gradient, picture, replay, gradcheck, NumPy dispatch and the op table read these records.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar, overload

import numpy as np

from .apply import apply, apply_to_one
from .calls import Call, reject_keyword
from .docs import SignatureOfRecord, describe_record
from .errors import UsageError, compose_message
from .failure import note_failure
from .modes import Scope, close_scope, current_scope, open_scope
from .recording import RECORDERS, active_recorder
from .registry import lookup, register
from .storage import Array
from .tensor import Tensor
from .turns import in_turn

F = TypeVar("F", bound=Callable[..., Any])

KINDS = {
    "elementwise": "one result per element; broadcasts",
    "reduce": "combines the elements along axes",
    "view": "the same elements in another arrangement",
    "join": "puts tensors together",
    "index": "selects or places elements",
    "matmul": "sums of products",
    "window": "slides a window over the last axes",
    "row": "mixes the elements along one axis and keeps the shape",
    "random": "draws from a Generator",
    "state": "writes to memory",
    "cast": "changes the dtype",
    "opaque": "code of the user that the graph cannot look into",
    "composite": "made of other ops",
}
"""What ``kind`` of an op can be."""

AS_ONE = (tuple, list, type(None))
"""What stands for several arguments: ``t.reshape((2, 3))`` is ``t.reshape(2, 3)``."""

PROMOTING_KINDS = frozenset({"elementwise", "matmul", "window", "join", "row", "reduce"})


class Op:
    """A differentiable operation: a NumPy forward function and its derivative rules.

    Called on tensors it computes and records a node; called on arrays it only computes
    and returns an array, so the same VJP runs on both.

    Attributes
    ----------
    name : str
        Its name in the registry, in pictures and in errors.
    forward : callable
        ``forward(*arrays, **attrs)`` returning an array.
    function : callable
        The forward function as it was given: without the guard of ``quiet`` ops, and without
        the turns that workers take where they write.
    vjps : list of callables, callable or None
        One ``vjp(g, y, *inputs, **attrs)`` per input (None: no derivative), or one
        ``vjp(g, y, *inputs, needs, **attrs)`` that returns a tuple. None: the op has no
        gradient at all.
    saves : frozenset of str
        Which of ``y`` and the inputs the VJPs read the values of; ``arrays`` for those of
        a parameter ``*arrays``.
    kind : str
        One of :data:`KINDS`.
    label : str
        Short sign for pictures, such as ``×``.
    formula, local : str, tuple of str
        The forward formula and the derivative by each input, as text.
    kinks : str
        The convention where there is no derivative, as text.
    doc : str
        What it does; by default the docstring of ``forward``.
    discrete : frozenset of int
        Inputs that are masks or indices: no promotion, no gradient.
    prepare : callable or None
        ``prepare(*inputs, **attrs)`` validates shapes and returns completed attributes.
    star : bool
        The first attribute may be given as several arguments: ``t.reshape(2, 3)``.
    quiet : bool
        It can leave its domain (log of 0): inf and nan come without NumPy's warning.
    numpy : tuple of callables
        The functions of NumPy that dispatch to it; a ufunc given as ``forward`` always does.
    """

    __signature__ = SignatureOfRecord()

    def __init__(
        self,
        name: str,
        forward: Callable[..., Any],
        vjps: Sequence[Callable[..., Any] | None] | Callable[..., Any] | None = None,
        *,
        saves: str = "",
        kind: str = "elementwise",
        label: str = "",
        formula: str = "",
        local: Sequence[str] = (),
        kinks: str = "",
        doc: str = "",
        discrete: Iterable[int] = (),
        prepare: Callable[..., dict[str, Any]] | None = None,
        star: bool = False,
        quiet: bool = False,
        numpy: Iterable[Callable[..., Any]] = (),
        module: str = "",
    ) -> None:
        if kind not in KINDS:
            raise UsageError(f"op {name!r}: kind {kind!r} is none of {', '.join(KINDS)}.")
        self.name = name
        self.module = module
        self.kind = kind
        self.vjps = list(vjps) if isinstance(vjps, list | tuple) else vjps
        self.label = label or name
        self.formula = formula
        self.local = tuple(local)
        self.kinks = kinks
        self.discrete = frozenset(discrete)
        self.prepare = prepare
        self.star = star
        self.promotes = kind in PROMOTING_KINDS
        self.numpy = tuple(numpy) or ((forward,) if isinstance(forward, np.ufunc) else ())
        self._read_signature(forward)
        self._attr_set = set(self.attr_names)
        self._input_count = -1 if self.variadic else len(self.input_names)
        all_default = len(self.defaults) == len(self.attr_names)
        self._count_without_attrs = self._input_count if all_default else -1
        self.takes_one = self._count_without_attrs == 1
        if isinstance(self.vjps, list) and len(self.vjps) != self._input_count:
            raise UsageError(
                f"op {name!r}: {len(self.vjps)} VJPs for {len(self.input_names)} inputs. Fix: one "
                "for each (None where there is no derivative), or one function with needs; what is "
                "no tensor goes behind a *, as in power(x, *, n)."
            )
        self.saves = frozenset(saves.split())
        unknown = self.saves - {"y", self.rest_name, *self.input_names}
        if unknown:
            raise UsageError(
                f"op {name!r}: saves names {', '.join(sorted(unknown))}; the inputs are "
                f"{', '.join(self.input_names) or self.rest_name}, the result is y."
            )
        self.saved_positions = tuple(i for i, n in enumerate(self.input_names) if n in self.saves)
        self.saves_rest = self.variadic and self.rest_name in self.saves
        self.function = forward
        if kind == "state":
            forward = in_turn(forward)
        self.quiet = quiet
        self.in_place = isinstance(forward, np.ufunc)
        self.raw_forward = forward
        self.forward = np.errstate(all="ignore")(forward) if quiet else forward
        own_doc = "" if isinstance(forward, np.ufunc) else forward.__doc__
        self.doc = inspect.cleandoc(doc or own_doc or "")
        self.__name__ = name
        self.__doc__ = describe_record(self)

    def _read_signature(self, forward: Callable[..., Any]) -> None:
        """Learn input names, attribute names and defaults from ``forward``."""
        self.variadic = False
        self.rest_name = ""
        self.defaults: dict[str, Any] = {}
        self.attr_names: tuple[str, ...] = ()
        if isinstance(forward, np.ufunc):
            self.input_names: tuple[str, ...] = ("x",) if forward.nin == 1 else ("a", "b")
            self.accepts_out = True
            return
        parameters = inspect.signature(forward).parameters.values()
        self.rest_name = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), "")
        self.variadic = bool(self.rest_name)
        self.input_names = tuple(
            p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        )
        keywords = [p for p in parameters if p.kind is p.KEYWORD_ONLY and p.name != "out"]
        self.attr_names = tuple(p.name for p in keywords)
        self.defaults = {p.name: p.default for p in keywords if p.default is not p.empty}
        self.accepts_out = any(p.name == "out" for p in parameters)

    def saved_inputs(self, count: int) -> tuple[int, ...]:
        """Return the positions, of ``count`` inputs, whose values the VJPs read."""
        if not self.saves_rest:
            return self.saved_positions
        return (*self.saved_positions, *range(len(self.input_names), count))

    def into(self, out: Array, *arrays: Any, **attrs: Any) -> None:
        """Run the forward function with its result written into ``out``."""
        if self.accepts_out:
            self.forward(*arrays, out=out, **attrs)
        else:
            np.copyto(out, self.forward(*arrays, **attrs))

    def __call__(self, *inputs: Any, **attrs: Any) -> Tensor:
        if not attrs and len(inputs) == self._count_without_attrs:
            attrs = self.defaults
        elif len(inputs) != self._input_count or attrs.keys() != self._attr_set:
            inputs, attrs = self.bind(inputs, attrs)
        if len(inputs) == 1:
            return apply_to_one(self, inputs, attrs)  # type: ignore[no-any-return]
        return apply(self, inputs, attrs)  # type: ignore[no-any-return]

    def bind(
        self, args: tuple[Any, ...], attrs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Split a call into tensor inputs and attributes, and fill in the defaults."""
        if len(args) > self._input_count >= 0:
            args, attrs = self._name_positional(args, attrs)
        filled = {**self.defaults, **attrs}
        if len(args) == self._input_count and filled.keys() == self._attr_set:
            return args, filled
        for key in attrs:
            if key not in self.attr_names:
                raise reject_keyword(self.signature(), key, self.attr_names)
        missing = [n for n in self.attr_names if n not in filled]
        missing = missing or list(self.input_names[len(args) :])
        if missing:
            raise UsageError(f"{self.signature()}: missing argument {', '.join(missing)}.")
        return args, filled

    def _name_positional(
        self, args: tuple[Any, ...], attrs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Name what stands behind the tensors."""
        count, names = self._input_count, self.attr_names
        args, extra = args[:count], args[count:]
        if self.star and not isinstance(extra[0], AS_ONE):
            extra = (extra,)
        if len(extra) > len(names) or (attrs and not attrs.keys().isdisjoint(names[: len(extra)])):
            raise UsageError(
                compose_message(
                    f"{self.signature()}: too many positional arguments",
                    f"{len(extra)} beyond the tensors",
                )
            )
        return args, {**dict(zip(names, extra, strict=False)), **attrs}

    def signature(self) -> str:
        """Return the call as text: ``sum(x, axis=None, keepdims=False)``."""
        parts = ["*tensors"] if self.variadic else list(self.input_names)
        for name in self.attr_names:
            parts.append(f"{name}={self.defaults[name]!r}" if name in self.defaults else name)
        return f"{self.name}({', '.join(parts)})"

    def __repr__(self) -> str:
        return f"<op {self.signature()}>"

    def __reduce__(self) -> str | tuple[Any, ...]:
        return lookup, (self.name,)


class EffectOp(Op):
    """An op that writes to memory or draws: a recorder hears of its calls on arrays too."""

    def __call__(self, *inputs: Any, **attrs: Any) -> Any:
        recorder = active_recorder() if RECORDERS else None
        if recorder is None:
            return super().__call__(*inputs, **attrs)
        inputs, attrs = self.bind(inputs, attrs)
        return recorder.effect(self, inputs, attrs)


EFFECTS = frozenset({"state", "random"})
"""The kinds of op that are no functions of their inputs alone."""


class Composite:
    """A function made of ops, registered so that pictures and tables know it as one.

    Its nodes share a scope, which pictures fold to a single card.
    """

    kind = "composite"

    def __init__(
        self,
        name: str,
        function: Callable[..., Any],
        formula: str,
        numpy: Iterable[Callable[..., Any]] = (),
        kinks: str = "",
    ) -> None:
        self.name = name
        self.function = function
        self.formula = formula
        self.numpy = tuple(numpy)
        self.kinks = kinks
        self.label = name
        self.module = function.__module__
        self._call = Call(name, function)
        functools.update_wrapper(self, function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs or len(args) != len(self._call.required):
            self._call.check(args, kwargs)
        token = open_scope(Scope(self.name, "composite", current_scope(), self))
        try:
            return self.function(*args, **kwargs)
        except Exception as error:
            note_failure(error, self, (*args, *kwargs.values()))
            raise
        finally:
            close_scope(token)

    def signature(self) -> str:
        """Return the call as text."""
        return self._call.signature

    def __repr__(self) -> str:
        return f"<composite {self.signature()}>"

    def __reduce__(self) -> str | tuple[Any, ...]:
        return lookup, (self.name,)


@overload
def op(name: str, forward: Callable[..., Any], vjps: Any = None, **record: Any) -> Op: ...
@overload
def op(
    name: str | None = None, *, vjps: Any = None, **record: Any
) -> Callable[[Callable[..., Any]], Op]: ...


def op(
    name: str | None = None,
    forward: Callable[..., Any] | None = None,
    vjps: Any = None,
    **record: Any,
) -> Op | Callable[[Callable[..., Any]], Op]:
    """Define an operation; it gets everything the built-in ones have.

    Parameters
    ----------
    name : str, optional
        Its name; the function's own by default.
    forward : callable
        ``forward(*arrays, **attrs)`` on ndarrays. Tensors are positional, attributes
        keyword-only. Leave it out to use ``op`` as a decorator.
    vjps : list of callables
        For each input ``vjp(g, y, *inputs, **attrs)``: the upstream gradient ``g`` times
        the local derivative. Use ``+ - * / @``, comparisons, ``.shape`` and tinygraph ops
        only; then it works for gradients of any order.
    **record
        ``saves, kind, label, formula, local, kinks, doc, discrete, prepare, star, quiet,
        numpy``: see :class:`Op`.

    Returns
    -------
    Op
        Callable on tensors and on arrays.

    Raises
    ------
    UsageError
        If the record contradicts itself, or the name belongs to tinygraph.

    Examples
    --------
    >>> import numpy as np, tinygraph as tg
    >>> @tg.op(vjps=[lambda g, y, x: g * 3 * x * x], saves="x", formula="x³", local=["3x²"])
    ... def cube(x):
    ...     return x * x * x
    >>> x = tg.tensor(2.0, requires_grad=True)
    >>> cube(x).backward()
    >>> float(x.grad)
    12.0
    """
    record.setdefault("module", sys._getframe(1).f_globals.get("__name__", ""))
    if callable(name):
        raise UsageError("Write @tg.op(...) with the VJPs, or tg.op(name, forward, vjps=[...]).")
    if forward is None:
        return lambda function: op(name or function.__name__, function, vjps, **record)
    cls = EffectOp if record.get("kind") in EFFECTS else Op
    return register(cls(name or forward.__name__, forward, vjps, **record))


def composite(
    formula: str, *, name: str | None = None, numpy: Iterable[Callable[..., Any]] = (),
    kinks: str = "",
) -> Callable[[F], F]:  # fmt: skip
    """Register a function made of ops: ``@composite("Σx / n")``.

    Parameters
    ----------
    formula : str
        What it computes, as text.
    name : str, optional
        Its name; the function's own by default.
    numpy : callables
        NumPy functions that dispatch to it.
    kinks : str
        Conventions at points without a derivative.
    """

    def decorate(function: F) -> F:
        record = Composite(name or function.__name__, function, formula, numpy, kinks)
        return register(record)  # type: ignore[return-value]  # callable like the function

    return decorate
