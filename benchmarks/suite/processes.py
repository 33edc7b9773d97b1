"""Processes that measure or check one contestant each."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np

from .workloads import Workload, make_arrays

SLOWED_DOWN_BY = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
TOLERANCE = 2e-3
"""Of the length of a gradient: float32, summed in different orders. Where rounding turns a near
tie in one window of a max pooling, or crosses one ReLU's kink, single elements differ by more."""


def run(*arguments: str) -> str:
    """Run the measuring module in a fresh process, without settings that slow NumPy down."""
    environment = {k: v for k, v in os.environ.items() if k not in SLOWED_DOWN_BY}
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.suite.measure", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments[:2])} failed:\n{done.stderr[-3000:]}")
    return done.stdout


def length(gradient: np.ndarray) -> float:
    """Return the root of the sum of squares."""
    return float(np.linalg.norm(gradient.astype(np.float64)))


def save_arrays(workload: Workload, folder: str) -> None:
    """Write the batch and the weights that everybody starts with."""
    np.savez(f"{folder}/{workload.name}.npz", **make_arrays(workload))


def check_agreement(workload: Workload, contestants: list[str], folder: str) -> None:
    """Raise unless all contestants find the same loss and gradients."""
    found: dict[str, dict[str, np.ndarray]] = {}
    for contestant in contestants:
        checked = f"{folder}/checked {contestant}.npz"
        run(workload.name, contestant, folder, "0", checked)
        with np.load(checked) as file:
            found[contestant] = dict(file)
    reference = found[contestants[0]]
    largest = max(map(length, reference.values()))
    for contestant, values in found.items():
        if values.keys() != reference.keys():
            raise SystemExit(f"{contestant}: other gradients than {contestants[0]}")
        for name, value in values.items():
            wanted = reference[name]
            scale = length(wanted) + 1e-3 * largest  # some sums cancel
            error = length(value - wanted) / scale
            if not error < TOLERANCE:
                raise SystemExit(f"{contestant} on {workload.name}: {name} is {error:.1e} off")
