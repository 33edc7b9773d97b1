"""Measure one contestant on one workload, in this process, and print the result as JSON.

``python -m benchmarks.suite.measure WORKLOAD CONTESTANT ARRAYS.npz SECONDS [CHECKED.npz]``
"""

from __future__ import annotations

import json
import statistics
import sys
import time

import numpy as np

from .contestants import CONTESTANTS
from .workloads import WORKLOADS


def peak_memory() -> float:
    """Return the most memory that this process held at once, in MiB (nan where unknown)."""
    try:
        import resource
    except ImportError:
        return float("nan")
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def main(name: str, contestant: str, path: str, seconds: str, checked: str = "") -> None:
    with np.load(path) as file:
        arrays = dict(file)
    runner = CONTESTANTS[contestant][1](WORKLOADS[name], arrays)
    if checked:
        loss, gradients = runner.loss_and_gradients()
        np.savez(checked, __loss__=np.float64(loss), **gradients)
        return
    start = time.perf_counter()
    runner.step()
    first = time.perf_counter() - start
    for _ in range(2):
        runner.step()
    times: list[float] = []
    end = time.perf_counter() + float(seconds)
    while time.perf_counter() < end or len(times) < 3:
        start = time.perf_counter()
        runner.step()
        times.append(time.perf_counter() - start)
    result = {"median": statistics.median(times), "least": min(times), "first": first}
    print(json.dumps(result | {"peak": peak_memory(), "steps": len(times)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
