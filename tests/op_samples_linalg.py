"""Samples and references of linear algebra.

See `op_samples`; the references are textbook loops (elimination, minors, permutations), or
NumPy's own function where ours is a composition of other ops.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from op_samples import ARRANGE, BATCH, CUBE, samples, values

from tinygraph.check import Sample

Array = np.ndarray
Shape = tuple[int, ...]

# ---- products ----------------------------------------------------------------------------------


def pairs(name: str, shapes: dict[str, tuple[Shape, Shape]], **attrs: Any) -> list[Sample]:
    return [
        Sample(k, (values(name + k, a), values(name + k + "b", b)), attrs)
        for k, (a, b) in shapes.items()
    ]


SCALED = {"0-d": ((), ()), "0-d left": ((), (2, 3)), "0-d right": ((2, 3), ())}
samples(
    "dot",
    np.dot,
    *pairs("dot", SCALED),
    *pairs(
        "dot",
        {
            "vectors": ((3,), (3,)),
            "matrix by vector": ((2, 3), (3,)),
            "vector by matrix": ((3,), (3, 2)),
            "matrices": ((2, 3), (3, 2)),
            "batch by matrix": ((2, 2, 3), (3, 2)),
            "batch by vector": ((2, 2, 3), (3,)),
            "vector by batch": ((3,), (2, 3, 2)),
            "matrix by batch": ((2, 3), (2, 3, 2)),
            "batches": ((2, 1, 3), (2, 3, 2)),
            "nothing to sum": ((2, 0), (0, 2)),
            "empty": ((0, 3), (2, 3, 2)),
        },
    ),
    Sample("number", (values("dn", (2, 3)), 2.5)),
)
samples(
    "inner",
    np.inner,
    *pairs("inner", SCALED),
    *pairs(
        "inner",
        {
            "vectors": ((3,), (3,)),
            "matrix and vector": ((2, 3), (3,)),
            "matrices": ((2, 3), (4, 3)),
            "batches": ((2, 1, 3), (2, 3)),
            "empty": ((0, 3), (2, 3)),
        },
    ),
)
FLAT = {
    "vectors": ((2,), (3,)),
    "same": ((3,), (3,)),
    "matrices are flattened": ((2, 2), (1, 3)),
    "empty": ((0,), (3,)),
}
samples(
    "outer",
    np.outer,
    *pairs("outer", SCALED | FLAT),
    Sample("number", (2.5, values("on", (3,)))),
)
samples(
    "kron",
    np.kron,
    *pairs("kron", SCALED),
    *pairs(
        "kron",
        {
            "vectors": ((2,), (3,)),
            "matrices": ((2, 3), (1, 2)),
            "more axes left": ((2, 1, 2), (3,)),
            "more axes right": ((2,), (2, 1, 2)),
            "empty": ((0, 2), (2, 2)),
        },
    ),
    Sample("number", (2.5, values("kn", (2, 2)))),
)
samples(
    "tensordot",
    np.tensordot,
    *pairs("td", {"two axes": ((2, 2, 3), (2, 3, 2)), "to 0-d": ((2, 3), (2, 3))}),
    *pairs("td", {"no axis": ((2,), (3,)), "no axis of 0-d": ((), (2,))}, axes=0),
    *pairs("td", {"one axis": ((2, 3), (3, 2)), "nothing to sum": ((2, 0), (0, 2))}, axes=1),
    *pairs("td", {"a pair": ((2, 3), (2, 3))}, axes=(1, 1)),
    *pairs("td", {"pairs": ((2, 2, 3), (3, 2, 2))}, axes=([2, 0], [0, -1])),
)
CHAIN = [values(f"chain{i}", s) for i, s in enumerate([(3,), (3, 2), (2, 4), (4, 1), (1,)])]
samples(
    "multi_dot",
    np.linalg.multi_dot,
    Sample("two", tuple(CHAIN[1:3]), listed=True),
    Sample("three", tuple(CHAIN[1:4]), listed=True),
    Sample("row vector first", tuple(CHAIN[:4]), listed=True),
    Sample("column vector last", tuple(CHAIN[1:]), listed=True),
    Sample("vectors at both ends", tuple(CHAIN), listed=True),
    Sample("same", (values("mc", (2, 2)), values("md", (2, 2))), listed=True),
    Sample("empty", (np.zeros((0, 3)), values("me", (3, 2))), listed=True),
)
samples(
    "trace",
    np.trace,
    Sample("square", (values("t1", (3, 3)),)),
    Sample("wide", (ARRANGE["matrix"],)),
    Sample("above", (ARRANGE["matrix"],), {"offset": 1}),
    Sample("below", (ARRANGE["matrix"],), {"offset": -1}),
    Sample("outside", (ARRANGE["matrix"],), {"offset": 5}),
    Sample("axes", (BATCH,), {"axis1": -1, "axis2": 1}),
    Sample("length 1", (CUBE,), {"axis1": 1, "axis2": 2, "offset": 2}),
    Sample("empty", (ARRANGE["empty"],)),
)

SUBSCRIPTS: dict[str, list[Shape]] = {
    "ij,jk->ik": [(2, 3), (3, 2)],
    "ij,jk": [(2, 3), (3, 2)],
    "ba": [(2, 3)],
    "ij->": [(2, 3)],
    "ii": [(3, 3)],
    "ii->i": [(3, 3)],
    "iji->j": [(2, 3, 2)],
    "iii->i": [(2, 2, 2)],
    "...ii->...i": [(2, 2, 2)],
    "i,i": [(3,), (3,)],
    "i,i->i": [(3,), (3,)],
    "i,j->ji": [(2,), (3,)],
    "ij,j->i": [(2, 3), (1,)],
    "i,i->": [(1,), (3,)],
    "ii,i->i": [(1, 1), (3,)],
    "bij,bjk->bik": [(2, 1, 3), (2, 3, 2)],
    "ijk,jil->kl": [(2, 2, 2), (2, 2, 3)],
    "ij,kj->": [(2, 2), (3, 2)],
    "ij,jk,kl->il": [(2, 2), (2, 3), (3, 2)],
    "ab,ab,ab->": [(2, 2), (2, 2), (2, 2)],
    "i,j,k->kji": [(2,), (1,), (3,)],
    "...ij,...jk->...ik": [(2, 1, 2), (2, 2)],
    "...i,...i": [(1, 3), (2, 3)],
    "i...,...->i...": [(2, 3), (3,)],
    "i...->...": [(2, 3)],
    "...,i": [(2, 2), (3,)],
    "ij...->...ji": [(2, 1, 3)],
    "": [()],
    ",": [(), ()],
    ",i->i": [(), (3,)],
    " i j , j -> i": [(2, 3), (3,)],
    "ij,jk->ki": [(2, 0), (0, 3)],
    "ij,ik->jk": [(0, 2), (0, 3)],
    "ii->": [(0, 0)],
}
samples(
    "einsum",
    np.einsum,
    *[
        Sample(text or "0-d", (text, *(values(f"{text}{i}", s) for i, s in enumerate(shapes))))
        for text, shapes in SUBSCRIPTS.items()
    ],
    Sample("number", ("ij,,j->i", values("en", (2, 3)), 2.5, values("em", (3,)))),
    Sample("optimize", ("i,ij", values("eo", (2,)), values("ep", (2, 3))), {"optimize": True}),
)

# ---- square matrices ---------------------------------------------------------------------------


def regular(name: str, shape: Shape) -> Array:
    """Return matrices that are far from singular, and without symmetry."""
    return values(name, shape, -0.9, 0.9) + 2 * np.eye(shape[-1])


def positive(name: str, shape: Shape) -> Array:
    """Return symmetric positive definite matrices."""
    root = values(name, shape, -0.9, 0.9)
    return root @ np.swapaxes(root, -1, -2) + np.eye(shape[-1])


SQUARES: dict[str, Shape] = {
    "1×1": (1, 1),
    "2×2": (2, 2),
    "3×3": (3, 3),
    "batch": (2, 2, 2),
    "batch of batches": (2, 1, 2, 2),
    "no matrix": (0, 2, 2),
    "0×0": (0, 0),
    "batch of 0×0": (2, 0, 0),
}
REGULAR = [Sample(k, (regular(k, s),)) for k, s in SQUARES.items()]
NEGATIVE = Sample("negative determinant", (regular("neg", (3, 3))[[1, 0, 2]],))
SINGULAR = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [1.0, 0.0, 1.0]])


def per_matrix(f: Callable[..., Any]) -> Callable[..., Array]:
    """Run ``f`` on each matrix of a batch."""

    def reference(x: Array, **more: Any) -> Array:
        size = x.shape[-1]
        flat = x.reshape(math.prod(x.shape[:-2]), size, size)
        found = [np.asarray(f(m, **more)) for m in flat]
        one = np.asarray(f(np.eye(size), **more)).shape
        return np.array(found).reshape(x.shape[:-2] + one)

    return reference


def determinant(m: Array) -> float:
    """Leibniz: the sum over all permutations."""
    n = len(m)
    total = 0.0
    for order in itertools.permutations(range(n)):
        swaps = sum(order[i] > order[j] for i in range(n) for j in range(i + 1, n))
        total += (-1) ** swaps * math.prod(m[i, order[i]] for i in range(n))
    return total


def cofactors(m: Array) -> Array:
    n = len(m)
    result = np.zeros((n, n))
    for i, j in np.ndindex(n, n):
        minor = np.delete(np.delete(m, i, 0), j, 1)
        result[i, j] = (-1) ** (i + j) * determinant(minor)
    return result


def inverse(m: Array) -> Array:
    return cofactors(m).T / determinant(m)


def cholesky(m: Array, upper: bool = False) -> Array:
    """Cholesky and Banachiewicz, row by row."""
    n = len(m)
    y = np.zeros((n, n))
    for i, j in itertools.product(range(n), repeat=2):
        if j <= i:
            rest = m[i, j] - sum(y[i, k] * y[j, k] for k in range(j))
            y[i, j] = math.sqrt(rest) if i == j else rest / y[j, j]
    return y.T if upper else y


samples("inv", per_matrix(inverse), *REGULAR, NEGATIVE)
SINGULARS = [Sample("singular", (SINGULAR,)), Sample("rank 0", (np.zeros((3, 3)),))]


def cofactor_slope(g: Array, x: Array) -> Array:
    """det is of degree 1 in each element: differences of cofactors are exact."""
    result = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        high, low = x.copy(), x.copy()
        high[place] += 1
        low[place] -= 1
        change = per_matrix(cofactors)(high) - per_matrix(cofactors)(low)
        result[place] = np.sum(change * g) / 2
    return result


samples("det", per_matrix(determinant), *REGULAR, NEGATIVE, *SINGULARS)
samples("cofactor", per_matrix(cofactors), *REGULAR, NEGATIVE)
samples(
    "cofactor_slope",
    cofactor_slope,
    *[
        Sample(s.name, (values(s.name, s.inputs[0].shape), *s.inputs))
        for s in REGULAR
        if "of" not in s.name
    ],
    Sample("negative determinant", (values("slope", (3, 3)), *NEGATIVE.inputs)),
)
samples("logabsdet", per_matrix(lambda m: math.log(abs(determinant(m)))), *REGULAR, NEGATIVE)
samples(
    "signdet",
    per_matrix(lambda m: np.sign(determinant(m))),
    *REGULAR,
    NEGATIVE,
    Sample("singular", (np.ones((2, 2)),)),
)
samples(
    "slogdet",
    lambda x: (
        per_matrix(lambda m: math.copysign(1, determinant(m)))(x),
        per_matrix(lambda m: math.log(abs(determinant(m))))(x),
    ),
    *REGULAR,
    NEGATIVE,
)
POSITIVE = [Sample(k, (positive(k, s),)) for k, s in SQUARES.items()]
UPPER = [Sample(f"{s.name}, upper", s.inputs, {"upper": True}) for s in POSITIVE[1:4]]
samples("cholesky", per_matrix(cholesky), *POSITIVE, *UPPER)

SYSTEMS = {
    "vector": ((3, 3), (3,)),
    "matrix": ((2, 2), (2, 3)),
    "square": ((2, 2), (2, 2)),
    "batch and vector": ((2, 2, 2), (2,)),
    "batch and matrix": ((2, 2, 2), (2, 1)),
    "matrix and batch": ((2, 2), (2, 2, 1)),
    "batches": ((2, 2, 2), (2, 2, 1)),
    "both broadcast": ((2, 1, 2, 2), (2, 2, 1)),
    "no column": ((2, 2), (2, 0)),
    "no system": ((0, 2, 2), (2,)),
    "0×0": ((0, 0), (0,)),
}


def solution(a: Array, b: Array) -> Array:
    inverted = per_matrix(inverse)(a)
    return np.einsum("...ij,j->...i", inverted, b) if b.ndim == 1 else inverted @ b


samples(
    "solve",
    solution,
    *[Sample(k, (regular(k, a), values(k + "b", b))) for k, (a, b) in SYSTEMS.items()],
)
