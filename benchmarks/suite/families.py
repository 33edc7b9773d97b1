"""Families of workloads that differ in one size: where overhead ends and arithmetic begins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from . import functions, models
from .workloads import (
    TRANSFORMERS,
    WORKLOADS,
    Workload,
    block_products,
    classified,
    classifier,
    classify,
    layers,
    regress,
    regressed,
    regressor,
)


@dataclass(frozen=True)
class Family:
    """Workloads of growing size.

    Attributes
    ----------
    title, axis : str
        What it is, and what grows.
    sizes : tuple of int
    member : callable
        ``member(size)`` returns the workload.
    """

    title: str
    axis: str
    sizes: tuple[int, ...]
    member: Callable[[int], Workload]

    def workloads(self) -> list[Workload]:
        return [self.member(size) for size in self.sizes]


def classifier_mlp(name: str, batch: int, *sizes: int) -> Workload:
    """Return the step of an MLP with cross-entropy and Adam."""
    title = f"MLP {'-'.join(map(str, sizes))}, batch {batch}"
    return Workload(
        name, title, classified(batch, sizes[0]), classify, classifier(functions.mlp),
        partial(_mlp, sizes=sizes), "adam", layers(batch, *sizes),
    )  # fmt: skip


def _mlp(nn: object, sizes: tuple[int, ...]) -> object:
    return models.mlp(nn, *sizes)


def transformer_of_length(length: int) -> Workload:
    """Return the step of one transformer block on eight sequences."""
    return Workload(
        f"length@{length}", f"a transformer block, 8 × {length} elements",
        regressed(8, length, 128), regress,
        regressor(partial(functions.transformer, count=1)), partial(models.transformer, count=1),
        "adam", block_products(8, length, 1), absent=TRANSFORMERS,
    )  # fmt: skip


FAMILIES = {
    "batch": Family(
        "MLP 64-128-128-10", "rows in a batch", (1, 4, 16, 64, 256, 1024, 4096),
        lambda n: classifier_mlp(f"batch@{n}", n, 64, 128, 128, 10),
    ),
    "width": Family(
        "MLP 64-w-w-10, batch 64", "width w", (8, 32, 128, 512, 1024),
        lambda n: classifier_mlp(f"width@{n}", 64, 64, n, n, 10),
    ),
    "depth": Family(
        "layers of 64, batch 64", "layers", (1, 2, 4, 8, 16, 32, 64),
        lambda n: classifier_mlp(f"depth@{n}", 64, *[64] * n, 10),
    ),
    "length": Family(
        "transformer block, width 128, batch 8", "length of a sequence", (4, 16, 64, 256),
        transformer_of_length,
    ),
}  # fmt: skip


def find(name: str) -> Workload:
    """Return a workload of the suite, or a member of a family: ``family@size``."""
    family, at, size = name.partition("@")
    return FAMILIES[family].member(int(size)) if at else WORKLOADS[name]
