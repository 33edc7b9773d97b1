"""Compare training steps: ``python -m benchmarks.suite [--only TEXT] [--rounds 5] [--write]``.

First every contestant's loss and gradients are compared. Then each measurement is a process
of its own and the contestants take turns, so that a slow minute of the machine hits all.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from . import report
from .bounds import time_of_products
from .contestants import installed
from .workloads import WORKLOADS, Workload, make_arrays

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


def check_agreement(workload: Workload, contestants: list[str], path: str, folder: str) -> None:
    """Raise unless all contestants find the same loss and gradients."""
    found: dict[str, dict[str, np.ndarray]] = {}
    for contestant in contestants:
        checked = f"{folder}/{contestant}.npz"
        run(workload.name, contestant, path, "0", checked)
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


def compare(workload: Workload, wanted: list[str], rounds: int, seconds: str) -> dict[str, Any]:
    """Measure all contestants in turns; return medians, least times, first calls and peaks."""
    contestants = [c for c in wanted if c not in workload.absent]
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/arrays.npz"
        np.savez(path, **make_arrays(workload))
        check_agreement(workload, contestants, path, folder)
        found: dict[str, list[dict[str, float]]] = {c: [] for c in contestants}
        for _ in range(rounds):
            for contestant in contestants:
                printed = run(workload.name, contestant, path, seconds)
                found[contestant].append(json.loads(printed.splitlines()[-1]))
    return {
        "name": workload.name,
        "title": workload.title,
        "bound": time_of_products(workload.products),
        "results": {c: report.summarize(rows) for c, rows in found.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--only", default="", help="workloads whose name contains this")
    parser.add_argument("--contestants", default="", help="names, with commas; all by default")
    parser.add_argument("--rounds", type=int, default=5, help="processes for each (default 5)")
    parser.add_argument("--seconds", default="1", help="to measure in each (default 1)")
    parser.add_argument("--write", type=Path, help="folder for benchmarks.json, .md and .svg")
    options = parser.parse_args()
    asked = [c.strip() for c in options.contestants.split(",") if c.strip()]
    contestants = [c for c in installed() if not asked or c in asked]
    tables = []
    for workload in WORKLOADS.values():
        if options.only in workload.name:
            table = compare(workload, contestants, options.rounds, options.seconds)
            print(report.as_text(table), flush=True)
            tables.append(table)
    if options.write:
        report.write(tables, options.write)


if __name__ == "__main__":
    main()
