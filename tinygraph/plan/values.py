"""What a recording consists of: values, and the steps that make them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from ..core.modes import Scope
from ..core.op import EFFECTS, Op
from ..core.storage import Array


class Role(Enum):
    """Where the memory of a value comes from."""

    INPUT = "argument of the call"
    LEAF = "captured tensor"
    MEMORY = "memory that steps write to"
    CONSTANT = "frozen"
    TEMPORARY = "made by a step"


@dataclass(eq=False, slots=True)
class Value:
    """An array of the recorded run, and what it becomes in a replay.

    Attributes
    ----------
    array : ndarray
        Gives shape, dtype and strides. Of what a step makes it is a pattern alone: the recorded
        run frees its arrays as an eager one does.
    role : Role
    owner : Value
        Itself, unless it is a view.
    varies : bool
        Whether it depends on memory that is written between or within calls.
    position : int
        Number of the argument, for an input.
    bound : ndarray or None
        The array of the replay; None for what changes with each call.
    """

    array: Array
    role: Role
    varies: bool = False
    position: int = -1
    bound: Array | None = None
    _view_of: Value | None = None

    @property
    def owner(self) -> Value:
        """Whose memory it is."""
        return self if self._view_of is None else self._view_of

    @owner.setter
    def owner(self, owner: Value) -> None:
        self._view_of = None if owner is self else owner  # no cycle: buffers are freed at once


@dataclass(eq=False, slots=True)
class Step:
    """One thing that a replay does.

    Attributes
    ----------
    call : callable
        Called with the arrays of ``inputs``, and ``attrs``; its result is the value of ``outs``.
    inputs : tuple
        Values and Python numbers.
    outs : tuple of Value
        What it makes.
    op : Op or None
        The record it comes from; None for checks and the like.
    attrs : dict
    effect : bool
        Must run, and in its place: it writes, draws, checks or calls code of the user.
    writes : bool
        It may write to memory that others read.
    keeps : tuple of Value
        Values whose memory it reads without being given them.
    name : str
        For `show`.
    scope : Scope or None
        The module call it belongs to.
    changes : tuple
        Arrays and lists outside the plan that it changes, apart from those of a state op.
    inner : tuple of Step
        The steps of a block.
    rule_of : Scope or None
        In a backward pass, the module call whose derivative it computes.
    """

    call: Callable[..., Any]
    inputs: tuple[Any, ...]
    outs: tuple[Value, ...] = ()
    op: Op | None = None
    attrs: dict[str, Any] = field(default_factory=dict)
    effect: bool = False
    writes: bool = False
    keeps: tuple[Value, ...] = ()
    name: str = ""
    scope: Scope | None = None
    changes: tuple[Any, ...] = ()
    inner: tuple[Step, ...] = ()
    rule_of: Scope | None = None

    @property
    def is_view(self) -> bool:
        """Whether the result is another look at the memory of an input."""
        return bool(self.outs) and self.outs[0].owner is not self.outs[0]

    def values(self) -> Iterator[Value]:
        """Yield the values it reads."""
        for x in self.inputs:
            if isinstance(x, Value):
                yield x
        yield from self.keeps


def is_effect(op: Op) -> bool:
    """Tell whether an op must run at every replay, in its place."""
    return op.kind in EFFECTS or op.kind == "opaque"
