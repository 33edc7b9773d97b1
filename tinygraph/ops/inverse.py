"""Inverses and systems of linear equations, for matrices and batches of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.errors import LinAlgError, ShapeError, compose_message, describe, describe_all
from ..core.modes import module_path
from ..core.op import Op, op
from ..core.storage import Array
from ..core.structure import sum_to
from .linalg import matmul
from .shape import expand_dims

# ---- what all ops on square matrices share -----------------------------------------------------


def check_square(who: str) -> Any:
    """Return the ``prepare`` of an op on square matrices."""

    def check(x: Any, **attrs: Any) -> dict[str, Any]:
        if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
            raise ShapeError(
                compose_message(
                    f"{who}: the last two axes must be equal, as in a square matrix",
                    describe(x),
                    "",
                    module_path(),
                )
            )
        return attrs

    return check


def in_lapack(function: Callable[..., Any], *arrays: Any, **options: Any) -> Any:
    """Run a function of ``np.linalg``, in single precision for half, which LAPACK lacks."""
    half = all(a.dtype.itemsize == 2 and a.dtype.kind == "f" for a in arrays)
    if not half:
        return function(*arrays, **options)
    result = function(*(a.astype(np.float32) for a in arrays), **options)
    return np.asarray(result).astype(arrays[0].dtype)


def explain_failure(
    who: str, what: str, fix: str, function: Callable[[Array], Any], x: Array
) -> LinAlgError:
    """Return an error that names the first matrix of a batch on which ``function`` fails."""
    place: tuple[int, ...] = ()
    for place in np.ndindex(x.shape[:-2]):
        try:
            in_lapack(function, x[place])
        except np.linalg.LinAlgError:
            break
    which = f"matrix {place[0] if len(place) == 1 else place} of the batch" if place else "matrix"
    size = f"{x.shape[-2]}×{x.shape[-1]}"
    return LinAlgError(
        compose_message(f"{who}: the {size} {which} is {what}", describe(x), fix, module_path())
    )


def _explain_singular(who: str, x: Array) -> LinAlgError:
    fix = "check tg.slogdet; x + 1e-6 * tg.eye(n) is close by and can be inverted"
    return explain_failure(who, "singular", fix, np.linalg.inv, x)


# ---- inverse ---------------------------------------------------------------------------------


def _inv(x: Any) -> Any:
    try:
        return in_lapack(np.linalg.inv, x)
    except np.linalg.LinAlgError as error:
        raise _explain_singular("inv", x) from error


inv: Op = op(
    "inv", _inv, kind="matmul", label="x⁻¹", formula="x⁻¹", local=["−yᵀ G yᵀ"], saves="y",
    vjps=[lambda g, y, x: -matmul(matmul(y.mT, g), y.mT)],
    prepare=check_square("inv"), numpy=[np.linalg.inv], quiet=True,
    doc="Invert the matrices in the last two axes.\n\n"
    "A singular one raises LinAlgError, which names it.",
)  # fmt: skip

# ---- systems of equations ----------------------------------------------------------------------


def _check_solve(a: Any, b: Any) -> dict[str, Any]:
    check_square("solve")(a)
    rows = b.shape[0 if b.ndim == 1 else -2] if b.ndim else -1
    try:
        np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    except ValueError:
        rows = -1
    if rows != a.shape[-1]:
        vectors = b.ndim > 1 and b.shape[-1] == a.shape[-1]
        raise ShapeError(
            compose_message(
                f"solve: b must be a vector of {a.shape[-1]}, or matrices with {a.shape[-1]} rows "
                "whose batch broadcasts",
                describe_all([a, b]),
                "solve(a, b[..., None])[..., 0] takes a batch of vectors" if vectors else "",
                module_path(),
            )
        )
    return {}


def _solve(a: Any, b: Any) -> Any:
    try:
        return in_lapack(np.linalg.solve, a, b)
    except np.linalg.LinAlgError as error:
        raise _explain_singular("solve", a) from error


def _solve_vjp(g: Any, y: Any, a: Any, b: Any, *, needs: tuple[bool, ...]) -> tuple[Any, ...]:
    """Solve with the transposed matrix; the gradient of a is minus its outer product with y."""
    vector = b.ndim == 1
    if vector:
        g, y = expand_dims(g, axis=-1), expand_dims(y, axis=-1)
    of_b = solve(a.mT, g)
    of_a = sum_to(-matmul(of_b, y.mT), shape=a.shape) if needs[0] else None
    if not needs[1]:
        return of_a, None
    return of_a, sum_to(of_b[..., 0] if vector else of_b, shape=b.shape)


solve: Op = op(
    "solve", _solve, kind="matmul", label="a⁻¹b", formula="a⁻¹ @ b", saves="y a",
    local=["−(a⁻ᵀ G) yᵀ", "a⁻ᵀ G"], vjps=_solve_vjp, prepare=_check_solve,
    numpy=[np.linalg.solve], quiet=True,
    doc="Solve a @ y = b for y: b is one vector, or matrices of columns; batches broadcast.\n\n"
    "A singular matrix raises LinAlgError, which names it.",
)  # fmt: skip
