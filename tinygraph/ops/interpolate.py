"""Up- and down-sampling: the values of a signal or an image at other places.

Pixels are squares of side 1: place i of the result lies at (i + ½) · n_old / n_new − ½ of the
input, or, with ``align_corners``, at i · (n_old − 1) / (n_new − 1).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.errors import ShapeError, UsageError, compose_message, describe
from ..core.modes import get_default_dtype, module_path
from ..core.op import composite
from ..core.storage import Array
from ..core.structure import cast
from ..core.tensor import Tensor
from .adaptive_pool import adaptive_avg_pool1d, adaptive_avg_pool2d
from .index import ARRAY, along, getitem
from .operands import operand
from .resample import resample
from .window import Sizes
from .window_sum import spread_windows

CUBIC = -0.75
"""The slope of Keys' cubic at 1; −0.5 reproduces parabolas, −0.75 is what image tools take."""

MODES = {
    "nearest": (3, 4), "nearest-exact": (3, 4), "area": (3, 4), "linear": (3,),
    "bilinear": (4,), "bicubic": (4,),
}  # fmt: skip
"""The modes, and with how many axes of the input they go."""

SMOOTH = ("linear", "bilinear", "bicubic")


def check_mode(who: str, mode: Any, align_corners: Any) -> None:
    """Raise unless the mode exists, and has corners to align if that is asked for."""
    if not isinstance(mode, str) or mode not in MODES:
        raise UsageError(f"{who}: mode is {', '.join(map(repr, MODES))}, received {mode!r}.")
    if align_corners not in (None, True, False):
        raise UsageError(f"{who}: align_corners is True or False, received {align_corners!r}.")
    if align_corners is not None and mode not in SMOOTH:
        raise UsageError(
            f"{who}: align_corners goes with {', '.join(map(repr, SMOOTH))}, received "
            f"align_corners={align_corners!r} with mode={mode!r}. Fix: leave it out."
        )


def check_size(who: str, size: Any, scale_factor: Any) -> None:
    """Raise unless one of the two is given, as positive numbers."""
    if (size is None) == (scale_factor is None):
        raise UsageError(
            f"{who} takes either size or scale_factor, received size={size!r} and "
            f"scale_factor={scale_factor!r}."
        )
    for name, given, kinds in (
        ("size", size, int | np.integer),
        ("scale_factor", scale_factor, int | float | np.number),
    ):
        for n in given if isinstance(given, tuple | list) else (given,):
            number = isinstance(n, kinds) and not isinstance(n, bool)
            if given is not None and not (number and 0 < n < math.inf):
                what = "a whole number from 1 on" if name == "size" else "a positive number"
                raise UsageError(
                    f"{who}: {name} is {what}, or one for each axis, received {given!r}."
                )


def _each(who: str, name: str, given: Any, count: int) -> tuple[Any, ...]:
    parts = tuple(given) if isinstance(given, tuple | list) else (given,) * count
    if len(parts) != count:
        raise UsageError(f"{who}: {name} has a number for each of {count} axes, received {given!r}")
    return parts


# ---- places and weights along one axis -----------------------------------------------------------


def _centers(n: int, m: int, step: float, align_corners: Any) -> Array:
    """Return where in the input the m elements of the result lie."""
    if align_corners:
        return np.arange(m) * ((n - 1) / (m - 1) if m > 1 else 0.0)
    return (np.arange(m) + 0.5) * step - 0.5


def _matrix(n: int, m: int, step: float, mode: str, align_corners: Any) -> Array:
    """Return the matrix (m, n) of an interpolation; beyond the edge stands the edge."""
    centers = _centers(n, m, step, align_corners)
    if mode == "bicubic":
        left = np.floor(centers)
        taps = {k: _cubic(np.abs(centers - left - k)) for k in (-1, 0, 1, 2)}
    else:
        centers = np.maximum(centers, 0)
        left = np.floor(centers)
        taps = {0: 1 - (centers - left), 1: centers - left}
    matrix = np.zeros((m, n))
    for offset, weights in taps.items():
        columns = np.clip(left + offset, 0, n - 1).astype(np.int64)
        np.add.at(matrix, (np.arange(m), columns), weights)
    return matrix


def _cubic(d: Array) -> Array:
    """Return Keys' cubic at distances up to 2."""
    near = ((CUBIC + 2) * d - (CUBIC + 3)) * d * d + 1
    far = ((d - 5) * d + 8) * d - 4
    return np.where(d <= 1, near, CUBIC * far)


def _nearest(x: Any, sizes: Sizes, steps: tuple[float, ...], exact: bool) -> Any:
    first = x.ndim - len(sizes)
    lengths = x.shape[first:]
    factors = tuple(m // n for n, m in zip(lengths, sizes, strict=True))
    if all(
        n * f == m and abs(f * s - 1) < 1e-12
        for n, m, f, s in zip(lengths, sizes, factors, steps, strict=True)
    ):
        return spread_windows(x, size=sizes, kernel_size=factors, stride=factors)
    for axis, (n, m, step) in enumerate(zip(lengths, sizes, steps, strict=True), first):
        places = np.floor((np.arange(m) + 0.5 * exact) * step + 1e-9).astype(np.int64)
        x = getitem(x, np.minimum(places, n - 1), index=along(axis, ARRAY))
    return x


@composite("x at other places, between its elements")
def interpolate(
    input: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
    align_corners: bool | None = None, recompute_scale_factor: bool | None = None,
) -> Tensor:  # fmt: skip
    """Make a signal or an image larger or smaller.

    Parameters
    ----------
    input : Tensor or ndarray, shape (N, C, L) or (N, C, H, W)
        Integers become floats, but for the nearest modes.
    size : int or tuple of int, optional
        The new lengths.
    scale_factor : float or tuple of float, optional
        In place of ``size``: new lengths are ``⌊n · scale_factor⌋``.
    mode : str
        "nearest": the element at ``⌊i · n_old / n_new⌋``. "nearest-exact": the one at
        ``⌊(i + ½) · n_old / n_new⌋``, which is the nearest. "linear" for one axis and
        "bilinear", "bicubic" for two: between the nearest 2, 4 or 16 elements. "area": means,
        as `adaptive_avg_pool2d` takes them.
    align_corners : bool, optional
        For the smooth modes: let first and last elements keep their places, instead of the
        outer edges of the elements (the default).
    recompute_scale_factor : bool, optional
        Whether places are computed from the new lengths; by default from ``scale_factor``,
        if that is given. They differ where ``n · scale_factor`` is rounded.

    Returns
    -------
    Tensor, shape (N, C, L') or (N, C, H', W')

    Raises
    ------
    ShapeError
        If the input has other axes than the mode goes with, or the result would be empty.
    UsageError
        If an argument has another value, or both or none of size and scale_factor are given.

    Notes
    -----
    The smooth modes multiply each axis by a constant matrix, so their derivative multiplies
    by its transpose. Source for "bicubic": Keys 1981, Cubic convolution interpolation.

    Examples
    --------
    >>> import tinygraph as tg
    >>> x = tg.tensor([[[0.0, 4.0]]])
    >>> tg.nn.functional.interpolate(x, scale_factor=2)
    tensor([[[0., 0., 4., 4.]]])
    >>> tg.nn.functional.interpolate(x, 5, mode="linear", align_corners=True)
    tensor([[[0., 1., 2., 3., 4.]]])
    """
    who = "interpolate"
    x = operand(who, input)
    check_mode(who, mode, align_corners)
    check_size(who, size, scale_factor)
    if recompute_scale_factor and size is not None:
        raise UsageError(f"{who}: recompute_scale_factor goes with scale_factor, not with size.")
    if x.ndim not in MODES[mode] or 0 in x.shape[2:]:
        axes = " or ".join({3: "(N, C, L)", 4: "(N, C, H, W)"}[n] for n in MODES[mode])
        fix = (
            "mode='bilinear'" if (mode, x.ndim) == ("linear", 4) else "x[None] adds the batch axis"
        )
        what = f"{who} in mode {mode!r} wants inputs of shape {axes}, none of them empty"
        raise ShapeError(compose_message(what, describe(x), fix, module_path()))
    lengths = x.shape[2:]
    if size is not None:
        sizes = tuple(int(m) for m in _each(who, "size", size, len(lengths)))
        factors = None
    else:
        given = _each(who, "scale_factor", scale_factor, len(lengths))
        sizes = tuple(math.floor(n * float(f)) for n, f in zip(lengths, given, strict=True))
        factors = None if recompute_scale_factor else given
    if 0 in sizes:
        what = f"{who}: the result has at least one element along each axis"
        raise ShapeError(compose_message(what, describe(x), "a larger scale_factor", module_path()))
    if factors is None:
        steps = tuple(n / m for n, m in zip(lengths, sizes, strict=True))
    else:
        steps = tuple(1 / float(f) for f in factors)
    kept = {"nearest": (1, 2), "bilinear": (1,), "linear": (1,)}.get(mode, ())  # as PyTorch does
    exact = [m / n if m / n in kept else None for n, m in zip(lengths, sizes, strict=True)]
    steps = tuple(1 / e if e else step for e, step in zip(exact, steps, strict=True))
    if mode.startswith("nearest"):
        return _nearest(x, sizes, steps, mode == "nearest-exact")  # type: ignore[no-any-return]
    if mode == "area":
        return (adaptive_avg_pool1d if x.ndim == 3 else adaptive_avg_pool2d)(x, sizes)
    x = x if x.dtype.kind == "f" else cast(x, dtype=get_default_dtype())
    parts = zip(lengths, sizes, steps, strict=True)
    matrices = [_matrix(n, m, step, mode, align_corners) for n, m, step in parts]
    return resample(x, *matrices)  # type: ignore[no-any-return]
