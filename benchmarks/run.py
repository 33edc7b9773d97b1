"""Compare contestants: ``python -m benchmarks.run [--rounds 5] [--only TEXT]``.

Each measurement is a process of its own, contestants take turns, and the table gives
medians over the rounds with the ratio of tinygraph to each peer.
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
    command = [sys.executable, "-m", "benchmarks.workloads", name, contestant]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each (default 5)")
    parser.add_argument("--only", default="", help="workloads whose name contains this")
    options = parser.parse_args()
    contestants = [c for c in ("tinygraph", "torch") if importlib.util.find_spec(c)]
    names = dict.fromkeys(n for n, _ in WORKLOADS if options.only in n)
    print(f"{'workload':<36} {'what':<9}" + "".join(f"{c:>12}" for c in contestants) + "   ratio")
    for name in names:
        found: dict[str, list[dict[str, float]]] = {c: [] for c in contestants}
        for _ in range(options.rounds):
            for contestant in contestants:
                found[contestant].append(measure(name, contestant))
        for what in found["tinygraph"][0]:
            medians = [statistics.median(m[what] for m in found[c]) for c in contestants]
            ratio = f"{medians[0] / medians[1]:7.2f}" if len(medians) > 1 else ""
            cells = "".join(f"{1e6 * m:9.2f} µs" for m in medians)
            print(f"{name:<36} {what:<9}{cells} {ratio}")


if __name__ == "__main__":
    main()
