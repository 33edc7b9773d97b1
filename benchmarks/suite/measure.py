"""Measure one contestant in this process, and print a line of JSON for each workload.

``python -m benchmarks.suite.measure WORKLOAD,… CONTESTANT FOLDER SECONDS [CHECKED.npz]``; the
folder has the arrays of each workload, ``WORKLOAD.npz``. With the last argument the loss and
gradients of the first one are written instead.
"""

from __future__ import annotations

import json
import re
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from .contestants import CONTESTANTS
from .families import find


def peak_memory() -> float:
    """Return the most memory that this process held at once, in MiB (nan where unknown).

    On Linux `getrusage` would count what the process that started this one held.
    """
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"VmHWM:\s*(\d+) kB", status.read_text())
        if found:
            return int(found[1]) / 2**10
    try:
        import resource
    except ImportError:
        return float("nan")
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def timed(step: Callable[[], object], seconds: float) -> dict[str, float]:
    """Return the time of the first call, and the median and least of those that follow."""
    start = time.perf_counter()
    step()
    first = time.perf_counter() - start
    for _ in range(2):
        step()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return {"median": statistics.median(times), "least": min(times), "first": first}


def main(names: str, contestant: str, folder: str, seconds: str, checked: str = "") -> None:
    for name in names.split(","):
        with np.load(f"{folder}/{name}.npz") as file:
            arrays = dict(file)
        runner = CONTESTANTS[contestant][1](find(name), arrays)
        if checked:
            loss, gradients = runner.loss_and_gradients()
            np.savez(checked, __loss__=np.float64(loss), **gradients)
            return
        print(json.dumps(timed(runner.step, float(seconds)) | {"peak": peak_memory()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
