"""Compare training steps: ``python -m benchmarks.suite [--only TEXT] [--rounds 5] [--write]``.

First every contestant's loss and gradients are compared. Then each measurement is a process
of its own and the contestants take turns, so that a slow minute of the machine hits all.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from . import report
from .bounds import time_of_products
from .contestants import installed
from .processes import check_agreement, run, save_arrays
from .workloads import WORKLOADS, Workload


def compare(workload: Workload, wanted: list[str], rounds: int, seconds: str) -> dict[str, Any]:
    """Measure all contestants in turns; return medians, least times, first calls and peaks."""
    contestants = [c for c in wanted if c not in workload.absent]
    with tempfile.TemporaryDirectory() as folder:
        save_arrays(workload, folder)
        check_agreement(workload, contestants, folder)
        found: dict[str, list[dict[str, float]]] = {c: [] for c in contestants}
        for _ in range(rounds):
            for contestant in contestants:
                printed = run(workload.name, contestant, folder, seconds)
                found[contestant].append(json.loads(printed))
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
