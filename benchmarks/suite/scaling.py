"""Curves of time over size: ``python -m benchmarks.suite.scaling [--only TEXT] [--write FOLDER]``.

A process measures all sizes of a family for one contestant; the contestants take turns.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

from . import report
from .bounds import time_of_products
from .contestants import installed
from .families import FAMILIES, Family
from .processes import check_agreement, run, save_arrays

WANTED = ("torch", "tinygraph", "tinygraph compile", "tinygraph 2 workers", "jax")


def curves(family: Family, contestants: list[str], rounds: int, seconds: str) -> dict[str, Any]:
    """Return each contestant's median times, one for each size."""
    workloads = family.workloads()
    names = ",".join(w.name for w in workloads)
    with tempfile.TemporaryDirectory() as folder:
        for workload in workloads:
            save_arrays(workload, folder)
        check_agreement(workloads[-1], contestants, folder)
        found: dict[str, list[list[float]]] = {c: [] for c in contestants}
        for _ in range(rounds):
            for contestant in contestants:
                lines = run(names, contestant, folder, seconds).splitlines()
                found[contestant].append([json.loads(line)["median"] for line in lines])
    return {
        "title": family.title,
        "axis": family.axis,
        "sizes": family.sizes,
        "bounds": [time_of_products(w.products) for w in workloads],
        "times": {c: list(map(statistics.median, zip(*t, strict=True))) for c, t in found.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--only", default="", help="families whose name contains this")
    parser.add_argument("--rounds", type=int, default=3, help="processes for each (default 3)")
    parser.add_argument("--seconds", default="0.3", help="to measure each size (default 0.3)")
    parser.add_argument("--write", type=Path, help="folder for scaling.json and .svg")
    options = parser.parse_args()
    contestants = [c for c in installed() if c in WANTED]
    found = {}
    for name, family in FAMILIES.items():
        if options.only in name:
            found[name] = curves(family, contestants, options.rounds, options.seconds)
            print(report.curve_as_text(found[name]), flush=True)
    if options.write:
        report.write_curves(found, options.write)


if __name__ == "__main__":
    main()
