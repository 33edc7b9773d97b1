"""Samples and references of windows and pooling: loops over single windows in plain Python."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from op_samples import samples, values

from tinygraph.check import Sample

Array = np.ndarray


def each(given: Any, count: int) -> list[int]:
    return list(given) if isinstance(given, tuple) else [given] * count


def windows(
    lengths: Any, kernel: Any, stride: Any, dilation: Any, counts: Any = None
) -> Iterator[tuple[tuple[int, ...], list[tuple[int, ...]]]]:
    """Yield each position and the places of its elements, row by row."""
    if counts is None:
        spans = zip(lengths, kernel, stride, dilation, strict=True)
        counts = [len(range(0, n - d * (k - 1), s)) for n, k, s, d in spans]
    for position in itertools.product(*map(range, counts)):
        offsets = itertools.product(*map(range, kernel))
        yield (
            position,
            [
                tuple(
                    p * s + o * d for p, s, o, d in zip(position, stride, k, dilation, strict=True)
                )
                for k in offsets
            ],
        )


def of_windows(reduce: Callable[[Array], Any]) -> Callable[..., Array]:
    """Return the function that reduces the last axis of each window's elements."""

    def reference(x: Array, *rest: Any, kernel_size: Any, stride: Any = 1, dilation: Any = 1):
        kernel = each(kernel_size, 1)
        count = len(kernel)
        stride, dilation = each(stride, count), each(dilation, count)
        lengths = x.shape[x.ndim - count :]
        found = {}
        for position, places in windows(lengths, kernel, stride, dilation):
            elements = np.stack([x[(..., *place)] for place in places], axis=-1)
            found[position] = reduce(elements, *[r[(..., *position)] for r in rest])
        outer = [1 + max(p[a] for p in found) for a in range(count)]
        y = np.zeros((*x.shape[: x.ndim - count], *outer), np.asarray(found[(0,) * count]).dtype)
        for position, value in found.items():
            y[(..., *position)] = value
        return y

    return reference


def into_windows(x: Array, where: Any = None, *, size: Any, kernel_size: Any, stride: Any = 1,
                 dilation: Any = 1) -> Array:  # fmt: skip
    """Add each number to the elements of its window, or to the one that ``where`` names."""
    kernel = each(kernel_size, 1)
    count = len(kernel)
    size, stride, dilation = (each(v, count) for v in (size, stride, dilation))
    y = np.zeros((*x.shape[: x.ndim - count], *size))
    for position, places in windows(size, kernel, stride, dilation):
        for k, place in enumerate(places):
            chosen = 1.0 if where is None else where[(..., *position)] == k
            y[(..., *place)] += x[(..., *position)] * chosen
    return y


MAP = values("pool map", (2, 1, 4, 5))
ROW = values("pool row", (2, 7))
ONE: dict[str, Any] = {"kernel_size": 3}
PLAIN: dict[str, dict[str, Any]] = {
    "vector": {"kernel_size": 2},
    "stride": {"kernel_size": 2, "stride": 2},
    "gaps": {"kernel_size": 2, "stride": 3},
    "dilation": {"kernel_size": (2,), "dilation": 3, "stride": 2},
    "whole": {"kernel_size": 7},
    "single": {"kernel_size": 1},
}
TWO: dict[str, dict[str, Any]] = {
    "two axes": {"kernel_size": (2, 2), "stride": 2},
    "overlap": {"kernel_size": (3, 2), "stride": (1, 2)},
    "all": {"kernel_size": (2, 3), "stride": (2, 1), "dilation": (2, 1)},
}
REDUCED = [
    *[Sample(k, (ROW,), attrs) for k, attrs in PLAIN.items()],
    *[Sample(k, (MAP,), attrs) for k, attrs in TWO.items()],
    Sample("empty batch", (np.zeros((0, 3)),), {"kernel_size": 2}),
]
TIE = np.array([1.0, 1.0, 1.0, 0.0])
samples(
    "max_windows",
    of_windows(lambda e: e.max(-1)),
    *REDUCED,
    Sample("tie", (TIE,), {"kernel_size": 2, "stride": 2}, gradients=(np.array([1.0, 0, 1, 0]),)),
    Sample("tie of shared elements", (TIE,), ONE, gradients=(np.array([1.0, 1, 0, 0]),)),
)
samples("sum_windows", of_windows(lambda e: e.sum(-1)), *REDUCED)


def top(x: Array, attrs: dict[str, Any]) -> Array:
    return of_windows(lambda e: e.max(-1))(x, **attrs)


def first(x: Array, attrs: dict[str, Any]) -> Array:
    return of_windows(lambda e: e.argmax(-1))(x, **attrs).astype(np.int32)


CHOSEN = [(ROW, *item) for item in PLAIN.items()] + [(MAP, *item) for item in TWO.items()]
samples(
    "argmax_windows",
    of_windows(lambda e, t: np.argmax(e == t[..., None], -1)),
    *[Sample(k, (x, top(x, attrs)), attrs) for x, k, attrs in CHOSEN],
    Sample("tie", (TIE, top(TIE, ONE)), ONE),
)
samples(
    "pick_windows",
    of_windows(lambda e, w: np.take_along_axis(e, w[..., None], -1)[..., 0]),
    *[Sample(k, (x, first(-x, attrs)), attrs) for x, k, attrs in CHOSEN],
)


def size_of(x: Array, attrs: dict[str, Any]) -> dict[str, Any]:
    count = len(each(attrs["kernel_size"], 1))
    return {**attrs, "size": x.shape[x.ndim - count :]}


samples(
    "place_windows",
    into_windows,
    *[
        Sample(k, (values("place" + k, first(x, attrs).shape), first(x, attrs)), size_of(x, attrs))
        for x, k, attrs in CHOSEN
    ],
)
samples(
    "spread_windows",
    into_windows,
    *[
        Sample(k, (values("spread" + k, top(x, attrs).shape),), size_of(x, attrs))
        for x, k, attrs in CHOSEN
    ],
    Sample("empty batch", (np.zeros((0, 3)),), {"size": 4, "kernel_size": 2}),
)

# ---- pooling -------------------------------------------------------------------------------------


def pooled(count: int, kind: str) -> Callable[..., Any]:
    """Return pooling by its definition: every window, element by element, with its border."""

    def reference(
        x: Array, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
        ceil_mode: bool = False, return_indices: bool = False, count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> Any:  # fmt: skip
        kernel = each(kernel_size, count)
        stride, padding, dilation = (
            each(v, count) for v in (kernel_size if stride is None else stride, padding, dilation)
        )
        lengths = x.shape[x.ndim - count :]
        rounded = math.ceil if ceil_mode else math.floor
        counts = []
        for n, k, s, p, d in zip(lengths, kernel, stride, padding, dilation, strict=True):
            m = rounded((n + 2 * p - d * (k - 1) - 1) / s) + 1
            counts.append(m - (ceil_mode and (m - 1) * s >= n + p))
        y = np.zeros((*x.shape[: x.ndim - count], *counts))
        flat = np.zeros(y.shape, np.int64)
        for position, places in windows(lengths, kernel, stride, dilation, counts):
            at = [tuple(a - p for a, p in zip(place, padding, strict=True)) for place in places]
            real = [a for a in at if all(0 <= i < n for i, n in zip(a, lengths, strict=True))]
            padded = [
                a for a in at if all(i < n + p for i, n, p in zip(a, lengths, padding, strict=True))
            ]
            elements = np.stack([x[(..., *a)] for a in real], -1)
            if kind == "max":
                y[(..., *position)] = elements.max(-1)
                rows = np.array([np.ravel_multi_index(a, lengths) for a in real])
                flat[(..., *position)] = rows[elements.argmax(-1)]
            else:
                held = len(padded if count_include_pad else real)
                y[(..., *position)] = elements.sum(-1) / (divisor_override or held)
        return (y, flat) if return_indices else y

    return reference


POOLED: dict[str, tuple[Any, ...]] = {
    "plain": (2,),
    "overlap": (3, 1),
    "padding": (3, 2, 1),
    "the rest is left out": (3, 2),
}
for _count, _x in ((1, values("pool 1", (2, 2, 6))), (2, values("pool 2", (1, 1, 6, 5)))):
    _cases = [Sample(k, (_x, *arguments)) for k, arguments in POOLED.items()]
    _cases += [
        Sample("rounded up", (_x, 3, 2), {"ceil_mode": True}),
        Sample("rounded up, padding", (_x, 3, 2, 1), {"ceil_mode": True}),
        Sample("without a batch", (_x[0], 2)),
        Sample("empty batch", (np.zeros((0, *_x.shape[1:])), 2)),
    ]
    if _count == 2:
        _cases.append(Sample("two lengths", (_x, (3, 2), (2, 1), (1, 0))))
    samples(
        f"max_pool{_count}d",
        pooled(_count, "max"),
        *_cases,
        Sample("dilation", (_x, 2, 1, 0, 2)),
        Sample("indices", (_x, 3, 2, 1), {"return_indices": True}),
        Sample("indices, dilation", (_x, 2, 1, 0, 2), {"return_indices": True}),
    )
    _border = {"count_include_pad": False}
    _means = [
        *_cases,
        Sample("border left out", (_x, 3, 2, 1), _border),
        Sample("border left out, rounded up", (_x, 3, 2, 1), {**_border, "ceil_mode": True}),
    ]
    if _count == 2:
        _means.append(Sample("divisor", (_x, (3, 2), 1), {"divisor_override": 5}))
    samples(f"avg_pool{_count}d", pooled(_count, "avg"), *_means)


def adaptive(count: int, kind: str) -> Callable[..., Any]:
    def reference(x: Array, output_size: Any, return_indices: bool = False) -> Any:
        lengths = x.shape[x.ndim - count :]
        given = zip(lengths, each(output_size, count), strict=True)
        sizes = [n if m is None else m for n, m in given]
        y = np.zeros((*x.shape[: x.ndim - count], *sizes))
        flat = np.zeros(y.shape, np.int64)
        for position in itertools.product(*map(range, sizes)):
            spans = [
                range(math.floor(i * n / m), math.ceil((i + 1) * n / m))
                for i, n, m in zip(position, lengths, sizes, strict=True)
            ]
            places = list(itertools.product(*spans))
            elements = np.stack([x[(..., *a)] for a in places], -1)
            rows = np.array([np.ravel_multi_index(a, lengths) for a in places])
            y[(..., *position)] = elements.max(-1) if kind == "max" else elements.mean(-1)
            flat[(..., *position)] = rows[elements.argmax(-1)]
        return (y, flat) if return_indices else y

    return reference


for _count, _x in ((1, values("adaptive 1", (2, 2, 6))), (2, values("adaptive 2", (1, 1, 6, 5)))):
    _last: Any = (4, None) if _count == 2 else None
    _cases = [
        Sample("divides", (_x, 2)),
        Sample("does not divide", (_x, 4)),
        Sample("more than elements", (_x, 7)),
        Sample("one", (_x, 1)),
        Sample("None", (_x, _last)),
        Sample("without a batch", (_x[0], 3)),
        Sample("empty batch", (np.zeros((0, *_x.shape[1:])), 4)),
    ]
    samples(f"adaptive_avg_pool{_count}d", adaptive(_count, "avg"), *_cases)
    samples(
        f"adaptive_max_pool{_count}d",
        adaptive(_count, "max"),
        *_cases,
        Sample("indices", (_x, 4), {"return_indices": True}),
    )

# ---- interpolation -------------------------------------------------------------------------------


def _weights(n: int, m: int, step: float, mode: str, aligned: Any) -> dict[int, dict[int, float]]:
    """Return for each element of the result the weights of the elements of the input."""
    rows: dict[int, dict[int, float]] = {}
    for i in range(m):
        row = rows[i] = {}
        if mode.startswith("nearest"):
            half = 0.5 if mode == "nearest-exact" else 0.0
            row[min(n - 1, math.floor((i + half) * step + 1e-9))] = 1.0
            continue
        if mode == "area":
            span = range(i * n // m, math.ceil((i + 1) * n / m))
            row.update({j: 1 / len(span) for j in span})
            continue
        at = i * (n - 1) / max(m - 1, 1) if aligned else (i + 0.5) * step - 0.5
        reach = 2 if mode == "bicubic" else 1
        at = at if mode == "bicubic" else max(at, 0.0)
        for j in range(math.floor(at) - reach + 1, math.floor(at) + reach + 1):
            d = abs(at - j)
            if reach == 1:
                w = 1 - d
            elif d <= 1:  # Keys' cubic with a = −3/4
                w = 1.25 * d**3 - 2.25 * d**2 + 1
            else:
                w = -0.75 * d**3 + 3.75 * d**2 - 6 * d + 3
            place = min(max(j, 0), n - 1)
            row[place] = row.get(place, 0.0) + w
    return rows


def interpolated(
    x: Array, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
    align_corners: Any = None, recompute_scale_factor: Any = None,
) -> Array:  # fmt: skip
    lengths = x.shape[2:]
    if size is None:
        factors = each(scale_factor, len(lengths))
        sizes = [math.floor(n * f) for n, f in zip(lengths, factors, strict=True)]
        steps = [1 / f for f in factors]
    if size is not None or recompute_scale_factor:
        sizes = each(size, len(lengths)) if size is not None else sizes
        steps = [n / m for n, m in zip(lengths, sizes, strict=True)]
    tables = [
        _weights(n, m, s, mode, align_corners)
        for n, m, s in zip(lengths, sizes, steps, strict=True)
    ]
    y = np.zeros((*x.shape[:2], *sizes))
    for position in itertools.product(*map(range, sizes)):
        rows = [table[i].items() for table, i in zip(tables, position, strict=True)]
        for parts in itertools.product(*rows):
            place = tuple(j for j, _ in parts)
            y[(..., *position)] += x[(..., *place)] * math.prod(w for _, w in parts)
    return y


SIGNAL, IMAGE = values("signal", (2, 2, 4)), values("small image", (1, 2, 3, 4))
samples(
    "interpolate",
    interpolated,
    Sample("twice", (SIGNAL,), {"scale_factor": 2}),
    Sample("twice, image", (IMAGE,), {"scale_factor": 2}),
    Sample("nearest", (IMAGE,), {"size": (5, 3)}),
    Sample("nearest, by a fraction", (SIGNAL,), {"scale_factor": 1.6}),
    Sample("nearest, recomputed", (SIGNAL,), {"scale_factor": 1.6, "recompute_scale_factor": True}),
    Sample("exact", (IMAGE,), {"size": (5, 3), "mode": "nearest-exact"}),
    Sample("area", (IMAGE,), {"size": (2, 3), "mode": "area"}),
    Sample("area, signal", (SIGNAL,), {"size": 3, "mode": "area"}),
    Sample("linear", (SIGNAL,), {"size": 7, "mode": "linear"}),
    Sample("linear, corners", (SIGNAL,), {"size": 7, "mode": "linear", "align_corners": True}),
    Sample("linear, one", (SIGNAL,), {"size": 1, "mode": "linear", "align_corners": True}),
    Sample("linear, fraction", (SIGNAL,), {"scale_factor": 2.3, "mode": "linear"}),
    Sample("bilinear", (IMAGE,), {"scale_factor": 2, "mode": "bilinear"}),
    Sample("bilinear, smaller", (IMAGE,), {"size": (2, 3), "mode": "bilinear"}),
    Sample("bicubic", (IMAGE,), {"size": (5, 6), "mode": "bicubic"}),
    Sample("bicubic, corners", (IMAGE,), {"size": 4, "mode": "bicubic", "align_corners": True}),
    Sample("empty batch", (np.zeros((0, 2, 3)),), {"size": 5, "mode": "linear"}),
)
