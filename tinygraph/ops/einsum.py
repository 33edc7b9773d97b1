"""Einstein's summation, made of diagonals, sums and matrix products.

Labels are characters; the axes behind an ellipsis are labelled −1, −2, … from the right, so
that they line up as in broadcasting.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np

from ..core.errors import ShapeError, UsageError, compose_message, describe_all
from ..core.modes import module_path
from ..core.op import composite
from ..core.tensor import Tensor
from .diagonal import diagonal
from .elementwise import mul
from .linalg import matmul
from .products import alike
from .reduce import sum
from .shape import reshape, transpose

Label = str | int
Labels = tuple[Label, ...]


@composite("Σ over the labels that the result does not have", numpy=[np.einsum])
def einsum(subscripts: str, *operands: Any, optimize: Any = False) -> Tensor:
    """Multiply and sum over labelled axes, by all rules of ``np.einsum``.

    Operands are contracted from left to right, each pair by one matrix product where an axis
    is summed.

    Parameters
    ----------
    subscripts : str
        As in ``"ij,jk->ik"``: one letter per axis. A letter twice in an operand takes the
        diagonal; letters that the result lacks are summed; ``...`` stands for axes that
        broadcast. Without ``->`` the result has the letters that occur once, sorted.
    *operands : Tensor, ndarray or number
    optimize : bool
        Accepted for NumPy's sake, without effect.

    Raises
    ------
    UsageError
        If the subscripts cannot be read, or do not go with the number of operands.
    ShapeError
        If they do not go with the shapes.

    Examples
    --------
    >>> import tinygraph as tg
    >>> a, b = tg.ones(2, 3), tg.ones(3, 4)
    >>> tg.einsum("ij,jk->ik", a, b).shape
    (2, 4)
    >>> float(tg.einsum("ii", tg.eye(3)))
    3.0
    """
    inputs, wanted = _read(subscripts, len(operands))
    tensors = alike("einsum", *operands)
    terms = [_labels(subscripts, t, x) for t, x in zip(inputs, tensors, strict=True)]
    result = _result_labels(subscripts, wanted, terms)
    sizes = _sizes(subscripts, terms, tensors)
    single = [_once_each(x, t, sizes) for x, t in zip(tensors, terms, strict=True)]
    total, labels = single[0]
    for i, (x, t) in enumerate(single[1:], 1):
        later = {label for _, rest in single[i + 1 :] for label in rest}
        total, labels = _contract(total, labels, x, t, later | set(result))
    total, labels = _summed(total, labels, set(result))
    return _arranged(total, labels, result)  # type: ignore[no-any-return]


# ---- reading the subscripts --------------------------------------------------------------------


def _bad(subscripts: Any, what: str) -> UsageError:
    return UsageError(
        compose_message(f"einsum: {what}", repr(subscripts), "'ij,jk->ik' multiplies matrices")
    )


def _read(subscripts: Any, count: int) -> tuple[list[str], str | None]:
    """Split into the terms of the operands and that of the result (None if it is implied)."""
    if not isinstance(subscripts, str):
        raise _bad(subscripts, "the subscripts are text, and come first")
    left, arrow, right = subscripts.replace(" ", "").partition("->")
    inputs = left.split(",")
    for term in [*inputs, right]:
        letters = term.replace("...", "", 1)
        if letters and not (letters.isascii() and letters.isalpha()):
            raise _bad(subscripts, f"axes are letters and one '...', not {term!r}")
    if count == 0:
        raise _bad(subscripts, "there are no operands")
    if len(inputs) != count:
        raise _bad(subscripts, f"{len(inputs)} terms for {count} operands")
    return inputs, right if arrow else None


def _labels(subscripts: str, term: str, x: Any) -> Labels:
    """Return one label for each axis of an operand."""
    before, dots, after = term.partition("...")
    hidden = x.ndim - len(before) - len(after)
    if hidden < 0 or (hidden and not dots):
        raise ShapeError(
            compose_message(
                f"einsum: {term!r} in {subscripts!r} names {len(before + after)} axes, the operand "
                f"has {x.ndim}",
                describe_all([x]),
                "a letter for each axis, or '...' for those in front",
                module_path(),
            )
        )
    return (*before, *range(-hidden, 0), *after)


def _result_labels(subscripts: str, wanted: str | None, terms: list[Labels]) -> Labels:
    present = Counter(label for term in terms for label in term)
    hidden = tuple(sorted(label for label in present if isinstance(label, int)))
    if wanted is None:
        once = sorted(k for k, n in present.items() if isinstance(k, str) and n == 1)
        return (*hidden, *once)
    before, dots, after = wanted.partition("...")
    if hidden and not dots:
        raise _bad(subscripts, "the result must have '...' too, since it stands for axes")
    for letter in before + after:
        if letter not in present or (before + after).count(letter) > 1:
            fault = "stands twice" if letter in present else "is in no operand"
            raise _bad(subscripts, f"{letter!r} of the result {fault}")
    return (*before, *hidden, *after)


def _sizes(subscripts: str, terms: list[Labels], tensors: list[Any]) -> dict[Label, int]:
    """Return the length of every label; 1 gives way to any other length."""
    sizes: dict[Label, int] = {}
    for term, x in zip(terms, tensors, strict=True):
        own = dict(zip(term, x.shape, strict=True))
        for label, n in zip(term, x.shape, strict=True):
            known = own[label] if own[label] != n else sizes.get(label, 1)
            if own[label] != n or (n != known and 1 not in (n, known)):
                name = repr(label) if isinstance(label, str) else "'...'"
                raise ShapeError(
                    compose_message(
                        f"einsum: {name} in {subscripts!r} has the lengths {known} and {n}",
                        describe_all(tensors),
                        "the same letter only for axes of the same length",
                        module_path(),
                    )
                )
            sizes[label] = n if known == 1 else known
    return sizes


# ---- computing -------------------------------------------------------------------------------


def _once_each(x: Any, labels: Labels, sizes: dict[Label, int]) -> tuple[Any, Labels]:
    """Take diagonals of labels that stand twice, and drop axes of length 1 that broadcast."""
    while len(set(labels)) < len(labels):
        label = next(k for k in labels if labels.count(k) > 1)
        i, j = [n for n, k in enumerate(labels) if k == label][:2]
        x = diagonal(x, axis1=i, axis2=j)
        labels = (*(k for n, k in enumerate(labels) if n not in (i, j)), label)
    kept = [(k, n) for k, n in zip(labels, x.shape, strict=True) if n == sizes[k]]
    return _reshaped(x, tuple(n for _, n in kept)), tuple(k for k, _ in kept)


def _summed(x: Any, labels: Labels, kept: set[Label]) -> tuple[Any, Labels]:
    """Sum over the labels that are not kept."""
    gone = tuple(i for i, k in enumerate(labels) if k not in kept)
    if not gone:
        return x, labels
    return sum(x, axis=gone), tuple(k for k in labels if k in kept)


def _contract(a: Any, of_a: Labels, b: Any, of_b: Labels, kept: set[Label]) -> tuple[Any, Labels]:
    """Multiply two operands, and sum over the labels that nobody needs any more."""
    a, of_a = _summed(a, of_a, kept | set(of_b))
    b, of_b = _summed(b, of_b, kept | set(of_a))
    batch = tuple(k for k in of_a if k in of_b and k in kept)
    inner = tuple(k for k in of_a if k in of_b and k not in kept)
    left = tuple(k for k in of_a if k not in of_b)
    right = tuple(k for k in of_b if k not in of_a)
    a, b = _arranged(a, of_a, batch + left + inner), _arranged(b, of_b, batch + inner + right)
    cut = len(batch)
    shared, rows = tuple(a.shape[:cut]), tuple(a.shape[cut : cut + len(left)])
    columns = tuple(b.shape[cut + len(inner) :])
    if inner:
        depth = math.prod(b.shape[cut : cut + len(inner)])
        a = _reshaped(a, (*shared, math.prod(rows), depth))
        b = _reshaped(b, (*shared, depth, math.prod(columns)))
        product = _reshaped(matmul(a, b), shared + rows + columns)
    else:
        product = mul(_reshaped(a, shared + rows + (1,) * len(columns)),
                      _reshaped(b, shared + (1,) * len(rows) + columns))  # fmt: skip
    return product, batch + left + right


def _arranged(x: Any, labels: Labels, order: Labels) -> Any:
    return x if labels == order else transpose(x, axes=tuple(labels.index(k) for k in order))


def _reshaped(x: Any, shape: tuple[int, ...]) -> Any:
    return x if tuple(x.shape) == shape else reshape(x, shape=shape)
