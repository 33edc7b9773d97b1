"""What one step of a walk says: a leaf, a node of the forward pass, an edge of the backward."""

from __future__ import annotations

from dataclasses import dataclass

from ..core.storage import Array
from ..core.tensor import Tensor
from .backward import Use
from .expressions import Formula
from .fold import Group


@dataclass(frozen=True, slots=True)
class Given:
    """A leaf: where the values come from.

    Attributes
    ----------
    tensor, name : Tensor, str
    role : str
        ``"input"`` (a gradient is wanted) or ``"constant"``.
    changed : bool
        Its value was written after the forward pass.
    """

    tensor: Tensor
    name: str
    role: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Forward:
    """One node of the forward pass, or a closed composite, module or rest.

    Attributes
    ----------
    number : int
        Which step it is, from 1.
    tensor, name : Tensor, str
        The result (the last, if there are several).
    call : Formula or None
        ``sigmoid(x)``; None where the formula says it all.
    formula : Formula or None
        What is computed, with names and, for single numbers, with numbers.
    shapes : str
        ``(2,3)(3,4) → (2,4)``; "" for single numbers.
    place : str
        The module it belongs to, "" for none.
    inside : int
        How many ops a closed step holds; 1 for an op.
    group : Group
        The card of pictures.
    """

    number: int
    tensor: Tensor
    name: str
    call: Formula | None
    formula: Formula | None
    shapes: str
    place: str
    inside: int
    group: Group


@dataclass(frozen=True, slots=True)
class Backward:
    """One edge of the backward pass: upstream × local = contribution, and the sum so far.

    Attributes
    ----------
    number : int
        Which step it is, counted on from the forward pass.
    forward : Forward
        The node that the gradient comes through.
    source, name : Tensor, str
        Where the gradient goes.
    uses : tuple of (result, position)
        The edges of the graph that this step is.
    upstream : ndarray or None
        The gradient that arrives at the node; None where a closed step has several results.
    rule : Formula or None
        The record's local derivative.
    way : str
        How the rule is applied: ``"number"`` (upstream × one number), ``"elementwise"``,
        ``"product"`` (of matrices), ``"words"`` or ``"inside"`` (the rules of a closed step).
    local : ndarray or None
        The local derivative as a number.
    contribution : ndarray
        What this edge adds.
    before, after : ndarray or None, ndarray
        The gradient of the source without and with it.
    terms : tuple of ndarray
        What was added so far, this contribution last.
    edges : int
        How many contributions the source gets in all.
    shapes : str
        Dimension analysis of the rule: ``(2,4)(4,3) → (2,3)``.
    summed : tuple of int
        The axes of the contribution that undo broadcasting.
    reads : tuple of Tensor
        The forward values that the rule uses.
    """

    number: int
    forward: Forward
    source: Tensor
    name: str
    uses: tuple[Use, ...]
    upstream: Array | None
    rule: Formula | None
    way: str
    local: Array | None
    contribution: Array
    before: Array | None
    after: Array
    terms: tuple[Array, ...]
    edges: int
    shapes: str
    summed: tuple[int, ...]
    reads: tuple[Tensor, ...]


Step = Forward | Backward
