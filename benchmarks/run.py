"""Compare the cost of single ops: ``python -m benchmarks.run [--rounds 5] [--only TEXT]``.

Each measurement is a process of its own, contestants take turns, and the table gives
medians over the rounds, with the ratio of each to PyTorch.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys

from .workloads import WORKLOADS

SLOWED_DOWN_BY = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


def measure(name: str, contestant: str) -> dict[str, float]:
    """Measure once, in a fresh process without settings that slow NumPy down."""
    environment = {k: v for k, v in os.environ.items() if k not in SLOWED_DOWN_BY}
    environment["PYTHONWARNINGS"] = "ignore"
    command = [sys.executable, "-m", "benchmarks.workloads", name, contestant]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each (default 5)")
    parser.add_argument("--only", default="", help="workloads whose name contains this")
    options = parser.parse_args()
    names = dict.fromkeys(n for n, _ in WORKLOADS if options.only in n)
    for name in names:
        compare(name, options.rounds)


def compare(name: str, rounds: int) -> None:
    """Measure all installed contestants in turns, and print a line for each."""
    contestants = [c for n, c in WORKLOADS if n == name and importlib.util.find_spec(c)]
    found: dict[str, list[dict[str, float]]] = {c: [] for c in contestants}
    for _ in range(rounds):
        for contestant in contestants:
            found[contestant].append(measure(name, contestant))
    print(name)
    for what in found["tinygraph"][0]:
        medians = {c: statistics.median(m[what] for m in found[c]) for c in contestants}
        least = {c: min(m[what] for m in found[c]) for c in contestants}
        for contestant, seconds in medians.items():
            ratio = f"{seconds / medians['torch']:9.2f} × torch" if "torch" in medians else ""
            print(
                f"  {what:<9} {contestant:<10} {1e6 * seconds:12.2f} µs"
                f"  (least {1e6 * least[contestant]:.2f}) {ratio}"
            )


if __name__ == "__main__":
    main()
