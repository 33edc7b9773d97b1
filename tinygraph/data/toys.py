"""Toy sets in the plane, made on the spot: inputs (n, 2) and labels (n,)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.errors import UsageError, compose_message, describe
from ..core.modes import get_default_dtype
from ..core.storage import Array
from ..ops.operands import whole
from ..ops.random import Generator, default_generator

Points = tuple[Array, Array]


def circles(
    n_samples: int = 1000, noise: float = 0.1, factor: float = 0.8,
    generator: Generator | None = None, *, seed: int | None = None,
) -> Points:  # fmt: skip
    """Two rings, one inside the other.

    Parameters
    ----------
    n_samples : int
    noise : float
        Standard deviation of what is added to each coordinate.
    factor : float
        The radius of the inner ring (label 1); the outer ring (label 0) has radius 1.
    generator : Generator, optional
        tinygraph's own by default.
    seed : int, optional
        Instead of a generator: the points that scikit-learn's function gives for
        ``random_state=seed``, in the same order.

    Returns
    -------
    x : ndarray (n_samples, 2)
        Of the default float dtype, float32.
    y : ndarray (n_samples,)
        int64.

    Raises
    ------
    UsageError
        For settings out of range, or a generator and a seed.

    Examples
    --------
    >>> import tinygraph as tg
    >>> x, y = tg.data.circles(1000, noise=0.1, factor=0.8, seed=42)
    >>> x.shape, x.dtype.name, y.mean()
    ((1000, 2), 'float32', np.float64(0.5))
    """
    n = whole("circles", "n_samples", n_samples)
    _check_number("circles", noise=noise, factor=factor)
    source = _source("circles", generator, seed)
    outer, inner = (np.linspace(0, 2 * np.pi, k, endpoint=False) for k in (n // 2, n - n // 2))
    rings = [_arc(outer), factor * _arc(inner)]
    return _finished(rings, noise, source)


def moons(
    n_samples: int = 1000, noise: float = 0.1, generator: Generator | None = None, *,
    seed: int | None = None,
) -> Points:  # fmt: skip
    """Two half rings that reach into each other.

    Parameters, results and errors are those of :func:`circles`.

    Examples
    --------
    >>> import tinygraph as tg
    >>> x, y = tg.data.moons(200, noise=0.1, generator=tg.Generator(0))
    >>> x.shape, y[:3].tolist()
    ((200, 2), [1, 0, 1])
    """
    n = whole("moons", "n_samples", n_samples)
    _check_number("moons", noise=noise)
    source = _source("moons", generator, seed)
    upper, lower = _arc(np.linspace(0, np.pi, n // 2)), _arc(np.linspace(0, np.pi, n - n // 2))
    return _finished([upper, np.array([1.0, 0.5]) - lower], noise, source)


def spirals(
    n_samples: int = 1000, classes: int = 2, noise: float = 0.05, turns: float = 1.0,
    generator: Generator | None = None, *, seed: int | None = None,
) -> Points:  # fmt: skip
    """Spiral arms from the centre to radius 1, one for each class.

    Parameters
    ----------
    n_samples, noise, generator
        As for :func:`circles`.
    classes : int
        Arms.
    turns : float
        How often an arm goes round.
    seed : int, optional
        Instead of a generator.

    Examples
    --------
    >>> import numpy as np, tinygraph as tg
    >>> x, y = tg.data.spirals(300, classes=3, noise=0.0, generator=tg.Generator(0))
    >>> np.bincount(y), round(float(np.linalg.norm(x, axis=1).max()), 3)
    (array([100, 100, 100]), 1.0)
    """
    n = whole("spirals", "n_samples", n_samples)
    arms = whole("spirals", "classes", classes, least=1)
    _check_number("spirals", noise=noise, turns=turns)
    source = _source("spirals", generator, seed)
    parts = []
    for arm, size in enumerate(_shares(n, arms)):
        radius = np.linspace(0, 1, size)
        angle = 2 * np.pi * (turns * radius + arm / arms)
        parts.append(radius[:, None] * _arc(angle))
    return _finished(parts, noise, source)


def blobs(
    n_samples: int = 1000, centers: Any = 3, std: float = 1.0,
    generator: Generator | None = None, *, seed: int | None = None,
) -> Points:  # fmt: skip
    """Round clouds of points, one for each class.

    Parameters
    ----------
    n_samples, generator, seed
        As for :func:`circles`.
    centers : int, or array (classes, features)
        Where the clouds are; a number of them is drawn from the square [−10, 10]².
    std : float
        Standard deviation of a cloud.

    Returns
    -------
    x : ndarray (n_samples, features)
    y : ndarray (n_samples,)

    Examples
    --------
    >>> import tinygraph as tg
    >>> x, y = tg.data.blobs(6, centers=[[-5, 0], [5, 0]], generator=tg.Generator(0))
    >>> ((x[:, 0] > 0) == y).all()
    np.True_
    """
    n = whole("blobs", "n_samples", n_samples)
    _check_number("blobs", std=std)
    source = _source("blobs", generator, seed)
    if isinstance(centers, int | np.integer) and not isinstance(centers, bool):
        places = source.uniform(-10, 10, (whole("blobs", "centers", centers, least=1), 2))
    else:
        places = _places(centers)
    sizes = _shares(n, len(places))
    parts = [
        source.normal(place, std, (size, places.shape[1]))
        for place, size in zip(places, sizes, strict=True)
    ]
    return _finished(parts, 0.0, source)


def _arc(angles: Array) -> Array:
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _shares(n: int, parts: int) -> list[int]:
    return [n // parts + (i < n % parts) for i in range(parts)]


def _finished(parts: list[Array], noise: float, source: Any) -> Points:
    """Join the classes, shuffle, add noise."""
    y = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    order = np.arange(len(y))
    source.shuffle(order)
    x = np.concatenate(parts)[order]
    if noise:
        x = x + source.normal(scale=noise, size=x.shape)
    return x.astype(get_default_dtype()), y[order].astype(np.int64)


def _source(who: str, generator: Generator | None, seed: int | None) -> Any:
    """Return NumPy's generator behind ours, or its older one, which scikit-learn uses."""
    if seed is None:
        if generator is not None and not isinstance(generator, Generator):
            fix = "tg.Generator(0), or seed="
            raise UsageError(
                compose_message(f"{who}: generator is a Generator", describe(generator), fix)
            )
        return (generator or default_generator).numpy
    if generator is not None:
        raise UsageError(f"{who} takes a generator or a seed. Fix: one of them.")
    number = whole(who, "seed", seed)
    if number >= 2**32:
        raise UsageError(f"{who}: seed is below 2³². Received {seed!r}.")
    return np.random.RandomState(number)


def _check_number(who: str, **numbers: Any) -> None:
    for name, value in numbers.items():
        number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
        if not number or not 0 <= value < math.inf:
            raise UsageError(
                compose_message(f"{who}: {name} is a finite number from 0 on", describe(value))
            )


def _places(centers: Any) -> Array:
    try:
        places = np.asarray(centers, dtype=np.float64)
    except (ValueError, TypeError):
        places = np.empty(0)
    if places.ndim != 2 or len(places) == 0:
        raise UsageError(
            compose_message(
                "blobs: centers is a number, or one place for each class",
                describe(centers),
                "[[0, 0], [3, 3]]",
            )
        )
    return places
